"""A model of how `datadog-agent integration install` treats its arguments and installed versions."""

import re
from typing import Literal

from ddassets.agent.wheel import BASE_PACKAGE, Verdict, parse_version

type Mode = Literal['wheel', 'named']

_NAMED = re.compile(r'[0-9a-z_-]+')
_PRERELEASE = re.compile(r'([0-9]+\.[0-9]+\.[0-9]+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?')
_LETTERS = {'alpha': 'a', 'beta': 'b'}


def judge_arguments(
    mode: Mode, arguments: list[str], exists: bool = True, root: bool = False, allow_root: bool = False
) -> Verdict:
    """Check the command line: `-w FILE` (wheel) or NAME==VERSION (named). `exists`: whether the wheel exists."""
    if root and not allow_root:
        return Verdict(False, 'the command refuses to run as root without -r')
    if len(arguments) != 1:
        expected = 'a wheel' if mode == 'wheel' else 'NAME==VERSION'
        return Verdict(False, f'found {len(arguments)} arguments, expected {expected}')
    [argument] = arguments
    if mode == 'wheel':
        return Verdict(True) if exists else Verdict(False, f'{argument}: no such wheel')
    return _judge_name(argument)


def _judge_name(argument: str) -> Verdict:
    if 'datadog-' not in argument:
        return Verdict(False, f'{argument}: a name begins with "datadog-"; did you mean datadog-{argument}?')
    parts = argument.split('==')
    if len(parts) != 2:
        return Verdict(False, f'{argument}: expected NAME==VERSION')
    name = parts[0].strip().replace('_', '-')
    if name == BASE_PACKAGE:
        return Verdict(False, f'{BASE_PACKAGE} is part of the Agent and cannot be installed by this command')
    if published_version(parts[1].strip()) is None:
        return Verdict(False, f'{argument}: the version {parts[1].strip()!r} is not x.y.z')
    if not _NAMED.fullmatch(name):
        return Verdict(False, f'{argument}: a name consists of lower-case letters, digits, - and _')
    return Verdict(True)


def published_version(text: str) -> str | None:
    """Return the downloaded version: 1.0.0-beta.1 is 1.0.0b1. None if the Agent cannot parse the version."""
    match = _PRERELEASE.fullmatch(text)
    if match is None:
        return None
    if not match[2]:
        return match[1]
    kind, _, number = match[2].partition('.')
    return f'{match[1]}{_LETTERS.get(kind, "rc")}{number}'


type Outcome = Literal['accepted', 'refused', 'nothing_to_do', 'old_files_stay']


def judge_versions(mode: Mode, wanted: str, installed: str | None = None, shipped: str | None = None) -> Outcome:
    """Return what happens to a version if another is installed or shipped with the Agent. Versions are x.y.z."""
    if mode == 'wheel':
        # No comparison; pip finds the version installed, and keeps it.
        return 'old_files_stay' if installed == wanted else 'accepted'
    if installed == wanted:
        return 'nothing_to_do'
    version, floor = parse_version(wanted), parse_version(shipped or '')
    return 'refused' if version and floor and version < floor else 'accepted'
