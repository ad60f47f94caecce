"""A delay for new hosts in a monitor that does not group by host."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Rule, reported

_QUERY = 'avg(last_5m):avg:acme.queue.length{*} by {queue} > 100'
_MESSAGE = message(alert='It is long.', no_data='It is silent.')

RULE = Rule(
    id='monitor/host-delay',
    severity=Severity.NOTE,
    reason='A monitor that does not group by host has a delay for new hosts.',
    explanation='`new_host_delay` applies only to groups by host. Use `new_group_delay` for other groups.',
    bad={MONITOR: {'definition': {'query': _QUERY, 'message': _MESSAGE, 'options': {'new_host_delay': 300}}}},
    good={MONITOR: {'definition': {'query': _QUERY, 'message': _MESSAGE, 'options': {'new_group_delay': 300}}}},
    check=reported,
    semantics=('2.21',),
)
