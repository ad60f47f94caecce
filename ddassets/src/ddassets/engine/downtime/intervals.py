"""A downtime: when it is active, and for which groups. Instants are Unix seconds."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from operator import itemgetter
from pathlib import Path as FilePath
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from ddassets.assets.downtime import DowntimeFields
from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.recurrence import USUAL, Calendar, Occurrence, Recurrence
from ddassets.language.downtime_scope import Scope

type Path = tuple[str | int, ...]
type Clock = Literal['elapsed', 'wall']


# Seconds. The period in which a downtime is always active, if it ever is: from two weeks after its start, because each
# weekday may have its own recurrence, and two months long, because an occurrence may last as long as its month.
_DAYS_TO_START, _DAYS_JUDGED = 14 * 86400, 62 * 86400
_ANY_TIME = 1_800_000_000


class Interval(NamedTuple):
    """[start, end) in Unix seconds (rule 5.11); infinite if there is no bound."""

    start: float
    end: float


@dataclass(frozen=True)
class Once:
    """From `start` to `end`. None: already active, or without end. Rule 5.3."""

    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Recurring:
    """One to five recurrences in one time zone. Rule 5.4."""

    zone: ZoneInfo
    recurrences: tuple[Recurrence, ...]


@dataclass(frozen=True)
class Downtime:
    """A downtime. `name` is for reports, because the API has none. `zone` is its display time zone, `id` may be empty.

    Exactly one of `monitor_id` and `monitor_tags` is set (rule 5.2). Other attributes are read from `fields`.
    """

    name: str
    monitor_id: int | None
    monitor_tags: tuple[str, ...]
    scope: Scope
    schedule: Once | Recurring
    zone: ZoneInfo
    fields: DowntimeFields
    # For reports: equal downtimes may have different ids.
    id: str = field(default='', compare=False)
    # The file that people edit, and the line.
    file: FilePath | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)

    def intervals(
        self, start: float, end: float, clock: Clock = 'elapsed', calendar: Calendar = USUAL
    ) -> list[Interval]:
        """Return the intervals that overlap [start, end), in order.

        Overlapping occurrences are one interval, touching ones are two (rule 5.7). Bounds inside [start, end] are
        exact; an interval that crosses `start` or `end` may be returned shortened. A recurrence without start begins at
        `start` (rule 5.4). `clock` selects the meaning of a duration (A13).
        """
        if isinstance(self.schedule, Once):
            first, last = self.schedule.start, self.schedule.end
            whole = [Interval(-math.inf if first is None else first, math.inf if last is None else last)]
        else:
            whole = merge(
                Interval(occurrence.start, occurrence.elapsed_end if clock == 'elapsed' else occurrence.wall_end)
                for occurrence in self.occurrences(start, end, calendar)
            )
        return [interval for interval in whole if interval.start < end and interval.end > start]

    def occurrences(self, start: float, end: float, calendar: Calendar = USUAL) -> Iterator[Occurrence]:
        """Yield each occurrence of each recurrence that may touch [start, end], in any order."""
        if isinstance(self.schedule, Recurring):
            for recurrence in self.schedule.recurrences:
                if recurrence.start is None:
                    now = datetime.fromtimestamp(int(max(start, 0)), self.schedule.zone).replace(tzinfo=None)
                    recurrence = replace(recurrence, start=now)
                # A day more: the clock may lengthen an occurrence.
                after = int(max(start, 0)) - recurrence.duration - 86400
                yield from recurrence.occurrences(self.schedule.zone, after, math.ceil(min(end, 1e11)), calendar)

    def matches_group(self, tags: Iterable[str]) -> bool:
        """Whether the scope covers a group with these `key:value` tags, including those of the monitor's filter."""
        return self.scope.matches(tags)

    def matches_monitor(self, monitor_id: int | None, tags: Iterable[str]) -> bool:
        """Whether the downtime applies to this monitor: it has all of the tags, or the tag is `*` (rule 5.2)."""
        if self.monitor_id is not None:
            return monitor_id == self.monitor_id
        return '*' in self.monitor_tags or set(self.monitor_tags) <= set(tags)

    def notifies_at_end(self, state: str, cause: str = 'expired') -> bool:
        """Whether the end notifies about a group in this state: `alert`, `warn`, `no data` (rule 5.18)."""
        return state in self.fields.notify_end_states and cause in self.fields.notify_end_types

    def assumptions(self, start: float, end: float) -> tuple[str, ...]:
        """Return the ids of the assumptions on which `intervals(start, end)`, and the ends inside, rely."""
        relied = [Assumptions.scope_operators] if self.scope.lowercase else []
        if isinstance(self.schedule, Recurring):
            relied += self._schedule_assumptions(start, end)
        return tuple(assumption.id for assumption in relied)

    def _schedule_assumptions(self, start: float, end: float) -> Iterator[Assumption]:
        assert isinstance(self.schedule, Recurring)
        intervals = self.intervals(start, end)
        if clock_differences([self], start, end):
            yield Assumptions.downtime_duration
        # A downtime that notifies at both kinds of end, or at none, does the same either way.
        one_kind = len(set(self.fields.notify_end_types)) == 1 and self.fields.notify_end_states
        if one_kind and any(start < interval.end <= end for interval in intervals):
            yield Assumptions.recurrence_end
        twice = (occurrence for occurrence in self.occurrences(start, end) if occurrence.ambiguous)
        if any(occurrence.start < end and occurrence.elapsed_end > start for occurrence in twice):
            yield Assumptions.repeated_wall_time
        days_matter = any(recurrence.days_matter for recurrence in self.schedule.recurrences)
        if days_matter and self.intervals(start, end, calendar=Calendar(days='UTC')) != intervals:
            yield Assumptions.weekday_zone
        if touching(intervals):
            yield Assumptions.touching_end

    @property
    def daily_ordinals(self) -> tuple[str, ...]:
        """The numbered weekdays of rules with FREQ=DAILY, such as `2TU`."""
        if not isinstance(self.schedule, Recurring):
            return ()
        return tuple(name for recurrence in self.schedule.recurrences for name in recurrence.rule.daily_ordinals)

    def ordinal_differences(self, start: float, end: float) -> list[Interval]:
        """Return when `2TU` with FREQ=DAILY would additionally mute if it meant every Tuesday (rule 5.9)."""
        every = self.intervals(start, end, calendar=Calendar(ordinals='every week'))
        return list(without(every, self.intervals(start, end), start, end))

    def starts(self) -> Iterator[tuple[Path, int]]:
        """Yield the path, within `schedule`, and the instant of each start. The API refuses a past one (rule 5.10)."""
        if isinstance(self.schedule, Recurring):
            for index, recurrence in enumerate(self.schedule.recurrences):
                if recurrence.start is None:
                    continue
                local = recurrence.start.replace(tzinfo=self.schedule.zone)
                yield ('recurrences', index, 'start'), int(local.timestamp())
        elif self.schedule.start is not None:
            yield ('start',), self.schedule.start

    def late_dates(self) -> Iterator[Path]:
        """Yield the path, within `schedule`, of each date from 2038 on: the API's clock may fail there (rule 5.13)."""
        if isinstance(self.schedule, Recurring):
            for index, recurrence in enumerate(self.schedule.recurrences):
                if recurrence.start and recurrence.start.year >= 2038:
                    yield ('recurrences', index, 'start')
                if recurrence.rule.until and recurrence.rule.until.year >= 2038:
                    yield ('recurrences', index, 'rrule')
        else:
            for key, instant in (('start', self.schedule.start), ('end', self.schedule.end)):
                if instant is not None and datetime.fromtimestamp(instant, UTC).year >= 2038:
                    yield (key,)

    @property
    def everything_always(self) -> bool:
        """Whether it mutes every group of every monitor at every time from its start on, without end."""
        everything = self.monitor_id is None and (not self.monitor_tags or '*' in self.monitor_tags)
        return everything and self.scope.root is None and self._always()

    def _always(self) -> bool:
        if isinstance(self.schedule, Once):
            return self.schedule.end is None
        endless = [one for one in self.schedule.recurrences if one.rule.count is None and one.rule.until is None]
        steady = replace(self, schedule=replace(self.schedule, recurrences=tuple(endless)))
        first = max((start for _, start in steady.starts()), default=_ANY_TIME)
        whole = Interval(first + _DAYS_TO_START, first + _DAYS_TO_START + _DAYS_JUDGED)
        # By the wall clock, because a day of 24 hours does not cover the day on which summer time ends.
        return not [*without([whole], steady.intervals(*whole, 'wall'), *whole)]

    def same_as(self, other: 'Downtime') -> bool:
        """Whether the API would refuse one of the two as a duplicate (rule 5.10)."""
        return (
            (self.monitor_id, frozenset(self.monitor_tags)) == (other.monitor_id, frozenset(other.monitor_tags))
            and self.scope == other.scope
            and self.schedule == other.schedule
        )


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return disjoint intervals in order. Overlapping intervals are merged, touching ones are not (rule 5.7)."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start < merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        elif interval.start < interval.end:
            merged.append(interval)
    return merged


def touching(intervals: Sequence[Interval]) -> frozenset[float]:
    """Return the instants at which one of these disjoint intervals ends and the next begins."""
    return frozenset(before.end for before, after in pairwise(intervals) if before.end == after.start)


def clock_differences(downtimes: Iterable[Downtime], start: float, end: float) -> list[tuple[Interval, Clock]]:
    """Return when elapsed time and wall time give different results (rule 5.12, A13), and which of them mutes then.

    Downtimes for the same monitors are compared together, because one may be active where the end of another moves.
    """
    together = list(downtimes)
    elapsed, wall = (
        merge(interval for downtime in together for interval in downtime.intervals(start, end, clock))
        for clock in _CLOCKS
    )
    return sorted(
        [(interval, 'elapsed') for interval in without(elapsed, wall, start, end)]
        + [(interval, 'wall') for interval in without(wall, elapsed, start, end)]
    )


_CLOCKS: tuple[Clock, Clock] = ('elapsed', 'wall')


def without(these: Iterable[Interval], those: Sequence[Interval], start: float, end: float) -> Iterator[Interval]:
    """Yield the parts of the first intervals in [start, end) that the second, disjoint and sorted intervals do not
    cover.
    """
    for these_start, these_end in these:
        at, stop = max(these_start, start), min(these_end, end)
        for index in range(bisect_right(those, at, key=itemgetter(1)), len(those)):
            those_start, those_end = those[index]
            if those_start >= stop:
                break
            if those_start > at:
                yield Interval(at, those_start)
            at = max(at, those_end)
        if at < stop:
            yield Interval(at, stop)
