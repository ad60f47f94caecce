"""The present. A test stops the clock and moves it; everything that needs the present asks it."""

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ddassets.diagnostic import UnusableInputError
from ddassets.sandbox.store import Store

#: Latest instant that a clock can be set to: the year 2200, in seconds.
MAX_INSTANT = 7_258_118_400.0


class Clock:
    """The system's clock, or one that stands still until it is moved.

    A driven clock is stored: after a restart it is where it was. `followers` are called with an instant in seconds:
    once a second, and for a driven clock when it is moved, before the move is acknowledged. They do all that is due
    until then, such as the evaluation of monitors.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._driven: float | None = store.fact('clock')
        self._moving = threading.Lock()
        self.followers: list[Callable[[float], None]] = []

    @property
    def driven(self) -> bool:
        return self._driven is not None

    def now(self) -> float:
        """Return the present in seconds since the epoch."""
        driven = self._driven
        return time.time() if driven is None else driven

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def drive(self, instant: float) -> None:
        """Stop the clock at an instant, in seconds. A driven clock moves forward only. Raises UnusableInputError."""
        with self._moving:
            if not (math.isfinite(instant) and 0 <= instant <= MAX_INSTANT):
                raise UnusableInputError(f'the clock: found {instant!r}, expected seconds since the epoch')
            if self._driven is not None and instant < self._driven:
                raise UnusableInputError(f'the clock stands at {self._driven:g} and cannot go back to {instant:g}')
            self._driven = instant
            self._store.write(lambda change: change.put_fact('clock', instant))
            self._follow()

    def release(self) -> None:
        """Let the clock run again, as the system's does."""
        with self._moving:
            self._driven = None
            self._store.write(lambda change: change.put_fact('clock', None))

    def tick(self) -> None:
        """Let the followers do what is due; a driven clock does so when it is moved."""
        with self._moving:
            if not self.driven:
                self._follow()

    def _follow(self) -> None:
        for follower in self.followers:
            follower(self.now())
