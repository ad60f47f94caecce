"""Check a wheel as `datadog-agent integration install` does: with `-w FILE`, and as NAME==VERSION.

From the Agent's source code; `tests/agent/install.yaml` contains the cases.
"""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ddassets.diagnostic import UnusableInputError
from ddassets.regex import regex

BASE_PACKAGE = 'datadog-checks-base'
SAME_VERSION = (
    'installing another build of the same version keeps the old code: pip says that the version is already installed, '
    'the command copies the files of the old installation and prints success; raise the version, or run '
    '`datadog-agent integration remove {distribution}` first'
)
"""A warning about `install -w`, to be formatted with the name of the distribution."""

_REQUIREMENT = f'Requires-Dist: {BASE_PACKAGE}'
_NAME = regex(r'Name: (\S+)')
# The Agent's own expression. It misreads some requirements (a space before the version, `~=`), and so do we.
_SPECIFIER = regex(r'([><=!]{1,2})([0-9.]*)')
_VERSION = regex(r'([0-9]+)\.([0-9]+)\.([0-9]+)')
# Bytes. The Agent cannot read longer lines.
_MAX_LINE = 64 * 1024
_SPECIAL_NAMES = {
    'datadog-checks-base': 'base',
    'datadog-checks-downloader': 'downloader',
    'datadog-go-metro': 'go-metro',
}

type Version = tuple[int, int, int]
type Members = Iterable[tuple[str, bytes]]


class Verdict(NamedTuple):
    """Whether the command continues with pip, or why not."""

    accepted: bool
    reason: str = ''


@dataclass(frozen=True)
class Wheel:
    """A wheel that `install -w` accepts. `named` is the verdict on it as NAME==VERSION (for extras with `-t`)."""

    path: Path
    distribution: str
    integration: str
    version: str
    named: Verdict


class _LineTooLongError(Exception):
    pass


def read_wheel(path: Path, base_version: str) -> Wheel:
    """Open a wheel and apply the Agent's install rules to it, for an Agent that ships `base_version`.

    Raises UnusableInputError with the reason if `install -w` would refuse the wheel.
    """
    members = _metadata_members(path)
    verdict = judge_wheel(members)
    if not verdict.accepted:
        raise UnusableInputError(f'{path.name}: the Agent would refuse this wheel: {verdict.reason}')
    distribution = distribution_name(members)
    return Wheel(
        path,
        distribution,
        integration_name(distribution),
        _header(members, 'Version'),
        judge_named(members, base_version),
    )


def judge_wheel(members: Members) -> Verdict:
    """Check a wheel for `-w`. Versions are not compared.

    `members` are the members of the archive whose name ends in METADATA, in order, with their content.
    """
    try:
        if _requirement(members) is None:
            return Verdict(
                False,
                f'it has no METADATA with a line "{_REQUIREMENT}", so it is not an Agent check; '
                f'add "{BASE_PACKAGE}" to the dependencies in pyproject.toml',
            )
        distribution_name(members)
    except _LineTooLongError:
        return Verdict(False, f'a line of its METADATA is longer than {_MAX_LINE} bytes')
    except UnusableInputError as error:
        return Verdict(False, str(error))
    return Verdict(True)


def judge_named(members: Members, base_version: str) -> Verdict:
    """Check the wheel of a published integration, NAME==VERSION, for an Agent that ships `base_version`."""
    shipped = parse_version(base_version)
    if shipped is None:
        raise UnusableInputError(f'base version {base_version!r}: expected x.y.z')
    try:
        line = _requirement(members)
    except _LineTooLongError:
        return Verdict(False, f'a line of its METADATA is longer than {_MAX_LINE} bytes')
    if line is None:
        return Verdict(
            False,
            f'it has no METADATA with a line "{_REQUIREMENT}"; '
            f'add "{BASE_PACKAGE}>={base_version}" to the dependencies in pyproject.toml',
        )
    for operator, text in _SPECIFIER.findall(line):
        version = parse_version(text)
        if version is None:
            return Verdict(
                False,
                f'in "{line.strip()}" the version {text!r} after {operator!r} is not x.y.z; '
                f'write {operator}{_repair(text, base_version)}',
            )
        if (satisfied := _satisfies(shipped, operator, version)) is None:
            return Verdict(False, f'in "{line.strip()}" the operator {operator!r} is not one of < <= > >= == !=')
        if not satisfied:
            return Verdict(False, f'it needs {BASE_PACKAGE}{operator}{text}, and the Agent ships {base_version}')
    return Verdict(True)


def distribution_name(members: Members) -> str:
    """Return the name as the Agent reads it: the first `Name: ` in a METADATA, anywhere in a line.

    Raises UnusableInputError if there is none.
    """
    for line in _lines(members):
        if match := _NAME.search(line):
            return match[1]
    raise UnusableInputError('its METADATA has no line "Name: datadog-..."')


def integration_name(distribution: str) -> str:
    """Return the integration's name: `my_check` for `datadog-my-check` and `datadog_my_check`."""
    name = distribution.strip().replace('_', '-')
    return _SPECIAL_NAMES.get(name) or name.removeprefix('datadog-').replace('-', '_')


def parse_version(text: str) -> Version | None:
    """Return a version as the Agent reads it: exactly `x.y.z` in numbers; None for other texts."""
    match = _VERSION.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _metadata_members(path: Path) -> list[tuple[str, bytes]]:
    if not path.is_file():
        raise UnusableInputError(f'{path}: no such wheel')
    try:
        with zipfile.ZipFile(path) as archive:
            return [(name, archive.read(name)) for name in archive.namelist() if name.endswith('METADATA')]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise UnusableInputError(f'{path}: the Agent would refuse this wheel: not a zip file ({error})') from None


def _lines(members: Members) -> Iterator[str]:
    for _, content in members:
        for line in content.split(b'\n'):
            if len(line) >= _MAX_LINE:
                raise _LineTooLongError
            yield line.removesuffix(b'\r').decode('utf-8', 'replace')


def _requirement(members: Members) -> str | None:
    """Return the first line with the text; the Agent reads only this one, in headers or description."""
    return next((line for line in _lines(members) if _REQUIREMENT in line), None)


def _header(members: Members, key: str) -> str:
    return next((line[len(key) + 2 :].strip() for line in _lines(members) if line.startswith(f'{key}: ')), '')


def _satisfies(shipped: Version, operator: str, version: Version) -> bool | None:
    """Whether a version satisfies a requirement; None for an operator that the Agent does not support."""
    return {
        '<': shipped < version,
        '<=': shipped <= version,
        '>': shipped > version,
        '>=': shipped >= version,
        '==': shipped == version,
        '!=': shipped != version,
    }.get(operator)


def _repair(text: str, base_version: str) -> str:
    """Return the nearest text that the Agent can parse: `38.0.0` for `38.0`."""
    parts = [str(int(part)) for part in text.split('.') if part][:3]
    return '.'.join(parts + ['0'] * (3 - len(parts))) if parts else base_version
