"""A verdict: whether one thing that a scenario asks for holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, in Unix seconds, of one group of a monitor, both by name."""

    monitor: str
    group: str
    at: int


@dataclass(frozen=True)
class Verdict:
    """Whether one thing that the scenario asks for holds.

    `details` say what was found instead; `line` is where the scenario asks for it; `moment` is what to look at.
    """

    name: str
    holds: bool
    details: tuple[str, ...] = ()
    line: int | None = None
    moment: Moment | None = None

    def __str__(self) -> str:
        return f'{self.name}: {"; ".join(self.details)}' if self.details else self.name
