"""A downtime that the API refuses."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='downtime/invalid',
    severity=Severity.ERROR,
    reason='A downtime has a part that is refused by the API or has no meaning.',
    explanation='The message names the key, the value and the allowed values.',
    bad={DOWNTIME: {'data': {'attributes': {'scope': 'prod'}}}},
    good={DOWNTIME: {'data': {'attributes': {'scope': 'env:prod'}}}},
    check=reported,
    semantics=('5.1', '5.2', '5.3', '5.4', '5.5', '5.14', '5.18'),
)
