"""A duplicate key in a JSON object."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/duplicate-key',
    severity=Severity.ERROR,
    reason='A JSON object has a duplicate key.',
    explanation='JSON parsers silently keep one of the two values, usually the last.',
    bad={MONITOR: '{"type": "log alert", "query": "x", "tags": ["integration:acme"], "priority": 1, "priority": 3}'},
    good={MONITOR: '{"type": "log alert", "query": "x", "tags": ["integration:acme"], "priority": 3}'},
    check=reported,
)
