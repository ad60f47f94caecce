"""A small monitor and a small series for the examples in docstrings.

>>> from ddassets.engine.evaluator import evaluate
>>> from ddassets.engine.notification import notifications
>>> timeline = evaluate(monitor(), series('1 9 1'), start=1_800_000_000, end=1_800_000_180)
>>> [(one.kind, one.value) for one in notifications(monitor(), timeline.groups[()])]
[('alert', 9.0), ('recovery', 1.0)]
"""

from ddassets.engine.monitor import Monitor, Thresholds
from ddassets.engine.series import Kind, SeriesSet, from_compact
from ddassets.language.query.syntax import parse_monitor

#: 2027-01-15T08:00:00Z, in seconds since the epoch.
START = 1_800_000_000


def monitor(text: str = 'avg(last_1m):avg:acme.queue{*} > 5') -> Monitor:
    """Return a monitor with a query and no options.

    >>> monitor().thresholds.critical
    5.0
    """
    query = parse_monitor(text)
    return Monitor('Queue', Thresholds(query.threshold), query)


def series(points: str, *tags: str, metric: str = 'acme.queue', kind: Kind = 'gauge') -> SeriesSet:
    """Return one series in compact notation, with a point per minute from `START` on.

    >>> [len(one) for one in series('1 _ 3')]
    [2]
    """
    return SeriesSet([from_compact(points, metric, tags, START, kind)])
