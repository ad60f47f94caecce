"""A date that the API may convert incorrectly."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def _until(text: str) -> dict[str, object]:
    recurrence = {'start': '2027-01-06T20:00:00', 'duration': '2h', 'rrule': f'FREQ=WEEKLY;BYDAY=WE;UNTIL={text}'}
    return {'data': {'attributes': {'schedule': {'recurrences': [recurrence]}}}}


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.downtimes:
        for path in reading.downtime.late_dates() if reading.downtime else ():
            yield reading.fault_at(
                ('schedule', *path), 'a date from 2038 on: the API was observed to ignore summer time there'
            )


RULE = Rule(
    id='downtime/year-2038',
    severity=Severity.NOTE,
    reason='A downtime has a date from 2038 on.',
    explanation='The API was observed to use winter time for a date in July 2042.',
    bad={DOWNTIME: _until('20380113T200000')},
    good={DOWNTIME: _until('20280113T200000')},
    check=check,
    semantics=('5.13',),
)
