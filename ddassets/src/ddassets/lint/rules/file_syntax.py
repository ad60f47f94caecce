"""A file that is not valid JSON or CSV."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/syntax',
    severity=Severity.ERROR,
    reason='An asset file cannot be parsed.',
    explanation=(
        'The finding points to the place where the parser stopped. `NaN` and `Infinity` are not valid JSON, although '
        'some programs write them.'
    ),
    bad={MONITOR: '{"name": "Queue is long", "priority": NaN}'},
    good={MONITOR: '{"name": "Queue is long", "type": "log alert", "query": "x", "tags": ["integration:acme"]}'},
    check=reported,
)
