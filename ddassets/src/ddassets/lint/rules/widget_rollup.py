"""A rollup longer than the widget's own time frame."""

from collections.abc import Iterator, Mapping
from typing import Any

from ddassets import duration
from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.queries import rollups
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, is_number

_UNITS = {name: duration.UNITS[unit] for unit, name in duration.NAMES.items() if unit != 's'}


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.widget_queries:
        frame = _seconds(reading.asset.body.get('time'))
        for expression in reading.expressions if frame else ():
            for span, seconds in rollups(expression):
                if frame and seconds > frame:
                    message = f'a bucket of {seconds:g} s is longer than the time frame of {frame:g} s'
                    yield reading.fault(message, span)


def _seconds(time: Any) -> float | None:
    if not isinstance(time, Mapping):
        return None
    span = time.get('live_span')
    if isinstance(span, str):
        return duration.parse(span, ('y', 'mo', 'w', 'd', 'h', 'm'))
    unit, value = time.get('unit'), time.get('value')
    return float(value) * _UNITS[unit] if isinstance(unit, str) and unit in _UNITS and is_number(value) else None


RULE = Rule(
    id='widget/rollup',
    severity=Severity.WARNING,
    reason='A rollup is longer than the time frame of the widget.',
    explanation=(
        'Buckets begin at multiples of their length, and a bucket is shown only if it begins inside the time frame. '
        'Most of the time no bucket does, and the graph is empty.'
    ),
    bad={DASHBOARD: {'widgets': [widget('sum:acme.requests{$host}.rollup(sum, 3600)', time={'live_span': '15m'})]}},
    good={DASHBOARD: {'widgets': [widget('sum:acme.requests{$host}.rollup(sum, 3600)', time={'live_span': '1d'})]}},
    check=check,
    semantics=('7.2', '20.19'),
)
