"""An empty text instead of an absent key."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/empty-value',
    severity=Severity.NOTE,
    reason='A key has an empty text instead of a number, a boolean or an object.',
    explanation='It is treated as if the key were absent. Delete the key.',
    bad={MONITOR: {'definition': {'options': {'evaluation_delay': ''}}}},
    good={MONITOR: {'definition': {'options': {'evaluation_delay': 0}}}},
    check=reported,
    semantics=('1.13',),
)
