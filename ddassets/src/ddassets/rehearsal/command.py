"""`ddassets rehearse`: from scenario files to tables, verdicts and an exit code."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ddassets import bundle as bundles
from ddassets.errors import UnusableInputError
from ddassets.rehearsal import printing
from ddassets.rehearsal.run import rehearse
from ddassets.rehearsal.scenario import Check, read
from ddassets.series import Series

FAILED = 1
UNUSABLE = 2
FOLDER = 'rehearsals'


@dataclass(frozen=True)
class RehearseOptions:
    """What to rehearse and how to tell."""

    paths: Sequence[Path]
    format: str = 'text'


def run(options: RehearseOptions) -> int:
    """Run the command. Returns 1 where an expectation failed and 2 where a scenario could not be used."""
    code = 0
    for path in find(options.paths):
        try:
            scenario = read(path)
            rehearsal = rehearse(scenario, bundles.read(integration_of(path)), simulate, _progress)
            sys.stdout.write(printing.text(rehearsal))
        except UnusableInputError as error:
            code = UNUSABLE
            print(f'ddassets: error: {error}', file=sys.stderr)
            if error.details:
                print('\n'.join('  ' + line for line in error.details.splitlines()), file=sys.stderr)
    return code


def find(paths: Sequence[Path]) -> list[Path]:
    """The scenario files at some paths: a file itself, those of an integration, or those of a folder of them.

    Raises UnusableInputError for a path that is not there or holds none.
    """
    found: list[Path] = []
    for path in paths:
        if os.path.isfile(path):
            found.append(path)
            continue
        if not os.path.isdir(path):
            raise UnusableInputError(f'{path}: no such file or folder')
        folder = path / FOLDER if os.path.isdir(path / FOLDER) else path
        here = sorted(file for file in folder.iterdir() if file.suffix in ('.yaml', '.yml') and os.path.isfile(file))
        if not here:
            raise UnusableInputError(f'{path}: found no scenario; expected {FOLDER}/*.yaml in an integration')
        found += here
    return list(dict.fromkeys(found))


def integration_of(scenario: Path) -> Path:
    """The folder of the integration around a scenario: the nearest above it with a manifest or assets, or its own."""
    for folder in _above(scenario):
        if os.path.isfile(folder / 'manifest.json') or os.path.isdir(folder / 'assets' / 'monitors'):
            return folder
    return scenario.parent


def _above(scenario: Path) -> Iterator[Path]:
    folder = scenario.parent
    # As it was given, as far as that goes: messages then name paths as the user wrote them.
    yield folder
    yield from folder.parents
    if not folder.is_absolute():
        yield from Path(os.path.abspath(folder)).parents


def simulate(folder: Path, check: Check, end: int) -> tuple[Sequence[Series], Sequence[str]]:
    """Run the integration's check on a simulated clock. The only thing here that may start a process."""
    from ddassets.agent.simulation import Conditions
    from ddassets.agent.simulation import simulate as run_check

    conditions = Conditions(
        check.start, end, check.host, check.jitter, check.seed, check.down, check.late, check.cut_off
    )
    found = run_check(folder, conditions, check.configuration)
    return found.series, found.warnings


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)
