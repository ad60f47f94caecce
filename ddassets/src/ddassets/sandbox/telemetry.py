"""Events, snapshots and points of the v1 API; and whether a key is valid."""

import json
import struct
import zlib

from ddassets.sandbox import events
from ddassets.sandbox.payload import Place
from ddassets.sandbox.request import Answer, Refusal, Request
from ddassets.sandbox.stored import Stored

_EVENT = ('id', 'id_str', 'title', 'text', 'date_happened', 'handle', 'priority', 'related_event_id', 'tags', 'url')
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
    path = f'/s/f12345678/{organisation.next_number():03d}-picture'
    organisation.pictures[path] = 0
    answer = {key: request.one(key) for key in ('metric_query', 'graph_def') if key in request.query}
    return Answer(200, answer | {'snapshot_url': organisation.url + path})


def picture(organisation: Stored, path: str) -> Answer:
    """Return the picture of a snapshot: a tiny one before it is complete."""
    if path not in organisation.pictures:
        return Answer(404, b'no such picture', 'text/plain')
    organisation.pictures[path] += 1
    rendered = organisation.pictures[path] > organisation.renders_after
    return Answer(200, png(600, 200) if rendered else png(1, 1), 'image/png')


def png(width: int, height: int) -> bytes:
    """Return a white picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))

    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    rows = (b'\0' + b'\xff' * width) * height
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')
