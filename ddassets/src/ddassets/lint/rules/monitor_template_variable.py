"""A template variable in the query of a monitor."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/template-variable',
    severity=Severity.ERROR,
    reason='The query of a monitor uses a template variable.',
    explanation='Only dashboards have template variables. The API refuses such a query.',
    bad={MONITOR: {'definition': {'query': 'avg(last_5m):avg:acme.queue.length{$host} by {host} > 100'}}},
    good={MONITOR: {'definition': {'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100'}}},
    check=reported,
    semantics=('1.2',),
)
