"""From the states of a group to notifications: muting, first recoveries, ends of downtimes, renotification. Muting
never affects states (rule 5.16), so it is a separate step.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

import numpy as np

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Flags, Floats
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.state import STATES, Kind, State
from ddassets.engine.timeline import NEVER, Codes, GroupTimeline, Instants

type Reason = Literal['transition', 'renotify', 'downtime end']
REASONS: tuple[Reason, ...] = ('transition', 'renotify', 'downtime end')
_TRANSITION, _RENOTIFY, _DOWNTIME_END = range(3)
# The older cap of rule 3.21, in seconds after the group left OK.
_RENOTIFY_CAP = 30 * 3600


@dataclass(frozen=True, slots=True)
class Mute:
    """An active interval of a downtime that covers the group, [start, end) in seconds; infinite without a bound.

    `downtime` is its name. `end_states` are the states, without OK, in which its end notifies; empty if
    notify_end_types excludes this kind of end (rule 5.18).
    """

    start: float
    end: float
    downtime: str
    mute_first_recovery: bool = False
    end_states: frozenset[State] = frozenset()


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification that was due. `muted_by` names the downtimes that muted it; it was sent if this is empty.

    `kind` is alert, warn, no data or recovery; `reason` is a transition, a renotification, or the end of a downtime
    (rules 3.8, 3.21, 5.18). `source` and `target` are the states before and after a transition; otherwise both are the
    current state. The other fields are those of `timeline.Transition`, at this instant.
    """

    instant: int
    kind: Kind
    reason: Reason
    source: State
    target: State
    value: float
    muted_by: tuple[str, ...]
    first_triggered_at: int | None
    last_triggered_at: int | None

    @property
    def sent(self) -> bool:
        return not self.muted_by

    @property
    def triggered_duration(self) -> int | None:
        """Seconds since the group left OK (rule 4.7)."""
        return None if self.first_triggered_at is None else self.instant - self.first_triggered_at


@dataclass(frozen=True, eq=False)
class Notifications(Sequence[Notification]):
    """The due notifications of one group, in order, in columns of equal length; `reasons` are indices into REASONS."""

    instants: Instants
    sources: Codes
    targets: Codes
    reasons: Codes
    values: Floats
    muted: Flags
    first_triggered: Instants
    last_triggered: Instants
    muting: '_Muting' = field(repr=False)

    def __len__(self) -> int:
        return int(self.instants.size)

    @property
    def kinds(self) -> Codes:
        """A number for each source, target and reason; -1 for ABSENT."""
        return ((self.sources + 1) * len(State) + self.targets + 1) * len(REASONS) + self.reasons

    @overload
    def __getitem__(self, index: int) -> Notification: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Notification]: ...
    def __getitem__(self, index: int | slice) -> Notification | Sequence[Notification]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        instant = int(self.instants[index])
        first, last = int(self.first_triggered[index]), int(self.last_triggered[index])
        target = STATES[self.targets[index]]
        return Notification(
            instant=instant,
            kind=target.kind,
            reason=REASONS[self.reasons[index]],
            source=STATES[self.sources[index]],
            target=target,
            value=float(self.values[index]),
            muted_by=self.muting.downtimes(instant) if self.muted[index] else (),
            first_triggered_at=None if first == NEVER else first,
            last_triggered_at=None if last == NEVER else last,
        )


def notifications(
    monitor: AnyMonitor,
    timeline: GroupTimeline,
    mutes: Sequence[Mute] = (),
    assumptions: Assumptions | None = None,
) -> Notifications:
    """Return the due notifications of a group, sent or muted. `mutes` are the intervals that cover it, in any order.

    `assumptions` records those that mattered.

    >>> from ddassets.engine.evaluator import evaluate
    >>> from ddassets.engine.examples import monitor, series
    >>> timeline = evaluate(monitor(), series('1 9 9 1'), start=1_800_000_000, end=1_800_000_240)
    >>> mute = Mute(1_800_000_060, 1_800_000_120, 'deploy', end_states=frozenset({State.ALERT}))
    >>> [(one.kind, one.reason, one.muted_by) for one in notifications(monitor(), timeline.groups[()], [mute])]
    [('alert', 'transition', ('deploy',)), ('alert', 'downtime end', ()), ('recovery', 'transition', ())]
    """
    assumptions = Assumptions() if assumptions is None else assumptions
    changes = timeline.transitions
    muting = _Muting(mutes, assumptions)
    own = np.flatnonzero(changes.notify)
    # Between the evaluations of a custom schedule there is no state (A57).
    ends = [] if monitor.draft or monitor.scheduled else list(_ends(timeline, muting))
    if monitor.scheduled and muting.ends:
        assumptions.rely_on(Assumptions.schedule_between)
    again = list(_Renotifier(monitor, timeline, muting, [instant for instant, _ in ends], assumptions).due())
    extra = np.array([instant for instant, _ in (*ends, *again)], dtype=np.int64)
    rows = np.concatenate([own, np.array([row for _, row in (*ends, *again)], dtype=np.int64)])
    codes = np.array([_TRANSITION, _DOWNTIME_END, _RENOTIFY], dtype=np.int8)
    reasons = np.repeat(codes, [own.size, len(ends), len(again)])
    instants = np.concatenate([changes.instants[own], extra])
    muted = muting.always.cover(instants)
    muted[: own.size] &= ~_first_recoveries(timeline, muting, own)
    muted[own.size : own.size + len(ends)] = False
    ticks = np.searchsorted(timeline.ticks, extra, side='right') - 1
    order = np.argsort(instants, kind='stable')
    return Notifications(
        instants=instants[order],
        sources=np.where(reasons == _TRANSITION, changes.sources[rows], changes.targets[rows])[order],
        targets=changes.targets[rows][order],
        reasons=reasons[order],
        values=np.concatenate([changes.values[own], timeline.values[ticks]])[order],
        muted=muted[order],
        first_triggered=changes.first_triggered[rows][order],
        last_triggered=changes.last_triggered[rows][order],
        muting=muting,
    )


class _Stretches:
    """The periods [start, end) in which at least one mute is active. Touching mutes form one period (rule 5.11)."""

    def __init__(self, mutes: Iterable[Mute]) -> None:
        self.starts: list[float] = []
        self.ends: list[float] = []
        for start, end in sorted((mute.start, mute.end) for mute in mutes if mute.start < mute.end):
            if self.ends and start <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], end)
            else:
                self.starts.append(start)
                self.ends.append(end)

    def cover(self, instants: Instants) -> Flags:
        """Return which of the instants are in a period."""
        bounds = np.array([self.starts, self.ends], dtype=np.float64).T.reshape(-1)
        covered: Flags = np.searchsorted(bounds, instants.astype(np.float64), side='right') % 2 == 1
        return covered

    def until(self, instant: float) -> float | None:
        """Return the end of the period that contains an instant."""
        index = bisect_right(self.starts, instant) - 1
        return self.ends[index] if index >= 0 and instant < self.ends[index] else None


class _Muting:
    """The mutes of one group. A year has hundreds of mutes and a noisy signal a hundred thousand notifications, so
    lookups for a notification use bisection.
    """

    def __init__(self, mutes: Sequence[Mute], assumptions: Assumptions) -> None:
        self._mutes = mutes
        # Between two of these bounds nothing begins or ends.
        self._bounds = sorted({bound for mute in mutes for bound in (mute.start, mute.end)})
        self._names: dict[int, tuple[str, ...]] = {}
        self.always = _Stretches(mutes)
        self.first_recoveries = _Stretches(mute for mute in mutes if mute.mute_first_recovery)
        self.end_states: dict[float, frozenset[State]] = {}
        for mute in mutes:
            self.end_states[mute.end] = self.end_states.get(mute.end, frozenset()) | mute.end_states
        touching = self._touching_ends()
        notifies = bool(touching) and assumptions.touching_end == 'yes'
        # The instants at which a downtime's end may send a notification.
        self.ends = sorted({*self.always.ends, *touching}) if notifies else self.always.ends

    def _touching_ends(self) -> set[float]:
        """Return the ends of occurrences at which the next occurrence of the same downtime starts and no other downtime
        mutes (5.7).
        """
        starts = {(mute.downtime, mute.start) for mute in self._mutes}
        ends = {mute.end for mute in self._mutes if mute.end_states and (mute.downtime, mute.end) in starts}
        return {end for end in ends if len(self.downtimes(end)) == 1}

    def downtimes(self, instant: float) -> tuple[str, ...]:
        """Return the names of the downtimes that mute at an instant, each once, in the given order."""
        index = bisect_right(self._bounds, instant)
        if index not in self._names:
            active = (mute.downtime for mute in self._mutes if mute.start <= instant < mute.end)
            self._names[index] = tuple(dict.fromkeys(active))
        return self._names[index]


def _first_recoveries(timeline: GroupTimeline, muting: _Muting, own: Instants) -> Flags:
    """Return the recoveries that are sent although muted, because the trigger precedes the mute (rule 5.17)."""
    changes = timeline.transitions
    instants = changes.instants[own]
    starts = np.array(muting.always.starts or [np.inf])
    stretch = starts[np.maximum(np.searchsorted(starts, instants, side='right') - 1, 0)]
    begun_before: Flags = (changes.targets[own] == State.OK) & (changes.first_triggered[own] < stretch)
    return begun_before & ~muting.first_recoveries.cover(instants)


def _ends(timeline: GroupTimeline, muting: _Muting) -> Iterator[tuple[int, int]]:
    """Yield the instants at which ends of downtimes notify, and the transition into the state (rule 5.18).

    Of several downtimes the last end counts (rule 5.21).
    """
    changes = timeline.transitions
    for end in muting.ends:
        row = bisect_right(changes.instants, end) - 1
        if row < 0 or end >= timeline.end:
            continue
        state = State(changes.targets[row])
        silent = state == State.NO_DATA and timeline.silent_no_data
        itself = changes.instants[row] == end and changes.notify[row]
        if state in muting.end_states[end] and not silent and not itself and timeline.state_at(end) == state:
            yield int(end), row


@dataclass
class _Renotifier:
    """Renotification (rule 3.21). `ends` are the rising instants of end notifications, which restart the interval."""

    monitor: AnyMonitor
    timeline: GroupTimeline
    muting: _Muting
    ends: Sequence[int]
    assumptions: Assumptions

    def due(self) -> Iterator[tuple[int, int]]:
        """Yield the instant of each renotification, also of muted ones, and the transition into the state."""
        interval, changes = self.monitor.renotify_interval, self.timeline.transitions
        if not interval or self.monitor.draft or not len(changes):
            return
        stops = self._stops()
        again = np.isin(changes.targets, self._states()) & (stops - changes.instants > interval)
        sent: dict[int, int] = {}
        for row in np.flatnonzero(again):
            trouble = int(changes.first_triggered[row])
            before = sent.get(trouble, 0)
            if before and self.monitor.renotify_occurrences is not None:
                self.assumptions.rely_on(Assumptions.renotify_limits)
            keeps = self.assumptions.peek(Assumptions.renotify_limits).startswith('keep')
            last = int(changes.instants[row])
            count = before if keeps else 0
            while self.monitor.renotify_occurrences is None or count < self.monitor.renotify_occurrences:
                instant = self._next(last, int(stops[row]))
                if instant is None or self._capped(instant, trouble):
                    break
                yield instant, int(row)
                count += self.muting.always.until(instant) is None
                last = instant
            sent[trouble] = max(before, count) if keeps else before + count

    def _states(self) -> list[State]:
        """Return the renotified states; a silent No Data is not renotified."""
        return [
            state
            for state in (State.WARN, State.ALERT, State.NO_DATA, State.UNKNOWN)
            if state.kind in self.monitor.renotify_statuses
            and not (state == State.NO_DATA and self.timeline.silent_no_data)
        ]

    def _stops(self) -> Instants:
        """Return when the state after each transition ends: at the next one, when the group is dropped, or with the
        timeline.
        """
        timeline = self.timeline
        absent = timeline.states == State.ABSENT
        dropped = timeline.ticks[1:][absent[1:] & ~absent[:-1]]
        instants = timeline.transitions.instants
        drops = np.append(dropped, timeline.end)[np.searchsorted(dropped, instants, side='right')]
        stops: Instants = np.minimum(np.append(instants[1:], timeline.end), drops)
        return stops

    def _next(self, last: int, stop: int) -> int | None:
        """Return the first evaluation at least the interval after the last notification, if the state lasts until
        then.
        """
        while (instant := self._tick(last + self.monitor.renotify_interval)) < stop:
            until = self.muting.always.until(instant)
            if until is not None:
                if self.assumptions.muted_renotification == 'at the end':
                    instant = self._tick(until) if until < stop else stop
            last_end = bisect_right(self.ends, instant) - 1
            if last_end < 0 or self.ends[last_end] <= last:
                return instant if instant < stop else None
            last = self.ends[last_end]
        return None

    def _tick(self, instant: float) -> int:
        ticks = self.timeline.ticks
        every = int(ticks[1] - ticks[0]) if ticks.size > 1 else 60
        return int(ticks[0] + -(-(instant - ticks[0]) // every) * every)

    def _capped(self, instant: int, trouble: int) -> bool:
        if instant <= trouble + _RENOTIFY_CAP:
            return False
        return not self.assumptions.renotify_limits.endswith('no cap')
