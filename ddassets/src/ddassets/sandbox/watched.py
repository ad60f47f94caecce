"""One monitor under live evaluation: its asset, what its groups remember, and the evaluation of an instalment."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ddassets.assets.monitor import read_monitor
from ddassets.assets.monitor_type import COMPOSITE
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine import kinds
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats
from ddassets.engine.composite import Composite, Source
from ddassets.engine.context import HISTORY
from ddassets.engine.given import GivenStates
from ddassets.engine.monitor import AnyMonitor, Monitor
from ddassets.engine.protocol import Evaluator
from ddassets.engine.resuming import Instalment, Memory, continues, resume
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.service_check import CheckMonitor
from ddassets.engine.state import State
from ddassets.engine.timeline import Group, GroupTimeline
from ddassets.language.composite import Member
from ddassets.language.query.tree import metrics
from ddassets.sandbox.request import Json
from ddassets.sandbox.store import Store

# What does not continue from memories is evaluated over so many seconds: a group without data is dropped after a day.
_REPLAYED = HISTORY
# A custom schedule continues from the status of the evaluation before, which may be a month ago.
_REPLAYED_SCHEDULE = 32 * 86400
_TIMES = {State.OK: 'last_resolved_ts', State.NO_DATA: 'last_nodata_ts'}

type FindMember = Callable[[Member], Source]


@dataclass(frozen=True)
class Shown:
    """What the API shows of a group: its state, its value, and when it last triggered, notified, and so on."""

    state: State = State.ABSENT
    value: float = np.nan
    times: Mapping[str, int] = field(default_factory=dict)

    def after(self, instalment: Instalment) -> 'Shown':
        """Return the same after an instalment."""
        times = dict(self.times)
        for one in instalment.transitions:
            times[_TIMES.get(one.target, 'last_triggered_ts')] = one.instant
        timeline = instalment.timeline
        if not timeline.ticks.size or timeline.ticks[-1] <= instalment.since:
            return self
        return Shown(State(timeline.states[-1]), float(timeline.values[-1]), times)


class Watched:
    """A monitor of the organisation. `reason` says why it is not evaluated; it is empty if it is.

    `stored` is what `stored` returned; that of another type or query is not used, and `outdated` is then true. `begun`
    is the instant since which it has been evaluated, None before the first evaluation. `shown` has what is to be seen
    of each group.
    """

    def __init__(self, id: int, body: Json, stored: bytes | None = None) -> None:
        self.id = id
        self.body = body
        self.asset = read_monitor(Unplaced(Path(f'monitor {id}')), _evaluated(body))
        self.outdated = False
        # Why it can never be evaluated, and why the last evaluation failed: the next one may succeed.
        self._unfit = self._failed = ''
        self.begun: int | None = None
        self.memories: dict[Group, Memory] | None = None
        self.shown: dict[Group, Shown] = {}
        self._reach: int | None = None
        try:
            self.monitor: AnyMonitor | None = kinds.read(self.asset)
        except Exception as error:
            self.monitor, self._unfit = None, fault(error)
        self._check_fit()
        if stored is not None:
            self._restore(json.loads(stored))

    def _check_fit(self) -> None:
        match self.monitor:
            case Monitor(critical_query=None, schedule=schedule):
                if schedule is not None:
                    created = self.body.get('created_at') or 0
                    self.monitor = replace(self.monitor, schedule=schedule.begun(int(created) // 1000))
            case Monitor():
                self._unfit = 'dynamic thresholds are not evaluated here: they are computed from months of points'
            case None | CheckMonitor() | Composite():
                pass
            case _:
                self._unfit = f'monitors of type {self.asset.type} are not evaluated here'

    @property
    def reason(self) -> str:
        return self._unfit or self._failed

    def fail(self, error: Exception) -> None:
        """Note why an evaluation failed, until the next one."""
        self._failed = fault(error)

    @property
    def _of(self) -> list[str]:
        return [self.asset.type, self.asset.query]

    @property
    def composite(self) -> bool:
        return self.asset.type in COMPOSITE

    @property
    def overall(self) -> State:
        """The worst state of all groups."""
        states = [one.state for one in self.shown.values() if one.state is not State.ABSENT]
        return max(states, key=_SEVERITY.index, default=State.NO_DATA)

    def advance(self, store: Store, since: int, until: int, member: FindMember) -> dict[Group, Instalment]:
        """Evaluate all groups at the ticks after `since` until `until`, and remember the result.

        `member` finds a member of a composite. Whatever fails sets `reason`: other monitors go on.
        """
        if self.monitor is None or self._unfit:
            return {}
        begun = since + 1 if self.begun is None else self.begun
        self._failed = ''
        try:
            evaluator = self.evaluator(store, since + 1, until + 1, begun, member)
            if self.monitor.scheduled and not evaluator.ticks.size:
                # Nothing is told between two evaluations (A57).
                return {}
            found = resume(evaluator, self.memories, since)
        except Exception as error:
            self.fail(error)
            return {}
        if not evaluator.ticks.size:
            return found
        self.begun = begun
        fresh = {group: one.memory for group, one in found.items()}
        kept = {**(self.memories or {}), **fresh} if continues(evaluator) else fresh
        self.memories = {group: one for group, one in kept.items() if group in found}
        before = self.shown
        shown = {group: before.get(group, Shown()).after(one) for group, one in found.items()}
        # At once, since pages read it meanwhile.
        self.shown = {group: one for group, one in shown.items() if one.state is not State.ABSENT}
        return found

    def evaluator(self, store: Store, start: int, end: int, begun: int, member: FindMember) -> Evaluator:
        """Return the evaluator over [start, end); one that does not continue begins earlier, but not before `begun`.

        Raises UnusableInputError.
        """
        assert self.monitor is not None
        scheduled = self.monitor.scheduled
        if self._reach is None or scheduled:
            probe = self._made(SeriesSet([]), start, end, member)
            if scheduled and not probe.ticks.size:
                return probe
            self._reach = probe.reach if continues(probe) else -1
        if self._reach < 0:
            start = max(min(start, begun), start - (_REPLAYED_SCHEDULE if scheduled else _REPLAYED))
        earliest = start - max(self._reach, 0) - (HISTORY if self.memories is None or self._reach < 0 else 0)
        return self._made(SeriesSet(self._series(store, earliest, end)), start, end, member)

    def _made(self, series: SeriesSet, start: int, end: int, member: FindMember) -> Evaluator:
        inputs = kinds.Inputs(
            store=series,
            start=start,
            end=end,
            tick_second=0,
            assumptions=Assumptions(),
            member=member,
            subject=_no_slo,
        )
        assert self.monitor is not None
        return kinds.evaluator(self.asset, self.monitor, inputs)

    def _series(self, store: Store, start: int, end: int) -> Iterator[Series]:
        """Yield the points that matter from `start` on, with the last one of each source before that."""
        match self.monitor:
            case Monitor(query=query):
                for name in sorted({metric.name for metric in metrics(query.expression)}):
                    yield from store.recent(name, start, end - 1)
            case CheckMonitor(query=query):
                yield from store.runs(query.check, start, end - 1)

    def stored(self) -> bytes:
        """Return everything that the next evaluation needs."""
        groups = [
            [
                group,
                one.to_dict(),
                int(self.shown[group].state),
                _plain(self.shown[group].value),
                self.shown[group].times,
            ]
            if group in self.shown
            else [group, one.to_dict(), int(State.ABSENT), None, {}]
            for group, one in (self.memories or {}).items()
        ]
        return json.dumps({'of': self._of, 'begun': self.begun, 'groups': groups}).encode()

    def _restore(self, stored: Mapping[str, Any]) -> None:
        if stored.get('of') != self._of:
            # What groups of another query remember says nothing about these.
            self.outdated = True
            return
        self.begun = stored['begun']
        if self.begun is None:
            return
        self.memories = {}
        for group, memory, state, value, times in stored['groups']:
            key = tuple(group)
            self.memories[key] = Memory.from_dict(memory)
            if state != State.ABSENT:
                self.shown[key] = Shown(State(state), np.nan if value is None else value, times)


def _evaluated(body: Json) -> Json:
    """Return a stored monitor with what its answers leave out: `on_missing_data: default`.

    Every other monitor has one of the two options about missing data.
    """
    options = body.get('options')
    if not isinstance(options, dict) or {'on_missing_data', 'notify_no_data'} & options.keys():
        return body
    return {**body, 'options': {**options, 'on_missing_data': 'default'}}


class Recorded(GivenStates):
    """The states that a member had, with the values of the evaluations that were just made."""

    def __init__(self, name: str, series: tuple[Series, ...], start: int, end: int, newest: Mapping[Group, Instalment]):
        super().__init__(name, series, start, end, 0, Assumptions())
        self._newest = newest

    def timeline(self, group: Group) -> GroupTimeline:
        timeline = super().timeline(group)
        if group not in self._newest:
            return timeline
        newest = self._newest[group].timeline
        row = np.searchsorted(newest.ticks, timeline.ticks, side='right') - 1
        values: Floats = np.where(row >= 0, newest.values[np.maximum(row, 0)], np.nan)
        return GroupTimeline(
            group, timeline.tags, timeline.ticks, values, timeline.states, timeline.transitions, timeline.end
        )


_SEVERITY = [State.OK, State.UNKNOWN, State.NO_DATA, State.WARN, State.ALERT]


def fault(error: Exception) -> str:
    """Return why something failed in one sentence."""
    return str(error) if isinstance(error, UnusableInputError) else f'{type(error).__name__}: {error}'


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value


def _no_slo(query: Any) -> Any:
    raise Unsupported('SLO', None, 'alerts on SLOs are not evaluated here')
