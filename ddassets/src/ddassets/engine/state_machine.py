"""Compute states from the results of windows (section 3 of the semantics).

`step` is the state machine: a function of the state, the result of one window and the instant. `run` does the same for
all evaluations of a group at once: what a state remembers is carried forward from the last evaluation that decided it.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Flags, Floats
from ddassets.engine.monitor import COMPLEMENTS, ThresholdMonitor
from ddassets.engine.state import State
from ddassets.engine.timeline import CAUSES, DAY, Cause, Codes, Instants, Transition, Transitions
from ddassets.engine.transitions import transitions
from ddassets.language.query.tree import Comparator

# Rule 3.20 and A88: how long a group is kept after its data stops, in seconds, by the choice.
RETENTIONS = {Assumptions.group_retention.default: DAY, '12 h': 43200, '1 h': 3600}

_COMPARE = {
    '<': np.less,
    '<=': np.less_equal,
    '>': np.greater,
    '>=': np.greater_equal,
    '==': np.equal,
    '!=': np.not_equal,
}
# Two numbers are equal when they differ by no more than this part of the threshold, under the other choice of A24.
_TOLERANCE = 1e-9
_TIMEOUT, _RESOLVED = map(CAUSES.index, ('timeout', 'on_missing_data'))


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides the states of one monitor's groups (rules 3.3 to 3.20).

    `window` is in seconds: of a stub not that of the query, which is for graphs (rule 6.2). `fills`: the query gives
    values to windows without data. `share`: the values are shares of anomalous points (rule 6.2). `assumptions` records
    those that mattered.
    """

    monitor: ThresholdMonitor
    window: int
    assumptions: Assumptions
    fills: bool = False
    share: bool = False

    @property
    def evaluated_before_it_reports(self) -> bool:
        """Whether the group of an ungrouped query is evaluated before it has data, as if it had been OK (A21).

        The question arises where missing data has a result.
        """
        monitor = self.monitor
        arises = monitor.notify_no_data or monitor.timeout or self.fills
        if not arises and monitor.on_missing_data not in ('default', 'show_and_notify_no_data', 'resolve'):
            return False
        return self.assumptions.never_reported == 'yes'

    def holds(self, value: Floats | float, limit: float, comparator: Comparator | None = None) -> Flags:
        """Return whether values meet the condition of the query with a threshold (rule 2.7)."""
        comparator = comparator or self.monitor.comparator
        met: Flags = np.asarray(_COMPARE[comparator](value, limit))
        if comparator in ('==', '!='):
            if self.assumptions.equality != 'exactly':
                near = np.abs(value - limit) <= _TOLERANCE * abs(limit)
                met = near if comparator == '==' else ~near & ~np.isnan(value)
        return met

    def recovered(self, value: Floats | float, limit: float | None) -> Flags:
        """Return whether values meet the recovery threshold; without one, the end of the condition (rules 3.4 and
        3.5).
        """
        if limit is None:
            return np.ones(np.shape(value), dtype=np.bool_)
        comparator = COMPLEMENTS[self.monitor.comparator]
        if self.share and comparator == '<':
            # Monitors of anomalies have `>= 1` and a recovery threshold of 0: no share is below it (rule 6.3).
            comparator = '<='
        return self.holds(value, limit, comparator)

    @property
    def timeframe(self) -> int:
        """Seconds without data until No Data (rules 3.10 and 3.11)."""
        if self.monitor.no_data_timeframe is not None:
            return self.monitor.no_data_timeframe
        choice = self.assumptions.default_timeframe
        if choice == 'error':
            raise UnusableInputError(f'{self.monitor.name}: options.no_data_timeframe: missing (A5)')
        return self.window * (2 if choice == '2x window' else 1)

    def silence(self, ticks: Instants, since: Instants, last: Floats) -> tuple[Flags, Codes]:
        """Say which evaluations without data put a group into No Data, and which into OK: by a cause, 0 for none.

        `since` is the first evaluation of the silence, `last` the time of the last point, NaN where it is unknown.
        """
        nothing, resolved = np.zeros(ticks.size, dtype=np.bool_), np.zeros(ticks.size, dtype=np.int8)
        monitor, mode = self.monitor, self.monitor.on_missing_data
        if mode == 'resolve':
            return nothing, np.full(ticks.size, _RESOLVED, dtype=np.int8)
        from_when = np.full(ticks.size, np.inf)
        if mode in ('show_no_data', 'show_and_notify_no_data'):
            from_when = since.astype(np.float64)
        elif mode is None and monitor.notify_no_data:
            timeframe = self.timeframe
            point = np.where(np.isnan(last), since, last + monitor.evaluation_delay)
            from_when = point + timeframe
            if (ticks >= np.minimum(point, since) + timeframe).any() and (
                self.assumptions.no_data_timer != 'last point'
            ):
                from_when = (since + timeframe).astype(np.float64)
        no_data = ticks >= from_when
        if monitor.timeout:
            out = ticks >= since + monitor.timeout
            late = out & no_data & (from_when > since + monitor.timeout)
            if late.any() and self.assumptions.no_data_after_timeout == 'stays':
                out &= ~late
            resolved[out] = _TIMEOUT
            no_data &= ~out
        return no_data, resolved


# One evaluation at a time


@dataclass(frozen=True, slots=True)
class Result:
    """What one evaluation returned: a value, nothing (`empty`), or no result at all (cancelled; neither).

    `value` is compared with the thresholds, `recovery` with the recovery thresholds. `zero`: nothing, which is
    evaluated as 0 (rule 3.15). `blank`: the window holds no data. `last` is the time of the last point in seconds.
    """

    value: float | None = None
    recovery: float | None = None
    empty: bool = False
    zero: bool = False
    blank: bool = False
    last: float | None = None


@dataclass(frozen=True, slots=True)
class GroupState:
    """All that a group remembers between two evaluations. Instants are in seconds.

    `born`: it has been evaluated with data. `seen_since`: when data of this life was first seen. `empty_since` and
    `blank_since`: the first evaluation in a row that returned nothing, or saw no data. `open_trigger`: the last
    notification was a trigger (A8). A new group of a grouped query is `GroupState()`, that of an ungrouped one
    `GroupState(State.NO_DATA)` (rule 3.7).

    >>> GroupState.from_dict(GroupState(State.ALERT, first_triggered=60).to_dict()).state
    <State.ALERT: 2>
    """

    state: State = State.ABSENT
    born: bool = False
    seen_since: float | None = None
    empty_since: int | None = None
    blank_since: int | None = None
    first_triggered: int | None = None
    last_triggered: int | None = None
    open_trigger: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the state in types that JSON has."""
        return {**asdict(self), 'state': int(self.state)}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> 'GroupState':
        """Return the state that `to_dict` stored."""
        return cls(**{**stored, 'state': State(stored['state'])})


def step(
    rules: Rules, before: GroupState, result: Result, instant: int, simple: bool = False
) -> tuple[GroupState, tuple[Transition, ...]]:
    """Return the state after one evaluation, and its transition if there is one.

    `simple`: the one group of an ungrouped query. It is never dropped, and new_group_delay does not hold for it.

    >>> from ddassets.engine.examples import monitor
    >>> rules = Rules(monitor(), 60, Assumptions())
    >>> state, _ = step(rules, GroupState(State.NO_DATA), Result(1.0), 60, simple=True)
    >>> state, (transition,) = step(rules, state, Result(9.0), 120, simple=True)
    >>> str(state.state), str(transition.source), transition.notify
    ('Alert', 'OK', True)
    """
    empty_since = (instant if before.empty_since is None else before.empty_since) if result.empty else None
    blank_since = (instant if before.blank_since is None else before.blank_since) if result.blank else None
    if not simple and blank_since is not None and instant - blank_since >= _retention(rules, instant - blank_since):
        # It is new only after a day (rule 2.21).
        seen_since = before.seen_since if instant - blank_since < DAY else None
        return GroupState(seen_since=seen_since, empty_since=empty_since, blank_since=blank_since), ()
    seen_since = instant if before.seen_since is None and not result.blank else before.seen_since
    state = replace(before, seen_since=seen_since, empty_since=empty_since, blank_since=blank_since)
    if not before.born:
        ready = result.value is not None and not result.blank
        if simple:
            ready = ready or rules.evaluated_before_it_reports
        else:
            ready = ready and seen_since is not None and instant >= seen_since + rules.monitor.new_group_delay
        if not ready:
            return state, ()
        state = replace(state, state=State.ABSENT, born=True)
    return _entered(rules, state, result, instant)


def _entered(
    rules: Rules, state: GroupState, result: Result, instant: int
) -> tuple[GroupState, tuple[Transition, ...]]:
    """Return the state after the result of an existing group, and the transition into it."""
    source = state.state
    target, cause = _target(rules, state, result, instant)
    if target == source or (source == State.ABSENT and target == State.OK):
        return replace(state, state=target), ()
    trouble = target != State.OK
    first = instant if trouble and source in (State.OK, State.ABSENT) else state.first_triggered
    last = instant if trouble else state.last_triggered
    notify, open_trigger = _notifies(rules, source, target, state.open_trigger)
    value = 0.0 if result.zero else result.value
    transition = Transition(
        instant=instant,
        source=source,
        target=target,
        value=np.nan if value is None else value,
        notify=notify,
        cause=cause,
        first_triggered_at=first,
        last_triggered_at=last,
    )
    after = replace(state, state=target, first_triggered=first, last_triggered=last, open_trigger=open_trigger)
    return after, (transition,)


def _target(rules: Rules, state: GroupState, result: Result, instant: int) -> tuple[State, Cause]:
    """Return the next state of a group, and its cause (rules 3.3 to 3.19)."""
    current = State.OK if state.state == State.ABSENT else state.state
    if result.zero:
        value, recovery = 0.0, 0.0
    elif result.value is not None:
        value = result.value
        recovery = value if result.recovery is None else result.recovery
    elif result.empty:
        assert state.empty_since is not None
        last = np.nan if result.last is None else result.last
        silence = rules.silence(np.array([instant]), np.array([state.empty_since]), np.array([last]))
        if silence[1][0]:
            return State.OK, CAUSES[silence[1][0]]
        return State.NO_DATA if silence[0][0] else current, 'data'
    else:
        return current, 'data'
    limits = rules.monitor.thresholds
    if rules.holds(value, limits.critical):
        return State.ALERT, 'data'
    if current == State.ALERT and not rules.recovered(recovery, limits.critical_recovery):
        return State.ALERT, 'data'
    if limits.warning is None:
        return State.OK, 'data'
    if rules.holds(value, limits.warning):
        return State.WARN, 'data'
    kept = current in (State.ALERT, State.WARN) and not rules.recovered(recovery, limits.warning_recovery)
    if kept and current == State.ALERT:
        kept = rules.assumptions.alert_passes_warning_recovery == 'yes'
    return State.WARN if kept else State.OK, 'data'


def _notifies(rules: Rules, source: State, target: State, open_trigger: bool) -> tuple[bool, bool]:
    """Return whether a transition notifies (rules 3.8 and 3.18), and whether the last notification is then a
    trigger.
    """
    if rules.monitor.draft:
        return False, False
    if rules.monitor.silent_no_data:
        if target == State.NO_DATA:
            return False, open_trigger
        if source == State.NO_DATA and target == State.OK:
            choice = rules.assumptions.recovery_after_silent_no_data
            return choice == 'always' or (choice == 'after a trigger' and open_trigger), False
    return True, target != State.OK


def _retention(rules: Rules, silence: int) -> int:
    """Return the seconds after which a group without data is dropped (rule 3.20). The choice matters after an hour."""
    if rules.monitor.retention is not None:
        return rules.monitor.retention
    if silence < min(RETENTIONS.values()):
        return DAY
    return RETENTIONS[rules.assumptions.group_retention]


# All evaluations of a group at once


@dataclass(frozen=True, eq=False)
class Evaluations:
    """What each evaluation of a group returned, in columns: a `Result` for each of `ticks`, in seconds.

    `values` are compared with the thresholds, `recovery` with the recovery thresholds, where `valued`; neither valued
    nor `empty`: cancelled. `last` is NaN where nothing asks for it.
    """

    ticks: Instants
    values: Floats
    recovery: Floats
    valued: Flags
    empty: Flags
    zero: Flags
    blank: Flags
    last: Floats

    def part(self, start: int, end: int) -> 'Evaluations':
        """Return the rows from index `start` to before `end`."""
        return replace(self, **{field.name: getattr(self, field.name)[start:end] for field in fields(self)})

    def since(self, flags: Flags) -> Instants:
        """Return, for each evaluation with the flag, the instant of the first consecutive one."""
        if not self.ticks.size:
            return self.ticks
        index = np.arange(self.ticks.size)
        first: Instants = np.maximum.accumulate(np.where(flags, -1, index)) + 1
        return self.ticks[np.minimum(first, self.ticks.size - 1)]

    def result(self, row: int) -> Result:
        """Return one row."""
        valued, last = bool(self.valued[row]), float(self.last[row])
        return Result(
            value=float(self.values[row]) if valued else None,
            recovery=float(self.recovery[row]) if valued else None,
            empty=bool(self.empty[row]),
            zero=bool(self.zero[row]),
            blank=bool(self.blank[row]),
            last=None if np.isnan(last) else last,
        )


@dataclass(frozen=True, eq=False)
class Columns:
    """The state after each evaluation, the compared value (NaN without one), and the changes."""

    states: Codes
    values: Floats
    transitions: Transitions


def run(
    rules: Rules, evaluations: Evaluations, simple: bool, reporting_since: Callable[[int], float] = float
) -> Columns:
    """Return the results of `step` for all evaluations.

    `reporting_since` returns since when a group has reported that an evaluation sees for the first time.
    """
    ticks = evaluations.ticks
    fresh = State.NO_DATA if simple else State.ABSENT
    states = np.full(ticks.size, fresh, dtype=np.int8)
    causes = np.zeros(ticks.size, dtype=np.int8)
    born = []
    for birth, end in _lives(rules, evaluations, simple, reporting_since):
        states[birth:end], causes[birth:end] = _life(rules, evaluations.part(birth, end))
        states[end:] = State.ABSENT
        born.append(birth)
    compared = (evaluations.valued | evaluations.zero) & (states != State.ABSENT)
    values = np.where(compared, evaluations.values, np.nan)
    if simple:
        values[: born[0] if born else None] = np.nan
    changes = transitions(rules.monitor, rules.assumptions, ticks, states, values, causes, born, fresh)
    return Columns(states, values, changes)


def known_since(times: Floats) -> float:
    """Return since when a group has reported at `times`, which rise, without a day of missing data (rule 2.21)."""
    silences = np.flatnonzero(np.diff(times) >= DAY)
    return float(times[silences[-1] + 1 if silences.size else 0])


def _lives(
    rules: Rules, evaluations: Evaluations, simple: bool, reporting_since: Callable[[int], float]
) -> Iterator[tuple[int, int]]:
    """Return the periods, as indices, in which a group exists: from its first value until a day without data (3.20)."""
    ticks, size = evaluations.ticks, evaluations.ticks.size
    there = ~evaluations.blank
    ready = evaluations.valued & there
    if simple:
        birth = int(np.argmax(ready)) if ready.any() else size
        if birth > 0 and rules.evaluated_before_it_reports:
            birth = 0
        if birth < size:
            yield birth, size
        return
    silence = ticks - evaluations.since(evaluations.blank)
    if rules.monitor.retention is not None:
        gone = evaluations.blank & (silence >= rules.monitor.retention)
    else:
        gone = evaluations.blank & (silence >= min(RETENTIONS.values()))
        if gone.any():
            gone &= silence >= RETENTIONS[rules.assumptions.group_retention]
    position, since = 0, 0.0
    while position < size and there[position:].any():
        seen = position + int(np.argmax(there[position:]))
        end = seen + int(np.argmax(gone[seen:])) if gone[seen:].any() else size
        if not position:
            since = reporting_since(int(ticks[seen]))
        elif silence[seen - 1] >= DAY:
            # A shorter retention does not make a group new (rule 2.21).
            since = float(ticks[seen])
        after = ready[seen:end] & (ticks[seen:end] >= since + rules.monitor.new_group_delay)
        if after.any():
            yield seen + int(np.argmax(after)), end
        position = end


def _life(rules: Rules, evaluations: Evaluations) -> tuple[Codes, Codes]:
    """Return the state after each evaluation of one period of existence, and its cause (an index into CAUSES)."""
    monitor, limits = rules.monitor, rules.monitor.thresholds
    asked = evaluations.zero.any() or (monitor.on_missing_data == 'default' and evaluations.empty.any())
    # Monitors of events, which have a retention of their own, count by rule 15.7.
    if asked and monitor.retention is None:
        rules.assumptions.rely_on(Assumptions.count_query)
    silent = evaluations.empty & ~evaluations.zero
    no_data, resolved = np.zeros(silent.size, dtype=np.bool_), np.zeros(silent.size, dtype=np.int8)
    rows = np.flatnonzero(silent)
    if rows.size:
        since = evaluations.since(evaluations.empty)[rows]
        no_data[rows], resolved[rows] = rules.silence(evaluations.ticks[rows], since, evaluations.last[rows])
    valued = evaluations.valued | evaluations.zero
    # An evaluation that is cancelled keeps the state, No Data too (rule 2.8).
    no_data = latched(no_data, valued | (resolved > 0))
    gone = no_data | (resolved > 0)
    critical = valued & rules.holds(evaluations.values, limits.critical)
    recovered = valued & ~critical & rules.recovered(evaluations.recovery, limits.critical_recovery)
    alert = latched(critical, recovered | gone)
    states = np.where(alert, State.ALERT, State.OK).astype(np.int8)
    if limits.warning is not None:
        warning = valued & rules.holds(evaluations.values, limits.warning)
        recovered = valued & ~warning & rules.recovered(evaluations.recovery, limits.warning_recovery)
        warn = _warned(rules, alert, warning, recovered, gone)
        states = np.where(alert, states, np.where(warn, State.WARN, State.OK)).astype(np.int8)
    states[no_data] = State.NO_DATA
    return states, resolved


def _warned(rules: Rules, alert: Flags, warning: Flags, recovered: Flags, gone: Flags) -> Flags:
    """Return where the state is Warn or Alert: until warning_recovery is met (rule 3.6); after Alert, if A9 says so."""
    passed = latched(warning | alert, (recovered & ~alert) | gone)
    direct = latched(warning & ~alert, (recovered | alert) | gone)
    if (passed & ~alert & ~direct).any() and rules.assumptions.alert_passes_warning_recovery != 'yes':
        return direct
    return passed


def latched(on: Flags, off: Flags) -> Flags:
    """Return a flag that `on` sets and `off` clears; `off` takes precedence. It is initially false."""
    decided = on | off
    if decided.all():
        return on & ~off
    index = np.maximum.accumulate(np.where(decided, np.arange(on.size), -1))
    return np.where(index >= 0, (on & ~off)[index], False)
