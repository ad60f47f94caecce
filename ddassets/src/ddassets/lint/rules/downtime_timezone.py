"""Two time zones that differ."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.downtimes:
        for fault in reading.faults:
            if reading.is_timezone(fault):
                yield reading.fault(fault)


RULE = Rule(
    id='downtime/timezone',
    severity=Severity.ERROR,
    reason='display_timezone is not the time zone of the schedule.',
    explanation='The API answers with an error when a recurring downtime has two time zones.',
    bad={DOWNTIME: {'data': {'attributes': {'display_timezone': 'UTC'}}}},
    good={DOWNTIME: {'data': {'attributes': {'display_timezone': 'Europe/Berlin'}}}},
    check=check,
    semantics=('5.4',),
)
