"""More recurrences than one downtime may have."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Rule, reported


def _days(*days: str) -> dict[str, object]:
    recurrences = [
        {'start': '2027-01-04T20:00:00', 'duration': f'{hours}h', 'rrule': f'FREQ=WEEKLY;INTERVAL=1;BYDAY={day}'}
        for hours, day in enumerate(days, 1)
    ]
    # A start must be an occurrence, so each recurrence starts on its own weekday.
    for index, recurrence in enumerate(recurrences):
        recurrence['start'] = f'2027-01-{4 + index:02}T20:00:00'
    return {'data': {'attributes': {'schedule': {'recurrences': recurrences}}}}


RULE = Rule(
    id='downtime/recurrences',
    severity=Severity.ERROR,
    reason='A downtime has more than five recurrences, or none.',
    explanation='The API accepts one to five. Days with the same time fit into one recurrence: `BYDAY=MO,TU,WE`.',
    bad={DOWNTIME: _days('MO', 'TU', 'WE', 'TH', 'FR', 'SA')},
    good={DOWNTIME: _days('MO', 'TU', 'WE', 'TH', 'FR')},
    check=reported,
    semantics=('5.4',),
)
