"""Shift to the same local time a number of days, weeks or months earlier (rule 20.18)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from dateutil.relativedelta import relativedelta

from ddassets.engine.buckets import CLOCK_CHANGE
from ddassets.engine.column import Floats, Indices
from ddassets.engine.timeline import DAY
from ddassets.regex import regex

_SHIFT = regex(r'-(\d{1,4})(d|w|mo)')
# Local days begin, and clocks change, at multiples of this many seconds.
_GRAIN = 900


@dataclass(frozen=True, slots=True)
class CalendarShift:
    """A number of days, weeks or months, and the time zone whose wall time is kept."""

    number: int
    unit: str
    zone: str

    @classmethod
    def parse(cls, text: str, zone: str) -> 'CalendarShift | None':
        """Return the shift of a text such as `-7d`; None for another text."""
        match = _SHIFT.fullmatch(text)
        return cls(int(match[1]), match[2], zone) if match else None

    @property
    def least(self) -> int:
        """A lower bound of the shift, in seconds."""
        return max(self.number * {'d': DAY, 'w': 7 * DAY, 'mo': 28 * DAY}[self.unit] - CLOCK_CHANGE, 0)

    @property
    def greatest(self) -> int:
        """An upper bound of the shift, in seconds."""
        return self.number * {'d': DAY, 'w': 7 * DAY, 'mo': 31 * DAY}[self.unit] + CLOCK_CHANGE

    def seconds(self, instants: Indices | Floats) -> Indices:
        """Return the length of the shift at each instant, both in seconds; instants are since the epoch.

        A day that the earlier month lacks is its last day (A83). Of a wall time that occurs twice the first is used;
        one that does not exist is read with the offset before the gap.

        >>> berlin = CalendarShift(1, 'd', 'Europe/Berlin')
        >>> berlin.seconds(np.array([1_806_228_000])) // 3600  # 2027-03-28T12:00, the clocks changed at night
        array([23])
        """
        grains, index = np.unique(np.floor_divide(instants, _GRAIN).astype(np.int64), return_inverse=True)
        zone = ZoneInfo(self.zone)
        shifts = np.array([self._of(int(grain) * _GRAIN, zone) for grain in grains], dtype=np.int64)
        return shifts[index] if grains.size else grains

    def _of(self, instant: int, zone: ZoneInfo) -> int:
        local = datetime.fromtimestamp(instant, zone).replace(tzinfo=None, fold=0)
        if self.unit == 'mo':
            earlier = local - relativedelta(months=self.number)
        else:
            earlier = local - timedelta(days=self.number * (7 if self.unit == 'w' else 1))
        return instant - int(earlier.replace(tzinfo=zone).astimezone(UTC).timestamp())
