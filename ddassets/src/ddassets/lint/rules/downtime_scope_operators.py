"""A downtime scope with `and` or `or` in small letters."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='downtime/scope-operators',
    severity=Severity.WARNING,
    reason='The scope of a downtime has an operator in small letters.',
    explanation=(
        'The documentation of scopes has `AND` and `OR`, and small letters in a sentence of its text. No source says '
        'whether the API accepts them.'
    ),
    bad={DOWNTIME: {'data': {'attributes': {'scope': 'env:prod and service:shop'}}}},
    good={DOWNTIME: {'data': {'attributes': {'scope': 'env:prod AND service:shop'}}}},
    check=reported,
    semantics=('5.14',),
)
