"""Expand a recurrence rule (iCalendar) in local time, for downtimes and custom schedules (rules 5.4 to 5.12)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from heapq import merge
from itertools import takewhile
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
# For questions whose answer hardly depends on the start.
_ANY_START = datetime(2027, 1, 4)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Occurrence:
    """An occurrence: its start, and its end under both readings of the duration (A13), in Unix seconds.

    `ambiguous`: the local start occurs twice; the earlier instant is used (rule 5.12).
    """

    start: int
    elapsed_end: int
    wall_end: int
    ambiguous: bool


@dataclass(frozen=True)
class Calendar:
    """Choices for the expansion of a rule that the documentation does not describe.

    `days`: the time zone of BYDAY (A86). `repeated`: the wall time of an occurrence whose start occurs twice (A34).
    `ordinals`: whether `2TU` with FREQ=DAILY is the second Tuesday of the month, or every Tuesday (rule 5.9).
    """

    days: str = 'local'
    repeated: str = 'the first'
    ordinals: Literal['of the month', 'every week'] = 'of the month'


USUAL = Calendar()


@dataclass(frozen=True)
class Recurrence:
    """`start` is local wall time without offset, None for the instant of creation. `duration` is in seconds."""

    start: datetime | None
    duration: int
    rule: Rule

    def ever(self) -> bool:
        """Whether the rule has any occurrence; expanding a rule without one would not end."""
        start = self.start or _ANY_START
        try:
            first = next((hit for hit in self._rrule(start) if hit >= start), None) if self._possible(start) else None
        except ValueError:
            return False  # dateutil raises it for hours that the interval never reaches
        until = self.rule.until
        if first is None or until is None:
            return first is not None
        # A time in UTC is judged by the instant, when the zone is known.
        return until.tzinfo is not None or first <= until

    def occurrences(self, zone: tzinfo, after: int, before: int, calendar: Calendar = USUAL) -> Iterator[Occurrence]:
        """Yield, in order, the occurrences that begin from `after` to `before`, both included, in Unix seconds.

        The first occurrence is the first match at or after the start, which is required (rule 5.8). A local time that
        does not exist is skipped and not counted (rule 5.12).
        """
        assert self.start is not None
        first, last = _naive(after) - 2 * _DAY, _naive(before) + 2 * _DAY
        until = self.rule.until
        if until and until.tzinfo is None:
            last = min(last, until)
        stop = before if until is None or until.tzinfo is None else min(before, int(until.timestamp()))
        left = self.rule.count
        for local in self._hits(self._anchor(self.start, first), last, zone, calendar):
            if left == 0:
                return
            if local < self.start:
                continue
            earlier, later = _offset(local, zone, 0), _offset(local, zone, 1)
            if earlier < later:
                continue
            if left is not None:
                left -= 1
            begin = int((local - _EPOCH).total_seconds()) - (later if calendar.repeated == 'the second' else earlier)
            if begin > stop:
                return
            if begin >= after:
                wall = local + timedelta(seconds=self.duration)
                wall_end = int((wall - _EPOCH).total_seconds()) - _offset(wall, zone, 0)
                yield Occurrence(begin, begin + self.duration, wall_end, earlier > later)

    def _hits(self, start: datetime, last: datetime, zone: tzinfo, calendar: Calendar) -> Iterator[datetime]:
        """Yield the local times that match the rule, from a start up to `last`, in order."""
        if calendar.days != 'local' and self.days_matter:
            # Where the date in UTC is a day later, the local weekday is a day earlier.
            return merge(*(self._hits_of_shift(start, last, zone, shift) for shift in (-1, 0, 1)))
        hits = takewhile(lambda local: local <= last, self._rrule(start))
        one_of_month = bool(self.rule.daily_ordinals) and calendar.ordinals == 'of the month'
        return filter(self._is_ordinal, hits) if one_of_month else hits

    def _hits_of_shift(self, start: datetime, last: datetime, zone: tzinfo, shift: int) -> Iterator[datetime]:
        """Yield the matches whose date in UTC is `shift` days after the local date, by the weekday in UTC."""
        by_day = tuple((0, (day - shift) % 7) for _, day in self.rule.by_day)
        for local in replace(self, rule=replace(self.rule, by_day=by_day))._rrule(start):
            if local > last:
                return
            there = local - timedelta(seconds=_offset(local, zone, 0))
            if (there.date() - local.date()).days == shift:
                yield local

    @property
    def days_matter(self) -> bool:
        """Whether the time zone of BYDAY can move an occurrence: plain weekdays by hour, day or week (A86)."""
        rule = self.rule
        plain = bool(rule.by_day) and not any(ordinal for ordinal, _ in rule.by_day)
        return plain and rule.frequency in ('HOURLY', 'DAILY', 'WEEKLY') and not rule.by_set_position

    def _is_ordinal(self, moment: datetime) -> bool:
        """Whether a day matches BYDAY, counted from the start or the end of its month."""
        from_start, from_end = (moment.day - 1) // 7 + 1, (moment.day - 1 - _days_in_month(moment)) // 7
        return any(
            day == moment.weekday() and ordinal in (0, from_start, from_end) for ordinal, day in self.rule.by_day
        )

    def _anchor(self, start: datetime, first: datetime) -> datetime:
        """Return a later start with the same phase, so that past years cost nothing. With COUNT, the start stays."""
        step = {'HOURLY': timedelta(hours=1), 'DAILY': timedelta(days=1), 'WEEKLY': timedelta(weeks=1)}
        if self.rule.count is not None or self.rule.frequency not in step or first <= start:
            return start
        stride = step[self.rule.frequency] * self.rule.interval
        return start + (first - start) // stride * stride

    def _rrule(self, start: datetime) -> rrule.rrule:
        rule = self.rule
        by_day = rule.by_day
        if rule.frequency == 'WEEKLY':
            # From the first day of the week: BYSETPOS chooses from whole weeks. Earlier hits are dropped afterwards.
            by_day = by_day or ((0, (self.start or start).weekday()),)
            start -= timedelta(days=(start.weekday() - rule.week_start) % 7)
        if rule.frequency == 'DAILY':
            by_day = tuple((0, day) for _, day in by_day)
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

    def _possible(self, start: datetime) -> bool:
        """Refuse rules that dateutil would search hour by hour or day by day, until the year 9999."""
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
        moment = start
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
    first, last = datetime(YEARS.start, 1, 2), datetime(YEARS.stop, 1, 1)
    seconds = min(max(instant, 0), int((last - _EPOCH).total_seconds()))
    return max(first, _EPOCH + timedelta(seconds=seconds))


def _offset(local: datetime, zone: tzinfo, fold: int) -> int:
    """Return the offset in seconds east of UTC. Where the folds of PEP 495 differ, the local time is missing or
    ambiguous.
    """
    offset = local.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
