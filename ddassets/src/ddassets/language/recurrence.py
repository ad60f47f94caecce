"""Parse the recurrence rule (RRULE) of a downtime or a custom schedule. Rules 5.4 to 5.6, 5.9 and 16.12."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ddassets.duration import UNITS
from ddassets.nearest import did_you_mean

FREQUENCIES = ('HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY')
WEEKDAYS = ('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')
# The API accepts years such as 3022 (rule 5.4).
YEARS = range(1970, 9000)
# Seconds. An active occurrence may have started at most this long ago.
MAX_DURATION = 3650 * 86400

# With DAILY the API accepts an ordinal, but its meaning is not documented (rule 5.9).
_ORDINAL_FREQUENCIES = ('DAILY', 'MONTHLY', 'YEARLY')
# Part: minimum and maximum, and whether several values are allowed.
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


class RuleFault(ValueError):
    """The text is not a valid rule. `rule` is the number of the violated rule of the semantics."""

    def __init__(self, message: str, rule: str = '5.5') -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True)
class Rule:
    """The parts of an RRULE. Weekdays count from Monday, 0; a `by_day` is (ordinal or 0, weekday).

    `until` is the last possible start, in local time, or in UTC if the text ends in Z (rule 5.6).
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

    @property
    def daily_ordinals(self) -> tuple[str, ...]:
        """The numbered weekdays, such as `2TU`, if the frequency is DAILY (rule 5.9)."""
        if self.frequency != 'DAILY':
            return ()
        return tuple(f'{ordinal}{WEEKDAYS[day]}' for ordinal, day in self.by_day if ordinal)


def parse_rule(text: str, of: str = 'a downtime') -> tuple[Rule | None, list[RuleFault]]:
    """Parse an RRULE; returns the rule or all its faults. `of` names what it belongs to, in faults."""
    faults: list[RuleFault] = []
    parts: dict[str, str] = {}
    for part in text.upper().split(';'):
        name, equals, value = part.partition('=')
        if not equals:
            faults.append(
                RuleFault(f'{part!r} is not a part of a rule; expected NAME=VALUE, with `;` between the parts')
            )
        elif name in ('DTSTART', 'DTEND', 'DURATION', 'EXDATE', 'RDATE'):
            beside = '`start` and `duration`' if of == 'a downtime' else '`start`'
            instead = '' if name in ('EXDATE', 'RDATE') else f'; write {beside} beside `rrule`'
            faults.append(RuleFault(f'{name} is not supported in the rule of {of}{instead}'))
        elif name not in PARTS:
            faults.append(RuleFault(f'unknown part {name!r}{did_you_mean(name, PARTS)}; allowed: {", ".join(PARTS)}'))
        elif name in parts:
            faults.append(RuleFault(f'{name} is duplicated'))
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


def parse_schedule(text: str) -> tuple[Rule | None, list[RuleFault]]:
    """Parse the RRULE of a custom schedule, whose evaluations are at least a day apart (rule 16.12)."""
    rule, faults = parse_rule(text, 'a custom schedule')
    if rule is None:
        return None, faults
    if rule.frequency == 'HOURLY':
        faults.append(RuleFault('FREQ=HOURLY: evaluations of a custom schedule are a day or longer apart', '16.12'))
    for name, values in (('BYHOUR', rule.by_hour), ('BYMINUTE', rule.by_minute)):
        if len(values) > 1:
            written = ','.join(map(str, values))
            message = f'{name}={written}: expected one, because evaluations are a day or longer apart'
            faults.append(RuleFault(message, '16.12'))
    return (None if faults else rule), faults


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
    raise RuleFault(f'{name}: {text!r} is not a whole number from {least} to {greatest}{but}')


def _weekday(name: str, text: str) -> int:
    if text not in WEEKDAYS:
        raise RuleFault(f'{name}: {text!r} is not a weekday; expected one of {", ".join(WEEKDAYS)}')
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
            f'BYDAY={ordinals[0]}: an ordinal needs FREQ=MONTHLY or YEARLY, found FREQ={frequency}',
            '5.9',
        )
    if frequency == 'DAILY' and any(abs(ordinal) > 5 for ordinal, _ in days):
        yield RuleFault(f'BYDAY={ordinals[0]}: a month has at most five of a weekday', '5.9')
    if 'COUNT' in fields and 'UNTIL' in fields:
        yield RuleFault('COUNT and UNTIL exclude each other')
    if frequency == 'WEEKLY' and 'BYMONTHDAY' in fields:
        yield RuleFault('BYMONTHDAY has no meaning with FREQ=WEEKLY')
    if 'BYSETPOS' in fields and not any(name.startswith('BY') for name in fields if name != 'BYSETPOS'):
        yield RuleFault('BYSETPOS requires another BY… part')


def parse_duration(text: str) -> int:
    """Return the seconds of `14h`. Rule 5.4. Raises RuleFault."""
    match = re.fullmatch(r'([0-9]{1,9})([mhdw])', text)
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if not seconds:
        raise RuleFault(
            f'{text!r} is not a duration; expected a whole number above 0 and m, h, d or w, such as 14h', '5.4'
        )
    if seconds > MAX_DURATION:
        raise RuleFault(f'{text!r} is longer than 3650d; for a downtime without end, delete `schedule`', '5.4')
    return seconds
