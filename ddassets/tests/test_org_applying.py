"""In which order a plan is carried out, and what of it is put before Datadog first."""

import copy
import json
import time
from datetime import datetime, timedelta

import pytest
from loopback import integration
from loopback.organisation import OPERATIONS
from loopback.stored import Refusal
from loopback.trial import run

CHANGING = ('Create', 'Update', 'Delete', 'Cancel')
FULL = {'monitors/full.json': integration.ASSETS['monitors/full.json']}


@pytest.fixture
def applied(datadog, tmp_path):
    """Apply a set of assets, in place of whatever was there before; gives the folder."""

    def apply(assets):
        folder = written(tmp_path, assets)
        outcome = run(datadog, 'apply', folder, '--yes')
        assert outcome.code == 0, outcome.said
        datadog.exchanges.clear()
        return folder

    return apply


def written(folder, assets):
    for old in folder.rglob('assets/*/*.json'):
        old.unlink()
    return integration.write(folder, assets)


def of_another_type(query='events("a").rollup("count").last("5m") > 1'):
    assets = copy.deepcopy(FULL)
    assets['monitors/full.json']['definition'] |= {'type': 'event-v2 alert', 'query': query}
    return assets


def changes(datadog):
    return [one.operation for one in datadog.exchanges if one.operation.startswith(CHANGING)]


def test_deletions_come_last(datadog, applied, tmp_path):
    """Whoever is watched by what goes is watched by what comes before it has gone."""
    applied(integration.ASSETS)
    assert run(datadog, 'apply', written(tmp_path, integration.mixed()), '--yes').code == 0
    goes = [one.startswith(('Delete', 'Cancel')) for one in changes(datadog)]
    assert goes == sorted(goes) and set(goes) == {False, True}


def test_what_is_replaced_stays_until_the_new_one_is_there(datadog, applied, tmp_path, monkeypatch):
    def full(organisation, request):
        raise Refusal(400, 'The organisation has as many monitors as it may')

    applied(FULL)
    before = datadog.organisation.fingerprint()
    monkeypatch.setitem(OPERATIONS, 'CreateMonitor', full)
    outcome = run(datadog, 'apply', written(tmp_path, of_another_type()), '--yes')
    assert outcome.code == 1 and 'as many monitors as it may' in outcome.out
    assert changes(datadog) == ['CreateMonitor'] and datadog.organisation.fingerprint() == before


@pytest.mark.parametrize(
    'assets, operation',
    [
        pytest.param(of_another_type(), 'ValidateMonitor', id='a-new-one-in-its-place'),
        pytest.param(
            {'monitors/full.json': integration.changed()['monitors/full.json']},
            'ValidateExistingMonitor',
            id='a-change',
        ),
    ],
)
def test_a_monitor_is_judged_as_what_it_will_be(datadog, applied, tmp_path, assets, operation):
    applied(FULL)
    assert run(datadog, 'plan', written(tmp_path, assets)).code == 1
    judged = [one.operation for one in datadog.exchanges if one.operation.startswith('Validate')]
    assert judged == [operation]


def test_what_would_be_left_alone_is_judged_all_the_same(datadog, applied, tmp_path):
    """Or `--overwrite` would be advised for what Datadog refuses."""
    applied(FULL)
    next(iter(datadog.organisation.monitors.values()))['message'] = 'by hand'
    assets = copy.deepcopy(FULL)
    assets['monitors/full.json']['definition']['query'] = 'avg(last_5m):avg:acme.spool.jobs{*}'
    outcome = run(datadog, 'plan', written(tmp_path, assets))
    assert outcome.code == 2 and 'Datadog would refuse it; nothing was changed' in outcome.err


def test_one_that_fails_leaves_the_others_alone_and_is_told(datadog, tmp_path, monkeypatch):
    def full(organisation, request):
        raise Refusal(400, 'The organisation has as many monitors as it may')

    monkeypatch.setitem(OPERATIONS, 'CreateMonitor', full)
    folder = integration.write(tmp_path, integration.ASSETS)
    outcome = run(datadog, 'apply', folder, '--yes', '--json')
    assert outcome.code == 1 and '2 of 7 failed; run the command again' in outcome.err
    found = {(one['kind'], one['error'] is None) for one in json.loads(outcome.out)['outcomes']}
    assert found == {('dashboard', True), ('monitor', False), ('downtime', True)}
    assert len(datadog.organisation.dashboards) == 2 and len(datadog.organisation.downtimes) == 3


@pytest.mark.rule('5.8', '5.10')
@pytest.mark.parametrize(
    'rule',
    [
        *('FREQ=WEEKLY;BYDAY=MO', 'FREQ=WEEKLY;BYDAY=MO;COUNT=30', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH'),
        *('FREQ=DAILY;UNTIL=20280801T000000', 'FREQ=MONTHLY;BYMONTHDAY=31'),
    ],
)
@pytest.mark.parametrize('before', [-30, 0.02, 200], ids=['long-begun', 'just-before', 'to-come'])
def test_time_alone_changes_nothing(datadog, tmp_path, monkeypatch, rule, before):
    """Applied today, and again at any later time: the start of the file is past by then, and so is the one sent.

    `before` are the days from the first application to the start.
    """
    start = datetime.fromisoformat('2028-03-06T19:00:00+01:00')
    now = start - timedelta(days=before)
    datadog.organisation.clock = lambda: now
    monkeypatch.setattr(time, 'time', lambda: now.timestamp())
    schedule = {
        'timezone': 'Europe/Berlin',
        'recurrences': [{'start': '2028-03-06T19:00:00', 'duration': '14h', 'rrule': rule}],
    }
    assets = {'downtimes/lab.json': copy.deepcopy(integration.ASSETS['downtimes/lab.json'])}
    assets['downtimes/lab.json']['data']['attributes']['schedule'] = schedule
    folder = integration.write(tmp_path, assets)
    assert run(datadog, 'apply', folder, '--yes').code == 0
    datadog.exchanges.clear()
    # Within an occurrence, between two, over the change of the clock, and weeks later.
    for days in (0.01, 0.5, 1, 4, 3, 21, 25):
        now += timedelta(days=days)
        outcome = run(datadog, 'apply', folder, '--yes')
        assert outcome.code == 0 and outcome.out.endswith('Nothing to do: 1 up to date.\n'), outcome.said
    assert changes(datadog) == []
