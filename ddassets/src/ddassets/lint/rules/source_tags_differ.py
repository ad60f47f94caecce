"""A plan that sends other tags than the configuration has."""

from typing import Any

from ddassets.diagnostic import Severity
from ddassets.lint.example import message
from ddassets.lint.rule import Rule, reported


def _plan(written: list[str]) -> dict[str, Any]:
    resource = {'address': 'datadog_monitor.lag', 'mode': 'managed', 'type': 'datadog_monitor', 'name': 'lag'}
    body: dict[str, Any] = {'name': 'Lag', 'type': 'query alert', 'query': 'avg(last_5m):avg:acme.queue.length{*} > 9'}
    body |= {'message': message(), 'notify_no_data': True, 'tags': ['team:shore']}
    return {
        'planned_values': {'root_module': {'resources': [{**resource, 'values': body}]}},
        'configuration': {
            'root_module': {'resources': [{**resource, 'expressions': {'tags': {'constant_value': written}}}]}
        },
    }


RULE = Rule(
    id='source/tags-differ',
    severity=Severity.WARNING,
    reason='A plan sends other tags than its configuration has.',
    explanation=(
        "The provider's `default_tags` may keep only one tag per key, so a tag of the monitor is lost: "
        'downtimes and notification rules that match this tag then do not match.'
    ),
    file='plan.json',
    bad={'plan.json': _plan(['team:acme', 'team:shore'])},
    good={'plan.json': _plan(['team:shore'])},
    check=reported,
)
