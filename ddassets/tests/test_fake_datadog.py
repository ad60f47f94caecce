"""The loopback Datadog API: does it answer as the recordings say, and can it fail a test?"""

import copy
import http.client
import json
import re
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from loopback import recordings, source
from loopback.organisation import API_KEY, APP_KEY, OPERATIONS, Organisation, create_dashboard
from loopback.replay import Difference, compare, replay
from loopback.server import FAULTS, WITHOUT_EFFECT

DASHBOARD = {
    'title': 'Load',
    'layout_type': 'ordered',
    'widgets': [{'definition': {'type': 'note', 'content': 'a note'}}],
}
MONITOR = {'name': ' Load ', 'type': 'metric alert', 'query': 'avg(last_5m):avg:system.load.1{*} by {host} > 2'}
DOWNTIME = {
    'data': {'type': 'downtime', 'attributes': {'monitor_identifier': {'monitor_tags': ['*']}, 'scope': 'env:a'}}
}
EVENT = {'title': 'a title', 'text': 'a text'}


def call(fake, method, path, body=None, *, timeout=5.0, keys=(API_KEY, APP_KEY)):
    request = urllib.request.Request(
        fake.url + path,
        None if body is None else json.dumps(body).encode(),
        {'DD-API-KEY': keys[0], 'DD-APPLICATION-KEY': keys[1], 'Content-Type': 'application/json'},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            content = answer.read()
            return answer.status, json.loads(content) if content else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


# Recordings

# What differs from a recording, and why: operation, path, end of the recording's period, reason. The fake is as the
# newest recordings are.
NO_LIMIT = datetime(2100, 1, 1, tzinfo=UTC)
ALLOWED = [
    (r'.*', r'is_read_only', datetime(2025, 6, 1, tzinfo=UTC), 'was added to an answer until 2025'),
    (r'.*', r'experience_type', datetime(2024, 10, 1, tzinfo=UTC), 'was added to an answer once'),
    (r'.*Monitor', r'assets', datetime(2026, 1, 1, tzinfo=UTC), 'is added since 2026'),
    (r'.*Monitor', r'draft_status', datetime(2025, 5, 15, tzinfo=UTC), 'is added since 2025'),
    (r'.*Monitor', r'restriction_policy', datetime(2024, 10, 9, tzinfo=UTC), 'is added since 2024'),
    (r'.*Monitor', r'options\.groupby_simple_monitor', datetime(2023, 6, 1, tzinfo=UTC), 'is added since 2023'),
    (r'.*', r'restricted|run_as|options\.avalanche_window', datetime(2025, 6, 1, tzinfo=UTC), 'were added in May 2025'),
    (r'.*', r'options\.locked|options\.thresholds\.critical', datetime(2022, 2, 1, tzinfo=UTC), 'was so until 2022'),
    (r'UpdateMonitor', r'creator', NO_LIMIT, 'is left out of the answer to an update, where the fake has it'),
    (r'CreateDashboard', r'errors', NO_LIMIT, 'the wording of a fault that the OpenAPI document knows, too'),
    (r'GetMonitor', r'matching_downtimes|options\.silenced\..*|overall_state_modified', NO_LIMIT, 'v1 downtimes'),
    (r'List(Dashboards|Monitors|Downtimes)|SearchMonitors|QueryMetrics', r'.*', NO_LIMIT, "the account's own objects"),
]
# Whole exchanges that cannot be said again, by cassette.
NOT_REPLAYABLE = {
    'v1/test_get_a_synthetics_monitors_details.yaml': 'a monitor made by the synthetics API',
    'v1/test_delete_dashboards_returns_no_content_response.yaml': 'the bulk delete of dashboards',
    'v1/test_restore_deleted_dashboards_returns_no_content_response.yaml': 'the bulk restore of dashboards',
}


def reason(cassette, replayed, difference):
    if cassette in NOT_REPLAYABLE:
        return NOT_REPLAYABLE[cassette]
    for operation, path, until, why in ALLOWED:
        if (
            re.fullmatch(operation, replayed.operation)
            and re.fullmatch(path, difference.path)
            and replayed.recording.frozen < until
        ):
            return why
    return f'{cassette} {replayed.operation}: {difference}'


def test_the_fake_answers_as_was_recorded(specification, cassettes):
    exchanges = [(name, one) for name, cassette in cassettes.items() for one in replay(specification, cassette)]
    differing = Counter()
    for name, replayed in exchanges:
        differing.update({reason(name, replayed, difference) for difference in replayed.differences})
    assert differing == DIFFERING
    same = sum(not one.differences for _, one in exchanges)
    assert (len(cassettes), len(exchanges), same) == (194, 383, SAME)


DIFFERING: dict[str, int] = {}
SAME = 0


def test_every_operation_of_the_documents_is_answered(specification):
    assert {operation.name for operation in specification.operations} == set(OPERATIONS)


@pytest.mark.parametrize(
    'recorded, fake, paths',
    [
        pytest.param({'a': 1}, {'a': 2}, ['a'], id='value'),
        pytest.param({'a': 1}, {'a': 1.0}, ['a'], id='type'),
        pytest.param({'a': {'b': 1}}, {'a': {}}, ['a.b'], id='missing'),
        pytest.param({'a': {}}, {'a': {'b': None}}, ['a.b'], id='added'),
        pytest.param({'a': [{'b': 1}]}, {'a': [{'b': 2}]}, ['a.b'], id='in-a-list'),
        pytest.param({'a': [1, 2]}, {'a': [1]}, ['a'], id='length'),
        pytest.param({'a': ['x', 'y']}, {'a': ['y', 'x']}, [], id='texts-without-order'),
        pytest.param({'id': 1, 'created': 'x'}, {'id': 2, 'created': 'y'}, [], id='ids-and-times'),
        pytest.param({'id': 1}, {}, ['id'], id='id-missing'),
    ],
)
def test_canary_a_drift_is_seen(recorded, fake, paths):
    assert [difference.path for difference in compare(recorded, fake)] == paths
    assert all(isinstance(difference, Difference) for difference in compare(recorded, fake))


def test_canary_another_default_fails_the_replay(specification, cassettes, monkeypatch):
    def without_description(organisation, request):
        answer = create_dashboard(organisation, request)
        return type(answer)(answer.status, {k: v for k, v in answer.body.items() if k != 'restricted_roles'})

    monkeypatch.setitem(OPERATIONS, 'CreateDashboard', without_description)
    name = 'v1/test_get_a_dashboard_returns_ok_response.yaml'
    found = {d.path for one in replay(specification, cassettes[name]) for d in one.differences}
    assert 'restricted_roles' in found


# The OpenAPI documents


def exchanges_of(specification, cassettes):
    for cassette in cassettes.values():
        for recording in cassette:
            if operation := specification.operation(recording.method, recording.path):
                yield operation, recording


def test_what_was_recorded_keeps_to_the_documents(specification, cassettes):
    refused = []
    for operation, recording in exchanges_of(specification, cassettes):
        assert operation.answer_faults(recording.status, recording.answer) == [], recording.cassette
        if operation.request_faults(recording.query, recording.body):
            refused.append((operation.name, recording.status))
    # The server refused these three, too.
    assert sorted(refused) == [('CreateDashboard', 400), ('PATCH', 400)] or all(status == 400 for _, status in refused)
    assert len(refused) == REFUSED


REFUSED = 0
BAD = [
    pytest.param(
        'POST', '/api/v1/dashboard', {**DASHBOARD, 'titel': 'x'}, "'titel' was unexpected", id='CreateDashboard'
    ),
    pytest.param(
        'PUT',
        '/api/v1/dashboard/abc',
        {**DASHBOARD, 'widgets': [{'definition': {'type': 'nota', 'content': 'x'}}]},
        "widgets[0].definition.type: 'nota' is not allowed; did you mean 'note'?",
        id='UpdateDashboard',
    ),
    pytest.param('GET', '/api/v1/dashboard?count=many', None, "?count: 'many' is no integer", id='ListDashboards'),
    pytest.param('GET', '/api/v1/dashboard/abc?x=1', None, '?x: unknown parameter', id='GetDashboard'),
    pytest.param('DELETE', '/api/v1/dashboard/abc', {}, 'a body of 2 bytes', id='DeleteDashboard'),
    pytest.param(
        'POST', '/api/v1/monitor', {'name': 'x', 'type': 'query alert'}, '"query" is a required', id='CreateMonitor'
    ),
    pytest.param('PUT', '/api/v1/monitor/1', {'tags': 'a'}, 'tags: "a" is not of type', id='UpdateMonitor'),
    pytest.param(
        'POST', '/api/v1/monitor/validate', {**MONITOR, 'type': 'quary alert'}, "'query alert'", id='ValidateMonitor'
    ),
    pytest.param('POST', '/api/v1/monitor/1/validate', {**MONITOR, 'x': 1}, "'x' was", id='ValidateExistingMonitor'),
    pytest.param('GET', '/api/v1/monitor?pages=1', None, "did you mean 'page'?", id='ListMonitors'),
    pytest.param('GET', '/api/v1/monitor/1?with_downtimes=yes', None, "'yes' is no boolean", id='GetMonitor'),
    pytest.param('DELETE', '/api/v1/monitor/1?forced=true', None, "did you mean 'force'?", id='DeleteMonitor'),
    pytest.param('GET', '/api/v1/monitor/search?page=a', None, "'a' is no integer", id='SearchMonitors'),
    pytest.param(
        'POST', '/api/v2/downtime', {'data': {'type': 'downtime'}}, '"attributes" is a req', id='CreateDowntime'
    ),
    pytest.param(
        'PATCH',
        '/api/v2/downtime/x',
        {'data': {'attributes': {}, 'id': 'x', 'type': 'down'}},
        'data.type',
        id='UpdateDowntime',
    ),
    pytest.param('GET', '/api/v2/downtime?page[limit]=a', None, "'a' is no integer", id='ListDowntimes'),
    pytest.param('GET', '/api/v2/downtime/x?included=1', None, "did you mean 'include'?", id='GetDowntime'),
    pytest.param('DELETE', '/api/v2/downtime/x?a=1', None, 'unknown parameter', id='CancelDowntime'),
    pytest.param('POST', '/api/v1/events', {'title': 'x'}, '"text" is a required', id='CreateEvent'),
    pytest.param('GET', '/api/v1/events?start=1', None, '?end: the parameter is required', id='ListEvents'),
    pytest.param('GET', '/api/v1/graph/snapshot?start=1&metric_query=x', None, '?end: the', id='GetGraphSnapshot'),
    pytest.param('GET', '/api/v1/query?from=1&query=a', None, '?to: the parameter is required', id='QueryMetrics'),
    pytest.param('GET', '/api/v1/validate?a=1', None, 'unknown parameter', id='Validate'),
    pytest.param('GET', '/api/v2/validate_keys?a=1', None, 'unknown parameter', id='ValidateAPIKey'),
]


@pytest.mark.parametrize('method, path, body, text', BAD)
def test_canary_each_operation_refuses_a_bad_request(datadog, method, path, body, text, request):
    assert call(datadog, method, path, body)[0] == 400
    assert datadog.exchanges[0].operation == request.node.callspec.id
    assert len(datadog.violations) == 1 and text in datadog.violations[0]
    datadog.violations.clear()


def test_each_operation_has_a_canary():
    assert {param.id for param in BAD} == set(OPERATIONS)


def test_canary_a_bad_answer_is_seen(datadog, monkeypatch):
    def broken(organisation, request):
        answer = create_dashboard(organisation, request)
        return type(answer)(200, {**answer.body, 'title': 7})

    monkeypatch.setitem(OPERATIONS, 'CreateDashboard', broken)
    call(datadog, 'POST', '/api/v1/dashboard', DASHBOARD)
    assert len(datadog.violations) == 1 and 'title: 7 is not of type "string"' in datadog.violations[0]
    datadog.violations.clear()


def test_canary_an_unknown_path_is_seen(datadog):
    assert call(datadog, 'GET', '/api/v1/hosts')[0] == 404
    assert 'no such operation' in datadog.violations[0]
    datadog.violations.clear()


def test_canary_an_archive_with_another_hash_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(source, 'folder', lambda: tmp_path)
    (tmp_path / source.FILE).write_bytes(b'not it')
    with pytest.raises(ValueError, match='sha256 is'):
        source.archive()
    assert not (tmp_path / source.FILE).exists()


def test_without_a_network_the_source_is_unreachable(monkeypatch, tmp_path):
    monkeypatch.setattr(source, 'folder', lambda: tmp_path)
    for name in source.INDEXES:
        monkeypatch.setenv(name, 'http://127.0.0.1:1/simple')
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    with pytest.raises(source.Unreachable, match='127.0.0.1:1/simple/datadog-api-client/'):
        source.archive()


# State


@pytest.mark.parametrize(
    'keys, status, text',
    [
        pytest.param(('', ''), 403, 'API key required', id='none'),
        pytest.param(('x', APP_KEY), 403, 'Forbidden', id='wrong-api-key'),
        pytest.param((API_KEY, ''), 403, 'Forbidden', id='no-application-key'),
    ],
)
def test_keys(datadog, keys, status, text):
    assert call(datadog, 'GET', '/api/v1/dashboard', keys=keys) == (status, {'errors': [text]})


@pytest.mark.parametrize('path', ['/api/v1/validate'])
def test_the_api_key_alone_is_enough(datadog, path):
    assert call(datadog, 'GET', path, keys=(API_KEY, '')) == (200, {'valid': True})
    assert call(datadog, 'POST', '/api/v1/events', EVENT, keys=(API_KEY, ''))[0] == 202


@pytest.mark.parametrize(
    'path, sizes, entries',
    [
        pytest.param('/api/v1/dashboard?start={}&count=90', [90, 90, 20], lambda a: a['dashboards'], id='dashboards'),
        pytest.param('/api/v1/dashboard?start={}', [100, 100], lambda a: a['dashboards'], id='dashboards-default'),
        pytest.param('/api/v2/downtime?page[offset]={}', [20], lambda a: a['data'], id='downtimes'),
    ],
)
def test_listings_come_in_pages_by_offset(datadog, path, sizes, entries):
    datadog.organisation.seed_foreign(200)
    found, pages = [], []
    while True:
        page = entries(call(datadog, 'GET', path.format(len(found)))[1])
        if not page:
            break
        pages.append(len(page))
        found += [entry['id'] for entry in page]
    assert pages == sizes and len(set(found)) == sum(sizes)


def test_monitors_come_in_pages_or_all_at_once(datadog):
    datadog.organisation.seed_foreign(200)
    sizes = [len(call(datadog, 'GET', f'/api/v1/monitor?page={i}')[1]) for i in range(3)]
    assert sizes == [100, 100, 0]
    everything = call(datadog, 'GET', '/api/v1/monitor')[1]
    assert len(everything) == 200
    after = call(datadog, 'GET', f'/api/v1/monitor?id_offset={everything[9]["id"]}&page_size=5')[1]
    assert [m['id'] for m in after] == [m['id'] for m in everything[10:15]]
    assert call(datadog, 'GET', '/api/v1/monitor?monitor_tags=team:foreign,env:x')[1] == []


def test_canary_a_change_of_a_foreign_object_is_seen(datadog):
    datadog.organisation.seed_foreign(2)
    id, before = next(iter(datadog.organisation.monitors.items()))
    call(datadog, 'PUT', f'/api/v1/monitor/{id}', {'tags': []})
    dashboard = next(iter(datadog.organisation.dashboards))
    call(datadog, 'DELETE', f'/api/v1/dashboard/{dashboard}')
    assert datadog.organisation.foreign_changes() == [dashboard, str(id)]
    datadog.organisation._foreign = None


def test_a_downtime_is_refused_twice_and_listed_after_it_is_cancelled(datadog):
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    datadog.organisation.clock = lambda: now
    _, made = call(datadog, 'POST', '/api/v2/downtime', DOWNTIME)
    assert call(datadog, 'POST', '/api/v2/downtime', DOWNTIME)[0] == 400
    path = f'/api/v2/downtime/{made["data"]["id"]}'
    assert [call(datadog, 'DELETE', path)[0] for _ in range(2)] == [204, 204]
    listed = call(datadog, 'GET', '/api/v2/downtime')[1]['data']
    assert [one['attributes']['status'] for one in listed] == ['canceled']
    assert call(datadog, 'GET', '/api/v2/downtime?current_only=true')[1]['data'] == []
    assert call(datadog, 'POST', '/api/v2/downtime', DOWNTIME)[0] == 200
    now += timedelta(days=3)
    assert len(call(datadog, 'GET', '/api/v2/downtime')[1]['data']) == 1


RECURRING = {
    'timezone': 'Europe/Berlin',
    'recurrences': [{'start': '2027-01-04T19:00:00', 'duration': '14h', 'rrule': 'FREQ=WEEKLY;BYDAY=MO,TU'}],
}


@pytest.mark.parametrize(
    'attributes, text',
    [
        pytest.param({'schedule': {'start': '2026-11-01T00:00:00Z'}}, 'past', id='past-start'),
        pytest.param(
            {'schedule': {'recurrences': [{'start': '2026-01-05T19:00', 'duration': '1h', 'rrule': 'FREQ=DAILY'}]}},
            'past',
            id='past-recurrence',
        ),
        pytest.param({'schedule': RECURRING, 'display_timezone': 'UTC'}, 'must be equal', id='time-zones'),
        pytest.param(
            {'schedule': {'recurrences': [{'duration': '1h', 'rrule': 'DTSTART=20270101;FREQ=DAILY'}]}},
            'DTSTART',
            id='dtstart',
        ),
        pytest.param({'scope': 'nothing'}, 'All values must have a key', id='scope'),
    ],
)
def test_a_downtime_is_refused(datadog, attributes, text):
    datadog.organisation.clock = lambda: datetime(2026, 11, 24, 12, tzinfo=UTC)
    body = copy.deepcopy(DOWNTIME)
    body['data']['attributes'] |= attributes
    status, answer = call(datadog, 'POST', '/api/v2/downtime', body)
    assert status == 400 and text in answer['errors'][0]


def test_a_recurring_downtime_has_a_next_window(datadog):
    datadog.organisation.clock = lambda: datetime(2026, 11, 24, 12, tzinfo=UTC)
    body = copy.deepcopy(DOWNTIME)
    body['data']['attributes']['schedule'] = RECURRING
    attributes = call(datadog, 'POST', '/api/v2/downtime', body)[1]['data']['attributes']
    assert attributes['status'] == 'scheduled' and attributes['display_timezone'] == 'Europe/Berlin'
    window = {'start': '2027-01-04T18:00:00.000000+00:00', 'end': '2027-01-05T08:00:00.000000+00:00'}
    assert attributes['schedule']['current_downtime'] == window


def test_a_picture_is_there_after_its_address(datadog):
    datadog.organisation.renders_after = 2
    _, answer = call(datadog, 'GET', '/api/v1/graph/snapshot?start=1&end=2&metric_query=avg:a{*}')
    sizes = []
    for _ in range(4):
        with urllib.request.urlopen(answer['snapshot_url'], timeout=5) as picture:
            sizes.append(int.from_bytes(picture.read()[16:20]))
    assert sizes == [1, 1, 600, 600]
    assert datadog.counts() == {'GetGraphSnapshot': 1, 'picture': 4}


def test_the_last_point_of_a_metric(datadog):
    datadog.organisation.series['my.metric'] = [(100, 1.0), (145, 2.0)]
    _, answer = call(datadog, 'GET', '/api/v1/query?from=120&to=200&query=avg:my.metric{*}')
    assert answer['series'][0]['pointlist'] == [[145000, 2.0]]


def test_the_fingerprint_knows_neither_ids_nor_order_nor_what_was_cancelled():
    one, other = Organisation(), Organisation()
    for organisation, titles in ((one, 'ab'), (other, 'xba')):
        for title in titles:
            organisation.answer(
                'CreateDashboard', {}, {**copy.deepcopy(DASHBOARD), 'title': title}, '', API_KEY, APP_KEY
            )
    assert one.fingerprint() != other.fingerprint()
    other.answer('DeleteDashboard', {}, None, next(iter(other.dashboards)), API_KEY, APP_KEY)
    assert one.fingerprint() == other.fingerprint()


# Faults


@pytest.mark.parametrize('kind', FAULTS)
def test_a_fault_hides_from_the_client_what_became_of_its_request(datadog, kind):
    datadog.inject(1, kind)
    datadog.patience = 0.4
    with pytest.raises((OSError, ValueError, AssertionError, http.client.HTTPException)):
        status, _ = call(datadog, 'POST', '/api/v1/dashboard', DASHBOARD, timeout=0.2)
        assert status == 200
    _, listed = call(datadog, 'GET', '/api/v1/dashboard')
    assert len(listed['dashboards']) == (0 if kind in WITHOUT_EFFECT else 1)
    assert datadog.exchanges[0].status is None and datadog.exchanges[1].status == 200


def test_too_many_requests_says_when_to_come_again(datadog):
    datadog.inject(1, '429')
    connection = http.client.HTTPConnection('127.0.0.1', int(datadog.url.rpartition(':')[2]), timeout=5)
    connection.request('GET', '/api/v1/monitor')
    answer = connection.getresponse()
    assert (answer.status, answer.getheader('X-Ratelimit-Reset')) == (429, '1')
    answer.read()
    # The connection is kept.
    connection.request('GET', '/api/v1/validate', headers={'DD-API-KEY': API_KEY})
    assert connection.getresponse().status == 200
    connection.close()


def test_the_clock_of_the_server_is_the_organisations(datadog):
    datadog.organisation.clock = lambda: datetime(2026, 11, 24, 12, tzinfo=UTC)
    with urllib.request.urlopen(
        urllib.request.Request(f'{datadog.url}/api/v1/validate', headers={'DD-API-KEY': API_KEY}), timeout=5
    ) as answer:
        assert answer.headers['Date'] == 'Tue, 24 Nov 2026 12:00:00 GMT'


def test_an_event_long_past_is_refused_in_plain_text(datadog):
    status, answer = call(datadog, 'POST', '/api/v1/events', {**EVENT, 'date_happened': 1})
    assert (status, recordings.parsed(json.dumps(answer).encode())) == (400, {'errors': ['Event too far in the past']})
