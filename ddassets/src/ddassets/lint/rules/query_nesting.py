"""A function inside anomalies() or forecast() that Datadog does not allow there."""

from collections.abc import Iterator, Mapping

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Call, walk
from ddassets.language.query.vocabulary import NOT_IN_FORECAST
from ddassets.lint.example import MONITOR
from ddassets.lint.queries import Reading
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

_REFUSED: Mapping[str, tuple[str, ...]] = {
    # Rule 6.7.
    'anomalies': ('cumsum', 'integral', 'outliers', 'piecewise_constant', 'robust_trend', 'trend_line'),
    # Rule 19.19.
    'forecast': tuple(name for name in NOT_IN_FORECAST if name != 'forecast'),
}


def check(subject: Subject) -> Iterator[Fault]:
    readings: list[Reading] = [*subject.queries, *subject.formulas]
    for reading in readings:
        for expression in reading.expressions:
            for node in walk(expression):
                if isinstance(node, Call) and node.name in _REFUSED:
                    yield from _inside(reading, node)


def _inside(reading: Reading, outer: Call) -> Iterator[Fault]:
    refused = _REFUSED[outer.name]
    for node in walk(outer):
        if isinstance(node, Call) and node.name in refused:
            yield reading.fault(f'{outer.name}() cannot contain {node.name}()', node.span)


RULE = Rule(
    id='query/nesting',
    severity=Severity.ERROR,
    reason='anomalies() or forecast() contains a function that is not allowed there.',
    explanation=(
        'Datadog refuses `cumsum()`, `integral()`, `outliers()`, `piecewise_constant()`, `robust_trend()` and '
        '`trend_line()` inside `anomalies()` and `forecast()`, and `anomalies()` inside `forecast()`.'
    ),
    bad={
        MONITOR: {
            'definition': {
                'query': "max(next_12h):forecast(cumsum(avg:acme.queue.length{*} by {host}), 'linear', 1) >= 100",
                'options': {'no_data_timeframe': 1440},
            }
        }
    },
    good={
        MONITOR: {
            'definition': {
                'query': "max(next_12h):forecast(avg:acme.queue.length{*} by {host}, 'linear', 1) >= 100",
                'options': {'no_data_timeframe': 1440},
            }
        }
    },
    check=check,
    semantics=('6.7', '19.19'),
)
