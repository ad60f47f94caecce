"""A notification rule that the API refuses."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import NOTIFICATION_RULE
from ddassets.lint.rule import Rule, reported

_RULE = {'name': 'harbor', 'recipients': ['oncall-harbor']}
RULE = Rule(
    id='notification-rule/invalid',
    severity=Severity.ERROR,
    reason='A notification rule has a part that the API refuses, or that it does not support.',
    explanation=(
        'The message names the key, what was found and what is allowed. The scope of a rule is not that of an event '
        'search: every term has a key, and a wildcard stands alone after it (`service:*`). A condition on a '
        '`transition_type` that no notification has is a warning: it never holds.'
    ),
    bad={NOTIFICATION_RULE: {**_RULE, 'filter': {'scope': 'service:web-*'}}},
    good={NOTIFICATION_RULE: {**_RULE, 'filter': {'scope': 'service:* AND NOT env:dev'}}},
    check=reported,
    semantics=('3.27',),
)
