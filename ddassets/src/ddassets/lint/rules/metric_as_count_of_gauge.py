"""`.as_count()` or `.as_rate()` of a gauge, without effect."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.queries import MonitorReading
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.queries:
        # A change of .as_count() aggregates whole windows first, of a gauge too (rule 2.14).
        query = reading.query if isinstance(reading, MonitorReading) else None
        aggregates = query is not None and query.change is not None
        for metric in reading.metrics:
            if subject.type_of(metric.name) == 'gauge':
                for modifier in metric.modifiers:
                    if modifier.name == 'as_rate' or (modifier.name == 'as_count' and not aggregates):
                        message = f'.{modifier.name}() has no effect: {metric.name} is a gauge'
                        yield reading.fault(message, modifier.span)


RULE = Rule(
    id='metric/as-count-of-gauge',
    severity=Severity.NOTE,
    reason='A query converts a gauge to a count or a rate.',
    explanation=(
        '`.as_count()` and `.as_rate()` convert counts and rates. They have no effect on a gauge, so either the '
        'type in metadata.csv or the query is wrong. Exception: in `change(…)` and `pct_change(…)`, `.as_count()` '
        'first aggregates both windows, also for a gauge.'
    ),
    bad={DASHBOARD: {'widgets': [widget('sum:acme.queue.length{$host}.as_count()')]}},
    good={DASHBOARD: {'widgets': [widget('sum:acme.requests{$host}.as_count()')]}},
    check=check,
    semantics=('2.14',),
)
