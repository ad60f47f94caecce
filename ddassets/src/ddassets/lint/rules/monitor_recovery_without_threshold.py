"""A recovery threshold without its alert or warning threshold."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/recovery-without-threshold',
    severity=Severity.ERROR,
    reason='A recovery threshold has no alert or warning threshold.',
    explanation='The monitor never enters the state to recover from. The API refuses the monitor.',
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning_recovery': 70}}}}},
    good={
        MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 80, 'warning_recovery': 70}}}}
    },
    check=reported,
    semantics=('3.2',),
)
