"""A plan that is not complete."""

from ddassets.diagnostic import Severity
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='source/partial',
    severity=Severity.WARNING,
    reason='A plan is not complete.',
    explanation=(
        'Terraform marks a plan that met an error, or that defers changes: resources and values may be missing in it.'
    ),
    file='plan.json',
    bad={'plan.json': {'planned_values': {'root_module': {}}, 'errored': True}},
    good={'plan.json': {'planned_values': {'root_module': {}}, 'errored': False}},
    check=reported,
)
