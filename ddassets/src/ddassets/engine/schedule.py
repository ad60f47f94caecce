"""Custom schedules: when a monitor is evaluated (rules 16.12 and 16.13)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

import numpy as np

from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.assets.refusal import refuse
from ddassets.diagnostic import Severity
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Indices
from ddassets.engine.recurrence import Calendar, Recurrence

# An evaluation is moved to the second of the minute of a rehearsal, by less than this.
_MINUTE = 60
_YEARS = 4 * 366 * 86400


@dataclass(frozen=True)
class Schedule:
    """The occurrences of a rule in a time zone. Without a start, it begins with the rehearsal (A56)."""

    recurrence: Recurrence
    zone: tzinfo

    def ticks(self, start: int, end: int, second: int, assumptions: Assumptions) -> Indices:
        """Return the evaluations in [start, end): the occurrences, or the first such second of the minute after each.

        Second 0 is that of every rehearsal that gives none, so it leaves the occurrences as they are.
        """
        if self.recurrence.start is None:
            assumptions.rely_on(Assumptions.schedule_start)
        recurrence = self.begun(start).recurrence
        calendar = Calendar(repeated=assumptions.peek(Assumptions.repeated_wall_time))
        found = []
        for one in recurrence.occurrences(self.zone, start - _MINUTE, end - 1, calendar):
            tick = one.start + (second - one.start) % _MINUTE if second else one.start
            if start <= tick < end:
                found.append(tick)
                if one.ambiguous:
                    assumptions.rely_on(Assumptions.repeated_wall_time)
        return np.array(found, dtype=np.int64)

    def warnings(self, ticks: Indices) -> Iterator[str]:
        """Yield what is to be said about the schedule in a rehearsal."""
        if self.recurrence.start is None:
            rule = self.recurrence.rule
            timed = bool(rule.by_hour and rule.by_minute)
            here = 'the time of day comes from BYHOUR and BYMINUTE' if timed else 'it is the start of the rehearsal'
            yield f'start is missing: in the account it is the creation of the monitor; here {here} (rule 16.13, A56)'
        if not ticks.size:
            yield 'its schedule has no evaluation in this time'

    def longest_gap(self, instant: int) -> int:
        """Return the longest time between two evaluations in four years from an instant on, in seconds."""
        ticks = self.ticks(instant, instant + _YEARS, 0, Assumptions())
        return int(np.diff(ticks, prepend=instant, append=instant + _YEARS if ticks.size < 2 else ticks[-1]).max())

    def begun(self, instant: int) -> 'Schedule':
        """Return the schedule with its start, which is an instant where it has none: the creation of the monitor."""
        if self.recurrence.start is not None:
            return self
        return replace(self, recurrence=replace(self.recurrence, start=self._local(instant)))

    def anew(self, instant: int) -> 'Schedule':
        """Return the schedule with the same time of day from the day of an instant on, without an end."""
        start = self._local(instant)
        if self.recurrence.start is not None:
            start = datetime.combine(start.date(), self.recurrence.start.time())
        rule = replace(self.recurrence.rule, count=None, until=None)
        return replace(self, recurrence=replace(self.recurrence, start=start, rule=rule))

    def _local(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant, self.zone).replace(tzinfo=None)


def schedule_of(asset: MonitorAsset) -> Schedule | None:
    """Return the custom schedule of a monitor. Raises UnusableInputError for a rule without any occurrence."""
    options = asset.options.scheduling_options.custom_schedule
    if options is None or not options.recurrences:
        return None
    (one,) = options.recurrences
    assert one.rrule is not None, "an asset without a rule has an error"
    recurrence = Recurrence(one.start, 0, one.rrule)
    if not recurrence.ever():
        place = ('options', 'scheduling_options', 'custom_schedule', 'recurrences', 0, 'rrule')
        since = f' from {one.start.isoformat()} on' if one.start else ''
        message = f'{one.rrule.text!r} has no occurrence{since}'
        refuse([asset.diagnostic('monitor/custom-schedule', Severity.ERROR, place, message)])
    return Schedule(recurrence, one.timezone or UTC)
