"""The sandbox: its addresses are those of the OpenAPI documents, its objects survive a restart, and queries are
drawn.
"""

import copy
import json
import os
import re
import subprocess
import sys

import pytest
from loopback import integration
from loopback.keys import API_KEY, APP_KEY
from test_sandbox_intake import NOW, process, send, shown_keys

from ddassets.sandbox import validation
from ddassets.sandbox.keys import Keys
from ddassets.sandbox.organisation import ADDRESSES, API_KEY_ALONE, OPERATIONS
from ddassets.sandbox.sandbox import Sandbox
from ddassets.sandbox.server import Server
from ddassets.sandbox.store import Source, Store

KEYS = Keys.of([API_KEY], [APP_KEY])
MONITOR = {'name': 'Load', 'type': 'query alert', 'query': 'avg(last_5m):avg:a{*} by {host} > 2', 'message': 'm'}
DOWNTIME = {'data': {'type': 'downtime', 'attributes': {'monitor_identifier': {'monitor_tags': ['*']}, 'scope': 'a:b'}}}
DASHBOARD = {'title': 'Load', 'layout_type': 'ordered', 'widgets': []}
RULE_ATTRIBUTES = {'name': 'Load', 'filter': {'tags': ['a:b']}, 'recipients': ['slack-a']}
RULE = {'data': {'type': 'monitor-notification-rule', 'attributes': RULE_ATTRIBUTES}}


def test_the_addresses_are_those_of_the_documents(specification):
    documented = {
        operation.name: (operation.method.upper(), operation.expression.pattern)
        for operation in specification.operations
    }
    parts = {'{id}': '(?P<id>[^/]+)', '{number}': r'(?P<id>\d+)'}
    found = {
        name: (method, re.sub(r'\{\w+\}', lambda match: parts[match[0]], path))
        for name, (method, path) in ADDRESSES.items()
    }
    assert found == documented
    assert ADDRESSES.keys() == OPERATIONS.keys() and API_KEY_ALONE < OPERATIONS.keys()


def listed(url):
    paths = ('/api/v1/dashboard', '/api/v1/monitor', '/api/v2/downtime', '/api/v2/monitor/notification_rule')
    return [send(url, 'GET', path)[1] for path in paths]


def test_objects_survive_a_restart(tmp_path):
    with Store(tmp_path) as store, Server(Sandbox(store, KEYS)) as server:
        url = server.url
        _, dashboard = send(url, 'POST', '/api/v1/dashboard', DASHBOARD)
        _, gone = send(url, 'POST', '/api/v1/dashboard', {**DASHBOARD, 'title': 'Gone'})
        _, monitor = send(url, 'POST', '/api/v1/monitor', MONITOR)
        _, downtime = send(url, 'POST', '/api/v2/downtime', DOWNTIME)
        send(url, 'POST', '/api/v2/monitor/notification_rule', RULE)
        assert send(url, 'PUT', f'/api/v1/monitor/{monitor["id"]}', {'name': 'Other'})[0] == 200
        assert send(url, 'DELETE', f'/api/v1/dashboard/{gone["id"]}')[0] == 200
        assert send(url, 'DELETE', f'/api/v2/downtime/{downtime["data"]["id"]}')[0] == 204
        assert send(url, 'POST', '/api/v2/downtime', DOWNTIME)[0] == 200
        before = listed(url)
    with Store(tmp_path) as store, Server(Sandbox(store, KEYS)) as server:
        url = server.url
        assert listed(url) == before
        assert [one['title'] for one in before[0]['dashboards']] == ['Load'] and before[1][0]['name'] == 'Other'
        assert [one['attributes']['status'] for one in before[2]['data']] == ['canceled', 'active']
        # A number is given once, and the same downtime is refused as before.
        _, another = send(url, 'POST', '/api/v1/dashboard', DASHBOARD)
        assert another['id'] not in (dashboard['id'], gone['id'])
        assert send(url, 'POST', '/api/v2/downtime', DOWNTIME)[0] == 400


def test_a_copy_of_a_store_in_memory_is_apart():
    store = Store()
    store.write(lambda change: change.put_object('monitor', 1, {'a': 1}))
    other = copy.deepcopy(store)
    other.write(lambda change: change.delete_object('monitor', 1))
    assert store.objects('monitor') == {'1': {'a': 1}} and other.objects('monitor') == {}


def test_apply_and_destroy_in_a_process_that_is_killed_in_between(tmp_path):
    folder = integration.write(tmp_path, integration.ASSETS)
    keys = None
    for command, words in (
        ('apply', '9 created'),
        ('plan', 'nothing to do'),
        ('destroy', '9 deleted'),
        ('plan', '9 to'),
    ):
        with process(tmp_path / 'data', '--quiet') as (_, url, said):
            keys = keys or shown_keys(said)
            environment = {'DDASSETS_API_URL': url, 'DD_API_KEY': keys[0], 'DD_APP_KEY': keys[1]}
            arguments = [command, str(folder), *(['--yes'] if command != 'plan' else [])]
            done = subprocess.run(
                [sys.executable, '-m', 'ddassets', *arguments],
                env=os.environ | environment,
                capture_output=True,
                text=True,
                timeout=60,
            )
        print(done.stdout[-300:], done.stderr)
        assert done.returncode == (command == 'plan' and words == '9 to'), done.stdout + done.stderr


# Queries


@pytest.fixture
def drawn():
    """A sandbox with a metric of two hosts, a point each minute for an hour before NOW: 0 1 2 … and 100 100 …"""
    start = NOW // 60 * 60 - 3600
    with Store() as store:
        sandbox = Sandbox(store, KEYS)
        sandbox.clock.drive(NOW)
        instants = [float(start + 60 * i) for i in range(60)]

        def write(change):
            change.put_host('a', NOW, {'tags_by_source': {'Datadog': ['env:dev']}})
            change.add_points([(Source('acme.lag', ('k:v',), 'a'), [(t, float(i)) for i, t in enumerate(instants)])])
            change.add_points([(Source('acme.lag', (), 'b'), [(t, 100.0) for t in instants])])

        store.write(write)
        with Server(sandbox) as server:
            yield server.url, start


def query(url, text, start, end):
    status, answer = send(url, 'GET', f'/api/v1/query?from={start}&to={end}&query={text.replace(" ", "%20")}')
    assert status == 200, answer
    return {one['scope']: one for one in answer['series']}, answer


def test_a_query_is_drawn_by_the_engine(drawn):
    url, start = drawn
    found, answer = query(url, 'sum:acme.lag{*}', start, start + 3600)
    assert found['*']['interval'] == 20 and found['*']['length'] == 60
    assert found['*']['pointlist'][:2] == [[start * 1000, 100.0], [(start + 60) * 1000, 101.0]]
    assert (answer['status'], answer['from_date'], answer['to_date']) == ('ok', start * 1000, (start + 3600) * 1000)
    found, _ = query(url, 'avg:acme.lag{env:dev}.rollup(max, 60)', start + 60, start + 240)
    assert [value for _, value in found['env:dev']['pointlist']] == [1.0, 2.0, 3.0]
    grouped, answer = query(url, 'avg:acme.lag{*} by {host}', start, start + 3600)
    assert grouped.keys() == {'host:a', 'host:b'} and answer['group_by'] == ['host']
    assert grouped['host:a']['tag_set'] == ['host:a']
    assert query(url, 'avg:acme.none{*}', start, start + 60)[0] == {}


def test_a_formula_is_drawn(drawn):
    url, start = drawn
    queries = [
        {'data_source': 'metrics', 'name': 'a', 'query': 'avg:acme.lag{host:a}'},
        {'data_source': 'metrics', 'name': 'b', 'query': 'avg:acme.lag{host:b}'},
    ]
    attributes = {
        'from': start * 1000,
        'to': (start + 3600) * 1000,
        'interval': 60_000,
        'queries': queries,
        'formulas': [{'formula': 'b - a'}, {'formula': 'a'}],
    }
    body = {'data': {'type': 'timeseries_request', 'attributes': attributes}}
    status, answer = send(url, 'POST', '/api/v2/query/timeseries', body)
    assert status == 200, answer
    found = answer['data']['attributes']
    assert len(found['times']) == 60 and found['times'][0] == start * 1000
    assert found['values'][0][:3] == [100.0, 99.0, 98.0] and found['values'][1][-1] == 59.0
    assert [one['query_index'] for one in found['series']] == [0, 1]
    body['data']['type'] = 'timeseries'
    assert 'Invalid type' in json.dumps(send(url, 'POST', '/api/v2/query/timeseries', body))


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        pytest.param('avg:acme.lag{', 'Error parsing query', id='syntax'),
        pytest.param("anomalies(avg:acme.lag{*}, 'basic', 2)", 'anomalies', id='outside-the-subset'),
    ],
)
def test_a_query_is_refused(drawn, text, words):
    url, start = drawn
    path = f'/api/v1/query?from={start}&to={start + 60}&query={text.replace(" ", "%20")}'
    status, answer = send(url, 'GET', path)
    assert status == 400 and words in answer['errors'][0]
    assert send(url, 'GET', '/api/v1/query?from=a&to=9&query=avg:a{*}')[0] == 400
    assert send(url, 'GET', '/api/v1/query?from=0&to=900000000&query=avg:a{*}')[0] == 400


# Validation

SLO = {
    'name': 'Load',
    'type': 'metric',
    'thresholds': [{'timeframe': '7d', 'target': 99}],
    'query': {'numerator': 'sum:a{b:c}.as_count()', 'denominator': 'sum:a{*}.as_count()'},
}
BAD_LAYOUT = {**DASHBOARD, 'layout_type': 'orderd'}
BAD_OPTIONS = {**MONITOR, 'options': {'renotify_interval': 'often', 'thresholds': {'critical': 'high'}}}


@pytest.mark.parametrize(
    ('path', 'body', 'words'),
    [
        pytest.param('/api/v1/dashboard', BAD_LAYOUT, ["'orderd'"], id='dashboard'),
        pytest.param('/api/v1/dashboard', {'title': 'x'}, ['layout_type'], id='key-missing'),
        pytest.param('/api/v1/dashboard', {**DASHBOARD, 'widgets': [3]}, ['widgets[0]'], id='no-object'),
        pytest.param('/api/v1/dashboard', [], ['an object'], id='list'),
        pytest.param('/api/v1/dashboard', None, ['an object'], id='no-body'),
        pytest.param('/api/v1/monitor', BAD_OPTIONS, ['renotify_interval', 'critical'], id='monitor'),
        pytest.param('/api/v1/monitor', {**MONITOR, 'query': 'avg(last_5m):avg:a{ > 1'}, ['expected'], id='query'),
        pytest.param('/api/v1/monitor', {**MONITOR, 'query': 3}, ['query'], id='query-of-a-number'),
        pytest.param('/api/v1/monitor', {'name': 'x'}, ['type is missing', 'query is missing'], id='keys-missing'),
        pytest.param('/api/v1/monitor/validate', BAD_OPTIONS, ['renotify_interval'], id='validate'),
        pytest.param('/api/v2/downtime', {'data': {'attributes': {}}}, ['scope is missing'], id='downtime'),
        pytest.param('/api/v2/downtime', {'data': 3}, ['an object'], id='downtime-of-a-number'),
        pytest.param(
            '/api/v2/monitor/notification_rule',
            {'data': {'attributes': {**RULE_ATTRIBUTES, 'recipients': 'slack-a'}}},
            ['recipients'],
            id='rule',
        ),
        pytest.param(
            '/api/v1/slo', {**SLO, 'thresholds': [{'timeframe': '7d', 'target': 100}]}, ['below 100'], id='slo'
        ),
        pytest.param('/api/v1/slo', {**SLO, 'query': None}, ['must specify the query'], id='slo-of-nothing'),
        pytest.param('/api/v1/slo', {'thresholds': 3}, ['type is missing', 'thresholds'], id='slo-key-missing'),
        pytest.param('/api/v1/slo', None, ['an object'], id='slo-no-body'),
        pytest.param('/api/v1/events', {'text': 'x'}, ['title'], id='event'),
        pytest.param('/api/v1/events', {'title': 'x', 'text': 'y', 'tags': 'a:b'}, ['tags'], id='event-tags'),
        pytest.param('/api/v1/events', {'title': 'x', 'text': 'y', 'date_happened': 'z'}, ['date_h'], id='event-time'),
    ],
)
def test_an_object_is_refused_with_every_error(path, body, words):
    with Store() as store, Server(Sandbox(store, KEYS)) as server:
        status, answer = send(server.url, 'POST', path, body)
        assert status == 400, answer
        for word in words:
            assert any(word in error for error in answer['errors']), answer
        assert [one for kind in listed(server.url) for one in (kind.values() if isinstance(kind, dict) else kind)]


def test_a_monitor_is_refused_by_an_update_and_stays():
    with Store() as store, Server(Sandbox(store, KEYS)) as server:
        _, monitor = send(server.url, 'POST', '/api/v1/monitor', MONITOR)
        path = f'/api/v1/monitor/{monitor["id"]}'
        assert send(server.url, 'PUT', path, {'options': {'thresholds': {'critical': []}}})[0] == 400
        assert send(server.url, 'PUT', path, [])[0] == 400
        assert send(server.url, 'GET', path)[1]['options'] == monitor['options']


def test_the_tables_refuse_nothing_that_datadog_accepted(specification, cassettes):
    """Each recorded creation that succeeded is accepted; the replay compares what the sandbox makes of it."""
    kinds = {
        'CreateDashboard': 'dashboard',
        'CreateMonitor': 'monitor',
        'CreateDowntime': 'downtime',
        'CreateMonitorNotificationRule': 'monitor-notification-rule',
        'CreateSLO': 'slo',
    }
    accepted = 0
    for recording in (one for cassette in cassettes.values() for one in cassette):
        operation = specification.operation(recording.method, recording.path)
        if operation is None or operation.name not in kinds or recording.status != 200:
            continue
        body = json.loads(recording.body)
        attributes = body['data']['attributes'] if 'data' in body else body
        validation.check(kinds[operation.name], attributes, lambda: None)
        accepted += 1
    assert accepted == 198
