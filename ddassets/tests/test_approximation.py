"""Functions that are approximated on request: the algorithms, the band of parameters, and what a rehearsal says."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from oracle import anomalies, lines
from oracle import outliers as oracle
from scale import SEED, runs

from ddassets import assets as bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.approximation import APPROXIMATED, agreement, clusters, deciding, parameter_sets, variants
from ddassets.engine.approximation.clusters import (
    components,
    dbscan,
    deciding_factor,
    distances,
    mad,
    outside_largest,
)
from ddassets.engine.approximation.rolling import MIN_POINTS, rolling
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.examples import START, monitor
from ddassets.engine.notification import notifications
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State
from ddassets.rehearsal import parse, rehearse
from ddassets.rehearsal.auto.estate import survey_paths

ACME = Path(__file__).parent / 'acme'
ASSETS = bundle.read(ACME)
PATH = ACME / 'rehearsals' / 's.yaml'
V46 = np.array([[1, 2, 3, 4], [1.1, 2.1, 3.1, 4.1], [0.9, 1.9, 2.9, 3.9], [1, 2, 9, 4]])


@pytest.mark.rule('19.4', '19.5', '19.6', 'V46')
@pytest.mark.parametrize('constant', [1, 1.4826])
def test_dbscan_of_the_vector(constant):
    found = dbscan(V46, 3, constant)
    assert np.median(V46, axis=0) == pytest.approx([1, 2, 3.05, 4])
    assert found.distances == pytest.approx([0.05, 0.180278, 0.229129, 5.95], abs=1e-6)
    assert found.threshold == pytest.approx(0.2047 * constant, abs=1e-4)
    assert found.outliers.tolist() == [False, False, False, True]
    assert not found.tied


@pytest.mark.rule('19.7', 'V46')
@pytest.mark.parametrize('constant', [1, 1.4826])
def test_mad_of_the_vector(constant):
    found = mad(V46, 3, constant, 0.2)
    assert found.shares.tolist() == [0, 0, 0, 0.25]
    assert found.outliers.tolist() == [False, False, False, True]
    assert not mad(V46, 3, constant, 0.25).outliers.any()


@pytest.mark.rule('19.6', 'A70')
def test_equal_clusters_have_no_outlier():
    points = np.array([[0.0], [0.1], [9.0], [9.1]])
    found = dbscan(points, 1, 0.1)
    assert found.tied and not found.outliers.any()


def test_a_chain_is_one_cluster():
    """Every point agglomerates, so ends of a chain are in one cluster although they are far from each other."""
    random = Random(1)
    order = [*range(40)]
    random.shuffle(order)
    place = np.array(order, dtype=float)[:, None]
    between = np.abs(place - place.T)
    assert set(components(between <= 1).tolist()) == {0}
    assert len(set(components((between <= 1) & (np.minimum(place, place.T) != 19)).tolist())) == 2


def test_many_members_are_compared_one_by_one(monkeypatch):
    points = np.random.default_rng(1).normal(size=(60, 100))
    whole = distances(points)
    assert 60 * points.size < clusters.MAX_AT_ONCE
    monkeypatch.setattr(clusters, 'MAX_AT_ONCE', 0)
    assert all((one == other).all() for one, other in zip(whole, distances(points), strict=True))


@pytest.mark.rule('19.10')
def test_the_factor_on_the_tolerance_is_where_the_verdict_changes():
    found = dbscan(V46, 3, 1)

    def verdict(factor):
        return bool(outside_largest(found.between, found.epsilon * factor)[0][3])

    breaks = found.between.reshape(-1) / found.epsilon
    # Below 0.2, the distance of a and b, there are four clusters; from 5.9 on d is in the one with c.
    factor = deciding_factor(verdict, breaks)
    assert factor == pytest.approx(0.2 / found.epsilon)
    larger = deciding_factor(verdict, breaks[breaks > 1])
    assert dbscan(V46, 3 * larger * 0.999, 1).outliers[3]
    assert not dbscan(V46, 3 * larger * 1.001, 1).outliers[3]
    assert deciding_factor(lambda factor: True, breaks) is None


@pytest.mark.rule('19.5')
def test_which_parameter_decides():
    sets = parameter_sets(constant=['1', '1.4826'], lag=['0', '15m'])
    assert deciding(sets, [True] * 4) == ()
    assert deciding(sets, [True, True, False, False]) == ('constant',)
    assert deciding(sets, [True, False, False, True]) == ('lag', 'constant')
    assert deciding(sets, [True, True, True, False]) == ('constant with lag',)


# A monitor


HEAD = """\
start: 2027-01-11T10:00:00Z
length: 3h
approximate: [outliers]
"""
QUERY = "avg(last_30m):outliers(avg:acme.load{*} by {host}, 'dbscan', 3) > 0"
STEADY = {'a': '10x180', 'b': '11x180', 'c': '10.5x180', 'e': '10.4x180'}


def run(hosts, query=QUERY, head=HEAD, **options):
    body = {'name': 'Odd', 'type': 'query alert', 'query': query, 'message': 'Odd @a', 'options': options}
    series = [
        {'metric': 'acme.load', 'type': 'gauge', 'interval': '60s', 'tags': [f'host:{name}'], 'values': values}
        for name, values in hosts.items()
    ]
    text = f'{head}series: {json.dumps(series)}\nmonitors: [{json.dumps(body)}]\n'
    return rehearse(parse(text, PATH), ASSETS)


def result(rehearsal, host):
    return rehearsal.monitors[0].results[f'host:{host}',]


def changes(rehearsal, host):
    """Return the changes of a host as `10:31 Alert`, with `?` for a doubtful one."""
    group = result(rehearsal, host)
    return [
        f'{change.instant % 86400 // 3600}:{change.instant % 3600 // 60:02} {change.target}{"?" if doubt else ""}'
        for change, doubt in zip(group.transitions, group.agreement.transitions, strict=True)
    ]


@pytest.mark.rule('19.1', '19.3', '19.4', 'A69')
def test_a_far_outlier_is_sure():
    rehearsal = run({**STEADY, 'd': '10x60 900x60 10x60'})
    assert changes(rehearsal, 'd') == ['11:00 Alert', '12:29 OK']
    assert result(rehearsal, 'd').agreement.periods == ()
    assert changes(rehearsal, 'a') == []
    assert {'A69', 'A70', 'A2'} <= rehearsal.monitors[0].relied_on
    assert any('approximate: constants unpublished' in warning for warning in rehearsal.warnings)


@pytest.mark.rule('19.4', '19.7', 'V46')
@pytest.mark.parametrize('algorithm', ["'dbscan', 3", "'mad', 3, 20"])
def test_the_vector_as_a_monitor(algorithm):
    hosts = {name: ' '.join(map(str, row)) for name, row in zip('abcd', V46.tolist(), strict=True)}
    query = f'avg(last_4m):outliers(avg:acme.load{{*}} by {{host}}, {algorithm}) > 0'
    rehearsal = run(hosts, query, HEAD.replace('3h', '4m'), new_group_delay=0)
    states = {name: [str(one.target) for one in result(rehearsal, name).transitions] for name in 'abcd'}
    assert states == {'a': [], 'b': [], 'c': [], 'd': ['Alert']}
    assert result(rehearsal, 'd').agreement.transitions == (None,)


@pytest.mark.rule('19.5', '19.10')
def test_a_near_outlier_is_doubtful_and_the_constant_decides():
    rehearsal = run({**STEADY, 'd': '10x60 12.8x60 10x60'})
    group = result(rehearsal, 'd')
    assert changes(rehearsal, 'd') == ['11:09 Alert?', '12:20 OK?']
    assert {one.parameters for one in group.agreement.periods} == {('constant',)}
    assert group.agreement.doubts == 2
    assert group.doubt(group.notifications[0]).without == 1
    assert group.agreement.parameters_at(rehearsal.start + 90 * 60) == ('constant',)
    assert group.agreement.parameters_at(rehearsal.start) == ()


def test_what_only_other_parameters_send_is_listed():
    """MAD's default constant is the larger one, so the smaller finds more."""
    query = "avg(last_30m):outliers(avg:acme.load{*} by {host}, 'mad', 3, 50) > 0"
    rehearsal = run({**STEADY, 'd': '10x60 12.5x60 10x60'}, query)
    agreed = result(rehearsal, 'd').agreement
    assert changes(rehearsal, 'd') == []
    assert [(event.source, event.target) for event, _ in agreed.others] == [
        (State.OK, State.ALERT),
        (State.ALERT, State.OK),
    ]
    assert all(doubt.parameters == ('constant',) for _, doubt in agreed.others)
    assert agreed.doubtful_seconds == 59 * 60


@pytest.mark.rule('19.7')
def test_the_percentage_of_mad_is_a_parameter_if_the_query_has_none():
    query = "avg(last_30m):outliers(avg:acme.load{*} by {host}, 'MAD', 3) > 0"
    rehearsal = run({**STEADY, 'd': '10x60 900x60 10x60'}, query)
    assert len(rehearsal.monitors[0].approximation.sets) == 6
    assert {one.parameters for one in result(rehearsal, 'd').agreement.periods} == {('percentage',)}


@pytest.mark.rule('19.7')
def test_a_deviation_of_zero_is_told():
    query = "avg(last_30m):outliers(avg:acme.load{*} by {host}, 'mad', 3, 20) > 0"
    rehearsal = run({'a': '10x180', 'b': '10x180', 'c': '10x180', 'd': '10x60 10.1x60 10x60'}, query)
    assert changes(rehearsal, 'd') == ['11:06 Alert', '12:23 OK']
    assert any('the median deviation is 0' in warning for warning in rehearsal.warnings)


@pytest.mark.rule('19.2')
def test_two_members_have_no_outlier():
    rehearsal = run({'a': '10x180', 'b': '900x180'})
    assert changes(rehearsal, 'a') == changes(rehearsal, 'b') == []
    assert any('fewer than 3 members' in warning for warning in rehearsal.warnings)


@pytest.mark.rule('19.9', 'A70')
def test_missing_points_are_no_outlier():
    """A short gap is interpolated, a silent member is left out."""
    gap = '10x60 _x4 10x56 _x60'
    rehearsal = run({**STEADY, 'd': gap}, notify_no_data=True, no_data_timeframe=40)
    assert changes(rehearsal, 'd') == ['12:39 No Data']
    assert changes(rehearsal, 'a') == []
    tied = run({'a': '1x180', 'b': '1x180', 'c': '9x180', 'd': '9x180'}, QUERY.replace('3)', '0.1)'))
    assert any('several clusters are the largest' in warning for warning in tied.warnings)


@pytest.mark.rule('19.8', 'A71')
@pytest.mark.parametrize(
    ('query', 'message'),
    [
        pytest.param(
            "outliers(avg:acme.load{*} by {host}, 'scaledDBSCAN', 3)",
            "outliers 'scaleddbscan': is refused",
            id='scaled',
        ),
        pytest.param("outliers(avg:acme.load{*} by {host}, 'scaledMAD', 3, 20)", 'A71', id='scaled-mad'),
        pytest.param("outliers(avg:acme.load{*} by {host}, 'dbscna', 3)", 'only dbscan and mad', id='unknown'),
        pytest.param("outliers(avg:acme.load{*} by {host}, 'dbscan')", 'lacks argument 3: the tolerance', id='lacking'),
        pytest.param("outliers(avg:acme.load{*} by {host}, 'dbscan', 0)", 'a number above 0', id='tolerance-0'),
        pytest.param("outliers(avg:acme.load{*}, 'dbscan', 3)", 'compares groups', id='ungrouped'),
        pytest.param("outliers('dbscan')", 'takes a query', id='no-query'),
    ],
)
def test_refused_by_name(query, message):
    with pytest.raises(UnusableInputError) as error:
        run(STEADY, f'avg(last_30m):{query} > 0')
    assert message in f'{error.value}\n{error.value.details}'


def test_without_the_key_it_is_refused_and_a_stub_stands_before_it():
    with pytest.raises(UnusableInputError, match=r'outliers\(\): cannot be computed from public documentation'):
        run(STEADY, head=HEAD.replace('approximate: [outliers]\n', ''))
    text = (
        f'{HEAD}series:\n  - {{stub: outliers, tags: ["host:a"], values: 0x60 1x60 0x60}}\n'
        "monitors: [{name: Odd, type: query alert, query: \"avg(last_30m):outliers(avg:acme.load{*} by {host}, "
        "'dbscan', 3) > 0\", message: '@a'}]\n"
    )
    rehearsal = rehearse(parse(text, PATH), ASSETS)
    assert rehearsal.monitors[0].approximation is None
    assert result(rehearsal, 'a').agreement is None


def test_notify_by_folds_the_groups_of_every_set():
    rehearsal = run({**STEADY, 'd': '10x60 900x60 10x60'}, notify_by=['*'])
    (group,) = rehearsal.monitors[0].results.values()
    assert [str(one.target) for one in group.transitions] == ['Alert', 'OK']
    assert group.agreement.transitions == (None, None)


@pytest.mark.rule('19.9')
def test_a_rollup_and_a_delay_move_the_window():
    query = "avg(last_30m):outliers(avg:acme.load{*} by {host}.rollup(avg, 300), 'dbscan', 3) > 0"
    rehearsal = run({**STEADY, 'd': '10x60 900x60 10x60'}, query, evaluation_delay=600)
    assert changes(rehearsal, 'd') == ['11:10 Alert', '12:36 OK']


# Random monitors


def made(seed):
    """A monitor of a few hosts with gaps, and what the second computation needs of it."""
    random = Random(f'outliers {seed}')
    interval = random.choice([60, 60, 30, 120])
    window = random.choice([300, 600, 1800])
    length = 60 * random.choice([60, 90])
    members = {}
    for name in 'abcdefg'[: random.choice([2, 3, 4, 5, 7])]:
        base = random.choice([10, 10, 10, 12, 30])
        points, at = {}, (START - window) // interval * interval
        while at < START + length:
            if random.random() < 0.02:
                at += interval * random.choice([1, 3, 10, 60])
                continue
            if random.random() < 0.02:
                base = random.choice([10, 11, 14, 50])
            points[at] = base + random.choice([0, random.random()])
            at += interval
        if points:
            members[f'host:{name}'] = points
    algorithm, tolerance, share = random.choice(['dbscan', 'mad']), random.choice([0.5, 1, 2, 3]), 20
    arguments = f"'{algorithm}', {tolerance}" + (f', {share}' if algorithm == 'mad' else '')
    text = f'avg(last_{window // 60}m):outliers(avg:acme.queue{{*}} by {{host}}, {arguments}) > 0'
    store = SeriesSet(
        Series('acme.queue', frozenset({name}), [*points], [*points.values()], 'gauge', interval)
        for name, points in members.items()
    )
    return monitor(text), store, START + length, (members, interval, window, algorithm, tolerance, share / 100)


SEEDS = range(SEED, SEED + runs(200))


@pytest.mark.rule('19.4', '19.6', '19.7', '19.9')
@pytest.mark.parametrize('seed', SEEDS)
def test_verdicts_agree_with_a_second_computation(seed):
    monitored, store, end, (members, interval, window, algorithm, tolerance, share) = made(seed)
    filled = {name: oracle.interpolated(points, interval, end) for name, points in members.items()}
    for one in variants(monitored, store, START, end, 0, Assumptions()):
        constant = float(one.parameters['constant'])
        found = {group[0]: one.evaluator.timeline(group) for group in one.evaluator.groups}
        for row, tick in enumerate(one.evaluator.ticks.tolist()):
            expected = oracle.verdicts(filled, tick, window, algorithm, tolerance, constant, share)
            for name, timeline in found.items():
                value = timeline.values[row]
                reports = any(tick - window < at <= tick for at in members[name])
                if timeline.states[row] == State.ABSENT:
                    assert np.isnan(value)
                elif reports and name in expected:
                    assert value == expected[name], (tick - START, name, one.parameters)
                else:
                    assert np.isnan(value)


# What is sure


def individually(monitored, store, end):
    """The timelines under each parameter set, evaluated together and each alone."""
    found = variants(monitored, store, START, end, 0, Assumptions())
    together = [{group: one.evaluator.timeline(group) for group in one.evaluator.groups} for one in found]
    alone = []
    for number in range(len(found)):
        evaluator = variants(monitored, store, START, end, 0, Assumptions())[number].evaluator
        alone.append({group: evaluator.timeline(group) for group in evaluator.groups})
    return [one.parameters for one in found], together, alone


def check_agreement(monitored, store, end):
    """Check what is sure against each set alone, and return how many changes are sure and doubtful."""
    sets, together, alone = individually(monitored, store, end)
    counts = {True: 0, False: 0}
    for group, first in together[0].items():
        timelines = [one[group] for one in together]
        agreed = agreement(sets, timelines, [notifications(monitored, one) for one in timelines])
        inside = np.zeros(first.ticks.size, dtype=bool)
        for period in agreed.periods:
            assert period.parameters
            inside |= (first.ticks >= period.start) & (first.ticks < period.end)
        states = np.stack([each[group].states for each in alone])
        assert ((states == first.states).all(axis=0) == ~inside).all()
        changed = [{(one.instant, one.source, one.target) for one in each[group].transitions} for each in alone]
        for change, doubt in zip(first.transitions, agreed.transitions, strict=True):
            sure = all((change.instant, change.source, change.target) in each for each in changed)
            assert sure is (doubt is None)
            counts[sure] += 1
    return counts[True], counts[False]


@pytest.mark.rule('19.5', '19.10', 'A69')
def test_what_is_sure_of_outliers_holds_under_each_set_alone():
    """Doubtful and sure changes both occur, or this would test nothing."""
    found = np.sum([check_agreement(*made(seed)[:3]) for seed in SEEDS], axis=0)
    assert (found > 20).all()


# Anomalies


@pytest.mark.rule('19.12')
@pytest.mark.parametrize('seed', range(SEED, SEED + runs(30)))
def test_rolling_statistics(seed):
    random = np.random.default_rng(seed)
    values = random.choice([np.round(random.normal(size=300), 1), random.normal(size=300), random.integers(0, 3, 300)])
    values = values.astype(float)
    width = int(random.choice([5, 6, 13, 40, 1000]))
    found = rolling(values, width)
    for index in range(values.size):
        before = values[max(0, index - width) : index]
        if before.size < MIN_POINTS:
            assert np.isnan(found.median[index])
            continue
        low, middle, high = np.quantile(before, [0.16, 0.5, 0.84])
        deviation = np.median(np.abs(before - middle))
        assert (found.median[index], found.deviation[index], found.spread[index]) == pytest.approx(
            (middle, deviation, high - low), abs=1e-12
        )


def anomaly_query(algorithm='basic', direction='both', compared='>= 0.8'):
    return (
        f"avg(last_1h):anomalies(avg:acme.load{{*}} by {{host}}, '{algorithm}', 3, direction='{direction}', "
        f"alert_window='last_15m', interval=60) {compared}"
    )


WINDOWS = {'threshold_windows': {'trigger_window': 'last_15m', 'recovery_window': 'last_15m'}}
ANOMALIES = HEAD.replace('outliers', 'anomalies')


def noisy(centre, number, seed=0):
    random = Random(f'{centre} {number} {seed}')
    return ' '.join(f'{centre + random.gauss(0, 1):.4f}' for _ in range(number))


@pytest.mark.rule('19.11', '19.12', 'A72')
@pytest.mark.parametrize(
    ('direction', 'level', 'alerts'),
    [
        pytest.param('both', 1000, True, id='up'),
        pytest.param('both', -1000, True, id='down'),
        pytest.param('above', -1000, False, id='above-only'),
        pytest.param('below', 1000, False, id='below-only'),
    ],
)
def test_a_far_jump_is_a_sure_anomaly(direction, level, alerts):
    """It takes a third of the alert window, too little for any band to adapt."""
    values = f'{noisy(10, 120)} {noisy(level, 14)} {noisy(10, 46, 1)}'
    query = anomaly_query(direction=direction, compared='>= 0.33')
    rehearsal = run({'a': values}, query, ANOMALIES, **WINDOWS)
    assert len(rehearsal.monitors[0].approximation.sets) == 12
    group = result(rehearsal, 'a')
    assert [str(one.target) for one in group.transitions][:1] == (['Alert'] if alerts else [])
    if alerts:
        assert group.agreement.transitions[0] is None
        assert changes(rehearsal, 'a')[0] == '12:04 Alert'
    assert 'A72' in rehearsal.monitors[0].relied_on
    assert not any('replaces its result' in warning for warning in rehearsal.warnings)


def test_a_slow_jump_is_doubtful_and_the_history_decides():
    """The jump lasts until a short history has adapted."""
    values = f'{noisy(10, 60)} {noisy(16, 120)}'
    rehearsal = run({'a': values}, anomaly_query(), ANOMALIES, **WINDOWS)
    group = result(rehearsal, 'a')
    decided = {name for one in group.agreement.periods for name in one.parameters}
    assert 'history' in decided
    assert any(changes(rehearsal, 'a')) and group.agreement.doubts


@pytest.mark.rule('6.6', '19.13')
@pytest.mark.parametrize('algorithm', ['agile', 'robust', 'adaptive'])
def test_seasonal_anomalies_are_refused_by_name(algorithm):
    with pytest.raises(UnusableInputError, match=f"anomalies '{algorithm}': is refused: it is seasonal"):
        run({'a': noisy(10, 180)}, anomaly_query(algorithm), ANOMALIES, **WINDOWS)


def made_anomalies(seed):
    """A monitor of two hosts with gaps and jumps, and what the second computation needs of it."""
    random = Random(f'anomalies {seed}')
    window = random.choice([300, 600, 900])
    length = 60 * 120
    members = {}
    for name in 'ab':
        centre, points = 10, {}
        for at in range(START - 5 * window, START + length, 60):
            if random.random() < 0.02:
                centre = random.choice([10, 10, 13, 15, 30])
            if random.random() > 0.03:
                points[at] = centre + random.choice([0, random.gauss(0, 1)])
        members[f'host:{name}'] = points
    direction, deviations = random.choice(['both', 'above', 'below']), random.choice([1, 2, 3])
    compared = random.choice(['>= 0.5', '>= 1', '> 0.2'])
    text = (
        f"avg(last_1h):anomalies(avg:acme.queue{{*}} by {{host}}, 'basic', {deviations}, direction='{direction}', "
        f"alert_window='last_{window // 60}m', interval=60) {compared}"
    )
    store = SeriesSet(
        Series('acme.queue', frozenset({name}), [*points], [*points.values()], 'gauge', 60)
        for name, points in members.items()
    )
    monitored = replace(monitor(text), stub_windows=(window, window))
    return monitored, store, START + length, (members, window, deviations, direction)


@pytest.mark.rule('6.2', '19.12', '19.14')
@pytest.mark.parametrize('seed', range(SEED, SEED + runs(20)))
def test_shares_agree_with_a_second_computation(seed):
    monitored, store, end, (members, window, deviations, direction) = made_anomalies(seed)
    for one in variants(monitored, store, START, end, 0, Assumptions()):
        chosen = dict(one.parameters.choices)
        for group in one.evaluator.groups:
            outside = anomalies.outside(
                members[group[0]],
                width=round(float(chosen['history'].removesuffix('x')) * window / 60),
                lag=0 if chosen['lag'] == '0' else window // 60,
                deviations=deviations,
                quantiles=chosen['width'] == 'quantiles',
                direction=direction,
            )
            timeline = one.evaluator.timeline(group)
            for tick, value, state in zip(timeline.ticks.tolist(), timeline.values, timeline.states, strict=True):
                inside = [flag for at, flag in outside.items() if tick - window < at <= tick]
                if inside and state != State.ABSENT:
                    assert value == pytest.approx(sum(inside) / len(inside)), (tick - START, one.parameters)
                else:
                    assert np.isnan(value)


@pytest.mark.rule('19.12', '19.14')
def test_what_is_sure_of_anomalies_holds_under_each_set_alone():
    seeds = range(SEED, SEED + runs(12))
    found = np.sum([check_agreement(*made_anomalies(seed)[:3]) for seed in seeds], axis=0)
    assert (found > 3).all()


@pytest.mark.rule('19.14')
def test_an_approximation_goes_the_way_of_a_stub():
    """A stub with the default set's points has the same changes."""
    values = f'{noisy(10, 60)} {noisy(16, 120)}'
    rehearsal = run({'a': values}, anomaly_query(), ANOMALIES, **WINDOWS)
    (stub,) = rehearsal.monitors[0].evaluator.series(('host:a',))
    first = int(stub.times[0] - rehearsal.start) // 60
    flags = ' '.join(['_'] * first + [f'{flag:g}' for flag in stub.values])
    body = {'name': 'Odd', 'type': 'query alert', 'query': anomaly_query(), 'message': '@a', 'options': WINDOWS}
    series = [{'stub': 'anomalies', 'tags': ['host:a'], 'values': flags}]
    given = rehearse(parse(f'{ANOMALIES}series: {json.dumps(series)}\nmonitors: [{json.dumps(body)}]\n', PATH), ASSETS)
    pairs = [[(one.instant, one.target) for one in result(each, 'a').transitions] for each in (rehearsal, given)]
    assert pairs[0] and pairs[0] == pairs[1]


# Forecasts


FORECASTS = HEAD.replace('outliers', 'forecast').replace('3h', '2d')


def forecast_query(more="history='1w', model='simple'", window='max(next_1w)', compared='>= 90', algorithm='linear'):
    return f"{window}:forecast(avg:acme.disk{{*}} by {{host}}, '{algorithm}', 1, interval='60m', {more}) {compared}"


def forecast(hosts, query=None, head=FORECASTS):
    """Hosts have a point per hour from a week before the start on."""
    body = {'name': 'Disk', 'type': 'query alert', 'query': query or forecast_query(), 'message': 'Full @a'}
    source = {'metric': 'acme.disk', 'type': 'gauge', 'interval': '1h', 'from': '2027-01-04T10:00:00Z'}
    series = [{**source, 'tags': [f'host:{name}'], 'values': values} for name, values in hosts.items()]
    return rehearse(parse(f'{head}series: {json.dumps(series)}\nmonitors: [{json.dumps(body)}]\n', PATH), ASSETS)


@pytest.mark.rule('19.15', '19.16', '19.17', 'A73')
def test_a_line_that_crosses_within_the_horizon_alerts_surely():
    """10 + 0.235 * (172.4 + 168) is 90; hour 168 is the start, and evaluations are half an hour apart."""
    rehearsal = forecast({'a': '0+0.3x216', 'b': '20x216', 'c': '10+0.235x216'})
    assert changes(rehearsal, 'a') == ['10:00 Alert']
    assert changes(rehearsal, 'b') == []
    assert changes(rehearsal, 'c') == ['14:30 Alert']
    assert result(rehearsal, 'c').agreement.periods == ()
    assert len(rehearsal.monitors[0].approximation.sets) == 6
    assert 'A73' in rehearsal.monitors[0].relied_on


@pytest.mark.rule('19.16')
def test_a_minimum_compares_the_lower_edge():
    query = forecast_query(window='min(next_1w)', compared='<= 0')
    assert changes(forecast({'a': '100-0.3x216', 'b': '100x216'}, query), 'a') == ['10:00 Alert']


@pytest.mark.rule('19.17')
def test_a_scattered_line_is_doubtful_and_sigma_decides():
    random = Random(4)
    values = ' '.join(f'{20 + hour * 0.18 + random.gauss(0, 2):.3f}' for hour in range(216))
    group = result(forecast({'a': values}), 'a')
    assert {name for one in group.agreement.periods for name in one.parameters} >= {'sigma'}


def test_a_step_is_doubtful_and_the_estimator_decides():
    query = forecast_query(window='max(next_12h)', compared='>= 55')
    group = result(forecast({'a': f'{"20x120"} {"20+0.5x96"}'}, query), 'a')
    assert any('estimator' in name for one in group.agreement.periods for name in one.parameters)


@pytest.mark.rule('19.17', '19.18', '19.19')
@pytest.mark.parametrize(
    ('query', 'message'),
    [
        pytest.param(forecast_query("model='simple'"), "history: is required, such as history='1w'", id='history'),
        pytest.param(forecast_query("history='1w'"), "model 'default': is refused", id='default-model'),
        pytest.param(forecast_query("history='1w', model='reactive'"), "model 'reactive': is refused", id='reactive'),
        pytest.param(forecast_query(algorithm='seasonal'), "forecast 'seasonal': is refused", id='seasonal'),
        pytest.param(forecast_query(algorithm='toto'), "forecast 'toto': is refused", id='toto'),
        pytest.param(forecast_query(window='max(last_1d)'), 'only over a window such as next_1w', id='past'),
        pytest.param(forecast_query(window='avg(next_1d)'), 'only max(…) with >= and min(…) with <=', id='average'),
        pytest.param(
            forecast_query().replace('avg:acme.disk{*} by {host}', 'cumsum(avg:acme.disk{*} by {host})'),
            'cumsum(): cannot be inside forecast() (rule 19.19)',
            id='nested',
        ),
    ],
)
def test_forecasts_refused_by_name(query, message):
    with pytest.raises(UnusableInputError) as error:
        forecast({'a': '1x216'}, query)
    assert message in f'{error.value}'


@pytest.mark.rule('19.18')
def test_a_stub_stands_in_for_a_forecast_over_a_future_window():
    """The newest point is compared, for an hour."""
    body = {'name': 'D', 'type': 'query alert', 'query': forecast_query(algorithm='seasonal'), 'message': '@a'}
    series = [{'stub': 'forecast', 'tags': ['host:a'], 'interval': '30m', 'values': '50x4 95x4 50x90'}]
    text = f'{FORECASTS}series: {json.dumps(series)}\nmonitors: [{json.dumps(body)}]\n'
    rehearsal = rehearse(parse(text, PATH), ASSETS)
    found = [(one.instant - rehearsal.start, str(one.target)) for one in result(rehearsal, 'a').transitions]
    assert found == [(7200, 'Alert'), (14400, 'OK')]


def made_forecast(seed):
    """A monitor of two hosts whose slope changes, with gaps."""
    random = Random(f'forecast {seed}')
    upper = random.random() < 0.5
    history = random.choice([12, 24, 36])
    members = {}
    for name in 'ab':
        level, slope, points = random.uniform(20, 60), random.uniform(-1, 1), {}
        for at in range(START - history * 3600, START + 36 * 3600, 3600):
            if random.random() < 0.05:
                slope = random.uniform(-2, 2)
            level += slope
            if random.random() > 0.1:
                points[at] = level + random.gauss(0, random.choice([0.1, 2]))
        members[f'host:{name}'] = points
    side = 'max(next_12h)' if upper else 'min(next_12h)'
    compared = '>= 60' if upper else '<= 30'
    text = (
        f"{side}:forecast(avg:acme.queue{{*}} by {{host}}, 'linear', 2, interval='60m', history='{history}h', "
        f"model='simple') {compared}"
    )
    store = SeriesSet(
        Series('acme.queue', frozenset({name}), [*points], [*points.values()], 'gauge', 3600)
        for name, points in members.items()
    )
    return monitor(text), store, START + 36 * 3600, (members, history * 3600, upper)


@pytest.mark.rule('19.17')
@pytest.mark.parametrize('seed', range(SEED, SEED + runs(10)))
def test_edges_agree_with_a_second_computation(seed):
    monitored, store, end, (members, history, upper) = made_forecast(seed)
    for one in variants(monitored, store, START, end, 0, Assumptions())[:3]:
        factor = float(one.parameters['sigma'].removeprefix('x'))
        for group in one.evaluator.groups:
            timeline = one.evaluator.timeline(group)
            for tick, value, state in zip(timeline.ticks.tolist(), timeline.values, timeline.states, strict=True):
                inside = {at: each for at, each in members[group[0]].items() if tick - history < at <= tick}
                if len(inside) >= 5 and state != State.ABSENT:
                    assert value == pytest.approx(lines.edge(inside, tick, 12 * 3600, 2 * factor, upper))
                else:
                    assert np.isnan(value)


@pytest.mark.rule('19.17')
def test_what_is_sure_of_forecasts_holds_under_each_set_alone():
    seeds = range(SEED, SEED + runs(12))
    found = np.sum([check_agreement(*made_forecast(seed)[:3]) for seed in seeds], axis=0)
    assert (found > 0).all()


# Composites


def test_a_composite_says_that_a_member_is_approximate():
    odd = {'id': 1, 'name': 'Odd', 'type': 'query alert', 'query': QUERY, 'message': '@a'}
    both = {'name': 'Both', 'type': 'composite', 'query': '1 && 1', 'message': '@b'}
    series = [
        {'metric': 'acme.load', 'type': 'gauge', 'interval': '60s', 'tags': [f'host:{name}'], 'values': values}
        for name, values in {**STEADY, 'd': '10x60 12.8x60 10x60'}.items()
    ]
    text = f'{HEAD}series: {json.dumps(series)}\nmonitors: [{json.dumps(odd)}, {json.dumps(both)}]\n'
    rehearsal = rehearse(parse(text, PATH), ASSETS)
    composite = rehearsal.monitors[1]
    assert composite.approximation is None and composite.results['host:d',].sent
    assert any('Both: member Odd is approximate' in warning for warning in rehearsal.warnings)


# --auto


DISTANT = "avg(last_30m):outliers(avg:acme.load{*} by {host}, 'dbscan', 1000) > 0"


@pytest.mark.rule('19.10')
@pytest.mark.parametrize(
    ('query', 'expected'),
    [
        pytest.param(
            QUERY, 'a jump of one of 6 members surely alerts from 5 standard deviations on, and from 3', id='dbscan'
        ),
        pytest.param(DISTANT, 'no jump of one of 6 members alerts, up to 100 standard deviations', id='distant'),
        pytest.param(QUERY.replace('dbscan', 'scaledDBSCAN'), 'not approximated: column 52: outliers', id='scaled'),
        pytest.param(QUERY.replace('{*}', '{host:a}'), 'no jump of one of 6 members alerts', id='one-member'),
        pytest.param(
            anomaly_query(compared='>= 0.33'), 'a jump of the whole alert window surely alerts from', id='anomalies'
        ),
        pytest.param(anomaly_query(), 'no jump of the whole alert window surely alerts, but from 3 on', id='adapting'),
        pytest.param(forecast_query(), 'constants unpublished; no jump was tried', id='forecast'),
        pytest.param(forecast_query("model='default'"), "not approximated: column 86: forecast model", id='model'),
        pytest.param('avg(last_5m):avg:acme.load{*} > 1', '', id='another'),
    ],
)
def test_auto_says_how_large_a_jump_alerts(tmp_path, query, expected):
    path = tmp_path / 'm.json'
    path.write_text(json.dumps({'name': 'M', 'type': 'query alert', 'query': query, 'message': '@a'}))
    (found,) = survey_paths([path], approximate=APPROXIMATED).surveys
    assert expected in found.jumps and bool(expected) is bool(found.jumps)
    (found,) = survey_paths([path]).surveys
    assert found.jumps == ''


# The command


def test_the_command_takes_the_functions_that_are_approximated(ddassets, tmp_path):
    body = {'name': 'Odd', 'type': 'query alert', 'query': QUERY, 'message': 'Odd @a'}
    hosts = {**STEADY, 'd': '10x60 12.8x60 10x60'}
    series = [
        {'metric': 'acme.load', 'type': 'gauge', 'interval': '60s', 'tags': [f'host:{name}'], 'values': values}
        for name, values in hosts.items()
    ]
    head = HEAD.replace('approximate: [outliers]\n', '')
    path = tmp_path / 's.yaml'
    path.write_text(f'{head}series: {json.dumps(series)}\nmonitors: [{json.dumps(body)}]\n')
    assert ddassets('rehearse', path).code == 2
    refused = ddassets('rehearse', path, '--approximate', 'outlier')
    assert refused.code == 2 and 'did you mean outliers' in refused.err
    names = ', '.join(APPROXIMATED)
    text = ddassets('rehearse', path, '--approximate', names).out
    assert 'approximate: constants unpublished. 2 parameter sets (constant 1, 1.4826): 2 of 2 notifications' in text
    assert 'doubtful: 1 of 2 parameter sets, constant decides' in ' '.join(text.split())
    explained = ddassets('rehearse', path, '--approximate', names, '--explain', '11:30', '--group', 'host:d').out
    assert 'distances from the median series (30 points of 60 s): host:a' in explained
    assert 'approximate: constants unpublished; doubtful: constant decides' in explained
    assert '    Alert with 1 of 2 parameter sets: constant 1\n' in explained
    document = json.loads(ddassets('rehearse', path, '--approximate', names, '--json').out)['rehearsals'][0]
    (monitored,) = document['monitors']
    assert monitored['approximation'] == {
        'note': 'approximate: constants unpublished',
        'parameter_sets': [{'constant': '1'}, {'constant': '1.4826'}],
    }
    (group,) = (one for one in monitored['groups'] if one['name'] == 'host:d')
    assert [one['sure'] for one in group['transitions']] == [False, False]
    assert group['doubtful'][0]['parameters'] == ['constant']
    assert [one['sure'] for one in document['inbox']] == [False, False]
    written = ddassets('rehearse', path, '--approximate', names, '--write').out
    assert 'Odd: 2 changes of state doubtful: other parameters of its approximation have others' in written
    monitors = tmp_path / 'm.json'
    monitors.write_text(json.dumps(body))
    auto = ('rehearse', '--auto', monitors, '--approximate', names)
    assert 'a jump of one of 6 members surely alerts' in ' '.join(ddassets(*auto).out.split())
    assert json.loads(ddassets(*auto, '--json').out)['monitors'][0]['approximation'].startswith('approximate: ')
    assert 'approximation' not in json.loads(ddassets('rehearse', '--auto', monitors, '--json').out)['monitors'][0]
