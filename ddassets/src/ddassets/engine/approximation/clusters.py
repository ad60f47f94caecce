"""Which members of a group are outliers, by the published part of DBSCAN and MAD (rules 19.4 to 19.7). Pure NumPy.

Points are a row for each member and a column for each dimension.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ddassets.engine.column import Flags, Floats, Indices

#: More differences of coordinates are computed member by member, to bound memory.
MAX_AT_ONCE = 2_000_000


@dataclass(frozen=True, eq=False)
class Clusters:
    """The result of DBSCAN for one window.

    `distances` are those of the members from the median series, `threshold` their median times the constant, `between`
    the distances of the members from each other. `tied`: several clusters are the largest (A70).
    """

    distances: Floats
    threshold: float
    epsilon: float
    between: Floats
    outliers: Flags
    tied: bool


@dataclass(frozen=True, eq=False)
class Deviations:
    """The result of MAD for one window.

    `scale` is the median absolute deviation times the constant, `limit` the tolerance times that. `shares` are the
    shares of each member's points that are out, 0 to 1.
    """

    scale: float
    limit: float
    shares: Floats
    outliers: Flags


def distances(points: Floats) -> tuple[Floats, Floats]:
    """Return the distances of the members from the median series, and from each other."""
    median = np.median(points, axis=0)
    own = np.sqrt(np.square(points - median).sum(axis=1))
    if points.shape[0] * points.size <= MAX_AT_ONCE:
        return own, np.sqrt(np.square(points[:, None, :] - points[None, :, :]).sum(axis=2))
    return own, np.stack([np.sqrt(np.square(points - row).sum(axis=1)) for row in points])


def dbscan(points: Floats, tolerance: float, constant: float) -> Clusters:
    """Find the members that are not in the largest cluster (rules 19.4 to 19.6)."""
    own, between = distances(points)
    threshold = float(np.median(own)) * constant
    epsilon = tolerance * threshold
    outliers, tied = outside_largest(between, epsilon)
    return Clusters(own, threshold, epsilon, between, outliers, tied)


def outside_largest(between: Floats, epsilon: float) -> tuple[Flags, bool]:
    """Return which members are outside the largest cluster, and whether several clusters are the largest.

    Clusters are the connected components of "distance <= epsilon". With several largest ones none is an outlier.
    """
    labels = components(between <= epsilon)
    sizes = np.bincount(labels)
    largest = np.flatnonzero(sizes == sizes.max())
    if largest.size > 1:
        return np.zeros(labels.size, dtype=np.bool_), True
    return labels != largest[0], False


def components(near: Flags) -> Indices:
    """Return the number of the connected component of each member, from a symmetric matrix of neighbours."""
    size = near.shape[0]
    if near.all():
        return np.zeros(size, dtype=np.int64)
    labels = np.arange(size)
    while True:
        # Each member takes the least label among its neighbours, then the label of that label.
        least = np.where(near, labels[None, :], labels[:, None]).min(axis=1)
        least = least[least]
        if (least == labels).all():
            return np.unique(labels, return_inverse=True)[1].reshape(-1)
        labels = least


def mad(points: Floats, tolerance: float, constant: float, share: float) -> Deviations:
    """Find the members with more than `share` (0 to 1) of their points out (rule 19.7)."""
    deviations = np.abs(points - np.median(points))
    scale = float(np.median(deviations)) * constant
    limit = tolerance * scale
    shares = (deviations > limit).mean(axis=1)
    return Deviations(scale, limit, shares, shares > share)


def deciding_factor(verdict: Callable[[float], bool], breaks: Floats) -> float | None:
    """Return the factor on the tolerance, nearest to 1, that changes a verdict (rule 19.10); None if none does.

    `breaks` are the factors at which the verdict may change: from each one on, or only above it.
    """
    now = verdict(1.0)
    candidates = np.unique(breaks[np.isfinite(breaks) & (breaks > 0)])
    ordered = sorted(candidates.tolist(), key=lambda factor: abs(np.log(factor)))
    for factor in ordered:
        near = (factor * (1 - 1e-9), factor, factor * (1 + 1e-9))
        if any(verdict(one) != now for one in near):
            return float(factor)
    return None
