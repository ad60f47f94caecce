"""The sandbox's organisation with the settings of tests: listings that lag or shrink, objects of others, given
points.
"""

import copy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, ClassVar

from ddassets.sandbox import dashboards, downtimes, monitors, notification_rules, organisation, queries, slos
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.stored import Objects, Stored
from loopback.keys import API_KEY, APP_KEY

type Points = list[tuple[float, float | None]]
type Kinds = tuple[Objects[str], Objects[int], Objects[str], Objects[str], Objects[str]]


def query_metrics(stored: 'Organisation', request: Request) -> Answer:
    """Return the points that a test gave the metric, as they are; otherwise those that the sandbox draws."""
    names = re.findall(r'([A-Za-z][\w.]*)\{', request.one('query'))
    if not any(name in stored.series for name in names):
        return queries.query_metrics(stored, request)
    return given_points(stored.series, names, request)


def given_points(given: Mapping[str, Points], names: Sequence[str], request: Request) -> Answer:
    query, start, end = request.one('query'), int(request.one('from')), int(request.one('to'))
    series: list[Json] = [
        {
            'metric': name,
            'display_name': name,
            'unit': [None, None],
            'scope': '*',
            'tag_set': [],
            'expression': query,
            'aggr': None,
            'interval': int(interval),
            'start': int(points[0][0] * 1000),
            'end': int((points[-1][0] + interval - 1) * 1000),
            'query_index': 0,
            'attributes': {},
            'length': len(points),
            'pointlist': [[int(t * 1000), v] for t, v in points],
        }
        for name in names
        if (points := [(t, v) for t, v in given.get(name, ()) if start <= t <= end])
        and (interval := min((b - a for (a, _), (b, _) in pairwise(points)), default=45))
    ]
    return Answer(
        200,
        {
            'status': 'ok',
            'resp_version': 1,
            'res_type': 'time_series',
            'query': query,
            'from_date': start * 1000,
            'to_date': end * 1000,
            'series': series,
            'message': '',
            'group_by': [],
            'values': [],
            'times': [],
        },
    )


def _refusing(act: Callable[[Any, Request], Answer]) -> Callable[[Any, Request], Answer]:
    """Refuse a query of a metric `….refused`, which nothing but Datadog would refuse."""

    def refuse(stored: Stored, request: Request) -> Answer:
        if '.refused' in str((request.body or {}).get('query')):
            raise Refusal(400, "(not recorded) The value provided for parameter 'query' is invalid")
        return act(stored, request)

    return refuse


# Tests replace a function here, so this is no copy that the sandbox uses.
OPERATIONS: dict[str, Callable[[Any, Request], Answer]] = {
    **organisation.OPERATIONS,
    'QueryMetrics': query_metrics,
    **{
        name: _refusing(organisation.OPERATIONS[name])
        for name in ('CreateMonitor', 'UpdateMonitor', 'ValidateMonitor', 'ValidateExistingMonitor')
    },
}


@dataclass
class Organisation(organisation.Organisation):
    """`listing_lag`: delay of listings in seconds. `shrinks`: others delete an object after each full page.

    `series` has points by metric, each (seconds since the epoch, value), for `QueryMetrics`.
    """

    operations: ClassVar[Mapping[str, Callable[[Any, Request], Answer]]] = OPERATIONS

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    renders_after: int = 2
    api_keys: set[str] = field(default_factory=lambda: {API_KEY})
    app_keys: set[str] = field(default_factory=lambda: {APP_KEY})
    series: dict[str, Points] = field(default_factory=dict)
    listing_lag: float = 0.0
    # Seconds that clients slept without waiting.
    skipped: float = 0.0
    shrinks: bool = False
    # Which objects shrinking deletes: (index into `_objects()`, key), the next one last.
    to_shrink: list[tuple[int, Any]] = field(default_factory=list)
    _foreign: Any = None
    _past: list[tuple[datetime, Kinds]] = field(default_factory=list)

    @property
    def events(self) -> list[Json]:
        """The events, the oldest first."""
        return [event.body for event in self.store.events(0, 1e11)]

    def answer(
        self, operation: str, query: Mapping[str, Sequence[str]], body: Any, id: str, api_key: str, app_key: str
    ) -> Answer:
        """Execute a valid request with these keys. `operation` is the operationId of the OpenAPI document."""
        if not api_key:
            return Refusal(403, 'API key required').answer
        alone = operation in organisation.API_KEY_ALONE
        if api_key not in self.api_keys or not (alone or app_key in self.app_keys):
            return Refusal(403, 'Forbidden').answer
        try:
            return self.act(operation, Request(query, body, id, self.clock()))
        except Refusal as refusal:
            return refusal.answer

    def act(self, operation: str, request: Request) -> Answer:
        listing = operation in LISTINGS
        passed = request.now + timedelta(seconds=self.skipped)
        if not listing:
            answer = super().act(operation, request)
            if self.listing_lag:
                self._past.append((passed, copy.deepcopy(self._objects())))
            return answer
        answer = self.operations[operation](self._as_listed(passed), request)
        if self.shrinks:
            self._shrink(LISTINGS[operation])
        return answer

    def _objects(self) -> Kinds:
        return self.dashboards, self.monitors, self.downtimes, self.notification_rules, self.slos

    def _as_listed(self, now: datetime) -> Stored:
        """Return the organisation as of `listing_lag` ago, which listings show."""
        if not self.listing_lag:
            return self
        if not self._past:
            self._past.append((datetime.min.replace(tzinfo=UTC), copy.deepcopy(self._objects())))
        seen = copy.copy(self)
        instant = now - timedelta(seconds=self.listing_lag)
        kinds = [objects for at, objects in self._past if at <= instant][-1]
        seen.dashboards, seen.monitors, seen.downtimes, seen.notification_rules, seen.slos = kinds
        return seen

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
            slo = {'name': f'Foreign {i}', 'type': 'metric', 'thresholds': [{'timeframe': '7d', 'target': 99}]}
            events = f'sum:foreign.metric_{i}{{*}}.as_count()'
            self._act(slos.create_slo, {**slo, 'query': {'numerator': events, 'denominator': events}})
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
                self.slos.values(),
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
LISTINGS = {'ListDashboards': 0, 'ListMonitors': 1, 'ListDowntimes': 2, 'GetMonitorNotificationRules': 3, 'ListSLOs': 4}
