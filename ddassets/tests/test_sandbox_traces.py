"""The sandbox: the stats of a trace-agent become metrics."""

import gzip
import random
import struct

import pytest
from loopback.keys import API_KEY, APP_KEY

from ddassets.sandbox import msgpack
from ddassets.sandbox.keys import Keys
from ddassets.sandbox.sandbox import Message, Sandbox
from ddassets.sandbox.store import Store

NOW = 1_795_904_400


def pack(value):
    """Write MessagePack, for the tests: the forms that Go's writer chooses."""
    match value:
        case None | bool():
            return {None: b'\xc0', False: b'\xc2', True: b'\xc3'}[value]
        case int() if 0 <= value < 128:
            return bytes([value])
        case int() if -32 <= value < 0:
            return bytes([value + 256])
        case int():
            return b'\xcf' + struct.pack('>Q', value) if value >= 0 else b'\xd3' + struct.pack('>q', value)
        case float():
            return b'\xcb' + struct.pack('>d', value)
        case bytes():
            return b'\xc5' + struct.pack('>H', len(value)) + value
        case str():
            raw = value.encode()
            return (bytes([0xA0 + len(raw)]) if len(raw) < 32 else b'\xda' + struct.pack('>H', len(raw))) + raw
        case list():
            size = bytes([0x90 + len(value)]) if len(value) < 16 else b'\xdc' + struct.pack('>H', len(value))
            return size + b''.join(map(pack, value))
        case dict():
            size = bytes([0x80 + len(value)]) if len(value) < 16 else b'\xde' + struct.pack('>H', len(value))
            return size + b''.join(pack(key) + pack(inner) for key, inner in value.items())
    raise TypeError(value)


def group(resource, hits, errors=0, **more):
    """Stats of a Flask application, with the fields that a trace-agent sends."""
    return {
        **{'Service': 'flask-app', 'Name': 'flask.request', 'Resource': resource, 'HTTPStatusCode': 200},
        **{'Type': 'web', 'DBType': '', 'Hits': hits, 'Errors': errors, 'Duration': 4_000_000},
        **{'OkSummary': b'\x0a\x10', 'ErrorSummary': b'', 'Synthetics': False, 'TopLevelHits': hits},
        **{'SpanKind': 'server', 'PeerTags': None, 'IsTraceRoot': 1},
        **more,
    }


def payload(*groups, start=NOW - 20):
    bucket = {'Start': start * 10**9, 'Duration': 10 * 10**9, 'Stats': [*groups], 'AgentTimeShift': 0}
    client = {'Hostname': 'desktop', 'Env': 'dev', 'Version': '1.0.0', 'Stats': [bucket], 'Lang': 'python'}
    return {'AgentHostname': 'desktop', 'AgentEnv': 'none', 'Stats': [client], 'AgentVersion': '7.82.1'}


@pytest.fixture
def sandbox():
    with Store() as store:
        made = Sandbox(store, Keys.of([API_KEY], [APP_KEY]))
        made.clock.drive(NOW)
        yield made


def submit(sandbox, content):
    return sandbox.answer(Message('POST', '/api/v0.2/stats', {'dd-api-key': API_KEY}, content))


def test_hits_and_errors_are_counted_by_resource(sandbox):
    groups = [
        group('GET /', 10),
        # The same tags, another kind of span.
        group('GET /', 2, SpanKind='client'),
        group('GET /api/apm', 10, errors=3),
        group('GET 404', 3, HTTPStatusCode=404),
    ]
    answer = submit(sandbox, gzip.compress(pack(payload(*groups))))
    assert (answer.status, answer.note) == (202, '4 points')
    found = {
        (one.metric, tag): list(one.values)
        for name in ('trace.flask.request.hits', 'trace.flask.request.errors')
        for one in sandbox.store.series(name, 0, NOW)
        for tag in one.tags
        if tag.startswith('resource_name:')
    }
    assert found == {
        ('trace.flask.request.hits', 'resource_name:get_/'): [12.0],
        ('trace.flask.request.hits', 'resource_name:get_/api/apm'): [10.0],
        ('trace.flask.request.hits', 'resource_name:get_404'): [3.0],
        ('trace.flask.request.errors', 'resource_name:get_/api/apm'): [3.0],
    }
    (errors,) = sandbox.store.series('trace.flask.request.errors', 0, NOW)
    assert (errors.kind, errors.interval, list(errors.times)) == ('count', 10, [NOW - 20])
    expected = {'env:dev', 'version:1.0.0', 'service:flask-app', 'http.status_code:200', 'host:desktop'}
    assert errors.tags == expected | {'resource_name:get_/api/apm'}


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        pytest.param(b'', 'not MessagePack', id='empty'),
        pytest.param(pack(payload(group('GET /', 1)))[:-3], 'within a value', id='cut-short'),
        pytest.param(pack({}) + b'\x00', '1 bytes follow', id='more'),
        pytest.param(b'\xc7\x01\x05\x00', 'an extension', id='extension'),
        pytest.param(b'\x91' * 100 + b'\x00', 'nested too deeply', id='deep'),
        pytest.param(b'\xdd\xff\xff\xff\xff', 'within a list', id='length'),
        pytest.param(pack([1]), 'expected an object', id='list'),
        pytest.param(pack(payload(group('GET /', 'ten'))), 'Stats[0].Stats[0].Stats[0].Hits', id='hits'),
    ],
)
def test_other_bodies_are_refused(sandbox, content, words):
    answer = submit(sandbox, content)
    assert answer.status == 400 and words in answer.body['errors'][0], answer.body
    assert sandbox.store.metrics() == {}


def value(random, depth=0):
    kinds = ['int', 'text', 'bytes', 'float', 'constant', *(['list', 'map'] if depth < 4 else [])]
    match random.choice(kinds):
        case 'int':
            return random.choice([0, 127, 128, 2**40, -1, -32, -33, -(2**40), 2**64 - 1])
        case 'text':
            return 'ä' * random.choice([0, 1, 15, 16, 300])
        case 'bytes':
            return bytes(random.randrange(300))
        case 'float':
            return random.random()
        case 'list':
            return [value(random, depth + 1) for _ in range(random.choice([0, 1, 15, 16]))]
        case 'map':
            return {str(key): value(random, depth + 1) for key in range(random.choice([0, 1, 15, 16]))}
    return random.choice([None, True, False])


@pytest.mark.parametrize('seed', range(20))
def test_what_is_written_is_read(seed):
    made = value(random.Random(seed))
    assert msgpack.read(pack(made)) == made
