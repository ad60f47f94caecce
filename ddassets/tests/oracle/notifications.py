"""The notifications of one group, tick by tick, with the downtimes that cover it (rules 3.21 and 5.16 to 5.21)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oracle.states import Change, History, Options

KINDS = {'OK': 'recovery', 'Warn': 'warn', 'Alert': 'alert', 'No Data': 'no data'}
CAP = 30 * 3600


@dataclass(frozen=True)
class Downtime:
    start: float
    end: float
    name: str
    mute_first_recovery: bool = False
    end_states: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Notification:
    instant: int
    kind: str
    reason: str
    source: str
    target: str
    value: float | None
    muted_by: frozenset[str]
    first: int | None
    last: int | None


class Dispatch:
    def __init__(
        self, options: Options, history: History, downtimes: Sequence[Downtime], choices: Mapping[str, str], end: int
    ) -> None:
        self.end = end
        self.options = options
        self.history = history
        self.downtimes = downtimes
        self.choices = choices

    def active(self, instant: float) -> list[Downtime]:
        return [one for one in self.downtimes if one.start <= instant < one.end]

    def beginning(self, instant: float) -> float:
        """Return when the continuous muting around a muted instant began (rule 5.21)."""
        earliest = min(one.start for one in self.active(instant))
        while True:
            before = [one.start for one in self.downtimes if one.start < min(earliest, one.end) and earliest <= one.end]
            if not before:
                return earliest
            earliest = min(before)

    def state(self, instant: float) -> tuple[str, float | None]:
        found: tuple[str, float | None] = ('absent', None)
        for tick, value, state in self.history.ticks:
            if tick <= instant:
                found = (state, value)
        return found

    def latest(self, instant: float) -> Change | None:
        return max(
            (one for one in self.history.changes if one.instant <= instant), key=lambda one: one.instant, default=None
        )

    def all(self) -> list[Notification]:
        own = [self.own(change) for change in self.history.changes if change.notify]
        ends = [] if self.options.draft else list(self.ends())
        return sorted([*own, *ends, *self.again(ends)], key=lambda one: (one.instant, one.reason != 'transition'))

    def own(self, change: Change) -> Notification:
        muting = self.active(change.instant)
        if muting and change.target == 'OK' and self.first_recovery(change, muting):
            muting = []
        return self.notification(change.instant, 'transition', change.source, change, change.value, muting)

    def first_recovery(self, change: Change, muting: Sequence[Downtime]) -> bool:
        """Rule 5.17."""
        before = change.first is not None and change.first < self.beginning(change.instant)
        return before and not any(one.mute_first_recovery for one in muting)

    def notification(
        self,
        instant: int,
        reason: str,
        source: str,
        change: Change,
        value: float | None,
        muting: Sequence[Downtime],
    ) -> Notification:
        names = frozenset(one.name for one in muting)
        return Notification(
            instant, KINDS[change.target], reason, source, change.target, value, names, change.first, change.last
        )

    def ends(self) -> list[Notification]:
        """Rules 5.18 and 5.21: one where muting is over, unless the state is silent or was notified at that instant."""
        found = []
        for instant in sorted({one.end for one in self.downtimes if one.start < one.end < self.end}):
            state, value = self.state(instant)
            change = self.latest(instant)
            if self.active(instant) or change is None or change.target != state:
                continue
            wanted = any(state in one.end_states for one in self.downtimes if one.end == instant)
            notified = change.instant == instant and change.notify
            if wanted and not notified and not (state == 'No Data' and self.options.silent):
                found.append(self.notification(int(instant), 'downtime end', state, change, value, []))
        return found

    def again(self, ends: Sequence[Notification]) -> list[Notification]:
        """Return, at each tick, whether the last notification is long enough ago (rule 3.21)."""
        options = self.options
        statuses = options.renotify_statuses or ('alert', 'no data')
        found: list[Notification] = []
        if not options.renotify_interval or options.draft:
            return found
        changes = {change.instant: change for change in self.history.changes}
        change: Change | None = None
        count, last = 0, 0.0
        for tick, value, state in self.history.ticks:
            if tick in changes:
                new = changes[tick]
                same = change is not None and new.first == change.first and change.target != 'OK'
                count = count if same and self.choices['A10'].startswith('keep') else 0
                change, last = new, tick
            for end in ends:
                if last < end.instant <= tick:
                    last = end.instant
            if change is None or state != change.target or not self.asked(state, statuses):
                continue
            if tick < last + options.renotify_interval or self.enough(change, count, tick):
                continue
            muting = self.active(tick)
            if muting and self.choices['A23'] == 'at the end':
                continue
            last, count = tick, count + (not muting)
            found.append(self.notification(tick, 'renotify', state, change, value, muting))
        return found

    def enough(self, change: Change, count: int, tick: int) -> bool:
        """Whether the occurrences are used up or the older cap is reached (A10)."""
        limit = self.options.renotify_occurrences
        capped = self.choices['A10'] == 'reset, cap' and change.first is not None and tick > change.first + CAP
        return capped or (limit is not None and count >= limit)

    def asked(self, state: str, statuses: Sequence[str]) -> bool:
        if state == 'No Data' and self.options.silent:
            return False
        return state not in ('absent', 'OK') and KINDS[state] in statuses
