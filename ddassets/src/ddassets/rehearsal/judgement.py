"""Judges a rehearsal: which expectations hold, coverage, and which assumptions matter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ddassets.rehearsal import coverage, expectation, properties, what_if
from ddassets.rehearsal.result import Rehearsal
from ddassets.rehearsal.verdict import Verdict


@dataclass(frozen=True, eq=False)
class Judgement:
    """The verdicts on a rehearsal, computed on first use. `mode` says which assumptions are switched."""

    rehearsal: Rehearsal
    mode: what_if.Mode = 'off'

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts on each expectation, unexpected events, each property and the coverage.

        Raises UnusableInputError for an expectation that cannot be met.
        """
        return tuple(self._verdicts())

    @cached_property
    def what_if(self) -> what_if.WhatIf:
        """The assumptions that would change the result."""
        return what_if.what_if(self.rehearsal, self.mode)

    @property
    def failures(self) -> Sequence[Verdict]:
        """The failed verdicts."""
        return [verdict for verdict in self.verdicts if not verdict.holds]

    @cached_property
    def coverage(self) -> Mapping[str, Sequence[tuple[str, bool]]]:
        """The coverage items of each monitor, by name, and whether they were reached."""
        return {monitor.name: coverage.coverage(monitor) for monitor in self.rehearsal.monitors}

    def _verdicts(self) -> Iterator[Verdict]:
        yield from expectation.judge(self.rehearsal)
        yield from properties.judge(self.rehearsal)
        scenario = self.rehearsal.scenario
        if scenario.min_coverage is not None:
            line = scenario.top.keys['min_coverage'].line
            yield coverage.judge(self.coverage, scenario.min_coverage, line)
