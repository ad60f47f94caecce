"""A number in quotes."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/number-as-text',
    severity=Severity.NOTE,
    reason='A number is written as a text.',
    explanation=(
        '`"60"` is read as 60; many exported monitors contain it. It is not documented whether the API accepts '
        'the text, and other tools do not.'
    ),
    bad={MONITOR: {'definition': {'options': {'renotify_interval': '60'}}}},
    good={MONITOR: {'definition': {'options': {'renotify_interval': 60}}}},
    check=reported,
    semantics=('1.13',),
)
