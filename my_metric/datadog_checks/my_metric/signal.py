# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The signal: what an instance's options make of an instant.

Pure, and without a clock: instants come in as seconds since 1970 UTC, whole or not, before 1970 or after 2038. The
value is a function of the seed, the instant and the tags (a set: order and repetition do not count), so each restart,
each Agent and each computation for the past or the future finds the same series. The one exception is the shape
`uniform` without a seed, which is random at each call.

Time grids, all counted from 1970-01-01T00:00:00Z and none from the start of anything:
- `uniform` with a seed holds one draw for each whole `min_collection_interval`, so that a run that is a little late or
  early, and a second Agent that runs at other seconds, find the value of the same interval;
- `sine`, `sawtooth` and `pulse` begin a cycle, and `noise` takes a new level, at each whole `period` plus `phase`; in
  between they move with the instant itself (`noise` along a smooth curve).
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

# The part of a cycle that is over, 0 to 1, to the height of the signal between minimum (0) and maximum (1).
CYCLES: dict[str, Callable[[float], float]] = {
    'constant': lambda part: 1.0,
    'sine': lambda part: (1 + math.sin(2 * math.pi * part)) / 2,
    'sawtooth': lambda part: part,
    'pulse': lambda part: 1.0 if part < 0.5 else 0.0,
}
SHAPES = ('uniform', *CYCLES, 'noise')

# A draw is a whole number of so many bits.
BITS = 64
# A grid's place in time as a label to draw by; adding to 0.0 makes -0.0 the same place.
label = struct.Struct('<d').pack


def key(seed: int | None, tags: Iterable[str]) -> Any:
    """What all draws of an instance begin with, as a hash to be copied and gone on with."""
    from hashlib import blake2b  # it loads OpenSSL, 3 MiB, which the plain random signal does without

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
        # Chosen by hand, the phase is the same for all tags; else the seed spreads the series over the cycle.
        self._phase = options.phase
        if self._phase is None:
            self._phase = self._draw(b'phase') / 2**BITS * self._period if self._seeded else 0
        self._levels = (None, 0, 0)

    def value(self, instant: float) -> int | float | None:
        """What a run at `instant` submits: whole unless there are `decimals`, None in a silent phase of a drill."""
        if self.drill is not None and self.drill.runs(position := self.drill.position(instant)):
            return self.drill.phases[position].value
        if not self._uniform:
            # A product of floats may end beyond the last step of a range that has more steps than a float has digits.
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
        # The two levels are a function of the cycle; they are kept because most runs fall into the cycle of the last.
        known, left, right = self._levels
        if known != cycle:
            left, right = self._draw(label(0.0 + cycle)) / 2**BITS, self._draw(label(cycle + 1)) / 2**BITS
            self._levels = cycle, left, right
        return left + (right - left) * part * part * (3 - 2 * part)

    def _draw(self, label: bytes) -> int:
        """A number of BITS bits that depends on the seed, the tags and the label, on every machine the same."""
        state = self._key.copy()
        state.update(label)
        return int.from_bytes(state.digest())


class Drill:
    """Phases one after the other from `start` on, each of which takes the place of the signal; then nothing.

    A phase lasts from its first instant to the one before the next phase's first.
    """

    def __init__(self, options: Any) -> None:
        self.start = datetime.fromisoformat(options.start).timestamp()
        self.phases = options.phases
        self._ends = [self.start + 60 * minutes for minutes in accumulate(phase.minutes for phase in self.phases)]

    def position(self, instant: float) -> int:
        """The index of the phase that holds at `instant`: -1 before the first, the number of phases after the last."""
        return -1 if instant < self.start else bisect_right(self._ends, instant)

    def runs(self, position: int) -> bool:
        return 0 <= position < len(self.phases)

    def describe(self, position: int) -> str:
        phase = self.phases[position]
        holds = 'silent' if phase.silent else phase.value
        return f'phase {position + 1} of {len(self.phases)}: {holds} for {phase.minutes} min'

    def __str__(self) -> str:
        # An event holds 4,000 characters.
        lines = [self.describe(position) for position in range(min(len(self.phases), 50))]
        return '\n'.join(lines if len(lines) == len(self.phases) else [*lines, 'and so on'])
