"""Dashboards. The server keeps a body as it came and adds what it knows; the marker is in the description."""

from collections.abc import Iterator, Mapping
from typing import Any

from ddassets import assets as bundle
from ddassets.assets.dashboard_table import DashboardFields
from ddassets.org.kind import Body, Kind, drop_defaults, load_model, model_keys, tidy
from ddassets.org.marker import Marker, in_text, with_sentence, without_sentence
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
# What the boards before dashboards are known by: many an integration still ships one.
OLD: Mapping[str, str] = {'graphs': 'Timeboard', 'board_title': 'Screenboard'}


class Dashboards(Kind):
    name = 'dashboard'
    plural = 'dashboards'
    path = '/api/v1/dashboard'
    page = '/dashboard/{id}'

    def body(self, asset: bundle.Asset) -> Body:
        return asset.cleaned()

    def title(self, body: Body) -> str:
        return str(body.get('title') or '')

    def faults(self, body: Body) -> Iterator[Fault]:
        if old := next((key for key in OLD if key in body and 'layout_type' not in body), None):
            yield Fault((old,), f'this is a {OLD[old]}, which Datadog takes no more: export the dashboard anew')
            return
        if found := faults(body, load_model('v1', 'Dashboard')):
            yield from found
            return
        # What the document does not know, and the server refuses.
        for index, tag in enumerate(body.get('tags') or ()):
            if not tag.startswith('team:'):
                yield Fault(('tags', index), f'expected a team such as team:web, found {tag!r}')

    def marker(self, body: Body) -> Marker | None:
        return in_text(body.get('description'))

    def created(self, body: Body) -> float:
        return super().created({'created': body.get('created_at')})

    def canonical(self, body: Body) -> dict[str, Any]:
        known = model_keys(load_model('v1', 'Dashboard')) - DashboardFields.ignored
        kept = {key: tidy(value) for key, value in body.items() if key in known and value is not None}
        kept['description'] = without_sentence(str(kept.get('description', ''))).strip()
        kept['widgets'] = _without_ids(_list(kept.get('widgets')))
        return drop_defaults(kept, DEFAULTS)

    def mark(self, body: Body, marker: Marker) -> Body:
        text = without_sentence(str(body.get('description') or ''))
        return {**body, 'description': with_sentence(text, marker)}

    def merged(self, stored: Body, changes: Body) -> Body:
        # The body replaces all that was there.
        return changes


def _without_ids(widgets: list[Any]) -> list[Any]:
    """The server numbers widgets that have no number."""
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
