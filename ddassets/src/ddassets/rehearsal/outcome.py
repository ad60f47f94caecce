"""The results of rehearsing several files, and their combined coverage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ddassets.assets import Monitor
from ddassets.diagnostic import UnusableInputError
from ddassets.rehearsal import coverage
from ddassets.rehearsal.choice import identity
from ddassets.rehearsal.judgement import Judgement
from ddassets.rehearsal.verdict import Verdict

FAILED = 1
UNUSABLE = 2


@dataclass(frozen=True)
class Outcome:
    """The result for one file: a rehearsal, or an error if it could not be used.

    `judged` is False if its expectations were filled in.
    """

    path: Path
    judgement: Judgement | None
    error: UnusableInputError | None = None
    judged: bool = True

    @property
    def failed(self) -> bool:
        return self.judged and self.judgement is not None and bool(self.judgement.failures)


@dataclass(frozen=True, eq=False)
class Run:
    """The results of several files. `min_coverage` is the minimum per integration in per cent, or None.

    `complete`: the files are all scenarios of their sources. `every_monitor`: one without a scenario is a failure.
    """

    outcomes: Sequence[Outcome]
    min_coverage: float | None = None
    complete: bool = False
    every_monitor: bool = False

    @property
    def unusable(self) -> bool:
        return any(outcome.error for outcome in self.outcomes)

    @property
    def code(self) -> int:
        """The exit code."""
        if self.unusable:
            return UNUSABLE
        failed = any(outcome.failed for outcome in self.outcomes)
        failed = failed or (self.every_monitor and bool(self.unrehearsed))
        return FAILED if failed or not all(verdict.holds for verdict in self.coverage_verdicts.values()) else 0

    @cached_property
    def monitors(self) -> Sequence[Monitor]:
        """The monitors of all sources, in order."""
        bundles = [outcome.judgement.rehearsal.bundle for outcome in self.outcomes if outcome.judgement]
        return list({identity(one): one for bundle in bundles for one in bundle.monitors}.values())

    @cached_property
    def unrehearsed(self) -> Sequence[Monitor]:
        """The monitors of the sources that no scenario rehearses; none if that is not known or not asked for."""
        if self.unusable or not (self.complete or self.every_monitor):
            return ()
        rehearsals = [outcome.judgement.rehearsal for outcome in self.outcomes if outcome.judgement]
        done = {identity(one.asset) for rehearsal in rehearsals for one in rehearsal.monitors}
        return [one for one in self.monitors if identity(one) not in done]

    @cached_property
    def coverage(self) -> Mapping[Path, Mapping[str, Sequence[tuple[str, bool]]]]:
        """The combined coverage of each monitor, by integration and name."""
        found: dict[Path, dict[str, list[Sequence[tuple[str, bool]]]]] = {}
        for outcome in self.outcomes:
            if outcome.judgement and outcome.judged:
                monitors = found.setdefault(outcome.judgement.rehearsal.bundle.folder, {})
                for name, items in outcome.judgement.coverage.items():
                    monitors.setdefault(name, []).append(items)
        return {
            folder: {name: coverage.together(each) for name, each in monitors.items()}
            for folder, monitors in found.items()
        }

    @cached_property
    def coverage_verdicts(self) -> Mapping[Path, Verdict]:
        """The verdicts on the coverage by integration; empty without a minimum."""
        if self.min_coverage is None:
            return {}
        return {folder: coverage.judge(monitors, self.min_coverage) for folder, monitors in self.coverage.items()}
