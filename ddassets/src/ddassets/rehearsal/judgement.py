"""What is to be thought of a rehearsal: whether what its scenario asks for holds, and what it covered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ddassets.rehearsal import coverage, expectation, properties
from ddassets.rehearsal.result import Rehearsal
from ddassets.rehearsal.verdict import Verdict


@dataclass(frozen=True, eq=False)
class Judgement:
    """A rehearsal judged. Nothing is computed before it is asked for."""

    rehearsal: Rehearsal

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """On each expectation, on what was not expected, on each property and on the coverage.

        Raises UnusableInputError for what nothing could meet.
        """
        return tuple(self._verdicts())

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
