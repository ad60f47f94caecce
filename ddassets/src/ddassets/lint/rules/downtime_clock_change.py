"""The end of a downtime moves when summer time starts or ends."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def _sundays(zone: str) -> dict[str, object]:
    recurrence = {'start': '2027-01-10T00:00:00', 'duration': '1d', 'rrule': 'FREQ=WEEKLY;INTERVAL=1;BYDAY=SU'}
    schedule = {'timezone': zone, 'recurrences': [recurrence]}
    return {'data': {'attributes': {'display_timezone': zone, 'schedule': schedule}}}


def check(subject: Subject) -> Iterator[Fault]:
    from ddassets.engine.downtime import clock_differences

    for together, start, end in subject.downtimes_together:
        found = clock_differences([reading.downtime for reading in together if reading.downtime], start, end)
        if not found:
            continue
        (begin, stop), clock = found[0]
        reading = together[0]
        zone = reading.downtime.zone if reading.downtime else UTC
        local, until = (datetime.fromtimestamp(instant, zone) for instant in (begin, stop))
        yield reading.fault_at(
            ('schedule',),
            f'{local:%Y-%m-%d} from {local:%H:%M} to {until:%H:%M}: muted or not, depending on how the duration counts',
            hint=f'muted if the duration is {"elapsed time" if clock == "elapsed" else "wall time"}: '
            'the clocks change; cover the hour with another recurrence',
        )


RULE = Rule(
    id='downtime/clock-change',
    severity=Severity.NOTE,
    reason='The end of a downtime moves by an hour when the clocks change.',
    explanation=(
        'A downtime of 24 hours that starts on Sunday at midnight ends an hour early or late on the Sunday of the '
        'change if its duration is elapsed time. Datadog does not document whether it is. Downtimes for the same '
        'monitors are checked together, because one may cover what another does not.'
    ),
    bad={DOWNTIME: _sundays('Europe/Berlin')},
    good={DOWNTIME: _sundays('Asia/Tokyo')},
    check=check,
    semantics=('5.12',),
)
