"""What came of rehearsing some files, and the coverage that they have together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ddassets.diagnostic import UnusableInputError
from ddassets.rehearsal import coverage
from ddassets.rehearsal.judgement import Judgement
from ddassets.rehearsal.verdict import Verdict

FAILED = 1
UNUSABLE = 2


@dataclass(frozen=True)
class Outcome:
    """What came of one file: a rehearsal, or an error where it could not be used.

    `judged` is False where its expectations were filled in from it.
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
    """Several files. `min_coverage` is what each integration's have to cover together, in per cent; None: nothing."""

    outcomes: Sequence[Outcome]
    min_coverage: float | None = None

    @property
    def unusable(self) -> bool:
        return any(outcome.error for outcome in self.outcomes)

    @property
    def code(self) -> int:
        """The exit code."""
        if self.unusable:
            return UNUSABLE
        failed = any(outcome.failed for outcome in self.outcomes)
        return FAILED if failed or not all(verdict.holds for verdict in self.coverage_verdicts.values()) else 0

    @cached_property
    def coverage(self) -> Mapping[Path, Mapping[str, Sequence[tuple[str, bool]]]]:
        """What each monitor's rehearsals reached together, by integration and name."""
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
        """Whether the coverage is enough, by integration; none where nobody asks."""
        if self.min_coverage is None:
            return {}
        return {folder: coverage.judge(monitors, self.min_coverage) for folder, monitors in self.coverage.items()}
