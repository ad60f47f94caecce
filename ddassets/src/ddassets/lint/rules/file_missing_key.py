"""A missing key."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/missing-key',
    severity=Severity.ERROR,
    reason='A key that the API requires is missing.',
    explanation='Datadog refuses a body without the key.',
    bad={MONITOR: {'definition': {'type': None}}},
    good={MONITOR: {'definition': {'type': 'query alert'}}},
    check=reported,
    semantics=('1.2',),
)
