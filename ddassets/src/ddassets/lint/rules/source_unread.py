"""A resource that is recognised and not read."""

from ddassets.diagnostic import Severity
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='source/unread',
    severity=Severity.NOTE,
    reason='A resource is recognised and not read.',
    explanation=(
        'What the resource holds is not judged. Dashboards of the typed Terraform resources are such: their '
        'attributes spell hundreds of keys of the API in another way.'
    ),
    file='plan.json',
    bad={
        'plan.json': {
            'planned_values': {
                'root_module': {
                    'resources': [{'address': 'datadog_dashboard.d', 'mode': 'managed', 'type': 'datadog_dashboard'}]
                }
            }
        }
    },
    good={'plan.json': {'planned_values': {'root_module': {'resources': []}}}},
    check=reported,
)
