"""A Datadog organisation in memory: what it stores, adds, normalises and refuses.

Pure: time comes from the clock that is given, ids from a counter. Defaults and error texts are those of recorded
exchanges. Where no recording shows one, the text starts with "(not recorded)".
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from loopback import dashboards, downtimes, monitors, notification_rules, telemetry
from loopback.stored import Answer, Json, Refusal, Request, Stored

type Objects = tuple[dict[str, Json], dict[int, Json], dict[str, Json], dict[str, Json]]


@dataclass
class Organisation(Stored):
    """`listing_lag`: delay of listings in seconds. `shrinks`: others delete an object after each full page."""

    listing_lag: float = 0.0
    # Seconds that clients slept without waiting.
    skipped: float = 0.0
    shrinks: bool = False
    # Which objects shrinking deletes: (index into `_objects()`, key), the next one last.
    to_shrink: list[tuple[int, Any]] = field(default_factory=list)
    _foreign: Any = None
    _past: list[tuple[datetime, Objects]] = field(default_factory=list)

    def answer(
        self, operation: str, query: Mapping[str, Sequence[str]], body: Any, id: str, api_key: str, app_key: str
    ) -> Answer:
        """Execute a valid request. `operation` is the operationId of the OpenAPI document."""
        if not api_key:
            return Refusal(403, 'API key required').answer
        if api_key not in self.api_keys or (operation not in API_KEY_ALONE and app_key not in self.app_keys):
            return Refusal(403, 'Forbidden').answer
        now = self.clock()
        listing = operation in LISTINGS
        passed = now + timedelta(seconds=self.skipped)
        try:
            seen = self._as_listed(passed) if listing else self
            answer = OPERATIONS[operation](seen, Request(query, body, id, now))
        except Refusal as refusal:
            return refusal.answer
        if listing and self.shrinks:
            self._shrink(LISTINGS[operation])
        if self.listing_lag and not listing:
            self._past.append((passed, copy.deepcopy(self._objects())))
        return answer

    def _objects(self) -> Objects:
        return self.dashboards, self.monitors, self.downtimes, self.notification_rules

    def _as_listed(self, now: datetime) -> Stored:
        """Return the organisation as of `listing_lag` ago, which listings show."""
        if not self.listing_lag:
            return self
        if not self._past:
            self._past.append((datetime.min.replace(tzinfo=UTC), copy.deepcopy(self._objects())))
        seen = now - timedelta(seconds=self.listing_lag)
        dashboards, monitors, downtimes, rules = [objects for at, objects in self._past if at <= seen][-1]
        return replace(self, dashboards=dashboards, monitors=monitors, downtimes=downtimes, notification_rules=rules)

    def lag(self, seconds: float) -> None:
        """Delay listings from now on; existing objects are listed."""
        self.listing_lag = seconds
        self._past = [(datetime.min.replace(tzinfo=UTC), copy.deepcopy(self._objects()))]

    def _shrink(self, kind: int) -> None:
        """Delete an object of others of the listing's kind, as its owner would between two pages."""
        key = next((key for at, key in reversed(self.to_shrink) if at == kind), None)
        if key is not None:
            self.to_shrink.remove((kind, key))
            self._objects()[kind].pop(key)
            self._foreign[kind].pop(key)

    def seed_foreign(self, count: int = 200) -> None:
        """Create objects of others, of each kind; `foreign_changes` returns those that were touched."""
        for i in range(count):
            widget = {'definition': {'type': 'note', 'content': f'note {i}'}}
            self._act(
                dashboards.create_dashboard,
                {'title': f'Foreign {i}', 'layout_type': 'ordered', 'widgets': [widget], 'tags': []},
            )
            self._act(
                monitors.create_monitor,
                {
                    'name': f'Foreign {i}',
                    'type': 'query alert',
                    'query': f'avg(last_5m):avg:foreign.metric_{i}{{*}} > 1',
                    'tags': ['team:foreign'],
                },
            )
            rule = {'name': f'Foreign {i}', 'filter': {'tags': [f'team:foreign_{i}']}, 'recipients': ['slack-foreign']}
            self._act(
                notification_rules.create_rule, {'data': {'type': 'monitor-notification-rule', 'attributes': rule}}
            )
        for i in range(count // 10):
            attributes = {'monitor_identifier': {'monitor_tags': ['team:foreign']}, 'scope': f'env:foreign_{i}'}
            self._act(downtimes.create_downtime, {'data': {'type': 'downtime', 'attributes': attributes}})
        self.hold_foreign()

    def hold_foreign(self) -> None:
        """Treat all existing objects as objects of others."""
        self._foreign = copy.deepcopy(list(self._objects()))

    def foreign_changes(self) -> list[str]:
        """Return the ids of objects of others that have changed or were deleted."""
        kinds: list[Any] = list(self._objects())
        return [
            str(key)
            for before, now in zip(self._foreign or [{}] * len(kinds), kinds, strict=True)
            for key in before
            if now.get(key) != before[key]
        ]

    def fingerprint(self) -> str:
        """Return all persistent content without ids and times: equal for two runs with equal results."""
        kept = [
            sorted(json.dumps(_timeless(value), sort_keys=True) for value in values)
            for values in (
                self.dashboards.values(),
                self.monitors.values(),
                (_unbegun(d) for d in self.downtimes.values() if d['attributes']['status'] != 'canceled'),
                self.notification_rules.values(),
            )
        ]
        return json.dumps(kept)

    def _act(self, act: Callable[[Stored, Request], Answer], body: Json) -> Answer:
        return act(self, Request({}, copy.deepcopy(body), '', self.clock()))


VOLATILE = {'id', 'url', 'created', 'created_at', 'modified', 'modified_at', 'current_downtime', 'status'}


def _unbegun(downtime: Json) -> Json:
    """Return the body without its start if that is the instant of the request."""
    attributes = downtime['attributes']
    if (downtime['asked'][2] or {}).get('start') or 'recurrences' in attributes['schedule']:
        return downtime
    return {**downtime, 'attributes': {**attributes, 'schedule': {'end': attributes['schedule']['end']}}}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in VOLATILE}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


# The index into `_objects()`.
LISTINGS = {'ListDashboards': 0, 'ListMonitors': 1, 'ListDowntimes': 2, 'GetMonitorNotificationRules': 3}
API_KEY_ALONE = {'Validate', 'CreateEvent'}
OPERATIONS: dict[str, Callable[[Stored, Request], Answer]] = {
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
    'CreateEvent': telemetry.create_event,
    'ListEvents': telemetry.list_events,
    'GetGraphSnapshot': telemetry.graph_snapshot,
    'QueryMetrics': telemetry.query_metrics,
}
