"""An unknown key."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/unknown-key',
    severity=Severity.WARNING,
    reason='The API has no such key at this place.',
    explanation=(
        'A key that resembles a known key, or that belongs to another place of the body, is an error: it has no '
        'effect where it is. Any other unknown key is a warning, because the API may have added it. '
        'The same applies to arguments and blocks of Terraform resources.'
    ),
    bad={MONITOR: {'definition': {'options': {'renotify_intervall': 60}}}},
    good={MONITOR: {'definition': {'options': {'renotify_interval': 60}}}},
    check=reported,
)
