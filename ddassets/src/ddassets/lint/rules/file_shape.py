"""A value of the wrong type."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/shape',
    severity=Severity.ERROR,
    reason='A value has the wrong type.',
    explanation='The API refuses such a body. The rest of the body is still checked.',
    bad={MONITOR: {'definition': {'tags': 'integration:acme'}}},
    good={MONITOR: {'definition': {'tags': ['integration:acme']}}},
    check=reported,
)
