"""The evaluator of SLO alerts agrees with a simple second evaluator in fractions on random SLOs."""

from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pytest
from oracle import slo as oracle
from oracle.slo import Counts, Member, Slices, Source, Term, Uptime
from scale import SEED, runs

from ddassets.assets import read_slo
from ddassets.assets.monitor import read_monitor
from ddassets.assets.source import Unplaced
from ddassets.engine import exact, slo, slo_account
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.evaluator import Evaluator
from ddassets.engine.monitor import read
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State

CASES = runs(200)
BATCH = 50
START = 1_800_000_000
SOURCE = Unplaced(Path('slo'))


def points(random, start, end, interval, values, late=False):
    """Points with gaps; late ones arrive together after a while."""
    found, at, arrival = [], start, 0
    while at < end:
        length = random.choice([1, 3, 10, 40, 200])
        value = random.choice(values)
        for _ in range(length):
            if at >= end:
                break
            if value is not None:
                arrival = max(arrival, at + (random.choice([0, 0, 90]) if late else 0))
                found.append((at, value if random.random() < 0.9 else random.choice([v for v in values if v]), arrival))
            at += interval
    return found


def counts(random, begin, end, interval, by):
    groups = [{'env': env, 'host': host} for env, host in (('a', 'x'), ('a', 'y'), ('b', 'z'))]
    groups = random.sample(groups, random.choice([1, 2, 3])) if by else [{}]
    good_values = random.choice(
        [['0', '5', '9', '10', None], ['9856', '10000', '9990', None], ['0.1', '0.7', '12.345']]
    )
    late = random.random() < 0.15
    rate = random.random() < 0.15

    def sources(values):
        return [Source(tags, points(random, begin, end, interval, values, late), interval, rate) for tags in groups]

    def terms(values):
        rollup = random.choice([None, None, None, 300, 3600])
        found = [Term(Fraction(1), sources(values), rollup)]
        if random.random() < 0.3:
            found.append(
                Term(Fraction(random.choice(['1', '0.5', '2'])), sources(values), random.choice([None, rollup]))
            )
        return found

    bad = random.random() < 0.5
    other = ['0', '1', '2', '10', '0.3', None] if bad else [*good_values[:3], '10000', '20']
    by = random.choice([('env',), ('env', 'host')]) if by else ()
    return Counts(terms(good_values), terms(other), bad, by)


def uptime(random, begin, end):
    members = []
    for _ in range(random.choice([1, 1, 2, 3])):
        groups = []
        for _ in range(random.choice([1, 1, 2])):
            found = points(random, begin, end, 60, ['1', '4', '9', None])
            groups.append({at: float(value) for at, value, _ in found} or {begin: 1.0})
        missing = random.choice(['', 'default', 'resolve', 'show_no_data', 'show_and_notify_no_data', 'notify_no_data'])
        members.append(Member(groups, 5.0, missing))
    return Uptime(members)


def slices(random, begin, end, by):
    seconds, method = random.choice([60, 300, 300]), random.choice(['avg', 'avg', 'max', 'min', 'sum'])
    tags = [{'host': host} for host in 'xyz'[: random.choice([1, 2, 3])]] if by else [{}]
    values = ['0', '1', '2', '0.5', None]
    sources = [Source(one, points(random, begin, end, random.choice([20, 60]), values), 60) for one in tags]
    return Slices(seconds, method, random.choice(['>', '>=', '<', '<=']), random.choice([0.5, 1.0, 0.0, 2.0]), sources)


def case(seed):
    random = Random(f'slo {seed}')
    kind = random.choice(['metric', 'metric', 'monitor', 'time_slice'])
    burns = random.random() < 0.65
    start = START + random.choice([0, 0, 1800, 60, 17])
    end = start + 60 * random.choice([5, 15, 40])
    long = random.choice([3600, 3600, 7200, 6 * 3600])
    windows = (long, random.choice([long // 12, 300, long // 2])) if burns else ()
    whole = not burns and kind == 'metric' and random.random() < 0.5
    reach = 7 * 86400 if whole else random.choice([long, 2 * long, 600])
    interval = 3600 if whole else random.choice([60, 60, 60, 60, 10, 300])
    begin = (start - reach - (7200 if whole else 0)) // interval * interval
    grouped = random.random() < 0.4
    if kind == 'metric':
        objective = counts(random, begin, end, interval, grouped)
    elif kind == 'monitor':
        objective = uptime(random, begin // 60 * 60, end)
    else:
        objective = slices(random, begin, end, grouped)
    by = ()
    if grouped and (kind == 'time_slice' or (kind == 'metric' and burns)) and random.random() < 0.7:
        by = ('host',) if kind == 'time_slice' else random.choice([objective.by, ('env',)])
    target = random.choice(['99.9', '99', '95', '50', '99.95'])
    most = 1 / (1 - Fraction(target) / 100)
    rates = [rate for rate in ('0.5', '1', '2', '14.4', '10', '1.5') if Fraction(rate) <= most]
    limits = sorted(random.sample(rates if burns else ['10', '50', '75', '100', '150', '1000'], 2), key=Fraction)
    starts = [start - random.randint(0, 4000) for _ in range(random.choice([0, 0, 0, 1, 2]))]
    return oracle.Alert(
        objective=objective,
        timeframe='7d',
        windows=windows,
        comparator=random.choice(['>', '>=']),
        critical=limits[1],
        warning=random.choice([None, limits[0]]),
        target=target,
        delay=random.choice([0, 0, 60, 300]) if burns else 0,
        by=by,
        corrections=[(at, at + random.choice([60, 600, 3600])) for at in starts],
        before=None
        if whole or burns
        else random.choice([('9990', '10000'), ('0', '0'), ('99.5', '100'), ('5000', '5000')]),
        choices={'A64': random.choice(['operator of the query', '>=']), 'A65': random.choice(['no result', 'uptime'])},
        start=start,
        end=end,
        # Between the points of members, so that each evaluation sees one.
        second=random.choice([30, 59]) if kind == 'monitor' else random.choice([0, 0, 30]),
    )


def series_of(name, source, kind):
    times = np.array([at for at, _, _ in source.points], dtype=float)
    values = np.array([float(value) for _, value, _ in source.points])
    arrivals = np.array([arrival for _, _, arrival in source.points], dtype=float)
    tags = frozenset(f'{key}:{value}' for key, value in source.tags.items())
    late = arrivals if (arrivals != times).any() else None
    return Series(name, tags, times, values, kind, source.interval, late)


def metric_body(objective, found):
    """The body of a metric SLO; its series are added to `found`."""
    by = f' by {{{",".join(objective.by)}}}' if objective.by else ''

    def text(terms, side):
        parts = []
        for number, term in enumerate(terms):
            name = f'{side}{number}'
            found.extend(series_of(name, one, 'rate' if one.rate else 'count') for one in term.sources if one.points)
            rollup = f'.rollup(sum, {term.rollup})' if term.rollup else ''
            factor = '' if term.factor == 1 else f'{float(term.factor)} * '
            parts.append(f'{factor}sum:{name}{{*}}{by}.as_count(){rollup}')
        return ' + '.join(parts)

    good, other = text(objective.good, 'good'), text(objective.other, 'other')
    if not objective.other_is_bad:
        return {'query': {'numerator': good, 'denominator': other}}
    queries = [{'data_source': 'metrics', 'name': name, 'query': query} for name, query in (('g', good), ('b', other))]
    formulas = {'good_events_formula': {'formula': 'g'}, 'bad_events_formula': {'formula': 'b'}}
    return {'sli_specification': {'count': {**formulas, 'queries': queries}}}


def slice_body(objective, found):
    found.extend(series_of('up', one, 'gauge') for one in objective.sources if one.points)
    by = ' by {host}' if any(one.tags for one in objective.sources) else ''
    query = f'avg:up{{*}}{by}.rollup({objective.method}, 60)'
    if objective.method == 'avg':
        query = f'avg:up{{*}}{by}'
    part = {
        'query': {
            'formulas': [{'formula': 'q'}],
            'queries': [{'data_source': 'metrics', 'name': 'q', 'query': query}],
        },
        'comparator': objective.comparator,
        'threshold': objective.threshold,
        'query_interval_seconds': objective.seconds,
    }
    return {'sli_specification': {'time_slice': part}}


def members_of(one, start):
    found = []
    for number, member in enumerate(one.objective.members):
        grouped = len(member.groups) > 1
        query = f'max(last_1m):max:m{number}{{*}}{" by {host}" if grouped else ""} > 5'
        missing = {'on_missing_data': member.missing} if member.missing else {}
        if member.missing == 'notify_no_data':
            missing = {'notify_no_data': True, 'no_data_timeframe': 2}
        options = {'thresholds': {'critical': 5, 'warning': 3}, 'new_group_delay': 0 if grouped else None, **missing}
        body = {'name': f'm{number}', 'type': 'query alert', 'query': query, 'message': '', 'options': options}
        series = [
            Series(
                f'm{number}',
                frozenset({f'host:{host}'} if grouped else ()),
                np.array([*values], dtype=float),
                np.array([*values.values()]),
                'gauge',
                60,
            )
            for host, values in enumerate(member.groups)
        ]
        monitor = read({**body, 'options': {key: value for key, value in options.items() if value is not None}})
        evaluator = Evaluator(monitor, SeriesSet(series), start, one.end, one.second, Assumptions())
        found.append(slo_account.Member(f'm{number}', evaluator.monitor, evaluator))
    return found


def evaluator_of(one):
    """The engine's evaluator of a case."""
    found = []
    kind = {Counts: 'metric', Uptime: 'monitor', Slices: 'time_slice'}[type(one.objective)]
    body = {'id': 'a', 'name': 'a', 'type': kind, 'thresholds': [{'timeframe': '7d', 'target': float(one.target)}]}
    if kind == 'metric':
        body |= metric_body(one.objective, found)
    elif kind == 'time_slice':
        body |= slice_body(one.objective, found)
    else:
        body['monitor_ids'] = [1]
    by = f'.by("{",".join(one.by)}")' if one.by else ''
    query = 'error_budget("a").over("7d")'
    if one.windows:
        long, short = (f'{window // 60}m' for window in one.windows)
        query = f'burn_rate("a").over("7d").long_window("{long}").short_window("{short}")'
    options = {'thresholds': {'critical': float(one.critical)}, 'evaluation_delay': one.delay}
    if one.warning is not None:
        options['thresholds']['warning'] = float(one.warning)
    query = f'{query}{by} {one.comparator} {one.critical}'
    asset = read_monitor(SOURCE, {'name': 'a', 'type': 'slo alert', 'query': query, 'message': '', 'options': options})
    before = [] if one.before is None else [slo_account.Before(*map(float, one.before))]
    decoded = read_slo(SOURCE, body)
    assert not decoded.errors, decoded.errors
    subject = slo_account.Subject(decoded, lambda start: members_of(one, start), one.corrections, before)
    store = SeriesSet(found)
    return slo.SloEvaluator(slo.of(asset), subject, store, one.start, one.end, one.second, Assumptions(one.choices))


def near(left, right):
    if left is None or right is None:
        return left is right
    return abs(left - float(right)) <= 1e-12 * max(1, abs(left))


def difference(seed):
    one = case(seed)
    evaluator = evaluator_of(one)
    expected = {tuple(f'{key}:{group[key]}' for key in one.by): group for group in one.groups()}
    if sorted(evaluator.groups) != sorted(expected):
        return f'groups {evaluator.groups} and {sorted(expected)}'
    for group, tags in expected.items():
        history, timeline = one.run(tags), evaluator.timeline(group)
        if len(timeline.ticks) != len(history.ticks):
            return f'{group}: {len(timeline.ticks)} and {len(history.ticks)} evaluations'
        for row, (tick, value, state) in enumerate(history.ticks):
            found = float(timeline.values[row])
            found = None if np.isnan(found) else found
            if (int(timeline.ticks[row]), str(State(timeline.states[row]))) != (tick, state) or not near(found, value):
                return f'{group}: {tick} {found} {State(timeline.states[row])}, not {value and float(value)} {state}'
        changes = [(c.instant, str(c.source), str(c.target)) for c in timeline.transitions]
        if changes != history.changes:
            return f'{group}: {changes} and {history.changes}'
    return None


@pytest.mark.parametrize('batch', range(SEED, SEED + CASES, BATCH))
@pytest.mark.rule(
    '18.3',
    '18.4',
    '18.5',
    '18.6',
    '18.8',
    '18.10',
    '18.11',
    '18.12',
    '18.13',
    '18.14',
    '18.15',
    '18.16',
    '18.20',
    'A64',
    'A65',
)
def test_slo_alerts_agree(batch):
    for seed in range(batch, batch + BATCH):
        assert difference(seed) is None, seed


def test_the_cases_reach_every_state_and_type():
    """Not all cases are calm, or of one kind; thresholds are met exactly."""
    states, kinds, exactly = set(), set(), 0
    for seed in range(100):
        one = case(seed)
        kinds.add((type(one.objective), bool(one.windows), bool(one.by)))
        for tags in one.groups():
            for _, value, state in one.run(tags).ticks:
                states.add(state)
                exactly += value in (Fraction(one.critical), Fraction(one.warning or one.critical))
    assert states == {'absent', 'OK', 'Warn', 'Alert', 'No Data'}
    assert len(kinds) == 9 and exactly > 20


@pytest.mark.parametrize(
    'target, name, wrong',
    [
        pytest.param(slo, '_exactly', lambda values, *_: values * (1 + 2**-52), id='rounded'),
        pytest.param(exact, 'places', lambda values: 0, id='whole numbers'),
        pytest.param(slo_account.Account, 'lacks', lambda self, starts: starts < 0, id='before'),
        pytest.param(slo_account, '_down', lambda monitor, timeline, minutes: minutes < 0, id='up'),
        pytest.param(slo_account._Task, 'corrected', lambda self, times: times < 0, id='corrections'),
        pytest.param(slo_account, '_COMPARE', dict.fromkeys(('>', '>=', '<', '<='), np.greater), id='comparator'),
        pytest.param(slo.SloMonitor, 'windows', property(lambda self: (3600, 300)), id='windows'),
    ],
)
def test_a_wrong_evaluation_is_found(monkeypatch, target, name, wrong):
    monkeypatch.setattr(target, name, wrong)
    assert any(difference(seed) for seed in range(60))
