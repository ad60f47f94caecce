"""Evaluate a monitor in instalments: what each group remembers is stored, and the next evaluations continue from it.

States and notifications are those of one evaluation over the whole time, but an instalment reads only the samples that
its windows reach.

>>> from ddassets.engine.evaluator import Evaluator
>>> from ddassets.engine.examples import START, monitor, series
>>> memories = None
>>> for points, start in ('1 9', START), ('_ _ 9 1', START + 120):
...     evaluator = Evaluator(monitor(), series(points), start, start + 120)
...     found = resume(evaluator, memories, since=start - 1)
...     print([one.kind for each in found.values() for one in due(evaluator.monitor, each)])
...     memories = {group: each.memory for group, each in found.items()}
['alert']
['recovery']
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol, TypeGuard, runtime_checkable

import numpy as np

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.notification import Mute, Notification, notifications
from ddassets.engine.protocol import Evaluator
from ddassets.engine.state import State
from ddassets.engine.state_machine import Evaluations, GroupState, Rules, step
from ddassets.engine.timeline import CAUSES, NEVER, Group, GroupTimeline, Instants, Transition, Transitions


@runtime_checkable
class Resumable(Evaluator, Protocol):
    """An evaluator whose groups can continue from what they remember: of metrics, and of counted events."""

    @property
    def resumable(self) -> bool: ...
    @property
    def rules(self) -> Rules: ...
    @property
    def reach(self) -> int: ...
    def ticks_before(self, instant: int) -> Instants: ...
    def tags(self, group: Group) -> frozenset[str]: ...
    def results(self, group: Group) -> Evaluations: ...
    def reporting_since(self, group: Group, found: int) -> float: ...


@dataclass(frozen=True, slots=True)
class Memory:
    """All that a group remembers: its state, the value last compared, and its transitions since it left OK."""

    state: GroupState
    value: float = np.nan
    transitions: tuple[Transition, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the memory in types that JSON has."""
        return {
            'state': self.state.to_dict(),
            'value': None if np.isnan(self.value) else self.value,
            'transitions': [_stored(one) for one in self.transitions],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> 'Memory':
        """Return the memory that `to_dict` stored."""
        return cls(
            GroupState.from_dict(stored['state']),
            _number(stored['value']),
            tuple(
                Transition(
                    **{
                        **one,
                        'source': State(one['source']),
                        'target': State(one['target']),
                        'value': _number(one['value']),
                    }
                )
                for one in stored['transitions']
            ),
        )


@dataclass(frozen=True, eq=False)
class Instalment:
    """Some evaluations of a group: what it remembers after them, and its timeline.

    The timeline has the evaluations of the instalment, and the transitions since the group left OK. `since` is the
    instant until which everything has been evaluated and told before.
    """

    memory: Memory
    timeline: GroupTimeline
    since: int

    @property
    def transitions(self) -> Iterator[Transition]:
        """The transitions of this instalment."""
        return (one for one in self.timeline.transitions if one.instant > self.since)


def continues(evaluator: Evaluator) -> TypeGuard[Resumable]:
    """Whether the groups of an evaluator continue from what they remember."""
    return isinstance(evaluator, Resumable) and evaluator.resumable


def resume(evaluator: Evaluator, memories: Mapping[Group, Memory] | None, since: int) -> dict[Group, Instalment]:
    """Evaluate every group at the evaluator's ticks, all after `since`, from what the groups remember.

    Without memories (None) the monitor has not been evaluated yet; samples before its first evaluation then count as in
    one evaluation of the whole time (rule 2.21). An evaluator that does not continue (`continues`) evaluates all of its
    time, which has to begin where nothing earlier matters.
    """
    found = {}
    for group in evaluator.groups:
        if continues(evaluator):
            fresh = GroupState() if group else GroupState(State.NO_DATA)
            memory = (memories or {}).get(group) or Memory(fresh)
            found[group] = _resumed(evaluator, group, memory, since, first=memories is None)
        else:
            timeline = evaluator.timeline(group)
            found[group] = Instalment(_remembered(timeline), timeline, since)
    return found


def due(
    monitor: AnyMonitor,
    instalment: Instalment,
    mutes: Sequence[Mute] = (),
    assumptions: Assumptions | None = None,
    until: int | None = None,
) -> list[Notification]:
    """Return the notifications of an instalment, sent or muted: after `since`, until `until` or the last evaluation.

    Ends of downtimes notify between two evaluations. `mutes` are intervals that cover the group, also past ones, as far
    back as the group left OK.
    """
    timeline = instalment.timeline
    if not len(timeline.transitions):
        return []
    end = int(timeline.ticks[-1]) if until is None else until
    # A renotification is due while the state lasts beyond the evaluation.
    found = notifications(monitor, replace(timeline, end=end + 1), mutes, assumptions)
    return [found[int(row)] for row in np.flatnonzero((found.instants > instalment.since) & (found.instants <= end))]


def _resumed(evaluator: Resumable, group: Group, memory: Memory, since: int, first: bool) -> Instalment:
    rules, results, simple = evaluator.rules, evaluator.results(group), not group
    state, ticks = memory.state, results.ticks
    if first and group and ticks.size and (reporting := evaluator.reporting_since(group, int(ticks[0]))) < ticks[0]:
        state = replace(state, seen_since=reporting)
    changes = list(memory.transitions)
    states = np.empty(ticks.size, dtype=np.int8)
    for row, tick in enumerate(ticks.tolist()):
        state, changed = step(rules, state, results.result(row), tick, simple)
        states[row] = state.state
        changes += changed
    compared = (results.valued | results.zero) & (states != State.ABSENT)
    values = np.where(compared, results.values, np.nan)
    # With the evaluations since the group left OK: a downtime that ended since then counts.
    earlier = evaluator.ticks_before(min((one.instant for one in memory.transitions), default=evaluator.start))
    held = np.full(earlier.size, memory.state.state, dtype=np.int8)
    for one in memory.transitions:
        held[earlier >= one.instant] = one.target
    timeline = GroupTimeline(
        group=group,
        tags=evaluator.tags(group),
        ticks=np.append(earlier, ticks),
        values=np.append(np.full(earlier.size, memory.value), values),
        states=np.append(held, states),
        transitions=_columns(changes),
        end=evaluator.end,
        silent_no_data=evaluator.monitor.silent_no_data,
    )
    last = float(values[-1]) if values.size else memory.value
    return Instalment(Memory(state, last, _since_ok(state.state, changes)), timeline, since)


def _remembered(timeline: GroupTimeline) -> Memory:
    state = State(timeline.states[-1]) if timeline.states.size else State.ABSENT
    value = float(timeline.values[-1]) if timeline.values.size else np.nan
    return Memory(GroupState(state), value, _since_ok(state, timeline.transitions))


def _since_ok(state: State, changes: Sequence[Transition]) -> tuple[Transition, ...]:
    """Return the last transitions, none of them into OK."""
    if state in (State.OK, State.ABSENT):
        return ()
    ended = [row for row, one in enumerate(changes) if one.target == State.OK]
    return tuple(changes[ended[-1] + 1 :] if ended else changes)


def _columns(changes: Sequence[Transition]) -> Transitions:
    def instants(each: Iterable[int | None]) -> Instants:
        return np.array([NEVER if one is None else one for one in each], dtype=np.int64)

    return Transitions(
        instants=instants(one.instant for one in changes),
        sources=np.array([one.source for one in changes], dtype=np.int8),
        targets=np.array([one.target for one in changes], dtype=np.int8),
        values=np.array([one.value for one in changes], dtype=np.float64),
        notify=np.array([one.notify for one in changes], dtype=np.bool_),
        causes=np.array([CAUSES.index(one.cause) for one in changes], dtype=np.int8),
        first_triggered=instants(one.first_triggered_at for one in changes),
        last_triggered=instants(one.last_triggered_at for one in changes),
    )


def _stored(one: Transition) -> dict[str, Any]:
    value = None if np.isnan(one.value) else one.value
    return {**asdict(one), 'source': int(one.source), 'target': int(one.target), 'value': value}


def _number(stored: float | None) -> float:
    return np.nan if stored is None else stored
