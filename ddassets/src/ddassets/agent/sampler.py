"""From the samples that a check submits to the series that the Agent sends: the Agent's check sampler, pure."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ddassets.diagnostic import UnusableInputError

_PERCENTILE = 95
# The Agent's check sampler gives what it counts by the second an interval of one second, whatever the check's own.
_RATE_INTERVAL = 1


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
    """One point of one series, as the Agent would send it. `interval` is in seconds, 0 for a gauge and a count."""

    metric: str
    timestamp: int
    value: float
    tags: tuple[str, ...]
    host: str
    type: str
    interval: int = 0


type Context = tuple[str, str, tuple[str, ...], str]
type Points = list[tuple[str, str, float, int]]  # name suffix, type, value, interval


@dataclass
class Sampler:
    """The state that the Agent keeps for one instance between runs: a rate and a monotonic count need the last sample.

    `host` stands in where a sample has no host of its own.
    """

    host: str
    _previous: dict[Context, Sample] = field(default_factory=dict)

    def flush(self, samples: Iterable[Sample], timestamp: float) -> tuple[list[Series], list[str]]:
        """Turn the samples of one run into series, in the order in which they were first submitted.

        Returns the series, and a sentence for each sample that the Agent would drop.
        """
        dropped: list[str] = []
        contexts: dict[Context, list[Sample]] = {}
        for sample in samples:
            if not math.isfinite(sample.value):
                dropped.append(f'{sample.name}: the Agent drops the value {sample.value}')
                continue
            context = (sample.kind, sample.name, tuple(sorted(set(sample.tags))), sample.host)
            contexts.setdefault(context, []).append(sample)
        series = []
        for context, run in contexts.items():
            aggregate = _AGGREGATES.get(context[0])
            if aggregate is None:
                raise UnusableInputError(f'{context[1]}: unknown metric type {context[0]!r}')
            try:
                points = aggregate(self._previous.get(context), run)
            except _DroppedError as error:
                dropped.append(f'{context[1]}: {error}')
                points = []
            self._previous[context] = run[-1]
            tags = tuple(dict.fromkeys(run[-1].tags))
            series += [
                Series(context[1] + suffix, int(timestamp), value, tags, context[3] or self.host, kind, interval)
                for suffix, kind, value, interval in points
            ]
        return series, dropped


class _DroppedError(Exception):
    """The Agent logs an error and sends nothing."""


def _gauge(previous: Sample | None, run: list[Sample]) -> Points:
    return [('', 'gauge', run[-1].value, 0)]


def _count(previous: Sample | None, run: list[Sample]) -> Points:
    return [('', 'count', sum(sample.value for sample in run), 0)]


def _counter(previous: Sample | None, run: list[Sample]) -> Points:
    return [('', 'rate', sum(sample.value for sample in run) / _RATE_INTERVAL, _RATE_INTERVAL)]


def _monotonic_count(previous: Sample | None, run: list[Sample]) -> Points:
    known = [previous] if previous else []
    pairs = list(zip([*known, *run], [*known, *run][1:], strict=False))
    total = 0.0
    if not previous and run[0].flush_first_value:
        total += run[0].value
    elif not pairs:
        return []
    for before, after in pairs:
        if after.value >= before.value:
            total += after.value - before.value
        elif after.flush_first_value:
            # The counted thing began again from zero.
            total += after.value
    return [('', 'count', total, 0)]


def _rate(previous: Sample | None, run: list[Sample]) -> Points:
    before = run[-2] if len(run) > 1 else previous
    if before is None:
        return []
    return [('', 'gauge', _per_second(before, run[-1]), 0)]


def _per_second(before: Sample, after: Sample) -> float:
    seconds = after.timestamp - before.timestamp
    if seconds <= 0:
        raise _DroppedError('the Agent drops a rate that was sampled twice at the same time')
    value = (after.value - before.value) / seconds
    if value < 0:
        raise _DroppedError('the Agent drops a negative rate')
    return value


def _histogram(previous: Sample | None, run: list[Sample]) -> Points:
    return _distribution([sample.value for sample in run])


def _historate(previous: Sample | None, run: list[Sample]) -> Points:
    known = [previous, *run] if previous else run
    return _distribution([_per_second(before, after) for before, after in zip(known, known[1:], strict=False)])


def _distribution(values: list[float]) -> Points:
    if not values:
        return []
    ordered = sorted(values)
    count = len(ordered)
    return [
        ('.max', 'gauge', ordered[-1], 0),
        ('.median', 'gauge', _quantile(ordered, 50), 0),
        ('.avg', 'gauge', sum(ordered) / count, 0),
        ('.count', 'rate', count / _RATE_INTERVAL, _RATE_INTERVAL),
        (f'.{_PERCENTILE}percentile', 'gauge', _quantile(ordered, _PERCENTILE), 0),
    ]


def _quantile(ordered: list[float], percent: int) -> float:
    """The Agent takes an observed value and never interpolates."""
    return ordered[(percent * len(ordered) - 1) // 100]


_AGGREGATES: dict[str, Callable[[Sample | None, list[Sample]], Points]] = {
    'gauge': _gauge,
    'count': _count,
    'counter': _counter,
    'monotonic_count': _monotonic_count,
    'rate': _rate,
    'histogram': _histogram,
    'historate': _historate,
}
