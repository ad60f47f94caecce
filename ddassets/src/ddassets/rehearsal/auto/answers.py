"""The answers of a survey: which states a monitor reaches, who is notified, and why not."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ddassets import duration
from ddassets.assets import Monitor as MonitorAsset
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.counted import CountedMonitor
from ddassets.engine.downtime import Downtime
from ddassets.engine.event_formula import FormulaMonitor
from ddassets.engine.message import Edge
from ddassets.engine.monitor import Monitor
from ddassets.engine.state import State
from ddassets.engine.timeline import GroupTimeline
from ddassets.nearest import joined
from ddassets.rehearsal.auto.reporting import Renotified, Reporter, delay, edges

type Answer = Literal['yes', 'no', 'not set']


@dataclass(frozen=True)
class Verdict:
    """Whether a monitor reaches a state or recovers from it, and why not. `not set`: no option enables it."""

    answer: Answer
    reason: str = ''

    def __bool__(self) -> bool:
        return self.answer != 'no'


@dataclass(frozen=True)
class Survey:
    """The result for one monitor. Delays are in seconds, None if nothing was sent.

    `page_after` is from the first bad point to the notification of Alert, `recovery_after` from the first good point to
    that of the recovery; a bad value exceeds the threshold by about a fifth. `no_data_after` is from the last point to
    No Data. `notified` contains the recipients of each reached transition, `renotified` those of renotifications;
    `never` the handles of the message that no notification reaches, with the reason; `unrendered` the branches of the
    message that no notification renders. `stubbed` is the function that a generated series replaces. `paces`: of an SLO
    alert, the delay of the Alert at constant shares of errors in per cent, None for never; `error_share`: the share to
    which `page_after` belongs.
    """

    asset: MonitorAsset
    unsupported: str = ''
    alert: Verdict = field(default_factory=lambda: Verdict('no'))
    warn: Verdict = field(default_factory=lambda: Verdict('not set'))
    no_data: Verdict = field(default_factory=lambda: Verdict('not set'))
    recovery: Verdict = field(default_factory=lambda: Verdict('no'))
    page_after: int | None = None
    recovery_after: int | None = None
    no_data_after: int | None = None
    notified: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    renotified: Renotified | None = None
    never: Mapping[str, str] = field(default_factory=dict)
    unrendered: tuple[str, ...] = ()
    idle_downtimes: tuple[str, ...] = ()
    stubbed: str = ''
    # Of a function that is approximated on request: which jumps of its signal alert.
    jumps: str = ''
    paces: Mapping[float, int | None] = field(default_factory=dict)
    error_share: float | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.asset.name

    @property
    def pace(self) -> str:
        """How fast an SLO alert triggers, in words; empty for another monitor."""
        reached = {share: seconds for share, seconds in self.paces.items() if seconds is not None}
        words = [f'{duration.write(seconds)} at {share:g} %' for share, seconds in reached.items()]
        words[:1] = [f'Alert after {first} errors' for first in words[:1]]
        if never := [f'{share:g} %' for share in self.paces if share not in reached]:
            words.append(f'never at {joined(never)}{"" if reached else " errors"}')
        return ', '.join(words)


class Surveyor[M: (Monitor, CountedMonitor, FormulaMonitor)](ABC):
    """Answers for one monitor from its timeline under a generated signal."""

    asset: MonitorAsset
    monitor: M
    assumptions: Assumptions

    @property
    @abstractmethod
    def reporter(self) -> Reporter:
        """Says who is notified."""

    @abstractmethod
    def why_never(self, state: State) -> str:
        """Return why the condition of a state never holds."""

    @abstractmethod
    def why_no_data_is_missed(self) -> str:
        """Return why a silence does not lead to No Data, although an option enables it."""

    @abstractmethod
    def why_it_never_recovers(self) -> str:
        """Return why a monitor that alerted does not recover."""

    def answers(
        self,
        timeline: GroupTimeline,
        marks: Mapping[str, int | None],
        downtimes: Sequence[Downtime],
        stubbed: str = '',
    ) -> Survey:
        """Return the survey of a timeline. `marks` are the first `bad`, the first `good` and the `last` point."""
        visited = {State(code) for code in np.unique(timeline.states) if code >= 0}
        reached, report = edges(timeline), self.reporter
        if self.monitor.scheduled:
            # None of its evaluations is a recovery (rule 16.15).
            reached = {edge for edge in reached if edge.target is not State.OK}
        return Survey(
            self.asset,
            alert=self._verdict(State.ALERT, visited),
            warn=self._verdict(State.WARN, visited),
            no_data=self._verdict(State.NO_DATA, visited),
            recovery=self._recovery(reached, visited),
            page_after=delay(timeline, marks.get('bad'), State.ALERT),
            recovery_after=delay(timeline, marks.get('good'), State.OK),
            no_data_after=delay(timeline, marks.get('last'), State.NO_DATA),
            notified=report.notified(reached),
            renotified=report.renotified(visited),
            never=report.never(),
            unrendered=tuple(report.unrendered()),
            idle_downtimes=tuple(report.idle(downtimes)),
            stubbed=stubbed,
            assumptions=tuple(self.assumptions.relied_on),
        )

    def _verdict(self, state: State, visited: set[State]) -> Verdict:
        monitor = self.monitor
        if state not in monitor.states:
            reason = 'no warning threshold' if state is State.WARN else 'no option enables it'
            return Verdict('not set', reason)
        if state in visited:
            silent = state is State.NO_DATA and monitor.silent_no_data
            return Verdict('yes', 'shown, not notified' if silent else '')
        if state is not State.NO_DATA:
            return Verdict('no', self.why_never(state))
        if monitor.timeout and monitor.timeout <= (monitor.no_data_timeframe or 0):
            return Verdict('no', 'timeout_h resolves the monitor first')
        return Verdict('no', self.why_no_data_is_missed())

    def _recovery(self, reached: set[Edge], visited: set[State]) -> Verdict:
        if self.monitor.scheduled:
            return Verdict('not set', 'with a custom schedule there is none')
        if not visited & {State.ALERT, State.WARN}:
            return Verdict('no', 'it never alerts')
        if any(edge.target is State.OK for edge in reached):
            return Verdict('yes')
        return Verdict('no', self.why_it_never_recovers())
