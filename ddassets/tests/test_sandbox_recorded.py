"""The sandbox's intake, queries and listings beside the OpenAPI documents and recorded exchanges."""

import copy
import json
from collections import Counter

import pytest
from conftest import fetched
from loopback import recordings
from loopback.keys import API_KEY, APP_KEY
from loopback.specification import INTAKE, Specification
from test_sandbox_intake import HOST_METADATA, NOW, SERIES

from ddassets.sandbox.keys import Keys
from ddassets.sandbox.sandbox import Message, Sandbox, encoded
from ddassets.sandbox.store import Store


@pytest.fixture(scope='module')
def documents():
    return fetched(lambda: Specification.load('openapi-intake', INTAKE))


@pytest.fixture(scope='module')
def exchanges(documents):
    """The recorded exchanges at these addresses, each with its operation."""
    cassettes = fetched(lambda: recordings.load('recordings-intake', INTAKE))
    found = [one for cassette in cassettes.values() for one in cassette]
    return [(operation, one) for one in found if (operation := documents.operation(one.method, one.path))]


@pytest.fixture
def sandbox():
    with Store() as store:
        yield Sandbox(store, Keys.of([API_KEY], [APP_KEY]))


def ask(sandbox, method, target, body=b''):
    return sandbox.answer(Message(method, target, {'dd-api-key': API_KEY, 'dd-application-key': APP_KEY}, body))


# Of other products, or more than the sandbox has: metrics by configuration, cursors of pages.
def is_answered(operation, recording):
    if operation.name == 'QueryTimeseriesData':
        queries = json.loads(recording.body)['data']['attributes']['queries']
        return all(query['data_source'] == 'metrics' for query in queries)
    filters = {'filter[tags]', 'filter[configured]', 'page[cursor]'} & recording.query.keys()
    return not filters and b'cursor' not in recording.body


def test_recorded_requests_get_the_recorded_status_and_form(sandbox, exchanges):
    answered = Counter()
    now = 0.0
    for operation, recording in sorted(exchanges, key=lambda pair: pair[1].frozen):
        if not is_answered(operation, recording):
            continue
        now = max(now, recording.frozen.timestamp())
        sandbox.clock.drive(now)
        target = recording.path + ('?' if recording.query else '')
        target += '&'.join(f'{name}={value}' for name, (value,) in recording.query.items()).replace('+', '%2B')
        answer = ask(sandbox, recording.method, target, recording.body)
        assert answer.status == recording.status, (recording.cassette, answer.body)
        assert answer.content_type == recording.content_type, recording.cassette
        recorded = json.loads(recording.answer)
        if answer.status >= 400:
            assert answer.body.keys() == recorded.keys()
        elif operation.name in ('SubmitMetrics', 'SubmitServiceCheck'):
            assert answer.body == recorded
        else:
            assert answer.body.keys() <= recorded.keys()
        answered[operation.name, answer.status] += 1
    assert answered == {
        ('SubmitMetrics', 202): 9,
        ('SubmitServiceCheck', 202): 1,
        ('CreateEvent', 202): 1,
        ('CreateEvent', 400): 1,
        ('SearchEvents', 200): 2,
        ('ListEvents', 200): 3,
        ('ListHosts', 200): 2,
        ('ListTagConfigurations', 200): 1,
        ('ListTagsByMetricName', 200): 1,
        ('QueryTimeseriesData', 200): 1,
        ('QueryTimeseriesData', 400): 1,
    }


def test_the_recorded_points_of_a_query_are_drawn_again(sandbox, exchanges):
    """The times and values of the recording come out of its own points."""
    ((_, recording),) = [
        (operation, one)
        for operation, one in exchanges
        if operation.name == 'QueryTimeseriesData' and is_answered(operation, one) and one.status == 200
    ]
    recorded = json.loads(recording.answer)['data']['attributes']
    name = 'datadog.estimated_usage.metrics.custom'
    points = [[ms // 1000, value] for ms, value in zip(recorded['times'], recorded['values'][0], strict=True)]
    sandbox.clock.drive(points[-1][0])
    ask(sandbox, 'POST', '/api/v1/series', json.dumps({'series': [{'metric': name, 'points': points}]}).encode())
    answer = ask(sandbox, 'POST', recording.path, recording.body)
    found = answer.body['data']['attributes']
    assert [found['times'], found['values'], found['series']] == [
        recorded['times'],
        recorded['values'],
        recorded['series'],
    ]


def test_a_listed_host_has_recorded_keys(sandbox, exchanges):
    sandbox.clock.drive(NOW)
    ask(sandbox, 'POST', '/intake/', json.dumps(HOST_METADATA).encode())
    (host,) = ask(sandbox, 'GET', '/api/v1/hosts?include_hosts_metadata=true').body['host_list']
    for operation, recording in exchanges:
        if operation.name == 'ListHosts':
            for recorded in json.loads(recording.answer)['host_list']:
                assert host.keys() == recorded.keys()
                assert {'gohai', 'agent_version', 'socket-hostname', 'timezones'} <= host['meta'].keys()


EVENT = {'title': 'Page', 'category': 'alert', 'attributes': {'status': 'warn', 'priority': '1'}, 'message': 'm'}
QUERY = {'data_source': 'metrics', 'name': 'a', 'query': 'avg:my_metric{*}'}
TIMESERIES = {'from': (NOW - 3600) * 1000, 'to': NOW * 1000, 'queries': [QUERY], 'formulas': [{'formula': 'a'}]}
V2 = {'metric': 'acme.lag', 'type': 3, 'points': [{'timestamp': NOW, 'value': 1.5}], 'unit': 'second', 'interval': 10}
V1 = {key: value for key, value in SERIES.items() if key != 'source_type_name'}
RUN = {'check': 'acme.ok', 'host_name': 'h', 'status': 0, 'tags': [], 'timestamp': NOW, 'message': ''}
# In this order: later ones ask for what earlier ones brought.
REQUESTS = [
    ('POST', '/api/v1/series', {'series': [V1]}),
    ('POST', '/api/v2/series', {'series': [V2]}),
    ('POST', '/api/v1/check_run', [RUN]),
    ('POST', '/api/v2/events', {'data': {'type': 'event', 'attributes': EVENT}}),
    ('POST', '/api/v2/events/search', {'filter': {'query': '*', 'from': 'now-1h', 'to': 'now'}, 'page': {'limit': 5}}),
    ('GET', '/api/v2/events?filter[query]=*', None),
    ('GET', '/api/v1/hosts?include_hosts_metadata=true', None),
    ('GET', '/api/v1/metrics/my_metric', None),
    ('GET', '/api/v2/metrics', None),
    ('GET', '/api/v2/metrics/my_metric/all-tags', None),
    ('POST', '/api/v2/query/timeseries', {'data': {'type': 'timeseries_request', 'attributes': TIMESERIES}}),
]
# Operations that the documents have at these addresses, and the sandbox does not.
LEFT_OUT = {'UpdateMetricMetadata'}


def test_answers_match_the_documents(sandbox, documents):
    sandbox.clock.drive(NOW)
    asked = []
    for method, target, body in REQUESTS:
        path, _, query = target.partition('?')
        raw = b'' if body is None else json.dumps(body).encode()
        operation = documents.operation(method, path)
        parameters = {name: [value] for name, _, value in [part.partition('=') for part in query.split('&') if part]}
        assert operation.request_faults(parameters, raw) == []
        answer = ask(sandbox, method, target, raw)
        assert answer.status in (200, 202), answer.body
        assert [str(fault) for fault in operation.answer_faults(answer.status, encoded(answer))] == [], path
        asked.append(operation)
    assert {one.name for one in documents.operations if one not in asked} == LEFT_OUT


def test_canary_a_wrong_answer_is_found(sandbox, documents):
    sandbox.clock.drive(NOW)
    ask(sandbox, 'POST', '/api/v1/series', json.dumps({'series': [V1]}).encode())
    answer = ask(sandbox, 'GET', '/api/v1/hosts')
    operation = documents.operation('GET', '/api/v1/hosts')
    wrong = copy.deepcopy(answer.body)
    wrong['host_list'][0]['up'] = 'yes'
    assert operation.answer_faults(200, json.dumps(wrong).encode())
