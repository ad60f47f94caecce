"""The interface of evaluators, the same for all monitor types."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Indices
from ddassets.engine.explanation import Explanation
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.series import Series
from ddassets.engine.timeline import Group, GroupTimeline


class Evaluator(Protocol):
    """Evaluates one monitor group by group, to bound memory.

    `assumptions` records those that the groups evaluated so far relied on. `warnings` are sentences.
    """

    assumptions: Assumptions
    start: int
    end: int
    warnings: tuple[str, ...]

    @property
    def monitor(self) -> AnyMonitor:
        """The monitor, with what is known beyond its series or members."""
        ...

    @property
    def ticks(self) -> Indices:
        """The instants of evaluation, in seconds since the epoch."""
        ...

    @property
    def by(self) -> tuple[str, ...]:
        """The keys of its groups; none for a simple alert."""
        ...

    @property
    def groups(self) -> tuple[Group, ...]:
        """Every group, in order; a simple alert has one without tags."""
        ...

    @property
    def absence(self) -> str:
        """A clause that says why there is no group."""
        ...

    def series(self, group: Group) -> Iterator[Series]:
        """Every series from which the group is evaluated."""
        ...

    def timeline(self, group: Group) -> GroupTimeline:
        """Evaluate one group."""
        ...

    def explain(self, group: Group, instant: int) -> Explanation:
        """Explain the state of a group at an instant. Raises UnusableInputError."""
        ...

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        """The variables of a message about the group at an instant that only this monitor type has."""
        ...
