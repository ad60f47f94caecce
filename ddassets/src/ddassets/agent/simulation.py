"""An integration's check on a simulated clock: the series that an Agent would have sent between two instants."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddassets.agent.environment import BASE_VERSION
from ddassets.errors import UnusableInputError
from ddassets.series import Series

type Stretch = tuple[float, float]


class SimulationError(UnusableInputError):
    """The check failed, opened a socket or did not return. The text names the instance, the run and its instant.

    `traceback` is the check's own, or empty.
    """

    def __init__(self, message: str, traceback: str = '') -> None:
        super().__init__(message)
        self.traceback = traceback


@dataclass(frozen=True)
class Conditions:
    """When and where the Agent runs. Instants are in seconds since the epoch, stretches are half open.

    The Agent runs in [start, end) on `host` (no tag host: if empty). Each run begins up to `jitter` seconds late, drawn
    from `seed`, which seeds the check's own `random`, too. In `down` the Agent is off: it starts again at the end of
    the stretch, with new check objects. What it submits can be seen `late` seconds later; in `cut_off` it runs but
    reaches nobody, and sends what it kept at the end of the stretch.
    """

    start: float
    end: float
    host: str = ''
    jitter: float = 0
    seed: int = 0
    down: tuple[Stretch, ...] = ()
    late: float = 0
    cut_off: tuple[Stretch, ...] = ()


@dataclass(frozen=True)
class Simulated:
    """The series of all instances, and a sentence for each kind of sample that the Agent would drop."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...]


def simulate(
    integration: Path,
    conditions: Conditions,
    configuration: Path | Mapping[str, Any] | None = None,
    base_version: str = BASE_VERSION,
    time_limit: float = 60,
) -> Simulated:
    """Run every instance of an integration (its folder or wheel), each at its own interval, on a simulated clock.

    `configuration` is a file, or what such a file holds (a mapping with `instances`); None is the example. Where the
    integration's package of this very folder can be imported, it runs in this process; elsewhere in a scratch
    environment, installed by the Agent's rules. `time_limit` (real seconds) bounds the load and each run.

    Raises UnusableInputError, and SimulationError (one of them) where the check is at fault.
    """
    raise NotImplementedError
