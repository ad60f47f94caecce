"""`--auto` and `init` make events for monitors of logs, events, RUM and the like, and reach each state they allow."""

import json
from pathlib import Path

import pytest
from citing import rule
from made import MESSAGE, asset_of, reached

from ddassets.assets import read_monitor
from ddassets.assets.source import Unplaced
from ddassets.cli import main
from ddassets.engine import counted
from ddassets.language.counted import PRODUCTS
from ddassets.rehearsal.auto.counted import group_of, survey_counted
from ddassets.rehearsal.auto.estate import judge, survey_paths

BOTH = {'warning': 60, 'critical_recovery': 70, 'warning_recovery': 40}
NO_DATA = {'on_missing_data': 'show_and_notify_no_data'}
COUNT = 'logs("x").index("*").rollup("count").last("5m") > 100'
BY = 'logs("service:web @http.code:5*").index("*").rollup("count").by("service,@http.code").last("10m") > 3'
DURATION = 'trace-analytics("x").rollup("pc95", "@duration").by("service").last("15m") > 2.5'
USERS = 'logs("x").rollup("cardinality", "@usr.id").last("1h") > 4'
TYPES = {'logs': 'log alert', 'events': 'event-v2 alert', 'spans': 'trace-analytics alert', 'audits': 'audit alert'}
TYPES |= dict.fromkeys((name for name in PRODUCTS if name.startswith('error-')), 'error-tracking alert')


def body_of(query, message=MESSAGE, **options):
    product = query.partition('(')[0]
    body = dict(asset_of(query, message, **options).body)
    return body | {'type': TYPES.get(product, f'{product} alert')}


def monitor_of(query, message=MESSAGE, **options):
    asset = read_monitor(Unplaced(Path('acme.json')), body_of(query, message, **options))
    return asset, counted.of(asset)


def surveyed(query, message=MESSAGE, **options):
    return survey_counted(*monitor_of(query, message, **options))


def answers(found):
    """Alert, Warn, recovery and No Data as one word: Y yes, N no, - not set."""
    letters = {'yes': 'Y', 'no': 'N', 'not set': '-'}
    return ''.join(letters[one.answer] for one in (found.alert, found.warn, found.recovery, found.no_data))


@pytest.mark.parametrize(
    'query, options, expected, reason',
    [
        pytest.param(COUNT, {}, 'Y-Y-', '', id='above'),
        pytest.param(COUNT, {'thresholds': BOTH}, 'YYY-', '', id='both recovery thresholds'),
        pytest.param(COUNT, {'thresholds': BOTH, **NO_DATA}, 'YYYY', '', id='no data'),
        pytest.param(COUNT, {'on_missing_data': 'show_no_data'}, 'Y-YY', '', id='no data in silence'),
        pytest.param(COUNT, {'notify_no_data': True, 'no_data_timeframe': 20}, 'Y-YY', '', id='the legacy pair'),
        pytest.param(COUNT, {'on_missing_data': 'resolve'}, 'Y-Y-', '', id='resolve'),
        pytest.param(COUNT, {'evaluation_delay': 900, **NO_DATA}, 'Y-YY', '', id='delay'),
        pytest.param(COUNT.replace('> 100', '> 0'), {}, 'Y-Y-', '', id='any event'),
        pytest.param(COUNT.replace('> 100', '> 0'), NO_DATA, 'Y-NY', 'no events are No Data', id='any event, no data'),
        pytest.param(
            COUNT.replace('> 100', '> 0'), {'on_missing_data': 'resolve'}, 'Y-Y-', '', id='any event, resolved'
        ),
        pytest.param(COUNT.replace('> 100', '< 1'), {}, 'Y-Y-', '', id='no event', marks=rule('15.7')),
        pytest.param(COUNT.replace('> 100', '<= 20'), {'thresholds': {'warning': 30}}, 'YYY-', '', id='below'),
        pytest.param(COUNT.replace('> 100', '== 3'), {}, 'Y-Y-', '', id='equal'),
        pytest.param(COUNT.replace('> 100', '!= 3'), {}, 'Y-Y-', '', id='unequal'),
        pytest.param(COUNT.replace('> 100', '< 0'), {}, 'N-N-', '< 0 never holds', id='below zero'),
        pytest.param(COUNT.replace('> 100', '< 1'), NO_DATA, 'N-NY', '0 is No Data', id='no event is no data'),
        pytest.param(
            COUNT.replace('> 100', '> 0.9'), {'thresholds': {'warning': 0.5}}, 'YNY-', 'is whole', id='no whole number'
        ),
        pytest.param(COUNT.replace('> 100', '>= 250000'), {}, 'Y-Y-', '', id='many'),
        pytest.param(BY, {}, 'Y-Y-', '', id='groups'),
        pytest.param(BY, {'new_group_delay': 1200, **NO_DATA}, 'Y-YY', '', id='group delay'),
        pytest.param(BY, {'groupby_simple_monitor': True}, 'Y-Y-', '', id='one alert', marks=rule('15.18')),
        pytest.param(BY, {'group_retention_duration': '1h', **NO_DATA}, 'Y-YY', '', id='short retention'),
        pytest.param(BY.replace('> 3', '< 3'), {}, 'Y-Y-', '', id='groups below', marks=rule('15.8')),
        pytest.param(DURATION, {'thresholds': {'warning': 2}}, 'YYY-', '', id='a measure'),
        pytest.param(DURATION.replace('> 2.5', '< -1'), {}, 'Y-Y-', '', id='a measure below zero'),
        pytest.param(DURATION, NO_DATA, 'Y-YY', '', id='a measure, no data'),
        pytest.param(USERS, {'thresholds': {'warning': 2}}, 'YYY-', '', id='distinct values'),
        pytest.param(USERS.replace('> 4', '> 0'), {}, 'Y-N-', 'keeps the state', id='any value', marks=rule('A49')),
        pytest.param(
            USERS.replace('> 4', '> 5').replace('.last', '.by("@usr.id").last'),
            {},
            'N-N-',
            'never holds',
            id='one value of its own key',
        ),
        pytest.param(COUNT.replace('5m', '1m'), {'thresholds': BOTH}, 'YYY-', '', id='a minute'),
        pytest.param(COUNT.replace('5m', '2d'), {'thresholds': BOTH, **NO_DATA}, 'YYYY', '', id='two days'),
        pytest.param(COUNT.replace('5m', '36h'), {}, 'Y-Y-', '', id='36 hours'),
        pytest.param(COUNT.replace('5m', '90s'), {}, 'Y-Y-', '', id='90 seconds'),
    ],
)
@pytest.mark.rule('15.4')
def test_every_state_is_reached_or_cannot_be(query, options, expected, reason):
    found = surveyed(query, **options)
    assert (answers(found), found.unsupported) == (expected, '')
    verdicts = (found.alert, found.warn, found.recovery, found.no_data)
    assert all(one.reason for one in verdicts if one.answer == 'no')
    assert reason in ' '.join(one.reason for one in verdicts if one.answer == 'no')
    assert (found.page_after is not None) is (expected[0] == 'Y')


@pytest.mark.parametrize('product', PRODUCTS)
def test_every_product(product):
    found = surveyed(f'{product}("x").rollup("count").by("service").last("5m") > 10')
    assert answers(found) == 'Y-Y-'


def test_who_is_notified_and_how_soon():
    found = surveyed(COUNT, thresholds=BOTH)
    assert found.notified['Alert'] == ('@pager', '@team-acme')
    assert found.page_after == 30
    # The burst has to leave the window.
    assert found.recovery_after == 30
    assert found.unrendered == ('is_no_data',)
    assert not found.never


def test_a_group_has_the_values_that_the_search_asks_for():
    asset, monitor = monitor_of(BY)
    assert group_of(monitor) == ('service:web', '@http.code:http.code-1')


def test_the_command(tmp_path, capsys):
    bodies = [body_of(COUNT, name='Errors'), {**body_of(COUNT.replace('> 100', '< 0')), 'name': 'Never'}]
    (tmp_path / 'exported.json').write_text(json.dumps(bodies))
    code = main(['rehearse', '--auto', '--format', 'json', str(tmp_path / 'exported.json')])
    found = json.loads(capsys.readouterr().out)
    assert code == 1
    assert 'never-alerts' in json.dumps(found) and 'no signal can be generated' not in json.dumps(found)


@pytest.mark.parametrize(
    'query, options, expected',
    [
        pytest.param(COUNT, {'thresholds': BOTH, **NO_DATA}, {'OK', 'Warn', 'Alert', 'No Data'}, id='count'),
        pytest.param(BY, NO_DATA, {'OK', 'Alert', 'No Data'}, id='groups'),
        pytest.param(DURATION, {'thresholds': {'warning': 2}}, {'OK', 'Warn', 'Alert'}, id='a measure'),
        pytest.param(USERS, {}, {'OK', 'Alert'}, id='distinct values'),
        pytest.param('events("x").rollup("count").last("2d") > 3', {}, {'OK', 'Alert'}, id='two days'),
    ],
)
def test_init_writes_a_scenario_that_holds(query, options, expected, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'exported.json').write_text(json.dumps([body_of(query, **options)]))
    assert main(['init', 'exported.json']) == 0
    capsys.readouterr()
    assert main(['rehearse', '--format', 'json', 'exported.json']) == 0
    (rehearsal,) = json.loads(capsys.readouterr().out)['rehearsals']
    assert rehearsal['verdicts'] and all(each['holds'] for each in rehearsal['verdicts'])
    assert reached(rehearsal) == expected


def test_too_many_distinct_values(tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps([body_of(USERS.replace('> 4', '> 100000'))]))
    (found,) = survey_paths([tmp_path / 'exported.json']).surveys
    assert 'distinct values of @usr.id' in found.unsupported
    assert [one.code for one in judge(found)] == ['auto/not-rehearsed']


@pytest.mark.rule('13.15')
def test_a_composite_of_a_grouped_member(tmp_path):
    member = {**body_of(COUNT.replace('.last', '.by("@host").last')), 'name': 'errors'}
    metric = dict(asset_of('avg(last_5m):avg:acme.cpu{*} by {host} > 90').body) | {'name': 'cpu'}
    both = {'name': 'both', 'type': 'composite', 'query': 'cpu && errors', 'message': '@team-acme', 'options': {}}
    folder = tmp_path / 'assets' / 'monitors'
    folder.mkdir(parents=True)
    for body in (member, metric, both):
        (folder / f'{body["name"]}.json').write_text(json.dumps(body))
    found = {one.name: one for one in survey_paths([tmp_path]).surveys}
    assert {name: one.alert.answer for name, one in found.items()} == {'errors': 'yes', 'cpu': 'yes', 'both': 'yes'}
