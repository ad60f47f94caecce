"""A percentile over a window that is not that of the query."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Metric, MonitorQuery, metrics
from ddassets.language.query.vocabulary import is_percentile
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        query = reading.query
        if query is None or not (query.aggregator == 'percentile' or is_percentile(query.aggregator)):
            continue
        for metric in metrics(query.expression):
            if message := _problem(query, metric):
                yield reading.fault(message, metric.span)


def _problem(query: MonitorQuery, metric: Metric) -> str:
    space = metric.aggregator or ''
    if not is_percentile(space):
        return f'{query.aggregator}() needs a percentile such as p95 before the metric, found {space or "none"}'
    if query.aggregator != 'percentile' and query.aggregator != space:
        return f'{query.aggregator} over the window and {space} before the metric: the two percentiles have to match'
    return ''


RULE = Rule(
    id='monitor/percentile',
    severity=Severity.ERROR,
    reason='The percentile over the window of a monitor is not the percentile of its query.',
    explanation=(
        'Datadog computes one percentile from all values of a distribution in the window. The query contains it: '
        '`percentile(last_5m):p95:acme.request.duration{*}`.'
    ),
    bad={MONITOR: {'definition': {'query': 'p95(last_5m):p99:acme.request.duration{*} by {host} > 100'}}},
    good={MONITOR: {'definition': {'query': 'percentile(last_5m):p95:acme.request.duration{*} by {host} > 100'}}},
    check=check,
    semantics=('1.2', '17.17'),
)
