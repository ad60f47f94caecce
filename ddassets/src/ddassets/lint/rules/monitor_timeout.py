"""A time-out outside 0 to 24 hours."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/timeout',
    severity=Severity.ERROR,
    reason='timeout_h is not between 0 and 24 hours.',
    explanation=(
        'After `timeout_h` hours without data a group recovers automatically; 0 means never. The maximum is a day.'
    ),
    bad={MONITOR: {'definition': {'options': {'timeout_h': 48}}}},
    good={MONITOR: {'definition': {'options': {'timeout_h': 24}}}},
    check=reported,
    semantics=('3.19',),
)
