"""The engine and the slow oracle agree on random monitors: states, values, transitions and notifications."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from oracle import cases
from oracle.cases import SWITCHED, Case
from oracle.evaluation import MonitorQuery
from oracle.notifications import Dispatch
from oracle.queries import Binary, Leaf, Wrapped, names
from oracle.series import Source
from oracle.smoothing import family
from oracle.states import Group, Options
from scale import SEED, runs

from ddassets.diagnostic import Unsupported
from ddassets.engine import monitor as monitors
from ddassets.engine.assumptions import ASSUMPTIONS, Assumptions
from ddassets.engine.evaluator import evaluate
from ddassets.engine.notification import Mute, notifications
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State

CASES = runs(500)
FIRST = SEED
BATCH = 100
STATES = {str(state): state for state in State}


def store(case: Case) -> SeriesSet:
    return SeriesSet(
        Series(
            source.metric,
            source.tags,
            np.array([time for time, _, _ in source.samples]),
            np.array([value for _, value, _ in source.samples]),
            source.kind,
            source.interval,
            None if all(a == t for t, _, a in source.samples) else np.array([a for _, _, a in source.samples]),
        )
        for source in case.sources
    )


class Near(float):
    """A number that equals a near one: the two evaluators add in different orders."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and math.isclose(self, other, rel_tol=1e-9, abs_tol=1e-9)

    __hash__ = None  # type: ignore[assignment]


def number(value: float | None) -> Near | None:
    return None if value is None or math.isnan(value) else Near(value)


def monitor(case: Case) -> monitors.Monitor:
    """The monitor of a case, whose options go beyond those that the API takes.

    It takes whole hours, but shorter ones make more happen, and new_group_delay with groups alone.
    """
    options = {**case.body['options'], 'timeout_h': 0}
    if ' by {' not in case.body['query']:
        options.pop('new_group_delay', None)
    hours = case.body['options'].get('timeout_h') or 0
    return replace(monitors.read({**case.body, 'options': options}), timeout=int(hours * 3600))


def first(case: Case, choices=None):
    """What ddassets says: by group ticks, values and states, transitions, notifications; and the assumptions."""
    choices = case.choices if choices is None else choices
    body = monitor(case)
    timeline = evaluate(body, store(case), case.start, case.end, case.second, choices)
    assumptions = Assumptions(choices)
    assumptions.relied_on.update(timeline.relied_on)
    mutes = [
        Mute(
            one.start, one.end, one.name, one.mute_first_recovery, frozenset(STATES[state] for state in one.end_states)
        )
        for one in case.downtimes
    ]
    found = {}
    for group, line in timeline.groups.items():
        due = notifications(body, line, mutes, assumptions)
        found[group] = (
            [
                (int(tick), number(float(value)), str(State(state)))
                for tick, value, state in zip(line.ticks, line.values, line.states, strict=True)
            ],
            [
                (
                    one.instant,
                    str(one.source),
                    str(one.target),
                    number(one.value),
                    one.notify,
                    one.cause,
                    one.first_triggered_at,
                    one.last_triggered_at,
                )
                for one in line.transitions
            ],
            [
                (
                    one.instant,
                    one.kind,
                    one.reason,
                    str(one.source),
                    str(one.target),
                    number(one.value),
                    frozenset(one.muted_by),
                    one.first_triggered_at,
                    one.last_triggered_at,
                )
                for one in due
            ],
        )
    return found, assumptions.relied_on


def second(case: Case):
    """Return the same from the second evaluator."""
    found = {}
    for group, sources in case.groups.items():
        history = Group(case.query, case.options, sources, case.choices, case.start).run(case.end, case.second)
        due = Dispatch(case.options, history, case.downtimes, case.choices, case.end).all()
        found[group] = (
            [(tick, number(value), state) for tick, value, state in history.ticks],
            [
                (one.instant, one.source, one.target, number(one.value), one.notify, one.cause, one.first, one.last)
                for one in history.changes
            ],
            [
                (
                    one.instant,
                    one.kind,
                    one.reason,
                    one.source,
                    one.target,
                    number(one.value),
                    one.muted_by,
                    one.first,
                    one.last,
                )
                for one in due
            ],
        )
    return found


def difference(case: Case) -> str | None:
    """Return the first difference between the two."""
    return compared(first(case)[0], second(case))


def compared(ours, theirs) -> str | None:
    if list(ours) != list(theirs):
        return f'groups {list(ours)} and {list(theirs)}'
    for group in ours:
        for what, one, other in zip(
            ('evaluation', 'transition', 'notification'), ours[group], theirs[group], strict=True
        ):
            for left, right in zip(one, other, strict=False):
                if left != right:
                    return f'{what} of {group}: {left} and {right}'
            if len(one) != len(other):
                return f'{what}s of {group}: {len(one)} and {len(other)}: {(one + other)[-1]}'
    return None


def judged(
    seeds: Iterable[int], judge: Callable[[Case], str | None], make: Callable[[int], Case] = cases.make
) -> Iterator[str | None]:
    """Return the result of a comparison for each case, without the few that ddassets refuses."""
    refused = 0
    for seed in seeds:
        case = make(seed)
        try:
            found = judge(case)
        except Unsupported:
            refused += 1
            continue
        yield found and f'case {seed}, {case.body}: {found}'
    assert refused < BATCH / 20


@pytest.mark.parametrize('batch', range(FIRST, FIRST + CASES, BATCH))
def test_both_evaluators_agree(batch):
    for found in judged(range(batch, batch + BATCH), difference):
        assert found is None


def by_hand(query: MonitorQuery, options: Options, *values: Iterable[float], **choices: str) -> Case:
    """Sources of one metric with a value every minute each, evaluated for ten minutes."""
    default = {assumption.id: assumption.default for assumption in ASSUMPTIONS.values()}
    minutes = range(cases.START, cases.START + 600, 60)
    samples = [tuple((at, value, at) for at, value in zip(minutes, each, strict=False)) for each in values]
    sources = tuple(Source('m', frozenset({f'host:{host}'}), 'count', 60, samples[host]) for host in range(len(values)))
    return Case(query, options, default | choices, sources, cases.START, cases.START + 600, 0, ())


M, N = Leaf('m'), Leaf('n', counting='as_count')


@pytest.mark.parametrize(
    'case, states',
    [
        pytest.param(
            by_hand(
                MonitorQuery('sum', 1, 'm', Binary('/', Wrapped('default', M, 3.0), Binary('+', M, N))),
                Options('>', 0.0, on_missing_data='resolve'),
                [6] * 3,
                A4='skip',
            ),
            ['Alert'] * 3 + ['OK'] * 7,
            id='no data, although default() fills an operand',
        ),
        pytest.param(
            by_hand(
                MonitorQuery('sum', 1, 'm', Wrapped('diff', Wrapped('exclude_null', Leaf('m', 'min')))),
                Options('>', 5.0),
                range(10, 20),
                [0],
            ),
            ['No Data'] + ['OK'] * 9,
            id='a difference of what stays as it is is one of each source',
        ),
        pytest.param(
            by_hand(
                MonitorQuery(
                    'max',
                    1,
                    'm',
                    Wrapped('moving_rollup', Wrapped('clamp_min', Wrapped('diff', M), 5.0), 600.0, 'sum'),
                ),
                Options('>', 40.0),
                range(10),
            ),
            ['OK'] * 10,
            id='a function around a difference uses no point that the difference may not use',
        ),
    ],
)
def test_both_evaluators_agree_on_what_a_seed_found(case, states):
    assert difference(case) is None
    assert [state for _, _, state in second(case)[()][0]] == states


def test_no_threshold_is_a_value_that_evaluators_round_differently():
    found = [
        case.options.critical
        for case in map(cases.make, range(400))
        if any(family(name) in cases.ROUNDED for name in names(case.query.query)) and not case.query.stub
    ]
    assert len(found) > 10 and not any((limit * 8).is_integer() for limit in found)


@pytest.mark.rule('16.1', '16.2', '16.4', '16.6', '16.7', '16.8', '16.10', 'A52', 'A53', 'A54', 'A55', 'A97')
@pytest.mark.parametrize('batch', range(FIRST, FIRST + runs(200), BATCH))
def test_both_evaluators_agree_about_cumulative_windows(batch):
    for found in judged(range(batch, batch + BATCH), difference, cases.make_cumulative):
        assert found is None


GROUP_PARTS = {'evaluation': 0, 'transition': 1, 'notification': 2}


@pytest.fixture(scope='module')
def said():
    """What the second evaluator says of thirty cases."""
    return [second(cases.make(seed)) for seed in range(30)]


@pytest.mark.parametrize('part', GROUP_PARTS)
@pytest.mark.parametrize('change', ['missing', 'more', 'other'])
def test_canary_a_difference_is_detected(said, part, change):
    def wrong(groups):
        found = {group: [[*rows] for rows in parts] for group, parts in groups.items()}
        for parts in found.values():
            if rows := parts[GROUP_PARTS[part]]:
                row = rows[-1]
                place = next((at for at, value in enumerate(row) if isinstance(value, Near)), 0)
                other = (*row[:place], Near(row[place] + 1e-3), *row[place + 1 :])
                rows[-1:] = {'missing': [], 'more': [row, row], 'other': [other]}[change]
                break
        return found

    assert not any(compared(groups, groups) for groups in said)
    seen = [found for groups in said if (found := compared(groups, wrong(groups)))]
    assert seen and all(found.startswith(part) for found in seen)


@pytest.mark.parametrize('evaluator, silent', [('first', ({}, set())), ('second', {})])
def test_canary_each_evaluator_is_compared(monkeypatch, evaluator, silent):
    monkeypatch.setitem(globals(), evaluator, lambda case: silent)
    assert difference(cases.make(0)).startswith('groups')


def switched(case: Case, names: Iterable[str] = SWITCHED) -> str | None:
    """Return the first choice that matters although the result was not recorded to rely on its assumption."""
    expected, relied_on = first(case)
    for name in names:
        for choice in (ASSUMPTIONS[name].default, *ASSUMPTIONS[name].alternatives):
            if name not in relied_on and choice != case.choices[name]:
                found, _ = first(case, {**case.choices, name: choice})
                if found != expected:
                    return f'{name}: {choice}'
    return None


@pytest.mark.parametrize('batch', range(FIRST, FIRST + CASES // 4, BATCH))
def test_assumptions_not_relied_on_do_not_matter(batch):
    for found in judged(range(batch, batch + BATCH), switched):
        assert found is None


def test_canary_an_unrecorded_assumption_is_detected(monkeypatch):
    told = first
    monkeypatch.setitem(globals(), 'first', lambda *arguments: (told(*arguments)[0], set()))
    seen = {found.rpartition(': ')[0].rpartition(' ')[2] for found in judged(range(30), switched) if found}
    assert len(seen) >= 3 and seen <= set(SWITCHED)
