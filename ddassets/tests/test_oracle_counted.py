"""The evaluator of counted events agrees with a simple second evaluator on random monitors."""

from random import Random

import numpy as np
import pytest
from oracle import counted
from oracle.counted import SHARES, Event
from oracle.states import Options
from scale import SEED, runs

from ddassets.engine.assumptions import ASSUMPTIONS, Assumptions
from ddassets.engine.counted import CountedEvaluator, CountedMonitor
from ddassets.engine.events import EventColumn, Events
from ddassets.engine.monitor import Thresholds
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.language.counted import METHODS, parse_counted

CASES = runs(200)
BATCH = 50
START = 1_800_000_000
HOUR = 3600
# How long is evaluated, by the window: a day is long enough to forget a group.
WINDOWS = {60: 60, 300: 120, 600: 120, 3600: 240, 7200: 600, 90: 60, 86400: 3 * 1440}


def chosen(random, names):
    """A choice for each assumption, the default three times of four."""
    return {
        name: ASSUMPTIONS[name].default if random.random() < 0.75 else random.choice(ASSUMPTIONS[name].choices)
        for name in names
    }


def make_events(random, start, end, window):
    """Kinds of events, each at random instants."""
    found = []
    for number in range(random.randint(0, 6)):
        tags = {'service': random.choice('ab')} if random.random() < 0.85 else {}
        attributes = {'code': random.choice(['500', '503'])} if random.random() < 0.8 else {}
        if random.random() < 0.8:
            attributes['t'] = random.choice([0.25, 1.0, 2.0, 2.5, 4.0, -1.0, 'slow'])
        at, quiet = start - random.choice([0, 60, window]), random.choice([window // 3, window, 3 * window])
        while at < end:
            for _ in range(random.choice([1, 1, 2, 5])):
                found.append(Event(float(at), tags, attributes, number))
                at += random.choice([0, 1, 7, 30, 60, window // 10])
            at += random.choice([10, 60, quiet, quiet])
    return found


def case(seed):
    random = Random(f'counted {seed}')
    window = random.choice([*WINDOWS])
    start = START + random.choice([0, 0, 1800, 17])
    end = start + 60 * WINDOWS[window] * random.choice([1, 1, 2])
    method = random.choice(['count', 'count', 'count', *METHODS])
    measure = None if method == 'count' else '@code' if method == 'cardinality' and random.random() < 0.7 else '@t'
    comparator = random.choice(['>', '>', '>=', '<', '<=', '<', '==', '!='])
    values = [0, 1, 1, 2, 3, 5, 8, 0.5, 2.5]
    limits = sorted({random.choice(values) for _ in range(4)}, reverse=comparator[0] == '>')
    picked = [*limits, None, None, None]
    recovery = (None, None)
    if comparator not in ('==', '!='):
        recovery = (random.choice(picked), random.choice([*limits[1:], None]) if picked[1] is not None else None)
    else:
        picked[1] = None
    notify = random.random() < 0.3
    missing = (None, 'default', 'show_no_data', 'show_and_notify_no_data', 'resolve')
    options = Options(
        comparator,
        float(picked[0]),
        picked[1],
        *recovery,
        notify_no_data=notify,
        no_data_timeframe=random.choice([None, 120, 600, 2 * window]),
        on_missing_data=None if notify else random.choice(missing) or 'default',
        evaluation_delay=random.choice([0, 0, 60, 300]),
        new_group_delay=random.choice([0, 0, 60, 600]),
        timeout=random.choice([0, 0, 300, HOUR]),
    )
    by = random.choice([(), (), ('service',), ('service',), ('service', '@code'), ('@code',)])
    choices = chosen(random, ['A1', 'A5', 'A6', 'A8', 'A9', 'A22', 'A47', 'A49', 'A50'])
    if choices['A5'] == 'error':
        choices['A5'] = '2x window'
    return counted.Counted(
        method=method,
        measure=measure,
        by=by,
        window=window,
        options=options,
        retention=random.choice([HOUR, 4 * HOUR, 24 * HOUR]),
        folded=random.random() < 0.15,
        choices=choices,
        start=start,
        end=end,
        second=random.choice([0, 0, 30, 59]),
        events=make_events(random, start, end, window),
    )


def evaluator_of(one):
    """The engine's evaluator of a case."""
    options = one.options
    by = f'.by("{",".join(one.by)}")' if one.by else ''
    measure = f', "{one.measure}"' if one.measure else ''
    text = (
        f'logs("x").rollup("{one.method}"{measure}){by}.last("{one.window}s") {options.comparator} {options.critical}'
    )
    monitor = CountedMonitor(
        'm',
        query=parse_counted(text),
        thresholds=Thresholds(
            critical=options.critical,
            warning=options.warning,
            critical_recovery=options.critical_recovery,
            warning_recovery=options.warning_recovery,
        ),
        folded=one.folded and bool(one.by),
        evaluation_delay=options.evaluation_delay,
        new_group_delay=options.new_group_delay,
        retention=one.retention,
        notify_no_data=options.notify_no_data,
        no_data_timeframe=options.no_data_timeframe,
        timeout=options.timeout,
        on_missing_data=None if options.notify_no_data else options.on_missing_data,
    )
    kinds = {}
    for event in one.events:
        kinds.setdefault(event.number, []).append(event)
    events = []
    for number, each in kinds.items():
        times, counts = np.unique([event.at for event in each], return_counts=True)
        tags = frozenset(f'{key}:{value}' for key, value in each[0].tags.items())
        series = Series(f'logs {number}', tags, times, counts.astype(float), 'count', 60)
        events.append(Events('logs', series, None, each[0].attributes, {'message': str(number)}))
    return CountedEvaluator(monitor, events, one.start, one.end, one.second, Assumptions(one.choices))


def near(left, right):
    return left == right or (left is not None and right is not None and abs(left - right) < 1e-9)


def difference(seed):
    one = case(seed)
    evaluator = evaluator_of(one)
    expected = one.run()
    if list(evaluator.groups) != list(expected):
        return f'groups {evaluator.groups} and {list(expected)}'
    for group, history in expected.items():
        timeline = evaluator.timeline(group)
        for row, (tick, value, state) in enumerate(history.ticks):
            found = float(timeline.values[row])
            found = None if np.isnan(found) else found
            told = int(timeline.ticks[row]), found, str(State(timeline.states[row]))
            if told[::2] != (tick, state) or not near(found, value):
                return f'{group}: {told} and {(tick, value, state)}'
        if len(timeline.ticks) != len(history.ticks):
            return f'{group}: {len(timeline.ticks)} and {len(history.ticks)} evaluations'
        changes = [(c.instant, str(c.source), str(c.target), c.notify, c.cause) for c in timeline.transitions]
        wanted = [(c.instant, c.source, c.target, c.notify, c.cause) for c in history.changes]
        if changes != wanted:
            return f'{group}: {changes} and {wanted}'
        if not one.folded and (fault := wrong_variables(one, evaluator, group, [tick for tick, _, _ in history.ticks])):
            return f'{group}: {fault}'
    return None


def wrong_variables(one, evaluator, group, ticks):
    """Which variables of an event are not those of the newest in the window (rule 15.12)."""
    for tick in ticks[:: max(1, len(ticks) // 10)]:
        found = evaluator.variables(group, tick).get('log.message', '')
        # Which of several at one instant is not known (A51).
        allowed = {str(event.number) for event in one.newest(one.groups()[group], tick)} or {''}
        if found not in allowed:
            return f'at {tick} the event is {found!r}, not {allowed}'
    return None


@pytest.mark.parametrize('batch', range(SEED, SEED + CASES, BATCH))
@pytest.mark.rule('15.2', '15.4', '15.5', '15.6', '15.7', '15.8', '15.9', '15.10', '15.12', '15.18')
def test_counted_events_agree(batch):
    for seed in range(batch, batch + BATCH):
        assert difference(seed) is None, seed


def test_the_cases_reach_every_state_and_method():
    """Not all cases are silent, or of one kind."""
    states, methods = set(), set()
    for seed in range(150):
        one = case(seed)
        methods.add(one.method)
        states |= {state for history in one.run().values() for _, _, state in history.ticks}
    assert states == {'absent', 'OK', 'Warn', 'Alert', 'No Data'}
    assert len(methods & {*SHARES}) >= 3 and methods >= {'count', 'cardinality', 'avg'}


@pytest.mark.parametrize(
    'target, name, wrong',
    [
        pytest.param(CountedEvaluator, '_all_silent', np.False_, id='all silent'),
        pytest.param(CountedEvaluator, '_counts', lambda self, empty: True, id='zero'),
        pytest.param(EventColumn, 'newest', lambda self, start, end: None, id='variables'),
        pytest.param(
            EventColumn,
            'count',
            lambda self, start, end: (end - start).astype(float),
            id='several at one instant',
        ),
    ],
)
def test_a_wrong_evaluation_is_found(monkeypatch, target, name, wrong):
    monkeypatch.setattr(target, name, wrong)
    assert any(difference(seed) for seed in range(150))
