"""A value of another type than its key holds."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/shape',
    severity=Severity.ERROR,
    reason='A value is of another type than its key holds.',
    explanation='The API refuses such a body. What can be read beside the value is read.',
    bad={MONITOR: {'definition': {'tags': 'integration:acme'}}},
    good={MONITOR: {'definition': {'tags': ['integration:acme']}}},
    check=reported,
)
