"""A weekday with a number outside of a month or year."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_START = {'start': '2027-01-12T20:00:00', 'duration': '2h'}


def _rule(text: str) -> dict[str, object]:
    return {'data': {'attributes': {'schedule': {'recurrences': [{**_START, 'rrule': text}]}}}}


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.downtimes:
        for fault in reading.faults:
            if reading.is_ordinal(fault):
                yield reading.fault(fault)


RULE = Rule(
    id='downtime/ordinal',
    severity=Severity.ERROR,
    reason='A recurrence numbers a weekday without a month to count in.',
    explanation=(
        '`2TU` is the second Tuesday of a month or year. With `FREQ=DAILY` or `WEEKLY` the calendar standard '
        'forbids it, and a common library reads it as every Tuesday.'
    ),
    bad={DOWNTIME: _rule('FREQ=DAILY;INTERVAL=1;BYDAY=2TU')},
    good={DOWNTIME: _rule('FREQ=MONTHLY;INTERVAL=1;BYDAY=2TU')},
    check=check,
    semantics=('5.9',),
)
