"""The messages and downtimes of an integration in the form that rules use."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from ddassets.assets import Downtime as DowntimeAsset
from ddassets.assets import Monitor
from ddassets.assets.source import Place
from ddassets.diagnostic import Diagnostic, Severity, Span
from ddassets.engine.downtime import Downtime, Recurrence, Recurring
from ddassets.engine.downtime import read as parse_downtime
from ddassets.engine.message import (
    FLAGS,
    Edge,
    Mention,
    MessageSyntaxError,
    Reach,
    Template,
    conditions,
    find_handles,
    mentions,
    parse,
    reach,
)
from ddassets.engine.message import Fault as MessageFault
from ddassets.engine.state import State
from ddassets.language.message.tree import Text
from ddassets.lint.rule import Fault


@dataclass(frozen=True)
class MessageReading:
    """A monitor's message. `keys` are the tag keys that its query groups and filters by; None if unknown."""

    monitor: Monitor
    template: Template | None
    faults: Sequence[MessageFault]
    keys: frozenset[str] | None
    group_keys: frozenset[str]

    def fault(
        self, message: str, offset: int | None = None, length: int = 1, hint: str = '', severity: Severity | None = None
    ) -> Fault:
        """Return a fault at a part of the message, or of the whole message."""
        span = Span(offset, offset + length) if offset is not None else None
        return Fault(where=self.monitor, place=('message',), message=message, span=span, hint=hint, severity=severity)

    @cached_property
    def reach(self) -> Sequence[Reach]:
        return reach(self.template) if self.template else ()

    @cached_property
    def mentions(self) -> Sequence[Mention]:
        return mentions(self.template) if self.template else ()

    def asks(self, names: Collection[str]) -> bool:
        """Whether the message has a block for one of these conditionals."""
        branches = self.template.branches() if self.template else ()
        return any(literal.condition.name in names for branch in branches for literal in branch.path)

    def words_of(self, before: State, after: State) -> Literal['own', 'shared', 'none']:
        """Classify the text that is sent on the transition, without handles and for every result of `is_match`.

        The text is its own, the same as for an alert after OK, or empty.
        """
        said, alert = self._parts(before, after), self._parts(State.OK, State.ALERT)
        if _has_words(text for part, text in said.items() if part not in alert):
            return 'own'
        return 'shared' if _has_words(said.values()) else 'none'

    @property
    def tells_of_alerts(self) -> bool:
        return _has_words(self._parts(State.OK, State.ALERT).values())

    def _parts(self, before: State, after: State) -> dict[int, str]:
        """Return the text that is sent on the transition, by the index of each part; empty for variables."""
        flags = conditions(Edge(before, after))
        said: dict[int, str] = {}
        for part, (node, path) in enumerate(self.template.walk() if self.template else ()):
            if all(
                (literal.condition.name in flags) == literal.holds
                for literal in path
                if literal.condition.name in FLAGS
            ):
                said[part] = node.text if isinstance(node, Text) else ''
        return said


def _has_words(texts: Iterable[str]) -> bool:
    text = ''.join(texts)
    for handle in reversed(find_handles(text)):
        text = text[: handle.start] + text[handle.end :]
    return any(character.isalnum() for character in text)


def read_message(monitor: Monitor, keys: frozenset[str] | None, group_keys: frozenset[str]) -> MessageReading:
    try:
        return MessageReading(monitor, parse(monitor.message), (), keys, group_keys)
    except MessageSyntaxError as error:
        return MessageReading(monitor, None, error.faults, keys, group_keys)


@dataclass(frozen=True)
class DowntimeReading:
    """A downtime and the diagnostics of its asset; None if it has errors, or its source withholds a needed value."""

    asset: DowntimeAsset
    downtime: Downtime | None
    diagnostics: Sequence[Diagnostic]

    def fault_at(self, place: Place, message: str, hint: str = '') -> Fault:
        """Return a fault at a place relative to the attributes."""
        return Fault(where=self.asset, place=place, message=message, hint=hint)

    @property
    def recurrences(self) -> Iterator[tuple[int, Recurrence, ZoneInfo]]:
        if self.downtime and isinstance(self.downtime.schedule, Recurring):
            for index, recurrence in enumerate(self.downtime.schedule.recurrences):
                yield index, recurrence, self.downtime.schedule.zone


def read_downtime(asset: DowntimeAsset) -> DowntimeReading:
    return DowntimeReading(asset, *parse_downtime(asset))


# From the first start on; it contains every change of summer time.
_SECONDS_JUDGED = 2 * 366 * 86400


def group_downtimes(
    readings: Sequence[DowntimeReading],
) -> Iterator[tuple[tuple[DowntimeReading, ...], float, float]]:
    """Group the recurring downtimes by monitors and groups, with the period (Unix seconds) in which to check them."""
    groups: dict[object, list[DowntimeReading]] = {}
    for reading in readings:
        downtime = reading.downtime
        if downtime and isinstance(downtime.schedule, Recurring) and any(True for _ in downtime.starts()):
            key = (downtime.monitor_id, frozenset(downtime.monitor_tags), downtime.scope, downtime.schedule.zone.key)
            groups.setdefault(key, []).append(reading)
    for together in groups.values():
        starts = [start for reading in together if reading.downtime for _, start in reading.downtime.starts()]
        # Not before the last of them has started: until then a downtime may be missing.
        first = max(starts)
        yield tuple(together), first, first + _SECONDS_JUDGED


def find_steady_week(together: Sequence[DowntimeReading], start: float) -> date | None:
    """Return the Monday of a normal week of the downtimes; None if they are not weekly.

    In a normal week, all downtimes have started and summer time neither starts nor ends.
    """
    recurrences = [recurrence for reading in together for _, recurrence, _ in reading.recurrences]
    for recurrence in recurrences:
        rule = recurrence.rule
        if rule.frequency not in ('DAILY', 'WEEKLY') or rule.interval != 1 or rule.count or rule.until:
            return None
        if rule.by_month or rule.by_month_day or rule.by_set_position:
            return None
    zone = next(zone for _, _, zone in together[0].recurrences)
    day = datetime.fromtimestamp(start, zone).date()
    monday = day + timedelta(days=14 - day.weekday())
    for _ in range(60):
        bounds = [datetime(monday.year, monday.month, monday.day) + timedelta(days=days) for days in (-1, 8)]
        if len({bound.replace(tzinfo=zone).utcoffset() for bound in bounds}) == 1:
            return monday
        monday += timedelta(days=7)
    return None
