"""A value that a source does not contain."""

from typing import Any

from ddassets.diagnostic import Severity
from ddassets.lint.example import message
from ddassets.lint.rule import Rule, reported


def _plan(unknown: dict[str, Any], **values: Any) -> dict[str, Any]:
    address = 'datadog_monitor.lag'
    resource = {'address': address, 'mode': 'managed', 'type': 'datadog_monitor', 'name': 'lag'}
    body: dict[str, Any] = {'name': 'Lag', 'type': 'query alert', 'query': 'avg(last_5m):avg:acme.queue.length{*} > 9'}
    body |= {'message': message(), 'notify_no_data': True, **values}
    return {
        'planned_values': {'root_module': {'resources': [{**resource, 'values': body}]}},
        'resource_changes': [{'address': address, 'change': {'after_unknown': unknown}}],
    }


RULE = Rule(
    id='source/withheld',
    severity=Severity.NOTE,
    reason='A value is known after apply, marked as sensitive, or an expression.',
    explanation=(
        'A plan marks values that are sensitive or known only after apply; configuration may refer to variables. '
        'Such a value is not shown, and no rule checks what depends on it.'
    ),
    file='plan.json',
    bad={'plan.json': _plan({'message': True})},
    good={'plan.json': _plan({})},
    check=reported,
)
