"""An unknown key."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/unknown-key',
    severity=Severity.WARNING,
    reason='The API has no such key here.',
    explanation=(
        'A key that resembles a known one, or that belongs to another place of the body, is an error: it was '
        'meant to do something, and does nothing. Any other unknown key is a warning, since the API may have '
        'become richer.'
    ),
    bad={MONITOR: {'definition': {'options': {'renotify_intervall': 60}}}},
    good={MONITOR: {'definition': {'options': {'renotify_interval': 60}}}},
    check=reported,
)
