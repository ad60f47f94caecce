"""Dashboards. The server stores the body unchanged and adds keys; the marker is in the description."""

from collections.abc import Iterator, Mapping
from typing import Any

from ddassets import assets as bundle
from ddassets.assets.dashboard_table import DashboardFields
from ddassets.language.query.products import recognise
from ddassets.org.changes import Changes, narrowed, put
from ddassets.org.kind import Body, Kind, Query, drop_defaults, load_model, model_keys, normalised
from ddassets.org.marker import Marker, in_text, text_with_marker, text_without_marker
from ddassets.org.schema import Fault, faults

DEFAULTS: Mapping[str, Any] = {
    'description': '',
    'notify_list': [],
    'template_variables': [],
    'template_variable_presets': [],
    'restricted_roles': [],
    'tags': [],
    'tabs': [],
    'is_read_only': False,
    'experience_type': 'default',
}
# The keys that identify the predecessors of dashboards, which some integrations still contain.
OLD: Mapping[str, str] = {'graphs': 'Timeboard', 'board_title': 'Screenboard'}


class Dashboards(Kind):
    asset = bundle.Dashboard
    name = 'dashboard'
    plural = 'dashboards'
    path = '/api/v1/dashboard'
    page = '/dashboard/{id}'
    list_key = 'dashboards'
    # Summaries. They contain the description and so the marker.
    lists_bodies = False
    permissions = ('dashboards_read', 'dashboards_write')

    def body(self, asset: bundle.Asset) -> Body:
        return asset.cleaned()

    def title(self, body: Body) -> str:
        return str(body.get('title') or '')

    def faults(self, body: Body) -> Iterator[Fault]:
        if old := next((key for key in OLD if key in body and 'layout_type' not in body), None):
            yield Fault((old,), f'this is a {OLD[old]}, which Datadog no longer accepts: export it as a dashboard')
            return
        if found := faults(body, load_model('v1', 'Dashboard')):
            yield from found
            return
        # The server refuses other tags; the OpenAPI document does not contain this rule.
        for index, tag in enumerate(body.get('tags') or ()):
            if not tag.startswith('team:'):
                yield Fault(('tags', index), f'expected a team such as team:web, found {tag!r}')

    def changed(self, asset: bundle.Asset, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
        assert isinstance(asset, bundle.Dashboard)
        if changes.redirect and body.get('notify_list'):
            # It contains accounts, not handles, so they are removed instead of replaced.
            body['notify_list'] = []
        if not changes.tags:
            return body
        fixed = {key: value for key, _, value in (tag.partition(':') for tag in changes.tags)}
        variables = {variable.prefix for variable in asset.variables}
        for variable in body.get('template_variables') or ():
            if variable.get('prefix') in fixed:
                variable.pop('default', None)
                variable['defaults'] = [fixed[variable['prefix']]]
        # The variables restrict their queries already.
        tags = [tag for tag in changes.tags if tag.partition(':')[0] not in variables]
        depth = len(asset.place)
        for widget in asset.widgets if tags else ():
            for query in widget.queries:
                if query.role == 'query' and query.text and recognise(query.source, query.text) is None:
                    place = query.place[depth:]
                    put(body, place, narrowed(asset, place, query.text, tags))
        return body

    def page_query(self, integration: str, number: int, start: int) -> Query:
        return {'start': number * self.page_size, 'count': self.page_size}

    def marker(self, body: Body) -> Marker | None:
        return in_text(body.get('description'))

    def created(self, body: Body) -> float:
        return super().created({'created': body.get('created_at')})

    def canonical(self, body: Body) -> dict[str, Any]:
        known = model_keys(load_model('v1', 'Dashboard')) - DashboardFields.ignored
        kept = {key: normalised(value) for key, value in body.items() if key in known and value is not None}
        kept['description'] = text_without_marker(str(kept.get('description', ''))).strip()
        kept['widgets'] = _without_ids(_list(kept.get('widgets')))
        return drop_defaults(kept, DEFAULTS)

    def mark(self, body: Body, marker: Marker) -> Body:
        text = text_without_marker(str(body.get('description') or ''))
        return {**body, 'description': text_with_marker(text, marker)}

    def merged(self, stored: Body, changes: Body) -> Body:
        # The body replaces the stored one.
        return changes


def _without_ids(widgets: list[Any]) -> list[Any]:
    """Return the widgets without their ids, which the server adds."""
    found = []
    for widget in widgets:
        if isinstance(widget, dict):
            widget = {key: value for key, value in widget.items() if key != 'id'}
            definition = widget.get('definition')
            if isinstance(definition, dict) and isinstance(definition.get('widgets'), list):
                widget['definition'] = {**definition, 'widgets': _without_ids(definition['widgets'])}
        found.append(widget)
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
