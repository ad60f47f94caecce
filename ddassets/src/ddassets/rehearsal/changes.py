"""Compare the notifications of two results of a monitor: what comes, goes, moves, is muted, or says something else."""

from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Literal, overload

import numpy as np

from ddassets.engine.column import Flags, Indices
from ddassets.engine.notification import Notifications
from ddassets.engine.timeline import Codes, Group
from ddassets.rehearsal.result import MonitorResult

type Kind = Literal['comes', 'goes', 'moves', 'is muted', 'is sent', 'changes']
_KINDS: tuple[Kind, ...] = ('comes', 'goes', 'moves', 'is muted', 'is sent', 'changes')
_COMES, _GOES, _MOVES, _MUTED, _SENT, _CHANGES = range(len(_KINDS))
# Maximum of compared texts per monitor: first one of each kind, then others in order.
MAX_TEXTS = 500
# Seconds. Events further apart are different events.
MAX_MOVE = 900
_NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Change:
    """A notification that differs.

    `kind`: it comes, goes, moves to the instant `to`, is muted or sent instead, or changes its text or recipients.
    """

    kind: Kind
    monitor: str
    group: str
    at: int
    event: str
    to: int | None = None


@dataclass(frozen=True, eq=False)
class _Columns:
    """Some changes of one group: indices into _KINDS, instants, events, and instants of moves (else _NOWHERE)."""

    kinds: Codes
    at: Indices
    events: Indices
    to: Indices


@dataclass(frozen=True, eq=False)
class GroupChanges(Sequence[Change]):
    """The changes of one group. They are created on demand, because a noisy signal has a hundred thousand."""

    monitor: str
    group: str
    events: Sequence[str]
    parts: Sequence[_Columns]

    @cached_property
    def at(self) -> Indices:
        """The instants at which they were, in seconds since the epoch."""
        return np.concatenate([part.at for part in self.parts] or [np.empty(0, dtype=np.int64)])

    def __len__(self) -> int:
        return int(self.at.size)

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Change]: ...
    def __getitem__(self, index: int | slice) -> Change | Sequence[Change]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        number, row = _placed(index, [part.at.size for part in self.parts])
        part = self.parts[number]
        to = int(part.to[row])
        return Change(
            kind=_KINDS[part.kinds[row]],
            monitor=self.monitor,
            group=self.group,
            at=int(part.at[row]),
            event=self.events[part.events[row]],
            to=None if to == _NOWHERE else to,
        )


@dataclass(frozen=True, eq=False)
class Changes(Sequence[Change]):
    """The changes of several monitors, group by group."""

    groups: Sequence[GroupChanges] = ()

    def __len__(self) -> int:
        return sum(map(len, self.groups))

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Change]: ...
    def __getitem__(self, index: int | slice) -> Change | Sequence[Change]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        number, row = _placed(index, [len(group) for group in self.groups])
        return self.groups[number][row]

    def __iter__(self) -> Iterator[Change]:
        for group in self.groups:
            yield from group

    def of(self, monitors: Container[str]) -> 'Changes':
        """Return those of some monitors."""
        return Changes([group for group in self.groups if group.monitor in monitors])

    def earliest(self, number: int) -> list[Change]:
        """Return the first changes in time."""
        at = np.concatenate([group.at for group in self.groups] or [np.empty(0, dtype=np.int64)])
        return [self[int(row)] for row in np.argsort(at, kind='stable')[:number]]


def _placed(index: int, sizes: Sequence[int]) -> tuple[int, int]:
    """Return the part that holds a row of parts of these sizes, and the row in it. Raises IndexError."""
    row = range(sum(sizes))[index]
    ends = list(accumulate(sizes))
    number = bisect_left(ends, row + 1)
    return number, row - (ends[number] - sizes[number])


def changes(before: MonitorResult, after: MonitorResult) -> Iterator[GroupChanges]:
    """Yield how the notifications of each group of a monitor differ.

    No assumption affects both states and texts, so after another evaluation the same facts have the same text. A text
    that is the same for all notifications of a transition has no facts, and is compared once per transition.
    """
    texts = MAX_TEXTS
    for group in sorted(before.results.keys() | after.results.keys()):
        old, new = _Due(before, group), _Due(after, group)
        events = sorted({*old.events.values(), *new.events.values()})
        was, now = old.numbered(events), new.numbered(events)
        gone, come = np.setdiff1d(was, now, assume_unique=True), np.setdiff1d(now, was, assume_unique=True)
        kept = np.intersect1d(was, now, assume_unique=True)
        parts = [timing(gone, come, event, len(events)) for event in range(len(events))]
        found = GroupChanges(
            before.name, ','.join(group) or '*', events, [*parts, _common(old, new, kept, len(events), texts)]
        )
        texts = max(0, texts - kept.size)
        if len(found):
            yield found


class _Due:
    """The notifications of one group, each with a number: its instant times the number of events, plus its event."""

    def __init__(self, monitor: MonitorResult, group: Group) -> None:
        self.monitor = monitor
        self._group = group
        result = monitor.results.get(group)
        self._due = result.notifications if result else ()
        self._first = result.first_of_each_kind if result else []
        self.events = {row: str(monitor.messages.edge(self._due[row])) for row in self._first}
        self._numbers: Indices = np.empty(0, dtype=np.int64)
        self._rows: Indices = np.empty(0, dtype=np.int64)

    def numbered(self, events: Sequence[str]) -> Indices:
        """Return the numbers in order; of two notifications of one number the last one counts."""
        if isinstance(self._due, Notifications):
            kinds = self._due.kinds
            table = np.zeros(int(kinds.max(initial=0)) + 1, dtype=np.int64)
            for row, event in self.events.items():
                table[kinds[row]] = events.index(event)
            numbers = self._due.instants * len(events) + table[kinds]
            self._numbers, last = np.unique(numbers[::-1], return_index=True)
            self._rows = numbers.size - 1 - last
        return self._numbers

    def rows(self, numbers: Indices) -> Indices:
        return self._rows[np.searchsorted(self._numbers, numbers)]

    def muted(self, rows: Indices) -> Flags:
        assert isinstance(self._due, Notifications)
        return self._due.muted[rows]

    def read(self, rows: Indices, number: int) -> Flags:
        """Return which texts are compared: the first `number`, and the first of each kind."""
        return (rows < number) | np.isin(rows, self._first)

    def facts(self, row: int) -> tuple[object, ...]:
        """Return everything of which a message speaks."""
        due = self._due[row]
        return due, self.monitor.evaluator.variables(self._group, due.instant)

    def text(self, row: int) -> tuple[object, ...]:
        found = self.monitor.message(self._group, self._due[row])
        return found.title, found.text, found.recipients, found.textless


def timing(gone: Indices, come: Indices, event: int, events: int) -> _Columns:
    """Return what comes, goes, or moves of one event: the same event within MAX_MOVE is a move."""
    old, new = (numbers[numbers % events == event] // events for numbers in (gone, come))
    to = moves(old, new)
    left = np.setdiff1d(new, to, assume_unique=True)
    kinds = np.append(np.where(to == _NOWHERE, _GOES, _MOVES), np.full(left.size, _COMES)).astype(np.int8)
    return _Columns(
        kinds, np.append(old, left), np.full(kinds.size, event), np.append(to, np.full(left.size, _NOWHERE))
    )


def moves(old: Indices, new: Indices) -> Indices:
    """Return where each instant moves: to the nearest that no earlier one has taken; -1 if that is too far.

    Both are in order, in seconds. Of two that are equally near it is the first.
    """
    if not old.size or not new.size:
        return np.full(old.size, _NOWHERE, dtype=np.int64)
    after = np.minimum(np.searchsorted(new, old), new.size - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(old - new[before] <= np.abs(new[after] - old), before, after)
    near = np.abs(new[nearest] - old) <= MAX_MOVE
    if np.unique(nearest[near]).size == np.count_nonzero(near):
        # None takes the nearest of another.
        return np.where(near, new[nearest], _NOWHERE)
    return np.array(list(_one_by_one(old.tolist(), new.tolist())), dtype=np.int64)


def _one_by_one(old: Sequence[int], left: list[int]) -> Iterator[int]:
    for at in old:
        # The nearest of those that are left: the last before, or the first after.
        index = bisect_left(left, at)
        if index and (index == len(left) or at - left[index - 1] <= left[index] - at):
            index -= 1
        near = bool(left) and abs(left[index] - at) <= MAX_MOVE
        yield left.pop(index) if near else _NOWHERE


def _common(old: _Due, new: _Due, numbers: Indices, events: int, texts: int) -> _Columns:
    """Return what is muted, is sent, or says something else, of the notifications that both have."""
    rows, others = old.rows(numbers), new.rows(numbers)
    reworded = new.monitor.results is old.monitor.results
    lasting = old.monitor.messages.lasting and new.monitor.messages.lasting
    kinds = np.full(numbers.size, _NOWHERE, dtype=np.int8)
    if numbers.size:
        was, now = old.muted(rows), new.muted(others)
        kinds[was & ~now], kinds[now & ~was] = _SENT, _MUTED
        differ: dict[int, bool] = {}
        for index in np.flatnonzero((was == now) & old.read(rows, texts) & new.read(others, texts)):
            row, other, event = int(rows[index]), int(others[index]), int(numbers[index] % events)
            if event not in differ or not lasting:
                may = reworded or (not lasting and old.facts(row) != new.facts(other))
                differ[event] = may and old.text(row) != new.text(other)
            if differ[event]:
                kinds[index] = _CHANGES
    found = kinds != _NOWHERE
    at, event = np.divmod(numbers[found], max(events, 1))
    return _Columns(kinds[found], at, event, np.full(at.size, _NOWHERE))
