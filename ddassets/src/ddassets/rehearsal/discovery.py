"""Find scenario files, and the integration around each."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ddassets import boundary
from ddassets.diagnostic import UnusableInputError

FOLDER = 'rehearsals'
#: A scenario that the error about a folder without scenarios shows.
EXAMPLE = """\
  start: 2027-01-04T10:00:00
  length: 1h
  series:
    - metric: acme.queue.length
      tags: [host:a]
      type: gauge
      interval: 60s
      values: 5x30 200x30
"""


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
        try:
            boundary.check(folder)
            files = sorted(file for file in folder.iterdir() if file.suffix in ('.yaml', '.yml'))
        except OSError as error:
            raise UnusableInputError(f'{folder}: {error.strerror}') from None
        if not files:
            raise UnusableInputError(
                f'{path}: found no scenario; expected {FOLDER}/*.yaml in an integration',
                f'for example {FOLDER}/first.yaml:\n{EXAMPLE}'
                f'then `ddassets rehearse --write {path}` fills in what happens; '
                'ddassets/docs/rehearsals.md describes the keys',
            )
        found += files
    # One file may be meant by several paths.
    by_place: dict[str, Path] = {}
    for path in found:
        by_place.setdefault(os.path.abspath(path), path)
    return list(by_place.values())


def integration_of(scenario: Path) -> Path:
    """The folder of the integration around a scenario: the nearest above it with a manifest or monitors, or its own."""
    for folder in _above(scenario):
        if os.path.isfile(folder / 'manifest.json') or os.path.isdir(folder / 'assets' / 'monitors'):
            return folder
    return scenario.parent


def _above(scenario: Path) -> Iterator[Path]:
    # As the path was given, as far as that goes: messages then name files as the user did.
    yield scenario.parent
    yield from scenario.parent.parents
    if not scenario.is_absolute():
        yield from Path(os.path.abspath(scenario)).parents
