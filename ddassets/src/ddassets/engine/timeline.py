"""The result of an evaluation: the states of each group over time, in columns, and rows on demand. Instants are whole
seconds since the epoch.

A timeline of a year has hundreds of thousands of transitions for a noisy signal, so they are stored in arrays, and a
`Transition` is created when it is read.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.column import Flags, Floats
from ddassets.engine.state import STATES, Kind, State

type Instants = NDArray[np.int64]
type Codes = NDArray[np.int8]

# A group: its tags in the order of the query's keys, as in ('host:a', 'env:prod'); () is a simple alert's (rule 2.19).
type Group = tuple[str, ...]
type Cause = Literal['data', 'timeout', 'on_missing_data']


CAUSES: tuple[Cause, ...] = ('data', 'timeout', 'on_missing_data')
# How bad each state is, by its code from ABSENT (-1) on (rule 13.5): absent, OK, Warn, Alert, No Data, Unknown.
SEVERITIES = np.array([0, 1, 3, 4, 2, 2], dtype=np.int8)

DAY = 86400


def cadence(window: int) -> int:
    """Return how many seconds lie between two evaluations of a window (rule 2.1)."""
    return 60 if window < DAY else 600 if window < 2 * DAY else 1800


def evaluation_instants(start: int, end: int, second: int, window: int = 60) -> Instants:
    """Return when a monitor is evaluated in [start, end): at a second of the minute, by its window (rule 2.1)."""
    every = cadence(window)
    return np.arange(start + (second - start) % every, end, every, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one group's state.

    `source` is ABSENT for a group that is born in trouble; a group born OK makes no transition, nor does one that is
    dropped. `value` is what was evaluated, NaN where nothing was. `notify`: it would send a notification were nothing
    muted. `cause` says what brought it: data (or their absence, for No Data), timeout_h or on_missing_data.
    `first_triggered_at` and `last_triggered_at` are those of rule 4.7, as a message about the transition would see
    them; None for a group that was never in trouble.
    """

    instant: int
    source: State
    target: State
    value: float
    notify: bool
    cause: Cause
    first_triggered_at: int | None
    last_triggered_at: int | None

    @property
    def kind(self) -> Kind:
        return self.target.kind

    @property
    def triggered_duration(self) -> int | None:
        """Seconds since the group left OK (rule 4.7)."""
        return None if self.first_triggered_at is None else self.instant - self.first_triggered_at


# Stands for "never" in the columns of instants.
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class Transitions(Sequence[Transition]):
    """The transitions of one group in order, in columns of equal length; `causes` are indices into CAUSES.

    `first_triggered` and `last_triggered` hold NEVER where there is no such instant.
    """

    instants: Instants
    sources: Codes
    targets: Codes
    values: Floats
    notify: Flags
    causes: Codes
    first_triggered: Instants
    last_triggered: Instants

    def __len__(self) -> int:
        return int(self.instants.size)

    @overload
    def __getitem__(self, index: int) -> Transition: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Transition]: ...
    def __getitem__(self, index: int | slice) -> Transition | Sequence[Transition]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return Transition(
            instant=int(self.instants[index]),
            source=STATES[self.sources[index]],
            target=STATES[self.targets[index]],
            value=float(self.values[index]),
            notify=bool(self.notify[index]),
            cause=CAUSES[self.causes[index]],
            first_triggered_at=_or_none(self.first_triggered[index]),
            last_triggered_at=_or_none(self.last_triggered[index]),
        )


def _or_none(instant: np.int64) -> int | None:
    return None if instant == NEVER else int(instant)


@dataclass(frozen=True, slots=True)
class Span:
    """A period of one state: from the tick at `start` to before the tick at `end`, or to the end of the rehearsal."""

    start: int
    end: int
    state: State


@dataclass(frozen=True, eq=False)
class GroupTimeline:
    """One group over time.

    `ticks`, `values` and `states` are of equal length: the instants of evaluation, what was compared with the
    thresholds (NaN where the evaluation returned nothing) and the state from that tick on (codes of State). `end` is
    the rehearsal's. `tags` are those that a downtime's scope is matched with: the group's and those that the query's
    filter fixes (rule 5.15). `silent_no_data`: No Data is shown and not notified (rule 3.15). `uncertain`: which
    evaluations are decided within a sketch's error (rule 17.20); None for a query without percentiles.
    """

    group: Group
    tags: frozenset[str]
    ticks: Instants = field(repr=False)
    values: Floats = field(repr=False)
    states: Codes = field(repr=False)
    transitions: Transitions = field(repr=False)
    end: int
    silent_no_data: bool = False
    uncertain: Flags | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """`host:a,env:prod`, or `*`."""
        return ','.join(self.group) or '*'

    @cached_property
    def firsts(self) -> NDArray[np.intp]:
        """The first evaluation of each period of equal state."""
        # No state has the code -2.
        return np.flatnonzero(np.diff(self.states, prepend=np.int8(-2)))

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The periods of equal state in order, without ABSENT."""
        return tuple(self._spans())

    def _spans(self) -> Iterator[Span]:
        starts = self.firsts
        ends = np.append(self.ticks[starts[1:]], self.end)
        for start, end in zip(starts, ends, strict=True):
            if self.states[start] != State.ABSENT:
                yield Span(int(self.ticks[start]), int(end), State(self.states[start]))

    def seconds_in(self, state: State) -> int:
        """Return how long the group was in the state."""
        lengths = np.diff(self.ticks, append=self.end)
        return int(lengths[self.states == state].sum())

    def state_at(self, instant: float) -> State:
        """Return the state at an instant: that of the last tick at or before it."""
        # NumPy would convert all ticks to the type of the instant first.
        index = bisect_right(self.ticks, instant) - 1
        return State(self.states[index]) if index >= 0 else State.ABSENT


@dataclass(frozen=True, eq=False)
class MonitorTimeline:
    """Every group of a monitor over [start, end), sorted by name.

    `relied_on` are the ids of the assumptions on which the result depends; `warnings` are sentences.
    """

    name: str
    start: int
    end: int
    groups: Mapping[Group, GroupTimeline]
    relied_on: frozenset[str]
    warnings: tuple[str, ...]
