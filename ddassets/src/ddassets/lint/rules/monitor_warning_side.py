"""A warning threshold beyond the critical threshold."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/warning-side',
    severity=Severity.ERROR,
    reason='The warning threshold is on the wrong side of the critical threshold.',
    explanation=(
        'A value must cross the warning threshold before the critical threshold. The API refuses any other order.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 120}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 80}}}}},
    check=reported,
    semantics=('3.2',),
)
