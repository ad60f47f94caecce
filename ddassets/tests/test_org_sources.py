"""plan of a source against a Datadog organisation on loopback; apply and destroy refuse what others manage."""

import copy
import json
from typing import Any

import forms
import pytest
from loopback.organisation import OPERATIONS
from loopback.trial import run

from ddassets.sandbox.request import Answer

BODY: dict[str, Any] = {
    'name': 'Lag',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:acme.lag{*} > 9',
    'message': 'Lag. @ops@example.com',
    'tags': ['team:harbor'],
    'options': {'thresholds': {'critical': 9}, 'require_full_window': False},
}

# What the provider sends besides, and the account then holds.
SENT = {**BODY, 'options': {**BODY['options'], 'no_data_timeframe': 10}}


@pytest.fixture
def stored(datadog):
    """Puts a monitor into the organisation, as another client would, and returns its id."""

    def create(body):
        monitor = datadog.organisation.monitors
        number = 5000 + len(monitor)
        server = {'id': number, 'multi': False, 'created': '2026-01-01T00:00:00+00:00', 'overall_state': 'OK'}
        server |= {'creator': {'name': None, 'handle': 'a@example.com', 'email': 'a@example.com', 'id': 1}}
        server |= {'deleted': None, 'assets': [], 'restricted_roles': None, 'restriction_policy': None}
        server |= {'draft_status': 'published', 'priority': None, 'overall_state_modified': None, 'org_id': 1}
        monitor[number] = {**copy.deepcopy(body), **server, 'created_at': 1, 'modified': '2026-01-01T00:00:00+00:00'}
        datadog.organisation.foreign_changes = list
        return number

    return create


def plan(datadog, path):
    outcome = run(datadog, 'plan', path, '--format', 'json')
    assert outcome.code in (0, 1), outcome.said
    return outcome.code, [(step['do'], step['name']) for step in json.loads(outcome.out)['steps']]


@pytest.mark.parametrize('form', forms.FORMS)
def test_a_source_is_compared_by_name(form, datadog, stored, tmp_path):
    name, text = forms.FORMS[form][0](BODY)
    path = tmp_path / name
    path.write_text(text)
    code, ((do, _),) = plan(datadog, path)
    assert (code, do) == (1, 'create')
    stored({**BODY, 'name': 'Lag of another'})
    assert plan(datadog, path)[0] == 1
    stored(SENT if form in forms.PROVIDER else BODY)
    code, ((do, _),) = plan(datadog, path)
    assert (code, do) == (0, 'keep'), run(datadog, 'plan', path).out
    assert {exchange.method for exchange in datadog.exchanges} == {'GET'}


def test_a_state_is_compared_by_id(datadog, stored, tmp_path):
    number = stored({**BODY, 'name': 'Renamed by hand'})
    values = {**forms.attributes(BODY), 'id': str(number)}
    data = {'format_version': '1.0', 'values': {'root_module': {'resources': [forms.resource(BODY, values=values)]}}}
    (tmp_path / 'state.json').write_text(json.dumps(data))
    assert plan(datadog, tmp_path / 'state.json') == (1, [('update', 'datadog_monitor.it')])
    values['id'] = '4711'
    stored(SENT)
    (tmp_path / 'state.json').write_text(json.dumps(data))
    assert plan(datadog, tmp_path / 'state.json') == (0, [('keep', 'datadog_monitor.it')])


def test_monitors_with_equal_names_are_not_compared(datadog, stored, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps(BODY))
    stored(BODY)
    stored(BODY)
    assert plan(datadog, tmp_path / 'exported.json') == (1, [('refuse', 'Lag')])


@pytest.mark.parametrize('command', ['apply', 'destroy'])
@pytest.mark.parametrize('form', forms.FORMS)
def test_assets_managed_by_others_are_refused(command, form, datadog, tmp_path):
    write, manager = forms.FORMS[form]
    name, text = write(BODY)
    (tmp_path / name).write_text(text)
    outcome = run(datadog, command, tmp_path / name, '--yes')
    assert outcome.code == 2
    assert (f'{manager} manages these assets' if manager else 'takes the folder of an integration') in outcome.err
    assert datadog.exchanges == []


def test_a_source_that_is_not_read(datadog, tmp_path):
    (tmp_path / 'plan.json').write_text('{"@level": "info"}\n{"@level": "info"}')
    outcome = run(datadog, 'plan', tmp_path / 'plan.json')
    assert outcome.code == 2 and 'terraform show -json' in outcome.err


@pytest.mark.parametrize(
    'operation, answer',
    [
        pytest.param('GetMonitor', {}, id='a-monitor-without-an-id'),
        pytest.param('GetMonitor', [], id='a-list-for-a-monitor'),
        pytest.param('ListMonitors', {'monitors': []}, id='no-list'),
        pytest.param('ListMonitors', None, id='null'),
        pytest.param('ListMonitors', [{'name': 'Lag'}], id='an-entry-without-an-id'),
    ],
)
def test_a_response_of_another_form_is_reported(operation, answer, datadog, tmp_path, monkeypatch):
    body = {**BODY, 'id': 4711} if operation == 'GetMonitor' else BODY
    (tmp_path / 'exported.json').write_text(json.dumps(body))
    monkeypatch.setitem(OPERATIONS, operation, lambda organisation, request: Answer(200, json.dumps(answer).encode()))
    outcome = run(datadog, 'plan', tmp_path / 'exported.json')
    # The response breaks the OpenAPI document, as it is meant to.
    datadog.violations.clear()
    assert outcome.code == 2 and 'the response is not of the documented form' in outcome.err, outcome.said
