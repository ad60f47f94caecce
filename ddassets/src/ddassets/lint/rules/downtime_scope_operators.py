"""A downtime scope with `and` or `or` in lower case."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import DOWNTIME
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='downtime/scope-operators',
    severity=Severity.WARNING,
    reason='The scope of a downtime has an operator in lower case.',
    explanation=(
        'The documentation of scopes uses `AND` and `OR`, and lower case in one sentence. It does not say whether the '
        'API accepts lower case.'
    ),
    bad={DOWNTIME: {'data': {'attributes': {'scope': 'env:prod and service:shop'}}}},
    good={DOWNTIME: {'data': {'attributes': {'scope': 'env:prod AND service:shop'}}}},
    check=reported,
    semantics=('5.14',),
)
