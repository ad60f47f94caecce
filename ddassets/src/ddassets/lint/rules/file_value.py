"""A value that is not allowed."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/value',
    severity=Severity.ERROR,
    reason='A value is not allowed for its key.',
    explanation=(
        'The message names the key, the allowed values and the nearest allowed value. Datadog refuses such a '
        'body. Datadog extends some lists, such as the types of monitors: an unknown value that resembles no known '
        'value is a note or not reported.'
    ),
    bad={MONITOR: {'definition': {'options': {'notification_preset_name': 'hide_handels'}}}},
    good={MONITOR: {'definition': {'options': {'notification_preset_name': 'hide_handles'}}}},
    check=reported,
)
