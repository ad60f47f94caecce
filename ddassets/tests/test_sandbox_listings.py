"""The sandbox: hosts, metrics, the search for events, and what `ddassets check --send` brings."""

import json
import os
import subprocess
import sys

import pytest
from loopback.keys import API_KEY, APP_KEY
from test_sandbox_intake import HOST_METADATA, NOW, SERIES, points, process, send, shown_keys

from ddassets.sandbox.events import add_event
from ddassets.sandbox.keys import Keys
from ddassets.sandbox.sandbox import Sandbox
from ddassets.sandbox.server import Server
from ddassets.sandbox.store import Source, Store


@pytest.fixture
def sandbox():
    with Store() as store:
        made = Sandbox(store, Keys.of([API_KEY], [APP_KEY]))
        made.clock.drive(NOW)
        yield made


@pytest.fixture
def url(sandbox):
    with Server(sandbox) as server:
        yield server.url


def test_hosts_are_listed_with_their_tags(sandbox, url):
    gohai = '{"network": {"ipaddress": "192.0.2.7"}}'
    send(url, 'POST', '/intake/', {**HOST_METADATA, 'gohai': gohai})
    send(url, 'POST', '/api/v1/series', {'series': [{**SERIES, 'host': 'other'}]})
    status, answer = send(url, 'GET', '/api/v1/hosts?include_hosts_metadata=true')
    assert status == 200 and answer['total_matching'] == 2
    desktop, other = answer['host_list']
    assert (desktop['name'], desktop['up'], desktop['last_reported_time']) == ('desktop', True, NOW)
    tags = ['host:desktop', 'env:dev', 'home:desktop', 'interview', 'role:testing']
    assert desktop['tags_by_source'] == {'Datadog': tags} and other['tags_by_source'] == {'Datadog': ['host:other']}
    assert json.loads(desktop['meta']['gohai'])['network']['ipaddress'] == '192.0.2.7'
    assert desktop['meta']['agent_version'] == '7.82.1'
    for filter, names in (('host:other', ['other']), ('esk', ['desktop']), ('env:dev', ['desktop']), ('none', [])):
        listed = send(url, 'GET', f'/api/v1/hosts?filter={filter}')[1]['host_list']
        assert [one['name'] for one in listed] == names and not any('meta' in one for one in listed)
    assert send(url, 'GET', '/api/v1/hosts?count=1&start=1')[1]['host_list'][0]['name'] == 'other'
    sandbox.clock.drive(NOW + 4 * 3600)
    assert send(url, 'GET', '/api/v1/hosts')[1]['host_list'] == []
    assert [one['up'] for one in send(url, 'GET', '/api/v1/hosts?from=0')[1]['host_list']] == [False, False]
    assert send(url, 'GET', '/api/v1/hosts?from=x')[0] == 400


def test_metrics_are_described(sandbox, url):
    sandbox.store.write(
        lambda change: change.add_points([(Source('acme.lag', ('k:v',), 'a', 'count', 10, 'second'), [(NOW, 1.0)])])
    )
    _, found = send(url, 'GET', '/api/v1/metrics/acme.lag')
    assert found == {'type': 'count', 'unit': 'second'}
    assert send(url, 'GET', '/api/v1/metrics/acme.none')[0] == 404
    assert send(url, 'GET', '/api/v2/metrics')[1]['data'] == [{'type': 'metrics', 'id': 'acme.lag'}]
    _, found = send(url, 'GET', '/api/v2/metrics/acme.lag/all-tags')
    assert found['data']['attributes'] == {'tags': ['host:a', 'k:v']}


TRANSITION = {
    'title': '[P2] [Triggered on {site:eu}] Lag',
    'status': 'error',
    'monitor_id': 4711,
    'monitor_groups': ['site:eu'],
    'monitor': {
        'id': 4711,
        'name': 'Lag',
        'groups': ['site:eu'],
        'transition': {'source_state': 'OK', 'destination_state': 'Alert', 'transition_type': 'alert'},
        'result': {'result_ts': NOW - 60, 'group_key': 'site:eu'},
    },
}


@pytest.fixture
def events(sandbox):
    """Three events, a minute apart: of a monitor, of a sender, of the monitor."""
    recovery = json.loads(json.dumps(TRANSITION))
    recovery['monitor']['transition'] = {
        'source_state': 'Alert',
        'destination_state': 'OK',
        'transition_type': 'alert recovery',
    }
    fields = {'title': TRANSITION['title'], 'text': 'body', 'tags': ['monitor', 'site:eu'], 'alert_type': 'error'}
    moment = sandbox.clock.moment()

    def write(change):
        first = {**fields, 'date_happened': NOW - 120, 'attributes': TRANSITION}
        add_event(change, first, moment, '', monitor='4711')
        plain = {'title': 'Deployed', 'text': 'x', 'tags': ['service:shop'], 'date_happened': NOW - 60}
        add_event(change, plain, moment, '')
        last = {**fields, 'date_happened': NOW, 'alert_type': 'success', 'attributes': recovery}
        add_event(change, last, moment, '', monitor='4711')

    sandbox.store.write(write)


def found(url, query, **more):
    filter = {'query': query, 'from': 'now-1h', 'to': 'now'}
    status, answer = send(url, 'POST', '/api/v2/events/search', {'filter': filter, **more})
    assert status == 200, answer
    return [(one['attributes']['attributes']['timestamp'] // 1000 - NOW) for one in answer['data']], answer


@pytest.mark.parametrize(
    ('query', 'instants'),
    [
        pytest.param('', [-120, -60, 0], id='all'),
        pytest.param('*', [-120, -60, 0], id='star'),
        pytest.param('source:alert', [-120, 0], id='source'),
        pytest.param('source:alert @monitor.id:4711', [-120, 0], id='monitor'),
        pytest.param('@monitor.id:4712', [], id='another-monitor'),
        pytest.param('@monitor.transition.transition_type:alert', [-120], id='transition'),
        pytest.param(
            '@monitor.id:4711 @monitor.transition.transition_type:(alert OR "alert recovery")', [-120, 0], id='either'
        ),
        pytest.param('@monitor.groups:"site:eu"', [-120, 0], id='group'),
        pytest.param('-source:alert', [-60], id='not'),
        pytest.param('NOT source:alert', [-60], id='not-in-words'),
        pytest.param('service:shop', [-60], id='tag'),
        pytest.param('service:sh*', [-60], id='wildcard'),
        pytest.param('deployed', [-60], id='word'),
    ],
)
def test_events_are_found(url, events, query, instants):
    assert found(url, query)[0] == instants


def test_a_transition_has_the_fields_that_backtests_read(url, events):
    event = found(url, '@monitor.id:4711')[1]['data'][0]
    assert event['type'] == 'event' and event['attributes']['message'] == 'body'
    assert event['attributes']['tags'] == ['monitor', 'site:eu']
    inner = event['attributes']['attributes']
    assert inner.items() >= TRANSITION.items() and inner['evt']['id'] == event['id']


def test_events_come_in_pages_and_in_both_orders(url, events):
    seen, cursor = [], {}
    for _ in range(3):
        instants, answer = found(url, '*', page={'limit': 1, **cursor}, sort='-timestamp')
        seen += instants
        after = answer.get('meta', {}).get('page', {}).get('after')
        cursor = {'cursor': after}
    assert seen == [0, -60, -120] and after is None


@pytest.mark.parametrize(
    ('body', 'words'),
    [
        pytest.param({'filter': {'query': 'a:b OR c:d'}}, 'OR c:d', id='or'),
        pytest.param({'filter': {'query': 'a:(b'}}, 'column', id='parenthesis'),
        pytest.param({'filter': {'from': 'yesterday'}}, 'filter.from', id='from'),
        pytest.param({'page': {'limit': 1001}}, 'page.limit', id='limit'),
        pytest.param({'page': {'cursor': 'x'}}, 'page.cursor', id='cursor'),
        pytest.param({'sort': 'title'}, 'sort', id='sort'),
    ],
)
def test_a_search_is_refused(url, body, words):
    status, answer = send(url, 'POST', '/api/v2/events/search', body)
    assert status == 400 and words in answer['errors'][0], answer


# ddassets check --send


def test_a_check_sends_what_it_collects(integration, tmp_path):
    (tmp_path / 'conf.yaml').write_text('instances: [{mode: talk}]')
    command = [sys.executable, '-m', 'ddassets', 'check', str(integration), '--config', str(tmp_path / 'conf.yaml')]
    with process(tmp_path / 'data', '--quiet') as (_, url, said):
        api_key, app_key = shown_keys(said)
        environment = os.environ | {'DD_API_KEY': api_key}
        done = subprocess.run(
            [*command, '--rate', '--send', url], env=environment, capture_output=True, text=True, timeout=300
        )
        assert api_key not in done.stdout + done.stderr
        # The event of the check is of 1970.
        assert done.returncode == 1 and 'Event too far in the past' in done.stderr, done.stderr
        assert 'sent 2 points, 1 service check' in done.stderr
        _, listed = send(url, 'GET', '/api/v2/metrics', keys=(api_key, app_key))
        assert [one['id'] for one in listed['data']] == ['tiny.level', 'tiny.runs', 'tiny.turns']
        refused = subprocess.run(
            [*command, '--send', url], env=environment | {'DD_API_KEY': 'c' * 32}, capture_output=True, text=True
        )
        assert refused.returncode == 1 and 'refuses the keys for POST' in refused.stderr
    with Store(tmp_path / 'data') as store:
        # Both runs may end in the same second, whose last value stands.
        assert sum(map(len, points(store, 'tiny.level', end=1e11).values())) in (1, 2)
        (up,) = store.runs('tiny.up', 0, 1e11)
        assert up.tags >= {'host:generic'} and set(up.values) == {0.0}


@pytest.mark.parametrize(
    ('environment', 'arguments', 'words'),
    [
        pytest.param({'DD_API_KEY': API_KEY}, ['--send'], '--send http://127.0.0.1:9700', id='no-address'),
        pytest.param({}, ['--send', 'http://127.0.0.1:9'], '--send needs DD_API_KEY', id='no-key'),
        pytest.param({'DD_API_KEY': API_KEY}, ['--send', 'http://example.com'], 'https', id='not-this-machine'),
    ],
)
def test_sending_is_refused_before_anything_is_built(integration, environment, arguments, words):
    plain = {name: value for name, value in os.environ.items() if not name.startswith(('DD_', 'DDASSETS_'))}
    done = subprocess.run(
        [sys.executable, '-m', 'ddassets', 'check', str(integration), *arguments],
        env=plain | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and words in done.stderr and 'building' not in done.stderr
