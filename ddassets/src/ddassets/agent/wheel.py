"""The rules by which `datadog-agent integration install -w` accepts a wheel. Pure, except for opening the archive."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ddassets.diagnostic import UnusableInputError

BASE_PACKAGE = 'datadog-checks-base'

_REQUIREMENT = f'Requires-Dist: {BASE_PACKAGE}'
# The Agent's own expression. What it does not match (a space before the version, `~=`) it reads wrongly, and so do we.
_SPECIFIER = re.compile(r'([><=!]{1,2})([0-9.]*)')
_SEMVER = re.compile(r'(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)')

type Version = tuple[int, int, int]


@dataclass(frozen=True)
class Wheel:
    """A wheel that the Agent accepts."""

    path: Path
    distribution: str
    integration: str


def read_wheel(path: Path, base_version: str) -> Wheel:
    """Open a wheel and apply the Agent's install rules to it, for an Agent that ships `base_version`.

    Raises UnusableInputError with the reason for which the Agent would refuse the wheel.
    """
    metadata = _read_metadata(path)
    distribution = distribution_name(metadata)
    reason = refusal(metadata, base_version)
    if reason:
        raise UnusableInputError(f'{path.name}: the Agent would refuse this wheel: {reason}')
    return Wheel(path, distribution, integration_name(distribution))


def _read_metadata(path: Path) -> str:
    if not path.is_file():
        raise UnusableInputError(f'{path}: no such wheel')
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if re.fullmatch(r'[^/]+\.dist-info/METADATA', name):
                    return archive.read(name).decode('utf-8')
    except (zipfile.BadZipFile, UnicodeDecodeError, OSError) as error:
        raise UnusableInputError(f'{path}: the Agent would refuse this wheel: not a zip file ({error})') from None
    raise UnusableInputError(f'{path}: the Agent would refuse this wheel: it has no *.dist-info/METADATA')


def distribution_name(metadata: str) -> str:
    """The `Name` of a METADATA text. Raises UnusableInputError if there is none."""
    for line in _headers(metadata):
        key, separator, value = line.partition(':')
        if separator and key == 'Name' and value.strip():
            return value.strip()
    raise UnusableInputError('the Agent would refuse this wheel: its METADATA has no Name')


def integration_name(distribution: str) -> str:
    """The integration's name: `datadog-my-check` is `my_check`."""
    return distribution.removeprefix('datadog-').replace('-', '_')


def refusal(metadata: str, base_version: str) -> str:
    """The reason for which the Agent refuses a wheel with this METADATA, or an empty text.

    Only the first line that requires the base package counts, as in the Agent; a line without a version is unpinned,
    and is accepted.
    """
    if distribution_name(metadata) == BASE_PACKAGE:
        return f'{BASE_PACKAGE} is part of the Agent and cannot be installed by this command'
    line = next((line for line in metadata.splitlines() if _REQUIREMENT in line), None)
    if line is None:
        return (
            f'its METADATA has no line "{_REQUIREMENT}"; '
            f'add "{BASE_PACKAGE}>={base_version}" to the dependencies in pyproject.toml'
        )
    shipped = parse_version(base_version)
    if shipped is None:
        raise UnusableInputError(f'base version {base_version!r}: expected x.y.z')
    for operator, text in _SPECIFIER.findall(line):
        version = parse_version(text)
        if version is None:
            return (
                f'in "{line.strip()}" the version {text!r} after {operator!r} is not x.y.z'
                f'; write {operator}{_repair(text, base_version)}'
            )
        satisfied = _compare(shipped, operator, version)
        if satisfied is None:
            return f'in "{line.strip()}" the operator {operator!r} is not one of < <= > >= == !='
        if not satisfied:
            return f'it needs {BASE_PACKAGE}{operator}{text}, and the Agent ships {base_version}'
    return ''


def parse_version(text: str) -> Version | None:
    """A version as the Agent reads it: exactly `x.y.z`, in numbers without leading zeros; anything else is None."""
    match = _SEMVER.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _compare(shipped: Version, operator: str, version: Version) -> bool | None:
    match operator:
        case '<':
            return shipped < version
        case '<=':
            return shipped <= version
        case '>':
            return shipped > version
        case '>=':
            return shipped >= version
        case '==':
            return shipped == version
        case '!=':
            return shipped != version
        case _:
            return None


def _repair(text: str, base_version: str) -> str:
    """The nearest text that the Agent can parse: `38.0` becomes `38.0.0`."""
    parts = [str(int(part)) for part in text.split('.') if part][:3]
    return '.'.join(parts + ['0'] * (3 - len(parts))) if parts else base_version


def _headers(metadata: str) -> list[str]:
    return metadata.replace('\r\n', '\n').partition('\n\n')[0].splitlines()
