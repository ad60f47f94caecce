"""Functions of a point and its neighbours, over runs of points: medians, moving averages, trend lines, sums.

A run is a sequence of consecutive points, as one evaluation sees them. All runs are concatenated in one array; `starts`
is the index of the first point of each point's run. NaN: a point without a value.
"""

import numpy as np

from ddassets.engine.column import Column, Floats, Indices


def median(values: Floats, starts: Indices, span: int) -> Floats:
    """Return the median of each value and the `span` - 1 previous values, ignoring missing ones (rule 20.13)."""
    there = np.flatnonzero(~np.isnan(values))
    table = np.full((there.size, span), np.nan)
    for back in range(min(span, there.size)):
        earlier = there[: there.size - back]
        same = earlier >= starts[there[back:]]
        table[back:, back] = np.where(same, values[earlier], np.nan)
    result = np.full(values.size, np.nan)
    result[there] = row_medians(table)
    return result


def row_medians(table: Floats) -> Floats:
    """Return the median of each row, NaN for a row without values."""
    ordered = np.sort(table, axis=1)
    number = np.maximum((~np.isnan(table)).sum(axis=1), 1)
    rows = np.arange(table.shape[0])
    lower, upper = ordered[rows, (number - 1) // 2], ordered[rows, number // 2]
    return np.asarray(np.where(lower == upper, lower, (lower + upper) / 2))


def ewma(values: Floats, starts: Indices, seeds: Floats, weight: float) -> Floats:
    """Return the exponentially weighted moving average (rule 20.14). `weight` is that of the newest value.

    `seeds` has, for each point, the average before the first point of its run; NaN without one, so that the first value
    is the average.
    """
    result = np.full(values.size, np.nan)
    there = np.flatnonzero(~np.isnan(values))
    run, average = -1, np.nan
    for index, value, start, seed in zip(
        there.tolist(), values[there].tolist(), starts[there].tolist(), seeds[there].tolist(), strict=True
    ):
        if start != run:
            run, average = start, seed
        average = value if average != average else average + weight * (value - average)
        result[index] = average
    return result


def moving(values: Floats, first: Indices, method: str) -> Floats:
    """Return an aggregate of the values from the index `first` to each point; NaN for a point without one."""
    index = np.arange(values.size)
    result = Column(values).aggregate(method, (first, index + 1))
    return np.where(np.isnan(values), np.nan, result)


def trend_line(times: Floats, values: Floats, starts: Indices) -> Floats:
    """Return the least-squares line of each run, at the times of its values (rule 20.25)."""
    there = ~np.isnan(values)
    at = times - times[starts]
    _, run = np.unique(starts, return_inverse=True)
    runs = int(run.max(initial=-1)) + 1

    def mean(column: Floats) -> Floats:
        total = np.bincount(run[there], column[there], minlength=runs)
        return np.asarray(total / np.maximum(np.bincount(run[there], minlength=runs), 1))

    middle, level = mean(at)[run], mean(values)[run]
    variance, covariance = mean((at - middle) ** 2)[run], mean((at - middle) * (values - level))[run]
    slope = np.divide(covariance, variance, out=np.zeros_like(covariance), where=variance > 0)
    return np.where(there, level + slope * (at - middle), np.nan)


def cumulative(times: Floats, values: Floats, starts: Indices, integral: bool) -> Floats:
    """Return the running sum of each run (rule 20.15): of the values, or of their changes times the seconds between."""
    there = np.flatnonzero(~np.isnan(values))
    result = np.full(values.size, np.nan)
    total, run, before = 0.0, -1, -1
    for index in there.tolist():
        if starts[index] != run:
            total, run, before = 0.0, int(starts[index]), index
        change = (times[index] - times[before]) * (values[index] - values[before]) if integral else values[index]
        total, before = total + float(change), index
        result[index] = total
    return result
