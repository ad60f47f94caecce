"""Weeknight and weekend downtimes that do not cover Monday morning."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_SUNDAY = 6 * 24 * 60


def _nights(days: str, start: str) -> dict[str, object]:
    recurrences = [
        {'start': start, 'duration': '14h', 'rrule': f'FREQ=WEEKLY;INTERVAL=1;BYDAY={days}'},
        {'start': '2027-01-09T00:00:00', 'duration': '1d', 'rrule': 'FREQ=WEEKLY;INTERVAL=1;BYDAY=SA,SU'},
    ]
    zone = 'Asia/Tokyo'
    return {
        'data': {'attributes': {'display_timezone': zone, 'schedule': {'timezone': zone, 'recurrences': recurrences}}}
    }


def check(subject: Subject) -> Iterator[Fault]:
    from ddassets.engine.downtime import odd_openings, openings
    from ddassets.lint.downtimes import find_steady_week

    for together, start, _ in subject.downtimes_together:
        week = find_steady_week(together, start)
        if week is None:
            continue
        found = openings([reading.downtime for reading in together if reading.downtime], week)
        odd = odd_openings(found)
        # Muted until the last minute of Sunday, and not from the first minute of Monday.
        if odd and odd[0].start == 0 and all(opening.end <= _SUNDAY for opening in found):
            yield together[0].fault_at(
                ('schedule',),
                f'{odd[0]} is not muted, but Sunday and the other nights are',
                hint='add SU to the weeknights',
            )


RULE = Rule(
    id='downtime/monday',
    severity=Severity.WARNING,
    reason='Weeknights and weekends are muted, but Monday morning is not.',
    explanation=(
        'The night from Sunday to Monday begins on Sunday. "MO to FR from 19:00" and "SA and SU all day" do not '
        'cover Monday after midnight.'
    ),
    bad={DOWNTIME: _nights('MO,TU,WE,TH,FR', '2027-01-04T19:00:00')},
    good={DOWNTIME: _nights('SU,MO,TU,WE,TH,FR', '2027-01-03T19:00:00')},
    check=check,
    semantics=('5.23',),
)
