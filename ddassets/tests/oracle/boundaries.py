"""Where cumulative windows begin (rules 16.1 to 16.6), found by walking through local time minute by minute."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = 60
EXTENTS = {'h': 3600, 'd': 86400, 'mo': 31 * 86400}


@dataclass(frozen=True)
class Current:
    """`current_1<unit>`. `minute` is hour_starts, `at` (hour, minute) day_starts, `day` month_starts."""

    unit: str
    minute: int | None = None
    at: tuple[int, int] | None = None
    day: int | None = None
    zone: str | None = None
    known: dict[tuple[int, int], list[int]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def extent(self) -> int:
        return EXTENTS[self.unit]

    @property
    def option(self) -> dict[str, object]:
        """`evaluation_window` in the API's form."""
        at = None if self.at is None else f'{self.at[0]:02}:{self.at[1]:02}'
        found = {'hour_starts': self.minute, 'day_starts': at, 'month_starts': self.day, 'timezone': self.zone}
        return {key: value for key, value in found.items() if value is not None}

    def start(self, end: int, choice: str) -> int:
        """Return where the window that ends at an instant begins (A53)."""
        # A day of minutes at a time.
        number = end // 86400
        if (number, number) not in self.known:
            first = (number - 1) * 86400 - self.extent - 86400
            self.known[number, number] = self.boundaries(first, (number + 1) * 86400)
        found = self.known[number, number]
        before = bisect_right(found, end) if choice == 'new window' else bisect_left(found, end)
        return found[before - 1]

    def boundaries(self, first: int, last: int) -> list[int]:
        zone = ZoneInfo(self.zone or 'UTC')
        found: list[int] = []
        before = self.wall(first - MINUTE, zone)
        # The days and months that have begun: a clock that is turned back does not take them back.
        begun = self.began(before)
        for instant in range(first, last + MINUTE, MINUTE):
            wall = self.wall(instant, zone)
            if self.unit == 'h':
                passed = [before + timedelta(minutes=k) for k in range(1, max(int((wall - before).seconds / 60), 1))]
                skipped = wall > before and any(one.minute == (self.minute or 0) for one in passed)
                if wall.minute == (self.minute or 0) or skipped:
                    found.append(instant)
            elif (new := self.began(wall)) > begun:
                begun = new
                found.append(instant)
            before = wall
        return found

    def wall(self, instant: int, zone: ZoneInfo) -> datetime:
        return datetime.fromtimestamp(instant, UTC).astimezone(zone).replace(tzinfo=None)

    def began(self, wall: datetime) -> datetime:
        """Return the local time at which the day or month of a local time begins."""
        hour, minute = self.at or (0, 0)
        day = wall.replace(hour=hour, minute=minute)
        if self.unit == 'd':
            return day if day <= wall else day - timedelta(days=1)
        month = self.of_month(wall.replace(day=1, hour=hour, minute=minute))
        return month if month <= wall else self.of_month(wall.replace(day=1, hour=hour, minute=minute) - timedelta(1))

    def of_month(self, moment: datetime) -> datetime:
        """Return the beginning in the month of a moment: on its last day if it has no such day (A97)."""
        last = (moment.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        return moment.replace(day=min(self.day or 1, last.day))
