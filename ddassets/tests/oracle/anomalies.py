"""A second computation of the band of anomalies(…, 'basic', …), from the text of section 19 of the semantics."""

from collections.abc import Mapping, Sequence
from statistics import median


def outside(
    points: Mapping[int, float], width: int, lag: int, deviations: float, quantiles: bool, direction: str
) -> dict[int, bool]:
    """Return which points are outside their band, for those with a band (rules 19.11 and 19.12)."""
    instants = sorted(points)
    found = {}
    for number, instant in enumerate(instants):
        last = number - lag
        before = [points[one] for one in instants[max(0, last - width) : max(0, last)]]
        if len(before) < 5:
            continue
        middle = median(before)
        if quantiles:
            half = deviations / 2 * (_quantile(before, 0.84) - _quantile(before, 0.16))
        else:
            half = deviations * 1.4826 * median(abs(one - middle) for one in before)
        value = points[instant]
        above, below = value > middle + half, value < middle - half
        found[instant] = (above and direction != 'below') or (below and direction != 'above')
    return found


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    index = int(place)
    upper = ordered[min(index + 1, len(ordered) - 1)]
    return ordered[index] + (upper - ordered[index]) * (place - index)
