"""Buckets of time: of equal length, aligned to Unix time, or calendar units of a time zone."""

import functools
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from ddassets.engine.column import Floats, Indices
from ddassets.engine.timeline import DAY
from ddassets.regex import regex

type CalendarUnit = Literal['daily', 'weekly', 'monthly']

_HOUR = regex(r'(1[0-2]|[1-9])(am|pm)', re.IGNORECASE)
_LONGEST: dict[CalendarUnit, int] = {'daily': 1, 'weekly': 7, 'monthly': 31}
_SHORTEST: dict[CalendarUnit, int] = {'daily': 1, 'weekly': 7, 'monthly': 28}
# No change of clocks is longer.
CLOCK_CHANGE = 3 * 3600


class Buckets(Protocol):
    """Consecutive buckets by number. All instants are in seconds since the epoch."""

    def number(self, instants: Indices | Floats) -> Indices:
        """Return the number of the bucket that contains each instant."""
        ...

    def number_from(self, instants: Indices | Floats) -> Indices:
        """Return the number of the first bucket that begins at or after each instant."""
        ...

    def start(self, numbers: Indices) -> Indices:
        """Return the instants at which buckets begin."""
        ...

    def length(self, numbers: Indices) -> Indices | int:
        """Return the lengths of buckets, in seconds."""
        ...

    def least(self, seconds: int) -> int:
        """Return a lower bound of the number of buckets from a bucket's start back to the instant `seconds` earlier."""
        ...

    def greatest(self, seconds: int) -> int:
        """Return an upper bound of the number of buckets from a bucket's start back to the instant `seconds`
        earlier.
        """
        ...


@dataclass(frozen=True, slots=True)
class EvenBuckets:
    """Buckets of `step` seconds; number n begins at n * step (rule 7.1)."""

    step: int

    def number(self, instants: Indices | Floats) -> Indices:
        return np.floor_divide(instants, self.step).astype(np.int64)

    def number_from(self, instants: Indices | Floats) -> Indices:
        return -np.floor_divide(-instants, self.step).astype(np.int64)

    def start(self, numbers: Indices) -> Indices:
        return numbers * self.step

    def length(self, numbers: Indices) -> int:
        return self.step

    def least(self, seconds: int) -> int:
        return seconds // self.step

    def greatest(self, seconds: int) -> int:
        return -(-seconds // self.step)


@dataclass(frozen=True, slots=True)
class CalendarBuckets:
    """Days, weeks or months of a time zone; a day has 23 to 25 hours (rule 20.19).

    A day begins at `hour`, a week on `weekday` (0 is Monday). Of a wall time that occurs twice the first is used. If
    the wall time of a start does not exist, the bucket begins at the clock change.
    """

    unit: CalendarUnit
    zone: str = 'UTC'
    hour: int = 0
    weekday: int = 6

    @property
    def longest(self) -> int:
        """An upper bound of the length of a bucket, in seconds."""
        return _LONGEST[self.unit] * DAY + CLOCK_CHANGE

    def number(self, instants: Indices | Floats) -> Indices:
        return self._ranks(instants, 'right') - 1

    def number_from(self, instants: Indices | Floats) -> Indices:
        return self._ranks(instants, 'left')

    def _ranks(self, instants: Indices | Floats, side: Literal['left', 'right']) -> Indices:
        """Return the number of the first bucket that begins at or after each instant; after it, with `right`."""
        if not np.size(instants):
            return np.zeros(np.shape(instants), dtype=np.int64)
        # One more on each side: a local day may differ from that of UTC, and begin at another hour.
        first = self._of(_utc_date(float(np.min(instants))) - timedelta(days=2)) - 1
        last = self._of(_utc_date(float(np.max(instants))) + timedelta(days=2)) + 1
        starts = np.array([_start(self, number) for number in range(first, last + 1)], dtype=np.int64)
        return first + np.asarray(np.searchsorted(starts, instants, side=side), dtype=np.int64)

    def start(self, numbers: Indices) -> Indices:
        each, index = np.unique(numbers, return_inverse=True)
        starts = np.array([_start(self, int(number)) for number in each], dtype=np.int64)
        return starts[index].reshape(np.shape(numbers)) if each.size else np.zeros(np.shape(numbers), dtype=np.int64)

    def length(self, numbers: Indices) -> Indices:
        return self.start(numbers + 1) - self.start(numbers)

    def least(self, seconds: int) -> int:
        return seconds // self.longest

    def greatest(self, seconds: int) -> int:
        return -(-seconds // (_SHORTEST[self.unit] * DAY - CLOCK_CHANGE))

    def _of(self, day: date) -> int:
        """Return the number of the unit that contains a date."""
        match self.unit:
            case 'daily':
                return day.toordinal()
            case 'weekly':
                # The first of January of year 1 was a Monday.
                return (day.toordinal() - 1 - self.weekday) // 7
            case 'monthly':
                return day.year * 12 + day.month - 1

    def first_day(self, number: int) -> date:
        """Return the date on which a unit begins."""
        match self.unit:
            case 'daily':
                return date.fromordinal(number)
            case 'weekly':
                return date.fromordinal(number * 7 + 1 + self.weekday)
            case 'monthly':
                return date(number // 12, number % 12 + 1, 1)


@functools.lru_cache(8192)
def _start(buckets: CalendarBuckets, number: int) -> int:
    zone = ZoneInfo(buckets.zone)
    wall = datetime.combine(buckets.first_day(number), time(buckets.hour))
    early, late = (int(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).timestamp()) for fold in (1, 0))
    if early >= late:
        # The first of two; usually there is one.
        return min(early, late)
    # In a gap: the first instant behind it.
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (middle, late) if _wall(middle, zone) < wall else (early, middle)
    return late


def _wall(instant: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(instant, zone).replace(tzinfo=None, fold=0)


def _utc_date(instant: float) -> date:
    return datetime.fromtimestamp(instant, UTC).date()


def parse_hour(text: str) -> int | None:
    """Return the hour of a text such as `12am` or `5pm`, None for another text.

    >>> parse_hour('12am'), parse_hour('12pm'), parse_hour('5pm'), parse_hour('13pm')
    (0, 12, 17, None)
    """
    match = _HOUR.fullmatch(text)
    return int(match[1]) % 12 + (12 if match[2].lower() == 'pm' else 0) if match else None
