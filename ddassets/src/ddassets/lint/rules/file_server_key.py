"""Keys that the server adds."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/server-key',
    severity=Severity.NOTE,
    reason='A body holds keys that only the server writes, or that are no longer in use.',
    explanation=(
        'An export holds them: who created the object and when, its state, options of earlier versions. The '
        'API ignores them in a request, and they change with every export. Leave them out.'
    ),
    bad={MONITOR: {'definition': {'options': {'locked': False}}}},
    good={MONITOR: {'definition': {'options': {}}}},
    check=reported,
    semantics=('9.3',),
)
