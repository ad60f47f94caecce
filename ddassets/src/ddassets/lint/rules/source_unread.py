"""A resource that is recognised but not read."""

from ddassets.diagnostic import Severity
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='source/unread',
    severity=Severity.NOTE,
    reason='A resource is recognised but not read.',
    explanation=(
        'The content of the resource is not checked. This applies to the typed Terraform resources of dashboards, '
        'whose attributes name hundreds of API keys differently.'
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
