"""A Datadog organisation in memory: what it stores, adds, normalises and refuses.

Pure: time comes from the clock that is given, ids from a counter. Defaults and error texts are those of recorded
exchanges. Where no recording shows one, the text starts with "(not recorded)".
"""

import copy
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

API_KEY = 'a' * 32
APP_KEY = 'b' * 40
AUTHOR = 'frog@datadoghq.com'
USER = '3ad549bf-eba0-11e9-a77a-0705486660d0'
UNITS = {'m': timedelta(minutes=1), 'h': timedelta(hours=1), 'd': timedelta(days=1), 'w': timedelta(weeks=1)}
RETAINED = timedelta(days=2)

type Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """`body` is None for no content; bytes go out as they are, anything else as JSON."""

    status: int
    body: Any = None
    content_type: str = 'application/json'


class Refusal(Exception):
    def __init__(self, status: int, text: str, content_type: str = 'application/json') -> None:
        super().__init__(text)
        self.answer = Answer(status, {'errors': [text]}, content_type)


@dataclass(frozen=True)
class Request:
    """`id` is the last part of the path, empty where it has none. `now` is when the server acts."""

    query: Mapping[str, Sequence[str]]
    body: Any
    id: str
    now: datetime

    def one(self, name: str, default: str = '') -> str:
        return self.query.get(name, [default])[0]


@dataclass
class Organisation:
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    # Where pictures are served; the loopback server sets it.
    pictures_url: str = 'http://127.0.0.1'
    api_keys: set[str] = field(default_factory=lambda: {API_KEY})
    app_keys: set[str] = field(default_factory=lambda: {APP_KEY})
    dashboards: dict[str, Json] = field(default_factory=dict)
    deleted_dashboards: dict[str, Json] = field(default_factory=dict)
    monitors: dict[int, Json] = field(default_factory=dict)
    downtimes: dict[str, Json] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    # By path of the picture: how often it has been asked for. It is rendered from the third time on.
    pictures: dict[str, int] = field(default_factory=dict)
    renders_after: int = 2
    # By name of the metric: (seconds since the epoch, value).
    series: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _count: int = 0
    _foreign: Any = None

    def answer(
        self, operation: str, query: Mapping[str, Sequence[str]], body: Any, id: str, api_key: str, app_key: str
    ) -> Answer:
        """Act on a valid request. `operation` is the OpenAPI document's operationId."""
        if not api_key:
            return Refusal(403, 'API key required').answer
        if api_key not in self.api_keys or (operation not in API_KEY_ALONE and app_key not in self.app_keys):
            return Refusal(403, 'Forbidden').answer
        try:
            return OPERATIONS[operation](self, Request(query, body, id, self.clock()))
        except Refusal as refusal:
            return refusal.answer

    def seed_foreign(self, count: int = 200) -> None:
        """Dashboards, monitors and downtimes of other people; `foreign_changes` tells whether any was touched."""
        for i in range(count):
            widget = {'definition': {'type': 'note', 'content': f'note {i}'}}
            self._act(
                create_dashboard, {'title': f'Foreign {i}', 'layout_type': 'ordered', 'widgets': [widget], 'tags': []}
            )
            self._act(
                create_monitor,
                {
                    'name': f'Foreign {i}',
                    'type': 'query alert',
                    'query': f'avg(last_5m):avg:foreign.metric_{i}{{*}} > 1',
                    'tags': ['team:foreign'],
                },
            )
        for i in range(count // 10):
            attributes = {'monitor_identifier': {'monitor_tags': ['team:foreign']}, 'scope': f'env:foreign_{i}'}
            self._act(create_downtime, {'data': {'type': 'downtime', 'attributes': attributes}})
        self._foreign = copy.deepcopy([self.dashboards, self.monitors, self.downtimes])

    def foreign_changes(self) -> list[str]:
        """The ids of seeded objects that have changed or are gone."""
        return [
            str(key)
            for before, now in zip(
                self._foreign or [{}] * 3, [self.dashboards, self.monitors, self.downtimes], strict=True
            )
            for key in before
            if now.get(key) != before[key]
        ]

    def fingerprint(self) -> str:
        """All that lasts, without ids and times: equal for two runs that left the same objects."""
        kept = [
            sorted(json.dumps(_timeless(value), sort_keys=True) for value in values)
            for values in (
                self.dashboards.values(),
                self.monitors.values(),
                (d for d in self.downtimes.values() if d['attributes']['status'] != 'canceled'),
            )
        ]
        return json.dumps(kept)

    def next_number(self) -> int:
        self._count += 1
        return self._count

    def _act(self, act: Callable[['Organisation', Request], Answer], body: Json) -> Answer:
        return act(self, Request({}, copy.deepcopy(body), '', self.clock()))


VOLATILE = {'id', 'url', 'created', 'created_at', 'modified', 'modified_at', 'current_downtime', 'status'}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in VOLATILE}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec='microseconds')


# Keys


def validate(_: Organisation, request: Request) -> Answer:
    return Answer(200, {'valid': True})


def validate_keys(_: Organisation, request: Request) -> Answer:
    return Answer(200, {'status': 'ok'})


# Dashboards

SUMMARY = (
    *('id', 'title', 'description', 'layout_type', 'url', 'is_read_only'),
    *('created_at', 'modified_at', 'author_handle', 'deleted_at'),
)


def create_dashboard(organisation: Organisation, request: Request) -> Answer:
    number = organisation.next_number()
    id = '-'.join(f'{number:09x}'[i : i + 3] for i in (0, 3, 6))
    return Answer(200, _store_dashboard(organisation, id, request, _text(request.now)))


def update_dashboard(organisation: Organisation, request: Request) -> Answer:
    # The body replaces all that was there.
    stored = _dashboard(organisation, request.id)
    return Answer(200, _store_dashboard(organisation, request.id, request, stored['created_at']))


def _store_dashboard(organisation: Organisation, id: str, request: Request, created: str) -> Json:
    body = request.body
    if any(not tag.startswith('team:') for tag in body.get('tags') or ()):
        raise Refusal(400, 'Invalid tag format. Valid tag keys are: team.')
    if any('default' in v and 'defaults' in v for v in body.get('template_variables') or ()):
        raise Refusal(400, "'template_variables' is invalid")
    for preset in body.get('template_variable_presets') or ():
        for variable in preset.get('template_variables') or ():
            if 'value' in variable and 'values' in variable:
                raise Refusal(400, f"'template_variables' value '{variable}' is invalid")
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
        'modified_at': _text(request.now),
    }
    _number_widgets(organisation, dashboard['widgets'])
    organisation.dashboards[id] = dashboard
    return dashboard


def _number_widgets(organisation: Organisation, widgets: list[Json]) -> None:
    for widget in widgets:
        widget.setdefault('id', 10**15 + organisation.next_number())
        _number_widgets(organisation, widget['definition'].get('widgets', []))


def _dashboard(organisation: Organisation, id: str) -> Json:
    if id not in organisation.dashboards:
        raise Refusal(404, f'Dashboard with ID {id} not found')
    return organisation.dashboards[id]


def get_dashboard(organisation: Organisation, request: Request) -> Answer:
    return Answer(200, _dashboard(organisation, request.id))


def delete_dashboard(organisation: Organisation, request: Request) -> Answer:
    deleted = {**_dashboard(organisation, request.id), 'deleted_at': _text(request.now)}
    del organisation.dashboards[request.id]
    organisation.deleted_dashboards[request.id] = deleted
    return Answer(200, {'deleted_dashboard_id': request.id})


def list_dashboards(organisation: Organisation, request: Request) -> Answer:
    """A page of summaries, 100 unless `count` says otherwise."""
    deleted = request.one('filter[deleted]') == 'true'
    found = list((organisation.deleted_dashboards if deleted else organisation.dashboards).values())
    if request.one('filter[shared]') == 'true':
        found = []
    start, count = int(request.one('start', '0')), int(request.one('count', '100'))
    return Answer(
        200,
        {
            'dashboards': [
                {'is_read_only': False, 'deleted_at': None} | {key: d[key] for key in SUMMARY if key in d}
                for d in found[start : start + count]
            ]
        },
    )


# Monitors

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


def create_monitor(organisation: Organisation, request: Request) -> Answer:
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
        'created': _text(request.now),
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
    """Rule 1.12 and what recordings show besides."""
    _check_query(monitor)
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
        'modified': _text(now),
    }


def _type(monitor: Json) -> str:
    if monitor['type'] not in ('metric alert', 'query alert'):
        return str(monitor['type'])
    return 'metric alert' if monitor['query'].startswith('formula(') else 'query alert'


def _check_query(body: Json) -> None:
    if body['type'] != 'composite' and not re.search(r'[<>=]', body['query']):
        raise Refusal(400, "The value provided for parameter 'query' is invalid: invalid operator specified: ")


def _monitor(organisation: Organisation, id: str) -> Json:
    if int(id) not in organisation.monitors:
        raise Refusal(404, 'Monitor not found')
    return organisation.monitors[int(id)]


def get_monitor(organisation: Organisation, request: Request) -> Answer:
    monitor = _monitor(organisation, request.id)
    # No downtime of the first version is ever in force here.
    downtimes = {'matching_downtimes': []} if request.one('with_downtimes') == 'true' else {}
    return Answer(200, _without('restriction_policy', monitor) | downtimes)


def update_monitor(organisation: Organisation, request: Request) -> Answer:
    """Keys that are left out stay; the options are replaced as a whole."""
    merged = {**_monitor(organisation, request.id), **request.body}
    organisation.monitors[merged['id']] = stored = _normalise(merged, request.now)
    return Answer(200, _without('creator', stored))


def _without(key: str, monitor: Json) -> Json:
    return {name: value for name, value in monitor.items() if name != key}


def delete_monitor(organisation: Organisation, request: Request) -> Answer:
    monitor = _monitor(organisation, request.id)
    del organisation.monitors[monitor['id']]
    return Answer(200, {'deleted_monitor_id': monitor['id']})


def validate_monitor(organisation: Organisation, request: Request) -> Answer:
    _check_query(request.body)
    return Answer(200, {})


def validate_existing_monitor(organisation: Organisation, request: Request) -> Answer:
    _check_query(request.body)
    return Answer(200, {})


def list_monitors(organisation: Organisation, request: Request) -> Answer:
    """All of them without `page`; with it 100 to a page unless `page_size` says otherwise; in the order of ids."""
    if (states := request.one('group_states')) and set(states.split(',')) - set(STATES):
        raise Refusal(400, 'Invalid group_state filters.')
    tags = [tag for tag in request.one('monitor_tags').split(',') if tag]
    found = [
        monitor
        for monitor in sorted(organisation.monitors.values(), key=lambda monitor: monitor['id'])
        if request.one('name') in monitor['name']
        and set(tags) <= set(monitor['tags'])
        and monitor['id'] > int(request.one('id_offset', '0'))
    ]
    size = int(request.one('page_size', '100'))
    if 'id_offset' in request.query:
        found = found[:size]
    elif 'page' in request.query:
        first = int(request.one('page')) * size
        found = found[first : first + size]
    return Answer(200, [_without('restriction_policy', monitor) | {'matching_downtimes': []} for monitor in found])


def search_monitors(organisation: Organisation, request: Request) -> Answer:
    """By terms that all must hold: words of the name, `tag:x`, `id:n`, `type:t`, `status:s`."""
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
                raise NotImplementedError(f'the search term {key}:{wanted}')
    page, size = int(request.one('page', '0')), int(request.one('per_page', '30'))
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


# Downtimes


def create_downtime(organisation: Organisation, request: Request) -> Answer:
    attributes = request.body['data']['attributes']
    _check_scope(attributes['scope'])
    wanted = (attributes['monitor_identifier'], attributes['scope'], attributes.get('schedule'))
    for other in organisation.downtimes.values():
        if other['attributes']['status'] in ('active', 'scheduled') and other['asked'] == wanted:
            # Rule 5.10.
            raise Refusal(400, f'(not recorded) a downtime like this one exists: {other["id"]}')
    schedule, zone = _schedule(attributes, request.now)
    downtime = {
        'type': 'downtime',
        'id': str(uuid.UUID(int=organisation.next_number() << 64 | 0x8C18DA7AD0900002)),
        'asked': wanted,
        'attributes': {
            'message': None,
            'mute_first_recovery_notification': False,
            'notify_end_states': ['alert', 'no data', 'warn'],
            'notify_end_types': ['expired'],
            'canceled': None,
            **attributes,
            'display_timezone': zone,
            'schedule': schedule,
            'created': _text(request.now),
            'modified': _text(request.now),
        },
    }
    downtime['attributes']['status'] = _status(downtime, request.now)
    organisation.downtimes[downtime['id']] = downtime
    return Answer(200, _with_author(downtime))


def _schedule(attributes: Json, now: datetime) -> tuple[Json, str]:
    asked = attributes.get('schedule') or {}
    if 'recurrences' not in asked:
        start = asked.get('start') or _text(now)
        if datetime.fromisoformat(start) < now - timedelta(minutes=1):
            raise Refusal(400, '(not recorded) the start of a downtime must not be in the past')
        return {'start': start, 'end': asked.get('end')}, attributes.get('display_timezone') or 'UTC'
    zone = asked.get('timezone', 'UTC')
    display = attributes.get('display_timezone') or zone
    if display != zone:
        # Rule 5.4.
        raise Refusal(400, '(not recorded) timezone and display_timezone must be equal')
    recurrences = []
    for recurrence in asked['recurrences']:
        if re.search(r'DTSTART|DTEND|DURATION', recurrence['rrule']):
            # Rule 5.5.
            raise Refusal(400, '(not recorded) DTSTART, DTEND and DURATION are not allowed in a recurrence rule')
        start = recurrence.get('start') or now.astimezone(ZoneInfo(zone)).strftime('%Y-%m-%dT%H:%M:%S')
        if datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)) < now - timedelta(minutes=1):
            raise Refusal(400, '(not recorded) the start of a downtime must not be in the past')
        recurrences.append({**recurrence, 'start': start})
    return _at(now, {'timezone': zone, 'recurrences': recurrences}), display


def _at(now: datetime, schedule: Json) -> Json:
    """A recurring schedule with the window that is open or comes next. Windows that touch are not merged (rule 5.7)."""
    zone = ZoneInfo(schedule['timezone'])
    windows = [window for r in schedule['recurrences'] if (window := _next_window(r, zone, now))]
    lasting = {key: schedule[key] for key in ('timezone', 'recurrences')}
    if not windows:
        return lasting
    start, end = min(windows)
    return lasting | {'current_downtime': {'start': _text(start), 'end': _text(end)}}


def _next_window(recurrence: Json, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime] | None:
    length = int(recurrence['duration'][:-1]) * UNITS[recurrence['duration'][-1]]
    first = datetime.fromisoformat(recurrence['start'])
    try:
        rule = rrulestr(recurrence['rrule'], dtstart=first)
    except ValueError as error:
        raise Refusal(400, f'(not recorded) the recurrence rule is invalid: {error}') from error
    after = now.astimezone(zone).replace(tzinfo=None) - length
    start = rule.after(after)
    if start is None:
        return None
    start = start.replace(tzinfo=zone).astimezone(UTC)
    return start, start + length


def _status(downtime: Json, now: datetime) -> str:
    attributes = downtime['attributes']
    if attributes['canceled']:
        return 'canceled'
    schedule = attributes['schedule']
    window = schedule.get('current_downtime') if 'recurrences' in schedule else schedule
    if window is None or (window['end'] and datetime.fromisoformat(window['end']) <= now):
        return 'ended'
    return 'scheduled' if datetime.fromisoformat(window['start']) > now else 'active'


def _check_scope(scope: str) -> None:
    words = re.sub(r'\([^)]*\)|"[^"]*"', 'x', scope).split()
    if any(':' not in word and word not in ('*', 'AND', 'OR', 'NOT') for word in words):
        raise Refusal(400, 'All values must have a key')


def _plain(downtime: Json) -> Json:
    return {key: value for key, value in downtime.items() if key != 'asked'}


def _with_author(downtime: Json) -> Json:
    created = downtime['attributes']['created']
    author = {
        **{'name': None, 'handle': AUTHOR, 'email': AUTHOR, 'icon': '', 'title': None, 'status': 'Active'},
        **{'verified': True, 'service_account': False, 'disabled': False, 'allowed_login_methods': []},
        **{'created_at': created, 'modified_at': created},
    }
    relationships = {'created_by': {'data': {'type': 'users', 'id': USER}}, 'monitor': {'data': None}}
    return {
        'data': _plain(downtime) | {'relationships': relationships},
        'included': [{'type': 'users', 'id': USER, 'attributes': author}],
    }


def _downtime(organisation: Organisation, request: Request, missing: str = 'Downtime not found') -> Json:
    try:
        uuid.UUID(request.id)
    except ValueError:
        raise Refusal(400, 'Invalid URL param: downtime_id must be an uuid') from None
    _forget(organisation, request.now)
    if request.id not in organisation.downtimes:
        raise Refusal(404, missing)
    return organisation.downtimes[request.id]


def _forget(organisation: Organisation, now: datetime) -> None:
    """Bring the downtimes to the present. A cancelled one is listed for about two days more."""
    for id, downtime in list(organisation.downtimes.items()):
        canceled = downtime['attributes']['canceled']
        if canceled and now - datetime.fromisoformat(canceled) > RETAINED:
            del organisation.downtimes[id]
            continue
        attributes = downtime['attributes']
        if 'recurrences' in attributes['schedule']:
            attributes['schedule'] = _at(now, attributes['schedule'])
        attributes['status'] = _status(downtime, now)


def get_downtime(organisation: Organisation, request: Request) -> Answer:
    return Answer(200, {'data': _plain(_downtime(organisation, request))})


def update_downtime(organisation: Organisation, request: Request) -> Answer:
    downtime = _downtime(organisation, request)
    changes = request.body['data']['attributes']
    merged = {**downtime['attributes'], **changes}
    _check_scope(merged['scope'])
    if 'schedule' in changes:
        before, after = downtime['attributes']['schedule'], changes['schedule']
        if 'recurrences' in after:
            merged['schedule'], merged['display_timezone'] = _schedule(merged, request.now)
        else:
            moved = after.get('start', before.get('start')) != before.get('start')
            if moved and downtime['attributes']['status'] == 'active':
                raise Refusal(400, '(not recorded) the start of an active downtime cannot be changed')
            merged['schedule'] = {'start': before.get('start'), 'end': before.get('end')} | after
            if merged['schedule']['start'] is None:
                merged['schedule']['start'] = _text(request.now)
    asked = (merged['monitor_identifier'], merged['scope'], changes.get('schedule', downtime['asked'][2]))
    updated = {**downtime, 'asked': asked, 'attributes': {**merged, 'modified': _text(request.now)}}
    updated['attributes']['status'] = _status(updated, request.now)
    organisation.downtimes[downtime['id']] = updated
    return Answer(200, _with_author(updated))


def cancel_downtime(organisation: Organisation, request: Request) -> Answer:
    """Twice is fine, too."""
    attributes = _downtime(organisation, request, f'Downtime {request.id} not found')['attributes']
    if not attributes['canceled']:
        attributes |= {'canceled': _text(request.now), 'modified': _text(request.now), 'status': 'canceled'}
    return Answer(204)


def list_downtimes(organisation: Organisation, request: Request) -> Answer:
    """A page of 30 unless `page[limit]` says otherwise. Cancelled ones are among them unless `current_only`."""
    _forget(organisation, request.now)
    found = [
        _plain(downtime)
        for downtime in organisation.downtimes.values()
        if request.one('current_only') != 'true' or downtime['attributes']['status'] == 'active'
    ]
    start, count = int(request.one('page[offset]', '0')), int(request.one('page[limit]', '30'))
    return Answer(
        200,
        {'data': found[start : start + count], 'meta': {'page': {'total_filtered_count': len(found)}}},
    )


# Events, snapshots, points


def create_event(organisation: Organisation, request: Request) -> Answer:
    happened = request.body.get('date_happened', int(request.now.timestamp()))
    if happened < (request.now - timedelta(hours=18)).timestamp():
        raise Refusal(400, 'Event too far in the past', 'text/plain; charset=utf-8')
    number = 6 * 10**18 + organisation.next_number()
    event = {
        'handle': None,
        'priority': None,
        'related_event_id': None,
        'tags': [],
        **request.body,
        'id': number,
        'id_str': str(number),
        'date_happened': happened,
        'url': f'https://app.datadoghq.com/event/event?id={number}',
    }
    organisation.events.append(event)
    shown = ('id', 'id_str', 'title', 'text', 'date_happened', 'handle', 'priority', 'related_event_id', 'tags', 'url')
    return Answer(202, {'status': 'ok', 'event': {key: event[key] for key in shown}})


def list_events(organisation: Organisation, request: Request) -> Answer:
    start, end = int(request.one('start')), int(request.one('end'))
    tags = {tag for tag in request.one('tags').split(',') if tag}
    found = [e for e in organisation.events if start <= e['date_happened'] <= end and tags <= set(e['tags'])]
    shown = ('id', 'title', 'text', 'date_happened', 'tags', 'url')
    return Answer(200, {'events': [{key: e[key] for key in shown} for e in found]})


def graph_snapshot(organisation: Organisation, request: Request) -> Answer:
    """Rule 8.2: the URL is there before the picture."""
    if ('metric_query' in request.query) == ('graph_def' in request.query):
        raise Refusal(400, '(not recorded) one of metric_query and graph_def is required')
    if 'graph_def' in request.query:
        try:
            json.loads(request.one('graph_def'))
        except ValueError:
            raise Refusal(400, '(not recorded) graph_def is not JSON') from None
    path = f'/s/f12345678/{organisation.next_number():03d}-picture'
    organisation.pictures[path] = 0
    answer = {key: request.one(key) for key in ('metric_query', 'graph_def') if key in request.query}
    return Answer(200, answer | {'snapshot_url': organisation.pictures_url + path})


def query_metrics(organisation: Organisation, request: Request) -> Answer:
    query, start, end = request.one('query'), int(request.one('from')), int(request.one('to'))
    names = re.findall(r'([A-Za-z][\w.]*)\{', query)
    series = [
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
        if (points := [(t, v) for t, v in organisation.series.get(name, ()) if start <= t <= end])
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


API_KEY_ALONE = {'Validate', 'CreateEvent'}
OPERATIONS: dict[str, Callable[[Organisation, Request], Answer]] = {
    'Validate': validate,
    'ValidateAPIKey': validate_keys,
    'CreateDashboard': create_dashboard,
    'UpdateDashboard': update_dashboard,
    'GetDashboard': get_dashboard,
    'DeleteDashboard': delete_dashboard,
    'ListDashboards': list_dashboards,
    'CreateMonitor': create_monitor,
    'UpdateMonitor': update_monitor,
    'GetMonitor': get_monitor,
    'DeleteMonitor': delete_monitor,
    'ListMonitors': list_monitors,
    'SearchMonitors': search_monitors,
    'ValidateMonitor': validate_monitor,
    'ValidateExistingMonitor': validate_existing_monitor,
    'CreateDowntime': create_downtime,
    'UpdateDowntime': update_downtime,
    'GetDowntime': get_downtime,
    'CancelDowntime': cancel_downtime,
    'ListDowntimes': list_downtimes,
    'CreateEvent': create_event,
    'ListEvents': list_events,
    'GetGraphSnapshot': graph_snapshot,
    'QueryMetrics': query_metrics,
}
