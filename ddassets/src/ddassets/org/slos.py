"""SLOs. The server adds keys and the primary timeframe; the marker is in the description."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ddassets import assets as bundle
from ddassets.assets.slo_table import DEFAULT_INTERVAL
from ddassets.language.slo import TIMEFRAMES
from ddassets.org.changes import Changes, narrowed, put
from ddassets.org.kind import Body, Kind, Query, drop_defaults, load_model, normalised
from ddassets.org.marker import Marker, in_text, text_with_marker, text_without_marker
from ddassets.org.schema import Fault, faults

WRITABLE = (
    *('name', 'type', 'description', 'tags', 'thresholds', 'timeframe', 'target_threshold', 'warning_threshold'),
    *('query', 'sli_specification', 'monitor_ids', 'groups'),
)
# The keys of a threshold; the server adds the same numbers as texts.
_THRESHOLD = ('timeframe', 'target', 'warning')
DEFAULTS: Mapping[str, Any] = {'description': '', 'tags': [], 'monitor_ids': [], 'groups': []}


class Slos(Kind):
    asset = bundle.Slo
    name = 'slo'
    plural = 'slos'
    path = '/api/v1/slo'
    page = '/slo?slo_id={id}'
    # The documented default, which no greater limit is known to exceed.
    page_size = 1000
    full_pages = False
    permissions = ('slos_read', 'slos_write')

    @property
    def label(self) -> str:
        return 'SLO'

    @property
    def labels(self) -> str:
        return 'SLOs'

    def body(self, asset: bundle.Asset) -> Body:
        body = {key: value for key, value in asset.cleaned().items() if key in WRITABLE}
        if isinstance(body.get('thresholds'), list):
            body['thresholds'] = [_plain(each) for each in body['thresholds']]
        return body

    def title(self, body: Body) -> str:
        return str(body.get('name') or '').strip()

    def faults(self, body: Body) -> Iterator[Fault]:
        ids = body.get('monitor_ids')
        if isinstance(ids, list):
            # Names become ids when their monitors have been created.
            body = {**body, 'monitor_ids': [0 if isinstance(one, str) else one for one in ids]}
        yield from faults(body, load_model('v1', 'ServiceLevelObjectiveRequest'))

    def from_answer(self, answer: Any) -> tuple[str, Body]:
        # A list of one, except where one is read by its id.
        data = answer['data'][0] if isinstance(answer['data'], list) else answer['data']
        return str(data['id']), dict(data)

    def changed(self, asset: bundle.Asset, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
        """Restrict the queries. The monitors of a monitor-based SLO are restricted themselves."""
        assert isinstance(asset, bundle.Slo)
        for place, text in asset.metric_queries if changes.tags else ():
            put(body, place, narrowed(asset, place, text, changes.tags))
        return body

    def page_query(self, integration: str, number: int, start: int) -> Query:
        return {'limit': self.page_size, **({'offset': start} if start else {})}

    def total(self, answer: Any) -> float:
        # Recorded: `total_filtered_count` is not the number of all that match.
        return float(answer['metadata']['page']['total_count'])

    def marker(self, body: Body) -> Marker | None:
        return in_text(body.get('description'))

    def created(self, body: Body) -> float:
        at = body.get('created_at')
        return float(at) if isinstance(at, int | float) and not isinstance(at, bool) else math.inf

    def canonical(self, body: Body) -> dict[str, Any]:
        kept = {key: normalised(body[key]) for key in WRITABLE if body.get(key) is not None}
        kept['name'] = self.title(kept)
        kept['description'] = text_without_marker(str(kept.get('description', ''))).strip()
        kept['tags'] = sorted({str(tag).lower() for tag in kept.get('tags', ())})
        kept['monitor_ids'] = sorted(set(kept.get('monitor_ids', ())), key=str)
        kept['groups'] = sorted(set(kept.get('groups', ())))
        kept['timeframe'] = _primary(kept)
        kept['thresholds'] = {one['timeframe']: _numbers(one) for one in kept['thresholds']}
        # These repeat a threshold.
        for key in ('target_threshold', 'warning_threshold'):
            kept.pop(key, None)
        specification = kept.get('sli_specification') or {}
        if 'count' in specification:
            # The server adds the same events in the older form.
            kept.pop('query', None)
        if 'time_slice' in specification:
            slice = {'query_interval_seconds': DEFAULT_INTERVAL, **specification['time_slice']}
            kept['sli_specification'] = {**specification, 'time_slice': slice}
        return drop_defaults(kept, DEFAULTS)

    def mark(self, body: Body, marker: Marker) -> Body:
        text = text_without_marker(str(body.get('description') or ''))
        return {**body, 'description': text_with_marker(text, marker)}

    def changes(self, body: Body, stored: Body, now: float) -> Body:
        """Return the body with the values that mean the same as missing keys: whether an update resets these, is not
        documented.
        """
        removed = {key: value for key, value in DEFAULTS.items() if key not in body and stored.get(key, value) != value}
        if 'timeframe' not in body and stored.get('timeframe') not in (None, primary := _primary(body)):
            threshold = next(one for one in body['thresholds'] if one['timeframe'] == primary)
            removed |= {'timeframe': primary, 'target_threshold': threshold['target']}
            removed |= {'warning_threshold': threshold['warning']} if 'warning' in threshold else {}
        return {**removed, **body}

    def merged(self, stored: Body, changes: Body) -> Body:
        # Recorded: the body replaces the stored one.
        return changes

    def replaces(self, desired: Body, stored: Body, now: float) -> bool:
        """Whether the type changes, which the API refuses."""
        return bool(desired['type'] != stored.get('type'))


def _plain(threshold: Any) -> Any:
    if not isinstance(threshold, Mapping):
        return threshold
    return {key: threshold[key] for key in _THRESHOLD if threshold.get(key) is not None}


def _numbers(threshold: Mapping[str, Any]) -> dict[str, Any]:
    return {key: threshold[key] for key in _THRESHOLD[1:] if threshold.get(key) is not None}


def _primary(body: Body) -> str:
    """Return the primary timeframe; Datadog takes the shortest unless the body has one."""
    found = {str(one['timeframe']) for one in body['thresholds']}
    return str(body.get('timeframe') or next((one for one in TIMEFRAMES if one in found), ''))
