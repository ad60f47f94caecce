"""A second evaluator of SLO alerts, from the text of section 18 of the semantics: one evaluation at a time, exact.

Instants are in seconds. Numbers are texts of decimals, so that nothing is rounded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

TIMEFRAMES = {'7d': 7 * 86400, '30d': 30 * 86400, '90d': 90 * 86400}


@dataclass(frozen=True)
class Source:
    """The points of one source: (time, value, arrival). A rate counts its value in each second."""

    tags: Mapping[str, str]
    points: Sequence[tuple[int, str, int]]
    interval: int
    rate: bool = False


@dataclass(frozen=True)
class Term:
    """A query in a sum of counts: its factor, its sources and its rollup in seconds."""

    factor: Fraction
    sources: Sequence[Source]
    rollup: int | None = None


@cache
def amount(value: str, factor: Fraction) -> Fraction:
    return factor * Fraction(value)


@dataclass(frozen=True)
class Counts:
    """A metric SLO (rule 18.10): good and total events, or good and bad ones. Both are grouped by `by`."""

    good: Sequence[Term]
    other: Sequence[Term]
    other_is_bad: bool
    by: Sequence[str]

    def groups(self) -> list[Mapping[str, str]]:
        terms = [*self.good, *self.other] if self.other_is_bad else self.other
        found = []
        for term in terms:
            for source in term.sources:
                if all(key in source.tags for key in self.by) and source.points and source.tags not in found:
                    found.append(source.tags)
        return found

    def amounts(
        self, alert: 'Alert', group: Mapping[str, str], tick: int, start: int, end: int
    ) -> tuple[Fraction, ...]:
        good = sum((self._sum(alert, term, group, tick, start, end) for term in self.good), Fraction())
        other = sum((self._sum(alert, term, group, tick, start, end) for term in self.other), Fraction())
        return (other, good + other) if self.other_is_bad else (other - good, other)

    def _sum(self, alert: 'Alert', term: Term, group: Mapping[str, str], tick: int, start: int, end: int) -> Fraction:
        total = Fraction()
        for source in term.sources:
            if not all(key in source.tags for key in self.by):
                continue
            if any(source.tags.get(key) != value for key, value in group.items()):
                continue
            seconds = source.interval if source.rate else 1
            for at, value, arrival in source.points:
                bucket = at if term.rollup is None else at // term.rollup * term.rollup
                # Rule 18.20: whole buckets by their start.
                if start < bucket <= end and arrival <= tick and not alert.corrected(at):
                    total += amount(value, term.factor * seconds)
        return total

    def begin(self, group: Mapping[str, str]) -> tuple[float, int]:
        terms = [*self.good, *self.other] if self.other_is_bad else self.other
        own = [
            source
            for term in terms
            for source in term.sources
            if source.points
            and all(key in source.tags for key in self.by)
            and all(source.tags.get(key) == value for key, value in group.items())
        ]
        first = min((source.points[0][0] for source in own), default=float('inf'))
        return first, max((source.interval for source in own), default=60)


@dataclass(frozen=True)
class Member:
    """A monitor `max(last_1m):max:… > critical` over points 60 s apart: each evaluation sees one or none."""

    groups: Sequence[Mapping[int, float]]
    critical: float
    missing: str

    def down(self, values: Mapping[int, float], second: int, end: int) -> set[int]:
        """The evaluations until `end` at which a group is down (rules 18.11 and 18.12)."""
        found, status, silent = set(), None, 0
        first = min(values)
        for at in range(first + (second - first) % 60, end + 1, 60):
            value = values.get(at - at % 60)
            if value is not None:
                status, silent = 'down' if value > self.critical else 'up', 0
            elif status is not None:
                silent += 60
                if self.missing in ('resolve', 'show_no_data'):
                    status = 'up'
                elif self.missing == 'show_and_notify_no_data':
                    status = 'down'
                elif self.missing == 'notify_no_data' and silent + at % 60 >= 120:
                    # Rules 3.10 and 3.12: two minutes after the last point.
                    status = 'down'
            if status == 'down':
                found.add(at)
        return found


@dataclass(frozen=True)
class Uptime:
    """A monitor-based SLO (rule 18.11)."""

    members: Sequence[Member]
    cache: list[set[int]] = field(default_factory=list, compare=False)

    def groups(self) -> list[Mapping[str, str]]:
        return []

    def amounts(
        self, alert: 'Alert', group: Mapping[str, str], tick: int, start: int, end: int
    ) -> tuple[Fraction, ...]:
        bad = total = 0
        known, _ = self.begin(group)
        minute = end - (end - tick) % 60
        while minute > start:
            if minute >= known and not alert.corrected(minute):
                total += 1
                bad += minute in self.down(alert)
            minute -= 60
        return Fraction(bad), Fraction(total)

    def down(self, alert: 'Alert') -> set[int]:
        """The minutes in which any group of any monitor is down."""
        if not self.cache:
            each = (member.down(values, alert.second, alert.end) for member in self.members for values in member.groups)
            self.cache.append(set().union(*each))
        return self.cache[0]

    def begin(self, group: Mapping[str, str]) -> tuple[float, int]:
        firsts = [
            min((min(values) for values in member.groups if values), default=float('inf')) for member in self.members
        ]
        return max(firsts, default=float('inf')), 60


@dataclass(frozen=True)
class Slices:
    """A time slice SLO (rules 18.13 and 18.14): each group has one source of points."""

    seconds: int
    method: str
    comparator: str
    threshold: float
    sources: Sequence[Source]
    cache: dict[tuple[int, int], bool] = field(default_factory=dict, compare=False)

    def groups(self) -> list[Mapping[str, str]]:
        return [source.tags for source in self.sources if source.points]

    def amounts(
        self, alert: 'Alert', group: Mapping[str, str], tick: int, start: int, end: int
    ) -> tuple[Fraction, ...]:
        bad = total = 0
        known, _ = self.begin(group)
        ending = end - end % self.seconds
        while ending > start:
            begin = ending - self.seconds
            if ending > known:
                total += 1
                down = any(
                    self.failed(source, begin) for source in self.sources if group.items() <= source.tags.items()
                )
                bad += down and not alert.corrected(begin)
            ending -= self.seconds
        return Fraction(bad), Fraction(total)

    def failed(self, source: Source, begin: int) -> bool:
        key = id(source), begin
        if key not in self.cache:
            self.cache[key] = self._failed(source, begin)
        return self.cache[key]

    def _failed(self, source: Source, begin: int) -> bool:
        held = [Fraction(value) for at, value, _ in source.points if begin <= at < begin + self.seconds]
        if not held:
            return False
        reduced = {'avg': sum(held) / len(held), 'sum': sum(held), 'min': min(held), 'max': max(held)}[self.method]
        value, limit = Fraction(reduced), Fraction(repr(self.threshold))
        up = {'>': value > limit, '>=': value >= limit, '<': value < limit, '<=': value <= limit}[self.comparator]
        return not up

    def begin(self, group: Mapping[str, str]) -> tuple[float, int]:
        return min(
            (source.points[0][0] for source in self.sources if source.points), default=float('inf')
        ), self.seconds


@dataclass
class History:
    """(tick, value, state) of a group at each tick, and its changes (instant, source, target)."""

    ticks: list[tuple[int, Fraction | None, str]] = field(default_factory=list)
    changes: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Alert:
    """An SLO alert. `windows` are the long and the short one; empty for an error budget."""

    objective: Counts | Uptime | Slices
    timeframe: str
    windows: Sequence[int]
    comparator: str
    critical: str
    warning: str | None
    target: str
    delay: int
    by: Sequence[str]
    corrections: Sequence[tuple[int, int]]
    before: tuple[str, str] | None
    choices: Mapping[str, str]
    start: int
    end: int
    second: int

    def corrected(self, at: int) -> bool:
        """Rule 18.15."""
        return any(start <= at < end for start, end in self.corrections)

    def groups(self) -> list[Mapping[str, str]]:
        found: list[Mapping[str, str]] = []
        for tags in self.objective.groups() if self.by else [{}]:
            own = {key: tags[key] for key in self.by}
            if own not in found:
                found.append(own)
        return found

    def figure(self, group: Mapping[str, str], tick: int, window: int) -> Fraction | None:
        """The burn rate of a window (18.5), or the consumed per cent of the budget (18.3)."""
        end = tick - (self.delay if self.windows else 0)
        bad, total = self.objective.amounts(self, group, tick, end - window, end)
        begin, step = self.objective.begin(group)
        if self.before is not None and end - window + step < begin:
            good, all_before = map(Fraction, self.before)
            bad, total = bad + all_before - good, total + all_before
        if total <= 0:
            # A65.
            return Fraction() if self.choices['A65'] == 'uptime' else None
        target = Fraction(self.target)
        if self.windows:
            return (bad / total) / (1 - target / 100)
        status = 100 * (1 - bad / total)
        return 100 - 100 * (status - target) / (100 - target)

    def reaches(self, figures: Sequence[Fraction], limit: str) -> bool:
        """Rule 18.6 and A64."""
        inclusive = self.comparator == '>=' or (self.windows and self.choices['A64'] == '>=')
        return all(one >= Fraction(limit) if inclusive else one > Fraction(limit) for one in figures)

    def run(self, group: Mapping[str, str]) -> History:
        history, state = History(), None
        tick = self.start + (self.second - self.start) % 60
        while tick < self.end:
            windows = self.windows or [TIMEFRAMES[self.timeframe]]
            figures = [self.figure(group, tick, window) for window in windows]
            known = [figure for figure in figures if figure is not None]
            value = None
            if len(known) == len(figures):
                value = min(known)
                now = 'OK'
                if self.reaches(known, self.critical):
                    now = 'Alert'
                elif self.warning is not None and self.reaches(known, self.warning):
                    now = 'Warn'
                if now != (state or 'OK'):
                    history.changes.append((tick, state or 'absent', now))
                state = now
            initial = 'absent' if group else 'No Data'
            history.ticks.append((tick, value, state or initial))
            tick += 60
        return history
