"""What an Agent and other senders submit: points, runs of checks, events, and the metadata of hosts.

The forms are those that Agent 7.82.1 was seen to send, and those of the public API.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ddassets.engine.series import Kind
from ddassets.engine.service_check import STATUSES
from ddassets.sandbox import events
from ddassets.sandbox.payload import Place
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.store import Change, Run, Source, Store

#: Seconds before and after the present between which points are stored; others are dropped, as Datadog does.
MAX_PAST, MAX_FUTURE = 3600, 600
_MAX_NAME = 200
_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_.]*')
_KINDS_V1: Mapping[str, Kind] = {'gauge': 'gauge', 'rate': 'rate', 'count': 'count', 'counter': 'count'}
_KINDS_V2: Mapping[int, Kind] = {0: 'gauge', 1: 'count', 2: 'rate', 3: 'gauge'}
# Kept of the metadata of a host. The body has the API key, too.
_HOST_KEYS = ('agentVersion', 'uuid', 'os', 'agent-flavor', 'meta', 'systemStats', 'gohai')

type Points = list[tuple[float, float]]


class Intake:
    """`url` is the address of the organisation, for the links of events."""

    def __init__(self, store: Store, url: str = '') -> None:
        self.store = store
        self.url = url

    def series_v1(self, request: Request) -> Answer:
        found = [_source_v1(place) for place in Place(request.body)['series'].items()] if request.body else []
        return self.store_points(found, request.now, {'status': 'ok'}, 'text/json')

    def series_v2(self, request: Request) -> Answer:
        found = [_source_v2(place) for place in Place(request.body)['series'].items()] if request.body else []
        return self.store_points(found, request.now, {'errors': []}, 'application/json')

    def store_points(self, found: list[tuple[Source, Points]], now: datetime, body: Json, content_type: str) -> Answer:
        seconds = now.timestamp()
        oldest, newest = seconds - MAX_PAST, seconds + MAX_FUTURE
        kept = [(source, [point for point in points if oldest <= point[0] <= newest]) for source, points in found]
        kept = [(source, points) for source, points in kept if points]
        total, stored = (sum(len(points) for _, points in each) for each in (found, kept))

        def write(change: Change) -> None:
            change.add_points(kept)
            _see(change, (source.host for source, _ in kept), seconds)

        if kept:
            self.store.write(write)
        dropped = f', dropped {total - stored} more than 1 h old or 10 min in the future' if stored < total else ''
        return Answer(202, body, content_type, f'{stored} points{dropped}')

    def check_runs(self, request: Request) -> Answer:
        body = request.body or []
        found = [_run(place, request.now) for place in Place(body if isinstance(body, list) else [body]).items()]

        def write(change: Change) -> None:
            change.add_runs(found)
            _see(change, (run.host for run in found), request.now.timestamp())

        if found:
            self.store.write(write)
        return Answer(202, {'status': 'ok'}, 'text/json', f'{len(found)} runs of checks')

    def agent(self, request: Request) -> Answer:
        """Take events and the metadata of a host, which travel in the same form."""
        body = Place(request.body or {})
        by_source = body['events']
        sent = [
            events.of_agent(place, source)
            for source in (by_source.entries() if by_source.value is not None else ())
            for place in by_source[source].items()
        ]
        host = _host(body)

        def write(change: Change) -> None:
            for event in sent:
                events.add_event(change, event, request.now, self.url)
            if host is not None:
                change.put_host(host[0], request.now.timestamp(), host[1])

        if sent or host is not None:
            self.store.write(write)
        note = f'{len(sent)} events' if sent else 'host metadata' if host else ''
        return Answer(202, {'status': 'ok'}, note=note)

    def event_v2(self, request: Request) -> Answer:
        event = events.of_v2(Place(request.body))
        stored = self.store.write(lambda change: events.add_event(change, event, request.now, self.url))
        return Answer(202, events.accepted_v2(stored))

    def distributions(self, request: Request) -> Answer:
        """Refuse distributions. The two bytes of an Agent's test of the connection are accepted."""
        raise Refusal(
            400,
            'distributions are not supported by the sandbox: send a gauge, a count or a rate, or in the Agent a '
            'histogram (histogram_aggregates)',
        )


def ignored(_: Request) -> Answer:
    """Accept what the sandbox has no use for, such as inventories."""
    return Answer(202, {'status': 'ok'}, note='not used')


def _source_v1(place: Place) -> tuple[Source, Points]:
    kind = place['type'].text('gauge') or 'gauge'
    if kind not in _KINDS_V1:
        raise place['type'].refuse(', '.join(_KINDS_V1))
    device = place['device'].text('')
    tags = place['tags'].texts() + ([f'device:{device}'] if device else [])
    source = Source(
        metric=metric_name(place['metric']),
        tags=normal_tags(tags),
        host=place['host'].text(''),
        kind=_KINDS_V1[kind],
        interval=_interval(place['interval']),
    )
    points: Points = []
    for point in place['points'].items():
        match point.value:
            case [instant, value]:
                points.append((_second(Place(instant, f'{point.path}[0]')), Place(value, f'{point.path}[1]').number()))
            case _:
                raise point.refuse('[seconds since the epoch, value]')
    return source, points


def _source_v2(place: Place) -> tuple[Source, Points]:
    kind = place['type'].whole(0)
    if kind not in _KINDS_V2:
        raise place['type'].refuse('0 to 3 (unspecified, count, rate, gauge)')
    tags, host = place['tags'].texts(), ''
    for resource in place['resources'].items() if place['resources'].value is not None else ():
        name, type_name = resource['name'].text(), resource['type'].text()
        if type_name == 'host':
            host = name
        else:
            tags.append(f'{type_name}:{name}')
    source = Source(
        metric=metric_name(place['metric']),
        tags=normal_tags(tags),
        host=host,
        kind=_KINDS_V2[kind],
        interval=_interval(place['interval']),
        unit=place['unit'].text(''),
    )
    return source, [(_second(point['timestamp']), point['value'].number()) for point in place['points'].items()]


def metric_name(place: Place) -> str:
    """Return the name of a metric as Datadog stores it. Raises Refusal."""
    name = re.sub(r'[^A-Za-z0-9_.]', '_', place.text())
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        raise place.refuse(f'the name of a metric: a letter, then letters, digits, _ and ., at most {_MAX_NAME}')
    return name


def _second(place: Place) -> float:
    return float(int(place.number()))


def _interval(place: Place) -> int:
    interval = place.whole(0)
    if not 0 <= interval <= 86400:
        raise place.refuse('an interval of 0 to 86400 seconds')
    return interval


def normal_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as Datadog stores them, in order and each once."""
    return tuple(sorted({normal for tag in tags if (normal := normal_tag(tag))}))


@functools.lru_cache(maxsize=20_000)
def normal_tag(tag: str) -> str:
    """Return a tag as Datadog stores it: lower case, `_` for characters that are not allowed, at most 200 characters.

    >>> normal_tag('Env:Web Shop')
    'env:web_shop'
    """
    return re.sub(r'[^\w.:/-]+', '_', tag.strip().lower())[:_MAX_NAME].strip('_').rstrip(':')


def _run(place: Place, now: datetime) -> Run:
    status = place['status'].whole()
    if not 0 <= status < len(STATUSES):
        raise place['status'].refuse(f'0 to 3 ({", ".join(STATUSES)})')
    check = place['check'].text()
    if not _NAME.fullmatch(check):
        raise place['check'].refuse('the name of a check')
    timestamp = place['timestamp']
    return Run(
        check=check,
        tags=normal_tags(place['tags'].texts()),
        host=place['host_name'].text(''),
        instant=float(int(now.timestamp())) if timestamp.value in (None, 0) else _second(timestamp),
        status=status,
        message=place['message'].text(''),
    )


def _host(body: Place) -> tuple[str, Json] | None:
    """Return the name of a host and what is kept of its metadata; None if the body has none."""
    if body['meta'].value is None:
        return None
    name = body['internalHostname'].text('') or body['meta']['hostname'].text('')
    if not name:
        raise body['internalHostname'].refuse('the name of the host')
    kept: dict[str, Any] = {key: body.entries()[key] for key in _HOST_KEYS if key in body.entries()}
    by_source = body['host-tags']
    if by_source.value is not None:
        kept['tags_by_source'] = {
            'Datadog' if source == 'system' else source: list(normal_tags(by_source[source].texts()))
            for source in by_source.entries()
        }
    return name, kept


def _see(change: Change, hosts: Iterable[str], seconds: float) -> None:
    for host in set(hosts) - {''}:
        change.see_host(host, seconds)
