"""plan, apply and destroy against a Datadog organisation on loopback, by the command line."""

import contextlib
import copy
import json
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import integration
from loopback.organisation import LISTINGS, OPERATIONS
from loopback.server import FakeDatadog
from loopback.trial import run

MY_METRIC = Path(__file__).parents[2] / 'my_metric'
WILD = Path(__file__).parent / 'wild' / 'dashboards'


@pytest.fixture
def spool(tmp_path):
    """Write a set of assets in place of the previous one, and return the folder."""

    def write(assets=integration.ASSETS):
        for old in tmp_path.rglob('assets/*/*.json'):
            old.unlink()
        return integration.write(tmp_path, assets)

    return write


def steps(outcome):
    return sorted((step['do'], step['kind'], step['name']) for step in json.loads(outcome.out)['steps'])


def plan(datadog, folder, *options):
    """Return the exit code and the planned actions, without those that keep an object."""
    outcome = run(datadog, 'plan', folder, '--json', *options)
    assert 'error' not in outcome.err
    return outcome.code, [one for one in steps(outcome) if one[0] != 'keep']


def applied(datadog, folder, *options):
    outcome = run(datadog, 'apply', folder, '--yes', *options)
    assert outcome.code == 0, outcome.said
    datadog.exchanges.clear()
    return outcome


def only(mapping):
    (value,) = mapping.values()
    return value


def named(datadog, title):
    return next(one for one in datadog.organisation.monitors.values() if one['name'] == title)


# Applying


@pytest.mark.parametrize('folder', [pytest.param(MY_METRIC, id='my_metric'), pytest.param(None, id='spool')])
def test_a_second_apply_does_nothing(datadog, spool, folder):
    folder = folder or spool()
    code, found = plan(datadog, folder)
    assert code == 1 and {do for do, _, _ in found} == {'create'}
    applied(datadog, folder)
    before = datadog.organisation.fingerprint()
    assert plan(datadog, folder) == (0, [])
    assert run(datadog, 'apply', folder, '--yes').code == 0
    assert datadog.organisation.fingerprint() == before
    assert {exchange.method for exchange in datadog.exchanges} == {'GET'}


@pytest.fixture
def at(datadog, monkeypatch):
    """Set the clock of this machine and of Datadog."""

    def set_clock(text):
        moment = datetime.fromisoformat(text)
        datadog.organisation.clock = lambda: moment
        monkeypatch.setattr(time, 'time', moment.timestamp)

    return set_clock


@pytest.mark.rule('5.8', '5.10')
def test_downtimes_whose_start_is_long_past(datadog, at):
    # A Wednesday at half past ten in the evening, in the middle of the quiet hours.
    at('2028-03-01T22:30:00+01:00')
    outcome = applied(datadog, MY_METRIC)
    note = 'note: the current occurrence, until 2028-03-02 09:00, is not muted: Datadog accepts no start in the past'
    assert outcome.out.count(note) == 1
    schedules = [one['attributes']['schedule'] for one in datadog.organisation.downtimes.values()]
    starts = {one['recurrences'][0]['rrule'][-20:]: one['recurrences'][0]['start'] for one in schedules}
    assert sorted(starts.values()) == ['2028-03-02T19:00:00', '2028-03-04T00:00:00']
    # Whenever one looks, within an occurrence or not: it is as the file has it.
    for moment in ('2028-03-02T23:00:00+01:00', '2028-03-04T12:00:00+01:00', '2029-07-10T12:00:00+02:00'):
        at(moment)
        assert plan(datadog, MY_METRIC) == (0, [])


def test_a_message_changes_while_the_downtime_is_active(datadog, spool, at):
    at('2028-01-01T00:30:00+00:00')
    applied(datadog, spool())
    at('2029-01-01T00:30:00+00:00')
    folder = spool(integration.changed())
    code, found = plan(datadog, folder)
    assert code == 1 and ('update', 'downtime', 'new_year') in found
    applied(datadog, folder)
    assert plan(datadog, folder) == (0, [])
    at('2029-06-01T00:30:00+00:00')
    assert plan(datadog, folder) == (0, [])


def test_other_times_of_an_active_downtime_replace_it(datadog, spool, at):
    at('2028-01-01T00:30:00+00:00')
    assets = {'downtimes/lab.json': copy.deepcopy(integration.ASSETS['downtimes/new_year.json'])}
    schedule = assets['downtimes/lab.json']['data']['attributes']['schedule']
    schedule['recurrences'][0]['rrule'] = 'FREQ=DAILY'
    applied(datadog, spool(assets))
    # The first occurrence is tomorrow's.
    at('2028-01-02T00:30:00+00:00')
    old = only(datadog.organisation.downtimes)['id']
    schedule['recurrences'][0]['duration'] = '3h'
    folder = spool(assets)
    assert plan(datadog, folder) == (1, [('replace', 'downtime', 'lab')])
    applied(datadog, folder)
    states = {id: one['attributes']['status'] for id, one in datadog.organisation.downtimes.items()}
    assert states.pop(old) == 'canceled' and list(states.values()) == ['scheduled']
    assert plan(datadog, folder) == (0, [])


def test_every_object_is_reported_with_its_address(datadog, spool):
    out = applied(datadog, spool()).out
    for id in datadog.organisation.dashboards:
        assert f'{datadog.url}/dashboard/{id}' in out
    for id in datadog.organisation.monitors:
        assert f'{datadog.url}/monitors/{id}' in out
    for id in datadog.organisation.downtimes:
        assert f'{datadog.url}/monitors/downtimes?downtimeId={id}' in out


def test_the_files_change(datadog, spool):
    applied(datadog, spool())
    ids = set(datadog.organisation.monitors) | set(datadog.organisation.dashboards)
    folder = spool(integration.mixed())
    _, found = plan(datadog, folder)
    assert Counter(do for do, _, _ in found) == {'create': 5, 'update': 5, 'delete': 5}
    applied(datadog, folder)
    assert plan(datadog, folder) == (0, [])
    assert len(ids & (set(datadog.organisation.monitors) | set(datadog.organisation.dashboards))) == 2


def test_a_removed_key_is_reset(datadog, spool):
    assets = copy.deepcopy(integration.ASSETS)
    assets['monitors/full.json']['definition']['priority'] = 2
    applied(datadog, spool(assets))
    assert named(datadog, 'Spool is full')['priority'] == 2
    folder = spool()
    applied(datadog, folder)
    assert named(datadog, 'Spool is full')['priority'] is None
    assert plan(datadog, folder) == (0, [])


def test_a_renamed_file_keeps_its_object(datadog, spool):
    applied(datadog, spool())
    ids = set(datadog.organisation.monitors), set(datadog.organisation.dashboards), set(datadog.organisation.downtimes)
    renamed = {path.replace('.json', '_renamed.json'): body for path, body in integration.ASSETS.items()}
    folder = spool(renamed)
    code, found = plan(datadog, folder)
    assert code == 1 and {do for do, _, _ in found} == {'update'}
    applied(datadog, folder)
    assert ids == (
        set(datadog.organisation.monitors),
        set(datadog.organisation.dashboards),
        set(datadog.organisation.downtimes),
    )
    assert plan(datadog, folder) == (0, [])


def test_another_type_of_monitor_replaces_it(datadog, spool):
    applied(datadog, spool({'monitors/full.json': integration.ASSETS['monitors/full.json']}))
    assets = {'monitors/full.json': copy.deepcopy(integration.ASSETS['monitors/full.json'])}
    assets['monitors/full.json']['definition'] |= {
        'type': 'event-v2 alert',
        'query': 'events("a").rollup("count").last("5m") > 80',
    }
    folder = spool(assets)
    assert plan(datadog, folder) == (1, [('replace', 'monitor', 'full')])
    before = set(datadog.organisation.monitors)
    applied(datadog, folder)
    assert only(datadog.organisation.monitors)['type'] == 'event-v2 alert'
    assert not before & set(datadog.organisation.monitors)
    assert plan(datadog, folder) == (0, [])


# A set of files: each asset as it is, in another form, or not there at all.
VARIANTS = st.fixed_dictionaries(
    {path: st.sampled_from([None, body, integration.changed()[path]]) for path, body in integration.ASSETS.items()}
).map(lambda assets: {path: body for path, body in assets.items() if body})


@settings(max_examples=8)
@given(st.lists(VARIANTS, min_size=1, max_size=3))
def test_apply_converges_from_any_earlier_files(specification, tmp_path_factory, states):
    with FakeDatadog(specification) as datadog:
        datadog.organisation.seed_foreign(2)
        nothing = datadog.organisation.fingerprint()
        for assets in states:
            folder = integration.write(tmp_path_factory.mktemp('state'), assets)
            applied(datadog, folder)
            assert plan(datadog, folder) == (0, [])
            assert len(datadog.organisation.monitors) == 2 + sum(path.startswith('monitors') for path in assets)
        assert run(datadog, 'destroy', folder, '--yes').code == 0
        assert datadog.organisation.fingerprint() == nothing
        assert datadog.violations == [] and datadog.organisation.foreign_changes() == []


# By hand


def changed_by_hand(datadog):
    datadog.organisation.dashboards[next(iter(datadog.organisation.dashboards))]['title'] = 'By hand'
    named(datadog, 'Spool is full')['message'] = 'by hand'
    next(iter(datadog.organisation.downtimes.values()))['attributes']['scope'] = 'env:by_hand'
    return datadog.organisation.fingerprint()


def test_manual_changes_are_kept_without_overwrite(datadog, spool):
    folder = spool()
    applied(datadog, folder)
    before = changed_by_hand(datadog)
    code, found = plan(datadog, folder)
    assert code == 1 and Counter(do for do, _, _ in found) == {'refuse': 3}
    outcome = run(datadog, 'apply', folder, '--yes')
    assert outcome.code == 1 and outcome.out.count('changed in Datadog since it was applied') == 3
    assert datadog.organisation.fingerprint() == before
    assert run(datadog, 'apply', folder, '--yes', '--overwrite').code == 0
    assert plan(datadog, folder) == (0, [])
    assert datadog.organisation.fingerprint() != before


def test_the_other_objects_are_applied(datadog, spool):
    applied(datadog, spool())
    changed_by_hand(datadog)
    outcome = run(datadog, 'apply', spool(integration.changed()), '--yes', '--json')
    assert outcome.code == 1
    assert Counter(one['do'] for one in json.loads(outcome.out)['outcomes']) == {'update': 8}
    assert named(datadog, 'Spool is full')['message'] == 'by hand'
    assert named(datadog, 'Spool is slow')['query'].endswith('> 90')


def test_a_copy_made_by_hand_is_not_touched(datadog, spool):
    folder = spool()
    applied(datadog, folder)
    copied = copy.deepcopy(named(datadog, 'Spool is full')) | {'id': 7_000_000_000, 'name': 'Spool is full (copy)'}
    datadog.organisation.monitors[copied['id']] = copied
    assert plan(datadog, folder) == (1, [('refuse', 'monitor', 'full')])
    assert run(datadog, 'destroy', folder, '--yes').code == 1
    assert only(datadog.organisation.monitors)['name'] == 'Spool is full (copy)'


def test_a_manual_duplicate_of_a_downtime_is_reported(datadog, spool):
    folder = spool({'downtimes/lab.json': integration.ASSETS['downtimes/lab.json']})
    applied(datadog, folder)
    only(datadog.organisation.downtimes)['attributes']['message'] = 'taken over by hand'
    before = datadog.organisation.fingerprint()
    outcome = run(datadog, 'apply', folder, '--yes')
    assert outcome.code == 1 and 'Datadog accepts no duplicate' in outcome.out
    assert datadog.organisation.fingerprint() == before


# Only what is chosen

DASHBOARDS = {'dashboard/jobs', 'dashboard/overview'}
DOWNTIMES = {'downtime/lab', 'downtime/move', 'downtime/new_year'}


@pytest.mark.parametrize(
    'options, expected',
    [
        pytest.param(('monitors',), {'monitor/full', 'monitor/slow'}, id='kind'),
        pytest.param(('full',), {'monitor/full'}, id='name'),
        pytest.param(('monitor/full', 'downtimes/m*'), {'monitor/full', 'downtime/move'}, id='both'),
        pytest.param(('dashboards/*', 'downtime'), {*DASHBOARDS, *DOWNTIMES}, id='several'),
        pytest.param(
            ('*/*o*',),
            {*DASHBOARDS, 'downtime/move', 'monitor/slow', 'notification_rule/production', 'slo/jobs'},
            id='pattern',
        ),
    ],
)
def test_only(datadog, spool, options, expected):
    folder = spool()
    arguments = [word for one in options for word in ('--only', one)]
    assert {f'{kind}/{name}' for _, kind, name in plan(datadog, folder, *arguments)[1]} == expected
    applied(datadog, folder)
    run(datadog, 'destroy', folder, '--yes', *arguments)
    assert {f'{kind}/{name}' for _, kind, name in plan(datadog, folder)[1]} == expected


def test_only_affects_only_the_chosen_kinds(datadog, spool):
    applied(datadog, spool())
    folder = spool({'monitors/full.json': integration.ASSETS['monitors/full.json']})
    assert plan(datadog, folder, '--only', 'monitors') == (1, [('delete', 'monitor', 'slow')])
    assert set(datadog.counts()) == {'ListMonitors'}


# Destroying


def test_destroy_keeps_objects_of_others(datadog, spool):
    datadog.organisation.seed_foreign(5)
    before = datadog.organisation.fingerprint()
    folder = spool()
    applied(datadog, MY_METRIC)
    applied(datadog, folder)
    assert run(datadog, 'destroy', MY_METRIC, '--yes').code == 0
    assert plan(datadog, folder) == (0, [])
    # What is broken in the folder is no reason to leave it in the organisation.
    (folder / 'assets' / 'monitors' / 'full.json').write_text('{')
    outcome = run(datadog, 'destroy', folder, '--yes')
    assert outcome.code == 0, outcome.said
    assert datadog.organisation.fingerprint() == before
    assert run(datadog, 'destroy', folder, '--yes').out.splitlines()[-1] == 'Nothing to do.'


# Requests

# The lists of four kinds and the judgement of each monitor, and one more for each object.
FEWEST = {
    'ListDashboards': 1,
    'ListMonitors': 1,
    'ListDowntimes': 1,
    'GetMonitorNotificationRules': 1,
    'ListSLOs': 1,
    'ValidateMonitor': 1,
    'CreateDashboard': 2,
    'CreateMonitor': 1,
    'CreateDowntime': 2,
}


def test_apply_sends_as_few_requests_as_possible(datadog):
    assert run(datadog, 'apply', MY_METRIC, '--yes').code == 0
    # After a creation, two more listings have to agree.
    listings = {name: 3 for name in FEWEST if name.startswith('List') and name != 'ListSLOs'}
    assert datadog.counts() == FEWEST | listings
    datadog.exchanges.clear()
    # A dashboard's summary says whose it is, and nothing of its widgets.
    assert run(datadog, 'apply', MY_METRIC, '--yes').code == 0
    assert datadog.counts() == dict.fromkeys(LISTINGS, 1) | {'GetDashboard': 2}


def test_independent_requests_are_concurrent(datadog, spool):
    """The creations wait for each other: sequential requests would time out."""
    together = threading.Barrier(7)

    def watch(exchange, moment):
        if moment == 'arrived' and exchange.operation in ('CreateDashboard', 'CreateMonitor', 'CreateDowntime'):
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(timeout=15)

    datadog.watch = watch
    assert run(datadog, 'apply', spool(), '--yes').code == 0
    assert not together.broken


def test_two_hundred_objects_of_others(datadog, spool):
    datadog.organisation.seed_foreign(200)
    folder = spool()
    applied(datadog, folder)
    assert plan(datadog, folder) == (0, [])
    counts = datadog.counts()
    # 202 dashboards are three pages, read twice; the server sends only our monitors; 23 downtimes are one page, as
    # are 202 rules and 202 SLOs.
    assert counts == dict.fromkeys(LISTINGS, 1) | {'ListDashboards': 6, 'GetDashboard': 2}
    ours = {
        id for id, one in datadog.organisation.dashboards.items() if 'Applied by ddassets' in (one['description'] or '')
    }
    assert {
        exchange.path.rpartition('/')[2] for exchange in datadog.exchanges if exchange.operation == 'GetDashboard'
    } == ours


def test_a_page_may_be_shorter_than_requested(datadog, spool, monkeypatch):
    def capped(organisation, request):
        limited = {**request.query, 'page[limit]': ['7']}
        return list_downtimes(organisation, replace(request, query=limited))

    list_downtimes = OPERATIONS['ListDowntimes']
    monkeypatch.setitem(OPERATIONS, 'ListDowntimes', capped)
    datadog.organisation.seed_foreign(200)
    folder = spool()
    applied(datadog, folder)
    assert plan(datadog, folder) == (0, [])
    assert datadog.counts()['ListDowntimes'] == 8


@pytest.mark.parametrize('operation', sorted(LISTINGS))
def test_a_listing_that_repeats_its_page_ends(datadog, spool, monkeypatch, operation):
    """As with a gateway that ignores the query."""

    def deaf(organisation, request):
        answer = list_all(organisation, replace(request, query={}))
        body = answer.body
        match operation:
            case 'ListDashboards':
                body['dashboards'] *= 50
            case 'ListMonitors':
                body *= 50
            case 'GetMonitorNotificationRules':
                body['data'] *= 500
            case 'ListSLOs':
                assert 'metadata' not in body
            case _:
                del body['meta']
        return answer

    folder = spool()
    applied(datadog, folder)
    list_all = OPERATIONS[operation]
    monkeypatch.setitem(OPERATIONS, operation, deaf)
    outcome = run(datadog, 'apply', folder, '--yes')
    assert outcome.code == 2 and 'page after page shows the same' in outcome.err
    assert datadog.counts()[operation] == 2


def test_an_ignored_filter_does_not_affect_monitors_of_others(datadog, spool, tmp_path, monkeypatch):
    other = integration.write(tmp_path / 'other', integration.neighbour(), 'acme-spool-2')
    applied(datadog, other)
    datadog.organisation.hold_foreign()
    folder = spool()
    applied(datadog, folder)
    list_all = OPERATIONS['ListMonitors']
    everything = {'page': ['0']}
    monkeypatch.setitem(
        OPERATIONS, 'ListMonitors', lambda there, request: list_all(there, replace(request, query=everything))
    )
    assert plan(datadog, folder) == (0, [])
    assert run(datadog, 'destroy', folder, '--yes').code == 0
    assert datadog.organisation.foreign_changes() == []
    assert len(datadog.organisation.monitors) == 2


def test_destroyed_objects_can_be_created_again(datadog, spool):
    """Cancelled downtimes, with their markers, are listed for two more days."""
    folder = spool()
    applied(datadog, folder)
    before = datadog.organisation.fingerprint()
    for _ in range(2):
        assert run(datadog, 'destroy', folder, '--yes').code == 0
        applied(datadog, folder)
        assert datadog.organisation.fingerprint() == before


@pytest.mark.parametrize(
    'operation, key',
    [
        ('ListDashboards', 'dashboards'),
        ('ListMonitors', ''),
        ('ListDowntimes', 'data'),
        ('GetMonitorNotificationRules', 'data'),
    ],
)
def test_an_object_listed_twice_is_one_object(datadog, spool, monkeypatch, operation, key):
    """It is not a duplicate to delete."""

    def stammer(organisation, request):
        answer = list_all(organisation, request)
        told = answer.body[key] if key else answer.body
        told.extend(list(told))
        return answer

    folder = spool()
    applied(datadog, folder)
    list_all = OPERATIONS[operation]
    monkeypatch.setitem(OPERATIONS, operation, stammer)
    assert plan(datadog, folder) == (0, [])


# A lost answer


@pytest.mark.parametrize('operation', ['CreateDashboard', 'CreateMonitor', 'CreateDowntime'])
@pytest.mark.parametrize(
    'kind, creations', [pytest.param('504_after_success', 1, id='made'), pytest.param('503', 2, id='not-made')]
)
def test_a_creation_with_a_lost_response_is_searched(datadog, operation, kind, creations):
    folder = Path(MY_METRIC)
    run(datadog, 'apply', folder, '--yes')
    undisturbed = datadog.organisation.fingerprint()
    run(datadog, 'destroy', folder, '--yes')
    datadog.exchanges.clear()
    met = []

    def fault(exchange):
        if exchange.operation == operation and not met:
            met.append(exchange)
            return kind
        return None

    datadog.fault_of = fault
    outcome = run(datadog, 'apply', folder, '--yes')
    assert outcome.code == 0 and f' s whether the {operation.removeprefix("Create").lower()} ' in outcome.err
    assert datadog.organisation.fingerprint() == undisturbed
    assert datadog.counts()[operation] == FEWEST[operation] + creations - 1


# Nothing is changed unless all of it is valid


def broken(path, change):
    assets = copy.deepcopy(integration.ASSETS)
    change(assets[path].get('definition') or assets[path])
    return assets


@pytest.mark.parametrize(
    'assets, words',
    [
        pytest.param(
            broken('monitors/full.json', lambda body: body.update(query='avg(last_5m):avg:acme.spool.jobs{*}')),
            ('monitors/full.json:13:50: ', 'column 36: expected a comparison'),
            id='a-query-without-a-comparison',
        ),
        pytest.param(
            broken('monitors/full.json', lambda body: body['options'].update(notify_nodata=True)),
            ('monitors/full.json', 'options.notify_nodata: unknown key', 'did you mean notify_no_data?'),
            id='a-misspelt-option',
        ),
        pytest.param(
            broken('dashboards/jobs.json', lambda body: body['widgets'][0]['definition'].update(type='nota')),
            ('dashboards/jobs.json', "widgets[0].definition.type: 'nota' is not allowed", "did you mean 'note'?"),
            id='an-unknown-widget',
        ),
        pytest.param(
            broken('dashboards/jobs.json', lambda body: body.update(tags=['service:web'])),
            ('dashboards/jobs.json', "tags[0]: expected a team such as team:web, found 'service:web'"),
            id='a-tag-that-no-dashboard-takes',
        ),
        *(
            pytest.param(
                {**integration.ASSETS, f'dashboards/{board}.json': json.loads((WILD / f'{board}.json').read_text())},
                (
                    f'dashboards/{board}.json:',
                    f'{key}: this is a {board.capitalize()}, which Datadog no longer accepts',
                ),
                id=f'a-{board}',
            )
            for board, key in (('timeboard', 'graphs'), ('screenboard', 'board_title'))
        ),
        pytest.param(
            broken('downtimes/lab.json', lambda body: body['data']['attributes'].update(scope='lab')),
            ('downtimes/lab.json', 'scope: column 1: all values must have a key'),
            id='a-scope',
        ),
        pytest.param(
            {**integration.ASSETS, 'downtimes/lab_2.json': integration.ASSETS['downtimes/lab.json']},
            ('downtimes/lab_2.json: covers the same as lab.json',),
            id='two-downtimes-that-cover-the-same',
        ),
        pytest.param(
            {**integration.ASSETS, 'monitors/Full.json': integration.ASSETS['monitors/full.json']},
            ("its name in the marker, 'full', is also that of ",),
            id='names-that-are-the-same-to-datadog',
        ),
    ],
)
@pytest.mark.parametrize('command', ['plan', 'apply'])
def test_nothing_changes_unless_everything_is_valid(datadog, spool, command, assets, words):
    outcome = run(datadog, command, spool(assets), *(['--yes'] if command == 'apply' else []))
    assert outcome.code == 2
    assert all(word in outcome.err for word in words), outcome.err
    assert not any(datadog.organisation._objects())
