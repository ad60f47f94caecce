"""SLOs are applied after the monitors that they are made of and before their alerts, which need their ids."""

import copy

import pytest
from loopback import integration
from loopback.organisation import OPERATIONS
from loopback.trial import run

from ddassets.org.kinds import SLOS
from ddassets.org.marker import Marker, in_text
from ddassets.sandbox.request import Answer

JOBS, FULL = 'slos/jobs.json', 'monitors/full.json'
OF_MONITORS = {
    'name': 'Spool is up',
    'type': 'monitor',
    'monitor_ids': ['full'],
    'thresholds': [{'timeframe': '7d', 'target': 99.9}],
}
BURNS = {
    'name': 'Spool burns',
    'type': 'slo alert',
    'query': 'burn_rate("up").over("7d").long_window("1h").short_window("5m") > 14.4',
    'message': 'Too fast. @ops@example.com',
    'options': {'thresholds': {'critical': 14.4}},
}
ESTATE = {FULL: integration.ASSETS[FULL], 'slos/up.json': OF_MONITORS, 'monitors/burns.json': BURNS}
CHANGING = ('Create', 'Update', 'Delete')


@pytest.fixture
def apply(datadog, tmp_path):
    """Run a command on files in place of the previous ones; return its outcome."""

    def applied(files, command='apply', *options):
        for old in tmp_path.rglob('assets/*/*.json'):
            old.unlink()
        datadog.exchanges.clear()
        return run(datadog, command, integration.write(tmp_path, files), *options, *(['--yes'] * (command != 'plan')))

    return applied


def changes(datadog):
    return [one.operation for one in datadog.exchanges if one.operation.startswith(CHANGING)]


def only_slo(datadog):
    (found,) = datadog.organisation.slos.values()
    return found


def monitor(datadog, name):
    return next(one for one in datadog.organisation.monitors.values() if one['name'] == name)


@pytest.mark.rule('18.2', '18.11')
def test_an_slo_comes_after_its_monitors_and_before_its_alert(datadog, apply):
    outcome = apply(ESTATE)
    assert outcome.code == 0, outcome.said
    made = ['CreateMonitor', 'CreateSLO', 'CreateMonitor']
    assert changes(datadog) == made
    slo = only_slo(datadog)
    assert slo['monitor_ids'] == [monitor(datadog, 'Spool is full')['id']]
    assert monitor(datadog, 'Spool burns')['query'] == BURNS['query'].replace('up', slo['id'])
    assert in_text(slo['description']).name == 'up'
    assert apply(ESTATE, 'plan').code == 0
    assert apply(ESTATE, 'destroy').code == 0
    assert changes(datadog) == [one.replace('Create', 'Delete') for one in reversed(made)]
    assert datadog.organisation.slos == {}


@pytest.mark.parametrize('name', ['up', 'up.json', 'Spool is up'])
def test_an_alert_names_its_slo_by_its_file_or_its_name(datadog, apply, name):
    assert apply({**ESTATE, 'monitors/burns.json': {**BURNS, 'query': BURNS['query'].replace('up', name)}}).code == 0
    assert f'"{only_slo(datadog)["id"]}"' in monitor(datadog, 'Spool burns')['query']


def test_an_alert_of_an_slo_of_others_keeps_its_id(datadog, apply):
    id = '0123456789abcdef' * 2
    query = BURNS['query'].replace('up', id)
    assert apply({'monitors/burns.json': {**BURNS, 'query': query}}).code == 0
    assert monitor(datadog, 'Spool burns')['query'] == query


@pytest.mark.parametrize(
    'files, said',
    [
        ({'monitors/burns.json': BURNS}, 'no SLO that is applied here is called up: the alert needs ids'),
        ({'slos/up.json': OF_MONITORS}, 'no monitor that is applied here is called full: the SLO needs ids'),
    ],
)
def test_a_name_that_is_not_applied(datadog, apply, files, said):
    outcome = apply(files)
    assert outcome.code == 1 and said in outcome.said
    assert changes(datadog) == []


def test_another_type_replaces_an_slo_and_its_alert_follows(datadog, apply):
    assert apply(ESTATE).code == 0
    old = only_slo(datadog)['id']
    other = {**integration.ASSETS[JOBS], 'name': 'Spool is up'}
    outcome = apply({**ESTATE, 'slos/up.json': other})
    assert outcome.code == 0, outcome.said
    assert changes(datadog) == ['CreateSLO', 'DeleteSLO', 'UpdateMonitor']
    assert only_slo(datadog)['id'] != old and only_slo(datadog)['id'] in monitor(datadog, 'Spool burns')['query']
    assert apply({**ESTATE, 'slos/up.json': other}, 'plan').code == 0


def slo(**changes):
    return {**copy.deepcopy(integration.ASSETS[JOBS]), **changes}


SAME = {
    'server-keys': slo(id='x', created_at=1, monitor_tags=[], type_id=1, modified_at=2, creator={}),
    'displays': slo(
        thresholds=[
            {'timeframe': '30d', 'target': 99.9, 'warning': 99.95, 'target_display': '99.9'},
            {'timeframe': '7d', 'target': 99.0},
        ]
    ),
    'primary': slo(timeframe='7d', target_threshold=99),
    'tags-in-another-order': slo(tags=['Integration:acme-spool']),
}


@pytest.mark.parametrize('body', SAME.values(), ids=SAME)
def test_what_means_the_same_is_no_change(datadog, apply, body):
    assert apply({JOBS: slo()}).code == 0
    outcome = apply({JOBS: body})
    assert outcome.code == 0 and changes(datadog) == [], outcome.said


OTHER = {
    'target': slo(thresholds=[{'timeframe': '7d', 'target': 98}]),
    'primary': slo(timeframe='30d', target_threshold=99.9, warning_threshold=99.95),
    'description': slo(description=''),
    'tags': slo(tags=[]),
    'query': slo(query={'numerator': 'sum:a{*}.as_count()', 'denominator': 'sum:b{*}.as_count()'}),
}


@pytest.mark.parametrize('body', OTHER.values(), ids=OTHER)
def test_a_change_and_back(datadog, apply, body):
    for files in ({JOBS: slo()}, {JOBS: body}, {JOBS: slo()}):
        outcome = apply(files)
        assert outcome.code == 0 and len(changes(datadog)) == 1, outcome.said
        assert apply(files, 'plan').code == 0
    assert only_slo(datadog)['timeframe'] == '7d'


def test_an_slo_changed_by_hand_is_not_overwritten(datadog, apply):
    assert apply({JOBS: slo()}).code == 0
    only_slo(datadog)['thresholds'][0]['target'] = 97.0
    outcome = apply({JOBS: slo(tags=['a:b'])})
    assert outcome.code == 1 and changes(datadog) == [], outcome.said


def test_tags_restrict_the_queries(datadog, apply):
    files = {JOBS: slo(), 'slos/wait.json': integration.ASSETS['slos/wait.json']}
    assert apply(files, 'apply', '--tag', 'env:lab').code == 0
    queries = [
        found['query']['denominator'] if 'query' in found else found['sli_specification']['time_slice']['query']
        for found in datadog.organisation.slos.values()
    ]
    assert all('env:lab' in str(query) for query in queries) and len(queries) == 2


def test_an_error_of_an_slo_is_reported_before_anything_is_sent(datadog, apply):
    outcome = apply({JOBS: slo(thresholds=[{'timeframe': '7d', 'target': 100}]), FULL: integration.ASSETS[FULL]})
    assert outcome.code == 2 and 'thresholds[0].target: expected a percentage above 0' in outcome.said
    assert datadog.exchanges == []


def test_an_slo_that_a_dashboard_contains_cannot_be_deleted(datadog, apply, monkeypatch):
    assert apply({JOBS: slo()}).code == 0
    used = Answer(409, {'data': [], 'errors': {only_slo(datadog)['id']: 'used in a dashboard'}})
    monkeypatch.setitem(OPERATIONS, 'DeleteSLO', lambda *_: used)
    outcome = apply({}, 'apply')
    assert outcome.code == 1 and 'used in a dashboard' in outcome.said, outcome.said


def test_the_marker_and_the_page_of_an_slo():
    marker = Marker('acme-spool', 'jobs', '0123456789ab')
    marked = SLOS.mark({'description': None}, marker)
    assert SLOS.marker(marked) == marker
    assert SLOS.canonical({**slo(), 'description': marked['description']}) == SLOS.canonical(slo(description=''))
    assert SLOS.page.format(id='a') == '/slo?slo_id=a'
