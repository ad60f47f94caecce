"""A key that stands twice in one JSON object."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule
from ddassets.lint.subject import problems

RULE = Rule(
    id='file/duplicate-key',
    severity=Severity.ERROR,
    reason='A key stands twice in one JSON object.',
    explanation='Readers of JSON keep one of the two, usually the last, and say nothing: the other is lost.',
    bad={MONITOR: '{"name": "Queue is long", "tags": ["integration:acme"], "priority": 1, "priority": 3}'},
    good={MONITOR: '{"name": "Queue is long", "tags": ["integration:acme"], "priority": 3}'},
    check=problems('duplicate-key'),
)
