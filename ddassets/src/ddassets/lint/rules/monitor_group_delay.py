"""A delay for new groups in a monitor without groups."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, message
from ddassets.lint.rule import Rule, reported

_QUERY = 'avg(last_5m):avg:acme.queue.length{*} > 100'
_MESSAGE = message(alert='It is long.', no_data='It is silent.')

RULE = Rule(
    id='monitor/group-delay',
    severity=Severity.ERROR,
    reason='A monitor without groups has a delay for new groups.',
    explanation='The API refuses `new_group_delay` if the query has no `by {}`.',
    bad={MONITOR: {'definition': {'query': _QUERY, 'message': _MESSAGE, 'options': {'new_group_delay': 400}}}},
    good={MONITOR: {'definition': {'options': {'new_group_delay': 400}}}},
    check=reported,
    semantics=('2.21',),
)
