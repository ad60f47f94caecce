"""What is sent for one group, tick by tick, with the downtimes that cover it (rules 3.21 and 5.16 to 5.21)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oracle.states import Change, Life, Options

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
class Notice:
    instant: int
    kind: str
    reason: str
    source: str
    target: str
    value: float | None
    muted_by: frozenset[str]
    first: int | None
    last: int | None


class Post:
    def __init__(
        self, options: Options, life: Life, downtimes: Sequence[Downtime], choices: Mapping[str, str], end: int
    ) -> None:
        self.end = end
        self.options = options
        self.life = life
        self.downtimes = downtimes
        self.choices = choices

    def active(self, instant: float) -> list[Downtime]:
        return [one for one in self.downtimes if one.start <= instant < one.end]

    def beginning(self, instant: float) -> float:
        """When the unbroken muting around a muted instant began (rule 5.21)."""
        earliest = min(one.start for one in self.active(instant))
        while True:
            before = [one.start for one in self.downtimes if one.start < min(earliest, one.end) and earliest <= one.end]
            if not before:
                return earliest
            earliest = min(before)

    def state(self, instant: float) -> tuple[str, float | None]:
        found: tuple[str, float | None] = ('absent', None)
        for tick, value, state in self.life.ticks:
            if tick <= instant:
                found = (state, value)
        return found

    def latest(self, instant: float) -> Change | None:
        return max(
            (one for one in self.life.changes if one.instant <= instant), key=lambda one: one.instant, default=None
        )

    def notices(self) -> list[Notice]:
        own = [self.own(change) for change in self.life.changes if change.notify]
        ends = [] if self.options.draft else list(self.ends())
        return sorted([*own, *ends, *self.again(ends)], key=lambda one: (one.instant, one.reason != 'transition'))

    def own(self, change: Change) -> Notice:
        muting = self.active(change.instant)
        if muting and change.target == 'OK' and self.first_recovery(change, muting):
            muting = []
        return self.notice(change.instant, 'transition', change.source, change, change.value, muting)

    def first_recovery(self, change: Change, muting: Sequence[Downtime]) -> bool:
        """Rule 5.17."""
        before = change.first is not None and change.first < self.beginning(change.instant)
        return before and not any(one.mute_first_recovery for one in muting)

    def notice(
        self,
        instant: int,
        reason: str,
        source: str,
        change: Change,
        value: float | None,
        muting: Sequence[Downtime],
    ) -> Notice:
        names = frozenset(one.name for one in muting)
        return Notice(
            instant, KINDS[change.target], reason, source, change.target, value, names, change.first, change.last
        )

    def ends(self) -> list[Notice]:
        """Rules 5.18 and 5.21: one where muting is over, unless the state is silent or has just been told."""
        found = []
        for instant in sorted({one.end for one in self.downtimes if one.start < one.end < self.end}):
            state, value = self.state(instant)
            change = self.latest(instant)
            if self.active(instant) or change is None or change.target != state:
                continue
            wanted = any(state in one.end_states for one in self.downtimes if one.end == instant)
            told = change.instant == instant and change.notify
            if wanted and not told and not (state == 'No Data' and self.silent):
                found.append(self.notice(int(instant), 'downtime end', state, change, value, []))
        return found

    def again(self, ends: Sequence[Notice]) -> list[Notice]:
        """Rule 3.21: each tick, is the last notification long enough ago?"""
        options = self.options
        statuses = options.renotify_statuses or ('alert', 'no data')
        found: list[Notice] = []
        if not options.renotify_interval or options.draft:
            return found
        changes = {change.instant: change for change in self.life.changes}
        change, count, last = None, 0, 0.0
        for tick, value, state in self.life.ticks:
            if tick in changes:
                kept = self.choices['A10'].startswith('keep') and change is not None
                kept = kept and changes[tick].first == change.first and change.target != 'OK'
                change, last = changes[tick], tick
                count = count if kept else 0
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
            found.append(self.notice(tick, 'renotify', state, change, value, muting))
        return found

    def enough(self, change: Change, count: int, tick: int) -> bool:
        """A10: the occurrences are used up, or the older cap is reached."""
        limit = self.options.renotify_occurrences
        capped = self.choices['A10'] == 'reset, cap' and change.first is not None and tick > change.first + CAP
        return capped or (limit is not None and count >= limit)

    def asked(self, state: str, statuses: Sequence[str]) -> bool:
        if state == 'No Data' and self.silent:
            return False
        return state not in ('absent', 'OK') and KINDS[state] in statuses

    @property
    def silent(self) -> bool:
        return not self.options.notify_no_data and self.options.on_missing_data != 'show_and_notify_no_data'
