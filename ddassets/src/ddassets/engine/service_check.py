"""Service-check and host monitors: compute the states of each group from the runs of a check (section 14 of the
semantics).

A run submits a status: OK, WARNING, CRITICAL or UNKNOWN, here the numbers 0 to 3, as the values of a series.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import NamedTuple

import numpy as np

from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.assets.refusal import refuse
from ddassets.diagnostic import Unsupported
from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.column import Flags, Floats, Indices
from ddassets.engine.explanation import Explanation, change, evaluation_row
from ddassets.engine.monitor import AnyMonitor, common_options
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State
from ddassets.engine.state_machine import RETENTIONS, known_since
from ddassets.engine.timeline import CAUSES, DAY, Codes, Group, GroupTimeline, Instants, evaluation_instants
from ddassets.engine.transitions import transitions
from ddassets.language.service_check import CheckQuery
from ddassets.nearest import did_you_mean, listed

HOST_CHECK = 'datadog.agent.up'
#: The statuses by their codes, as a scenario writes them.
STATUSES = ('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')
_OK, _WARNING, _CRITICAL, _UNKNOWN = range(4)
_TARGETS = np.array([State.OK, State.WARN, State.ALERT, State.UNKNOWN], dtype=np.int8)
_UNDECIDED = np.int8(-2)
#: What the metric of a series of runs begins with: no metric has a colon.
PREFIX = 'service_check:'
_NEVER = np.iinfo(np.int64).max
_TIMEOUT = CAUSES.index('timeout')
# Runs that an explanation shows.
_SHOWN_RUNS = 10


@dataclass(frozen=True, eq=False)
class CheckRuns(Series):
    """The runs of a check with one set of tags: their statuses as values, and a message for each run, or none."""

    messages: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True)
class CheckMonitor(AnyMonitor):
    """A monitor of a service check.

    The thresholds are runs in a row, or percentages of a cluster alert; None: that status has no effect.
    """

    query: CheckQuery
    _: KW_ONLY
    ok: float = 1
    warning: float | None = 1
    critical: float | None = 1
    unknown: float | None = None
    new_group_delay: int = 0

    @property
    def host(self) -> bool:
        """Whether the monitor watches whether Agents report; they submit only OK (rule 14.18)."""
        return self.query.check == HOST_CHECK

    def _troubles(self) -> Iterator[State]:
        cluster = self.query.percentage
        if self.warning is not None and (cluster or not self.host):
            yield State.WARN
        if self.critical is not None and (cluster or not self.host):
            yield State.ALERT
        if self.notify_no_data and not (cluster and self.host):
            yield State.NO_DATA
        if self.unknown is not None and not cluster and not self.host:
            yield State.UNKNOWN

    @property
    def limits(self) -> Mapping[str, float]:
        limits = {'critical': self.critical, 'warning': self.warning}
        if not self.query.percentage:
            limits |= {'ok': self.ok, 'unknown': self.unknown}
        return {name: limit for name, limit in limits.items() if limit is not None}

    @property
    def variables(self) -> Mapping[str, float | str | None]:
        names = {'critical': 'threshold', 'warning': 'warn_threshold', 'ok': 'ok_threshold'}
        return {names[name]: _whole(limit) for name, limit in self.limits.items() if name in names}

    @property
    def empty_variables(self) -> Mapping[str, Assumption]:
        return {'value': Assumptions.check_value}

    @property
    def timeframe(self) -> int:
        """Seconds without a run until No Data; a day if the option is missing (rule 14.12)."""
        return DAY if self.no_data_timeframe is None else self.no_data_timeframe

    @property
    def retention(self) -> int:
        """Seconds after which a silent group is dropped (rule 3.20)."""
        return 2 * DAY if self.notify_no_data else DAY


def _whole(limit: float) -> float:
    return int(limit) if float(limit).is_integer() else limit


def of(asset: MonitorAsset) -> CheckMonitor:
    """Return what the engine needs of a check monitor. Raises UnusableInputError with every error of the asset."""
    if asset.errors:
        refuse(asset.errors)
    query, limits = asset.service_check, asset.options.thresholds
    if not isinstance(query, CheckQuery):
        raise Unsupported('query', None, 'is not a service-check query', asset.name)
    for step, place in query.steps.items():
        wild = [one for one in getattr(query, step, ()) if '*' in one and one != '*'] if step != 'last' else []
        if wild:
            reason = f'a wildcard in {step} is not documented; name each tag'
            raise Unsupported(repr(wild[0]), place.start + 1, reason, asset.name)
    default = None if query.percentage else 1.0
    return CheckMonitor(
        query=query,
        ok=1.0 if limits.ok is None else limits.ok,
        warning=default if limits.warning is None else limits.warning,
        critical=default if limits.critical is None else limits.critical,
        unknown=limits.unknown,
        new_group_delay=asset.options.new_group_delay or 0,
        **common_options(asset),
    )


class _Runs(NamedTuple):
    """The runs of a group in order of time: instants in seconds, statuses, and the messages by row, if any."""

    times: Floats
    statuses: Indices
    messages: Sequence[str]


class CheckEvaluator:
    """Evaluates a check monitor every minute on the runs received until then (A43). See `protocol.Evaluator`."""

    def __init__(
        self, monitor: CheckMonitor, store: SeriesSet, start: int, end: int, tick_second: int, assumptions: Assumptions
    ) -> None:
        self.monitor = monitor
        self.start = start
        self.end = end
        self.assumptions = assumptions
        self._store = store
        query = monitor.query
        # Rule 14.4: without a grouping, by host.
        self._keys = query.by or (() if query.percentage else ('host',))
        self._every = '*' in self._keys
        self._sources = self._grouped()
        self._ticks = evaluation_instants(start, end, tick_second)
        if assumptions.check_cadence != Assumptions.check_cadence.default:
            times = [one.times for sources in self._sources.values() for one in sources]
            instants = np.unique(np.concatenate(times).astype(np.int64)) if times else self._ticks[:0]
            within = instants[(instants >= start) & (instants < end)]
            self._ticks = np.union1d(self._ticks, within)
        self.warnings = tuple(self._warnings())

    def _grouped(self) -> dict[Group, list[Series]]:
        """Return the series of each group, without those that lack a key."""
        query = self.monitor.query
        found: dict[Group, list[Series]] = {}
        for series in self._store.of(PREFIX + query.check):
            if not all(map(_tagged(series), query.over)) or any(map(_tagged(series), query.exclude)):
                continue
            group = self._group(series)
            if group is not None:
                found.setdefault(group, []).append(series)
        return {group: sorted(found[group], key=lambda one: sorted(one.tags)) for group in sorted(found)}

    def _group(self, series: Series) -> Group | None:
        if self._every:
            return () if self.monitor.query.percentage else tuple(sorted(series.tags))
        return series.group(self._keys)

    @property
    def ticks(self) -> Indices:
        return self._ticks

    @property
    def by(self) -> tuple[str, ...]:
        if not self._every:
            return self._keys
        return tuple(dict.fromkeys(tag.partition(':')[0] for group in self._sources for tag in group))

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(self._sources)

    @property
    def absence(self) -> str:
        check = self.monitor.query.check
        known = {name.removeprefix(PREFIX) for name in self._store.metrics if name.startswith(PREFIX)}
        if check in known:
            return f'no run of {check} has the tags that its query asks for: {self.monitor.query.text}'
        return (
            f'its query asks for runs of {check}; the scenario has runs of {listed(known)}{did_you_mean(check, known)}'
        )

    def series(self, group: Group) -> Iterator[Series]:
        yield from self._sources[group]

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        if not any(isinstance(one, CheckRuns) and one.messages for one in self._sources[group]):
            return {'check_message': None}
        runs = self._runs(group)
        row = int(np.searchsorted(runs.times, instant, side='right')) - 1
        message = runs.messages[row] if row >= 0 and runs.messages else None
        return {'check_message': message or None}

    def _runs(self, group: Group) -> _Runs:
        """The runs of all combinations of tags in the group, in order of time."""
        sources = self._sources[group]
        times = np.concatenate([one.times for one in sources])
        order = np.argsort(times, kind='stable')
        messages: list[str] = []
        if any(isinstance(one, CheckRuns) and one.messages for one in sources):
            for one in sources:
                messages += one.messages if isinstance(one, CheckRuns) and one.messages else [''] * len(one)
            messages = [messages[row] for row in order.tolist()]
        return _Runs(times[order], np.concatenate([one.values for one in sources])[order].astype(np.int64), messages)

    def timeline(self, group: Group) -> GroupTimeline:
        decide = self._cluster if self.monitor.query.percentage else self._consecutive
        decisions, causes, values, age = decide(group)
        states, born = self._lived(group, decisions, age)
        there = states != State.ABSENT
        if not group:
            there[: born[0] if born else None] = False
        values = np.where(there, values, np.nan)
        fresh = State.ABSENT if group else State.NO_DATA
        fixed = {tag for tag in self.monitor.query.over if ':' in tag}
        return GroupTimeline(
            group=group,
            tags=frozenset(group) | fixed,
            ticks=self._ticks,
            values=values,
            states=states,
            transitions=transitions(self.monitor, self.assumptions, self._ticks, states, values, causes, born, fresh),
            end=self.end,
            silent_no_data=self.monitor.silent_no_data,
        )

    def _silent(self, age: Floats) -> Flags:
        """Return where missing runs cause No Data; for Agents, longer than the timeframe (rule 14.18)."""
        if not self.monitor.notify_no_data:
            return np.zeros(age.size, dtype=np.bool_)
        return age > self.monitor.timeframe if self.monitor.host else age >= self.monitor.timeframe

    def _consecutive(self, group: Group) -> tuple[Codes, Codes, Floats, Floats]:
        """Return the result of each evaluation: a state, its cause, the consecutive runs, and the age of the newest
        run.
        """
        runs = self._runs(group)
        row, age = _newest(runs.times, self._ticks)
        counts = self._counts(runs)
        needed = np.array([_needed(limit) for limit in self._thresholds], dtype=np.int64)
        reached = counts[0] >= needed[runs.statuses]
        other = counts[1] >= needed[runs.statuses]
        if (reached != other).any() and self.assumptions.consecutive_runs != Assumptions.consecutive_runs.default:
            reached, counts = other, counts[::-1]
        decided = np.where(reached, _TARGETS[runs.statuses], _UNDECIDED).astype(np.int8)
        there = row >= 0
        decisions = np.where(there, decided[np.maximum(row, 0)], _UNDECIDED).astype(np.int8)
        silent = there & self._silent(age)
        decisions[silent] = State.NO_DATA
        causes = self._timed_out(decisions, silent, age)
        values = np.where(there & ~silent, counts[0][np.maximum(row, 0)], np.nan)
        return decisions, causes, values, age

    @property
    def _thresholds(self) -> tuple[float | None, ...]:
        monitor = self.monitor
        return monitor.ok, monitor.warning, monitor.critical, monitor.unknown

    def _counts(self, runs: _Runs) -> tuple[Indices, Indices]:
        """Return, for each run, how many have its status: consecutively, and among the last n (A42). No Data restarts
        the count.
        """
        index = np.arange(runs.times.size)
        anew = np.zeros(index.size, dtype=np.bool_)
        anew[:1] = True
        anew[1:] = self._gaps(runs.times)
        first = np.maximum.accumulate(np.where(anew, index, 0))
        differs = anew.copy()
        differs[1:] |= runs.statuses[1:] != runs.statuses[:-1]
        in_row = index - np.maximum.accumulate(np.where(differs, index, 0)) + 1
        last = self.monitor.query.last or int(max(one or 1 for one in self._thresholds))
        among = np.zeros(index.size, dtype=np.int64)
        begin = np.maximum(first, index - last + 1)
        for status in range(len(STATUSES)):
            own = runs.statuses == status
            total = np.concatenate([[0], np.cumsum(own)])
            among = np.where(own, total[index + 1] - total[begin], among)
        return in_row, among

    def _gaps(self, times: Floats) -> Flags:
        """Return the runs between which an evaluation saw No Data or dropped the group (rules 14.13 and 3.20)."""
        row = np.searchsorted(self._ticks, times[1:], side='left') - 1
        age = (
            np.where(row >= 0, self._ticks[np.maximum(row, 0)] - times[:-1], -1.0)
            if self._ticks.size
            else times[1:] * 0
        )
        return self._silent(age) | (age >= self.monitor.retention)

    def _timed_out(self, decisions: Codes, silent: Flags, age: Floats) -> Codes:
        """Decide OK where timeout_h has passed (rule 3.19), and return the causes."""
        causes = np.zeros(decisions.size, dtype=np.int8)
        timeout = self.monitor.timeout
        if timeout:
            out = age >= timeout
            late = out & silent & (self.monitor.timeframe > timeout)
            if late.any() and self.assumptions.no_data_after_timeout == 'stays':
                out &= ~late
            decisions[out], causes[out] = State.OK, _TIMEOUT
        return causes

    def _cluster(self, group: Group) -> tuple[Codes, Codes, Floats, Floats]:
        """Return the same for a cluster alert: the percentage of combinations by their last status (rule 14.15)."""
        ticks, monitor = self._ticks, self.monitor
        total = np.zeros(ticks.size, dtype=np.int64)
        bad = {_WARNING: total.copy(), _CRITICAL: total.copy()}
        youngest = np.full(ticks.size, np.inf)
        for series in self._sources[group]:
            row, age = _newest(series.times, ticks)
            counted = (row >= 0) & (age < monitor.retention)
            if not monitor.host:
                gone = counted & (age >= monitor.timeframe)
                if gone.any() and self.assumptions.silent_combination != Assumptions.silent_combination.default:
                    counted &= ~gone
            status = series.values[np.maximum(row, 0)] if len(series) else np.zeros(ticks.size)
            # Rule 14.19: an Agent counts as failed once it is silent.
            failed = counted & (age > (monitor.no_data_timeframe or 120)) if monitor.host else None
            for code, column in bad.items():
                column += counted & (status == code) if failed is None else failed
            total += counted
            youngest = np.minimum(youngest, np.where(row >= 0, age, np.inf))
        with np.errstate(invalid='ignore', divide='ignore'):
            shares = {code: np.where(total > 0, 100.0 * column / total, np.nan) for code, column in bad.items()}
        decisions = np.full(ticks.size, State.OK, dtype=np.int8)
        for code, limit in ((_WARNING, monitor.warning), (_CRITICAL, monitor.critical)):
            if limit is not None:
                decisions[self._exceeds(bad[code], total, limit)] = _TARGETS[code]
        decisions[total == 0] = _UNDECIDED
        silent = (
            np.zeros(ticks.size, dtype=np.bool_) if monitor.host else np.isfinite(youngest) & self._silent(youngest)
        )
        decisions[silent] = State.NO_DATA
        causes = np.zeros(ticks.size, dtype=np.int8) if monitor.host else self._timed_out(decisions, silent, youngest)
        # The share of WARNING decides a warning.
        decisive = shares[_CRITICAL if monitor.critical is not None else _WARNING]
        decisive = np.where(decisions == State.WARN, shares[_WARNING], decisive)
        return decisions, causes, np.where(silent, np.nan, decisive), youngest

    def _exceeds(self, part: Indices, total: Indices, limit: float) -> Flags:
        """Whether a percentage exceeds its threshold (A45), in whole numbers if the threshold is one."""
        equal = (total > 0) & (part * 100 == limit * total)
        above: Flags = part * 100 > limit * total
        if equal.any() and self.assumptions.cluster_comparison != Assumptions.cluster_comparison.default:
            above |= equal
        return above

    def _lived(self, group: Group, decisions: Codes, age: Floats) -> tuple[Codes, list[int]]:
        """Return the states of a group, from its first run until it is dropped after missing runs (rule 3.20)."""
        ticks, size = self._ticks, decisions.size
        states = np.full(size, State.ABSENT if group else State.NO_DATA, dtype=np.int8)
        gone = self._dropped(age) if group else np.zeros(size, dtype=np.bool_)
        there = np.isfinite(age) & ~gone
        born: list[int] = []
        position = 0
        while position < size and there[position:].any():
            seen = position + int(np.argmax(there[position:]))
            end = seen + int(np.argmax(gone[seen:])) if gone[seen:].any() else size
            since = ticks[seen] if position else self._first_seen(group, int(ticks[seen]))
            birth = seen + int(np.searchsorted(ticks[seen:end], since + (self.monitor.new_group_delay if group else 0)))
            if birth < end:
                life = decisions[birth:end]
                row = np.maximum.accumulate(np.where(life != _UNDECIDED, np.arange(life.size), -1))
                states[birth:end] = np.where(row >= 0, life[np.maximum(row, 0)], State.OK)
                states[end:] = State.ABSENT
                born.append(birth)
            position = end
        return states, born

    def _first_seen(self, group: Group, tick: int) -> float:
        """Return since when a group exists that the first evaluation sees: its earlier runs count (rule 2.21)."""
        times = self._runs(group).times
        return known_since(times[times <= tick])

    def _dropped(self, age: Floats) -> Flags:
        gone = np.isfinite(age) & (age >= min(RETENTIONS.values()))
        if gone.any():
            choice = self.assumptions.group_retention
            limit = self.monitor.retention if choice == Assumptions.group_retention.default else RETENTIONS[choice]
            gone &= age >= limit
        return gone

    def explain(self, group: Group, instant: int) -> Explanation:
        row = evaluation_row(self._ticks, self.groups, group, instant)
        timeline = self.timeline(group)
        return Explanation(
            tick=int(self._ticks[row]),
            state=State(timeline.states[row]),
            value=float(timeline.values[row]),
            window=None,
            points=(),
            reasons=tuple(self._reasons(group, timeline, row)),
        )

    def _reasons(self, group: Group, timeline: GroupTimeline, row: int) -> Iterator[str]:
        tick, value = int(self._ticks[row]), float(timeline.values[row])
        runs = self._runs(group)
        until = int(np.searchsorted(runs.times, tick, side='right'))
        newest = [STATUSES[code] for code in runs.statuses[max(0, until - _SHOWN_RUNS) : until]]
        yield f'the newest runs: {" ".join(newest) or "none"}'
        if until:
            yield f'the newest run is {tick - runs.times[until - 1]:g} s old'
        if np.isnan(value):
            pass
        elif self.monitor.query.percentage:
            warned = timeline.states[row] == State.WARN or self.monitor.critical is None
            what = 'silent' if self.monitor.host else STATUSES[_WARNING if warned else _CRITICAL]
            number = len(self._sources[group])
            yield f'{value:.6g} % of {number} combinations of tags are {what}; thresholds: {self._limits}'
        else:
            yield f'{value:g} runs of {newest[-1]} count; thresholds: {self._limits}'
        yield change(timeline, row)

    @property
    def _limits(self) -> str:
        return ', '.join(f'{name} {limit:g}' for name, limit in self.monitor.limits.items())

    def _warnings(self) -> Iterator[str]:
        monitor, query = self.monitor, self.monitor.query
        if PREFIX + query.check not in self._store.metrics:
            yield f'there are no runs of the check {query.check}'
        if not query.by and not query.percentage:
            yield 'the query has no .by(): read as by("host"); Datadog refuses to store it (rule 14.4)'
        if query.percentage and (query.last or 1) > 1:
            yield f'.last({query.last}) has no effect with pct_by_status(): the last status alone counts (rule 14.15)'
        if monitor.host and not query.percentage:
            if not monitor.notify_no_data:
                yield 'it can never trigger: an Agent submits nothing but OK, and notify_no_data is off (rule 14.20)'
            if any((one.values != _OK).any() for sources in self._sources.values() for one in sources):
                yield f'the scenario has a status of {HOST_CHECK} other than OK, which no Agent submits (rule 14.18)'
        if not query.percentage:
            yield from self._shared_groups()

    def _shared_groups(self) -> Iterator[str]:
        shared = next((group for group, sources in self._sources.items() if len(sources) > 1), None)
        if shared is not None:
            number = len(self._sources[shared])
            yield (
                f'{",".join(shared) or "*"} has the runs of {number} combinations of tags, which count together in '
                'order of time'
            )


def _needed(limit: float | None) -> int:
    return _NEVER if limit is None else int(limit)


def _newest(times: Floats, ticks: Instants) -> tuple[Indices, Floats]:
    """Return the row of the newest run at each evaluation, and its age in seconds, infinite without a run."""
    row = np.searchsorted(times, ticks, side='right') - 1
    if not times.size:
        return row, np.full(ticks.size, np.inf)
    return row, np.where(row >= 0, ticks - times[np.maximum(row, 0)], np.inf)


def _tagged(series: Series) -> Callable[[str], bool]:
    """Whether a series has a tag or comes from a host (rule 14.3)."""
    return lambda wanted: wanted == '*' or wanted in series.tags or f'host:{wanted}' in series.tags
