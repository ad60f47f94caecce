"""Parse and write the times of a scenario: wall times, lengths, and hours of the week."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ddassets import duration
from ddassets.regex import regex

_INSTANT = regex(r'(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)([+-]\d\d:\d\d|Z)?)?')
_TIME_OF_DAY = regex(r'([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?')
DAYS = ('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')
_HOURS = regex(r'(\d\d):(\d\d)-(\d\d):(\d\d)')
# The tables of time zones do not reach further.
YEARS = range(1970, 2100)


class TimeFault(ValueError):
    """A text that is not a time. The message says what is expected."""


def read_instant(text: str, zone: ZoneInfo) -> int:
    """Return the second since the epoch of a wall time such as 2027-01-04T08:00:00 in `zone`; a date is its midnight.

    A wall time that occurs twice needs an offset: 2026-10-25T02:30:00+01:00. Raises TimeFault.
    """
    match = _INSTANT.fullmatch(text)
    try:
        moment = datetime.fromisoformat(f'{match[1]}T{match[2] or "00:00"}{match[3] or ""}') if match else None
    except ValueError:
        moment = None
    if moment is None:
        raise TimeFault('expected a time such as 2027-01-04T08:00:00')
    if moment.year not in YEARS:
        raise TimeFault(f'expected a year from {YEARS[0]} to {YEARS[-1]}')
    if moment.tzinfo is not None:
        return int(moment.timestamp())
    shown = _instants(moment, zone)
    if not shown:
        raise TimeFault(f'this time does not exist in {zone.key}: the clocks skip it')
    if len(shown) > 1:
        offsets = ' or '.join(datetime.fromtimestamp(instant, zone).isoformat()[-6:] for instant in sorted(shown))
        raise TimeFault(f'this time occurs twice in {zone.key}: append {offsets}')
    return shown.pop()


def _instants(moment: datetime, zone: ZoneInfo) -> set[int]:
    """Return the instants of a wall time: none if the clocks skip it, two if it occurs twice."""
    instants = {int(moment.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1)}
    return {one for one in instants if datetime.fromtimestamp(one, zone).replace(tzinfo=None) == moment}


def read_time_of_day(text: str, zone: ZoneInfo, start: int, end: int) -> list[int] | None:
    """Return each instant in [start, end) with this time of day in `zone`, such as 03:06; None if it is not one."""
    if not _TIME_OF_DAY.fullmatch(text):
        return None
    first, last = (datetime.fromtimestamp(instant, zone).date() for instant in (start, end))
    found: set[int] = set()
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        found |= _instants(datetime.fromisoformat(f'{day}T{text}'), zone)
    return sorted(one for one in found if start <= one < end)


def write_instant(instant: float, zone: ZoneInfo) -> str:
    """Return an instant in the form of `read_instant`, with an offset only if it is needed."""
    moment = datetime.fromtimestamp(int(instant), zone)
    twice = moment.utcoffset() != moment.replace(fold=1 - moment.fold).utcoffset()
    return moment.isoformat() if twice else moment.replace(tzinfo=None).isoformat()


def read_length(text: str) -> int:
    """Return the seconds of `45s`, `10m`, `3h`, `1d`, `1w` or `1h30m`; a day is 24 hours. Raises TimeFault."""
    seconds = duration.parse(text)
    if seconds is None:
        raise TimeFault('expected a length such as 45s, 10m, 3h, 1d, 1w or 1h30m')
    return seconds


@dataclass(frozen=True, slots=True)
class Week:
    """Hours of the week, in wall time: `Mon-Fri 09:00-19:00`.

    `days` count from Monday, 0. `start` and `end` are minutes of the day, `end` exclusive; hours over midnight
    (22:00-06:00) belong to the day on which they start.
    """

    text: str
    days: frozenset[int]
    start: int
    end: int

    def covers(self, instants: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.bool_]:
        """Return which instants, in seconds since the epoch, are inside."""
        # Time zones change only at quarters of an hour, so one conversion per quarter is enough.
        quarters = instants // 900
        new = np.diff(quarters, prepend=quarters[:1] - 1) != 0
        east = [_seconds_east(quarter * 900, zone) for quarter in quarters[new].tolist()]
        local = instants + np.array(east, dtype=np.int64)[np.cumsum(new) - 1]
        # The epoch was a Thursday.
        minute, day = local // 60 % 1440, (local // 86400 + 3) % 7
        on_day = np.isin(day, list(self.days))
        if self.start < self.end:
            inside: NDArray[np.bool_] = on_day & (minute >= self.start) & (minute < self.end)
            return inside
        on_day_before = np.isin((day - 1) % 7, list(self.days))
        inside = (on_day & (minute >= self.start)) | (on_day_before & (minute < self.end))
        return inside


# Cached, because every group uses the same quarters.
@lru_cache(400_000)
def _seconds_east(instant: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    return round(offset.total_seconds()) if offset else 0


def read_week(text: str) -> Week:
    """Parse `Mon-Fri 09:00-19:00`, `Sat,Sun` or `22:00-06:00`. Raises TimeFault."""
    expected = TimeFault('expected days, hours or both, such as Mon-Fri 09:00-19:00')
    days, start, end = frozenset(range(7)), 0, 1440
    words = text.split()
    if not 1 <= len(words) <= 2 or (len(words) == 2 and words[0][:1].isdigit()):
        raise expected
    for word in words:
        if match := _HOURS.fullmatch(word):
            hour, minute, last_hour, last_minute = map(int, match.groups())
            start, end = hour * 60 + minute, last_hour * 60 + last_minute
            if start >= 1440 or end > 1440 or minute > 59 or last_minute > 59 or start == end:
                raise expected
        else:
            days = _read_days(word, expected)
    return Week(text, days, start, end)


def _read_days(word: str, expected: TimeFault) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(','):
        first, dash, last = part.partition('-')
        if first not in DAYS or (dash and last not in DAYS):
            raise expected
        begin = DAYS.index(first)
        length = (DAYS.index(last) - begin) % 7 if dash else 0
        found.update((begin + step) % 7 for step in range(length + 1))
    return frozenset(found)


def shown_time(instant: float, zone: ZoneInfo) -> str:
    """Return an instant in readable form: `Mon 2027-01-04 08:21:00`."""
    moment = datetime.fromtimestamp(int(instant), UTC).astimezone(zone)
    twice = moment.utcoffset() != (moment.replace(fold=1 - moment.fold)).utcoffset()
    offset = f' {moment:%z}' if twice else ''
    return f'{DAYS[moment.weekday()]} {moment:%Y-%m-%d %H:%M:%S}{offset}'
