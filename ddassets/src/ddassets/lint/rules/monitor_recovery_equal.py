"""A recovery threshold that equals its alert or warning threshold."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/recovery-equal',
    severity=Severity.WARNING,
    reason='A recovery threshold equals its alert or warning threshold.',
    explanation=(
        'It has no effect, because the alert ends at the same value anyway. Datadog refuses it if a value could '
        'both trigger and recover.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'critical_recovery': 100}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'critical_recovery': 90}}}}},
    check=reported,
    semantics=('3.4',),
)
