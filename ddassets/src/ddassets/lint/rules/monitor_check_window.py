"""A check monitor whose window is smaller than a threshold."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, check_monitor
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/check-window',
    severity=Severity.ERROR,
    reason='A check monitor reads fewer runs than its threshold requires.',
    explanation='The query of a service check reads the `last(n)` runs. A threshold above n is never reached.',
    bad={MONITOR: {'definition': check_monitor(2)}},
    good={MONITOR: {'definition': check_monitor(4)}},
    check=reported,
)
