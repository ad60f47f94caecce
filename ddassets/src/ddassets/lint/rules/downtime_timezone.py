"""Two time zones that differ."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='downtime/timezone',
    severity=Severity.ERROR,
    reason='display_timezone is not the time zone of the schedule.',
    explanation='The API answers with an error when a recurring downtime has two time zones.',
    bad={DOWNTIME: {'data': {'attributes': {'display_timezone': 'UTC'}}}},
    good={DOWNTIME: {'data': {'attributes': {'display_timezone': 'Europe/Berlin'}}}},
    check=reported,
    semantics=('5.4',),
)
