"""Compute the transitions of a group from its states, and which of them notify (section 3 of the semantics)."""

from collections.abc import Sequence

import numpy as np

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Flags, Floats
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.state import State
from ddassets.engine.timeline import CAUSES, NEVER, Codes, Instants, Transitions

_DATA = CAUSES.index('data')


def transitions(
    monitor: AnyMonitor,
    assumptions: Assumptions,
    ticks: Instants,
    states: Codes,
    values: Floats,
    causes: Codes,
    born: Sequence[int],
    fresh: State,
    silent: Flags | None = None,
) -> Transitions:
    """Return what changed. A group is `born` (indices) from ABSENT; born OK and dropped are no transitions.

    `silent` says at which evaluations No Data is not notified; None: as the options of the monitor say.
    """
    before = np.empty_like(states)
    before[:1] = fresh
    before[1:] = states[:-1]
    before[list(born)] = State.ABSENT
    changed = (before != states) & (states != State.ABSENT)
    index = np.flatnonzero(changed)
    index = index[(before[index] != State.ABSENT) | (states[index] != State.OK)]
    source, target = before[index], states[index]
    instants = ticks[index]
    trouble = target != State.OK
    first = trouble & ((source == State.OK) | (source == State.ABSENT))
    unheard = np.full(index.size, monitor.silent_no_data) if silent is None else silent[index]
    lives = np.searchsorted(np.array(born), index, side='right')
    return Transitions(
        instants=instants,
        sources=source,
        targets=target,
        values=values[index],
        notify=np.zeros(index.size, dtype=np.bool_)
        if monitor.draft
        else _notified(assumptions, source, target, unheard, lives),
        causes=np.where(target == State.OK, causes[index], _DATA).astype(np.int8),
        first_triggered=_carried(instants, first),
        last_triggered=_carried(instants, trouble),
    )


def _carried(instants: Instants, at: Flags) -> Instants:
    """Return the instant of the latest row with `at`."""
    index = np.maximum.accumulate(np.where(at, np.arange(at.size), -1))
    return np.where(index >= 0, instants[index], NEVER)


def _notified(assumptions: Assumptions, source: Codes, target: Codes, silent: Flags, lives: Instants) -> Flags:
    """Which transitions notify: all (rule 3.8), but not into a silent No Data, and out of it into OK as A8 says.

    `silent`: a No Data that begins there is. `lives` numbers the lives of the group: a notification in one does not
    count in the next (rule 3.20).
    """
    notify = np.ones(source.size, dtype=np.bool_)
    if not silent.any():
        return notify
    notify &= ~((target == State.NO_DATA) & silent)
    asked = (source == State.NO_DATA) & (target == State.OK) & np.append(True, silent[:-1])
    if asked.any():
        row = np.arange(source.size)
        sent = np.maximum.accumulate(np.where(notify & ~asked, row, -1))
        asked_before = np.maximum.accumulate(np.concatenate([[-1], np.where(asked, row, -1)[:-1]]))
        trigger = (sent >= 0) & (target[sent] != State.OK) & (asked_before < sent) & (lives[sent] == lives)
        notify[asked] = {
            'always': np.ones_like(trigger),
            'never': np.zeros_like(trigger),
            'after a trigger': trigger,
        }[assumptions.recovery_after_silent_no_data][asked]
    return notify
