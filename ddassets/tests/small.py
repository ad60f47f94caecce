"""Monitors of series small enough to check by hand.

A sample lies every 60 s from START on, and evaluations happen at the same instants, so that `last_1m` sees one sample.
"""

import re
from dataclasses import replace
from typing import cast

import numpy as np

from ddassets.engine import monitor as monitors
from ddassets.engine.evaluator import evaluate
from ddassets.engine.series import Kind, Series, SeriesSet, from_compact
from ddassets.engine.state import State
from ddassets.engine.timeline import MonitorTimeline

# 2027-01-15T08:00:00Z, a multiple of an hour.
START = 1_800_000_000
LETTERS = {State.ABSENT: '.', State.OK: 'O', State.WARN: 'W', State.ALERT: 'A', State.NO_DATA: 'N'}


def body(query: str, options=None, **keys):
    return {'name': 'some', 'type': 'query alert', 'query': query, 'options': options or {}, **keys}


def read(query: str, options=None, **keys) -> monitors.Monitor:
    """Read a monitor whose timeout_h may be fractional, to keep tests short; the API accepts whole hours."""
    hours = dict(options or {}).pop('timeout_h', 0)
    whole = hours == int(hours)
    monitor = monitors.read(body(query, {**(options or {}), **({} if whole else {'timeout_h': 0})}, **keys))
    return monitor if whole else replace(monitor, timeout=int(hours * 3600))


def store(series) -> SeriesSet:
    """Return series from `metric{tag,tag}` and, if needed, ` kind interval`: points in compact notation, or (time,
    value).
    """
    found = []
    for name, points in series.items():
        match = re.fullmatch(r'([\w.]+)(?:{(.*)})?(?: (gauge|count|rate) (\d+))?', name)
        assert match, name
        metric, tags, kind, interval = match.groups()
        form = cast(Kind, kind or 'gauge')
        keys = metric, frozenset(filter(None, (tags or '').split(',')))
        seconds = int(interval or 60)
        if isinstance(points, str):
            found.append(from_compact(points, *keys, START, form, seconds))
        else:
            times, values = np.array(points, dtype=float).T
            found.append(Series(*keys, times + START, values, form, seconds))
    return SeriesSet(found)


def run(query, series, options=None, minutes=None, choices=None, end=None, second=0, **keys) -> MonitorTimeline:
    points = store(series)
    last = START + 60 * minutes if minutes else int(points.end)
    monitor = read(query, options, **keys)
    return evaluate(monitor, points, START, end or last + 1, second, choices)


def letters(timeline: MonitorTimeline, group=()) -> str:
    return ''.join(LETTERS[State(state)] for state in timeline.groups[group].states)


def values(timeline: MonitorTimeline, group=()) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 6) for value in timeline.groups[group].values]
