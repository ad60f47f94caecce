"""Variables that no formula can use."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

_QUEUE = {'data_source': 'metrics', 'name': 'queue', 'query': 'avg:acme.queue.length{*} by {host}', 'aggregator': 'avg'}
_WORKERS = {'data_source': 'metrics', 'name': 'workers', 'query': 'sum:acme.workers{*} by {host}', 'aggregator': 'avg'}
_QUERY = 'formula("queue / workers").last("5m") > 100'

RULE = Rule(
    id='monitor/variables',
    severity=Severity.ERROR,
    reason='The variables of a formula monitor do not fit the monitor.',
    explanation=(
        'The query `formula("a / b").last("5m") > 1` uses the queries in `options.variables` by their `name`, which is '
        'unique. A metric monitor has variables of metrics, a monitor of logs, events and the like those of events. '
        'Other queries do not use variables.'
    ),
    bad={
        MONITOR: {
            'definition': {'query': _QUERY, 'options': {'variables': [_QUEUE, _WORKERS, _QUEUE]}},
        }
    },
    good={MONITOR: {'definition': {'query': _QUERY, 'options': {'variables': [_QUEUE, _WORKERS]}}}},
    check=reported,
    semantics=('17.1', '17.2', '17.3'),
)
