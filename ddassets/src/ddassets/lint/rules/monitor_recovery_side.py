"""A recovery threshold in the range that triggers."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/recovery-side',
    severity=Severity.ERROR,
    reason='A recovery threshold is in the range that triggers.',
    explanation=(
        'The monitor would recover while it still triggers. For `>` the recovery threshold must not be above the '
        'threshold, for `<` not below it.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'critical_recovery': 110}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'critical_recovery': 90}}}}},
    check=reported,
    semantics=('3.4',),
)
