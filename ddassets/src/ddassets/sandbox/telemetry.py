"""Events, snapshots and points of the v1 API; and whether a key is valid."""

import json
import struct
import zlib

from ddassets.sandbox import events
from ddassets.sandbox.clock import MAX_INSTANT
from ddassets.sandbox.payload import Place
from ddassets.sandbox.picture import draw
from ddassets.sandbox.request import Answer, Refusal, Request
from ddassets.sandbox.store import Change
from ddassets.sandbox.stored import Stored

_EVENT = ('id', 'id_str', 'title', 'text', 'date_happened', 'handle', 'priority', 'related_event_id', 'tags', 'url')
# Seconds.
_MAX_SPAN = 366 * 86400
_LISTED = ('id', 'title', 'text', 'date_happened', 'tags', 'url')


def validate(_: Stored, request: Request) -> Answer:
    return Answer(200, {'valid': True})


def validate_keys(_: Stored, request: Request) -> Answer:
    return Answer(200, {'status': 'ok'})


def create_event(organisation: Stored, request: Request) -> Answer:
    fields = events.of_v1(Place(request.body))
    event = organisation.store.write(lambda change: events.add_event(change, fields, request.now, organisation.url))
    return Answer(202, {'status': 'ok', 'event': {key: event[key] for key in _EVENT}})


def list_events(organisation: Stored, request: Request) -> Answer:
    start, end = request.number('start'), request.number('end')
    tags = {tag for tag in request.one('tags').split(',') if tag}
    found = [event.body for event in organisation.store.events(start, end) if tags <= set(event.body['tags'])]
    return Answer(200, {'events': [{key: event[key] for key in _LISTED} for event in found]})


def graph_snapshot(organisation: Stored, request: Request) -> Answer:
    """Return the URL of a snapshot, before the picture exists (rule 8.2)."""
    if ('metric_query' in request.query) == ('graph_def' in request.query):
        raise Refusal(400, '(not recorded) one of metric_query and graph_def is required')
    if 'graph_def' in request.query:
        try:
            json.loads(request.one('graph_def'))
        except ValueError:
            raise Refusal(400, '(not recorded) graph_def is not JSON') from None
    number = organisation.next_number()
    path = f'/s/f12345678/{number:03d}-picture'
    organisation.pictures[path] = 0
    asked = {key: request.one(key) for key in ('metric_query', 'graph_def', 'start', 'end')}

    def write(change: Change) -> None:
        change.put_fact(f'picture {path}', asked)
        # After a restart no other picture takes its address.
        change.put_fact('objects', number)

    organisation.store.write(write)
    answer = {key: request.one(key) for key in ('metric_query', 'graph_def') if key in request.query}
    return Answer(200, answer | {'snapshot_url': organisation.url + path})


def picture(organisation: Stored, path: str) -> Answer:
    """Return the picture of a snapshot: a tiny one before it is complete."""
    asked = organisation.store.fact(f'picture {path}')
    if asked is None:
        return Answer(404, b'no such picture', 'text/plain')
    seen = organisation.pictures[path] = organisation.pictures.get(path, 0) + 1
    return Answer(200, _drawn(organisation, asked) if seen > organisation.renders_after else png(1, 1), 'image/png')


def _drawn(organisation: Stored, asked: dict[str, str]) -> bytes:
    query = asked['metric_query'] or _query_of(asked['graph_def'])
    bounds = [_instant(asked['start']), _instant(asked['end'])]
    if not query or not 0 < bounds[1] - bounds[0] <= _MAX_SPAN:
        return png(600, 200)
    return draw(organisation.store, query, *bounds)


def _instant(text: str) -> int:
    """Return an instant of a request; 0 for one that is none, or after the year 2200."""
    instant = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0
    return instant if instant <= MAX_INSTANT else 0


def _query_of(definition: str) -> str:
    """Return the first query of a graph."""
    requests = json.loads(definition).get('requests') if isinstance(json.loads(definition), dict) else None
    first = requests[0] if isinstance(requests, list) and requests else None
    found = first.get('q') if isinstance(first, dict) else None
    return found if isinstance(found, str) else ''


def png(width: int, height: int) -> bytes:
    """Return a white picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))

    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    rows = (b'\0' + b'\xff' * width) * height
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')
