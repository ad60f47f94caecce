"""A field that the custom resource does not define."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import message
from ddassets.lint.rule import Rule, reported


def _resource(option: str) -> str:
    return f"""\
apiVersion: datadoghq.com/v1alpha1
kind: DatadogMonitor
metadata: {{name: lag}}
spec:
  name: Lag
  type: query alert
  query: avg(last_5m):avg:acme.queue.length{{*}} by {{host}} > 9
  message: '{message()}'
  options: {{notifyNoData: true, noDataTimeframe: 10, {option}, thresholds: {{critical: '9'}}}}
"""


RULE = Rule(
    id='source/ignored-field',
    severity=Severity.WARNING,
    reason='A field of a Kubernetes resource is dropped.',
    explanation=(
        'The cluster silently drops fields that the resource does not define, and the operator drops thresholds that '
        'are not numbers. Datadog then uses its default.'
    ),
    file='monitor.yaml',
    bad={'monitor.yaml': _resource('newHostDelay: 0')},
    good={'monitor.yaml': _resource('newGroupDelay: 60')},
    check=reported,
)
