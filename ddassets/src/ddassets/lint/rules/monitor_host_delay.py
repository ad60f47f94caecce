"""A delay for new hosts without hosts."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Rule, reported

_QUERY = 'avg(last_5m):avg:acme.queue.length{*} by {queue} > 100'
_MESSAGE = message(alert='It is long.', no_data='It is silent.')

RULE = Rule(
    id='monitor/host-delay',
    severity=Severity.NOTE,
    reason='A delay for new hosts belongs to a monitor that does not group by host.',
    explanation='`new_host_delay` counts for groups of hosts alone. Use `new_group_delay` for groups of every kind.',
    bad={MONITOR: {'definition': {'query': _QUERY, 'message': _MESSAGE, 'options': {'new_host_delay': 300}}}},
    good={MONITOR: {'definition': {'query': _QUERY, 'message': _MESSAGE, 'options': {'new_group_delay': 300}}}},
    check=reported,
    semantics=('2.21',),
)
