"""`.as_count()` with a time aggregator other than sum."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Call, Metric, Node, children
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject

# Datadog itself uses avg with these functions: they return a share of points or a distance, not a count.
_OPAQUE = ('anomalies', 'forecast', 'outliers')


def check(subject: Subject) -> Iterator[Fault]:
    yield from _formulas(subject)
    for reading in subject.monitors:
        query = reading.query
        if query is None or query.aggregator in ('sum', 'formula'):
            continue
        for metric in _compared(query.expression):
            if any(modifier.name == 'as_count' for modifier in metric.modifiers):
                yield reading.fault(
                    f'{query.aggregator} over the window of a count; only sum may be used with .as_count()',
                    metric.span,
                    hint='write sum(…) and a threshold for the whole window',
                    severity=Severity.NOTE if query.change else None,
                )
                break


def _formulas(subject: Subject) -> Iterator[Fault]:
    """Yield the variables with .as_count() of formulas with another rollup than sum (rule 17.8)."""
    rollups = {id(one.monitor): one.query.rollup for one in subject.monitors if one.query}
    for reading in subject.formula_monitor_queries:
        rollup = rollups.get(id(reading.asset))
        if rollup in (None, 'sum'):
            continue
        for metric in reading.metrics:
            if any(modifier.name == 'as_count' for modifier in metric.modifiers):
                message = f'.rollup("{rollup}") of the formula over a count; only sum may be used with .as_count()'
                yield reading.fault(message, metric.span, hint='write .rollup("sum")')


def _compared(node: Node) -> Iterator[Metric]:
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, Metric):
            yield part
        elif not (isinstance(part, Call) and part.name in _OPAQUE):
            pending.extend(children(part))


RULE = Rule(
    id='monitor/as-count-aggregator',
    severity=Severity.ERROR,
    reason='A monitor aggregates .as_count() over time with something other than sum.',
    explanation=(
        'The number of events in a bucket depends on its length, which Datadog chooses. Only the sum over the window '
        'does not. Inside `anomalies()`, `outliers()` and `forecast()` other aggregators are correct.'
    ),
    bad={MONITOR: {'definition': {'query': 'avg(last_5m):sum:acme.requests{*} by {host}.as_count() > 100'}}},
    good={MONITOR: {'definition': {'query': 'sum(last_5m):sum:acme.requests{*} by {host}.as_count() > 100'}}},
    check=check,
    semantics=('2.11', '2.12'),
)
