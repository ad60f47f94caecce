"""Monitors. The server adds options and trims texts; the marker is two tags."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ddassets import assets as bundle
from ddassets.language.query.products import recognise
from ddassets.org.changes import ChangeError, Changes, addressed, narrowed
from ddassets.org.kind import Body, Kind, Query, drop_defaults, load_model, model_keys, normalised
from ddassets.org.marker import MAX_TAG, Marker, in_tags, is_marker_tag, owner_tag
from ddassets.org.schema import Fault, faults

# The keys that an update accepts.
WRITABLE = (
    *('name', 'type', 'query', 'message', 'tags', 'options'),
    *('priority', 'restricted_roles', 'draft_status', 'assets'),
)
# The meaning of a missing key. An update does not change a missing key, so the default must be sent.
DEFAULTS: Mapping[str, Any] = {
    'message': '',
    'tags': [],
    'options': {},
    'priority': None,
    'restricted_roles': None,
    'draft_status': 'published',
    'assets': [],
}
OPTION_DEFAULTS: Mapping[str, Any] = {
    'notify_audit': False,
    'include_tags': True,
    'notify_no_data': False,
    'groupby_simple_monitor': False,
    'locked': False,
    'new_host_delay': 300,
    'on_missing_data': 'default',
    'thresholds': {},
}
# Set by Datadog itself: the state of downtimes, and the options of synthetic tests.
FOREIGN_OPTIONS = frozenset(('silenced', 'device_ids', 'synthetics_check_id'))


class Monitors(Kind):
    asset = bundle.Monitor
    name = 'monitor'
    plural = 'monitors'
    path = '/api/v1/monitor'
    page = '/monitors/{id}'
    list_key = ''
    permissions = ('monitors_read', 'monitors_write')

    def body(self, asset: bundle.Asset) -> Body:
        # The id belongs to the organisation from which the monitor was exported.
        return {key: value for key, value in asset.cleaned().items() if key != 'id'}

    def title(self, body: Body) -> str:
        return str(body.get('name') or '').strip()

    def faults(self, body: Body) -> Iterator[Fault]:
        if found := faults(body, load_model('v1', 'Monitor')):
            yield from found
            return
        if not self.title(body):
            yield Fault(('name',), 'the key is required and missing')
        for index, tag in enumerate(body.get('tags') or ()):
            if len(tag) > MAX_TAG:
                yield Fault(('tags', index), f'expected at most {MAX_TAG} characters, found {len(tag)}')
            if is_marker_tag(tag.lower()):
                yield Fault(('tags', index), f'{tag!r} is reserved for the marker of ddassets; remove it')

    def changed(self, asset: bundle.Asset, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
        assert isinstance(asset, bundle.Monitor)
        body['message'] = addressed(asset, ('message',), body.get('message') or '', changes)
        options = body.get('options') or {}
        if changes.redirect and options.get('escalation_message'):
            place = ('options', 'escalation_message')
            # Added recipients are in the message, which a renotification contains too.
            escalation = addressed(asset, place, options['escalation_message'], replace(changes, notify=()))
            body['options'] = {**options, 'escalation_message': escalation}
        if changes.tags:
            if product := recognise(asset.type, asset.query):
                tags = ', '.join(changes.tags)
                raise ChangeError(asset, ('query',), f'a query of {product} cannot be restricted to {tags}')
            body['query'] = narrowed(asset, ('query',), asset.query, changes.tags, monitor=True)
        return body

    def page_query(self, integration: str, number: int, start: int) -> Query:
        # Filtered by the server.
        return {'monitor_tags': owner_tag(integration), 'page': number, 'page_size': self.page_size}

    def marker(self, body: Body) -> Marker | None:
        return in_tags(body.get('tags'))

    def canonical(self, body: Body) -> dict[str, Any]:
        kept = {key: normalised(body[key]) for key in WRITABLE if body.get(key) is not None}
        # Both types mean the same; which of them the server stores depends on the query.
        kept['type'] = 'query alert' if kept.get('type') == 'metric alert' else kept.get('type')
        for key in ('name', 'query', 'message'):
            kept[key] = str(kept.get(key, '')).strip()
        # Tags are case-insensitive, and Datadog may store them in lower case.
        kept['tags'] = sorted({tag.lower() for tag in kept.get('tags', ()) if not is_marker_tag(tag)})
        known = model_keys(load_model('v1', 'MonitorOptions')) - FOREIGN_OPTIONS
        options = {key: value for key, value in kept.get('options', {}).items() if key in known}
        kept['options'] = drop_defaults(options, OPTION_DEFAULTS)
        kept['assets'] = [
            {key: value for key, value in one.items() if key != 'monitor_id' and value != {}}
            for one in kept.get('assets', ())
        ]
        return drop_defaults(kept, DEFAULTS)

    def mark(self, body: Body, marker: Marker) -> Body:
        return {**body, 'tags': [*(tag for tag in body.get('tags') or () if not is_marker_tag(tag)), *marker.tags()]}

    def changes(self, body: Body, stored: Body, now: float) -> Body:
        removed = {key: value for key, value in DEFAULTS.items() if key not in body and stored.get(key, value) != value}
        # An update cannot change the type: `replaces` is true for another type.
        return {key: value for key, value in {**removed, **body}.items() if key != 'type'}

    def replaces(self, desired: Body, stored: Body, now: float) -> bool:
        return bool(self.canonical(desired)['type'] != self.canonical(stored)['type'])
