"""A monitor that begins muted."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/muted',
    severity=Severity.WARNING,
    reason='A monitor is muted from the start.',
    explanation=(
        '`silenced` mutes the scopes that it names, `*` all of them. Each monitor that is made from the asset'
        ' begins muted. Use a downtime for a time in which nobody is to be notified.'
    ),
    bad={MONITOR: {'definition': {'options': {'silenced': {'*': 0}}}}},
    good={MONITOR: {'definition': {'options': {}}}},
    check=reported,
    semantics=('5.22',),
)
