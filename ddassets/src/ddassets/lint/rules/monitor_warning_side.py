"""A warning threshold that is passed after the critical one."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/warning-side',
    severity=Severity.ERROR,
    reason='The warning threshold lies on the wrong side of the critical one.',
    explanation=(
        'A value on its way up to an alert has to pass the warning first, and one on its way down likewise. The '
        'API refuses any other order.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 120}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'warning': 80}}}}},
    check=reported,
    semantics=('3.2',),
)
