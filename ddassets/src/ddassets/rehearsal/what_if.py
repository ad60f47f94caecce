"""Find the assumptions that matter: switch one at a time, and compare the notifications.

An assumption is tried only with the monitors that rely on it. If it affects only texts, nothing is evaluated again.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.engine.notification import Notification
from ddassets.rehearsal.result import GroupResult, MonitorResult, Rehearsal
from ddassets.rehearsal.run import again
from ddassets.rehearsal.scenario import Scenario

type Mode = Literal['auto', 'off', 'all']

#: `auto` stops after this multiple of the rehearsal's evaluated windows.
BUDGET = 2
# Maximum of compared texts per monitor: first one of each kind, then others in order.
MAX_TEXTS = 500
# Seconds. Events further apart are different events.
MAX_MOVE = 900


@dataclass(frozen=True, slots=True)
class Change:
    """A notification that another choice changes.

    `kind`: it comes, goes, moves to the instant `to`, is muted or sent instead, or changes its text or recipients.
    """

    kind: Literal['comes', 'goes', 'moves', 'is muted', 'is sent', 'changes']
    monitor: str
    group: str
    at: int
    event: str
    to: int | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of another choice of an assumption. `refused` is the reason if it refuses a monitor or a downtime."""

    assumption: str
    choice: str
    changes: tuple[Change, ...] = ()
    refused: str = ''

    @property
    def matters(self) -> bool:
        return bool(self.changes or self.refused)


@dataclass(frozen=True)
class WhatIf:
    """The effects of the tried choices, in the order of the table, and the choices that `auto` did not try."""

    effects: Sequence[Effect] = ()
    untried: Sequence[tuple[str, str]] = field(default_factory=tuple)

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The ids of the assumptions with another choice that changes the result."""
        return tuple(dict.fromkeys(effect.assumption for effect in self.effects if effect.matters))


def what_if(rehearsal: Rehearsal, mode: Mode = 'auto') -> WhatIf:
    """Try the other choices of every assumption that a rehearsal relied on.

    `auto` stops before the evaluated windows exceed BUDGET times those of the rehearsal. Windows are counted, so the
    result is the same on every machine.
    """
    if mode == 'off':
        return WhatIf()
    budget = BUDGET * sum(monitor.windows for monitor in rehearsal.monitors)
    effects, untried, spent = [], [], 0
    for name, chosen in rehearsal.assumptions.items():
        relying = [monitor for monitor in rehearsal.monitors if name in monitor.relied_on]
        cost = sum(monitor.windows for monitor in relying if name in monitor.decisive)
        for choice in ASSUMPTIONS[name].choices:
            if choice == chosen:
                continue
            if mode == 'auto' and cost and spent + cost > budget:
                untried.append((name, choice))
                continue
            spent += cost
            effects.append(_effect(rehearsal, name, choice, relying))
    return WhatIf(tuple(effects), tuple(untried))


def _effect(rehearsal: Rehearsal, name: str, choice: str, relying: Sequence[MonitorResult]) -> Effect:
    scenario = replace(rehearsal.scenario, assumptions={**(rehearsal.scenario.assumptions or {}), name: choice})
    try:
        pairs = list(_pairs(rehearsal, scenario, name, relying))
        changes = [change for before, after in pairs for change in _changes(before, after)]
    except UnusableInputError as error:
        return Effect(name, choice, refused=str(error))
    return Effect(name, choice, tuple(changes))


def _pairs(
    rehearsal: Rehearsal, scenario: Scenario, name: str, relying: Sequence[MonitorResult]
) -> Iterator[tuple[MonitorResult, MonitorResult]]:
    """Yield each monitor with its original result and its result under the other choice."""
    decided = {monitor.name for monitor in relying if name in monitor.decisive}
    found = {one.name: one for one in again(rehearsal, scenario, decided).monitors}
    for monitor in relying:
        yield monitor, found[monitor.name] if monitor.name in decided else monitor.reworded(scenario)


def _changes(before: MonitorResult, after: MonitorResult) -> Iterator[Change]:
    """Return how the notifications of a monitor differ.

    No assumption affects both states and texts, so after another evaluation the same facts have the same text. A text
    that is the same for all notifications of a transition has no facts, and is compared once per transition.
    """
    reworded = after.results is before.results
    lasting = before.messages.lasting and after.messages.lasting
    for group in sorted(before.results.keys() | after.results.keys()):
        old, new = _rows(before, before.results.get(group)), _rows(after, after.results.get(group))
        name = ','.join(group) or '*'
        yield from _timing(before.name, name, old, new)
        differ: dict[str, bool] = {}
        for key in sorted(old.keys() & new.keys()):
            was, now = old[key], new[key]
            if was.muted != now.muted:
                kind: Literal['is muted', 'is sent'] = 'is muted' if now.muted else 'is sent'
                yield Change(kind, before.name, name, key[0], key[1])
            elif was.read and now.read:
                if key[1] not in differ or not lasting:
                    may = reworded or (not lasting and was.facts() != now.facts())
                    differ[key[1]] = may and was.text() != now.text()
                if differ[key[1]]:
                    yield Change('changes', before.name, name, key[0], key[1])


@dataclass(frozen=True, eq=False)
class _Row:
    """A notification. `read`: its text is compared."""

    monitor: MonitorResult
    result: GroupResult
    row: int
    read: bool

    @property
    def muted(self) -> bool:
        return bool(self.result.notifications.muted[self.row])

    @property
    def notification(self) -> Notification:
        return self.result.notifications[self.row]

    def facts(self) -> tuple[object, ...]:
        """Return everything of which the message speaks."""
        due = self.notification
        return due, self.monitor.evaluator.variables(self.result.group, due.instant)

    def text(self) -> tuple[object, ...]:
        found = self.monitor.message(self.result.group, self.notification)
        return found.title, found.text, found.recipients, found.textless


def _rows(monitor: MonitorResult, result: GroupResult | None) -> Mapping[tuple[int, str], _Row]:
    """Return the notifications of a group by instant and event."""
    if result is None:
        return {}
    due, first = result.notifications, result.first_of_each_kind
    kinds = due.kinds
    events = {int(kinds[row]): str(monitor.messages.edge(due[row])) for row in first}
    return {
        (instant, events[kind]): _Row(monitor, result, row, row < MAX_TEXTS or row in first)
        for row, (instant, kind) in enumerate(zip(due.instants.tolist(), kinds.tolist(), strict=True))
    }


def _timing(
    monitor: str, group: str, old: Mapping[tuple[int, str], _Row], new: Mapping[tuple[int, str], _Row]
) -> Iterator[Change]:
    """Return what comes, goes, or moves: the same event within MAX_MOVE is a move."""
    gone, come = _by_event(old.keys() - new.keys()), _by_event(new.keys() - old.keys())
    for event in sorted(gone.keys() | come.keys()):
        left = come.get(event, [])
        for at in gone.get(event, ()):
            # The nearest of those that come: the last before, or the first after.
            index = bisect_left(left, at)
            if index and (index == len(left) or at - left[index - 1] <= left[index] - at):
                index -= 1
            if left and abs(left[index] - at) <= MAX_MOVE:
                yield Change('moves', monitor, group, at, event, left.pop(index))
            else:
                yield Change('goes', monitor, group, at, event)
        for at in left:
            yield Change('comes', monitor, group, at, event)


def _by_event(keys: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    """Return the instants of each event, in order."""
    found: dict[str, list[int]] = {}
    for at, event in sorted(keys):
        found.setdefault(event, []).append(at)
    return found
