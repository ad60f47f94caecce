"""A display time zone that differs from the schedule's."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='downtime/timezone',
    severity=Severity.ERROR,
    reason='display_timezone is not the time zone of the schedule.',
    explanation='The API refuses a recurring downtime with two different time zones.',
    bad={DOWNTIME: {'data': {'attributes': {'display_timezone': 'UTC'}}}},
    good={DOWNTIME: {'data': {'attributes': {'display_timezone': 'Europe/Berlin'}}}},
    check=reported,
    semantics=('5.4',),
)
