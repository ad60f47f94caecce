"""An incomplete plan."""

from ddassets.diagnostic import Severity
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='source/partial',
    severity=Severity.WARNING,
    reason='A plan is incomplete.',
    explanation=(
        'Terraform marks a plan as incomplete after an error or with deferred changes: resources and values may be '
        'missing.'
    ),
    file='plan.json',
    bad={'plan.json': {'planned_values': {'root_module': {}}, 'errored': True}},
    good={'plan.json': {'planned_values': {'root_module': {}}, 'errored': False}},
    check=reported,
)
