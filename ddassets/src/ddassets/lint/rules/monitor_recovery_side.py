"""A recovery threshold inside what triggers."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/recovery-side',
    severity=Severity.ERROR,
    reason='A recovery threshold lies inside what triggers.',
    explanation=(
        'The monitor would be to recover while it still triggers. For `>` the recovery threshold is at most the '
        'one that triggers, for `<` at least.'
    ),
    bad={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'critical_recovery': 110}}}}},
    good={MONITOR: {'definition': {'options': {'thresholds': {'critical': 100, 'critical_recovery': 90}}}}},
    check=reported,
    semantics=('3.4',),
)
