"""The value of a function of the points up to a given one, or of all points of the window (section 20)."""

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import median

from oracle.arithmetic import aggregate
from oracle.queries import Wrapped

SMOOTHING = ('median', 'ewma', 'moving_rollup')
OVER_WINDOW = ('trend_line',)
COUNTS = ('count_nonzero', 'count_not_null')


def family(name: str) -> str:
    """Return the family of a function: `median` for `median_5`."""
    return name.rsplit('_', 1)[0] if name[:6] == 'median' or name[:4] == 'ewma' else name


def smoothed(query: Wrapped, points: Sequence[tuple[float, float]], choices: Mapping[str, str]) -> float:
    """The value at the last of the points, which are (instant, value) and rise."""
    name = family(query.name)
    if name == 'median':
        return float(median([value for _, value in points][-int(query.name.rsplit('_', 1)[1]) :]))
    if name == 'ewma':
        span = int(query.name.rsplit('_', 1)[1])
        weight = 2 / (span + 1) if choices['A80'] == '2/(n+1)' or span == 1 else 2 / (span + 2)
        average = points[0][1]
        for _, value in points[1:]:
            average = weight * value + (1 - weight) * average
        return average
    since = points[-1][0] - (query.argument or 0)
    closed = choices['A78'] == '[t-X,t]'
    inside = [value for instant, value in points if instant > since or (closed and instant == since)]
    result = aggregate(query.method or '', inside)
    assert result is not None
    return result


def on_line(instant: float, points: Sequence[tuple[float, float]]) -> float:
    """The least-squares line through the points, at an instant."""
    start = points[0][0]
    times = [at - start for at, _ in points]
    mean_time, mean_value = sum(times) / len(times), sum(value for _, value in points) / len(points)
    square = sum((at - mean_time) ** 2 for at in times)
    if not square:
        return mean_value
    slope = sum((at - mean_time) * (value - mean_value) for at, (_, value) in zip(times, points, strict=True)) / square
    return mean_value + slope * (instant - start - mean_time)


def rank(by: str, points: Sequence[tuple[float, float]], bucket: float) -> float | None:
    """Return the rank value of a group for top() (rules 20.16 and 20.17)."""
    if not points:
        return None
    values = [value for _, value in points]
    match by:
        case 'last':
            return values[-1]
        case 'l2norm':
            return sqrt(sum(value * value for value in values))
        case 'area':
            ends = [*(instant for instant, _ in points[1:]), points[-1][0] + bucket]
            return sum(value * (end - at) for (at, value), end in zip(points, ends, strict=True))
    return aggregate({'mean': 'avg'}.get(by, by), values)
