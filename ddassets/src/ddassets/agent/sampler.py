"""The check sampler of the Datadog Agent: converts the samples of a check to the series that the Agent sends. Pure.

Measured with the Agent of `AGENT_VERSION`; `tests/agent/probes.yaml` contains what it sent.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ddassets.diagnostic import UnusableInputError

AGGREGATES = ('max', 'min', 'median', 'avg', 'sum', 'count')
"""The histogram aggregates that the Agent supports, as in `histogram_aggregates`."""

AGENT_VERSION = '7.82.1'
"""The Agent whose behaviour is imitated."""

NOT_IMITATED = (
    'distributions and histogram buckets: the Agent sends them as sketches; they are counted, not shown',
    'tags that are not text, and empty tags: passed on unchanged; the Python loader was not measured',
    'samples before an exception: passed on; whether the Agent sends them was not measured',
    'the instance options service and empty_default_hostname: read by the Python loader, not measured',
    'payloads: shown in the form of v1 (JSON); the default is v2 (protobuf), and the order of tags is its own',
    'filters of the Agent on metrics and tags, and the limits of its queue: not applied',
)
"""Behaviour of the Agent that is not imitated, one sentence each."""


@dataclass(frozen=True)
class Settings:
    """The settings of datadog.yaml for the check sampler. `stateful_expiry` is in seconds.

    `expiry_runs` is the number of runs without samples after which the Agent forgets a context. `percentiles` are whole
    per cents.
    """

    aggregates: tuple[str, ...] = ('max', 'median', 'avg', 'count')
    percentiles: tuple[int, ...] = (95,)
    expire: bool = True
    expiry_runs: int = 2
    stateful_expiry: float = 25 * 3600


DEFAULT_SETTINGS = Settings()


@dataclass(frozen=True)
class Sample:
    """One call of `gauge`, `count`, `rate`… by a check. `timestamp` is in seconds since the epoch."""

    name: str
    kind: str
    value: float
    tags: tuple[str, ...]
    host: str
    timestamp: float
    flush_first_value: bool = False


@dataclass(frozen=True)
class Series:
    """One point of one series, as the Agent sends it. `timestamp` is in whole seconds since the epoch."""

    metric: str
    timestamp: int
    value: float
    tags: tuple[str, ...]
    host: str
    type: str


@dataclass(frozen=True)
class _Point:
    value: float
    timestamp: float
    type: str = 'gauge'
    suffix: str = ''


class _DroppedError(Exception):
    """The Agent logs an error and sends nothing."""


class _Metric(ABC):
    """The state of a context. `stateful`: kept for some time after the context has expired."""

    stateful: ClassVar[bool] = False

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def add(self, sample: Sample) -> None:
        """Take one sample of the run."""

    @abstractmethod
    def flush(self, instant: float) -> list[_Point]:
        """Return the points of the run that ended at `instant`, and start the next run."""


class _Gauge(_Metric):
    def add(self, sample: Sample) -> None:
        self.value = sample.value

    def flush(self, instant: float) -> list[_Point]:
        return [_Point(self.value, instant)]


class _Count(_Metric):
    type = 'count'

    def __init__(self, settings: Settings) -> None:
        self.value = 0.0

    def add(self, sample: Sample) -> None:
        self.value += sample.value

    def flush(self, instant: float) -> list[_Point]:
        value, self.value = self.value, 0.0
        return [_Point(value, instant, self.type)]


class _Counter(_Count):
    # Not divided by time: the check sampler uses an interval of one second.
    type = 'rate'


class _MonotonicCount(_Metric):
    stateful = True

    def __init__(self, settings: Settings) -> None:
        self.last: float | None = None
        self.value = 0.0
        self.sendable = False

    def add(self, sample: Sample) -> None:
        if self.last is not None and sample.value >= self.last:
            self.value += sample.value - self.last
        elif sample.flush_first_value:
            # A first value, or a reset: it replaces the count of the run so far.
            self.value = sample.value
        self.sendable = self.last is not None or sample.flush_first_value
        self.last = sample.value

    def flush(self, instant: float) -> list[_Point]:
        if not self.sendable:
            return []
        value, self.value, self.sendable = self.value, 0.0, False
        return [_Point(value, instant, 'count')]


class _Rate(_Metric):
    stateful = True

    def __init__(self, settings: Settings) -> None:
        self.previous: Sample | None = None
        self.current: Sample | None = None

    def add(self, sample: Sample) -> None:
        self.previous = self.current or self.previous
        self.current = sample

    def flush(self, instant: float) -> list[_Point]:
        previous, current = self.previous, self.current
        if previous is None or current is None:
            return []
        if previous.timestamp == current.timestamp:
            raise _DroppedError('the Agent drops a rate that was sampled twice at the same time')
        self.previous, self.current = current, None
        value = _per_second(previous, current)
        if value < 0:
            raise _DroppedError('the Agent drops a negative rate')
        return [_Point(value, current.timestamp)]


class _Histogram(_Metric):
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.values: list[float] = []

    def add(self, sample: Sample) -> None:
        self.values.append(sample.value)

    def flush(self, instant: float) -> list[_Point]:
        values, self.values = self.values, []
        return _distribution(values, instant, self.settings)


class _Historate(_Histogram):
    stateful = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.previous: Sample | None = None

    def add(self, sample: Sample) -> None:
        if self.previous is not None:
            self.values.append(_per_second(self.previous, sample))
        self.previous = sample

    def flush(self, instant: float) -> list[_Point]:
        if not self.values:
            return []
        # A run with points discards the last sample: one sample per run gives a point every second run.
        self.previous = None
        return super().flush(instant)


_METRICS: dict[str, type[_Metric]] = {
    'gauge': _Gauge,
    'count': _Count,
    'counter': _Counter,
    'monotonic_count': _MonotonicCount,
    'rate': _Rate,
    'histogram': _Histogram,
    'historate': _Historate,
}


@dataclass
class _Tracked:
    """A context: its metric (None before the first finite sample) and when it expires."""

    expires_at: int = 0
    metric: _Metric | None = None
    kind: str = ''
    deadline: float | None = None


type Context = tuple[str, str, tuple[str, ...]]


@dataclass
class Sampler:
    """The state that the Agent keeps for an instance between runs.

    `host` replaces the missing host of a sample.
    """

    host: str
    settings: Settings = DEFAULT_SETTINGS
    _tracked: dict[Context, _Tracked] = field(default_factory=dict)
    _commits: int = 0

    def commit(self, samples: Iterable[Sample], instant: float) -> tuple[list[Series], list[str]]:
        """Convert the samples of one run to series, in the order of their first submission.

        `instant` is when the run ended, in seconds since the epoch. Returns the series, and a sentence for each sample
        that the Agent drops or adds to a metric of another type.
        """
        warnings: list[str] = []
        tags: dict[Context, tuple[str, ...]] = {}
        for sample in samples:
            context = sample.name, sample.host or self.host, tuple(sorted(set(sample.tags)))
            if self._add(context, sample, warnings):
                tags.setdefault(context, sample.tags)
        series = []
        for context, submitted in tags.items():
            metric = self._tracked[context].metric
            for point in self._points(context[0], metric, instant, warnings) if metric else []:
                name = context[0] + point.suffix
                if not math.isfinite(point.value):
                    warnings.append(
                        f'{name}: the value overflows to {point.value}; the Agent omits it from its JSON payload, '
                        'which is then invalid'
                    )
                shown = tuple(dict.fromkeys(submitted))
                series.append(Series(name, int(point.timestamp // 1), point.value, shown, context[1], point.type))
        self.idle([instant])
        return series, warnings

    def idle(self, instants: Sequence[float]) -> None:
        """Commit runs without samples that ended at these increasing instants; drop what has expired."""
        for context, tracked in list(self._tracked.items()):
            if tracked.deadline is None:
                expiring = max(tracked.expires_at - self._commits, 0)
                if expiring >= len(instants):
                    continue
                if tracked.metric is None or (self.settings.expire and not tracked.metric.stateful):
                    del self._tracked[context]
                    continue
                if not self.settings.expire:
                    continue
                tracked.deadline = instants[expiring] + self.settings.stateful_expiry
            if tracked.deadline < instants[-1]:
                del self._tracked[context]
        self._commits += len(instants)

    def _add(self, context: Context, sample: Sample, warnings: list[str]) -> bool:
        """Add a sample to its context. Returns False for a dropped value, which still keeps the context alive."""
        if sample.kind not in _METRICS:
            raise UnusableInputError(f'{sample.name}: unknown metric type {sample.kind!r}')
        tracked = self._tracked.setdefault(context, _Tracked())
        tracked.expires_at = self._commits + self.settings.expiry_runs
        tracked.deadline = None
        if not math.isfinite(sample.value):
            warnings.append(f'{sample.name}: the Agent drops the value {sample.value}')
            return False
        if tracked.metric is None:
            tracked.metric, tracked.kind = _METRICS[sample.kind](self.settings), sample.kind
        elif tracked.kind != sample.kind:
            warnings.append(
                f'{sample.name}: submitted as {tracked.kind} and as {sample.kind} with the same tags and host; '
                f'the first type is kept: the Agent adds every later sample to the {tracked.kind}'
            )
        tracked.metric.add(sample)
        return True

    def _points(self, name: str, metric: _Metric, instant: float, warnings: list[str]) -> list[_Point]:
        try:
            return metric.flush(instant)
        except _DroppedError as error:
            warnings.append(f'{name}: {error}')
            return []


def _per_second(before: Sample, after: Sample) -> float:
    """Return the slope between two samples; as in Go, a division by zero is not an error."""
    step, seconds = after.value - before.value, after.timestamp - before.timestamp
    if seconds:
        return step / seconds
    return math.copysign(math.inf, step) if step else math.nan


def _distribution(values: list[float], instant: float, settings: Settings) -> list[_Point]:
    if not values:
        return []
    ordered = sorted(values)
    count = len(ordered)
    total = 0.0
    for value in values:
        # Not sum(), which compensates for rounding.
        total += value
    aggregates = {
        'max': ordered[-1],
        'min': ordered[0],
        'median': ordered[(count - 1) // 2],
        'avg': total / count,
        'sum': total,
        'count': float(count),
    }
    points = [
        _Point(aggregates[name], instant, 'rate' if name == 'count' else 'gauge', f'.{name}')
        for name in settings.aggregates
        if name in aggregates
    ]
    # The Agent uses an observed value and never interpolates.
    return points + [
        _Point(ordered[max(percent * count - 1, 0) // 100], instant, 'gauge', f'.{percent}percentile')
        for percent in sorted(settings.percentiles)
    ]
