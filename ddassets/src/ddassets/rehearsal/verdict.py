"""Verdicts: whether what a scenario asks for holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddassets.rehearsal.run import Rehearsal


@dataclass(frozen=True)
class Verdict:
    """Whether one thing that the scenario asks for holds. `details` say what was found instead; `line` is where."""

    name: str
    holds: bool
    details: tuple[str, ...] = ()
    line: int | None = None

    def __str__(self) -> str:
        return f'{self.name}: {"; ".join(self.details)}' if self.details else self.name


def judge(rehearsal: 'Rehearsal') -> Iterator[Verdict]:
    """Yield a verdict on each expectation, on what was not expected, on each property and on the coverage.

    Raises UnusableInputError for what nothing could meet.
    """
    from ddassets.rehearsal import coverage, expectation, properties

    yield from expectation.judge(rehearsal)
    yield from properties.judge(rehearsal)
    least = rehearsal.scenario.min_coverage
    if least is not None:
        entry = rehearsal.scenario.top.keys['min_coverage']
        monitors = {monitor.name: monitor.coverage for monitor in rehearsal.monitors}
        yield coverage.judge(monitors, least, entry.node.start_mark.line + 1)
