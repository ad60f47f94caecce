"""Read a configuration file of an integration as the Agent does, with the intervals of its instances."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ddassets.agent import agent_yaml
from ddassets.assets.document import read_bytes
from ddassets.diagnostic import UnusableInputError
from ddassets.nearest import did_you_mean
from ddassets.regex import regex

DEFAULT_INTERVAL = 15
"""Seconds between two runs of an instance without an interval (the Agent's `defaults.DefaultCheckInterval`)."""

_INTERVAL_KEY = 'min_collection_interval'
_TEMPLATE_KEYS = ('ad_identifiers', 'advanced_ad_identifiers', 'cel_selector')
_KNOWN_KEYS = (
    'init_config',
    'instances',
    'logs',
    'jmx_metrics',
    'cluster_check',
    'ignore_autodiscovery_tags',
    'check_tag_cardinality',
    *_TEMPLATE_KEYS,
)
# Seconds. The Agent counts in nanoseconds, in 64 bits.
_MAX_INTERVAL = (2**63 - 1) // 10**9
_MAX_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Schedule:
    """When the Agent runs an instance again: the interval in seconds, its reason, and an optional warning."""

    interval: int
    reason: str
    warning: str = ''


def read_schedules(path: Path, shown: str) -> list[Schedule]:
    """Read a configuration file, and return the interval of each of its instances.

    `shown` is the file's name in errors. Raises UnusableInputError if the Agent could not use the file.
    """
    return schedules(read_document(path, shown), shown)


def read_document(path: Path, shown: str, uncommented: Sequence[str] = (), from_pipe: bool = False) -> Any:
    """Return the content of a configuration file, read as by the Agent, with some options uncommented.

    `from_pipe` allows a pipe, which a shell makes of `<(command)`. Raises UnusableInputError, with the name `shown`, if
    it is not YAML or has no such option in a comment.
    """
    try:
        content = path.read_bytes() if from_pipe else read_bytes(path)
        return agent_yaml.load(uncomment(content.decode(), uncommented, shown))
    except OSError as error:
        raise UnusableInputError(f'{shown}: cannot be read: {error.strerror}') from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f'{shown}, line {mark.line + 1}, column {mark.column + 1}' if mark else shown
        raise UnusableInputError(
            f'{where}: invalid YAML: {error.problem or error.context}; the Agent refuses the file'
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise UnusableInputError(
            f'{shown}: invalid YAML: {str(error).splitlines()[0]}; the Agent refuses the file'
        ) from None


def is_template(document: object) -> bool:
    """Return whether a file is an Autodiscovery template: the Agent keeps it until a container matches."""
    return isinstance(document, dict) and any(document.get(key) for key in _TEMPLATE_KEYS)


def unknown_keys(document: object) -> list[str]:
    """Return a sentence for each top-level key that the Agent does not know; it logs a warning and continues."""
    keys = [str(key) for key in document if key not in _KNOWN_KEYS] if isinstance(document, dict) else []
    return [f'the Agent does not know the key {key!r} and ignores it{did_you_mean(key, _KNOWN_KEYS)}' for key in keys]


_COMMENTED = regex(r'( *)# (\w+):( .*)?')


def uncomment(text: str, names: Sequence[str], shown: str) -> str:
    """Uncomment options of the first instance, as a user edits the example.

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
            hint = did_you_mean(name, places)
            known = ', '.join(places) or 'none'
            raise UnusableInputError(f'{shown}: no option {name!r} in a comment{hint}; available: {known}')
        number, indent = places[name]
        # To the end of the block: at the next option's own comment, or an empty one.
        while number < len(lines) and lines[number].startswith(f'{indent}# '):
            lines[number] = indent + lines[number].removeprefix(f'{indent}# ')
            number += 1
    return ''.join(lines)


def schedules(document: object, shown: str) -> list[Schedule]:
    """Like `read_schedules`, for the result of `read_document`."""
    if not isinstance(document, dict):
        raise UnusableInputError(
            f'{shown}: expected a mapping with the keys init_config and instances, found {_kind(document)}; '
            'the Agent refuses the file'
        )
    instances = _instances(document, shown)
    if is_template(document):
        [key, *_] = [key for key in _TEMPLATE_KEYS if document.get(key)]
        raise UnusableInputError(
            f'{shown}: {key}: this is an Autodiscovery template; the Agent runs it only for a container that matches. '
            'Use a file without this key'
        )
    init_config = document.get('init_config')
    if init_config is not None and not isinstance(init_config, dict):
        raise UnusableInputError(
            f'{shown}: init_config: expected a mapping or nothing, found {_kind(init_config)}; the Agent does not load '
            'the check, although `configcheck` lists it'
        )
    return [_schedule(instance or {}, f'{shown}: instances[{index}]') for index, instance in enumerate(instances)]


def _instances(document: dict[Any, Any], shown: str) -> list[dict[str, Any] | None]:
    instances = document.get('instances')
    if instances is None:
        keys = ', '.join(map(str, document)) or 'none'
        found = 'found nothing' if 'instances' in document else f'but it is missing; found the keys: {keys}'
        raise UnusableInputError(
            f'{shown}: instances: expected a list with at least one instance, {found}; the Agent refuses the file'
        )
    if not isinstance(instances, list) or not instances:
        found = 'an empty list' if instances == [] else _kind(instances)
        raise UnusableInputError(
            f'{shown}: instances: expected a list with at least one instance, found {found}; the Agent refuses the file'
        )
    for index, instance in enumerate(instances):
        if instance is not None and not isinstance(instance, dict):
            raise UnusableInputError(
                f'{shown}: instances[{index}]: expected a mapping, found {_kind(instance)}; the Agent refuses the file'
            )
    return instances


def _schedule(instance: dict[str, Any], where: str) -> Schedule:
    value = instance.get(_INTERVAL_KEY)
    if value is None:
        return Schedule(DEFAULT_INTERVAL, f"the Agent's default, because the instance has no {_INTERVAL_KEY}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnusableInputError(
            f'{where}: {_INTERVAL_KEY}: expected a number of seconds without quotes, found {value!r}; '
            'the Agent does not load the instance'
        )
    if math.isnan(value) or value > _MAX_INTEGER:
        raise UnusableInputError(
            f'{where}: {_INTERVAL_KEY}: found {value!r}, which does not fit 64 bits; '
            'the Agent does not load the instance'
        )
    seconds = 0 if value == -math.inf else int(value)
    if seconds <= 0:
        return Schedule(
            DEFAULT_INTERVAL, f"the Agent's default, because {_INTERVAL_KEY}: {value} of the instance is not 1 or more"
        )
    cut = '' if seconds == value else f', {value} cut to whole seconds'
    if seconds > _MAX_INTERVAL:
        return Schedule(
            seconds,
            f'{_INTERVAL_KEY} of the instance{cut}',
            f'{where}: {_INTERVAL_KEY}: {value} overflows: Agent 7.82.1 started no check of any integration after it; '
            f'allowed are 1 to {_MAX_INTERVAL}',
        )
    return Schedule(seconds, f'{_INTERVAL_KEY} of the instance{cut}')


def _kind(value: object) -> str:
    if value is None:
        return 'nothing'
    names = {dict: 'a mapping', list: 'a list', str: 'a text', bool: 'a boolean', int: 'a number', float: 'a number'}
    return names.get(type(value), f'a {type(value).__name__}')
