"""SLO alerts: burn rates and error budgets of each type of SLO (section 18)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from citing import rule

from ddassets.assets import read
from ddassets.cli import rehearse_text
from ddassets.cli.rehearse_output import report
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.state import State
from ddassets.output.formats import render
from ddassets.output.terminal import Screen
from ddassets.rehearsal import parse, rehearse
from ddassets.rehearsal.judgement import Judgement
from ddassets.rehearsal.outcome import Outcome, Run
from ddassets.rehearsal.what_if import what_if
from ddassets.report.rehearsed import page

ACME = Path(__file__).parent / 'acme'
ASSETS = read(ACME)
BURN = 'burn_rate("slo").over("{}").long_window("1h").short_window("5m") {}'
WEEK = '2026-12-28T10:00:00'


def slo(*thresholds, **more):
    """An SLO of good and total requests; thresholds are (timeframe, target)."""
    return {
        'id': 'slo',
        'name': 'Requests',
        'type': 'metric',
        'query': {
            'numerator': 'sum:acme.good{*}.as_count()',
            'denominator': 'sum:acme.total{*}.as_count()',
        },
        'thresholds': [{'timeframe': timeframe, 'target': target} for timeframe, target in thresholds],
        **more,
    }


def of_monitors(*ids, target=99.9, **more):
    return {
        'id': 'slo',
        'name': 'Uptime',
        'type': 'monitor',
        'monitor_ids': [*ids],
        'thresholds': [{'timeframe': '7d', 'target': target}],
        **more,
    }


def of_slices(query, comparator='>', threshold=0, seconds=300, target=99.0, **more):
    part = {
        'query': {
            'formulas': [{'formula': 'query1'}],
            'queries': [{'data_source': 'metrics', 'name': 'query1', 'query': query}],
        },
        'comparator': comparator,
        'threshold': threshold,
        'query_interval_seconds': seconds,
    }
    return {
        'id': 'slo',
        'name': 'Slices',
        'type': 'time_slice',
        'sli_specification': {'time_slice': part},
        'thresholds': [{'timeframe': '7d', 'target': target}],
        **more,
    }


def monitor(id, query, **options):
    """A metric monitor with an id."""
    options = {'thresholds': {'critical': float(query.rpartition(' ')[2])}, **options}
    return {'id': id, 'name': f'M{id}', 'type': 'query alert', 'query': query, 'message': '', 'options': options}


def count(metric, values, start='2027-01-04T08:00:00', **more):
    return {'metric': metric, 'type': 'count', 'interval': '60s', 'from': start, 'values': values, **more}


def gauge(values, start=WEEK, metric='acme.up', **more):
    return {'metric': metric, 'type': 'gauge', 'interval': '60s', 'from': start, 'values': values, **more}


def rehearsed(query, series, one, length='20m', message='@ops@example.com', monitors=(), options=None, **more):
    options = {'thresholds': {'critical': float(query.rpartition(' ')[2])}, **(options or {})}
    body = {'name': 'Alert', 'type': 'slo alert', 'query': query, 'message': message, 'options': options}
    scenario = {
        'start': '2027-01-04T10:00:00',
        'length': length,
        'tick_second': 30,
        'series': series,
        'monitors': [body, *monitors],
        'slos': [one],
        'downtimes': [],
        **more,
    }
    return rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS, keep=True)


def refused(*arguments, **named):
    with pytest.raises(UnusableInputError) as caught:
        rehearsed(*arguments, **named)
    return f'{caught.value}\n{caught.value.details}'


def line(rehearsal, group=()):
    return rehearsal.monitors[0].timeline.groups[group]


def changes(rehearsal, group=()):
    found = line(rehearsal, group).transitions
    return [f'{datetime.fromtimestamp(one.instant, UTC):%H:%M:%S} {one.target}' for one in found]


def shown_data(rehearsal):
    """The inbox in JSON."""
    run = Run([Outcome(rehearsal.scenario.path, Judgement(rehearsal))], None)
    return json.loads(render('json', report(run)))['rehearsals'][0]['inbox']


# Cases of section 10 and of the estate


@rule('18.2', '18.5', '18.6')
def test_the_alert_names_its_own_timeframe():
    """The case slo-alert-names-its-own-timeframe: the primary timeframe would give 1.5."""
    one = slo(('7d', 99.9), ('30d', 99), timeframe='30d', target_threshold=99)
    series = [count('acme.total', '1000x180'), count('acme.good', '985x180')]
    found = rehearsed(BURN.format('7d', '> 14.4'), series, one)
    assert set(line(found).values.tolist()) == {15.0}
    assert changes(found) == ['10:00:30 Alert']


@rule('18.5', '18.7', '18.9')
def test_a_burn_rate_is_no_error_rate():
    """The case burn-rate-is-no-error-rate."""
    series = [count('acme.total', '10000x180'), count('acme.good', '9999x180')]
    found = rehearsed(BURN.format('30d', '> 0.0144'), series, slo(('30d', 99.9)))
    assert set(line(found).values.tolist()) == {0.1}
    assert changes(found) == ['10:00:30 Alert']


@rule('18.3', '18.4', '18.12', '18.19', 'A68')
@pytest.mark.parametrize(
    'missing, comparison, consumed',
    [
        pytest.param('default', '< 10', 99.206349206, id='default'),
        pytest.param('show_no_data', '< 10', 0, id='shown'),
        pytest.param('resolve', '< 10', 0, id='resolved'),
        pytest.param('show_and_notify_no_data', '< 10', 99.206349206, id='notified'),
        pytest.param('default', '> 1000', 0, id='above'),
    ],
)
def test_uptime_when_data_are_missing(missing, comparison, consumed):
    """The case slo-uptime-when-data-are-missing."""
    member = monitor(1, f'sum(last_1m):sum:acme.requests{{*}}.as_count() {comparison}', on_missing_data=missing)
    series = [count('acme.requests', '50x10080 _x10 50x10', start=WEEK)]
    found = rehearsed('error_budget("slo").over("7d") > 90', series, of_monitors(1), monitors=[member])
    values = line(found).values
    assert values[10] == pytest.approx(consumed)
    if consumed:
        # Nine minutes are 89.3 per cent.
        assert values[8] == pytest.approx(89.2857142857)
        assert changes(found) == ['10:09:30 Alert']
    else:
        assert changes(found) == []
    assert 'A68' in found.assumptions


@rule('18.9', 'V31')
@pytest.mark.parametrize(
    'days, consumed, hours, rate, short',
    [
        (7, 10, 1, '16.8', 5),
        (7, 20, 6, '5.6', 30),
        (7, 40, 24, '2.8', 120),
        (30, 2, 1, '14.4', 5),
        (30, 5, 6, '6', 30),
        (30, 10, 24, '3', 120),
        (90, 1, 1, '21.6', 5),
        (90, 3, 6, '10.8', 30),
        (90, 5, 24, '4.5', 120),
    ],
)
def test_burn_rates_of_a_consumption(days, consumed, hours, rate, short):
    """Errors that use up some per cent of the budget within the long window have exactly the documented burn rate."""
    # The budget is 0.1 per cent of 100,000 a minute: 100 a minute for all days.
    bad = days * 24 * consumed / hours
    series = [count('acme.total', '100000x1500', '2027-01-03T09:30:00')]
    series += [count('acme.good', f'{100000 - bad:g}x1500', '2027-01-03T09:30:00')]
    query = f'burn_rate("slo").over("{days}d").long_window("{hours}h").short_window("{short}m") >= {rate}'
    found = rehearsed(query, series, slo((f'{days}d', 99.9)), length='2m')
    assert set(line(found).values.tolist()) == {float(rate)}
    assert changes(found) == ['10:00:30 Alert']


@rule('18.8', 'V32', 'A64')
@pytest.mark.parametrize(
    'comparison, choice, expected',
    [
        pytest.param('>= 14.4', {}, ['10:00:30 Alert'], id='at least'),
        pytest.param('> 14.4', {}, [], id='above'),
        pytest.param('> 14.4', {'A64': '>='}, ['10:00:30 Alert'], id='at least by A64'),
    ],
)
def test_a_burn_rate_is_computed_in_decimals(comparison, choice, expected):
    series = [count('acme.total', '10000x180'), count('acme.good', '9856x180')]
    found = rehearsed(BURN.format('30d', comparison), series, slo(('30d', 99.9)), assumptions=choice)
    assert set(line(found).values.tolist()) == {14.4}
    assert changes(found) == expected
    assert ('A64' in found.assumptions) == comparison.startswith('> ')


@rule('18.7', 'V33')
def test_the_largest_burn_rate():
    series = [count('acme.total', '100x180'), count('acme.good', '0x180')]
    found = rehearsed(BURN.format('30d', '>= 25'), series, slo(('30d', 96)))
    assert changes(found) == ['10:00:30 Alert']
    assert 'a burn rate of 25.1: with the target of 96 % it is at most 25 (rule 18.7)' in refused(
        BURN.format('30d', '> 25.1'), series, slo(('30d', 96))
    )
    # A burn rate of 10 at 99.9 % is an error rate of 0.01.
    series = [count('acme.total', '100x180'), count('acme.good', '99x180')]
    assert line(rehearsed(BURN.format('30d', '> 10'), series, slo(('30d', 99.9)))).values[0] == 10


@rule('18.3', '18.4', 'V34')
@pytest.mark.parametrize('good, consumed', [(9995, 50), (9985, 150), (10000, 0)])
def test_consumed_error_budget(good, consumed):
    series = [count('acme.total', '10000x10200', WEEK), count('acme.good', f'{good}x10200', WEEK)]
    found = rehearsed('error_budget("slo").over("7d") > 75', series, slo(('7d', 99.9)), message='{{value}}')
    assert set(line(found).values.tolist()) == {consumed}
    assert changes(found) == (['10:00:30 Alert'] if consumed > 75 else [])


@rule('18.13', '18.14', '18.16', 'V35', 'A66')
def test_time_slices():
    """12 h of 5-min slices: one bad is 99.305 %; two groups with one bad each, apart, are 98.611 % together."""
    one = of_slices('avg:acme.up{*} by {host}', target=90)
    start = '2027-01-03T22:00:00'
    series = [
        gauge('1x60 -1x5 1x700', start, tags=['host:a']),
        gauge('1x120 -1x5 1x700', start, tags=['host:b']),
    ]
    query = 'burn_rate("slo").over("7d").long_window("12h").short_window("11h"){} > 0.01'
    bad = 100 * 1 / 144 / 10
    assert 100 - 10 * bad == pytest.approx(99.3055, abs=1e-3) and 100 - 20 * bad == pytest.approx(98.6111, abs=1e-3)
    found = rehearsed(query.format('.by("host")'), series, one, tick_second=0, length='1m')
    assert line(found, ('host:a',)).values[0] == pytest.approx(bad)
    assert line(found, ('host:b',)).values[0] == pytest.approx(bad)
    found = rehearsed(query.format(''), series, one, tick_second=0, length='1m')
    assert line(found).values[0] == pytest.approx(2 * bad)
    assert 'A66' in found.assumptions


@rule('18.11', 'V36')
def test_ten_instants():
    """Of three monitors each is down in its minutes, and the SLO when any is: 70 % of ten instants."""
    words = {1: 'OKx4 Alert OKx5', 2: 'OKx8 Alert OK', 3: 'OKx2 Alert OK Alert OKx5'}
    series = [
        {'monitor': str(id), 'states': f'OKx10080 {states}', 'from': '2026-12-28T10:00:30', 'interval': '60s'}
        for id, states in words.items()
    ]
    found = rehearsed('error_budget("slo").over("7d") > 90', series, of_monitors(1, 2, 3, target=99), length='10m')
    # Three of 10080 minutes, with a budget of one per cent.
    assert line(found).values[9] == pytest.approx(100 * 100 * 3 / 10080)


@rule('18.15', 'V37')
@pytest.mark.parametrize('corrected, total', [(True, 8640), (False, 10080)])
def test_a_correction_of_a_day(corrected, total):
    member = monitor(1, 'avg(last_1m):avg:acme.up{*} < 1')
    more = {'corrections': [{'slo': 'slo', 'from': '2027-01-01', 'to': '2027-01-02'}]} if corrected else {}
    query = 'error_budget("slo").over("7d") > 75'
    one = of_monitors(1, target=99)
    found = rehearsed(query, [gauge('1x100 0x60 1x10200')], one, monitors=[member], length='2m', **more)
    assert line(found).values[0] == pytest.approx(100 * 100 * 60 / total)


# Windows, alerts and messages


@rule('18.6')
def test_both_windows_have_to_burn():
    """The long window remembers the errors for an hour, the short one for five minutes."""
    series = [count('acme.total', '100x200'), count('acme.good', '100x120 0x5 100x75')]
    options = {'thresholds': {'critical': 14.4, 'warning': 7.2}}
    found = rehearsed(BURN.format('30d', '> 14.4'), series, slo(('30d', 99.9)), options=options)
    # The first errors are those of 10:00: one bad minute of 60 is a burn rate of 16.7.
    assert changes(found) == ['10:00:30 Alert', '10:09:30 OK']
    options = {'thresholds': {'critical': 60, 'warning': 40}}
    found = rehearsed(BURN.format('30d', '> 60'), series, slo(('30d', 99.9)), options=options)
    assert changes(found) == ['10:02:30 Warn', '10:03:30 Alert', '10:09:30 OK']


@rule('18.20')
def test_windows_end_at_the_delayed_instant():
    """A bucket counts by its start: at 10:05:00 with a delay of 5 minutes the newest one is that of 10:00."""
    series = [count('acme.total', '1x200'), count('acme.good', '1x120 0 1x79')]
    for delay, first in ((0, '10:00:00'), (300, '10:05:00')):
        options = {'thresholds': {'critical': 10}, 'evaluation_delay': delay}
        one = slo(('30d', 99.9))
        found = rehearsed(BURN.format('30d', '> 10'), series, one, options=options, tick_second=0)
        assert changes(found)[0] == f'{first} Alert'
        assert len(changes(found)) == 2


@rule('18.18')
def test_an_error_budget_has_no_delay():
    series = [count('acme.total', '1x10100', WEEK), count('acme.good', '1x10080 0x20', WEEK)]
    options = {'thresholds': {'critical': 1}, 'evaluation_delay': 600}
    found = rehearsed('error_budget("slo").over("7d") > 1', series, slo(('7d', 99.9)), options=options)
    assert changes(found) == ['10:00:30 Alert']


@rule('18.18')
def test_options_without_effect():
    series = [count('acme.total', '1x10100', WEEK), count('acme.good', '1x10080 0x20', WEEK)]
    thresholds = {'critical': 1, 'critical_recovery': 0}
    options = {'thresholds': thresholds, 'evaluation_delay': 60, 'timeout_h': 2}
    found = rehearsed('error_budget("slo").over("7d") > 1', series, slo(('7d', 99.9)), options=options)
    (warning,) = [one for one in found.warnings if '18.18' in one]
    for name in ('thresholds.critical_recovery', 'timeout_h', 'evaluation_delay'):
        assert name in warning
    assert State.NO_DATA not in found.monitors[0].monitor.states
    series = [count('acme.total', '1x180'), count('acme.good', '1x180')]
    found = rehearsed(BURN.format('7d', '> 1'), series, slo(('7d', 99.9)), options=options)
    assert any('timeout_h: without effect in a burn-rate alert' in one for one in found.warnings)


@rule('3.13', '18.18')
def test_on_missing_data_is_refused():
    """The case slo-alert-takes-no-on-missing-data: the option belongs to the monitor of a monitor-based SLO."""
    series = [count('acme.total', '1x180'), count('acme.good', '1x180')]
    options = {'thresholds': {'critical': 1}, 'on_missing_data': 'show_no_data'}
    with pytest.raises(UnusableInputError) as caught:
        rehearsed('error_budget("slo").over("7d") > 1', series, slo(('7d', 99.9)), options=options)
    assert 'options.on_missing_data: not available for SLO alerts' in f'{caught.value} {caught.value.details}'


@rule('18.10', 'A65')
@pytest.mark.parametrize('choice, expected', [('no result', []), ('uptime', ['10:05:30 OK'])])
def test_no_total_keeps_the_state(choice, expected):
    series = [count('acme.total', '100x121 _x300'), count('acme.good', '0x121 _x300')]
    found = rehearsed(BURN.format('30d', '> 10'), series, slo(('30d', 99.9)), assumptions={'A65': choice})
    assert changes(found) == ['10:00:30 Alert', *expected]
    assert 'A65' in found.assumptions


@rule('18.4', '18.17', 'A67')
@pytest.mark.parametrize('choice, value', [('empty', ''), ('long burn rate', '25.25')])
def test_variables_of_a_burn_rate(choice, value):
    series = [count('acme.total', '1000x180'), count('acme.good', '975x118 970x62')]
    message = '[{{value}}] {{long_window_burn_rate}} {{short_window_burn_rate}} {{timeframe}} {{threshold}} @a@b.org'
    one = slo(('30d', 99.9))
    found = rehearsed(BURN.format('30d', '> 14.4'), series, one, message=message, assumptions={'A67': choice})
    (due,) = found.monitors[0].results[()].notifications
    text = found.monitors[0].messages.render((), frozenset(), due).text
    # 57 minutes of 25 and 3 of 30, then two of 25 and three of 30.
    assert text == f'[{value}] 25.25 28.0 30d 14.4 @a@b.org'


def test_the_consumed_budget_is_the_value_of_a_message():
    series = [count('acme.total', '1000x10200', WEEK), count('acme.good', '999x10200', WEEK)]
    message = '{{value}} % of {{timeframe}} @a@b.org'
    found = rehearsed('error_budget("slo").over("7d") > 75', series, slo(('7d', 99.9)), message=message)
    (due,) = found.monitors[0].results[()].notifications
    assert found.monitors[0].messages.render((), frozenset(), due).text == '100.0 % of 7d @a@b.org'


@rule('18.6')
def test_explanation():
    series = [count('acme.total', '1000x180'), count('acme.good', '985x180')]
    found = rehearsed(BURN.format('7d', '> 14.4'), series, slo(('7d', 99.9)))
    evaluator = found.monitors[0].evaluator
    explained = evaluator.explain((), found.start + 60)
    assert explained.window[1] - explained.window[0] == 3600
    assert explained.reasons == (
        'long window 1h: 1.5 % bad, target 99.9 %: burn rate 15',
        'short window 5m: 1.5 % bad, target 99.9 %: burn rate 15',
        'critical: both burn rates > 14.4 holds',
        'the state was absent and becomes Alert',
    )
    series = [count('acme.total', '1000x10200', WEEK), count('acme.good', '999x10200', WEEK)]
    found = rehearsed('error_budget("slo").over("7d") > 75', series, slo(('7d', 99.9)))
    assert found.monitors[0].evaluator.explain((), found.start + 60).reasons[:2] == (
        'timeframe 7d: 0.1 % bad, target 99.9 %: 100 % of the error budget consumed',
        'critical: consumed > 75 holds',
    )


@rule('18.6', '18.17')
def test_the_text_and_the_data_of_a_result():
    series = [count('acme.total', '100x200'), count('acme.good', '100x120 0x5 100x75')]
    found = rehearsed(BURN.format('30d', '> 14.4'), series, slo(('30d', 99.9)))
    shown = rehearse_text.text(Judgement(found), screen=Screen(width=160))
    assert 'SLO Requests: 99.9 % over 30d' in shown
    assert 'burn rates 16.6667, 200 > 14.4  to @ops@example.com' in shown
    assert 'burn rates 83.3333, 0 (not both > 14.4)' in shown
    mails = shown_data(found)
    assert [(mail['long_window_burn_rate'], mail['short_window_burn_rate']) for mail in mails] == [
        (pytest.approx(1000 / 60), 200),
        (pytest.approx(5000 / 60), 0),
    ]
    series = [count('acme.total', '1000x10200', WEEK), count('acme.good', '999x10200', WEEK)]
    found = rehearsed('error_budget("slo").over("7d") > 75', series, slo(('7d', 99.9)))
    assert '100 % consumed > 75.0  to @ops@example.com' in rehearse_text.text(
        Judgement(found), screen=Screen(width=160)
    )


@rule('18.11')
def test_an_explanation_names_the_monitors_that_are_down():
    member = monitor(1, 'avg(last_1m):avg:acme.up{*} by {host} < 1', new_group_delay=0)
    series = [gauge('1x10080 0 1x30', tags=['host:a']), gauge('1x10082 0 1x30', tags=['host:b'])]
    one = of_monitors(1, target=99)
    found = rehearsed('error_budget("slo").over("7d") > 9', series, one, monitors=[member])
    explained = found.monitors[0].evaluator.explain((), found.start + 300)
    assert [(name, time - found.start, amount) for name, time, amount in explained.points] == [
        ('minutes down of M1, host:a', 30, 1),
        ('minutes down of M1, host:b', 150, 1),
    ]


# What is before the data


@rule('18.20')
def test_a_timeframe_longer_than_the_signal():
    series = [count('acme.total', '1000x180'), count('acme.good', '1000x121 0x59')]
    query, one = 'error_budget("slo").over("7d") > 75', slo(('7d', 99.9))
    reason = refused(query, series, one)
    assert 'the timeframe of 7d begins 6d21h59m30s before the signal' in reason
    assert 'before: [{slo: slo, good: …, total: …}]' in reason
    # 5,000 of 10,120,000 are half of the budget; 1,000 more each minute.
    before = [{'slo': 'slo', 'good': 9_995_000, 'total': 10_000_000}]
    found = rehearsed(query, series, one, before=before)
    values = line(found).values
    assert values[0] == pytest.approx(100 * 5000 / 10_121_000 / 0.001)
    assert values[5] == pytest.approx(100 * 10_000 / 10_126_000 / 0.001)
    assert changes(found) == ['10:03:30 Alert']


@rule('18.20')
def test_a_burn_rate_needs_its_long_window_alone():
    series = [count('acme.total', '1000x60', '2027-01-04T09:30:00'), count('acme.good', '0x60', '2027-01-04T09:30:00')]
    found = rehearsed(BURN.format('30d', '> 14.4'), series, slo(('30d', 99.9)))
    assert changes(found) == ['10:00:30 Alert']
    assert any('begin before the signal' in one for one in found.warnings)


@rule('18.20')
def test_before_is_not_used_if_the_data_reach_back():
    series = [count('acme.total', '1x10200', WEEK), count('acme.good', '1x10200', WEEK)]
    before = [{'slo': 'slo', 'good': 1, 'total': 1}]
    found = rehearsed('error_budget("slo").over("7d") > 75', series, slo(('7d', 99.9)), before=before)
    assert any('`before` is not used' in one for one in found.warnings)


# Metric SLOs


@rule('18.10')
@pytest.mark.parametrize(
    'good, total, rate',
    [
        pytest.param('sum:a{*}.as_count() + sum:b{*}.as_count()', None, 5, id='a sum'),
        pytest.param('sum:c{*}.as_count() - sum:d{*}.as_count()', 'sum:c{*}.as_count()', 5, id='a difference'),
        pytest.param('2 * sum:a{*}.as_count() / 2 + sum:b{*}.as_count()', None, 5, id='factors'),
        pytest.param('-(-sum:a{*}.as_count()) + default_zero(sum:b{*}.as_count())', None, 5, id='signs and zeros'),
        pytest.param('sum:a{*}.as_count().rollup(sum, 300) + sum:b{*}.as_count()', None, None, id='a rollup'),
        pytest.param('sum:r{*}.as_count()', None, 40, id='a rate'),
    ],
)
def test_metric_queries(good, total, rate):
    one = slo(('30d', 99), query={'numerator': good, 'denominator': total or 'sum:c{*}.as_count()'})
    series = [count('a', '60x180'), count('b', '35x180'), count('c', '100x180'), count('d', '5x180')]
    series += [{**count('r', '1x180'), 'type': 'rate'}]
    found = rehearsed(BURN.format('30d', '> 14.4'), series, one)
    assert line(found).values[0] == rate or rate is None


@rule('18.20')
def test_a_bucket_does_not_count_what_is_still_to_come():
    query = {
        'numerator': 'sum:acme.good{*}.as_count().rollup(sum, 3600)',
        'denominator': 'sum:acme.total{*}.as_count().rollup(sum, 3600)',
    }
    series = [count('acme.total', '10x200'), count('acme.good', '10x150 0x50')]
    burn = 'burn_rate("slo").over("30d").long_window("2h").short_window("1h") > 1'
    found = rehearsed(burn, series, slo(('30d', 99), query=query), length='40m')
    # The bucket of 10:00 is bad from 10:30 on.
    assert changes(found) == ['10:30:30 Alert']


@rule('18.10')
def test_good_and_bad_formulas():
    queries = [
        {'data_source': 'metrics', 'name': name, 'query': f'sum:{name}{{*}}.as_count()'} for name in ('good', 'bad')
    ]
    count_part = {
        'good_events_formula': {'formula': 'good'},
        'bad_events_formula': {'formula': 'bad'},
        'queries': queries,
    }
    one = slo(('30d', 99), sli_specification={'count': count_part}, query=None)
    series = [count('good', '95x180'), count('bad', '5x180')]
    assert line(rehearsed(BURN.format('30d', '> 14.4'), series, one)).values[0] == 5


@rule('18.16')
def test_alerts_by_group():
    query = {'numerator': 'sum:g{*} by {env,host}.as_count()', 'denominator': 'sum:t{*} by {env,host}.as_count()'}
    one = slo(('30d', 99), query=query)
    series = []
    for host, env, good in (('a', 'prod', 90), ('b', 'prod', 100), ('c', 'dev', 100)):
        tags = [f'host:{host}', f'env:{env}']
        series += [count('t', '100x180', tags=tags), count('g', f'{good}x180', tags=tags)]
    burn = 'burn_rate("slo").over("30d").long_window("1h").short_window("5m"){} > 3'
    found = rehearsed(burn.format('.by("env")'), series, one)
    assert [*found.monitors[0].timeline.groups] == [('env:dev',), ('env:prod',)]
    assert line(found, ('env:prod',)).values[0] == 5 and line(found, ('env:dev',)).values[0] == 0
    assert changes(found, ('env:prod',)) == ['10:00:30 Alert'] and changes(found, ('env:dev',)) == []
    assert line(rehearsed(burn.format(''), series, one)).values[0] == pytest.approx(10 / 3)
    assert 'its queries group by env, host, not by zone' in refused(burn.format('.by("zone")'), series, one)
    budget = 'error_budget("slo").over("30d").by("env") > 3'
    assert 'has no error_budget alert by group (rule 18.16)' in refused(budget, series, one)


@rule('18.15')
def test_a_correction_of_counts_leaves_them_out():
    series = [count('acme.total', '100x200'), count('acme.good', '100x90 0x10 100x100')]
    query, one = BURN.format('30d', '> 14.4'), slo(('30d', 99.9))
    values = line(rehearsed(query.replace('5m', '50m'), series, one)).values
    assert values[0] == 10 / 60 / 0.001
    corrections = [{'slo': 'Requests', 'from': '2027-01-04T09:30:00', 'to': '2027-01-04T09:35:00'}]
    values = line(rehearsed(query.replace('5m', '50m'), series, one, corrections=corrections)).values
    # Of the long window five minutes are left out.
    assert values[0] == 5 / 55 / 0.001


# Monitor-based


@rule('18.11')
def test_warnings_are_uptime():
    options = {'thresholds': {'critical': 9, 'warning': 5}}
    member = monitor(1, 'avg(last_1m):avg:acme.up{*} > 9', **options)
    found = rehearsed(
        'error_budget("slo").over("7d") > 9', [gauge('1x10080 6x5 1x20')], of_monitors(1), monitors=[member]
    )
    assert set(line(found).values.tolist()) == {0.0}


@rule('18.11')
@pytest.mark.parametrize('groups, bad', [([], 2), (['host:a'], 1), (['host:b'], 1)])
def test_groups_of_a_monitor(groups, bad):
    member = monitor(1, 'avg(last_1m):avg:acme.up{*} by {host} < 1', new_group_delay=0)
    series = [
        gauge('1x10080 0 1x30', tags=['host:a']),
        gauge('1x10082 0 1x30', tags=['host:b']),
    ]
    one = of_monitors(1, target=99, groups=groups)
    found = rehearsed('error_budget("slo").over("7d") > 9', series, one, monitors=[member])
    assert line(found).values[5] == pytest.approx(100 * 100 * bad / 10080)
    assert 'M1 has no group host:c; it has host:a, host:b' in refused(
        'error_budget("slo").over("7d") > 9', series, of_monitors(1, groups=['host:c']), monitors=[member]
    )


@rule('18.11')
def test_a_status_may_be_older_than_the_window():
    """The data stops in Alert a day before the long window begins; the legacy option keeps the status."""
    member = monitor(1, 'avg(last_1m):avg:acme.up{*} < 1')
    query = 'burn_rate("slo").over("7d").long_window("1h").short_window("5m") > 1.5'
    found = rehearsed(query, [gauge('1x5 0x5', '2027-01-03T08:00:00')], of_monitors(1, target=50), monitors=[member])
    assert changes(found) == ['10:00:30 Alert']


@rule('18.12')
def test_legacy_no_data_that_notifies_is_downtime():
    member = monitor(1, 'avg(last_1m):avg:acme.up{*} < 1', notify_no_data=True, no_data_timeframe=2)
    series = [gauge('1x10080 _x10 1x30')]
    found = rehearsed('error_budget("slo").over("7d") > 9', series, of_monitors(1, target=99), monitors=[member])
    assert line(found).values[15] > 0


@rule('18.11', 'A98')
def test_resolving_by_timeout_does_not_bring_a_monitor_up():
    member = monitor(1, 'avg(last_1m):avg:acme.up{*} < 1', timeout_h=1)
    series = [gauge('1x9900 0 _x200 1x100')]
    found = rehearsed('error_budget("slo").over("7d") > 9', series, of_monitors(1, target=99), monitors=[member])
    assert line(found).values[0] == pytest.approx(100 * 100 * 180 / 10080, rel=0.02)
    assert 'A98' in found.assumptions


@rule('18.16')
def test_alerts_on_slos_of_other_monitors_are_refused():
    check = {'type': 'service check', 'query': '"a".over("*").by("*").last(2).count_by_status()'}
    member = {**monitor(1, 'avg(last_1m):avg:acme.up{*} < 1'), **check, 'options': {'thresholds': {'critical': 1}}}
    query = 'error_budget("slo").over("7d") > 9'
    assert 'metric monitors only (rule 18.16)' in refused(query, [gauge('1x9')], of_monitors(1), monitors=[member])
    assert "no monitor '2'" in refused(query, [gauge('1x9')], of_monitors(2), monitors=[member])


# Time slices


@rule('18.13', '18.15')
@pytest.mark.parametrize(
    'query, values, seconds, bad',
    [
        pytest.param('avg:acme.up{*}', '2x90 0x10 2x100', 300, 2, id='average'),
        pytest.param('avg:acme.up{*}', '2x90 0x3 2x107', 300, 1, id='three of five'),
        pytest.param('avg:acme.up{*}', '2x90 0x2 2x108', 300, 0, id='two of five'),
        pytest.param('max:acme.up{*}.rollup(max)', '2x90 0x4 2 0x5 2x100', 300, 1, id='its own method'),
        pytest.param('avg:acme.up{*}', '2x90 0x10 2x100', 60, 10, id='minutes'),
        pytest.param('avg:acme.up{*}', '2x90 _x10 2x100', 300, 0, id='missing data are uptime'),
    ],
)
def test_values_of_slices(query, values, seconds, bad):
    one = of_slices(query, '>', 1, seconds, target=50)
    series = [gauge(values, '2027-01-04T08:00:00')]
    burn = 'burn_rate("slo").over("7d").long_window("2h").short_window("1h") > 0.001'
    found = rehearsed(burn, series, one, tick_second=0, length='1m')
    figure = found.monitors[0].evaluator.variables((), found.start)['long_window_burn_rate']
    assert figure == pytest.approx(bad / (7200 / seconds) / 0.5)
    corrections = [{'slo': 'slo', 'from': '2027-01-04T09:00:00', 'to': '2027-01-04T09:59:00'}]
    found = rehearsed(burn, series, one, tick_second=0, length='1m', corrections=corrections)
    assert found.monitors[0].evaluator.variables((), found.start)['long_window_burn_rate'] == 0


@rule('18.13')
def test_slices_of_counts_and_of_a_formula():
    query = 'burn_rate("slo").over("7d").long_window("2h").short_window("1h") > 0.001'
    series = [count('acme.errors', '1x90 3x10 1x100'), count('acme.hits', '10x200')]
    for text, threshold in (('sum:acme.errors{*}.as_count()', 14), ('100 * sum:acme.errors{*}.as_count() / 50', 28)):
        found = rehearsed(query, series, of_slices(text, '<=', threshold, target=50), tick_second=0, length='1m')
        # A slice of five minutes sums five points: two of 24 slices have 15 errors.
        assert found.monitors[0].evaluator.variables((), found.start)['long_window_burn_rate'] == 2 / 24 / 0.5
    one = of_slices('', '<=', 0.2, target=50)
    part = one['sli_specification']['time_slice']['query']
    part['formulas'] = [{'formula': 'errors / hits'}]
    part['queries'] = [
        {'data_source': 'metrics', 'name': name, 'query': f'sum:acme.{name}{{*}}.as_count()'}
        for name in ('errors', 'hits')
    ]
    found = rehearsed(query, series, one, tick_second=0, length='1m')
    assert found.monitors[0].evaluator.variables((), found.start)['long_window_burn_rate'] == 2 / 24 / 0.5


@rule('18.14', 'A66')
def test_an_unfinished_slice_does_not_count():
    one = of_slices('avg:acme.up{*}', '>', 1, target=90)
    series = [gauge('2x120 0x5 2x100', '2027-01-04T08:00:00')]
    burn = 'burn_rate("slo").over("7d").long_window("1h").short_window("5m") > 0.1'
    found = rehearsed(burn, series, one, tick_second=0)
    assert changes(found) == ['10:05:00 Alert', '10:10:00 OK']


# Faults


@rule('18.1', '18.2', '18.3')
@pytest.mark.parametrize(
    'query, one, reason',
    [
        pytest.param(
            'error_budget("sloo").over("7d") > 9',
            slo(('7d', 99.9)),
            "query: column 15: no SLO 'sloo'; did you mean slo?; there are: slo; an SLO may also be given under `slos`",
            id='unknown',
        ),
        pytest.param(
            'error_budget("slo").over("30d") > 9',
            slo(('7d', 99.9)),
            'column 27: over("30d"): the SLO Requests has 7d',
            id='timeframe',
        ),
        pytest.param(
            'error_budget("slo").over("7d") > 9', slo(('7d', 100)), 'leaves no error budget', id='target of 100'
        ),
        pytest.param(
            'error_budget("slo").over("7d") > 9',
            slo(('7d', 99), query={'numerator': 'sum:acme.up{*}', 'denominator': 'sum:acme.total{*}.as_count()'}),
            'acme.up is a gauge: expected a count or a rate (rule 18.10)',
            id='gauge',
        ),
        pytest.param(
            'error_budget("slo").over("7d") > 9',
            slo(('7d', 99), query={'numerator': 'avg:acme.good{*}', 'denominator': 'sum:acme.total{*}.as_count()'}),
            'query.numerator: acme.good: good and total events are sums (rule 18.10), not avg',
            id='average',
        ),
        pytest.param(
            'error_budget("slo").over("7d") > 9',
            slo(('7d', 99), query={'numerator': 'abs(sum:acme.good{*}.as_count())', 'denominator': 'sum:a{*}'}),
            'query.numerator: expected a sum of queries of counts',
            id='function',
        ),
    ],
)
def test_refusals(query, one, reason):
    series = [gauge('1x9'), count('acme.good', '1x9'), count('acme.total', '1x9')]
    assert reason in refused(query, series, one)


@pytest.mark.parametrize(
    'more, reason',
    [
        ({'before': [{'slo': 'slo', 'good': 3, 'total': 2}]}, 'before[0].good: expected at most the total of'),
        ({'before': [{'slo': 'sli', 'good': 1, 'total': 2}]}, "before[0].slo: no SLO 'sli'; did you mean slo?"),
        ({'before': [{'slo': 'slo', 'good': 1, 'totl': 2}]}, "unknown key 'totl'; did you mean total?"),
        (
            {'corrections': [{'slo': 'slo', 'from': '2027-01-02', 'to': '2027-01-01'}]},
            'corrections[0].to: expected a time after from',
        ),
        ({'slos': ['sloo']}, "no SLO 'sloo'"),
        ({'before': [{'slo': 'slo', 'good': 1, 'total': 2}] * 2}, "before[1]: the SLO 'slo' is given twice"),
    ],
)
def test_faults_of_a_scenario(more, reason):
    with pytest.raises(UnusableInputError, match='^.*') as caught:
        rehearsed(BURN.format('7d', '> 1'), [count('acme.total', '1x9')], slo(('7d', 99.9)), **more)
    assert reason in str(caught.value)


# Beside other monitors, and on the page


@rule('18.16', '13.3')
def test_a_member_of_a_composite():
    series = [count('acme.total', '100x200'), count('acme.good', '100x120 0x5 100x75'), gauge('1x10300')]
    up = monitor(1, 'avg(last_1m):avg:acme.up{*} > 0')
    both = {'name': 'Both', 'type': 'composite', 'query': '"Alert" && 1', 'message': '@a@example.com'}
    found = rehearsed(BURN.format('30d', '> 14.4'), series, slo(('30d', 99.9)), monitors=[up, both])
    changed = found.monitors[2].timeline.groups[()].transitions
    assert [str(one.target) for one in changed] == ['Alert', 'OK']


@rule('A64', 'A65', 'A67')
def test_what_another_answer_changes():
    series = [count('acme.total', '10000x122 _x5 10000x80'), count('acme.good', '9856x122 _x5 9856x80')]
    query = BURN.format('30d', '> 14.4').replace('"5m"', '"1m"')
    found = rehearsed(query, series, slo(('30d', 99.9)), message='{{value}} @a@example.com')
    assert what_if(found).sensitive == ('A64',)
    options = {'A64': '>='}
    found = rehearsed(query, series, slo(('30d', 99.9)), message='{{value}} @a@example.com', assumptions=options)
    assert set(what_if(found).sensitive) == {'A64', 'A65', 'A67'}


def test_a_downtime_mutes_an_alert():
    series = [count('acme.total', '100x180'), count('acme.good', '0x180')]
    downtime = {
        'monitor_identifier': {'monitor_tags': ['*']},
        'scope': '*',
        'schedule': {'start': '2027-01-04T09:00:00+00:00', 'end': '2027-01-04T11:00:00+00:00'},
    }
    found = rehearsed(BURN.format('30d', '> 14.4'), series, slo(('30d', 99.9)), downtimes=[downtime])
    (due,) = found.monitors[0].results[()].notifications
    assert due.muted_by


def test_the_page_names_the_slo():
    series = [count('acme.total', '100x180'), count('acme.good', '0x180')]
    found = rehearsed(BURN.format('30d', '> 14.4'), series, slo(('30d', 99.9)))
    made = page(ASSETS, [Judgement(found)])
    legend = 'SLO Requests: 99.9 % over 30d; the value is the smaller burn rate of the two windows'
    assert [one.legend for one in made.rehearsals[0].monitors] == [legend]


def test_corrections_need_an_slo_alert():
    member = monitor(1, 'avg(last_1m):avg:acme.up{*} < 1')
    corrections = [{'slo': 'slo', 'from': '2027-01-01', 'to': '2027-01-02'}]
    scenario = {'start': WEEK, 'length': '1h', 'series': [gauge('1x60')], 'monitors': [member]}
    text = yaml.safe_dump({**scenario, 'corrections': corrections})
    with pytest.raises(UnusableInputError, match=r'corrections\[0\].slo: no monitor of this scenario is an SLO alert'):
        rehearse(parse(text, ACME / 'rehearsals' / 's.yaml'), ASSETS)


@rule('18.20')
def test_before_in_a_group():
    by = {'numerator': 'sum:g{*} by {env}.as_count()', 'denominator': 'sum:t{*} by {env}.as_count()'}
    series = [count('t', '100x180', tags=['env:prod']), count('g', '100x180', tags=['env:prod'])]
    query = 'error_budget("slo").over("7d") > 3'
    before = [{'slo': 'slo', 'good': 990, 'total': 1000, 'group': 'env:prdo'}]
    one = slo(('7d', 99), query=by)
    assert 'begins' in refused(query, series, one, before=before)
    before = [{**before[0], 'group': '*'}]
    found = rehearsed(query, series, one, before=before)
    assert line(found).values[0] == pytest.approx(100 * 10 / 13_100 / 0.01)
    burn = 'burn_rate("slo").over("7d").long_window("1h").short_window("5m").by("env") > 3'
    found = rehearsed(burn, series, one, before=[{**before[0], 'group': 'env:prdo'}])
    assert any('no group env:prdo; did you mean env:prod?' in one for one in found.warnings)


@rule('18.11')
def test_muting_a_monitor_does_not_change_its_slo():
    member = monitor(1, 'avg(last_1m):avg:acme.up{*} < 1')
    schedule = {'start': '2026-12-20T09:00:00+00:00', 'end': '2027-01-14T11:00:00+00:00'}
    downtime = {'monitor_identifier': {'monitor_id': 1}, 'scope': '*', 'schedule': schedule}
    query, one = 'error_budget("slo").over("7d") > 75', of_monitors(1, target=99)
    found = rehearsed(query, [gauge('1x100 0x60 1x10200')], one, monitors=[member], downtimes=[downtime])
    assert line(found).values[0] == pytest.approx(100 * 100 * 60 / 10080)


@pytest.mark.parametrize('named', ['./assets/', './assets/all.json', {'file': 'assets/all.json', 'only': ['Alert']}])
def test_slos_of_the_files_of_monitors(tmp_path, named):
    query = BURN.format('30d', '> 14.4')
    body = {'name': 'Alert', 'type': 'slo alert', 'query': query, 'message': '@a@example.com'}
    (tmp_path / 'assets').mkdir()
    (tmp_path / 'assets' / 'all.json').write_text(json.dumps([body, slo(('30d', 99.9))]))
    series = [count('acme.total', '100x180'), count('acme.good', '0x180')]
    scenario = {'start': '2027-01-04T10:00:00', 'length': '5m', 'series': series, 'monitors': [named], 'downtimes': []}
    found = rehearse(parse(yaml.safe_dump(scenario), tmp_path / 's.yaml'), ASSETS, keep=True)
    assert changes(found) == ['10:00:00 Alert']
