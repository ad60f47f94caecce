"""A percentile of a metric that is not a distribution."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.vocabulary import is_percentile
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.queries:
        for metric in reading.metrics:
            kind = subject.type_of(metric.name)
            if metric.aggregator and is_percentile(metric.aggregator) and kind in ('count', 'gauge', 'rate'):
                message = f'{metric.aggregator} needs a distribution; {metric.name} is a {kind}'
                yield reading.fault(message, metric.span)


RULE = Rule(
    id='metric/percentile',
    severity=Severity.WARNING,
    reason='A query computes a percentile of a metric that is not a distribution.',
    explanation='Only distributions store the data for percentiles. For any other type the query returns nothing.',
    bad={DASHBOARD: {'widgets': [widget('p95:acme.queue.length{$host}')]}},
    good={DASHBOARD: {'widgets': [widget('p95:acme.request.duration{$host}')]}},
    check=check,
    semantics=('1.2', '17.19'),
)
