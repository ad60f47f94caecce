"""Which files the Agent takes from a wheel's data folder, and how it reads a configuration file."""

import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ddassets.diagnostic import UnusableInputError
from ddassets.nearest import closest

DEFAULT_INTERVAL = 15
"""Seconds between two runs of an instance that does not say (the Agent's `defaults.DefaultCheckInterval`)."""

_INTERVAL_KEY = 'min_collection_interval'
_COPIED = re.compile(r'[\w_]+\.yaml.*')


@dataclass(frozen=True)
class Schedule:
    """When the Agent runs an instance again: the interval in seconds, and why it is that one."""

    interval: int
    reason: str


def copied_files(names: Iterable[str]) -> list[str]:
    """The files of a data folder that `integration install` copies into `conf.d/<integration>.d/`, sorted."""
    return sorted(name for name in names if _COPIED.search(name))


def self_loading_files(names: Iterable[str]) -> list[str]:
    """The copied files that the Agent would load without being asked, on every host that installs the wheel."""
    return [name for name in copied_files(names) if name.endswith(('.yaml', '.yaml.default'))]


def copy_configuration(data: Path, target: Path) -> list[str]:
    """Copy a wheel's configuration files as the Agent's install command does. Returns a warning for each risk.

    Raises UnusableInputError when the data folder is missing: the Agent's command fails there, too.
    """
    if not data.is_dir():
        raise UnusableInputError(
            f'the wheel has no folder datadog_checks/{data.parent.name}/data; '
            'the Agent looks there for conf.yaml.example (is it excluded from the wheel?)'
        )
    names = [entry.name for entry in data.iterdir() if entry.is_file()]
    target.mkdir(parents=True)
    for name in copied_files(names):
        shutil.copyfile(data / name, target / name)
    return [
        f'data/{name}: the Agent loads this file by itself once installed; ship {name.split(".")[0]}.yaml.example'
        for name in self_loading_files(names)
    ]


def enable_configuration(directory: Path, chosen: Path | None) -> Path:
    """Put `conf.yaml` in place: the chosen file, else the example. Returns its path.

    Raises UnusableInputError when there is no such file.
    """
    source = chosen or directory / 'conf.yaml.example'
    target = directory / 'conf.yaml'
    if not source.is_file():
        found = ', '.join(sorted(entry.name for entry in directory.iterdir())) or 'no configuration file'
        raise UnusableInputError(f'the wheel has no data/conf.yaml.example (it has: {found}); name one with --config')
    shutil.copyfile(source, target)
    return target


def read_schedules(path: Path, shown: str) -> list[Schedule]:
    """Read a configuration file and say when the Agent would run each of its instances again.

    `shown` names the file in error messages. Raises UnusableInputError when the Agent could not use the file.
    """
    return schedules(read_document(path, shown), shown)


def read_document(path: Path, shown: str, uncommented: Sequence[str] = ()) -> Any:
    """What a configuration file holds, with some of the options that it only shows in comments.

    Raises UnusableInputError, under the name `shown`, where it is no YAML or does not show such an option.
    """
    try:
        return yaml.safe_load(uncomment(path.read_text(encoding='utf-8'), uncommented, shown))
    except OSError as error:
        raise UnusableInputError(f'{shown}: cannot be read: {error.strerror}') from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f'{shown}, line {mark.line + 1}, column {mark.column + 1}' if mark else shown
        raise UnusableInputError(f'{where}: invalid YAML: {error.problem or error.context}') from None
    except (yaml.YAMLError, ValueError) as error:
        raise UnusableInputError(f'{shown}: invalid YAML: {str(error).splitlines()[0]}') from None


_COMMENTED = re.compile(r'( *)# (\w+):( .*)?')


def uncomment(text: str, names: Sequence[str], shown: str) -> str:
    """Take the comment signs off options of the first instance, as somebody does who follows the example.

    An option is `# name: value` on a line of its own, with the commented lines that follow at its indent. Raises
    UnusableInputError for a name that is not among them.
    """
    lines = text.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if line.startswith('instances:')), 0)
    places: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines[first:], first):
        if match := _COMMENTED.fullmatch(line.rstrip()):
            places.setdefault(match[2], (number, match[1]))
    for name in names:
        if name not in places:
            nearest = closest(name, places)
            hint = f'; did you mean {nearest!r}?' if nearest else ''
            known = ', '.join(places) or 'none'
            raise UnusableInputError(f'{shown}: shows no option {name!r} in a comment{hint}; it shows: {known}')
        number, indent = places[name]
        # To the end of the block: at the next option's own comment, or an empty one.
        while number < len(lines) and lines[number].startswith(f'{indent}# '):
            lines[number] = indent + lines[number].removeprefix(f'{indent}# ')
            number += 1
    return ''.join(lines)


def schedules(document: object, shown: str) -> list[Schedule]:
    """As `read_schedules`, for what `read_document` returned."""
    if not isinstance(document, dict):
        raise UnusableInputError(
            f'{shown}: expected a mapping with the keys init_config and instances, found {_kind(document)}'
        )
    init_config = document.get('init_config')
    if init_config is not None and not isinstance(init_config, dict):
        raise UnusableInputError(f'{shown}: init_config: expected a mapping or nothing, found {_kind(init_config)}')
    if 'instances' not in document:
        keys = ', '.join(map(str, document)) or 'none'
        raise UnusableInputError(f'{shown}: there is no list "instances" (found: {keys}); the Agent would run nothing')
    instances = document['instances']
    if not isinstance(instances, list) or not instances:
        found = 'an empty list' if instances == [] else _kind(instances)
        raise UnusableInputError(f'{shown}: instances: expected a list with at least one instance, found {found}')
    return [_schedule(instance, f'{shown}: instances[{index}]') for index, instance in enumerate(instances)]


def _schedule(instance: object, where: str) -> Schedule:
    if instance is None:
        instance = {}
    if not isinstance(instance, dict):
        raise UnusableInputError(f'{where}: expected a mapping, found {_kind(instance)}')
    interval = instance.get(_INTERVAL_KEY)
    if interval is None:
        return Schedule(DEFAULT_INTERVAL, f"the Agent's default, because the instance has no {_INTERVAL_KEY}")
    if isinstance(interval, bool) or not isinstance(interval, int):
        raise UnusableInputError(
            f'{where}: {_INTERVAL_KEY}: expected a whole number of seconds, found {interval!r}; '
            'the Agent schedules by whole seconds'
        )
    if interval <= 0:
        return Schedule(
            DEFAULT_INTERVAL, f"the Agent's default, because {_INTERVAL_KEY}: {interval} of the instance is not above 0"
        )
    return Schedule(interval, f'{_INTERVAL_KEY} of the instance')


def _kind(value: object) -> str:
    if value is None:
        return 'nothing'
    names = {dict: 'a mapping', list: 'a list', str: 'a text', bool: 'a boolean', int: 'a number', float: 'a number'}
    return names.get(type(value), f'a {type(value).__name__}')
