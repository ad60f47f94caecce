"""Two delays for new groups, of which only one has an effect."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/new-group-delay',
    severity=Severity.NOTE,
    reason='Both new_group_delay and the older new_host_delay are set.',
    explanation='With a `new_group_delay` above 0, `new_host_delay` has no effect. Delete it.',
    bad={MONITOR: {'definition': {'options': {'new_group_delay': 60, 'new_host_delay': 300}}}},
    good={MONITOR: {'definition': {'options': {'new_group_delay': 60}}}},
    check=reported,
    semantics=('2.21',),
)
