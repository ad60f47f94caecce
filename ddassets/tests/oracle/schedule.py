"""A second evaluator of custom schedules, from the text of section 16: when, and what each evaluation tells.

Occurrences are found by looking at each day; the states are those of `states.Group`, one evaluation at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from oracle.notifications import Downtime
from oracle.states import HOLDS, Change, Group, History

DAY = 86400
WEEKDAYS = ('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')


@dataclass(frozen=True)
class Scheduled:
    """`days` of a month are numbers or, for a weekday, (ordinal or 0, weekday); `place` is BYSETPOS."""

    frequency: str
    interval: int
    start: datetime | None
    zone: str | None
    days: tuple[int | tuple[int, int], ...] = ()
    place: int | None = None
    hour: int | None = None
    minute: int | None = None

    @property
    def option(self) -> dict[str, Any]:
        """`custom_schedule` in the API's form."""
        parts = [f'FREQ={self.frequency}', f'INTERVAL={self.interval}']
        numbers = ','.join(str(day) for day in self.days if isinstance(day, int))
        names = ','.join(f'{day[0] or ""}{WEEKDAYS[day[1]]}' for day in self.days if isinstance(day, tuple))
        for name, value in (
            ('BYMONTHDAY', numbers),
            ('BYDAY', names),
            ('BYSETPOS', self.place),
            ('BYHOUR', self.hour),
            ('BYMINUTE', self.minute),
        ):
            if value not in (None, ''):
                parts.append(f'{name}={value}')
        found: dict[str, object] = {'rrule': ';'.join(parts)}
        if self.start:
            found['start'] = self.start.isoformat()
        if self.zone:
            found['timezone'] = self.zone
        return {'recurrences': [found]}

    def ticks(self, begin: int, end: int, second: int, choices: Mapping[str, str]) -> list[int]:
        """Return the evaluations from `begin` to before `end`."""
        zone = ZoneInfo(self.zone or 'UTC')
        # A56.
        start = self.start or datetime.fromtimestamp(begin, zone).replace(tzinfo=None)
        at = time(
            start.hour if self.hour is None else self.hour,
            start.minute if self.minute is None else self.minute,
            start.second,
        )
        found = []
        # A month is looked at as a whole.
        last = datetime.fromtimestamp(end, UTC).date() + timedelta(days=33)
        for day in self.dates(start.date(), last):
            wall = datetime.combine(day, at)
            instants = [int(wall.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1)]
            exists = datetime.fromtimestamp(instants[0], zone).replace(tzinfo=None) == wall
            if wall < start or not exists:
                continue
            instant = instants[choices['A34'] == 'the second']
            while second and instant % 60 != second:
                instant += 1
            if begin <= instant < end:
                found.append(instant)
        return found

    def dates(self, first: date, last: date) -> Iterator[date]:
        """Yield the days of the rule from the day of the start on."""
        monday = first - timedelta(days=first.weekday())
        month: list[date] = []
        day = first.replace(day=1) if self.frequency == 'MONTHLY' else first
        while day <= last:
            match self.frequency:
                case 'DAILY' if (day - first).days % self.interval == 0:
                    if not self.days or (0, day.weekday()) in self.days:
                        yield day
                case 'WEEKLY' if (day - monday).days // 7 % self.interval == 0:
                    if (0, day.weekday()) in (self.days or ((0, first.weekday()),)):
                        yield day
                case 'MONTHLY':
                    months = (day.year - first.year) * 12 + day.month - first.month
                    if months % self.interval == 0 and self.of_month(day, first):
                        month.append(day)
                    if (day + timedelta(days=1)).day == 1:
                        chosen = month
                        if self.place is not None:
                            index = self.place - 1 if self.place > 0 else self.place
                            chosen = month[index : index + 1 or None] if -len(month) <= index < len(month) else []
                        yield from (one for one in chosen if one >= first)
                        month = []
            day += timedelta(days=1)

    def of_month(self, day: date, first: date) -> bool:
        if not self.days:
            return day.day == first.day
        left = ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day - day.day
        ordinals = (0, (day.day - 1) // 7 + 1, -(left // 7) - 1)
        for one in self.days:
            if isinstance(one, int):
                if one in (day.day, -left - 1):
                    return True
            elif one[1] == day.weekday() and one[0] in ordinals:
                return True
        return False


class Run:
    """The evaluations of one group, each by itself (rules 16.15 to 16.20)."""

    def __init__(self, group: Group, seen: Sequence[float], mode: str) -> None:
        self.group = group
        # When each point or event can be seen first.
        self.seen = sorted(seen)
        self.mode = mode
        self.there = False
        self.state = 'absent' if group.multi else 'No Data'
        self.history = History()

    def all(self, ticks: Sequence[int]) -> History:
        for tick in ticks:
            before, known = self.state, self.there
            value, told, cause = self.one(tick)
            state = self.state
            if self.there and (told or (state != before and (state != 'OK' or known))):
                trouble = state != 'OK'
                notify = told and not self.group.options.draft
                when = tick if trouble else None
                source = 'OK' if trouble else before
                change = Change(tick, source, state, value, notify, cause, when, when)
                self.history.changes.append(change)
            self.history.ticks.append((tick, value, state))
        return self.history

    def one(self, tick: int) -> tuple[float | None, bool, str]:
        """Evaluate once: what is compared, whether it is told, and the cause."""
        group = self.group
        evaluation = group.evaluation(group.query, tick)
        result = evaluation.result()
        if not group.sources and not group.multi:
            result = replace(result, real=True)
        verdict = group.verdict(result)
        blank = group.is_blank(result, verdict)
        until = [at for at in self.seen if at <= tick]
        if self.there and group.multi and blank and (not until or tick - until[-1] >= DAY):
            # A59.
            self.there = group.choices['A59'] != '24 h'
        if not self.there:
            self.there = verdict == 'valued' and result.real and self.old_enough(tick, until)
            self.state = 'OK' if self.there else 'absent' if group.multi else 'No Data'
        if not self.there or verdict == 'cancelled':
            return None, False, 'data'
        return self.reached(result.value if verdict == 'valued' else None, verdict)

    def reached(self, value: float | None, verdict: str) -> tuple[float | None, bool, str]:
        """Enter the state of an evaluation that has a value or is empty."""
        group, cause = self.group, 'data'
        if verdict == 'empty' and (group.zero() or (self.mode == 'default' and group.counts())):
            value = 0.0
        if value is not None:
            self.state = self.judged(value)
        elif self.mode == 'resolve':
            self.state, cause = 'OK', 'on_missing_data'
        elif self.mode != 'default':
            self.state = 'No Data'
        elif group.choices['A58'] == 'silent':
            return None, False, cause
        told = self.state != 'OK' and not (self.state == 'No Data' and self.mode != 'show_and_notify_no_data')
        return value, told, cause

    def old_enough(self, tick: int, until: Sequence[float]) -> bool:
        """Rule 2.21."""
        if not self.group.multi or not until:
            return True
        since = until[-1]
        for at in reversed(until):
            if since - at >= DAY:
                break
            since = at
        return tick >= since + self.group.options.new_group_delay

    def judged(self, value: float) -> str:
        options = self.group.options
        holds = HOLDS[options.comparator]
        if holds(value, options.critical):
            return 'Alert'
        return 'Warn' if options.warning is not None and holds(value, options.warning) else 'OK'


def told(history: History, downtimes: Sequence[Downtime]) -> Iterator[tuple[Change, frozenset[str]]]:
    """Yield the notifications, each with the names of the downtimes that mute it (rule 16.21)."""
    for change in history.changes:
        if change.notify:
            muting = (one.name for one in downtimes if one.start <= change.instant < one.end)
            yield change, frozenset(muting)
