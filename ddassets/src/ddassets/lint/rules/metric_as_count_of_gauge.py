"""`.as_count()` where it does nothing."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.queries:
        for metric in reading.metrics:
            if subject.type_of(metric.name) == 'gauge':
                for modifier in metric.modifiers:
                    if modifier.name in ('as_count', 'as_rate'):
                        message = f'.{modifier.name}() does nothing: {metric.name} is a gauge'
                        yield reading.fault(message, modifier.span)


RULE = Rule(
    id='metric/as-count-of-gauge',
    severity=Severity.NOTE,
    reason='A query turns a gauge into a count or a rate.',
    explanation=(
        '`.as_count()` and `.as_rate()` change counts and rates. On a gauge they have no effect, so either the '
        'type in metadata.csv or the query is not what was meant.'
    ),
    bad={DASHBOARD: {'widgets': [widget('sum:acme.queue.length{$host}.as_count()')]}},
    good={DASHBOARD: {'widgets': [widget('sum:acme.requests{$host}.as_count()')]}},
    check=check,
    semantics=('2.14',),
)
