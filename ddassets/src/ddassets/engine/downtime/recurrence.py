"""When a recurring downtime begins: an iCalendar rule, expanded in the schedule's local time. Rules 5.4 to 5.12."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Literal

from dateutil import rrule

from ddassets.nearest import did_you_mean

FREQUENCIES: dict[str, Literal[0, 1, 2, 3, 4]] = {
    'HOURLY': rrule.HOURLY,
    'DAILY': rrule.DAILY,
    'WEEKLY': rrule.WEEKLY,
    'MONTHLY': rrule.MONTHLY,
    'YEARLY': rrule.YEARLY,
}
WEEKDAYS = ('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')
UNITS = {'m': 60, 'h': 3600, 'd': 86400, 'w': 604800}
YEARS = range(1970, 2200)
# Longer than any recurrence needs; it bounds how far back an occurrence may begin and still be active.
LONGEST = 3650 * 86400

_ORDINAL_FREQUENCIES = ('MONTHLY', 'YEARLY')
# Part: least and greatest integer, whether several are allowed.
_NUMBERS = {
    'INTERVAL': (1, 9999, False),
    'COUNT': (1, 999_999_999, False),
    'BYMONTH': (1, 12, True),
    'BYMONTHDAY': (-31, 31, True),
    'BYSETPOS': (-366, 366, True),
    'BYHOUR': (0, 23, True),
    'BYMINUTE': (0, 59, True),
}
PARTS = ('FREQ', 'UNTIL', 'BYDAY', 'WKST', *_NUMBERS)
_EPOCH = datetime(1970, 1, 1)
_DAY = timedelta(days=1)


class RuleFault(ValueError):
    """A text that is no rule. `rule` is the number of the rule of the semantics that refuses it."""

    def __init__(self, message: str, rule: str = '5.5') -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True)
class Rule:
    """The parts of an RRULE. Weekdays count from Monday, 0; a `by_day` is (ordinal or 0, weekday).

    `until` is the last possible start, in local time, or in UTC where the text ends in Z (rule 5.6).
    """

    text: str
    frequency: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    by_day: tuple[tuple[int, int], ...] = ()
    by_month: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_set_position: tuple[int, ...] = ()
    by_hour: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    week_start: int = 0


def parse_rule(text: str) -> tuple[Rule | None, list[RuleFault]]:
    """Read an RRULE, or every fault of it."""
    faults: list[RuleFault] = []
    parts: dict[str, str] = {}
    for part in text.upper().split(';'):
        name, equals, value = part.partition('=')
        if not equals:
            faults.append(RuleFault(f'{part!r} is no part of a rule; expected NAME=VALUE, with `;` between the parts'))
        elif name in ('DTSTART', 'DTEND', 'DURATION', 'EXDATE', 'RDATE'):
            instead = '' if name in ('EXDATE', 'RDATE') else '; write `start` and `duration` beside `rrule`'
            faults.append(RuleFault(f'{name} is not supported in the rule of a downtime{instead}'))
        elif name not in PARTS:
            faults.append(RuleFault(f'unknown part {name!r}{did_you_mean(name, PARTS)}; allowed: {", ".join(PARTS)}'))
        elif name in parts:
            faults.append(RuleFault(f'{name} stands twice'))
        else:
            parts[name] = value
    fields: dict[str, object] = {}
    for name, value in parts.items():
        try:
            fields[name] = _value(name, value)
        except RuleFault as fault:
            faults.append(fault)
    if 'FREQ' not in parts:
        faults.append(RuleFault('FREQ is missing'))
    faults += _conflicts(fields)
    if faults:
        return None, faults
    names = {part: field for part, field in _FIELDS.items() if part in fields}
    return Rule(text, **{field: fields[part] for part, field in names.items()}), []  # type: ignore[arg-type]


_FIELDS = {
    'FREQ': 'frequency',
    'INTERVAL': 'interval',
    'COUNT': 'count',
    'UNTIL': 'until',
    'BYDAY': 'by_day',
    'BYMONTH': 'by_month',
    'BYMONTHDAY': 'by_month_day',
    'BYSETPOS': 'by_set_position',
    'BYHOUR': 'by_hour',
    'BYMINUTE': 'by_minute',
    'WKST': 'week_start',
}


def _value(name: str, text: str) -> object:
    match name:
        case 'FREQ':
            if text not in FREQUENCIES:
                raise RuleFault(f'FREQ={text}: expected {", ".join(FREQUENCIES)}{did_you_mean(text, FREQUENCIES)}')
            return text
        case 'UNTIL':
            return _until(text)
        case 'WKST':
            return _weekday(name, text)
        case 'BYDAY':
            return tuple(dict.fromkeys(_day(item) for item in text.split(',')))
    least, greatest, several = _NUMBERS[name]
    values = tuple(dict.fromkeys(_integer(name, item, least, greatest) for item in text.split(',')))
    if several:
        return values
    if ',' in text:
        raise RuleFault(f'{name}={text}: expected one number')
    return values[0]


def _integer(name: str, text: str, least: int, greatest: int) -> int:
    if re.fullmatch(r'[+-]?[0-9]{1,9}', text):
        number = int(text)
        if least <= number <= greatest and (number or least == 0):
            return number
    but = ', not 0' if least < 0 else ''
    raise RuleFault(f'{name}: {text!r} is no whole number from {least} to {greatest}{but}')


def _weekday(name: str, text: str) -> int:
    if text not in WEEKDAYS:
        raise RuleFault(f'{name}: {text!r} is no weekday; expected one of {", ".join(WEEKDAYS)}')
    return WEEKDAYS.index(text)


def _day(text: str) -> tuple[int, int]:
    ordinal = _integer('BYDAY', text[:-2], -53, 53) if text[:-2] else 0
    return ordinal, _weekday('BYDAY', text[-2:])


def _until(text: str) -> datetime:
    match = re.fullmatch(r'([0-9]{8})(?:T([0-9]{6})(Z?))?', text)
    if match:
        try:
            moment = datetime.strptime(match[1] + (match[2] or '000000'), '%Y%m%d%H%M%S')
        except ValueError:
            pass
        else:
            if moment.year in YEARS:
                return moment.replace(tzinfo=UTC) if match[3] else moment
    raise RuleFault(f'UNTIL={text}: expected a local time such as 20270131T090000', '5.6')


def _conflicts(fields: dict[str, object]) -> Iterator[RuleFault]:
    frequency = fields.get('FREQ')
    days = fields.get('BYDAY', ())
    assert isinstance(days, tuple)
    ordinals = [f'{ordinal}{WEEKDAYS[day]}' for ordinal, day in days if ordinal]
    if ordinals and frequency and frequency not in _ORDINAL_FREQUENCIES:
        yield RuleFault(
            f'BYDAY={ordinals[0]}: an ordinal has a meaning with FREQ=MONTHLY or YEARLY only, found FREQ={frequency}',
            '5.9',
        )
    if 'COUNT' in fields and 'UNTIL' in fields:
        yield RuleFault('COUNT and UNTIL exclude each other')
    if frequency == 'WEEKLY' and 'BYMONTHDAY' in fields:
        yield RuleFault('BYMONTHDAY has no meaning with FREQ=WEEKLY')
    if 'BYSETPOS' in fields and not any(name.startswith('BY') for name in fields if name != 'BYSETPOS'):
        yield RuleFault('BYSETPOS needs another BY… part to choose from')


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
            FREQUENCIES[rule.frequency],
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


def parse_duration(text: str) -> int:
    """Return the seconds of `14h`. Rule 5.4. Raises RuleFault."""
    match = re.fullmatch(r'([0-9]{1,9})([mhdw])', text)
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if not seconds:
        raise RuleFault(
            f'{text!r} is no duration; expected a whole number above 0 and m, h, d or w, such as 14h', '5.4'
        )
    if seconds > LONGEST:
        raise RuleFault(f'{text!r} is longer than 3650d; for a downtime without end, leave `schedule` out', '5.4')
    return seconds
