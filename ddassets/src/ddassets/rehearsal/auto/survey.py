"""Survey a monitor with a signal generated from its own query: the states that it reaches, and who is notified."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets import NotificationRule
from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.downtime import Downtime
from ddassets.engine.evaluator import Evaluator
from ddassets.engine.monitor import Monitor, ThresholdMonitor
from ddassets.engine.plan import Counted, Difference, Plan, walk
from ddassets.engine.planner import STUBBED, StubWindows, make_plan, stub_windows
from ddassets.engine.series import Kind, Series
from ddassets.engine.state import State
from ddassets.engine.timeline import GroupTimeline
from ddassets.language.query.tree import Call, Comparator
from ddassets.rehearsal.auto.answers import Survey, Surveyor, Verdict
from ddassets.rehearsal.auto.reporting import Reporter
from ddassets.rehearsal.auto.schedules import begun, wait
from ddassets.rehearsal.auto.search import STEP_BASE, Condition, Search, Segment, Trial
from ddassets.rehearsal.auto.sources import Source, sources

#: Monday 2027-01-04T00:00:00Z: before 2038, and not at a change of summer time.
START = int(datetime(2027, 1, 4, tzinfo=UTC).timestamp())
#: How far the signal exceeds a threshold, as a share of the threshold.
BEYOND = 0.2
#: The states before the silence: each recovery is crossed from Warn, and from Alert at once and through Warn.
COURSE = ('ok', 'warn', 'ok', 'alert', 'ok', 'alert', 'warn', 'ok')


def survey(
    asset: MonitorAsset,
    monitor: Monitor,
    downtimes: Sequence[Downtime] = (),
    kinds: Mapping[str, Kind] | None = None,
    intervals: Mapping[str, int] | None = None,
    rules: Sequence[NotificationRule] = (),
) -> Survey:
    """Generate a signal for a monitor, evaluate it, and report what happens.

    `kinds` and `intervals` (seconds) are declared by metadata.csv, by metric. `rules` may add recipients. An
    unsupported query is reported in `Survey.unsupported`.
    """
    try:
        plan = _driven(monitor)
        found = sources(plan, kinds or {}, intervals or {})
        surveyor = _Surveyor(asset, monitor, plan, found, rules)
    except UnusableInputError as error:
        return Survey(asset, unsupported=str(error))
    return surveyor.survey(downtimes)


@dataclass(frozen=True)
class MadeSignal:
    """A signal for one monitor: a series for each source, `seconds` long from START on.

    `levels` are the values of the varied source by state; `stub` is the function that the series replace, or empty.
    """

    sources: Sequence[Source]
    series: Sequence[Series]
    levels: Mapping[str, float]
    seconds: int
    stub: str


def make_signal(
    asset: MonitorAsset, monitor: Monitor, kinds: Mapping[str, Kind], intervals: Mapping[str, int]
) -> MadeSignal:
    """Generate the signal of a survey. Raises UnusableInputError if no signal makes the monitor alert."""
    plan = _driven(monitor)
    surveyor = _Surveyor(asset, monitor, plan, sources(plan, kinds, intervals))
    return surveyor.signal()


def plan_of(monitor: Monitor) -> Plan:
    """Return the plan of a query, of which a generated series may replace a function. Raises Unsupported."""
    return make_plan(monitor.query, Assumptions(), _stub(monitor))


def _driven(monitor: Monitor) -> Plan:
    """Return a plan whose result levels of its metrics decide. Raises Unsupported."""
    plan = plan_of(monitor)
    for node in walk(plan.expression):
        if isinstance(node, Counted):
            raise Unsupported(f'{node.name}()', None, 'counts groups, and the generated signal has one group')
        if isinstance(node, Difference) and node.name == 'dt':
            raise Unsupported('dt()', None, 'measures gaps, and the generated signal has none')
    return plan


def _stub(monitor: Monitor) -> StubWindows | None:
    """Return the windows of a query whose function a generated series replaces; None for any other query."""
    expression = monitor.query.expression
    if not (isinstance(expression, Call) and expression.name in STUBBED):
        return None
    return stub_windows(monitor.query, monitor.stub_windows)


_COMPARE = {
    '<': np.less,
    '<=': np.less_equal,
    '>': np.greater,
    '>=': np.greater_equal,
    '==': np.equal,
    '!=': np.not_equal,
}
_COMPLEMENTS: Mapping[Comparator, Comparator] = {'>': '<=', '>=': '<', '<': '>=', '<=': '>', '==': '!=', '!=': '=='}


def conditions(monitor: ThresholdMonitor, share: bool = False) -> dict[str, tuple[Condition, float]]:
    """Return the conditions for Alert, for Warn only, and for the recovery from both, with target values.

    A `share` may recover at a threshold of 0, like in the state machine: no share is below it (rule 6.3).
    """
    compare, back = _COMPARE[monitor.comparator], _COMPARE[_COMPLEMENTS[monitor.comparator]]
    if share and monitor.comparator == '>=':
        back = np.less_equal
    limits = monitor.thresholds
    critical, warning = limits.critical, limits.warning
    sign = -1 if monitor.comparator.startswith('<') else 1
    ends = [critical if limits.critical_recovery is None else limits.critical_recovery]
    if warning is not None:
        ends.append(warning if limits.warning_recovery is None else limits.warning_recovery)
    span = max(abs(critical - ends[-1]), BEYOND * abs(critical), BEYOND)
    found: dict[str, tuple[Condition, float]] = {
        'alert': (lambda value: bool(compare(value, critical)), critical + sign * span)
    }
    if warning is not None:
        found['warn'] = (
            lambda value: bool(compare(value, warning) and not compare(value, critical)),
            (warning + critical) / 2,
        )
    found['ok'] = (lambda value: all(back(value, end) for end in ends), ends[-1] - sign * span)
    return found


def last_level(levels: Mapping[str, float]) -> float:
    """Return the level after a silence: that of OK, if there is one."""
    return next(levels[name] for name in ('ok', 'alert', 'warn') if name in levels)


class _Surveyor(Surveyor[Monitor]):
    """Searches levels for each state of one monitor, and evaluates the signal with these levels."""

    def __init__(
        self,
        asset: MonitorAsset,
        monitor: Monitor,
        plan: Plan,
        found: Sequence[Source],
        rules: Sequence[NotificationRule] = (),
    ) -> None:
        self.asset = asset
        self.rules = rules
        self.monitor = begun(monitor, START)
        self.plan = plan
        # Which levels meet the conditions does not depend on the schedule.
        self.search = Search(replace(monitor, schedule=None), plan, found, START)
        self._hold = self.search.hold + wait(self.monitor, START)
        self.assumptions = Assumptions()

    def survey(self, downtimes: Sequence[Downtime]) -> Survey:
        trial, levels = self._levels()
        if trial is None:
            return Survey(
                self.asset,
                alert=Verdict('no', self.why_never(State.ALERT)),
                recovery=Verdict('no', 'it never alerts'),
                stubbed=self.plan.stub or '',
                idle_downtimes=tuple(self.reporter.idle(downtimes)),
            )
        segments, marks = self._segments(levels)
        marks['last'] = self._last_point(trial, segments)
        return self.answers(self._timeline(trial, segments), marks, downtimes, self.plan.stub or '')

    def _last_point(self, trial: Trial, segments: Sequence[Segment]) -> int | None:
        """Return the instant of the last point before the silence."""
        names = [number for number, segment in enumerate(segments) if segment.level is None]
        silence = START + sum(segment.seconds for segment in segments[: names[0]])
        last = [one.times[one.times < silence] for one in self.search.store(trial, segments)]
        return max((int(times[-1]) for times in last if times.size), default=None)

    def signal(self) -> MadeSignal:
        """Return the signal. Raises UnusableInputError if no signal makes the monitor alert."""
        trial, levels = self._levels()
        if trial is None or 'alert' not in levels:
            raise UnusableInputError(self.why_never(State.ALERT))
        segments, _ = self._segments(levels)
        store = self.search.store(trial, segments)
        seconds = sum(segment.seconds for segment in segments)
        return MadeSignal(self.search.sources, list(store), levels, seconds, self.plan.stub or '')

    def _levels(self) -> tuple[Trial | None, dict[str, float]]:
        """Return a staircase, if possible one that alerts, and the levels of the conditions by name."""
        best: tuple[Trial | None, dict[str, float]] = (None, {})
        wanted = conditions(self.monitor, share=self.plan.stub == 'anomalies')
        for trial in self.search.trials():
            levels: dict[str, float] = {}
            for name, (condition, target) in wanted.items():
                level = trial.level(condition, target)
                if level is None:
                    level = self.search.refine(trial, condition, target)
                if level is not None:
                    levels[name] = level
            if trial.stepped:
                # The step causes the alert. Without a step, a change is over after a while.
                levels['ok'] = STEP_BASE
            if ('alert' in levels, len(levels)) > ('alert' in best[1], len(best[1])):
                best = trial, levels
            if len(levels) == len(wanted):
                return trial, levels
        return best

    def _segments(self, levels: Mapping[str, float]) -> tuple[list[Segment], dict[str, int | None]]:
        """Return the segments of the COURSE, silence, OK, and the first bad and good instant."""
        hold = self._hold
        steps: list[tuple[str, float | None, int]] = []
        for name in COURSE:
            if name in levels:
                steps.append((name, levels[name], hold))
        steps.append(('silence', None, self._silence()))
        steps.append(('back', last_level(levels), hold))
        marks: dict[str, int | None] = {}
        instant = START
        for number, (name, _, seconds) in enumerate(steps):
            if name == 'alert' and 'bad' not in marks:
                marks['bad'] = instant
                if number + 1 < len(steps) and steps[number + 1][0] == 'ok':
                    marks['good'] = instant + seconds
            instant += seconds
        return [Segment(level, seconds) for _, level, seconds in steps], marks

    def _silence(self) -> int:
        """Return the seconds of the silence: enough for No Data, less than the retention of a group."""
        monitor = self.monitor
        timeframe = monitor.no_data_timeframe or 2 * self.plan.window
        asked = monitor.notify_no_data or monitor.on_missing_data is not None
        longest = max(timeframe, monitor.timeout) if asked else monitor.timeout
        return self._hold + min(longest + monitor.evaluation_delay + 3600, 23 * 3600 + timeframe)

    def _timeline(self, trial: Trial, segments: Sequence[Segment]) -> GroupTimeline:
        store = self.search.store(trial, segments)
        end = START + sum(segment.seconds for segment in segments)
        evaluator = Evaluator(self.monitor, store, START, end, 0, self.assumptions)
        return evaluator.timeline(evaluator.groups[0])

    def why_no_data_is_missed(self) -> str:
        return 'missing data is evaluated as zero'

    def why_it_never_recovers(self) -> str:
        return 'no signal tried crosses the recovery thresholds'

    def why_never(self, state: State) -> str:
        query, search, limits = self.monitor.query, self.search, self.monitor.thresholds
        if search.lowest > search.highest:
            if search.never_full:
                return 'require_full_window skips every evaluation: a window of the query has too few points'
            return 'the query returned no value for any signal tried'
        limit = f'{query.comparator} {limits.critical:g}'
        if state is State.WARN:
            limit = f'{query.comparator} {limits.warning:g} without {limit}'
        return f'{limit} never holds: the query gave {search.lowest:g} to {search.highest:g} for every signal tried'

    @cached_property
    def reporter(self) -> Reporter:
        return Reporter(self.asset, self.monitor, self.plan.by, self._fixed_tags, self.rules, self.assumptions)

    def _fixed_tags(self) -> frozenset[str]:
        store = self.search.store(Trial(0, 0.0, (0.0,), np.empty(0)), [Segment(0.0, 60)])
        evaluator = Evaluator(self.monitor, store, START, START + 60, 0, Assumptions())
        group = evaluator.groups[0]
        return evaluator.timeline(group).tags - frozenset(group)
