"""The sandbox: what it takes from an Agent, what it refuses, and what is there after a kill -9."""

import contextlib
import gzip
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.parse
import zlib

import numpy as np
import pytest
import zstandard

from ddassets.diagnostic import UnusableInputError
from ddassets.sandbox.keys import Keys, open_keys
from ddassets.sandbox.sandbox import Sandbox
from ddassets.sandbox.server import Server
from ddassets.sandbox.store import Source, Store

API_KEY, APP_KEY = 'a' * 32, 'b' * 40
NOW = 1_795_906_060
HOST_METADATA = {
    'apiKey': API_KEY,
    'agentVersion': '7.82.1',
    'internalHostname': 'desktop',
    'os': 'linux',
    'meta': {'hostname': 'desktop', 'socket-hostname': 'vm', 'timezones': ['UTC'], 'host_aliases': []},
    'host-tags': {'system': ['env:dev', 'home:desktop', 'interview', 'role:testing']},
    'gohai': '{"network": null}',
}
SERIES = {
    'metric': 'my_metric',
    'points': [[NOW - 24, 900]],
    'tags': ['home:desktop', 'role:testing'],
    'host': 'desktop',
    'type': 'gauge',
    'interval': 0,
    'source_type_name': 'System',
}


def send(url, method, path, body=None, keys=(API_KEY, APP_KEY), **headers):
    """Send a request, whose body is JSON unless it is bytes; return the status and the answer."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    headers = {name.replace('_', '-'): value for name, value in headers.items()}
    headers = {'Content-Type': 'application/json', 'DD-API-KEY': keys[0], 'DD-APPLICATION-KEY': keys[1]} | headers
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection.request(method, path, content, {name: value for name, value in headers.items() if value is not None})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


@pytest.fixture
def sandbox():
    """A sandbox in memory, whose clock stands at NOW."""
    with Store() as store:
        made = Sandbox(store, Keys.of([API_KEY], [APP_KEY]))
        made.clock.drive(NOW)
        yield made


@pytest.fixture
def url(sandbox):
    with Server(sandbox) as server:
        yield server.url


def points(store, metric='my_metric', start=0, end=NOW + 3600):
    return {
        tuple(sorted(one.tags)): list(zip(one.times.tolist(), one.values.tolist(), strict=True))
        for one in store.series(metric, start, end)
    }


ENCODINGS = {
    'identity': lambda raw: raw,
    'gzip': gzip.compress,
    'deflate': zlib.compress,
    'zstd': zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_points_of_an_agent_are_there_with_the_tags_of_their_host(sandbox, url, encoding):
    pack = ENCODINGS[encoding]
    status, answer = send(
        url, 'POST', '/api/v1/series', pack(json.dumps({'series': [SERIES]}).encode()), Content_Encoding=encoding
    )
    assert (status, answer) == (202, {'status': 'ok'})
    assert points(sandbox.store) == {('home:desktop', 'host:desktop', 'role:testing'): [(NOW - 24, 900.0)]}
    metadata = pack(json.dumps(HOST_METADATA).encode())
    assert send(url, 'POST', '/intake/', metadata, Content_Encoding=encoding)[0] == 202
    tags = ('env:dev', 'home:desktop', 'host:desktop', 'interview', 'role:testing')
    assert points(sandbox.store) == {tags: [(NOW - 24, 900.0)]}


def test_points_of_the_second_version(sandbox, url):
    series = {
        'metric': 'acme.lag',
        'type': 1,
        'points': [{'timestamp': NOW - 10, 'value': 1.5}, {'timestamp': NOW, 'value': 2}],
        'tags': ['Site:EU', 'site:eu'],
        'resources': [{'name': 'h1', 'type': 'host'}],
        'unit': 'second',
        'interval': 10,
    }
    assert send(url, 'POST', '/api/v2/series', {'series': [series]}) == (202, {'errors': []})
    assert points(sandbox.store, 'acme.lag') == {('host:h1', 'site:eu'): [(NOW - 10, 1.5), (NOW, 2.0)]}
    (found,) = sandbox.store.series('acme.lag', 0, NOW)
    assert (found.kind, found.interval) == ('count', 10)
    assert sandbox.store.metrics() == {'acme.lag': ('count', 'second')}


def test_the_api_key_of_the_host_metadata_is_not_stored(sandbox, url):
    send(url, 'POST', '/intake/', HOST_METADATA)
    assert API_KEY not in json.dumps(sandbox.store.hosts())
    seen, body = sandbox.store.hosts()['desktop']
    assert seen == NOW and body['meta']['socket-hostname'] == 'vm'
    assert body['tags_by_source'] == {'Datadog': ['env:dev', 'home:desktop', 'interview', 'role:testing']}


def test_runs_of_checks(sandbox, url):
    run = {'check': 'acme.ok', 'host_name': 'desktop', 'timestamp': NOW, 'status': 2, 'message': 'no', 'tags': None}
    assert send(url, 'POST', '/api/v1/check_run', [run]) == (202, {'status': 'ok'})
    assert send(url, 'POST', '/api/v1/check_run', {**run, 'timestamp': NOW + 15, 'status': 0, 'message': ''})[0] == 202
    (found,) = sandbox.store.runs('acme.ok', 0, NOW + 15)
    assert found.tags == {'host:desktop'} and list(found.messages) == ['no', '']
    assert list(zip(found.times, found.values, strict=True)) == [(NOW, 2), (NOW + 15, 0)]
    assert sandbox.store.checks() == ['acme.ok'] and sandbox.store.metrics() == {}


def test_events_of_an_agent_and_of_the_second_version(sandbox, url):
    event = {
        'msg_title': 'The drill ended',
        'msg_text': 'a text',
        'timestamp': NOW,
        'host': 'desktop',
        'tags': ['home:desktop'],
        'alert_type': 'info',
        'aggregation_key': 'drill',
        'source_type_name': 'my_metric',
    }
    body = {'apiKey': '', 'internalHostname': 'desktop', 'events': {'my_metric': [event]}}
    assert send(url, 'POST', '/intake/', body)[0] == 202
    attributes = {'title': 'Page', 'category': 'alert', 'attributes': {'status': 'warn'}, 'tags': ['a:b']}
    status, answer = send(
        url, 'POST', '/api/v2/events', {'data': {'type': 'event', 'attributes': attributes | {'message': 'm'}}}
    )
    assert status == 202
    first, second = sandbox.store.events(0, NOW)
    assert (first.body['title'], first.body['tags'], first.instant) == ('The drill ended', ['home:desktop'], NOW)
    assert (second.body['text'], second.body['alert_type']) == ('m', 'warning')
    assert answer['data']['id'] == str(second.id) and sandbox.store.event(second.id) == second


@pytest.mark.parametrize(
    ('method', 'path', 'body', 'status'),
    [
        pytest.param('GET', '/api/v1/validate', None, 200, id='validate'),
        pytest.param('GET', '/api/v2/validate', None, 200, id='validate-2'),
        pytest.param('GET', '/_health', None, 200, id='health'),
        *(
            pytest.param('POST', path, b'{}', 202, id=path)
            for path in ('/api/v1/series', '/api/v2/series', '/api/v1/metadata', '/intake/', '/api/v1/check_run')
        ),
        pytest.param('POST', '/api/beta/sketches', b'\x0a\x00', 202, id='sketches'),
        pytest.param('HEAD', '/support/flare', None, 200, id='flare'),
    ],
)
def test_the_tests_of_an_agents_connection_pass(url, method, path, body, status):
    assert send(url, method, path, body)[0] == status


BOMB = zlib.compress(b'{"series": [' + b' ' * 70_000_000 + b']}')


@pytest.mark.parametrize(
    ('path', 'body', 'headers', 'status', 'text'),
    [
        pytest.param('/api/v1/series', b'{', {}, 400, 'the body is not JSON', id='not-json'),
        pytest.param(
            '/api/v2/series',
            b'\x0a\x10abc',
            {'Content_Type': 'application/x-protobuf'},
            400,
            'DD_USE_V2_API_SERIES=false',
            id='protobuf',
        ),
        pytest.param('/api/v2/series', b'\x0a\x10abc', {}, 400, 'use_v2_api.series: false', id='unnamed-protobuf'),
        pytest.param('/api/beta/sketches', b'\x0a\x10abc', {}, 400, 'distributions are not supported', id='sketches'),
        pytest.param('/api/v1/distribution_points', {'series': []}, {}, 400, 'distributions', id='distributions'),
        pytest.param(
            '/api/v1/series',
            b'{}',
            {'Content_Encoding': 'gzipp'},
            400,
            "found 'gzipp'; did you mean gzip?; allowed are identity, gzip, deflate, zstd",
            id='encoding',
        ),
        pytest.param('/api/v1/series', b'{}', {'Content_Encoding': 'gzip'}, 400, 'not valid gzip', id='not-gzip'),
        pytest.param(
            '/api/v1/series',
            zlib.compress(b'{}')[:-3],
            {'Content_Encoding': 'deflate'},
            400,
            'cut short',
            id='cut-short',
        ),
        pytest.param('/api/v1/series', b'{}', {'Content_Encoding': 'zstd'}, 400, 'not valid zstd', id='not-zstd'),
        pytest.param('/api/v1/series', BOMB, {'Content_Encoding': 'deflate'}, 413, 'decompressed', id='bomb'),
        pytest.param('/api/v2/series', b' ' * 600_000, {}, 413, 'allowed are 512,000', id='large'),
        pytest.param('/api/v1/series', b'{"series": ["\\ud83d"]}', {}, 400, 'half a character', id='half'),
        pytest.param('/api/v1/series', b'[' * 100_000, {}, 400, 'nested too deeply', id='deep'),
        pytest.param('/api/v1/series', {'series': {}}, {}, 400, 'series: found {}, expected a list', id='no-list'),
        pytest.param(
            '/api/v1/series',
            {'series': [SERIES, {**SERIES, 'points': [[NOW, '1']]}]},
            {},
            400,
            'series[1].points[0][1]: found "1", expected a number',
            id='value',
        ),
        pytest.param(
            '/api/v1/series',
            b'{"series": [{"metric": "a", "points": [[1, NaN]]}]}',
            {},
            400,
            'NaN is no number of JSON',
            id='nan',
        ),
        pytest.param(
            '/api/v1/series',
            {'series': [{**SERIES, 'type': 'gague'}]},
            {},
            400,
            'series[0].type: found "gague", expected gauge, rate, count',
            id='type',
        ),
        pytest.param(
            '/api/v1/series', {'series': [{**SERIES, 'metric': '1a'}]}, {}, 400, 'the name of a metric', id='name'
        ),
        pytest.param(
            '/api/v1/check_run',
            [{'check': 'a', 'status': 4}],
            {},
            400,
            '[0].status: found 4, expected 0 to 3 (OK, WARNING, CRITICAL, UNKNOWN)',
            id='status',
        ),
        pytest.param('/api/v1/nothing', b'{}', {}, 404, 'no such address', id='address'),
        pytest.param('/api/v1/validate', b'{}', {}, 405, 'allows GET', id='method'),
        # Who asks.
        pytest.param('/api/v1/series', b'{}', {'DD_API_KEY': None}, 403, 'API key required', id='no-key'),
        pytest.param('/api/v1/series', b'{}', {'DD_API_KEY': 'c' * 32}, 403, 'Forbidden', id='wrong-key'),
        pytest.param('/api/v1/series', b'{}', {'Host': 'evil.example'}, 403, 'evil.example', id='foreign-host'),
        pytest.param('/api/v1/series', b'{}', {'Host': 'evil.example:80@localhost.evil'}, 403, 'Host', id='odd-host'),
        pytest.param('/api/v1/series', None, {'Transfer_Encoding': 'chunked'}, 411, 'Content-Length', id='chunked'),
        pytest.param('/api/v1/series', None, {'Content_Length': '-1'}, 400, 'Content-Length', id='length'),
    ],
)
def test_a_request_is_refused_with_its_reason_and_stores_nothing(sandbox, url, path, body, headers, status, text):
    found, answer = send(url, 'POST', path, body, **headers)
    assert found == status and text in answer['errors'][0], answer
    assert points(sandbox.store) == {} and sandbox.store.hosts() == {}


def test_what_needs_an_application_key(url):
    assert send(url, 'GET', '/api/v2/validate_keys') == (200, {'status': 'ok'})
    assert send(url, 'GET', '/api/v2/validate_keys', keys=(API_KEY, 'c' * 40))[0] == 403


def test_old_and_future_points_are_dropped_and_the_last_of_an_instant_stands(sandbox, url):
    sent = [[NOW - 3601, 1], [NOW - 3600, 2], [NOW, 3], [NOW, 4], [NOW + 600, 5], [NOW + 601, 6]]
    assert send(url, 'POST', '/api/v1/series', {'series': [{**SERIES, 'points': sent}]})[0] == 202
    ((_, found),) = points(sandbox.store).items()
    assert found == [(NOW - 3600, 2), (NOW, 4), (NOW + 600, 5)]


def test_a_tag_that_names_the_host_is_the_same_source(sandbox):
    store = sandbox.store
    store.write(lambda change: change.add_points([(Source('a', (), 'h'), [(1, 1.0), (2, 2.0)])]))
    store.write(lambda change: change.add_points([(Source('a', ('host:h',)), [(2, 3.0), (3, 4.0)])]))
    assert points(store, 'a') == {('host:h',): [(1, 1.0), (2, 3.0), (3, 4.0)]}


def test_the_interval_is_the_usual_gap_where_the_sender_names_none(sandbox):
    instants = np.array([0, 45, 90, 134, 180, 270])
    sandbox.store.write(lambda change: change.add_points([(Source('a'), [(float(t), 1.0) for t in instants])]))
    assert [one.interval for one in sandbox.store.series('a', 100, 300)] == [45]


def test_a_write_that_fails_leaves_nothing(sandbox):
    def work(change):
        change.add_points([(Source('a'), [(1.0, 1.0)])])
        raise RuntimeError('no')

    for _ in range(2):
        with pytest.raises(RuntimeError, match='no'):
            sandbox.store.write(work)
    assert sandbox.store.series('a', 0, 9) == []
    # Nor is the number of its series remembered.
    sandbox.store.write(lambda change: change.add_points([(Source('a'), [(2.0, 1.0)])]))
    assert points(sandbox.store, 'a') == {(): [(2.0, 1.0)]}


# The clock


def test_the_clock_is_driven_and_followed(sandbox, url):
    seen = []
    sandbox.clock.followers.append(seen.append)
    assert send(url, 'GET', '/sandbox/clock')[1] == {
        'now': NOW,
        'time': '2026-11-28T22:47:40+00:00',
        'driven': True,
    }
    assert send(url, 'PUT', '/sandbox/clock', {'advance': 60})[1]['now'] == NOW + 60
    assert send(url, 'PUT', '/sandbox/clock', {'now': NOW + 90})[1]['now'] == NOW + 90
    assert seen == [NOW + 60, NOW + 90]
    status, answer = send(url, 'PUT', '/sandbox/clock', {'now': NOW})
    assert status == 400 and 'cannot go back' in answer['errors'][0]
    assert send(url, 'PUT', '/sandbox/clock', {'faster': 2})[0] == 400
    assert send(url, 'PUT', '/sandbox/clock', {'now': 1e300})[0] == 400
    assert send(url, 'PUT', '/sandbox/clock', {'driven': False})[1]['driven'] is False
    sandbox.clock.tick()
    assert len(seen) == 3


# A process


@contextlib.contextmanager
def process(folder, *arguments):
    """Start `ddassets sandbox` on a free port; yield the process, its address, and what it said."""
    command = [sys.executable, '-m', 'ddassets', 'sandbox', '--data', str(folder), '--port', '0', *arguments]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = ''
        while 'Until Ctrl-C' not in said:
            line = started.stdout.readline()
            assert line, said + started.stderr.read()
            said += line
        yield started, re.search(r'http://\S+:\d+', said)[0], said
    finally:
        started.kill()
        started.wait()
        started.stdout.close()
        started.stderr.close()


def shown_keys(said):
    found = re.search(r'DD_API_KEY=(\w+) DD_APP_KEY=(\w+)', said)
    return found and found.groups()


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path):
    acknowledged = [set() for _ in range(4)]
    with process(tmp_path / 'data', '--quiet') as (started, url, said):
        keys = shown_keys(said)
        now = int(send(url, 'GET', '/sandbox/clock', keys=keys)[1]['now'])

        def sender(number):
            for i in range(10_000):
                instant = now - 3000 + i
                series = {**SERIES, 'tags': [f'sender:{number}'], 'points': [[instant, i]]}
                try:
                    status, _ = send(url, 'POST', '/api/v1/series', {'series': [series]}, keys=keys)
                except (OSError, http.client.HTTPException):
                    return
                assert status == 202
                acknowledged[number].add((instant, i))

        threads = [threading.Thread(target=sender, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        while sum(map(len, acknowledged)) < 200:
            threads[0].join(0.01)
        os.kill(started.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
    with process(tmp_path / 'data', '--quiet') as (_, url, said):
        # The keys are not shown again, and still hold.
        assert shown_keys(said) is None
        assert send(url, 'GET', '/api/v1/validate', keys=keys) == (200, {'valid': True})
    with Store(tmp_path / 'data') as store:
        found = {tags: set(rows) for tags, rows in points(store, end=now + 10_000).items()}
    for number, sent in enumerate(acknowledged):
        assert sent <= found['host:desktop', f'sender:{number}'] and sent


def test_the_folder_belongs_to_one_process_and_its_owner(tmp_path):
    folder = tmp_path / 'data'
    with Store(folder) as store:
        _, new = open_keys(store)
        with pytest.raises(UnusableInputError, match='in use by another sandbox'):
            Store(folder)
        assert open_keys(store)[1] is None
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in folder.iterdir():
        assert new.api_key.encode() not in file.read_bytes() and new.app_key.encode() not in file.read_bytes()
    (folder / 'sandbox.sqlite').write_bytes(b'x' * 5000)
    with pytest.raises(UnusableInputError, match='not a database of the sandbox'):
        Store(folder)


def test_new_keys_replace_the_old_ones(tmp_path):
    with Store(tmp_path / 'data') as store:
        _, first = open_keys(store)
        keys, second = open_keys(store, renew=True)
        assert keys.allow_api(second.api_key) and keys.allow_app(second.app_key)
        assert not keys.allow_api(first.api_key) and not keys.allow_app(first.app_key)


def test_a_driven_clock_stands_where_it_was_after_a_restart(tmp_path):
    for instant in (NOW, NOW + 60):
        with Store(tmp_path / 'data') as store:
            sandbox = Sandbox(store, Keys.of([API_KEY], [APP_KEY]))
            assert sandbox.clock.driven == (instant > NOW)
            sandbox.clock.drive(instant)


def test_a_port_in_use_is_refused(sandbox, url):
    with pytest.raises(UnusableInputError, match='pass another --port'):
        Server(sandbox, int(url.rpartition(':')[2]))
