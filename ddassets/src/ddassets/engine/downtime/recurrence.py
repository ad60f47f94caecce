"""When a recurring downtime begins: an iCalendar rule, expanded in the schedule's local time. Rules 5.4 to 5.12."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from typing import Literal

from dateutil import rrule

from ddassets.language.recurrence import YEARS, Rule

_FREQUENCIES: dict[str, Literal[0, 1, 2, 3, 4]] = {
    'HOURLY': rrule.HOURLY,
    'DAILY': rrule.DAILY,
    'WEEKLY': rrule.WEEKLY,
    'MONTHLY': rrule.MONTHLY,
    'YEARLY': rrule.YEARLY,
}
_EPOCH = datetime(1970, 1, 1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Occurrence:
    """One occurrence: where it begins and how it ends under both readings of its duration (A13). Unix seconds.

    `ambiguous`: the clock shows the local start twice; the earlier instant was taken (rule 5.12).
    """

    start: int
    elapsed_end: int
    wall_end: int
    ambiguous: bool


@dataclass(frozen=True)
class Recurrence:
    """`start` is local wall time without offset, `duration` is in seconds."""

    start: datetime
    duration: int
    rule: Rule

    def ever(self) -> bool:
        """Say whether the rule has any occurrence at all. What has none would be sought for ever."""
        try:
            first = (
                next((hit for hit in self._rrule(self.start) if hit >= self.start), None) if self._possible() else None
            )
        except ValueError:
            return False  # dateutil's word for hours that the interval never reaches
        until = self.rule.until
        if first is None or until is None:
            return first is not None
        # What is told in UTC is judged by the instant, when the zone is known.
        return until.tzinfo is not None or first <= until

    def occurrences(self, zone: tzinfo, after: int, before: int) -> Iterator[Occurrence]:
        """Yield, in order, the occurrences that begin from `after` to `before`, both included. Unix seconds.

        Rules 5.8 and 5.12: the first is the first hit at or after the start; a local time that does not exist is
        skipped and does not count.
        """
        first, last = _naive(after) - 2 * _DAY, _naive(before) + 2 * _DAY
        until = self.rule.until
        if until and until.tzinfo is None:
            last = min(last, until)
        stop = before if until is None or until.tzinfo is None else min(before, int(until.timestamp()))
        left = self.rule.count
        for local in self._rrule(self._anchor(first)):
            if local > last or left == 0:
                return
            if local < self.start:
                continue
            earlier, later = _offset(local, zone, 0), _offset(local, zone, 1)
            if earlier < later:
                continue
            if left is not None:
                left -= 1
            begin = int((local - _EPOCH).total_seconds()) - earlier
            if begin > stop:
                return
            if begin >= after:
                wall = local + timedelta(seconds=self.duration)
                wall_end = int((wall - _EPOCH).total_seconds()) - _offset(wall, zone, 0)
                yield Occurrence(begin, begin + self.duration, wall_end, earlier > later)

    def _anchor(self, first: datetime) -> datetime:
        """A later start of the same phase, so that years gone by cost nothing. What is counted has to be walked."""
        step = {'HOURLY': timedelta(hours=1), 'DAILY': timedelta(days=1), 'WEEKLY': timedelta(weeks=1)}
        if self.rule.count is not None or self.rule.frequency not in step or first <= self.start:
            return self.start
        stride = step[self.rule.frequency] * self.rule.interval
        return self.start + (first - self.start) // stride * stride

    def _rrule(self, start: datetime) -> rrule.rrule:
        rule = self.rule
        by_day = rule.by_day
        if rule.frequency == 'WEEKLY':
            # From the first day of the week: BYSETPOS chooses from whole weeks. Earlier hits are dropped afterwards.
            by_day = by_day or ((0, self.start.weekday()),)
            start -= timedelta(days=(start.weekday() - rule.week_start) % 7)
        if any(ordinal for ordinal, _ in by_day):
            # dateutil asks a day to be both a plain weekday and one with an ordinal; RFC 5545 asks for either.
            most = 53 if rule.frequency == 'YEARLY' and not rule.by_month else 5
            by_day = tuple((n, day) for ordinal, day in by_day for n in ([ordinal] if ordinal else range(1, most + 1)))
        return rrule.rrule(
            _FREQUENCIES[rule.frequency],
            dtstart=start,
            interval=rule.interval,
            wkst=_WEEKDAYS[rule.week_start],
            byweekday=[_WEEKDAYS[day](ordinal) if ordinal else _WEEKDAYS[day] for ordinal, day in by_day] or None,
            bymonth=rule.by_month or None,
            bymonthday=rule.by_month_day or None,
            bysetpos=rule.by_set_position or None,
            byhour=rule.by_hour or None,
            byminute=rule.by_minute or None,
        )

    def _possible(self) -> bool:
        """Refuse what dateutil would seek, hour by hour or day by day, until the year 9999."""
        rule = self.rule
        sizes: dict[str, tuple[tuple[object, ...], ...]] = {
            'HOURLY': (rule.by_minute,),
            'DAILY': (rule.by_minute, rule.by_hour),
        }
        sizes['WEEKLY'] = (*sizes['DAILY'], rule.by_day)
        if rule.by_set_position and rule.frequency in sizes:
            size = math.prod(max(1, len(part)) for part in sizes[rule.frequency])
            if min(map(abs, rule.by_set_position)) > size:
                return False
        if rule.frequency not in ('HOURLY', 'DAILY'):
            return True
        hours = rule.interval * (24 if rule.frequency == 'DAILY' else 1)
        moment = self.start
        # Within 28 years each date meets each weekday; longer strides need more of them.
        for _ in range(28 * 366 * (24 if rule.frequency == 'HOURLY' else 1)):
            if self._passes(moment):
                return True
            moment += timedelta(hours=hours)
            if moment.year not in YEARS:
                break
        return False

    def _passes(self, moment: datetime) -> bool:
        rule = self.rule
        return (
            (not rule.by_month or moment.month in rule.by_month)
            and (not rule.by_day or moment.weekday() in self._weekdays)
            and (
                not rule.by_month_day
                or moment.day in rule.by_month_day
                or moment.day - 1 - _days_in_month(moment) in rule.by_month_day
            )
            and (rule.frequency == 'DAILY' or not rule.by_hour or moment.hour in rule.by_hour)
        )

    @cached_property
    def _weekdays(self) -> frozenset[int]:
        return frozenset(day for _, day in self.rule.by_day)


_WEEKDAYS = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)


def _days_in_month(moment: datetime) -> int:
    return ((moment.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def _naive(instant: int) -> datetime:
    first, last = datetime(YEARS.start, 1, 2), datetime(YEARS.stop + 11, 1, 1)
    seconds = min(max(instant, 0), int((last - _EPOCH).total_seconds()))
    return max(first, _EPOCH + timedelta(seconds=seconds))


def _offset(local: datetime, zone: tzinfo, fold: int) -> int:
    """Seconds east of UTC. PEP 495: where the two folds differ, the local time is missing or ambiguous."""
    offset = local.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
