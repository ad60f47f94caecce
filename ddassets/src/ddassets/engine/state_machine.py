"""From what each evaluation returned to a state, and from states to transitions (section 3 of the semantics).

All evaluations of a group at once: what a state remembers is carried forward from the last evaluation that decided it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.monitor import COMPLEMENTS, Monitor
from ddassets.engine.state import State
from ddassets.engine.timeline import NEVER, Codes, Flags, Floats, Instants, Transitions

_COMPARE = {
    '<': np.less,
    '<=': np.less_equal,
    '>': np.greater,
    '>=': np.greater_equal,
    '==': np.equal,
    '!=': np.not_equal,
}
# Indices into timeline.CAUSES.
_DATA, _TIMEOUT, _RESOLVED = 0, 1, 2
_HOLD, _RESET, _SET = -1, 0, 1


@dataclass(frozen=True, eq=False)
class Answers:
    """What each evaluation of a group returned, in columns.

    `values` are compared with the thresholds, `recovery` with the recovery thresholds, where `valued`. `empty`: it
    returned nothing; neither: it was cancelled. `zero`: nothing, which is taken for 0 (rule 3.15). `last` is the time
    of the last point, in seconds, where `empty`; NaN where nobody asks.
    """

    ticks: Instants
    values: Floats
    recovery: Floats
    valued: Flags
    empty: Flags
    zero: Flags
    last: Floats

    def part(self, start: int, end: int) -> 'Answers':
        """Those of the evaluations from index `start` to before `end`."""
        return replace(self, **{field.name: getattr(self, field.name)[start:end] for field in fields(self)})

    @cached_property
    def first_empty(self) -> Instants:
        """For each evaluation that returned nothing, the index of the first in a row."""
        index = np.arange(self.ticks.size)
        behind: Instants = np.maximum.accumulate(np.where(self.empty, -1, index)) + 1
        return np.minimum(behind, self.ticks.size - 1)


@dataclass
class StateMachine:
    """Rules 3.3 to 3.20 for one monitor; `assumptions` records those that mattered.

    `window` is what is evaluated, in seconds: of a stub not that of the query, which is for graphs (rule 6.2).
    """

    monitor: Monitor
    window: int
    assumptions: Assumptions

    def run(self, answers: Answers) -> tuple[Codes, Codes]:
        """Return the state after each evaluation, and what brought it (an index into timeline.CAUSES).

        The first evaluation has a value, and nothing came before it.
        """
        if answers.zero.any() or (self.monitor.on_missing_data == 'default' and answers.empty.any()):
            self.assumptions.rely_on(Assumptions.count_query)
        silent = answers.empty & ~answers.zero
        no_data, resolved = self._silence(answers, silent)
        valued = answers.valued | answers.zero
        # An evaluation that is cancelled keeps the state, No Data too (rule 2.8).
        no_data = _latched(no_data, valued | (resolved > 0))
        gone = no_data | (resolved > 0)
        limits = self.monitor.thresholds
        critical = valued & self._holds(answers.values, limits.critical)
        recovered = valued & ~critical & self._recovered(answers.recovery, limits.critical_recovery)
        alert = _latched(critical, recovered | gone)
        states = np.where(alert, State.ALERT, State.OK).astype(np.int8)
        if limits.warning is not None:
            warning = valued & self._holds(answers.values, limits.warning)
            recovered = valued & ~warning & self._recovered(answers.recovery, limits.warning_recovery)
            warn = self._warned(alert, warning, recovered, gone)
            states = np.where(alert, states, np.where(warn, State.WARN, State.OK)).astype(np.int8)
        states[no_data] = State.NO_DATA
        return states, resolved

    def _holds(self, values: Floats, limit: float) -> Flags:
        return np.asarray(_COMPARE[self.monitor.query.comparator](values, limit))

    def _recovered(self, values: Floats, limit: float | None) -> Flags:
        """Rule 3.4; without a threshold the end of the condition is the recovery (rule 3.5)."""
        if limit is None:
            return np.ones(values.size, dtype=np.bool_)
        return np.asarray(_COMPARE[COMPLEMENTS[self.monitor.query.comparator]](values, limit))

    def _warned(self, alert: Flags, warning: Flags, recovered: Flags, gone: Flags) -> Flags:
        """Rule 3.6. On the way from Alert to OK warning_recovery has to be passed too, or not (A9)."""
        passed = _latched(warning | alert, (recovered & ~alert) | gone)
        direct = _latched(warning & ~alert, (recovered | alert) | gone)
        if (passed & ~alert & ~direct).any():
            self.assumptions.rely_on(Assumptions.alert_passes_warning_recovery)
        return passed if self.assumptions.peek(Assumptions.alert_passes_warning_recovery) == 'yes' else direct

    def _silence(self, answers: Answers, silent: Flags) -> tuple[Flags, Codes]:
        """Which evaluations without data put the group into No Data, and which into OK, by what."""
        resolved = np.zeros(silent.size, dtype=np.int8)
        if not silent.any():
            return silent, resolved
        monitor, ticks = self.monitor, answers.ticks
        since = ticks[answers.first_empty].astype(np.float64)
        mode = monitor.on_missing_data
        if mode == 'resolve':
            resolved[silent] = _RESOLVED
            return np.zeros(silent.size, dtype=np.bool_), resolved
        from_when = np.full(silent.size, np.inf)
        if mode in ('show_no_data', 'show_and_notify_no_data'):
            from_when = since
        elif mode is None and monitor.notify_no_data:
            timeframe = self._timeframe()
            last = np.where(np.isnan(answers.last), since, answers.last + monitor.evaluation_delay)
            if (silent & (ticks >= np.minimum(last, since) + timeframe)).any():
                self.assumptions.rely_on(Assumptions.no_data_timer)
            from_when = (
                last if self.assumptions.peek(Assumptions.no_data_timer) == 'last point' else since
            ) + timeframe
        no_data = silent & (ticks >= from_when)
        if monitor.timeout:
            out = silent & (ticks >= since + monitor.timeout)
            late = out & no_data & (from_when > since + monitor.timeout)
            if late.any():
                out &= ~late if self.assumptions.no_data_after_timeout == 'stays' else True
            resolved[out] = _TIMEOUT
            no_data &= ~out
        return no_data, resolved

    def _timeframe(self) -> int:
        """Seconds without data until No Data (rules 3.10 and 3.11)."""
        if self.monitor.no_data_timeframe is not None:
            return self.monitor.no_data_timeframe
        choice = self.assumptions.default_timeframe
        if choice == 'error':
            raise UnusableInputError(f'{self.monitor.name}: options.no_data_timeframe: missing (A5)')
        return self.window * (2 if choice == '2x window' else 1)


def _latched(on: Flags, off: Flags) -> Flags:
    """True from where `on` to where `off`, which wins; false at the beginning."""
    decided = on | off
    if decided.all():
        return on & ~off
    index = np.maximum.accumulate(np.where(decided, np.arange(on.size), -1))
    return np.where(index >= 0, (on & ~off)[index], False)


def transitions(
    ticks: Instants, states: Codes, values: Floats, causes: Codes, born: Sequence[int], machine: StateMachine
) -> Transitions:
    """Return what changed. A group is `born` (indices) from ABSENT; born OK and dropped are no transitions."""
    before = np.empty_like(states)
    before[:1] = State.ABSENT
    before[1:] = states[:-1]
    before[list(born)] = State.ABSENT
    changed = (before != states) & (states != State.ABSENT)
    index = np.flatnonzero(changed)
    index = index[(before[index] != State.ABSENT) | np.isin(states[index], (State.WARN, State.ALERT))]
    source, target = before[index], states[index]
    instants = ticks[index]
    trouble = target != State.OK
    first = trouble & ((source == State.OK) | (source == State.ABSENT))
    return Transitions(
        instants=instants,
        sources=source,
        targets=target,
        values=values[index],
        notify=_notify(source, target, np.searchsorted(np.array(born), index, side='right'), machine),
        causes=np.where(target == State.OK, causes[index], _DATA).astype(np.int8),
        first_triggered=_carried(instants, first),
        last_triggered=_carried(instants, trouble),
    )


def _carried(instants: Instants, at: Flags) -> Instants:
    """The instant of the latest row where `at`."""
    index = np.maximum.accumulate(np.where(at, np.arange(at.size), -1))
    return np.where(index >= 0, instants[index], NEVER)


def _notify(source: Codes, target: Codes, lives: Instants, machine: StateMachine) -> Flags:
    """Every transition notifies (rule 3.8), but not into a silent No Data, and out of it into OK as A8 says.

    `lives` numbers the lives of the group: what was told in one is forgotten with it (rule 3.20).
    """
    notify = np.ones(source.size, dtype=np.bool_)
    if machine.monitor.draft:
        return ~notify
    if not machine.monitor.silent_no_data:
        return notify
    notify &= target != State.NO_DATA
    asked = (source == State.NO_DATA) & (target == State.OK)
    if asked.any():
        row = np.arange(source.size)
        told = np.maximum.accumulate(np.where(notify & ~asked, row, -1))
        asked_before = np.maximum.accumulate(np.concatenate([[-1], np.where(asked, row, -1)[:-1]]))
        trigger = (told >= 0) & (target[told] != State.OK) & (asked_before < told) & (lives[told] == lives)
        notify[asked] = {
            'always': np.ones_like(trigger),
            'never': np.zeros_like(trigger),
            'after a trigger': trigger,
        }[machine.assumptions.recovery_after_silent_no_data][asked]
    return notify
