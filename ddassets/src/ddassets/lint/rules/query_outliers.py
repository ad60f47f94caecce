"""outliers() over a single group, or compared with something else than 0."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.language.query.tree import Call, metrics, walk
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.queries:
        for expression in reading.expressions:
            for node in walk(expression):
                if isinstance(node, Call) and node.name == 'outliers' and node.arguments:
                    if not any(metric.by for metric in metrics(node)):
                        message = 'outliers() compares groups, but the query has none'
                        yield reading.fault(message, node.span, 'add by {host}, or another tag key')
    for reading in subject.monitors:
        query = reading.query
        if query and isinstance(query.expression, Call) and query.expression.name == 'outliers':
            if (query.comparator, query.threshold) != ('>', 0):
                message = (
                    f'{query.comparator} {query.threshold:g}: outliers() is 1 for an outlier and 0 for another group, '
                    'and only > 0 is documented'
                )
                yield reading.fault(message, query.threshold_span, 'write > 0', Severity.NOTE)


RULE = Rule(
    id='query/outliers',
    severity=Severity.WARNING,
    reason='outliers() needs groups to compare, and is compared with 0.',
    explanation=(
        'An outlier is a group that behaves differently from the others. Without `by {…}` there is only one group, so '
        'the monitor never alerts. Its value is 1 for an outlier and 0 for another group; every documented monitor has '
        '`> 0`, so another comparison is a note.'
    ),
    bad={
        MONITOR: {
            'definition': {
                'query': "avg(last_30m):outliers(avg:acme.queue.length{*}, 'dbscan', 3) > 0",
                'message': message(alert='A host differs.', no_data='Silent.', recovery='None differs.'),
                'options': {'thresholds': {'critical': 0}, 'no_data_timeframe': 60},
            }
        }
    },
    good={
        MONITOR: {
            'definition': {
                'query': "avg(last_30m):outliers(avg:acme.queue.length{*} by {host}, 'dbscan', 3) > 0",
                'options': {'thresholds': {'critical': 0}, 'no_data_timeframe': 60},
            }
        }
    },
    check=check,
    semantics=('19.2', '19.3'),
)
