"""A Datadog organisation: what it stores, adds, normalises and refuses.

Defaults and error texts are those of recorded exchanges. Where no recording shows one, the text starts with
"(not recorded)".
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ddassets.sandbox import dashboards, downtimes, monitors, notification_rules, queries, slos, telemetry
from ddassets.sandbox.request import Answer, Request
from ddassets.sandbox.stored import Stored

#: By operationId of the OpenAPI documents.
OPERATIONS: dict[str, Callable[[Any, Request], Answer]] = {
    'Validate': telemetry.validate,
    'ValidateAPIKey': telemetry.validate_keys,
    'CreateDashboard': dashboards.create_dashboard,
    'UpdateDashboard': dashboards.update_dashboard,
    'GetDashboard': dashboards.get_dashboard,
    'DeleteDashboard': dashboards.delete_dashboard,
    'ListDashboards': dashboards.list_dashboards,
    'CreateMonitor': monitors.create_monitor,
    'UpdateMonitor': monitors.update_monitor,
    'GetMonitor': monitors.get_monitor,
    'DeleteMonitor': monitors.delete_monitor,
    'ListMonitors': monitors.list_monitors,
    'SearchMonitors': monitors.search_monitors,
    'ValidateMonitor': monitors.validate_monitor,
    'ValidateExistingMonitor': monitors.validate_existing_monitor,
    'CreateDowntime': downtimes.create_downtime,
    'UpdateDowntime': downtimes.update_downtime,
    'GetDowntime': downtimes.get_downtime,
    'CancelDowntime': downtimes.cancel_downtime,
    'ListDowntimes': downtimes.list_downtimes,
    'CreateMonitorNotificationRule': notification_rules.create_rule,
    'UpdateMonitorNotificationRule': notification_rules.update_rule,
    'GetMonitorNotificationRule': notification_rules.get_rule,
    'DeleteMonitorNotificationRule': notification_rules.delete_rule,
    'GetMonitorNotificationRules': notification_rules.list_rules,
    'CreateSLO': slos.create_slo,
    'UpdateSLO': slos.update_slo,
    'GetSLO': slos.get_slo,
    'DeleteSLO': slos.delete_slo,
    'ListSLOs': slos.list_slos,
    'CreateEvent': telemetry.create_event,
    'ListEvents': telemetry.list_events,
    'GetGraphSnapshot': telemetry.graph_snapshot,
    'QueryMetrics': queries.query_metrics,
}
#: Where each operation is: its method, and its path with `{id}` or `{number}` for the object.
ADDRESSES: Mapping[str, tuple[str, str]] = {
    'Validate': ('GET', '/api/v1/validate'),
    'ValidateAPIKey': ('GET', '/api/v2/validate_keys'),
    'CreateDashboard': ('POST', '/api/v1/dashboard'),
    'UpdateDashboard': ('PUT', '/api/v1/dashboard/{id}'),
    'GetDashboard': ('GET', '/api/v1/dashboard/{id}'),
    'DeleteDashboard': ('DELETE', '/api/v1/dashboard/{id}'),
    'ListDashboards': ('GET', '/api/v1/dashboard'),
    'CreateMonitor': ('POST', '/api/v1/monitor'),
    'UpdateMonitor': ('PUT', '/api/v1/monitor/{number}'),
    'GetMonitor': ('GET', '/api/v1/monitor/{number}'),
    'DeleteMonitor': ('DELETE', '/api/v1/monitor/{number}'),
    'ListMonitors': ('GET', '/api/v1/monitor'),
    'SearchMonitors': ('GET', '/api/v1/monitor/search'),
    'ValidateMonitor': ('POST', '/api/v1/monitor/validate'),
    'ValidateExistingMonitor': ('POST', '/api/v1/monitor/{number}/validate'),
    'CreateDowntime': ('POST', '/api/v2/downtime'),
    'UpdateDowntime': ('PATCH', '/api/v2/downtime/{id}'),
    'GetDowntime': ('GET', '/api/v2/downtime/{id}'),
    'CancelDowntime': ('DELETE', '/api/v2/downtime/{id}'),
    'ListDowntimes': ('GET', '/api/v2/downtime'),
    'CreateMonitorNotificationRule': ('POST', '/api/v2/monitor/notification_rule'),
    'UpdateMonitorNotificationRule': ('PATCH', '/api/v2/monitor/notification_rule/{id}'),
    'GetMonitorNotificationRule': ('GET', '/api/v2/monitor/notification_rule/{id}'),
    'DeleteMonitorNotificationRule': ('DELETE', '/api/v2/monitor/notification_rule/{id}'),
    'GetMonitorNotificationRules': ('GET', '/api/v2/monitor/notification_rule'),
    'CreateSLO': ('POST', '/api/v1/slo'),
    'UpdateSLO': ('PUT', '/api/v1/slo/{id}'),
    'GetSLO': ('GET', '/api/v1/slo/{id}'),
    'DeleteSLO': ('DELETE', '/api/v1/slo/{id}'),
    'ListSLOs': ('GET', '/api/v1/slo'),
    'CreateEvent': ('POST', '/api/v1/events'),
    'ListEvents': ('GET', '/api/v1/events'),
    'GetGraphSnapshot': ('GET', '/api/v1/graph/snapshot'),
    'QueryMetrics': ('GET', '/api/v1/query'),
}
#: The operations that need no application key.
API_KEY_ALONE = frozenset({'Validate', 'CreateEvent'})


class Organisation(Stored):
    """Executes operations. What one changed is in the store before `act` returns."""

    operations: ClassVar[Mapping[str, Callable[[Any, Request], Answer]]] = OPERATIONS

    def act(self, operation: str, request: Request) -> Answer:
        """Execute a request with valid keys. Raises Refusal."""
        answer = self.operations[operation](self, request)
        self.persist()
        return answer
