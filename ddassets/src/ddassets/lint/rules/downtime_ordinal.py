"""A numbered weekday in a rule that is neither monthly nor yearly."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Rule, reported

_START = {'start': '2027-01-12T20:00:00', 'duration': '2h'}


def _rule(text: str) -> dict[str, object]:
    return {'data': {'attributes': {'schedule': {'recurrences': [{**_START, 'rrule': text}]}}}}


RULE = Rule(
    id='downtime/ordinal',
    severity=Severity.WARNING,
    reason='A recurrence has a numbered weekday, but is neither monthly nor yearly.',
    explanation=(
        '`2TU` is the second Tuesday of a month or year. The API also accepts it with `FREQ=DAILY`, but its meaning '
        'is not documented: the calendar standard forbids it, and a common library reads it as every Tuesday. '
        '`ddassets rehearse` reads it as the second Tuesday of the month, and warns if every Tuesday would differ. '
        'With `FREQ=WEEKLY` it is an error.'
    ),
    bad={DOWNTIME: _rule('FREQ=DAILY;INTERVAL=1;BYDAY=2TU')},
    good={DOWNTIME: _rule('FREQ=MONTHLY;INTERVAL=1;BYDAY=2TU')},
    check=reported,
    semantics=('5.9',),
)
