"""The messages of an integration in the form that rules use."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ddassets.assets import Monitor
from ddassets.diagnostic import Severity, Span
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

    @property
    def recovers(self) -> bool:
        """Whether recoveries notify: with a custom schedule there are none (rule 16.15)."""
        return self.monitor.options.scheduling_options.custom_schedule is None

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
