"""A start that is not an occurrence."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def _from(start: str) -> dict[str, object]:
    recurrence = {'start': start, 'duration': '2h', 'rrule': 'FREQ=WEEKLY;INTERVAL=1;BYDAY=WE'}
    return {'data': {'attributes': {'schedule': {'recurrences': [recurrence]}}}}


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.downtimes:
        for index, recurrence, zone in reading.recurrences:
            if recurrence.start is None:
                continue
            start = int(recurrence.start.replace(tzinfo=zone).timestamp())
            if next(recurrence.occurrences(zone, start, start), None) is None:
                yield reading.fault_at(
                    ('schedule', 'recurrences', index, 'start'),
                    f'{recurrence.start:%A %Y-%m-%d %H:%M} is not an occurrence of the rule',
                    hint='the first occurrence is the first match of the rule after it',
                )


RULE = Rule(
    id='downtime/start',
    severity=Severity.NOTE,
    reason='The start of a recurrence is not one of its occurrences.',
    explanation='Only the rule counts: nothing is muted at such a start, although the file suggests it.',
    bad={DOWNTIME: _from('2027-01-05T20:00:00')},
    good={DOWNTIME: _from('2027-01-06T20:00:00')},
    check=check,
    semantics=('5.8',),
)
