"""From what the runs of a simulation submitted to series: the rules of `sampler.py`, in columns where they are many."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ddassets.agent.sampler import Sample, Sampler
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.series import Floats, Kind, Series


@dataclass(frozen=True)
class Source:
    """What a sample belongs to: an instance (from 0), a stretch in which the Agent was on, and the call's arguments."""

    instance: int
    stretch: int
    kind: str
    name: str
    tags: tuple[str, ...]
    host: str


@dataclass(frozen=True, eq=False)
class Columns:
    """Samples in the order in which they were submitted, one row each, as in `simulator.Tape`."""

    sources: NDArray[np.int32]
    commits: Floats
    stamps: Floats
    values: Floats
    firsts: NDArray[np.int8]

    @classmethod
    def join(cls, batches: Sequence[bytes]) -> 'Columns':
        """From raw columns, five to a batch."""
        types = ('i4', 'f8', 'f8', 'f8', 'i1')
        return cls(*(np.frombuffer(b''.join(batches[number::5]), dtype) for number, dtype in enumerate(types)))

    def at(self, rows: NDArray[np.intp]) -> 'Columns':
        return Columns(self.sources[rows], self.commits[rows], self.stamps[rows], self.values[rows], self.firsts[rows])


type Points = tuple[str, str, int, Floats, Floats]  # name suffix, type, interval (0 for none), instants, values


def to_series(
    sources: Sequence[Source],
    columns: Columns,
    intervals: Sequence[int],
    tags: Callable[[Source], Iterable[str]],
) -> tuple[list[Series], list[str]]:
    """The series that the Agent sends, and a sentence for each kind of sample that it drops.

    `intervals` (seconds) are those of the instances; `tags` gives all tags of a source. Points stand at whole seconds,
    the last of a second counts. Raises UnusableInputError where a series would be of two types.
    """
    finite = np.isfinite(columns.values)
    dropped = [
        f'{name}: the Agent drops values that are not finite'
        for name in sorted({sources[number].name for number in np.unique(columns.sources[~finite])})
    ]
    columns = columns.at(np.flatnonzero(finite))
    # Sources that differ in the order of their tags are one, and rows of one source stand together, in their order.
    ordered = [Source(**{**vars(source), 'tags': tuple(sorted(set(source.tags)))}) for source in sources]
    unique = list(dict.fromkeys(ordered))
    number_of = {source: number for number, source in enumerate(unique)}
    numbers = np.array([number_of[source] for source in ordered], dtype=np.intp)[columns.sources]
    order = np.argsort(numbers, kind='stable')
    bounds = np.searchsorted(numbers[order], np.arange(len(unique) + 1))
    parts: dict[tuple[str, frozenset[str]], list[Points]] = defaultdict(list)
    shortest: dict[tuple[str, frozenset[str]], int] = {}
    for number, source in enumerate(unique):
        rows = columns.at(order[bounds[number] : bounds[number + 1]])
        for points in _points(source, rows, dropped):
            key = source.name + points[0], frozenset(tags(source))
            parts[key].append(points)
            interval = points[2] or intervals[source.instance]
            shortest[key] = min(shortest.get(key, interval), interval)
    series = [_one(metric, tags_, pieces, shortest[metric, tags_]) for (metric, tags_), pieces in parts.items()]
    return [one for one in series if len(one)], list(dict.fromkeys(dropped))


def _points(source: Source, rows: Columns, dropped: list[str]) -> Iterator[Points]:
    if not rows.values.size:
        return
    begins = np.flatnonzero(np.diff(rows.commits, prepend=-np.inf))
    instants = np.floor(rows.commits[begins])
    match source.kind:
        case 'gauge':
            yield '', 'gauge', 0, instants, rows.values[np.append(begins[1:], rows.values.size) - 1]
        case 'count':
            yield '', 'count', 0, instants, np.add.reduceat(rows.values, begins)
        case _:
            yield from _run_by_run(source, rows, np.append(begins, rows.values.size), dropped)


def _run_by_run(source: Source, rows: Columns, bounds: NDArray[np.intp], dropped: list[str]) -> Iterator[Points]:
    sampler = Sampler('')
    found: dict[tuple[str, str, int], list[tuple[int, float]]] = defaultdict(list)
    for begin, end in zip(bounds.tolist(), bounds[1:].tolist(), strict=False):
        samples = (
            Sample(source.name, source.kind, value, source.tags, '', stamp, bool(first))
            for value, stamp, first in zip(
                rows.values[begin:end].tolist(),
                rows.stamps[begin:end].tolist(),
                rows.firsts[begin:end].tolist(),
                strict=True,
            )
        )
        series, lost = sampler.flush(samples, float(rows.commits[begin]))
        dropped += lost
        for one in series:
            found[one.metric.removeprefix(source.name), one.type, one.interval].append((one.timestamp, one.value))
    for (suffix, kind, interval), points in found.items():
        instants, values = np.array(points, dtype=np.float64).T
        yield suffix, kind, interval, instants, values


def _one(metric: str, tags: frozenset[str], pieces: list[Points], interval: int) -> Series:
    kinds = sorted({kind for _, kind, *_ in pieces})
    if len(kinds) > 1:
        raise UnusableInputError(f'{metric}{{{",".join(sorted(tags))}}}: submitted as {" and as ".join(kinds)}')
    instants = np.concatenate([piece[3] for piece in pieces])
    values = np.concatenate([piece[4] for piece in pieces])
    order = np.argsort(instants, kind='stable')
    instants, values = instants[order], values[order]
    counts = np.append(np.diff(instants) > 0, True)[: instants.size]
    return Series(metric, tags, instants[counts], values[counts], cast(Kind, kinds[0]), interval)
