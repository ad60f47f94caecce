"""A key that stands twice in one JSON object."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/duplicate-key',
    severity=Severity.ERROR,
    reason='A key stands twice in one JSON object.',
    explanation='Readers of JSON keep one of the two, usually the last, and say nothing: the other is lost.',
    bad={MONITOR: '{"type": "log alert", "query": "x", "tags": ["integration:acme"], "priority": 1, "priority": 3}'},
    good={MONITOR: '{"type": "log alert", "query": "x", "tags": ["integration:acme"], "priority": 3}'},
    check=reported,
)
