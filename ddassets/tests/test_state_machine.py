"""The state machine, one evaluation at a time, and the evaluation of whole columns, which must agree."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddassets.engine.assumptions import ASSUMPTIONS, Assumptions
from ddassets.engine.examples import monitor
from ddassets.engine.monitor import Thresholds
from ddassets.engine.state import State
from ddassets.engine.state_machine import Evaluations, GroupState, Result, Rules, run, step

START = 1_800_000_000
SWITCHED = ('A6', 'A8', 'A9', 'A21', 'A22', 'A24', 'A88')


@st.composite
def rules(draw):
    comparator = draw(st.sampled_from(['>', '>=', '<', '<=', '==', '!=']))
    sign = 1 if comparator.startswith('>') else -1
    thresholds = Thresholds(80.0)
    if comparator not in ('==', '!='):
        warning = draw(st.sampled_from([None, 60.0]))
        thresholds = Thresholds(
            critical=80.0 * sign,
            warning=None if warning is None else warning * sign,
            critical_recovery=draw(st.sampled_from([None, 70.0 * sign])),
            warning_recovery=None if warning is None else draw(st.sampled_from([None, 50.0 * sign])),
        )
    mode = draw(st.sampled_from([None, None, 'show_no_data', 'show_and_notify_no_data', 'resolve', 'default']))
    whole = replace(
        monitor(f'avg(last_2m):avg:m{{*}} {comparator} {thresholds.critical:g}'),
        thresholds=thresholds,
        on_missing_data=mode,
        notify_no_data=mode is None and draw(st.booleans()),
        no_data_timeframe=draw(st.sampled_from([None, 0, 120, 600])),
        evaluation_delay=draw(st.sampled_from([0, 60])),
        new_group_delay=draw(st.sampled_from([0, 120])),
        timeout=0 if mode == 'resolve' else draw(st.sampled_from([0, 60, 180, 4000])),
        draft=draw(st.sampled_from([False, False, False, True])),
    )
    choices = {id: draw(st.sampled_from(ASSUMPTIONS[id].choices)) for id in SWITCHED}
    return Rules(whole, 120, Assumptions(choices), fills=draw(st.booleans()))


@st.composite
def results(draw, fills):
    """Return sequences of results: values near the thresholds, nothing, cancelled ones, filled gaps."""
    found = []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(['value', 'value', 'empty', 'cancelled', 'zero', 'filled']))
        value = float(draw(st.sampled_from([-81, -80, -75, -60, -50, -40, 0, 40, 50, 60, 75, 80, 81, 80 + 4e-9])))
        recovery = value if draw(st.booleans()) else float(draw(st.sampled_from([-81, -60, 0, 60, 81])))
        blank = kind in ('empty', 'zero') and draw(st.sampled_from([True, True, True, False]))
        last = START - 600.0 if kind == 'empty' and draw(st.booleans()) else None
        result = {
            'value': Result(value, recovery),
            'filled': Result(value, recovery, blank=fills),
            'empty': Result(empty=True, blank=blank or not fills, last=last),
            'cancelled': Result(),
            'zero': Result(0.0 if fills else None, empty=True, zero=True, blank=blank or not fills),
        }[kind]
        if kind == 'zero':
            result = replace(result, value=None)
        found += [result] * draw(st.sampled_from([1, 1, 2, 3, 5]))
    return found


def columns(found, ticks):
    def column(values, dtype=np.float64):
        return np.array([np.nan if value is None else value for value in values], dtype=dtype)

    valued = np.array([one.value is not None for one in found])
    zero = column([one.zero for one in found], np.bool_)
    values, recovery = (column([getattr(one, name) for one in found]) for name in ('value', 'recovery'))
    return Evaluations(
        ticks=ticks,
        values=np.where(zero, 0.0, values),
        recovery=np.where(zero, 0.0, recovery),
        valued=valued,
        empty=column([one.empty for one in found], np.bool_),
        zero=zero,
        blank=column([one.blank for one in found], np.bool_),
        last=column([one.last for one in found]),
    )


def one_by_one(machine, found, ticks, simple):
    state = GroupState(State.NO_DATA) if simple else GroupState()
    states, changes = [], []
    for result, tick in zip(found, ticks.tolist(), strict=True):
        # What is stored and read again is the same state.
        state = GroupState.from_dict(json.loads(json.dumps(state.to_dict())))
        state, transitions = step(machine, state, result, tick, simple)
        states.append(state.state)
        changes += transitions
    return states, changes


def shown(changes):
    return [(replace(one, value=0.0), None if np.isnan(one.value) else one.value) for one in changes]


@pytest.mark.rule('3.3', '3.6', '3.9', '3.15', '3.18', '3.19', '3.20', '4.7', 'A6', 'A8', 'A9', 'A21', 'A22', 'A88')
@settings(max_examples=100)
@given(data=st.data(), simple=st.booleans(), every=st.sampled_from([60, 60, 600, 1800, 30000]))
def test_columns_agree_with_the_state_machine(data, simple, every):
    machine = data.draw(rules())
    found = data.draw(results(machine.fills))
    ticks = START + every * np.arange(len(found))
    states, changes = one_by_one(machine, found, ticks, simple)
    whole = run(machine, columns(found, ticks), simple)
    assert [State(state) for state in whole.states] == states
    assert shown(whole.transitions) == shown(changes)


@pytest.mark.rule('3.19')
@pytest.mark.parametrize('timeout, expected', [(180, 'AAAO'), (181, 'AAAA'), (179, 'AAAO')])
def test_timeout_at_equality(timeout, expected):
    machine = Rules(replace(monitor(), timeout=timeout), 60, Assumptions())
    found = [Result(9.0), *[Result(empty=True, blank=True)] * 4]
    states, _ = one_by_one(machine, found, START + 60 * np.arange(5), True)
    assert ''.join(str(state)[0] for state in states) == f'A{expected}'


@pytest.mark.rule('3.20', 'A88')
@pytest.mark.parametrize('choice, seconds', [('not modelled, 24 h', 86400), ('12 h', 43200), ('1 h', 3600)])
def test_a_group_is_dropped_at_the_end_of_its_retention(choice, seconds):
    machine = Rules(replace(monitor(), new_group_delay=0), 60, Assumptions({'A88': choice}))
    found = [Result(9.0), *[Result(empty=True, blank=True)] * 3]
    ticks = START + np.array([0, 60, 60 + seconds - 60, 60 + seconds])
    states, changes = one_by_one(machine, found, ticks, False)
    assert states == [State.ALERT, State.ALERT, State.ALERT, State.ABSENT]
    assert [one.target for one in changes] == [State.ALERT]
    assert 'A88' in machine.assumptions.relied_on


@pytest.mark.rule('3.6', 'A9')
@pytest.mark.parametrize('choice, expected', [('yes', 'AWWO'), ('no', 'AOWO')])
def test_warning_recovery_after_an_alert(choice, expected):
    thresholds = Thresholds(80.0, warning=60.0, warning_recovery=50.0)
    machine = Rules(replace(monitor(), thresholds=thresholds), 60, Assumptions({'A9': choice}))
    ticks = START + 60 * np.arange(4)
    # From Alert straight below the warning; then a warning that has to pass its own recovery under both choices.
    found = [Result(81.0), Result(55.0), Result(61.0), Result(50.0)]
    states, _ = one_by_one(machine, found, ticks, True)
    assert ''.join(str(state)[0] for state in states) == expected
    kept = [Result(61.0), Result(55.0), Result(55.0), Result(50.0)]
    states, _ = one_by_one(machine, kept, ticks, True)
    assert ''.join(str(state)[0] for state in states) == 'WWWO'


@pytest.mark.rule('3.19', 'A22')
@pytest.mark.parametrize('timeout, expected', [(120, 'AAAO'), (60, 'AAON')])
def test_no_data_that_starts_as_the_timeout_passes_times_out(timeout, expected):
    options = {'notify_no_data': True, 'no_data_timeframe': 120, 'timeout': timeout}
    machine = Rules(replace(monitor(), **options), 60, Assumptions())
    found = [Result(9.0), *[Result(empty=True, blank=True, last=START + 60.0)] * 3]
    states, _ = one_by_one(machine, found, START + 60 * np.arange(4), True)
    assert ''.join(str(state)[0] for state in states) == expected
