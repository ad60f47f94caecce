"""Lines of points, packed for the page: a level for each length of bucket that Datadog's graphs use by default.

A long frame then has few points and no extreme is lost: each bucket keeps the least and the greatest of the finest
points inside it. Levels too fine for a long rehearsal keep their newest part only.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ddassets.engine.graph import Line
from ddassets.report.model import MAX_GAP, Level, Pool, Series

# Seconds of a bucket in a frame of up to 1 hour, 4 hours, 1 day, 2 days, 1 week and beyond (rule 2.5).
BUCKETS = (20, 60, 300, 600, 3600, 14400)
# A week of the finest buckets in a rehearsal of up to a week, two weeks of minutes in a longer one.
WEEK = 7 * 86400
MAX_BUCKETS = WEEK // BUCKETS[0]
MIN_BUCKETS = 2 * WEEK // BUCKETS[1]


def kept_buckets(length: int) -> int:
    """Return how many of the newest buckets of each length are kept for a rehearsal of so many seconds."""
    return max(MIN_BUCKETS, min(MAX_BUCKETS, MAX_BUCKETS * WEEK // length))


def average(line: Line, bucket: int) -> Line:
    """Return the mean of the points in each bucket, aligned to multiples of `bucket` (rule 7.1)."""
    starts, first = _buckets(line.times, bucket)
    if not first.size:
        return line
    counts = np.diff(first, append=line.times.size)
    return Line(line.name, starts, np.add.reduceat(line.values, first) / counts)


def pack(
    pool: Pool, start: int, end: int, name: str, lines: Callable[[int], Line | None], buckets: tuple[int, ...]
) -> Series:
    """Pack the levels of one line, which `lines` returns for each length of bucket; levels without points are
    omitted.
    """
    finest = lines(buckets[0])
    return Series(name, list(_levels(pool, start, end, finest.held() if finest else None, lines, buckets)))


def _levels(
    pool: Pool, start: int, end: int, finest: Line | None, lines: Callable[[int], Line | None], buckets: tuple[int, ...]
) -> Iterator[Level]:
    least = greatest = finest
    for bucket in buckets:
        line = finest if bucket == buckets[0] else lines(bucket)
        if line is None or finest is None or least is None or greatest is None:
            continue
        # Those of a coarser level come from the finer one's: each length of bucket divides the next.
        starts, first = _buckets(least.times, bucket)
        least = Line(finest.name, starts, np.minimum.reduceat(least.values, first))
        greatest = Line(finest.name, starts, np.maximum.reduceat(greatest.values, first))
        line = line.held()
        earliest = max(start - bucket, end - kept_buckets(end - start) * bucket)
        kept = line.times >= earliest
        times, values = line.times[kept], line.values[kept]
        if not times.size:
            continue
        # Where no bucket holds more than one of the finest points, its value is both.
        several = starts.size < finest.times.size
        steps = np.rint(np.diff(times, prepend=times[0] - bucket) / bucket).astype(np.int64)
        # A gap of more steps than the pool can hold is bridged by missing values.
        fillers = (steps - 1) // MAX_GAP
        steps = np.insert(steps - fillers * MAX_GAP, np.repeat(np.arange(steps.size), fillers), MAX_GAP)
        yield Level(
            step=bucket,
            start=int(times[0]),
            count=int(steps.size),
            gaps=pool.gaps(steps),
            values=pool.numbers(_spread(values, fillers)),
            # Nothing of the finest points is earlier.
            complete=bool(kept.all() and starts[0] >= times[0] - bucket),
            low=pool.numbers(_spread(_at(least, times), fillers)) if several else None,
            high=pool.numbers(_spread(_at(greatest, times), fillers)) if several else None,
        )


def _spread(column: NDArray[np.float64], missing: NDArray[np.int64]) -> NDArray[np.float64]:
    """Insert a number of missing values before each point."""
    return np.insert(column, np.repeat(np.arange(column.size), missing), np.nan)


def _buckets(times: NDArray[np.float64], bucket: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the starts of the buckets that contain a time, and the index of the first time in each."""
    starts = times.astype(np.int64) // bucket * bucket
    first = np.flatnonzero(np.diff(starts, prepend=starts[:1] - bucket))
    return starts[first].astype(np.float64), first


def _at(line: Line, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the line's values at some times, NaN without a value."""
    place = np.minimum(np.searchsorted(line.times, times), line.times.size - 1)
    return np.where(line.times[place] == times, line.values[place], np.nan)
