"""When a query is evaluated, over which windows, and how far back samples matter."""

from dataclasses import dataclass, replace

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Indices

# Samples older than this before the first window are not looked at, in seconds: groups are forgotten after a day.
HISTORY = 2 * 86400


@dataclass(frozen=True)
class Clock:
    """When a monitor is evaluated (`ticks`, seconds, rising), over which window, delay and under which assumptions."""

    ticks: Indices
    window: int
    delay: int
    assumptions: Assumptions
    # The instant before which samples are not looked at.
    oldest: int

    @property
    def starts(self) -> Indices:
        """Where each window begins (rule 2.3)."""
        return self.ticks - self.delay - self.window

    @property
    def ends(self) -> Indices:
        return self.ticks - self.delay

    def at(self, rows: Indices) -> 'Clock':
        """The same at some of the ticks."""
        return replace(self, ticks=self.ticks[rows])
