"""Functions that Datadog deprecates."""

from collections.abc import Iterator, Mapping

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Call, walk
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.queries import Reading
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_INSTEAD: Mapping[str, str] = {
    'day_before': 'calendar_shift(…, "-1d", "UTC")',
    'week_before': 'calendar_shift(…, "-7d", "UTC")',
    'month_before': 'calendar_shift(…, "-4w", "UTC")',
}


def check(subject: Subject) -> Iterator[Fault]:
    readings: list[Reading] = [*subject.queries, *subject.formulas]
    for reading in readings:
        for expression in reading.expressions:
            for call in walk(expression):
                if isinstance(call, Call) and call.name in _INSTEAD:
                    yield reading.fault(f'{call.name}() is deprecated', call.span, f'write {_INSTEAD[call.name]}')


RULE = Rule(
    id='query/deprecated',
    severity=Severity.NOTE,
    reason='A query uses a function that Datadog deprecates.',
    explanation=(
        '`calendar_shift()` replaces `day_before()`, `week_before()` and `month_before()`. It takes a time zone, so it '
        'compares the same wall time across changes of summer time. `month_before()` is 28 days.'
    ),
    bad={DASHBOARD: {'widgets': [widget('week_before(avg:acme.queue.length{$host})')]}},
    good={DASHBOARD: {'widgets': [widget('calendar_shift(avg:acme.queue.length{$host}, "-7d", "UTC")')]}},
    check=check,
    semantics=('20.18',),
)
