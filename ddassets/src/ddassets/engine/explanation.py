"""Explain the state of a group: the content of `--explain`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.monitor import COMPLEMENTS, ThresholdMonitor
from ddassets.engine.state import State
from ddassets.engine.timeline import Group, GroupTimeline, Instants
from ddassets.nearest import did_you_mean, listed


@dataclass(frozen=True)
class Explanation:
    """The input of one evaluation, and the reasons for the state.

    `tick` is its instant and `window` (from, to), in seconds since the epoch; None: it reads no points. `points` are
    (operand, time, value), NaN where a point has no value; `value` is what came out, NaN for nothing. `reasons` are
    sentences. `nothing` says that there are no points.
    """

    tick: int
    state: State
    value: float
    window: tuple[int, int] | None
    points: tuple[tuple[str, float, float], ...]
    reasons: tuple[str, ...]
    nothing: str = 'no points'


def evaluation_row(ticks: Instants, groups: Sequence[Group], group: Group, instant: int) -> int:
    """Return the number of a group's last evaluation until an instant. Raises UnusableInputError if there is none."""
    if group not in groups:
        names = [_name(known) for known in groups]
        raise UnusableInputError(f'no group {_name(group)}{did_you_mean(_name(group), names)}; groups: {listed(names)}')
    row = int(np.searchsorted(ticks, instant, side='right')) - 1
    if row < 0:
        first = f'the first is at {_shown(ticks[0])}' if ticks.size else 'there is none'
        raise UnusableInputError(f'no evaluation of {_name(group)} until {_shown(instant)}; {first}')
    return row


def _name(group: Group) -> str:
    return ','.join(group) or '*'


def _shown(instant: float) -> str:
    return datetime.fromtimestamp(int(instant), UTC).strftime('%Y-%m-%dT%H:%M:%SZ')


def number_or_nothing(value: float) -> str:
    """Return a value for a sentence; NaN is nothing."""
    return 'nothing' if np.isnan(value) else repr(float(value))


def change(timeline: GroupTimeline, row: int) -> str:
    """Describe the change of state at an evaluation."""
    state = State(timeline.states[row])
    before = State(timeline.states[row - 1]) if row else State.ABSENT
    return f'the state was {before} and {"stays" if state == before else f"becomes {state}"}'


def reasons(monitor: ThresholdMonitor, timeline: GroupTimeline, row: int, value: float) -> Iterator[str]:
    """Return sentences that explain the group's state after evaluation `row`, which returned `value`."""
    state = State(timeline.states[row])
    compared = float(timeline.values[row])
    if np.isnan(value):
        yield 'the evaluation returned nothing'
        if not np.isnan(compared):
            yield 'on_missing_data is default and the query counts: nothing is taken for 0'
    elif np.isnan(compared) and state != State.ABSENT:
        yield 'the evaluation was cancelled: the window is not full'
    if not np.isnan(compared):
        yield from _comparisons(monitor, compared)
    if state == State.ABSENT:
        yield 'the group is not there: not seen yet, within new_group_delay, or without data for a day'
    elif monitor.scheduled:
        yield from _by_itself(monitor, timeline, row, compared)
    else:
        yield change(timeline, row)


def _by_itself(monitor: ThresholdMonitor, timeline: GroupTimeline, row: int, compared: float) -> Iterator[str]:
    """Explain the state of an evaluation of a custom schedule (rules 16.15 and 16.18)."""
    state = State(timeline.states[row])
    if np.isnan(compared):
        kept = f': the last status, {state}, is kept (A58)' if monitor.on_missing_data == 'default' else ''
        yield f'on_missing_data is {monitor.on_missing_data}{kept}'
    sent = int(timeline.ticks[row]) in timeline.transitions.instants[timeline.transitions.notify]
    yield f'the state is {state}, and the custom schedule {"notifies" if sent else "does not notify"}'


def _comparisons(monitor: ThresholdMonitor, value: float) -> Iterator[str]:
    operator, limits = monitor.comparator, monitor.thresholds
    limited = (
        ('critical', limits.critical, operator),
        ('warning', limits.warning, operator),
        ('critical_recovery', limits.critical_recovery, COMPLEMENTS.get(operator, operator)),
        ('warning_recovery', limits.warning_recovery, COMPLEMENTS.get(operator, operator)),
    )
    # A custom schedule has no recoveries (rule 16.16).
    for name, limit, sign in limited[:2] if monitor.scheduled else limited:
        if limit is not None:
            holds = {
                '<': value < limit,
                '<=': value <= limit,
                '>': value > limit,
                '>=': value >= limit,
                '==': value == limit,
                '!=': value != limit,
            }[sign]
            yield f'{name}: {value!r} {sign} {limit!r} {"holds" if holds else "does not hold"}'
