"""Dashboards: what the server stores and returns."""

import re
from collections.abc import Mapping
from typing import Any

from ddassets.sandbox import validation
from ddassets.sandbox.payload import Place
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.stored import AUTHOR, Stored, text_of

SUMMARY = (
    *('id', 'title', 'description', 'layout_type', 'url', 'is_read_only'),
    *('created_at', 'modified_at', 'author_handle', 'deleted_at'),
)


def create_dashboard(organisation: Stored, request: Request) -> Answer:
    number = organisation.next_number()
    id = '-'.join(f'{number:09x}'[i : i + 3] for i in (0, 3, 6))
    return Answer(200, _store_dashboard(organisation, id, request, text_of(request.now)))


def update_dashboard(organisation: Stored, request: Request) -> Answer:
    # The body replaces all that was there.
    stored = _dashboard(organisation, request.id)
    return Answer(200, _store_dashboard(organisation, request.id, request, stored['created_at']))


def _store_dashboard(organisation: Stored, id: str, request: Request, created: str) -> Json:
    body = Place(request.body).entries()
    validation.check('dashboard', body, lambda: _check(body))
    slug = re.sub(r'[^a-z0-9 -]', '', body['title'].lower()).replace(' ', '-')
    dashboard = {
        'description': None,
        'notify_list': None,
        'template_variables': None,
        'restricted_roles': [],
        **body,
        'id': id,
        'url': f'/dashboard/{id}/{slug}',
        'author_handle': AUTHOR,
        'author_name': None,
        'created_at': created,
        'modified_at': text_of(request.now),
    }
    _number_widgets(organisation, dashboard['widgets'])
    organisation.dashboards[id] = dashboard
    return dashboard


def _check(body: Mapping[str, Any]) -> None:
    if any(not tag.startswith('team:') for tag in body.get('tags') or ()):
        raise Refusal(400, 'Invalid tag format. Valid tag keys are: team.')
    if any('default' in v and 'defaults' in v for v in body.get('template_variables') or ()):
        raise Refusal(400, "'template_variables' is invalid")
    for preset in body.get('template_variable_presets') or ():
        for variable in preset.get('template_variables') or ():
            if 'value' in variable and 'values' in variable:
                raise Refusal(400, f"'template_variables' value '{variable}' is invalid")


def _number_widgets(organisation: Stored, widgets: list[Json]) -> None:
    for widget in widgets:
        widget.setdefault('id', 10**15 + organisation.next_number())
        _number_widgets(organisation, widget['definition'].get('widgets', []))


def _dashboard(organisation: Stored, id: str) -> Json:
    if id not in organisation.dashboards:
        raise Refusal(404, f'Dashboard with ID {id} not found')
    return organisation.dashboards[id]


def get_dashboard(organisation: Stored, request: Request) -> Answer:
    return Answer(200, _dashboard(organisation, request.id))


def delete_dashboard(organisation: Stored, request: Request) -> Answer:
    deleted = {**_dashboard(organisation, request.id), 'deleted_at': text_of(request.now)}
    del organisation.dashboards[request.id]
    organisation.deleted_dashboards[request.id] = deleted
    return Answer(200, {'deleted_dashboard_id': request.id})


def list_dashboards(organisation: Stored, request: Request) -> Answer:
    """Return a page of summaries, 100 unless `count` has another number."""
    deleted = request.one('filter[deleted]') == 'true'
    found = list((organisation.deleted_dashboards if deleted else organisation.dashboards).values())
    if request.one('filter[shared]') == 'true':
        found = []
    start, count = request.number('start', 0), request.number('count', 100)
    return Answer(
        200,
        {
            'dashboards': [
                {'is_read_only': False, 'deleted_at': None} | {key: d[key] for key in SUMMARY if key in d}
                for d in found[start : start + count]
            ]
        },
    )
