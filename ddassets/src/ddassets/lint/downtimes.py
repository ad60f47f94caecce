"""The downtimes of an integration in the form that rules use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ddassets.assets import Downtime as DowntimeAsset
from ddassets.assets.source import Place
from ddassets.diagnostic import Diagnostic
from ddassets.engine.downtime import Downtime, Recurrence, Recurring
from ddassets.engine.downtime import read as parse_downtime
from ddassets.lint.rule import Fault


@dataclass(frozen=True)
class DowntimeReading:
    """A downtime and the diagnostics of its asset; None if it has errors, or its source withholds a needed value."""

    asset: DowntimeAsset
    downtime: Downtime | None
    diagnostics: Sequence[Diagnostic]

    def fault_at(self, place: Place, message: str, hint: str = '') -> Fault:
        """Return a fault at a place relative to the attributes."""
        return Fault(where=self.asset, place=place, message=message, hint=hint)

    @property
    def recurrences(self) -> Iterator[tuple[int, Recurrence, ZoneInfo]]:
        if self.downtime and isinstance(self.downtime.schedule, Recurring):
            for index, recurrence in enumerate(self.downtime.schedule.recurrences):
                yield index, recurrence, self.downtime.schedule.zone


def read_downtime(asset: DowntimeAsset) -> DowntimeReading:
    return DowntimeReading(asset, *parse_downtime(asset))


# From the first start on; it contains every change of summer time.
_SECONDS_JUDGED = 2 * 366 * 86400


def group_downtimes(
    readings: Sequence[DowntimeReading],
) -> Iterator[tuple[tuple[DowntimeReading, ...], float, float]]:
    """Group the recurring downtimes by monitors and groups, with the period (Unix seconds) in which to check them."""
    groups: dict[object, list[DowntimeReading]] = {}
    for reading in readings:
        downtime = reading.downtime
        if downtime and isinstance(downtime.schedule, Recurring) and any(True for _ in downtime.starts()):
            key = (downtime.monitor_id, frozenset(downtime.monitor_tags), downtime.scope, downtime.schedule.zone.key)
            groups.setdefault(key, []).append(reading)
    for together in groups.values():
        starts = [start for reading in together if reading.downtime for _, start in reading.downtime.starts()]
        # Not before the last of them has started: until then a downtime may be missing.
        first = max(starts)
        yield tuple(together), first, first + _SECONDS_JUDGED


def find_steady_week(together: Sequence[DowntimeReading], start: float) -> date | None:
    """Return the Monday of a normal week of the downtimes; None if they are not weekly.

    In a normal week, all downtimes have started and summer time neither starts nor ends.
    """
    recurrences = [recurrence for reading in together for _, recurrence, _ in reading.recurrences]
    for recurrence in recurrences:
        rule = recurrence.rule
        if rule.frequency not in ('DAILY', 'WEEKLY') or rule.interval != 1 or rule.count or rule.until:
            return None
        if rule.by_month or rule.by_month_day or rule.by_set_position:
            return None
    zone = next(zone for _, _, zone in together[0].recurrences)
    day = datetime.fromtimestamp(start, zone).date()
    monday = day + timedelta(days=14 - day.weekday())
    for _ in range(60):
        bounds = [datetime(monday.year, monday.month, monday.day) + timedelta(days=days) for days in (-1, 8)]
        if len({bound.replace(tzinfo=zone).utcoffset() for bound in bounds}) == 1:
            return monday
        monday += timedelta(days=7)
    return None
