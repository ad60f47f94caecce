"""A downtime that mutes every monitor, always."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def _every_day(duration: str) -> dict[str, object]:
    recurrence = {'start': '2027-01-06T00:00:00', 'duration': duration, 'rrule': 'FREQ=DAILY;INTERVAL=1'}
    schedule = {'timezone': 'UTC', 'recurrences': [recurrence]}
    identifier = {'monitor_tags': ['*']}
    return {'data': {'attributes': {'monitor_identifier': identifier, 'display_timezone': 'UTC', 'schedule': schedule}}}


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.downtimes:
        if reading.downtime and reading.downtime.everything_always:
            yield reading.fault_at(
                ('scope',),
                'the downtime mutes every monitor of the organisation at every time, without end',
                hint='give it an end, or limit scope or monitor_tags',
            )


RULE = Rule(
    id='downtime/mutes-everything',
    severity=Severity.WARNING,
    reason='A downtime mutes every monitor, always.',
    explanation=(
        'Its scope is `*`, its monitor tags are `*`, and it has no end, or its recurrences have no end and cover each '
        'day wholly. No monitor of the organisation notifies anybody. A downtime with an end, with another scope, with '
        'tags, or with a gap in a day is not reported.'
    ),
    bad={DOWNTIME: _every_day('24h')},
    good={DOWNTIME: _every_day('8h')},
    check=check,
    semantics=('5.2', '5.7'),
)
