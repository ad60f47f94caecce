"""Two delays for new groups, of which one counts."""

from collections.abc import Iterator

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject


def check(subject: Subject) -> Iterator[Fault]:
    for reading in subject.monitors:
        options = reading.monitor.options
        if options.get('new_host_delay') and options.get('new_group_delay'):
            yield reading.option_fault('new_host_delay', 'new_group_delay counts in place of new_host_delay')


RULE = Rule(
    id='monitor/new-group-delay',
    severity=Severity.NOTE,
    reason='Both new_group_delay and the older new_host_delay are set.',
    explanation='A `new_group_delay` above 0 counts alone. Delete the other.',
    bad={MONITOR: {'definition': {'options': {'new_group_delay': 60, 'new_host_delay': 300}}}},
    good={MONITOR: {'definition': {'options': {'new_group_delay': 60}}}},
    check=check,
    semantics=('2.21',),
)
