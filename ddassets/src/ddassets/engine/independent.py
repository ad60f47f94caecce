"""The states of a monitor with a custom schedule, whose evaluations do not depend on one another (16.15 to 16.20)."""

from collections.abc import Iterator

import numpy as np

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Flags, Floats
from ddassets.engine.state import State
from ddassets.engine.state_machine import Columns, Evaluations, Rules, known_since
from ddassets.engine.timeline import CAUSES, DAY, NEVER, Codes, Transitions

_DATA, _RESOLVED = CAUSES.index('data'), CAUSES.index('on_missing_data')


def run_independently(rules: Rules, evaluations: Evaluations, simple: bool, seen: Floats) -> Columns:
    """Return the states, the compared values and the notifications of one group.

    `seen` is when each of its points can be in a window, in order. A transition from OK stands for every evaluation
    that is not OK and notifies; one into OK notifies nobody.
    """
    lives = _lives(rules, evaluations, simple, seen)
    verdicts, decided = _verdicts(rules, evaluations)
    states, told = np.full(lives.size, State.NO_DATA if simple else State.ABSENT, dtype=np.int8), decided & lives
    last = State.OK
    for row in range(lives.size):
        if not lives[row]:
            states[row] = last = State.ABSENT if not simple else State.NO_DATA
            continue
        if decided[row]:
            last = State(verdicts[row])
        elif not row or not lives[row - 1]:
            last = State.OK
        elif evaluations.empty[row] and last != State.OK:
            # Rule 16.18: the last status is told again.
            told[row] = rules.assumptions.kept_status != 'silent'
        states[row] = last
    values = np.where((evaluations.valued | evaluations.zero) & lives, evaluations.values, np.nan)
    told &= states != State.OK
    if rules.monitor.silent_no_data:
        told &= states != State.NO_DATA
    return Columns(states, values, _transitions(rules, evaluations, states, values, told, lives))


def _verdicts(rules: Rules, evaluations: Evaluations) -> tuple[Codes, Flags]:
    """Return the state that each evaluation results in by itself, and whether it results in one."""
    limits, mode = rules.monitor.thresholds, rules.monitor.on_missing_data
    if evaluations.zero.any() or (mode == 'default' and evaluations.empty.any()):
        rules.assumptions.rely_on(Assumptions.count_query)
    valued = evaluations.valued | evaluations.zero
    found = np.where(rules.holds(evaluations.values, limits.critical), State.ALERT, State.OK)
    if limits.warning is not None:
        warned = (found == State.OK) & rules.holds(evaluations.values, limits.warning)
        found = np.where(warned, State.WARN, found)
    missing = evaluations.empty & ~evaluations.zero
    found = np.where(missing, State.OK if mode == 'resolve' else State.NO_DATA, found)
    return found.astype(np.int8), valued | (missing if mode != 'default' else np.zeros_like(missing))


def _lives(rules: Rules, evaluations: Evaluations, simple: bool, seen: Floats) -> Flags:
    """Return at which evaluations the group exists: from its first value on; it is never dropped (A59)."""
    lives = np.zeros(evaluations.ticks.size, dtype=np.bool_)
    lives[list(_living(rules, evaluations, simple, seen))] = True
    return lives


def _living(rules: Rules, evaluations: Evaluations, simple: bool, seen: Floats) -> Iterator[int]:
    born = False
    for row, tick in enumerate(evaluations.ticks):
        blank = bool(evaluations.blank[row])
        until = seen[: np.searchsorted(seen, tick, side='right')]
        if born and not simple and blank and (not until.size or tick - until[-1] >= DAY):
            born = rules.assumptions.scheduled_retention != '24 h'
        if not born:
            born = bool(evaluations.valued[row]) and not blank
            if simple:
                born = born or rules.evaluated_before_it_reports
            elif born and until.size:
                born = bool(tick >= known_since(until) + rules.monitor.new_group_delay)
        if born:
            yield row


def _transitions(
    rules: Rules, evaluations: Evaluations, states: Codes, values: Floats, told: Flags, lives: Flags
) -> Transitions:
    before = np.append(np.int8(State.ABSENT), states[:-1])
    # A group that begins OK makes no transition.
    changed = (before != states) & lives & ((states != State.OK) | np.append(False, lives[:-1]))
    rows = np.flatnonzero(told | changed)
    targets = states[rows]
    trouble = targets != State.OK
    instants = evaluations.ticks[rows]
    when = np.where(trouble, instants, NEVER)
    resolved = ~trouble & (evaluations.empty & ~evaluations.zero)[rows]
    return Transitions(
        instants=instants,
        sources=np.where(trouble, State.OK, before[rows]).astype(np.int8),
        targets=targets,
        values=values[rows],
        notify=told[rows] & (not rules.monitor.draft),
        causes=np.where(resolved, _RESOLVED, _DATA).astype(np.int8),
        first_triggered=when,
        last_triggered=when,
    )
