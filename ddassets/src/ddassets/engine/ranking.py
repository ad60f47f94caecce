"""The groups that top() keeps (rules 20.16 and 20.17)."""

from collections.abc import Sequence

import numpy as np

from ddassets.engine.column import Column, Flags, Floats, Indices, Ranges
from ddassets.engine.plan import Ranking

_AGGREGATES = {'mean': 'avg', 'max': 'max', 'min': 'min', 'sum': 'sum'}


def score(rank: str, times: Floats, values: Floats, windows: Ranges, bucket: Indices | int) -> Floats:
    """Return the rank value of a group over each window: `windows` are ranges of the points; `bucket` is the length of
    each point's bucket, in seconds. The area of a point extends to the next one, that of the last one is as wide as its
    bucket.
    """
    column = Column(values)
    if rank in _AGGREGATES:
        return column.aggregate(_AGGREGATES[rank], windows)
    if rank == 'l2norm':
        return np.asarray(np.sqrt(Column(values * values).aggregate('sum', windows)))
    last = column.last(windows)
    there = last >= 0
    newest = np.where(there, values[np.maximum(last, 0)], np.nan) if values.size else np.full(last.size, np.nan)
    if rank == 'last':
        return newest
    following = column.next(np.arange(values.size) + 1)
    last_width = np.broadcast_to(bucket, values.shape).take(last, mode='clip') if values.size else 0
    width = times.take(following, mode='clip') - times if values.size else times
    before = Column(values * width).aggregate('sum', (windows[0], np.maximum(last, windows[0])))
    return np.asarray(np.where(np.isnan(before), 0.0, before) + newest * last_width)


def kept(ranking: Ranking, scores: Sequence[Floats]) -> list[Flags]:
    """Return at which evaluations each group is among the first, in the order of names.

    Groups with equal scores are sorted by name (A82). A group without a score is never kept.
    """
    table = np.stack(scores)
    order = np.argsort(-table if ranking.largest else table, axis=0, kind='stable')
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(len(scores))[:, np.newaxis], axis=0)
    return list((place < ranking.number) & ~np.isnan(table))
