"""When a query is evaluated, over which windows, and which samples matter."""

from dataclasses import dataclass, replace

import numpy as np

from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.column import Indices

# Samples older than this before the first window do not matter, in seconds: a group is dropped after a day.
HISTORY = 2 * 86400


@dataclass(frozen=True)
class EvaluationContext:
    """When a monitor is evaluated (`ticks`, rising), over which window, with which delay, under which assumptions.

    All times are in seconds. Samples before `oldest` are ignored. Before `known` the series are unknown, so
    default_zero() and default() fill no gaps there. `extents` are the lengths of cumulative windows, of which `window`
    is the longest; None: every window has the same length.
    """

    ticks: Indices
    window: int
    delay: int | Indices
    assumptions: Assumptions
    oldest: int
    known: int
    extents: Indices | None = None

    @property
    def cumulative(self) -> bool:
        return self.extents is not None

    @property
    def lengths(self) -> Indices | int:
        """How long each window is."""
        return self.window if self.extents is None else self.extents

    @property
    def starts(self) -> Indices:
        """Where each window begins (rules 2.3 and 16.1)."""
        return self.ticks - self.delay - self.lengths

    @property
    def ends(self) -> Indices:
        """Where each window ends."""
        return self.ticks - self.delay

    def includes_start(self, bounds: Assumption) -> bool:
        """Whether a window includes its first instant: a cumulative one does, for no other has it (rule 16.6)."""
        return self.cumulative or self.assumptions.peek(bounds).startswith('[')

    @property
    def edges(self) -> tuple[Indices, ...]:
        """The ends and starts of the windows, as far as an assumption says whether they are included."""
        return (self.ends,) if self.cumulative else (self.ends, self.starts)

    def at(self, rows: Indices) -> 'EvaluationContext':
        """Return the context for some of the ticks."""
        delay = self.delay if isinstance(self.delay, int) else self.delay[rows]
        extents = None if self.extents is None else self.extents[rows]
        return replace(self, ticks=self.ticks[rows], delay=delay, extents=extents)

    def earlier(self, seconds: int | Indices) -> 'EvaluationContext':
        """Return the context with windows that lie `seconds` earlier, a number for each tick or for all."""
        return replace(self, delay=self.delay + seconds, oldest=self.oldest - int(np.max(seconds, initial=0)))
