"""Keys that the server adds."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/server-key',
    severity=Severity.NOTE,
    reason='A body has keys that only the server sets, or that are obsolete.',
    explanation=(
        'An export contains them: who created the object and when, its state, obsolete options. The API ignores '
        'them in a request, and they change with every export. Delete them.'
    ),
    bad={MONITOR: {'definition': {'options': {'locked': False}}}},
    good={MONITOR: {'definition': {'options': {}}}},
    check=reported,
    semantics=('9.3',),
)
