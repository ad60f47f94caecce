"""The configuration files that `datadog-agent integration install` copies from a wheel, and their modes."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ddassets.agent.configuration import is_template, read_document
from ddassets.diagnostic import UnusableInputError
from ddassets.regex import regex

# The Agent searches for this anywhere in the name; \w is ASCII.
_COPIED = regex(r'[\w_]+\.yaml.*', re.ASCII)
_PROFILES = 'profiles'
_NEW_MODE = 0o644

type Action = Literal['bring', 'overwrite', 'leave', 'skip', 'create', 'error']


@dataclass(frozen=True)
class ConfFile:
    """A file or folder, by its path in `conf.d/<integration>.d`, and what the command does with it.

    `bring`: new; `overwrite`: the content is replaced, mode and owner stay; `leave`: exists only on the host; `skip`:
    exists only in the wheel; `create`: a folder; `error`: the command fails, after it copied all others. `mode` is the
    mode of the result, before the umask for a new file.
    """

    path: str
    action: Action
    mode: int | None = None
    note: str = ''


def plan(data: Path, target: Path) -> list[ConfFile]:
    """Return what would be copied from a wheel's data folder to `target`, which may be missing.

    Raises UnusableInputError if the data folder is missing: the Agent's command fails too.
    """
    if not data.is_dir():
        raise UnusableInputError(
            f'the wheel has no folder datadog_checks/{data.parent.name}/data; the Agent would install the wheel, and '
            'then fail, because it expects conf.yaml.example there (is the folder excluded from the wheel, or does it '
            'have another name?)'
        )
    planned = list(_plan(data, target, ''))
    brought = {file.path for file in planned}
    found = sorted(path.relative_to(target).as_posix() for path in target.rglob('*') if path.is_file())
    left = [ConfFile(path, 'leave', _mode(target / path)) for path in found if path not in brought]
    return planned + left


def _plan(source: Path, target: Path, prefix: str) -> Iterator[ConfFile]:
    for entry in sorted(source.iterdir()):
        path = prefix + entry.name
        there = target / entry.name
        if entry.name == _PROFILES:
            if not entry.is_dir() or (there.exists() and not there.is_dir()):
                yield ConfFile(path, 'error', note='profiles is not a folder')
                continue
            yield ConfFile(f'{path}/', 'create', 0o755)
            yield from _plan(entry, there, f'{path}/')
        elif not _COPIED.search(entry.name):
            shown = f'{path}/' if entry.is_dir() else path
            yield ConfFile(shown, 'skip', note='' if entry.is_dir() else _skipped(entry.name))
        elif entry.is_dir():
            yield ConfFile(f'{path}/', 'error', note='a folder whose name matches that of a file cannot be read')
        elif there.is_dir():
            yield ConfFile(path, 'error', note='a folder with this name exists')
        else:
            note = '' if prefix else _note(entry)
            if there.exists():
                yield ConfFile(path, 'overwrite', _mode(there), note)
            else:
                yield ConfFile(path, 'bring', _NEW_MODE, note)


def copy(data: Path, target: Path) -> list[ConfFile]:
    """Copy as the Agent's command does, and return the plan. Raises UnusableInputError if the command fails."""
    planned = plan(data, target)
    target.mkdir(parents=True, exist_ok=True)
    for file in planned:
        if file.action == 'create':
            (target / file.path).mkdir(exist_ok=True)
        elif file.action in ('bring', 'overwrite'):
            shutil.copyfile(data / file.path, target / file.path)
    if errors := [f'data/{file.path}: {file.note}' for file in planned if file.action == 'error']:
        raise UnusableInputError(f'the Agent would install the wheel, and then fail: {"; ".join(errors)}')
    return planned


def enable(directory: Path, chosen: Path | None) -> Path:
    """Create `conf.yaml` from the chosen file, else from the example. Returns its path.

    Raises UnusableInputError when there is no such file.
    """
    source = chosen or directory / 'conf.yaml.example'
    target = directory / 'conf.yaml'
    if not source.is_file():
        found = ', '.join(sorted(entry.name for entry in directory.iterdir())) or 'no configuration file'
        raise UnusableInputError(
            f'the wheel has no data/conf.yaml.example (it has: {found}); pass a file with --config'
        )
    shutil.copyfile(source, target)
    return target


def _note(file: Path) -> str:
    """Return what the Agent does with a copied file automatically; empty for an example."""
    if file.name == 'metrics.yaml':
        return 'belongs to a JMX check'
    if not file.name.endswith(('.yaml', '.yaml.default')):
        return ''
    if _waits(file):
        return 'an Autodiscovery template: used only with a matching container'
    return (
        f'the Agent loads this file automatically after the installation; ship {file.name.split(".")[0]}.yaml.example'
    )


def _waits(file: Path) -> bool:
    try:
        return is_template(read_document(file, file.name))
    except UnusableInputError:
        return False


def _skipped(name: str) -> str:
    if _COPIED.search(name.lower()) or re.search(r'[\w_]+\.yaml.*', name) or name.endswith('.yml'):
        return 'not copied: the name must have ASCII letters, digits or _ before a lower-case ".yaml"'
    return ''


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777
