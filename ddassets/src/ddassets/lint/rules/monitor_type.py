"""A type that does not fit the query."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='monitor/type',
    severity=Severity.ERROR,
    reason='The type of a monitor does not fit its query.',
    explanation=(
        'Each product has its own monitor types and query syntax. The API refuses a monitor whose query has the '
        'syntax of another product.'
    ),
    bad={MONITOR: {'definition': {'type': 'event alert'}}},
    good={MONITOR: {'definition': {'type': 'query alert'}}},
    check=reported,
    semantics=('1.12',),
)
