"""A verdict on an expectation or property of a scenario."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in Unix seconds, with the names of the monitor and the group."""

    monitor: str
    group: str
    at: int


@dataclass(frozen=True)
class Verdict:
    """Whether an expectation or property holds.

    `details` say what happened instead; `line` is its line in the scenario; `moment` is where to look. Failures of one
    monitor with the same `cause`, if it is not empty, are shown as one where each takes much room.
    """

    name: str
    holds: bool
    details: tuple[str, ...] = ()
    line: int | None = None
    moment: Moment | None = None
    cause: str = ''

    def __str__(self) -> str:
        return f'{self.name}: {"; ".join(self.details)}' if self.details else self.name
