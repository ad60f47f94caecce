"""A rollup longer than the widget's own time frame."""

from collections.abc import Iterator, Mapping
from typing import Any

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, is_number, rollups

_SPANS = {
    '1m': 60, '5m': 300, '10m': 600, '15m': 900, '30m': 1800, '1h': 3600, '4h': 14400, '1d': 86400, '2d': 172800,
    '1w': 604800, '1mo': 2592000, '3mo': 7776000, '6mo': 15552000, '1y': 31536000,
}  # fmt: skip
_UNITS = {'minute': 60, 'hour': 3600, 'day': 86400, 'week': 604800, 'month': 2592000, 'year': 31536000}


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.widget_queries:
        frame = _seconds(reading.asset.body.get('time'))
        for expression in reading.expressions if frame else ():
            for span, seconds in rollups(expression):
                if frame and seconds > frame:
                    message = f'a bucket of {seconds:g} s does not fit into the time frame of {frame:g} s'
                    yield reading.fault(message, span)


def _seconds(time: Any) -> float | None:
    if not isinstance(time, Mapping):
        return None
    span = time.get('live_span')
    if isinstance(span, str):
        return _SPANS.get(span)
    unit, value = time.get('unit'), time.get('value')
    return float(value) * _UNITS[unit] if isinstance(unit, str) and unit in _UNITS and is_number(value) else None


RULE = Rule(
    id='widget/rollup',
    severity=Severity.WARNING,
    reason='A rollup is longer than the time frame of the widget.',
    explanation=(
        'Buckets begin at multiples of their length, and one counts only if it begins inside the frame: most of '
        'the time none does, and the graph is empty.'
    ),
    bad={DASHBOARD: {'widgets': [widget('sum:acme.requests{$host}.rollup(sum, 3600)', time={'live_span': '15m'})]}},
    good={DASHBOARD: {'widgets': [widget('sum:acme.requests{$host}.rollup(sum, 3600)', time={'live_span': '1d'})]}},
    check=check,
    semantics=('7.2',),
)
