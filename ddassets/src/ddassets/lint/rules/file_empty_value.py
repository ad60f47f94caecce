"""An empty text in place of nothing."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/empty-value',
    severity=Severity.NOTE,
    reason='An empty text stands where a number, a flag or an object belongs.',
    explanation='It is read as if the key were absent. Leave the key out.',
    bad={MONITOR: {'definition': {'options': {'evaluation_delay': ''}}}},
    good={MONITOR: {'definition': {'options': {'evaluation_delay': 0}}}},
    check=reported,
    semantics=('1.13',),
)
