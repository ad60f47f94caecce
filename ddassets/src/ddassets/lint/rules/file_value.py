"""A value that is not allowed."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/value',
    severity=Severity.ERROR,
    reason='A value is not one that its key takes.',
    explanation=(
        'The message names the key, what is allowed and the nearest allowed value. Datadog answers such a '
        'body with an error. Of lists that Datadog extends, such as the types of monitors, an unfamiliar '
        'value that resembles no known one is a note or left alone.'
    ),
    bad={MONITOR: {'definition': {'options': {'notification_preset_name': 'hide_handels'}}}},
    good={MONITOR: {'definition': {'options': {'notification_preset_name': 'hide_handles'}}}},
    check=reported,
)
