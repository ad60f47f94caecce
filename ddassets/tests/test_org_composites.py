"""Composites are applied after their members, with their ids, and deleted before them (rule 13.22)."""

import copy

import pytest
from loopback import integration
from loopback.trial import run

FULL = integration.ASSETS['monitors/full.json']
CHANGING = ('Create', 'Update', 'Delete')


def member(name):
    body = copy.deepcopy(FULL)
    body['definition']['name'] = f'Monitor {name}'
    return body


def composite(query):
    body = member('both')
    body['definition'] |= {'type': 'composite', 'query': query, 'options': {}, 'message': '@ops@example.com'}
    return body


def assets(query, *members):
    found = {f'monitors/{name}.json': member(name) for name in members}
    return {**found, 'monitors/a_both.json': composite(query)}


def applied(datadog, tmp_path, files, command='apply'):
    for old in tmp_path.rglob('assets/*/*.json'):
        old.unlink()
    datadog.exchanges.clear()
    return run(datadog, command, integration.write(tmp_path, files), '--yes')


def stored(datadog):
    return {one['name']: one for one in datadog.organisation.monitors.values()}


def operations(datadog):
    return [one.operation for one in datadog.exchanges if one.operation.startswith(CHANGING)]


@pytest.mark.rule('13.22')
@pytest.mark.parametrize('query', ['one && !two', '"Monitor one" && !"Monitor two"'])
def test_members_become_ids(datadog, tmp_path, query):
    outcome = applied(datadog, tmp_path, assets(query, 'one', 'two'))
    assert outcome.code == 0, outcome.said
    found = stored(datadog)
    expected = f'{found["Monitor one"]["id"]} && !{found["Monitor two"]["id"]}'
    assert found['Monitor both']['query'] == expected
    again = applied(datadog, tmp_path, assets(query, 'one', 'two'))
    assert again.code == 0 and operations(datadog) == []


@pytest.mark.rule('13.22')
def test_a_member_is_replaced_by_another(datadog, tmp_path):
    assert applied(datadog, tmp_path, assets('one && two', 'one', 'two')).code == 0
    outcome = applied(datadog, tmp_path, assets('one && four', 'one', 'four'))
    assert outcome.code == 0, outcome.said
    assert operations(datadog) == ['CreateMonitor', 'UpdateMonitor', 'DeleteMonitor']
    assert set(stored(datadog)) == {'Monitor one', 'Monitor four', 'Monitor both'}


@pytest.mark.rule('13.22')
def test_destroy_deletes_the_composite_first(datadog, tmp_path):
    files = assets('one && two', 'one', 'two')
    assert applied(datadog, tmp_path, files).code == 0
    outcome = applied(datadog, tmp_path, files, 'destroy')
    assert outcome.code == 0, outcome.said
    assert stored(datadog) == {}


def test_a_missing_member(datadog, tmp_path):
    outcome = applied(datadog, tmp_path, assets('one && three', 'one'))
    assert outcome.code == 1 and 'is called three' in outcome.out
    assert set(stored(datadog)) == {'Monitor one'}
