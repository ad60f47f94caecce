"""Run the check of a scenario (`check:`) on a simulated clock."""

from collections.abc import Sequence
from pathlib import Path

from ddassets.engine.series import Series
from ddassets.rehearsal.scenario import Check


def simulate(folder: Path, check: Check, end: int) -> tuple[Sequence[Series], Sequence[str]]:
    """Return the series that the integration's check submits until `end`, and warnings. Starts a process."""
    from ddassets.agent.simulation import Conditions
    from ddassets.agent.simulation import simulate as run_check

    conditions = Conditions(
        check.start, end, check.host, check.jitter, check.seed, check.down, check.late, check.cut_off
    )
    simulated = run_check(folder, conditions, check.configuration, check.uncommented, isolated=True)
    return simulated.series, simulated.warnings
