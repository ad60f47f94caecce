"""The evaluators of formula monitors agree with a simple second evaluator on random monitors."""

import math
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from oracle import formula as second
from oracle.formula import EventFormula, MetricFormula, Name
from oracle.queries import Binary, Leaf, Number, Wrapped
from oracle.series import Source
from oracle.states import Options
from scale import SEED, runs
from test_oracle_counted import chosen, make_events

from ddassets.assets.monitor import read_monitor
from ddassets.assets.source import Unplaced
from ddassets.engine import evaluation, event_formula
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.evaluator import Evaluator
from ddassets.engine.event_formula import FormulaEvaluator
from ddassets.engine.events import Events
from ddassets.engine.formula import of
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State

CASES = runs(200)
BATCH = 50
START = 1_800_000_000
OPTIONS = ('A4', 'A6', 'A8', 'A9', 'A22')


def formula(random, allowed, depth):
    """A random formula over some names."""
    if depth == 0 or random.random() < 0.2:
        return Name(random.choice(allowed))
    if random.random() < 0.7:
        sign = random.choice('+-*//')
        if random.random() < 0.3:
            number = Number(float(random.choice([1, 2, 100])))
            inner = formula(random, allowed, depth - 1)
            return random.choice([Binary(sign, inner, number), Binary(sign, number, Name(random.choice(allowed)))])
        return Binary(sign, formula(random, allowed, depth - 1), formula(random, allowed, depth - 1))
    name = random.choice(['abs', 'default_zero', 'default_zero', 'cutoff_min', 'clamp_min', 'clamp_max'])
    inner = formula(random, allowed, depth - 1)
    if name == 'default_zero' and 'default_zero' in second.functions(inner):
        return inner
    argument = float(random.choice([0, 3, 10])) if name not in ('abs', 'default_zero') else None
    return Wrapped(name, inner, argument)


def options(random, values, missing):
    comparator = random.choice(['>', '>', '>=', '<', '<=', '<'])
    limits = sorted({random.choice(values) for _ in range(3)}, reverse=comparator[0] == '>')
    picked = [*limits, None, None]
    notify = random.random() < 0.3
    return Options(
        comparator,
        float(picked[0]),
        picked[1],
        random.choice([None, *limits]),
        random.choice([*limits[1:], None]) if picked[1] is not None else None,
        notify_no_data=notify,
        no_data_timeframe=random.choice([120, 600]),
        on_missing_data=None if notify else random.choice(missing),
        evaluation_delay=random.choice([0, 0, 60]),
        new_group_delay=random.choice([0, 0, 60]),
        timeout=0,
    )


def metric_case(random):
    by = random.choice([(), ('host',), ('host',)])
    counting = random.random() < 0.3
    kinds = {'m': random.choice(['gauge', 'count']), 'n': random.choice(['gauge', 'count'])}
    own = {'m': by, 'n': by if random.random() < 0.7 else ()}
    start = START + random.choice([0, 0, 17])
    minutes = random.choice([1, 5, 5, 10])
    sources = []
    for name in kinds:
        for host in random.sample('abc', random.choice([1, 1, 2])):
            at, samples = start - random.choice([0, 600]), []
            while at < start + 2400:
                if random.random() < 0.12:
                    at += random.choice([60, 300, 900])
                samples.append((float(at), random.choice([0.0, 1.0, 2.0, 4.0, 5.0, -3.0]), float(at)))
                at += 60
            sources.append(Source(name, frozenset({f'host:{host}'}), kinds[name], 60, tuple(samples)))

    def leaf(name, counts):
        return Leaf(name, random.choice(['avg', 'sum', 'max']), by=own[name], counting='as_count' if counts else None)

    variables = {}
    for name in 'ab':
        metric = random.choice('mn')
        counts = counting and random.random() < 0.7
        query = leaf(metric, counts)
        if random.random() < 0.15:
            query = Binary(random.choice('+/'), query, leaf(metric, counts))
        method = random.choice(['avg', 'sum', 'min', 'max', 'last', 'l2norm'])
        variables[name] = second.Variable(query, 'sum' if counts and isinstance(query, Binary) else method)
    tree = formula(random, 'ab', random.choice([0, 1, 2]))
    used = set(second.names(tree))
    counts = any('as_count' in str(variables[name].query) for name in used)
    rollup = random.choice([None, None, None, 'sum' if counts else random.choice(['avg', 'sum', 'min', 'max'])])
    zero = 'default_zero' in second.functions(tree)
    if zero and len([*second.names(tree)]) > len(used):
        # The oracle of points knows one query either inside or outside default_zero().
        rollup = None
    keys = {leaf.by for name in used for leaf in second.leaves(variables[name].query)}
    choices = chosen(random, [*OPTIONS, 'A1', 'A60'])
    if rollup is None and (counts or zero):
        # Whether a count that is missing at a point is 0 there is a question of its own.
        choices['A60'] = 'reduce, then formula'
    choices |= {one: Assumptions().choices[one] for one in Assumptions().choices if one not in choices}
    missing = (None, 'default') if zero else (None, 'default', 'show_no_data', 'show_and_notify_no_data', 'resolve')
    return MetricFormula(
        formula=tree,
        variables=variables,
        rollup=rollup,
        minutes=minutes,
        by=by if any(keys) else (),
        options=options(random, [0, 1, 2.25, 3.75, 5.5, 10.125], missing),
        choices=choices,
        sources=sources,
        start=start,
        end=start + 2400,
        second=random.choice([0, 0, 30]),
    )


def event_case(random):
    window = random.choice([60, 300, 600, 3600])
    start = START + random.choice([0, 17])
    end = start + 60 * random.choice([60, 120])
    by = random.choice([(), ('service',), ('service',), ('service', '@code')])
    variables = {}
    for name in 'ab':
        method = random.choice(['count', 'count', 'count', 'cardinality', 'avg', 'max'])
        measure = None if method == 'count' else '@code' if method == 'cardinality' else '@t'
        keys = [*by] if name == 'a' or random.random() < 0.7 else []
        random.shuffle(keys)
        limits = tuple((key, random.choice([None, None, 1, 2])) for key in keys)
        only = random.choice([{}, {}, {'code': '500'}, {'service': 'a'}])
        variables[name] = second.EventVariable(method, measure, only, limits)
    if variables['a'].only == variables['b'].only:
        # Searches that do not differ are not run (rule 15.17).
        variables = {name: replace(one, only={}) for name, one in variables.items()}
    tree = formula(random, 'ab', random.choice([0, 1, 2]))
    grouped = any(variables[name].keys for name in second.names(tree))
    missing = ('default', 'default', 'show_no_data', 'show_and_notify_no_data', 'resolve')
    first = next((one for name, one in variables.items() if name in set(second.names(tree)) and one.keys), None)
    choices = chosen(random, [*OPTIONS, 'A1', 'A5', 'A47', 'A49', 'A50', 'A61'])
    if choices['A5'] == 'error':
        choices['A5'] = '2x window'
    return EventFormula(
        method='count',
        measure=None,
        by=tuple(key for key, _ in first.keys) if first else (),
        window=window,
        options=options(random, [0, 0.25, 0.5, 1, 2.25, 5], missing),
        retention=random.choice([3600, 86400]),
        folded=grouped and random.random() < 0.1,
        choices=choices,
        start=start,
        end=end,
        second=random.choice([0, 30]),
        events=make_events(random, start, end, window),
        formula=tree,
        variables=variables,
    )


def case(seed):
    random = Random(f'formula {seed}')
    return metric_case(random) if seed % 2 else event_case(random)


def written(one, minutes):
    text = str(one.formula)
    rollup = f'.rollup("{one.rollup}")' if isinstance(one, MetricFormula) and one.rollup else ''
    text = text[1:-1] if text.startswith('(') else text
    return f'formula("{text}"){rollup}.last("{minutes}m") {one.options.comparator} {one.options.critical!r}'


def body(one, type, minutes, variables):
    options = one.options
    thresholds = {
        'warning': options.warning,
        'critical_recovery': options.critical_recovery,
        'warning_recovery': options.warning_recovery,
    }
    found = {
        'variables': variables,
        'thresholds': {
            'critical': options.critical,
            **{key: value for key, value in thresholds.items() if value is not None},
        },
        'notify_no_data': options.notify_no_data,
        'no_data_timeframe': options.no_data_timeframe // 60,
        'evaluation_delay': options.evaluation_delay,
    }
    if one.by:
        found['new_group_delay'] = options.new_group_delay
    if options.on_missing_data:
        found['on_missing_data'] = options.on_missing_data
    return {'name': 'm', 'type': type, 'query': written(one, minutes), 'options': found}


def metric_evaluator(one):
    variables = []
    for name, variable in one.variables.items():
        query = str(variable.query)
        query = query[1:-1] if query.startswith('(') else query
        variables.append({'data_source': 'metrics', 'name': name, 'query': query, 'aggregator': variable.method})
    monitor = of(read_monitor(Unplaced(Path('m')), body(one, 'query alert', one.minutes, variables)))
    store = SeriesSet(
        Series(
            source.metric,
            source.tags,
            np.array([time for time, _, _ in source.samples]),
            np.array([value for _, value, _ in source.samples]),
            source.kind,
            source.interval,
        )
        for source in one.sources
    )
    return Evaluator(monitor, store, one.start, one.end, one.second, Assumptions(one.choices))


def event_evaluator(one):
    variables = []
    for name, variable in one.variables.items():
        compute = {'aggregation': variable.method, **({'metric': variable.measure} if variable.measure else {})}
        groups = [{'facet': key, **({'limit': limit} if limit else {})} for key, limit in variable.keys]
        search = ' '.join(
            f'@{key}:{value}' if key == 'code' else f'{key}:{value}' for key, value in variable.only.items()
        )
        variables.append(
            {
                'data_source': 'logs',
                'name': name,
                'search': {'query': search},
                'compute': compute,
                'group_by': groups,
            }
        )
    made = body(one, 'log alert', one.window // 60, variables)
    made['options'] |= {
        'group_retention_duration': f'{one.retention // 3600}h',
        'groupby_simple_monitor': one.folded,
    }
    monitor = of(read_monitor(Unplaced(Path('m')), made))
    kinds = {}
    for event in one.events:
        kinds.setdefault(event.number, []).append(event)
    events = []
    for number, each in kinds.items():
        times, counts = np.unique([event.at for event in each], return_counts=True)
        tags = frozenset(f'{key}:{value}' for key, value in each[0].tags.items())
        series = Series(f'logs {number}', tags, times, counts.astype(float), 'count', 60)
        events.append(Events('logs', series, None, each[0].attributes, {'message': str(number)}))
    return FormulaEvaluator(monitor, events, one.start, one.end, one.second, Assumptions(one.choices))


def near(left, right):
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)


def difference(seed):
    one = case(seed)
    evaluator = metric_evaluator(one) if isinstance(one, MetricFormula) else event_evaluator(one)
    expected = one.run()
    if list(evaluator.groups) != list(expected):
        return f'groups {evaluator.groups} and {list(expected)}'
    for group, history in expected.items():
        timeline = evaluator.timeline(group)
        if len(timeline.ticks) != len(history.ticks):
            return f'{group}: {len(timeline.ticks)} and {len(history.ticks)} evaluations'
        for row, (tick, value, state) in enumerate(history.ticks):
            found = float(timeline.values[row])
            told = int(timeline.ticks[row]), None if np.isnan(found) else found, str(State(timeline.states[row]))
            if told[::2] != (tick, state) or not near(told[1], value):
                return f'{group}: {told} and {(tick, value, state)}'
        changes = [(c.instant, str(c.source), str(c.target), c.notify, c.cause) for c in timeline.transitions]
        wanted = [(c.instant, c.source, c.target, c.notify, c.cause) for c in history.changes]
        if changes != wanted:
            return f'{group}: {changes} and {wanted}'
    return None


@pytest.mark.parametrize('batch', range(SEED, SEED + CASES, BATCH))
@pytest.mark.rule('17.1', '17.5', '17.6', '17.7', '17.8', '17.9', '17.10', '17.11', '17.12', 'A60', 'A61')
def test_formulas_agree(batch):
    for seed in range(batch, batch + BATCH):
        assert difference(seed) is None, seed


def test_the_cases_reach_every_state_and_kind():
    states, rollups = set(), set()
    for seed in range(100):
        one = case(seed)
        rollups.add(one.rollup if isinstance(one, MetricFormula) else 'events')
        states |= {state for history in one.run().values() for _, _, state in history.ticks}
    assert states == {'absent', 'OK', 'Warn', 'Alert', 'No Data'}
    assert rollups >= {None, 'events', 'sum', 'avg'}


@pytest.mark.parametrize(
    'target, name, wrong',
    [
        pytest.param(evaluation, '_aggregated', lambda points, method: points.aggregate('avg'), id='method'),
        pytest.param(
            event_formula, 'kept', lambda ranking, scores: [np.ones_like(one, bool) for one in scores], id='limits'
        ),
        pytest.param(FormulaEvaluator, '_all_silent', np.False_, id='all silent'),
        pytest.param(FormulaEvaluator, '_counts', lambda self, variable: True, id='zero'),
    ],
)
def test_a_wrong_evaluation_is_found(monkeypatch, target, name, wrong):
    monkeypatch.setattr(target, name, wrong)
    assert any(difference(seed) for seed in range(150))
