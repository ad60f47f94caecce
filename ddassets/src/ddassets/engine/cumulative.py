"""Cumulative windows: where the window of each evaluation begins (rules 16.1 to 16.8).

>>> from datetime import UTC, datetime
>>> window = CumulativeWindow('h', minute=30)
>>> instants = np.array([int(datetime(2027, 1, 4, 7, minute, tzinfo=UTC).timestamp()) for minute in (29, 31)])
>>> [datetime.fromtimestamp(start, UTC).strftime('%H:%M') for start in window.starts(instants, Assumptions())]
['06:30', '07:30']
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

import numpy as np

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Indices

type CumulativeUnit = Literal['h', 'd', 'mo']

#: The longest extent of a window, in seconds. It decides the cadence (A54), and stands for the window's length.
EXTENTS: dict[CumulativeUnit, int] = {'h': 3600, 'd': 86400, 'mo': 31 * 86400}
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CumulativeWindow:
    """A window that begins at fixed boundaries and grows until the next one.

    An hour begins at `minute`; a day at `at`; a month on `month_day`, at `at`. All are local times of `zone`.
    """

    unit: CumulativeUnit
    minute: int = 0
    at: time = time(0)
    month_day: int = 1
    zone: tzinfo = UTC

    @property
    def extent(self) -> int:
        return EXTENTS[self.unit]

    def starts(self, ends: Indices, assumptions: Assumptions) -> Indices:
        """Return the latest boundary at or before each instant, in seconds."""
        if not ends.size:
            return ends
        boundaries = self._boundaries(int(ends.min()), int(ends.max()), assumptions)
        rank = np.searchsorted(boundaries, ends, side='right')
        exact = boundaries[rank - 1] == ends
        if exact.any() and assumptions.boundary_tick != 'new window':
            rank = rank - exact
        starts: Indices = boundaries[rank - 1]
        return starts

    def _boundaries(self, first: int, last: int, assumptions: Assumptions) -> Indices:
        """Return the boundaries from one before `first` to `last`. The choices matter if one of them is moved."""
        begin = datetime.fromtimestamp(first, UTC).replace(tzinfo=None) - timedelta(seconds=self.extent) - 3 * _DAY
        stop = datetime.fromtimestamp(last, UTC).replace(tzinfo=None) + 2 * _DAY
        found: set[int] = set()
        for wall in self._walls(begin, stop):
            instants, exists = _instants(wall, self.zone)
            # Of a wall time that occurs twice a day or a month has the first; an hour that occurs twice is two hours.
            used = instants if self.unit == 'h' else instants[:1]
            found.update(used)
            inside = any(first - self.extent <= instant <= last for instant in used)
            if not exists and inside:
                assumptions.rely_on(Assumptions.missing_boundary)
            if self.unit == 'mo' and wall.day < self.month_day and inside:
                assumptions.rely_on(Assumptions.short_month)
        return np.array(sorted(found), dtype=np.int64)

    def _walls(self, begin: datetime, stop: datetime) -> Iterator[datetime]:
        """Yield the local times of the boundaries between two local times."""
        if self.unit == 'h':
            wall = begin.replace(minute=self.minute, second=0, microsecond=0)
            while wall <= stop:
                yield wall
                wall += _HOUR
            return
        day = begin.date()
        while day <= stop.date():
            if self.unit == 'd' or day.day == min(self.month_day, _last_day(day)):
                yield datetime.combine(day, self.at)
            day += _DAY


def _last_day(day: date) -> int:
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - _DAY).day


def _instants(wall: datetime, zone: tzinfo) -> tuple[list[int], bool]:
    """Return the instants of a local time, in order, and whether it exists; else the next valid instant (A52)."""
    early, late = (int(wall.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1))
    if early <= late:
        return ([early] if early == late else [early, late]), True
    # In a gap the two readings are on either side of it.
    first = range(late, early)
    at = bisect_left(first, wall, key=lambda instant: datetime.fromtimestamp(instant, zone).replace(tzinfo=None))
    return [late + at], False
