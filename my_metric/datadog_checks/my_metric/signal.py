# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The signal: computes the value at an instant from the options of an instance.

Pure functions without a clock: instants are seconds since 1970 UTC, whole or fractional, also before 1970 and after
2038. The value depends only on the seed, the instant and the set of tags, so every restart, every Agent and every
computation for the past or the future gives the same series. The only exception is the shape `uniform` without a seed,
which is random at each call.

All time grids start at 1970-01-01T00:00:00Z:
- `uniform` with a seed has one value for each whole `min_collection_interval`. Runs that are slightly late or early,
  and a second Agent that runs at other seconds, get the same value;
- `sine`, `sawtooth` and `pulse` start a cycle, and `noise` takes a new level, at each multiple of `period` plus
  `phase`. Within a cycle the value depends on the instant (`noise` follows a smooth curve).
"""

import json
import math
import random
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import accumulate
from typing import Any

# Maps the elapsed part of a cycle, 0 to 1, to the height of the signal between minimum (0) and maximum (1).
CYCLES: dict[str, Callable[[float], float]] = {
    'constant': lambda part: 1.0,
    'sine': lambda part: (1 + math.sin(2 * math.pi * part)) / 2,
    'sawtooth': lambda part: part,
    'pulse': lambda part: 1.0 if part < 0.5 else 0.0,
}
SHAPES = ('uniform', *CYCLES, 'noise')

# Number of bits of a draw.
BITS = 64
# Encodes a grid position as a label for a draw. Callers add 0.0, so that -0.0 and 0.0 have the same label.
label = struct.Struct('<d').pack


def key(seed: int | None, tags: Iterable[str]) -> Any:
    """Return the hash state from which all draws of an instance start; copy it before updating."""
    from hashlib import blake2b  # loads OpenSSL, 3 MiB, which the unseeded signal does not need

    return blake2b(json.dumps([seed, sorted(set(tags))]).encode(), digest_size=BITS // 8)


class Signal:
    """The series of one instance; `options` are its accepted options (the check's `config`)."""

    def __init__(self, options: Any) -> None:
        self.drill = None if options.drill is None else Drill(options.drill)
        # Whole steps of the last decimal, so that both ends of the range are exact.
        self._scale = 10**options.decimals
        self._lowest = options.minimum * self._scale
        self._span = options.maximum * self._scale - self._lowest
        self._uniform = options.signal == 'uniform'
        self._seeded = options.seed is not None
        self._cycle = CYCLES.get(options.signal)
        self._interval = options.min_collection_interval
        self._period = options.period
        self._key = key(options.seed, options.tags or ()) if self._seeded or options.signal == 'noise' else None
        # An explicit phase is the same for all tags; otherwise the seed spreads the series over the cycle.
        self._phase = options.phase
        if self._phase is None:
            self._phase = self._draw(b'phase') / 2**BITS * self._period if self._seeded else 0
        self._levels = (None, 0, 0)

    def value(self, instant: float) -> int | float | None:
        """Return the value at `instant`: whole unless `decimals` is set, None in a silent phase of a drill."""
        if self.drill is not None and self.drill.is_active(position := self.drill.position(instant)):
            return self.drill.phases[position].value
        if not self._uniform:
            # If the range has more steps than a float has digits, the product may exceed the last step.
            steps = min(round(self._height(instant) * self._span), self._span)
        elif self._seeded:
            steps = self._draw(label(0.0 + instant // self._interval)) * (self._span + 1) >> BITS
        else:
            steps = random.randint(0, self._span)
        return self._lowest + steps if self._scale == 1 else (self._lowest + steps) / self._scale

    def _height(self, instant: float) -> float:
        cycle, rest = divmod(instant - self._phase, self._period)
        part = rest / self._period
        if self._cycle is not None:
            return self._cycle(part)
        # The two levels depend only on the cycle. They are cached, since most runs are in the same cycle as the last.
        known, left, right = self._levels
        if known != cycle:
            left, right = self._draw(label(0.0 + cycle)) / 2**BITS, self._draw(label(cycle + 1)) / 2**BITS
            self._levels = cycle, left, right
        return left + (right - left) * part * part * (3 - 2 * part)

    def _draw(self, label: bytes) -> int:
        """Return a number of BITS bits that depends only on the seed, the tags and the label, on every machine."""
        state = self._key.copy()
        state.update(label)
        return int.from_bytes(state.digest())


class Drill:
    """Consecutive phases from `start` on, which replace the signal.

    A phase includes its first instant and excludes the first instant of the next phase.
    """

    def __init__(self, options: Any) -> None:
        self.start = datetime.fromisoformat(options.start).timestamp()
        self.phases = options.phases
        self._ends = [self.start + 60 * minutes for minutes in accumulate(phase.minutes for phase in self.phases)]

    def position(self, instant: float) -> int:
        """Return the index of the phase at `instant`: -1 before the first, the number of phases after the last."""
        return -1 if instant < self.start else bisect_right(self._ends, instant)

    def is_active(self, position: int) -> bool:
        return 0 <= position < len(self.phases)

    def describe(self, position: int) -> str:
        phase = self.phases[position]
        content = 'silent' if phase.silent else phase.value
        return f'phase {position + 1} of {len(self.phases)}: {content} for {phase.minutes} min'

    def __str__(self) -> str:
        # The text of an event has at most 4,000 characters.
        lines = [self.describe(position) for position in range(min(len(self.phases), 50))]
        return '\n'.join(lines if len(lines) == len(self.phases) else [*lines, 'and so on'])
