"""The listing of hosts with their tags and metadata, and the metrics that have arrived."""

import zlib
from typing import Any

from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.store import Store, host_tags

# Seconds: a listing has the hosts that were seen within these, and a host is up that was seen within those.
_LISTED, _UP = 3 * 3600, 2 * 3600
_META = {'agentVersion': 'agent_version', 'gohai': 'gohai', 'os': 'platform'}
_SYSTEM = ('platform', 'processor', 'machine', 'cpuCores')


def list_hosts(store: Store, request: Request) -> Answer:
    """Answer `GET /api/v1/hosts`: `filter` is `host:NAME`, a tag, or a part of a name."""
    now = request.now.timestamp()
    since = request.number('from', int(now - _LISTED))
    wanted = request.one('filter').lower()
    found = [
        (name, seen, body)
        for name, (seen, body) in store.hosts().items()
        if seen >= since and _is_wanted(name, body, wanted)
    ]
    start, count = request.number('start', 0), min(request.number('count', 100), 1000)
    page = [_host(name, seen, body, now) for name, seen, body in found[start : start + count]]
    if request.one('include_hosts_metadata') != 'true':
        page = [{key: value for key, value in host.items() if key != 'meta'} for host in page]
    answer = {'host_list': page, 'total_matching': len(found), 'total_returned': len(page)}
    return Answer(200, answer | {'exact_total_matching': True})


def _is_wanted(name: str, body: Json, wanted: str) -> bool:
    if wanted.startswith('host:'):
        return name.lower() == wanted.removeprefix('host:')
    return wanted in name.lower() or wanted in host_tags(body)


def _host(name: str, seen: float, body: Json, now: float) -> Json:
    system = body.get('systemStats') if isinstance(body.get('systemStats'), dict) else {}
    own = body.get('meta') if isinstance(body.get('meta'), dict) else {}
    assert isinstance(system, dict) and isinstance(own, dict)
    meta: dict[str, Any] = {key: system[key] for key in _SYSTEM if key in system}
    meta |= {'timezones': own.get('timezones', []), 'socket-hostname': own.get('socket-hostname', name)}
    meta |= {shown: body[key] for key, shown in _META.items() if key in body}
    return {
        'name': name,
        'host_name': name,
        'aliases': [name, *own.get('host_aliases', [])],
        'id': zlib.crc32(name.encode('utf-8', 'replace')),
        'up': now - seen <= _UP,
        'last_reported_time': int(seen),
        'apps': ['agent'] if own else [],
        'sources': ['agent'] if own else [],
        'is_muted': False,
        'mute_timeout': None,
        'metrics': {},
        'tags_by_source': {'Datadog': [f'host:{name}'], **_with_host(name, body)},
        'meta': meta,
    }


def _with_host(name: str, body: Json) -> dict[str, list[str]]:
    by_source = body.get('tags_by_source', {})
    return {**by_source, 'Datadog': [f'host:{name}', *by_source.get('Datadog', [])]}


def metric_metadata(store: Store, request: Request) -> Answer:
    """Answer `GET /api/v1/metrics/{id}`."""
    found = store.metrics().get(request.id)
    if found is None:
        raise Refusal(404, 'metric_name not found')
    kind, unit = found
    return Answer(200, {'type': kind} | ({'unit': unit} if unit else {}))


def list_metrics(store: Store, request: Request) -> Answer:
    """Answer `GET /api/v2/metrics` with all metrics, on one page."""
    data = [{'type': 'metrics', 'id': name} for name in store.metrics()]
    return Answer(200, {'data': data})


def metric_tags(store: Store, request: Request) -> Answer:
    """Answer `GET /api/v2/metrics/{id}/all-tags`."""
    if request.id not in store.metrics():
        raise Refusal(404, f'metric {request.id} not found')
    tags = sorted(frozenset[str]().union(*store.tag_sets(request.id)))
    return Answer(200, {'data': {'type': 'metrics', 'id': request.id, 'attributes': {'tags': tags}}})
