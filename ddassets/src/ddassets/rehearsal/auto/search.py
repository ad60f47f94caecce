"""Find values of a query's metrics at which its result meets a condition.

A query is evaluated over a staircase: each level of one metric lasts longer than a window, the other metrics stay at a
base. Between two levels on either side of a condition the search continues, because most queries are linear there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.evaluator import Evaluator
from ddassets.engine.monitor import Monitor
from ddassets.engine.plan import Earlier, Moving, Plan, walk
from ddassets.engine.series import Series, SeriesSet
from ddassets.rehearsal.auto.sources import Source

type Floats = NDArray[np.float64]
type Condition = Callable[[float], bool]

#: Maximum of bisections between two levels, and of staircases.
MAX_ROUNDS = 6
_MAGNITUDES = tuple(10.0**power for power in range(-4, 13))
_BASES = (1.0, 100.0, 0.0)
#: Functions whose stub is a share of points.
SHARES = ('anomalies', 'outliers')
#: The value of a metric before a step.
STEP_BASE = 100.0
_NOTHING: Floats = np.empty(0)


@dataclass(frozen=True)
class Trial:
    """The results of a staircase of `source`, with the other sources at `base`.

    `results` contains the result at the end of each level, NaN if the query returned nothing. `stepped`: before each
    level the source was at STEP_BASE, and the result is the extreme during the level, on the side of the monitor's
    threshold (for queries that compare with the past). `ramp`: a level is a slope, in units per minute.
    """

    source: int
    base: float
    levels: tuple[float, ...]
    results: Floats
    ramp: bool = False
    stepped: bool = False

    def level(self, condition: Condition, target: float) -> float | None:
        """Return the level whose result meets the condition and is nearest to a target."""
        pairs = zip(self.levels, self.results, strict=True)
        fitting = [(abs(value - target), level) for level, value in pairs if not np.isnan(value) and condition(value)]
        return min(fitting)[1] if fitting else None


@dataclass(frozen=True)
class Segment:
    """A part of the signal: the level of the varied source (None for no points), and the seconds."""

    level: float | None
    seconds: int


class Search:
    """Tries signals on one monitor. `hold` is the length of a level in seconds.

    `lowest` and `highest` are the extremes of the results so far, infinite if there was none.
    """

    def __init__(self, monitor: Monitor, plan: Plan, sources: Sequence[Source], start: int) -> None:
        self.monitor = monitor
        self.plan = plan
        self.sources = sources
        self.start = start
        self.lowest, self.highest = np.inf, -np.inf

    @cached_property
    def _shifts(self) -> tuple[int, ...]:
        """Return how far back the query reads, in seconds."""
        back = [leaf.calendar.greatest if leaf.calendar else leaf.shift for leaf in self.plan.leaves]
        back += [node.seconds for node in walk(self.plan.expression) if isinstance(node, Earlier | Moving)]
        return tuple(back)

    @cached_property
    def hold(self) -> int:
        window = max(self.plan.window, self.plan.recovery_window or 0)
        bucket = max([leaf.bucket or 0 for leaf in self.plan.leaves] + [source.interval for source in self.sources])
        cadence = 60 if window < 86_400 else 600 if window < 172_800 else 1_800
        # For shifts of up to 25 h, a day at most, a level lasts long enough to be compared with itself. For longer
        # shifts, all levels are compared with the time before the first.
        shift = max((seconds for seconds in self._shifts if seconds <= 90_000), default=0)
        delays = self.monitor.evaluation_delay + self.monitor.new_group_delay
        return _whole_minutes(window + shift + 2 * bucket + 2 * cadence + 120 + delays)

    def trials(self) -> Iterator[Trial]:
        """Yield staircases, the most ordinary first.

        Negative levels are used only for a query of one metric: few metrics have them, and ratios of them are
        meaningless.
        """
        grid = _grid(self.monitor, self.plan)
        positive = [level for level in grid if level >= 0]
        several = len(self.sources) > 1
        for base in _BASES if several else _BASES[:1]:
            for source in range(len(self.sources)):
                yield self.trial(Trial(source, base, tuple(positive), _NOTHING))
        if self.plan.stub in SHARES:
            # A step or a ramp would leave the range of a share.
            return
        if not several:
            yield self.trial(Trial(0, 1.0, tuple(grid), _NOTHING))
        for source in range(len(self.sources)):
            yield self.trial(Trial(source, 1.0, tuple(positive), _NOTHING, stepped=True))
        for source in range(len(self.sources)):
            yield self.trial(Trial(source, 0.0, tuple(positive if several else grid), _NOTHING, ramp=True))

    def trial(self, wanted: Trial) -> Trial:
        """Evaluate a staircase, and return it with its results."""
        rest = [Segment(STEP_BASE, self.hold)] if wanted.stepped else []
        segments = [segment for level in wanted.levels for segment in (*rest, Segment(level, self.hold))]
        ticks, values = self.values(wanted, segments)
        length = self.hold * (1 + len(rest))
        results = []
        for number in range(len(wanted.levels)):
            begin = self.start + number * length + self.hold * len(rest)
            inside = values[(ticks >= begin) & (ticks < begin + self.hold)]
            results.append(self._result(inside, wanted.stepped))
        return replace(wanted, results=np.array(results))

    def _result(self, inside: Floats, stepped: bool) -> float:
        """Return the result of a level: the last, or after a step the extreme on the side of the threshold."""
        found = inside[~np.isnan(inside)]
        if not found.size:
            return np.nan
        self.lowest, self.highest = min(self.lowest, found.min()), max(self.highest, found.max())
        if not stepped:
            return float(inside[-1])
        return float(found.min() if self.monitor.query.comparator.startswith('<') else found.max())

    @property
    def never_full(self) -> bool:
        """Whether the query returns values without require_full_window, for the most ordinary signal."""
        lax = replace(self.monitor, require_full_window=False)
        search = Search(lax, self.plan, self.sources, self.start)
        next(search.trials())
        return self.monitor.require_full_window and search.lowest <= search.highest

    def refine(self, trial: Trial, condition: Condition, target: float) -> float | None:
        """Search for a level between two neighbours whose results are on either side of a threshold."""
        for left, right in self._brackets(trial):
            low, high = left, right
            for _ in range(MAX_ROUNDS):
                levels = np.linspace(low, high, 9).tolist()
                finer = self.trial(replace(trial, levels=tuple(levels)))
                if (found := finer.level(condition, target)) is not None:
                    return found
                narrower = next(self._brackets(finer), None)
                if narrower is None:
                    break
                low, high = narrower
        return None

    def _brackets(self, trial: Trial) -> Iterator[tuple[float, float]]:
        """Return neighbouring levels between which the result crosses a threshold of the monitor."""
        limits = [limit for limit in _limits(self.monitor) if limit is not None]
        pairs = zip(trial.levels, trial.levels[1:], trial.results, trial.results[1:], strict=False)
        for left, right, before, after in pairs:
            low, high = sorted((before, after))
            if any(low <= limit <= high for limit in limits):
                yield left, right

    def values(self, trial: Trial, segments: Sequence[Segment]) -> tuple[NDArray[np.int64], Floats]:
        """Evaluate a signal: the instants of evaluation and the results."""
        end = self.start + sum(segment.seconds for segment in segments)
        evaluator = Evaluator(self.monitor, self.store(trial, segments), self.start, end, 0, Assumptions())
        groups = evaluator.groups
        if not groups:
            return evaluator.ticks, np.full(evaluator.ticks.size, np.nan)
        return evaluator.ticks, evaluator.timeline(groups[0]).values

    def store(self, trial: Trial, segments: Sequence[Segment]) -> SeriesSet:
        """Return the series of a signal: the source of a trial by its segments, the others at the base.

        The time before the first segment, which a shift may use, has the first level of the trial.
        """
        return SeriesSet(
            self._series(each, trial, segments, varied=number == trial.source)
            for number, each in enumerate(self.sources)
        )

    def _series(self, source: Source, trial: Trial, segments: Sequence[Segment], varied: bool) -> Series:
        """Return a series that starts early enough for the first window and every shift."""
        before = _whole_minutes(self.hold + max(self._shifts, default=0))
        edges = np.cumsum([before, *(segment.seconds for segment in segments)]) + self.start - before
        first = STEP_BASE if trial.stepped else trial.levels[0]
        held = [first if varied and not trial.ramp else trial.base]
        held += [np.nan if segment.level is None else segment.level if varied else trial.base for segment in segments]
        times = np.arange(self.start - before, edges[-1], source.interval, dtype=np.float64)
        values = np.array(held)[np.searchsorted(edges, times, side='right')]
        exists = ~np.isnan(values)
        if any(leaf.space == 'count' for leaf in source.leaves):
            # A level is the number of values.
            numbers = np.round(np.nan_to_num(values))
            exists = numbers >= 1
            keys = (source.metric, source.tags, times[exists], np.ones(int(exists.sum())), source.kind, source.interval)
            return Series(*keys, numbers=numbers[exists])
        if trial.ramp and varied:
            values = np.cumsum(np.nan_to_num(values)) * source.interval / 60
        return Series(source.metric, source.tags, times[exists], values[exists], source.kind, source.interval)


def _limits(monitor: Monitor) -> tuple[float | None, ...]:
    limits = monitor.thresholds
    return limits.critical, limits.warning, limits.critical_recovery, limits.warning_recovery


def _grid(monitor: Monitor, plan: Plan) -> list[float]:
    """Return levels around the monitor's thresholds, then powers of ten, on both sides of zero, in increasing order.

    A stub for anomalies() or outliers() is a share of points.
    """
    near = {0.0}
    for limit in _limits(monitor):
        if limit is not None:
            near |= {limit, limit * 0.5, limit * 0.9, limit * 1.1, limit * 2, limit + 1, limit - 1}
    near |= {sign * size for size in _MAGNITUDES for sign in (1, -1)}
    if plan.stub in SHARES:
        near = {level for level in near if 0 <= level <= 1} | {0.25, 0.5, 0.75, 1.0}
    return sorted(near)


def _whole_minutes(seconds: int) -> int:
    return -(-seconds // 60) * 60
