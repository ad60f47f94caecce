"""A monitor that starts muted."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/muted',
    severity=Severity.WARNING,
    reason='A monitor starts muted.',
    explanation=(
        '`silenced` mutes the named scopes, `*` all scopes. Every monitor created from the asset starts muted. Use '
        'a downtime to mute a monitor for some time.'
    ),
    bad={MONITOR: {'definition': {'options': {'silenced': {'*': 0}}}}},
    good={MONITOR: {'definition': {'options': {}}}},
    check=reported,
    semantics=('5.22',),
)
