"""The unmuted times of a week with downtimes. Rule 5.23."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from ddassets.engine.downtime.intervals import Downtime, Interval, merge, without


class Opening(NamedTuple):
    """An unmuted interval of a week, in minutes since Monday 00:00 local time; the end is not included."""

    start: int
    end: int

    def __str__(self) -> str:
        return f'{_clock(self.start)} to {_clock(self.end, closing=True)}'


DAY = 24 * 60


def openings(downtimes: Sequence[Downtime], week: date) -> list[Opening]:
    """Return the unmuted intervals of the week that begins on the Monday `week`, in the time zone of the first
    downtime.

    Each interval lies within one day. A week with a clock change is described in elapsed time.
    """
    zone = downtimes[0].zone
    monday = datetime(week.year, week.month, week.day)
    found = []
    for day in range(7):
        start, end = (
            int((monday + timedelta(days=number)).replace(tzinfo=zone).timestamp()) for number in (day, day + 1)
        )
        muted = merge(interval for downtime in downtimes for interval in downtime.intervals(start, end))
        for opening in without([Interval(start, end)], muted, start, end):
            found.append(Opening(*(day * DAY + int(bound - start) // 60 for bound in opening)))
    return found


def odd_openings(found: Sequence[Opening]) -> list[Opening]:
    """Return the parts of the unmuted intervals outside the hours that most unmuted days have in common.

    Weekday evenings and whole weekends, muted from Monday to Sunday literally, leave Monday 00:00 to 09:00 unmuted.
    """
    days: dict[int, list[Interval]] = {}
    for start, end in found:
        days.setdefault(start // DAY, []).append(Interval(start % DAY, start % DAY + end - start))
    usual = max(days.values(), key=list(days.values()).count, default=[])
    if list(days.values()).count(usual) * 2 <= len(days):
        return []
    return [
        Opening(day * DAY + int(start), day * DAY + int(end))
        for day, hours in sorted(days.items())
        for start, end in without(hours, usual, 0, DAY)
    ]


def _clock(minutes: int, closing: bool = False) -> str:
    day, minute = divmod(minutes, DAY)
    if closing and not minute:
        day, minute = day - 1, DAY
    names = ('Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday')
    return f'{names[day % 7]} {minute // 60:02}:{minute % 60:02}'
