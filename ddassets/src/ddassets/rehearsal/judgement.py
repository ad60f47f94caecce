"""Judges a rehearsal: which expectations hold, coverage, and which assumptions matter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ddassets.rehearsal import coverage, expectation, properties, what_if
from ddassets.rehearsal.result import Rehearsal
from ddassets.rehearsal.verdict import Verdict


@dataclass(frozen=True, eq=False)
class Judgement:
    """A rehearsal judged. Nothing is computed before it is asked for. `mode` says which assumptions are switched."""

    rehearsal: Rehearsal
    mode: what_if.Mode = 'off'

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """On each expectation, on what was not expected, on each property and on the coverage.

        Raises UnusableInputError for what nothing could meet.
        """
        return tuple(self._verdicts())

    @cached_property
    def what_if(self) -> what_if.WhatIf:
        """Which assumptions would change the result."""
        return what_if.what_if(self.rehearsal, self.mode)

    @property
    def failures(self) -> Sequence[Verdict]:
        """What does not hold."""
        return [verdict for verdict in self.verdicts if not verdict.holds]

    @cached_property
    def coverage(self) -> Mapping[str, Sequence[tuple[str, bool]]]:
        """What there is to reach in each monitor, by name, and whether it was reached."""
        return {monitor.name: coverage.coverage(monitor) for monitor in self.rehearsal.monitors}

    def _verdicts(self) -> Iterator[Verdict]:
        yield from expectation.judge(self.rehearsal)
        yield from properties.judge(self.rehearsal)
        scenario = self.rehearsal.scenario
        if scenario.min_coverage is not None:
            line = scenario.top.keys['min_coverage'].line
            yield coverage.judge(self.coverage, scenario.min_coverage, line)
