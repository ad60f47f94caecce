"""Find scenario files and their integrations."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ddassets import assets, boundary
from ddassets.assets import Bundle, is_integration
from ddassets.diagnostic import UnusableInputError
from ddassets.regex import regex
from ddassets.rehearsal.choice import ReadSource, checked, read_source

FOLDER = 'rehearsals'
#: An example scenario, shown in the error about a folder without scenarios.
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


@dataclass(frozen=True)
class Found:
    """The scenario files at some paths, and the sources of their assets (empty for an integration)."""

    scenarios: Sequence[Path]
    sources: Sequence[Bundle] = ()


def find(paths: Sequence[Path], read: ReadSource = read_source) -> Found:
    """Find scenarios (files, or those of an integration or a folder) and sources among the paths.

    Without a scenario, those beside the first source are used. Raises UnusableInputError for a path that does not exist
    or contains neither, and for a source that cannot be read.
    """
    sources = {path: checked(source) for path in paths if (source := source_at(path, read))}
    scenarios = find_scenarios([path for path in paths if path not in sources], read)
    if sources and not scenarios:
        first = next(iter(sources))
        folder = (first if os.path.isdir(first) else first.parent) / FOLDER
        if not os.path.isdir(folder):
            raise UnusableInputError(
                f'{first}: found no scenario; expected {FOLDER}/*.yaml beside the assets',
                f'{_without_scenario(first)}for example {folder}/first.yaml:\n{EXAMPLE}'
                f'then `ddassets rehearse --write {first}` fills in what happens',
            )
        scenarios = find_scenarios([folder], read)
    return Found(scenarios, [*sources.values()])


def _without_scenario(path: Path) -> str:
    return (
        f'`ddassets rehearse --auto {path}` needs no scenario\n'
        f'`ddassets init {path}` writes a scenario for each monitor\n'
    )


# At the top level in block style, or anywhere in the first line in flow style.
_SCENARIO = regex(r'^(?:\{.*?)?["\']?\b(?:start|length|series|timezone|expect)["\']?\s*:', re.MULTILINE)


def source_at(path: Path, read: ReadSource = read_source) -> Bundle | None:
    """Read a path with assets in a known form. Return None for a scenario, an integration or a folder of scenarios."""
    if os.path.isdir(path):
        if is_integration(path) or os.path.isdir(path / FOLDER) or _scenarios_in(path):
            return None
    elif path != boundary.STANDARD_INPUT:
        if not os.path.isfile(path) or (path.suffix not in _NEVER_SCENARIOS and _is_scenario(path)):
            return None
    source = read(path)
    return source if source.form or path == boundary.STANDARD_INPUT or path.suffix in _NEVER_SCENARIOS else None


_YAML = ('.yaml', '.yml')
_NEVER_SCENARIOS = ('.json', '.tf', '.tfstate')
# Bytes. The keys of a scenario are in its first lines.
_HEAD = 1_000_000


def _is_scenario(path: Path) -> bool:
    """Whether a file has keys of a scenario at the top level, or cannot be read, which its reader then reports."""
    try:
        boundary.check(path)
        # Opening a pipe would wait for its writer.
        if not os.path.isfile(path):
            return True
        with open(path, 'rb') as file:
            return bool(_SCENARIO.search(file.read(_HEAD).decode(errors='replace')))
    except (OSError, ValueError):
        return True


def _scenarios_in(folder: Path) -> list[Path]:
    try:
        boundary.check(folder)
        files = sorted(file for file in folder.iterdir() if file.suffix in _YAML)
    except OSError as error:
        raise UnusableInputError(f'{folder}: {error.strerror}') from None
    return [file for file in files if _is_scenario(file)]


def find_scenarios(paths: Sequence[Path], read: ReadSource = read_source) -> list[Path]:
    """Return the scenario files at some paths: a file itself, or those of an integration or a folder.

    Raises UnusableInputError for a path that does not exist or contains none.
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
            # Monitors in YAML may be beside the scenarios that use them.
            files = sorted(file for file in folder.iterdir() if file.suffix in _YAML and not source_at(file, read))
        except OSError as error:
            raise UnusableInputError(f'{folder}: {error.strerror}') from None
        if not files:
            raise UnusableInputError(
                f'{path}: found no scenario; expected {FOLDER}/*.yaml in an integration',
                f'{_without_scenario(path)}for example {FOLDER}/first.yaml:\n{EXAMPLE}'
                f'then `ddassets rehearse --write {path}` fills in what happens; '
                'ddassets/docs/rehearsals.md describes the keys',
            )
        found += files
    # Several paths may lead to the same file.
    by_place: dict[str, Path] = {}
    for path in found:
        by_place.setdefault(os.path.abspath(path), path)
    return list(by_place.values())


def integration_of(scenario: Path) -> Path:
    """Return the integration of a scenario: the nearest folder above it with a manifest or monitors, or its own."""
    for folder in _above(scenario):
        if _contains_integration(folder):
            return folder
    return scenario.parent


def _contains_integration(folder: Path) -> bool:
    return os.path.isfile(folder / 'manifest.json') or os.path.isdir(folder / 'assets' / 'monitors')


def assets_in(folder: Path, read: ReadSource = read_source) -> Bundle:
    """Return the assets for the scenarios of a folder, which `integration_of` returned.

    Those of the integration; without one, for a folder named `rehearsals`, those of all files in the folder that
    contains it, at any depth.
    """
    bundle = assets.read(folder)
    if _contains_integration(folder) or Path(os.path.abspath(folder)).name != FOLDER:
        return bundle
    root = folder.parent if folder.name == FOLDER else Path(os.pardir)
    # Outside of a Git work tree only the given paths are read.
    sources = read(root) if boundary.is_inside(root) else bundle
    return with_sources(bundle, sources) if sources.form else bundle


def with_sources(bundle: Bundle, sources: Bundle) -> Bundle:
    """Return the assets of sources with the manifest and metrics of the integration around a scenario."""
    return replace(sources, folder=bundle.folder, manifest=bundle.manifest, metrics=bundle.metrics)


def _above(scenario: Path) -> Iterator[Path]:
    # Keep the form of the given path if possible, so that messages name files as the user did.
    yield scenario.parent
    yield from scenario.parent.parents
    if not scenario.is_absolute():
        yield from Path(os.path.abspath(scenario)).parents
