"""The loopback Datadog API: whether it answers like the recordings, and whether it can fail a test."""

import copy
import http.client
import json
import re
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from loopback import recordings, source
from loopback.keys import API_KEY, APP_KEY
from loopback.organisation import OPERATIONS, Organisation
from loopback.replay import compare, replay
from loopback.server import FAULTS, WITHOUT_EFFECT

from ddassets.sandbox.dashboards import create_dashboard
from ddassets.sandbox.request import Answer

DASHBOARD = {
    'title': 'Load',
    'layout_type': 'ordered',
    'widgets': [{'definition': {'type': 'note', 'content': 'a note'}}],
}
MONITOR = {'name': ' Load ', 'type': 'metric alert', 'query': 'avg(last_5m):avg:system.load.1{*} by {host} > 2'}
DOWNTIME = {
    'data': {'type': 'downtime', 'attributes': {'monitor_identifier': {'monitor_tags': ['*']}, 'scope': 'env:a'}}
}
RULE: dict[str, dict[str, Any]] = {
    'data': {
        'type': 'monitor-notification-rule',
        'attributes': {'name': 'Load', 'filter': {'tags': ['a:b']}, 'recipients': ['slack-a']},
    }
}
SLO: dict[str, Any] = {
    'name': 'Load',
    'type': 'metric',
    'thresholds': [{'timeframe': '7d', 'target': 99, 'warning': 99.5}],
    'query': {'numerator': 'sum:a{b:c}.as_count()', 'denominator': 'sum:a{*}.as_count()'},
}
SLO_OF_MONITORS = {
    'name': 'Load',
    'type': 'monitor',
    'thresholds': [{'timeframe': '7d', 'target': 99}],
    'monitor_ids': [1],
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

# What differs from a recording: operation, change, the day from which no recording may differ so any more, how many
# exchanges do, and why. The fake is as the newest recordings are.
ALWAYS = '2100-01-01'
ALLOWED = [
    (r'.*Dashboards?', r'-is_read_only', '2025-06-30', 88, 'a dashboard has is_read_only no longer'),
    (r'CreateDashboard', r'-experience_type', '2024-09-25', 1, 'experience_type was seen once'),
    (r'.*Monitor', r'\+assets', '2025-11-21', 22, 'a monitor has assets since'),
    (r'.*Monitor', r'\+draft_status', '2025-05-14', 19, 'a monitor has draft_status since'),
    (r'CreateMonitor', r'\+restriction_policy', '2024-10-09', 7, 'a monitor has restriction_policy since'),
    (r'.*Monitor', r'\+options\.groupby_simple_monitor', '2023-05-23', 2, 'groupby_simple_monitor is filled in since'),
    (r'.*', r'-(restricted|run_as|options\.avalanche_window)', '2025-05-15', 3, 'these were seen on one day'),
    (r'.*', r'-options\.locked|options\.thresholds\.critical', '2022-01-07', 1, 'a log monitor was as asked for'),
    (r'GetMonitor', r'matching_downtimes|-options\.silenced\..*|overall_state_modified', ALWAYS, 1, 'a v1 downtime'),
    (r'CreateDashboard', r'errors', ALWAYS, 2, 'the fault is known to the OpenAPI document, which words it otherwise'),
    (r'SearchMonitors', r'counts\..*|metadata\.(total|page)_count', ALWAYS, 1, '30 of 199 monitors were recorded'),
    (r'ListDowntimes', r'meta\.page\.total_filtered_count', ALWAYS, 1, '30 of 1049 downtimes were recorded'),
    (r'.*NotificationRule', r'-included\.attributes\.(uuid|last_login_time)', ALWAYS, 6, 'more is told of a user'),
    (r'CreateSLO', r'\+data\.(timeframe|(target|warning)_threshold)', '2022-11-18', 5, 'an SLO has these since'),
    (r'QueryMetrics', r'series\.unit', ALWAYS, 1, 'no metric has a unit'),
]
# Whole exchanges that cannot be said again, by cassette: how many, and why.
NOT_REPLAYABLE = {
    'v1/test_get_a_synthetics_monitors_details.yaml': (1, 'a monitor made by the synthetics API'),
    'v1/test_delete_dashboards_returns_no_content_response.yaml': (2, 'the bulk delete of dashboards'),
    'v1/test_restore_deleted_dashboards_returns_no_content_response.yaml': (2, 'the bulk restore of dashboards'),
}


def reason(cassette, replayed, difference):
    """Return why the loopback API may differ; otherwise a description of the difference."""
    if cassette in NOT_REPLAYABLE:
        return NOT_REPLAYABLE[cassette][1]
    for operation, change, until, _, why in ALLOWED:
        if (
            re.fullmatch(operation, replayed.operation)
            and re.fullmatch(change, difference.change)
            and str(replayed.recording.frozen) < until
        ):
            return why
    return f'{cassette} {replayed.operation}: {difference}'


def reasons(specification, cassettes):
    """How many exchanges differ for each reason."""
    found = Counter()
    for name, cassette in cassettes.items():
        for replayed in replay(specification, cassette):
            found.update({reason(name, replayed, difference) for difference in replayed.differences})
    return found


def test_the_fake_answers_like_the_recordings(specification, cassettes):
    exchanges = [one for cassette in cassettes.values() for one in replay(specification, cassette)]
    # An allowance that is used less than it says is as wrong as one that is used more.
    allowed = {why: count for *_, count, why in ALLOWED} | {why: count for count, why in NOT_REPLAYABLE.values()}
    assert reasons(specification, cassettes) == allowed
    same = sum(not one.differences for one in exchanges)
    assert (len(cassettes), len(exchanges), same) == (230, 470, 339)


@pytest.mark.parametrize(
    'path, body, listing, entries, since',
    [
        pytest.param(
            '/api/v1/dashboard', DASHBOARD, 'ListDashboards', lambda a: a['dashboards'], set(), id='dashboard'
        ),
        pytest.param('/api/v1/monitor', MONITOR, 'ListMonitors', lambda a: a, {'assets', 'draft_status'}, id='monitor'),
        pytest.param('/api/v1/monitor', MONITOR, 'SearchMonitors', lambda a: a['monitors'], set(), id='search'),
        pytest.param('/api/v2/downtime', DOWNTIME, 'ListDowntimes', lambda a: a['data'], set(), id='downtime'),
        pytest.param(
            '/api/v2/monitor/notification_rule',
            RULE,
            'GetMonitorNotificationRules',
            lambda a: a['data'],
            set(),
            id='notification rule',
        ),
        pytest.param('/api/v1/slo', SLO_OF_MONITORS, 'ListSLOs', lambda a: a['data'], set(), id='slo'),
    ],
)
def test_a_listing_has_the_recorded_keys(datadog, specification, cassettes, path, body, listing, entries, since):
    call(datadog, 'POST', path, body)
    ((operation, recording),) = [
        (operation, one) for operation, one in exchanges_of(specification, cassettes) if operation.name == listing
    ][-1:]
    found = entries(call(datadog, 'GET', operation.path)[1])
    recorded = entries(json.loads(recording.answer))
    assert set(found[0]) - set(recorded[0]) == since and set(recorded[0]) <= set(found[0])


# No exchange with these was recorded; the rest of them was, with an answer that has a body.
NOT_RECORDED = {'GetGraphSnapshot', 'ListEvents', 'ValidateAPIKey'}
WITHOUT_BODY = {'CancelDowntime', 'DeleteMonitorNotificationRule', 'ValidateMonitor', 'ValidateExistingMonitor'}


def test_operations_without_recordings(specification, cassettes):
    recorded = {operation.name for operation, _ in exchanges_of(specification, cassettes)}
    assert set(OPERATIONS) - recorded == NOT_RECORDED


@pytest.mark.parametrize('operation', sorted(set(OPERATIONS) - NOT_RECORDED - WITHOUT_BODY))
def test_canary_a_key_less_in_any_answer_fails_the_replay(specification, cassettes, monkeypatch, operation):
    """Each key of a response, at the first two levels, is removed in turn."""
    concerned = {
        name: cassette
        for name, cassette in cassettes.items()
        if any(one.status == 200 or one.status == 202 for one in cassette)
        and any(op.name == operation for op, _ in exchanges_of(specification, {name: cassette}))
    }
    # A handful of recordings is enough, and the newest are those that the fake is like.
    newest = sorted(concerned, key=lambda name: (concerned[name][0].frozen, name))[-5:]
    concerned = {name: concerned[name] for name in newest}
    act = OPERATIONS[operation]
    answers = []

    def kept(organisation, request):
        answers.append(act(organisation, request))
        return answers[-1]

    monkeypatch.setitem(OPERATIONS, operation, kept)
    before = reasons(specification, concerned)
    paths = {path for answer in answers if isinstance(answer.body, (dict, list)) for path in key_paths(answer.body)}
    assert paths
    for path in sorted(paths):

        def less(organisation, request, path=path):
            answer = act(organisation, request)
            return Answer(answer.status, without(copy.deepcopy(answer.body), path), answer.content_type)

        monkeypatch.setitem(OPERATIONS, operation, less)
        assert reasons(specification, concerned) != before, path


def key_paths(body):
    if isinstance(body, list):
        return {path for one in body for path in key_paths(one)}
    return {(key,) for key in body} | {
        (key, inner)
        for key, value in body.items()
        for one in (value if isinstance(value, list) else [value])
        if isinstance(one, dict)
        for inner in one
    }


def without(body, path):
    for one in body if isinstance(body, list) else [body]:
        if not isinstance(one, dict) or path[0] not in one:
            continue
        if len(path) == 1:
            del one[path[0]]
        else:
            without(one[path[0]], path[1:])
    return body


def test_every_operation_of_the_documents_is_answered(specification):
    assert {operation.name for operation in specification.operations} == set(OPERATIONS)


@pytest.mark.parametrize(
    'recorded, fake, paths',
    [
        pytest.param({'a': 1}, {'a': 2}, ['a'], id='value'),
        pytest.param({'a': 1}, {'a': 1.0}, ['a'], id='type'),
        pytest.param({'a': {'b': 1}}, {'a': {}}, ['-a.b'], id='missing'),
        pytest.param({'a': {}}, {'a': {'b': None}}, ['+a.b'], id='added'),
        pytest.param({'a': [{'b': 1}]}, {'a': [{'b': 2}]}, ['a.b'], id='in-a-list'),
        pytest.param({'a': [1, 2]}, {'a': [1]}, ['a'], id='length'),
        pytest.param({'a': ['x', 'y']}, {'a': ['y', 'x']}, [], id='texts-without-order'),
        pytest.param({'id': 1, 'created': 'x'}, {'id': 2, 'created': 'y'}, [], id='ids-and-times'),
        pytest.param({'creator': {'id': 1}}, {'creator': {}}, ['-creator.id'], id='id-missing'),
    ],
)
def test_canary_a_drift_is_detected(recorded, fake, paths):
    assert [difference.change for difference in compare(recorded, fake)] == paths


@pytest.mark.parametrize(
    'operation, change',
    [
        pytest.param('CreateDashboard', {'restricted_roles': None}, id='dashboard'),
        pytest.param('CreateDashboard', {'is_read_only': False}, id='dashboard-as-until-2025'),
        pytest.param('CreateMonitor', {'priority': 3}, id='monitor'),
        pytest.param('CreateMonitor', {'type': 'metric alert'}, id='monitor-type'),
        pytest.param('UpdateMonitor', {'creator': None}, id='monitor-updated'),
        pytest.param('ListDowntimes', {'meta': {'page': {}}}, id='downtimes'),
    ],
)
def test_canary_another_default_fails_the_replay(specification, cassettes, monkeypatch, operation, change):
    before, act = reasons(specification, cassettes), OPERATIONS[operation]

    def otherwise(organisation, request):
        answer = act(organisation, request)
        return Answer(answer.status, answer.body | change, answer.content_type)

    monkeypatch.setitem(OPERATIONS, operation, otherwise)
    assert reasons(specification, cassettes) != before


# The OpenAPI documents


def exchanges_of(specification, cassettes):
    for cassette in cassettes.values():
        for recording in cassette:
            if operation := specification.operation(recording.method, recording.path):
                yield operation, recording


def test_the_recordings_match_the_documents(specification, cassettes):
    refused = []
    for operation, recording in exchanges_of(specification, cassettes):
        assert operation.answer_faults(recording.status, recording.answer) == [], recording.cassette
        if operation.request_faults(recording.query, recording.body):
            refused.append((operation.name, recording.status))
    # The server refused these three, too.
    assert sorted(refused) == [('CreateDashboard', 400), ('CreateDashboard', 400), ('UpdateDowntime', 400)]


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
    pytest.param(
        'POST',
        '/api/v2/monitor/notification_rule',
        {'data': {**RULE['data'], 'attributes': {**RULE['data']['attributes'], 'nam': 'x'}}},
        "'nam' was unexpected",
        id='CreateMonitorNotificationRule',
    ),
    pytest.param(
        'PATCH', '/api/v2/monitor/notification_rule/x', RULE, '"id" is a req', id='UpdateMonitorNotificationRule'
    ),
    pytest.param(
        'GET',
        '/api/v2/monitor/notification_rule?page_size=9',
        None,
        'unknown parameter',
        id='GetMonitorNotificationRules',
    ),
    pytest.param(
        'GET', '/api/v2/monitor/notification_rule/x?inclde=1', None, 'include', id='GetMonitorNotificationRule'
    ),
    pytest.param('DELETE', '/api/v2/monitor/notification_rule/x', {}, 'a body', id='DeleteMonitorNotificationRule'),
    pytest.param('POST', '/api/v1/slo', {**SLO, 'type': 'metrics'}, "did you mean 'metric'?", id='CreateSLO'),
    pytest.param('PUT', '/api/v1/slo/x', {**SLO, 'thresholds': None}, 'thresholds: null is not of', id='UpdateSLO'),
    pytest.param('GET', '/api/v1/slo?limits=1', None, "did you mean 'limit'?", id='ListSLOs'),
    pytest.param('GET', '/api/v1/slo/x?a=1', None, 'unknown parameter', id='GetSLO'),
    pytest.param('DELETE', '/api/v1/slo/x?forced=1', None, "did you mean 'force'?", id='DeleteSLO'),
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


def test_canary_an_invalid_response_is_detected(datadog, monkeypatch):
    def broken(organisation, request):
        answer = create_dashboard(organisation, request)
        return type(answer)(200, {**answer.body, 'title': 7})

    monkeypatch.setitem(OPERATIONS, 'CreateDashboard', broken)
    call(datadog, 'POST', '/api/v1/dashboard', DASHBOARD)
    assert len(datadog.violations) == 1 and 'title: 7 is not of type "string"' in datadog.violations[0]
    datadog.violations.clear()


def test_canary_an_unknown_path_is_detected(datadog):
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
    monkeypatch.setitem(source.SDIST, 'url', 'http://127.0.0.1:1/client.tar.gz')
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    with pytest.raises(source.Unreachable, match='datadog_api_client-2.62.0.tar.gz: .*refused'):
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


def test_the_texts_of_a_monitor_are_trimmed(datadog):
    _, made = call(datadog, 'POST', '/api/v1/monitor', {**MONITOR, 'message': '\n a \n b \n'})
    assert (made['name'], made['message']) == ('Load', 'a \n b')


def test_canary_a_change_of_a_foreign_object_is_detected(datadog):
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
    # A week of windows later it has neither ended nor stood still.
    for day, hour, status, start in ((12, 17, 'scheduled', 12), (12, 18, 'active', 12), (13, 8, 'scheduled', 18)):
        datadog.organisation.clock = lambda day=day, hour=hour: datetime(2027, 1, day, hour, tzinfo=UTC)
        (downtime,) = call(datadog, 'GET', '/api/v2/downtime')[1]['data']
        assert downtime['attributes']['status'] == status
        current = downtime['attributes']['schedule']['current_downtime']
        assert current['start'] == f'2027-01-{start}T18:00:00.000000+00:00'


def test_the_start_of_an_active_downtime_stays(datadog):
    _, made = call(datadog, 'POST', '/api/v2/downtime', DOWNTIME)
    path, patch = f'/api/v2/downtime/{made["data"]["id"]}', {'id': made['data']['id'], 'type': 'downtime'}

    def change(attributes):
        return call(datadog, 'PATCH', path, {'data': {**patch, 'attributes': attributes}})

    status, answer = change({'schedule': {'start': '2031-01-01T00:00:00Z'}})
    assert status == 400 and 'active' in answer['errors'][0]
    status, answer = change({'schedule': {'end': '2031-01-01T00:00:00Z'}})
    assert (status, answer['data']['attributes']['schedule']) == (
        200,
        {'start': made['data']['attributes']['schedule']['start'], 'end': '2031-01-01T00:00:00Z'},
    )


def test_a_recurring_schedule_is_refused_again_once_its_start_is_past(datadog):
    datadog.organisation.clock = lambda: datetime(2026, 11, 24, 12, tzinfo=UTC)
    body = copy.deepcopy(DOWNTIME)
    body['data']['attributes']['schedule'] = RECURRING
    id = call(datadog, 'POST', '/api/v2/downtime', body)[1]['data']['id']
    datadog.organisation.clock = lambda: datetime(2027, 6, 1, tzinfo=UTC)
    patch = {'data': {'id': id, 'type': 'downtime', 'attributes': {'schedule': RECURRING}}}
    status, answer = call(datadog, 'PATCH', f'/api/v2/downtime/{id}', patch)
    assert status == 400 and 'past' in answer['errors'][0]
    patch['data']['attributes'] = {'message': 'another'}
    assert call(datadog, 'PATCH', f'/api/v2/downtime/{id}', patch)[0] == 200


def test_a_picture_exists_after_its_address(datadog):
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


def test_the_fingerprint_ignores_ids_order_and_cancelled_downtimes():
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
def test_a_fault_hides_the_outcome_of_a_request(datadog, kind):
    datadog.inject(1, kind)
    datadog.patience = 0.4
    # Where an answer comes, a slow machine may take its time for it.
    timeout = 0.2 if kind in ('timeout', 'slow_loris') else 20
    with pytest.raises((OSError, ValueError, AssertionError, http.client.HTTPException)):
        status, _ = call(datadog, 'POST', '/api/v1/dashboard', DASHBOARD, timeout=timeout)
        assert status == 200
    _, listed = call(datadog, 'GET', '/api/v1/dashboard')
    assert len(listed['dashboards']) == (0 if kind in WITHOUT_EFFECT else 1)
    assert datadog.exchanges[0].status is None and datadog.exchanges[1].status == 200


def test_too_many_requests_has_a_retry_time(datadog):
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


def test_the_server_uses_the_clock_of_the_organisation(datadog):
    datadog.organisation.clock = lambda: datetime(2026, 11, 24, 12, tzinfo=UTC)
    with urllib.request.urlopen(
        urllib.request.Request(f'{datadog.url}/api/v1/validate', headers={'DD-API-KEY': API_KEY}), timeout=5
    ) as answer:
        assert answer.headers['Date'] == 'Tue, 24 Nov 2026 12:00:00 GMT'


def test_an_old_event_is_refused_in_plain_text(datadog):
    status, answer = call(datadog, 'POST', '/api/v1/events', {**EVENT, 'date_happened': 1})
    assert (status, recordings.parsed(json.dumps(answer).encode())) == (400, {'errors': ['Event too far in the past']})
