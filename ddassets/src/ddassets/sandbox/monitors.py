"""Monitors: what the server stores and returns, and its search."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ddassets.sandbox import validation
from ddassets.sandbox.payload import Place
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.stored import AUTHOR, Stored, text_of

OVER_EVENTS = {
    f'{kind} alert' for kind in ('log', 'ci-pipelines', 'ci-tests', 'error-tracking', 'rum', 'llm-observability')
}
# What a search shows of a monitor: as it is when nothing has happened, and as it is stored.
SEARCHED: Json = {
    **{'classification': 'metric', 'scopes': [], 'metrics': [], 'notifications': []},
    **{'muted_until_ts': None, 'last_triggered_ts': None},
}
FOUND = (
    *('id', 'name', 'org_id', 'query', 'tags', 'type', 'creator'),
    *('priority', 'overall_state_modified', 'restricted_roles'),
)
STATES = ('alert', 'warn', 'no data', 'all', 'ok', 'ignored', 'skipped', 'unknown')


def create_monitor(organisation: Stored, request: Request) -> Answer:
    _check(request.body)
    number = organisation.next_number()
    monitor = {
        'id': 10**8 + number,
        'org_id': 321813,
        'name': '',
        'message': '',
        'tags': [],
        'options': {},
        **request.body,
        'multi': False,
        'created_at': int(request.now.timestamp()) * 1000,
        'created': text_of(request.now),
        'deleted': None,
        'assets': request.body.get('assets', []),
        'restricted_roles': request.body.get('restricted_roles'),
        'restriction_policy': None,
        'draft_status': request.body.get('draft_status', 'published'),
        'priority': request.body.get('priority'),
        'overall_state_modified': None,
        'overall_state': 'No Data',
        'creator': {'name': None, 'handle': AUTHOR, 'email': AUTHOR, 'id': 1445416},
    }
    stored = _normalise(monitor, request.now)
    organisation.monitors[stored['id']] = stored
    return Answer(200, stored)


def _normalise(monitor: Json, now: datetime) -> Json:
    """Apply rule 1.12 and the changes that recordings show."""
    _check(monitor)
    options = {
        'notify_audit': False,
        'include_tags': True,
        'silenced': {},
        **({} if 'on_missing_data' in monitor['options'] else {'notify_no_data': False}),
        **({'groupby_simple_monitor': False} if monitor['type'] in OVER_EVENTS else {}),
        **({'new_host_delay': 300} if 'new_group_delay' not in monitor['options'] else {}),
        **monitor['options'],
    }
    if 'thresholds' in options:
        thresholds = {key: value for key, value in options['thresholds'].items() if value is not None}
        options['thresholds'] = {k: v if isinstance(v, str) else float(v) for k, v in thresholds.items()}
    if options.get('on_missing_data') == 'default':
        del options['on_missing_data']
    blank = {'monitor_id': monitor['id'], 'template_variables': {}, 'options': {}}
    return {
        **monitor,
        'assets': [blank | asset for asset in monitor['assets']],
        'type': _type(monitor),
        'name': monitor['name'].strip(),
        'message': monitor['message'].strip(),
        'options': options,
        'multi': bool(re.search(r'\bby\s*\{[^}]+\}|\.by\([^)*]+\)', monitor['query'])),
        'modified': text_of(now),
    }


def _type(monitor: Json) -> str:
    if monitor['type'] not in ('metric alert', 'query alert'):
        return str(monitor['type'])
    return 'metric alert' if monitor['query'].startswith('formula(') else 'query alert'


def _check(body: Any) -> None:
    monitor = Place(body).entries()
    validation.check('monitor', monitor, lambda: _check_query(monitor))


def _check_query(body: Mapping[str, Any]) -> None:
    # The query of a check ends in a step, that of a composite in a member (rules 13.1 and 14.1).
    if body['type'] not in ('composite', 'service check') and not re.search(r'[<>=]', body['query']):
        raise Refusal(400, "The value provided for parameter 'query' is invalid: invalid operator specified: ")


def _monitor(organisation: Stored, id: str) -> Json:
    if int(id) not in organisation.monitors:
        raise Refusal(404, 'Monitor not found')
    return organisation.monitors[int(id)]


def get_monitor(organisation: Stored, request: Request) -> Answer:
    monitor = _monitor(organisation, request.id)
    # No downtime of the first version is ever in force here.
    downtimes: dict[str, Any] = {'matching_downtimes': []} if request.one('with_downtimes') == 'true' else {}
    return Answer(200, _without('restriction_policy', monitor) | downtimes | _states(organisation, request, monitor))


def _states(organisation: Stored, request: Request, monitor: Json) -> Json:
    """Return the states of the groups that a request asks for: `all`, or some states with commas."""
    wanted = {word.strip().lower() for word in request.one('group_states').split(',') if word.strip()}
    if not wanted:
        return {}
    groups = organisation.groups_of(monitor['id'])
    found = {name: one for name, one in groups.items() if 'all' in wanted or one['status'].lower() in wanted}
    return {'state': {'groups': found}}


def update_monitor(organisation: Stored, request: Request) -> Answer:
    """Update a monitor: absent keys stay; the options are replaced as a whole."""
    merged = {**_monitor(organisation, request.id), **Place(request.body).entries()}
    organisation.monitors[merged['id']] = stored = _normalise(merged, request.now)
    return Answer(200, _without('creator', stored))


def _without(key: str, monitor: Json) -> Json:
    return {name: value for name, value in monitor.items() if name != key}


def delete_monitor(organisation: Stored, request: Request) -> Answer:
    monitor = _monitor(organisation, request.id)
    named = [
        one
        for one in organisation.monitors.values()
        if one['type'] == 'composite' and str(monitor['id']) in re.findall(r'\d+', one['query'])
    ]
    if named:
        names = ','.join(f'[{one["id"]},{one["name"]}]' for one in named)
        message = f'monitor [{monitor["id"]},{monitor["name"]}] is referenced in composite monitors: {names}'
        raise Refusal(400, message)
    del organisation.monitors[monitor['id']]
    return Answer(200, {'deleted_monitor_id': monitor['id']})


def validate_monitor(organisation: Stored, request: Request) -> Answer:
    _check(request.body)
    return Answer(200, {})


def validate_existing_monitor(organisation: Stored, request: Request) -> Answer:
    _check(request.body)
    return Answer(200, {})


def list_monitors(organisation: Stored, request: Request) -> Answer:
    """Return all monitors without `page`; with it pages of 100 unless `page_size` differs; sorted by id."""
    if (states := request.one('group_states')) and set(states.split(',')) - set(STATES):
        raise Refusal(400, 'Invalid group_state filters.')
    tags = [tag for tag in request.one('monitor_tags').split(',') if tag]
    found = [
        monitor
        for monitor in sorted(organisation.monitors.values(), key=lambda monitor: monitor['id'])
        if request.one('name') in monitor['name']
        and set(tags) <= set(monitor['tags'])
        and monitor['id'] > request.number('id_offset', 0)
    ]
    size = request.number('page_size', 100)
    if 'id_offset' in request.query:
        found = found[:size]
    elif 'page' in request.query:
        first = request.number('page') * size
        found = found[first : first + size]
    return Answer(200, [_without('restriction_policy', monitor) | {'matching_downtimes': []} for monitor in found])


def search_monitors(organisation: Stored, request: Request) -> Answer:
    """Find monitors by terms that must all match: words of the name, `tag:x`, `id:n`, `type:t`, `status:s`."""
    found = list(organisation.monitors.values())
    for key, quoted, word in re.findall(r'(?:(\w+):)?(?:"([^"]*)"|(\S+))', request.one('query')):
        wanted = quoted or word
        match key:
            case 'status':
                if wanted.lower() not in STATES:
                    raise Refusal(400, f"Query parsing error: '{wanted}' is not a valid monitor status")
                found = [m for m in found if m['overall_state'].lower() == wanted.lower()]
            case 'tag':
                found = [m for m in found if wanted in m['tags']]
            case 'id':
                found = [m for m in found if str(m['id']) == wanted]
            case 'type':
                found = [m for m in found if m['type'] == wanted]
            case '':
                found = [m for m in found if wanted.lower() in m['name'].lower()]
            case _:
                raise Refusal(400, f'(not recorded) the search term {key}:{wanted}')
    page, size = request.number('page', 0), request.number('per_page', 30)
    return Answer(
        200,
        {
            'counts': {'status': [{'name': 'No Data', 'count': len(found)}], 'muted': [], 'tag': [], 'type': []},
            'monitors': [
                SEARCHED | {'status': m['overall_state']} | {key: m[key] for key in (*SEARCHED, *FOUND) if key in m}
                for m in found[page * size : (page + 1) * size]
            ],
            'metadata': {
                'total_count': len(found),
                'page_count': -(-len(found) // size),
                'page': page,
                'per_page': size,
            },
        },
    )
