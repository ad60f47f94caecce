"""The types of monitors: how each is read, and what evaluates it. Another type is one row of the table."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.engine import monitor as metric
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Indices
from ddassets.engine.evaluator import Evaluator as MetricEvaluator
from ddassets.engine.explanation import Explanation
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.series import Series, SeriesSet
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
        """Why there is no group, as a clause."""
        ...

    def series(self, group: Group) -> Iterator[Series]:
        """Every series that the group is evaluated from."""
        ...

    def timeline(self, group: Group) -> GroupTimeline:
        """Evaluate one group."""
        ...

    def explain(self, group: Group, instant: int) -> Explanation:
        """Say why a group is in the state that it is in at an instant. Raises UnusableInputError."""
        ...

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        """The variables of a message about the group at an instant that only this type of monitor has."""
        ...


@dataclass(frozen=True)
class Inputs:
    """What a monitor is evaluated from, over [start, end) in seconds, at a second of the minute."""

    store: SeriesSet
    start: int
    end: int
    tick_second: int
    assumptions: Assumptions


def _metric(monitor: metric.Monitor, inputs: Inputs) -> Evaluator:
    return MetricEvaluator(monitor, inputs.store, inputs.start, inputs.end, inputs.tick_second, inputs.assumptions)


@dataclass(frozen=True)
class _Kind:
    read: Callable[[MonitorAsset], AnyMonitor]
    evaluator: Callable[[Any, Inputs], Evaluator]


_METRIC = _Kind(metric.of, _metric)
_KINDS: Mapping[str, _Kind] = {'metric alert': _METRIC, 'query alert': _METRIC}


def read(asset: MonitorAsset) -> AnyMonitor:
    """Return what the engine needs of a monitor.

    Raises UnusableInputError with every error of the asset, and Unsupported for what is outside the subset.
    """
    return _kind(asset).read(asset)


def evaluator(asset: MonitorAsset, monitor: AnyMonitor, inputs: Inputs) -> Evaluator:
    """Return what evaluates a monitor that `read` returned. Raises Unsupported and UnusableInputError."""
    return _kind(asset).evaluator(monitor, inputs)


def _kind(asset: MonitorAsset) -> _Kind:
    # The reader of metric monitors refuses other types by name.
    return _KINDS.get(asset.type, _METRIC)
