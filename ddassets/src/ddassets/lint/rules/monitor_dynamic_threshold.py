"""A dynamic threshold that does not fit the query."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

_QUEUE = {'data_source': 'metrics', 'name': 'queue', 'query': 'avg:acme.queue.length{*} by {host}', 'aggregator': 'avg'}
_CRITICAL = 'formula("2 * queue").rollup("avg").last("1w")'


def _monitor(threshold: str) -> dict[str, object]:
    options = {'variables': [_QUEUE], 'thresholds': {'critical_query': _CRITICAL, 'critical': None}}
    return {'definition': {'query': f'formula("queue").rollup("avg").last("5m") > {threshold}', 'options': options}}


RULE = Rule(
    id='monitor/dynamic-threshold',
    severity=Severity.ERROR,
    reason='A dynamic threshold does not fit the query of the monitor.',
    explanation=(
        'A dynamic threshold is the value of `options.thresholds.critical_query`, a formula over the same variables. '
        'The query of the monitor is a formula over metrics and ends with `> threshold`. Dynamic and static thresholds '
        'exclude each other.'
    ),
    bad={MONITOR: _monitor('100')},
    good={MONITOR: _monitor('threshold')},
    check=reported,
    semantics=('17.14',),
)
