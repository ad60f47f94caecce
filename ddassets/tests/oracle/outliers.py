"""A second computation of outliers, from the text of section 19 of the semantics: lists, no NumPy.

A member is a list of (instant, value) one interval apart; all start at the same instant.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import median

type Points = Mapping[int, float]


def interpolated(points: Points, interval: int, end: int) -> dict[int, float]:
    """Fill gaps of up to 300 s between two points, and hold the last of two points that are further apart or the last
    of all for 300 s (rule 2.16, A95, A96).
    """
    found = dict(points)
    instants = sorted(points)
    for number, instant in enumerate(instants):
        later = instants[number + 1] if number + 1 < len(instants) else None
        at = instant + interval
        while at < (end if later is None else later):
            if at - instant <= 300:
                if later is not None:
                    share = (at - instant) / (later - instant)
                    found[at] = points[instant] + (points[later] - points[instant]) * share
                else:
                    found[at] = points[instant]
            at += interval
    return found


def verdicts(
    members: Mapping[str, Points],
    instant: int,
    window: int,
    algorithm: str,
    tolerance: float,
    constant: float,
    share: float,
) -> dict[str, bool]:
    """Return which members are outliers at an instant, of those with a point in (instant - window, instant]."""
    inside = {
        name: {at: value for at, value in points.items() if instant - window < at <= instant}
        for name, points in members.items()
    }
    present = {name: points for name, points in inside.items() if points}
    if not present:
        return {}
    common = sorted(set.intersection(*(set(points) for points in present.values())))
    if not common:
        return {}
    if len(present) < 3:
        return dict.fromkeys(present, False)
    rows = {name: [points[at] for at in common] for name, points in present.items()}
    if algorithm == 'mad':
        return _mad(rows, tolerance * constant, share)
    return _dbscan(rows, tolerance * constant)


def _mad(rows: Mapping[str, Sequence[float]], factor: float, share: float) -> dict[str, bool]:
    middle = median(value for row in rows.values() for value in row)
    limit = factor * median(abs(value - middle) for row in rows.values() for value in row)
    return {name: sum(abs(value - middle) > limit for value in row) > share * len(row) for name, row in rows.items()}


def _dbscan(rows: Mapping[str, Sequence[float]], factor: float) -> dict[str, bool]:
    middle = [median(column) for column in zip(*rows.values(), strict=True)]
    epsilon = factor * median(_distance(row, middle) for row in rows.values())
    clusters: list[set[str]] = []
    for name in rows:
        touching = [one for one in clusters if any(_distance(rows[name], rows[other]) <= epsilon for other in one)]
        clusters = [one for one in clusters if one not in touching] + [{name}.union(*touching)]
    sizes = sorted(map(len, clusters))
    if sizes.count(sizes[-1]) > 1:
        return dict.fromkeys(rows, False)
    largest = max(clusters, key=len)
    return {name: name not in largest for name in rows}


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    return sqrt(sum((left - right) ** 2 for left, right in zip(one, other, strict=True)))
