"""Where the parameter sets of an approximation agree: what of a group's timeline is sure, and what is doubtful."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ddassets.engine.approximation.parameters import ParameterSet, deciding
from ddassets.engine.notification import REASONS, Notifications, Reason
from ddassets.engine.state import STATES, State
from ddassets.engine.timeline import Codes, GroupTimeline, Instants

#: Seconds. Equal changes of two parameter sets that are further apart are two changes.
MAX_MOVE = 3600


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an event is doubtful: which parameters decide, and what the other sets say.

    `without`: how many sets have no such event near. `earliest` and `latest`: when the other sets have it.
    """

    parameters: tuple[str, ...]
    without: int
    earliest: int
    latest: int


@dataclass(frozen=True, slots=True)
class Event:
    """A change of state, or a notification; `muted` is None for a change of state."""

    instant: int
    source: State
    target: State
    reason: Reason = 'transition'
    muted: bool | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """A period in which not all sets give the reported state. `parameters` decide."""

    start: int
    end: int
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Agreement:
    """What of one group's timeline is sure.

    `transitions` and `notifications` have a row for each of the reported ones: None if it is sure, so that each set
    alone has it at the same instant. `others` are notifications that only other sets have, with their doubts.
    """

    periods: tuple[Period, ...]
    transitions: tuple[Doubt | None, ...]
    notifications: tuple[Doubt | None, ...]
    others: tuple[tuple[Event, Doubt], ...]

    @property
    def doubtful_seconds(self) -> int:
        return sum(one.end - one.start for one in self.periods)

    def parameters_at(self, instant: float) -> tuple[str, ...]:
        """Return which parameters decide the state at an instant; none if it is sure."""
        return next((one.parameters for one in self.periods if one.start <= instant < one.end), ())

    @property
    def doubts(self) -> int:
        """The number of reported notifications that are doubtful."""
        return sum(one is not None for one in self.notifications)


def agreement(
    sets: Sequence[ParameterSet], timelines: Sequence[GroupTimeline], notices: Sequence[Notifications]
) -> Agreement:
    """Compare the timelines and notifications of one group under all sets; the first set is the reported one."""
    changes = [[*_changes(one)] for one in timelines]
    due = [[*_notices(one)] for one in notices]
    others = sorted(set().union(*due[1:]) - {*due[0]}, key=_order) if len(due) > 1 else []
    # A notification near a reported one is the same at another instant.
    moved = _Near(due[0])
    return Agreement(
        periods=tuple(_periods(sets, timelines)),
        transitions=tuple(_doubts(sets, changes, changes[0])),
        notifications=tuple(_doubts(sets, due, due[0])),
        others=tuple(
            (event, doubt)
            for event, doubt in zip(others, _doubts(sets, due, others), strict=True)
            if doubt is not None and moved.nearest(event) is None
        ),
    )


def _periods(sets: Sequence[ParameterSet], timelines: Sequence[GroupTimeline]) -> Iterable[Period]:
    first = timelines[0]
    codes = np.zeros(first.ticks.size, dtype=np.int64)
    for number, one in enumerate(timelines):
        codes |= (one.states != first.states).astype(np.int64) << number
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    bounds: Instants = np.append(first.ticks[starts], first.end)
    names: dict[int, tuple[str, ...]] = {}
    for code, start, end in zip(codes[starts].tolist(), bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if code:
            if code not in names:
                names[code] = deciding(sets, [not code >> number & 1 for number in range(len(sets))])
            yield Period(start, end, names[code])


def _changes(timeline: GroupTimeline) -> Iterable[Event]:
    changes = timeline.transitions
    return _events(changes.instants, changes.sources, changes.targets)


def _notices(due: Notifications) -> Iterable[Event]:
    events = _events(due.instants, due.sources, due.targets)
    for event, reason, muted in zip(events, due.reasons.tolist(), due.muted.tolist(), strict=True):
        yield Event(event.instant, event.source, event.target, REASONS[reason], muted)


def _events(instants: Instants, sources: Codes, targets: Codes) -> Iterable[Event]:
    for instant, source, target in zip(instants.tolist(), sources.tolist(), targets.tolist(), strict=True):
        yield Event(instant, STATES[source], STATES[target])


def _order(event: Event) -> tuple[int, int, int, str, bool]:
    return event.instant, event.source, event.target, event.reason, bool(event.muted)


class _Near:
    """Finds the nearest event of the same kind."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._instants: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
        for event in events:
            self._instants[_kind(event)].append(event.instant)

    def nearest(self, event: Event) -> int | None:
        """Return the instant; None if there is none within MAX_MOVE."""
        instants = self._instants.get(_kind(event), [])
        index = bisect_left(instants, event.instant)
        near = min(instants[max(index - 1, 0) : index + 1], key=lambda one: abs(one - event.instant), default=None)
        return None if near is None or abs(near - event.instant) > MAX_MOVE else near


def _kind(event: Event) -> tuple[object, ...]:
    return event.source, event.target, event.reason, event.muted


def _doubts(
    sets: Sequence[ParameterSet], events: Sequence[Sequence[Event]], wanted: Sequence[Event]
) -> Iterable[Doubt | None]:
    """Yield the doubt about each wanted event: None if every set has it."""
    known = [{*one} for one in events]
    near: list[_Near] = []
    for event in wanted:
        has = [event in one for one in known]
        if all(has):
            yield None
            continue
        near = near or [_Near(one) for one in events]
        found = [one.nearest(event) for one in near]
        instants = [instant for instant in found if instant is not None]
        # What only other sets have is compared with the default set too.
        names = deciding(sets, [one == has[0] for one in has])
        yield Doubt(names, found.count(None), min(instants), max(instants))
