"""Convert the samples of a simulation to series: the rules of `sampler.py`, vectorised for many samples."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ddassets.agent.sampler import DEFAULT_SETTINGS, Sample, Sampler, Settings
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.column import Floats
from ddassets.engine.series import Kind, Series

# Datadog shows a rate without an interval unchanged, so as_count() multiplies it by one second.
_RATE_INTERVAL = 1
# NumPy sums more values than these in a different order than the Agent.
_MAX_SUMMED_IN_ORDER = 7


@dataclass(frozen=True)
class Source:
    """The source of a sample: an instance (from 0), a period in which the Agent ran, and the call's arguments."""

    instance: int
    period: int
    kind: str
    name: str
    tags: tuple[str, ...]
    host: str


@dataclass(frozen=True, eq=False)
class Columns:
    """Samples in the order of submission, one row each, as in `simulator.Tape`."""

    sources: NDArray[np.int32]
    runs: NDArray[np.int32]
    stamps: Floats
    values: Floats
    firsts: NDArray[np.int8]

    def at(self, rows: NDArray[np.intp]) -> 'Columns':
        return Columns(self.sources[rows], self.runs[rows], self.stamps[rows], self.values[rows], self.firsts[rows])


@dataclass(frozen=True, eq=False)
class Runs:
    """All completed runs, also those without samples: instance, period, and the instant of the end."""

    instances: NDArray[np.int32]
    periods: NDArray[np.int32]
    ends: Floats


SAMPLE_TYPES = ('i4', 'i4', 'f8', 'f8', 'i1')
RUN_TYPES = ('i4', 'i4', 'f8')


def join(batches: Sequence[bytes]) -> tuple[Columns, Runs]:
    """Join raw batches of `simulator.Tape`, eight columns per batch."""
    types = SAMPLE_TYPES + RUN_TYPES
    arrays = [np.frombuffer(b''.join(batches[n :: len(types)]), dtype) for n, dtype in enumerate(types)]
    return Columns(*arrays[: len(SAMPLE_TYPES)]), Runs(*arrays[len(SAMPLE_TYPES) :])


type Points = tuple[str, str, Floats, Floats]  # name suffix, type, instants, values
type Context = tuple[int, int, str, str, tuple[str, ...]]  # instance, period, name, host, tags


def to_series(
    sources: Sequence[Source],
    columns: Columns,
    runs: Runs,
    intervals: Sequence[int],
    tags: Callable[[Source], Iterable[str]],
    settings: Settings = DEFAULT_SETTINGS,
) -> tuple[list[Series], list[str]]:
    """Return the series that the Agent sends, and a sentence for each kind of sample that it drops or changes.

    `intervals` (seconds) are those of the instances; `tags` returns all tags of a source. Points are at whole seconds;
    the last point of a second is used. Raises UnusableInputError if a series would have two types.
    """
    warnings: list[str] = []
    contexts = [(s.instance, s.period, s.name, s.host, tuple(sorted(set(s.tags)))) for s in sources]
    unique = {context: number for number, context in enumerate(dict.fromkeys(contexts))}
    first = dict(zip(reversed(contexts), reversed(sources), strict=True))
    numbers = np.array([unique[context] for context in contexts], dtype=np.intp)[columns.sources]
    # The rows of one context are together, in their order.
    order = np.argsort(numbers, kind='stable')
    bounds = np.searchsorted(numbers[order], np.arange(len(unique) + 1))
    kinds = [source.kind for source in sources]
    parts: dict[tuple[str, frozenset[str]], list[Points]] = defaultdict(list)
    shortest: dict[tuple[str, frozenset[str]], int] = {}
    for context, number in unique.items():
        rows = columns.at(order[bounds[number] : bounds[number + 1]])
        all_tags = frozenset(tags(first[context]))
        for points in _points(context, kinds, rows, runs, settings, warnings):
            key = context[2] + points[0], all_tags
            parts[key].append(points)
            interval = _RATE_INTERVAL if points[1] == 'rate' else intervals[context[0]]
            shortest[key] = min(shortest.get(key, interval), interval)
    series = [_merge(*key, pieces, shortest[key], warnings) for key, pieces in parts.items()]
    return [item for item in series if len(item)], list(dict.fromkeys(warnings))


def _points(
    context: Context, kinds: Sequence[str], rows: Columns, runs: Runs, settings: Settings, warnings: list[str]
) -> Iterator[Points]:
    if not rows.values.size:
        return
    kind = {kinds[source] for source in np.unique(rows.sources).tolist()}
    bounds = _bounds(rows)
    simple = kind == {'gauge'} or (kind == {'count'} and np.diff(bounds).max() <= _MAX_SUMMED_IN_ORDER)
    if not simple:
        yield from _run_by_run(context, kinds, rows, runs, settings, warnings)
        return
    finite = np.isfinite(rows.values)
    if not finite.all():
        warnings += [f'{context[2]}: the Agent drops the value {value}' for value in np.unique(rows.values[~finite])]
        rows = rows.at(np.flatnonzero(finite))
        bounds = _bounds(rows)
        if not rows.values.size:
            return
    instants = np.floor(runs.ends[rows.runs[bounds[:-1]]])
    if kind == {'gauge'}:
        yield '', 'gauge', instants, rows.values[bounds[1:] - 1]
    else:
        with np.errstate(over='ignore'):
            yield '', 'count', instants, np.add.reduceat(rows.values, bounds[:-1])


def _bounds(rows: Columns) -> NDArray[np.intp]:
    """Return the first row of each run, and the number of rows."""
    return np.append(np.flatnonzero(np.diff(rows.runs, prepend=-1)), rows.values.size)


def _run_by_run(
    context: Context, kinds: Sequence[str], rows: Columns, runs: Runs, settings: Settings, warnings: list[str]
) -> Iterator[Points]:
    instance, period, name, host, tags = context
    sampler = Sampler(host, settings)
    # All runs of the instance while the Agent ran: the context expires after runs without a sample.
    own = np.flatnonzero((runs.instances == instance) & (runs.periods == period))
    ends = runs.ends[own]
    bounds = _bounds(rows)
    places = np.searchsorted(own, rows.runs[bounds[:-1]])
    points_of: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    before = -1
    for begin, end, place in zip(bounds[:-1].tolist(), bounds[1:].tolist(), places.tolist(), strict=True):
        if 0 <= before < place - 1:
            sampler.idle(ends[before + 1 : place].tolist())
        before = place
        samples = (
            Sample(name, kinds[source], value, tags, host, stamp, bool(flush_first))
            for source, value, stamp, flush_first in zip(
                rows.sources[begin:end].tolist(),
                rows.values[begin:end].tolist(),
                rows.stamps[begin:end].tolist(),
                rows.firsts[begin:end].tolist(),
                strict=True,
            )
        )
        series, dropped = sampler.commit(samples, float(ends[place]))
        warnings += dropped
        for item in series:
            points_of[item.metric.removeprefix(name), item.type].append((item.timestamp, item.value))
    for (suffix, type_), points in points_of.items():
        instants, values = np.array(points, dtype=np.float64).T
        yield suffix, type_, instants, values


def _merge(metric: str, tags: frozenset[str], pieces: list[Points], interval: int, warnings: list[str]) -> Series:
    """Merge all pieces into one series, without values that overflowed."""
    types = sorted({piece[1] for piece in pieces})
    if len(types) > 1:
        raise UnusableInputError(f'{metric}{{{",".join(sorted(tags))}}}: submitted as {" and as ".join(types)}')
    instants = np.concatenate([piece[2] for piece in pieces])
    values = np.concatenate([piece[3] for piece in pieces])
    finite = np.isfinite(values)
    if not finite.all():
        warnings.append(f'{metric}: {int((~finite).sum())} points overflow and are dropped')
    instants, values = instants[finite], values[finite]
    order = np.argsort(instants, kind='stable')
    instants, values = instants[order], values[order]
    last = np.append(np.diff(instants) > 0, True)[: instants.size]
    return Series(metric, tags, instants[last], values[last], cast(Kind, types[0]), interval)
