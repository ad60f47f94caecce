"""Ask Git which files changed."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ddassets.diagnostic import UnusableInputError

# Seconds.
_TIME_LIMIT = 60


def changed_since(revision: str, paths: Iterable[Path]) -> set[Path]:
    """Return the absolute paths of the files below `paths` that differ from `revision` or are not tracked.

    Raises UnusableInputError for a path outside of a work tree, or an unknown revision.
    """
    found: set[Path] = set()
    for path in paths:
        folder = path if path.is_dir() else path.parent
        # A revision never begins with a dash, so it cannot be taken for an option.
        top = Path(_git(folder, 'rev-parse', '--show-toplevel').strip())
        _git(folder, 'rev-parse', '--verify', '--quiet', '--end-of-options', f'{revision}^{{commit}}')
        names = _git(folder, 'diff', '--name-only', '--no-ext-diff', '-z', revision, '--', '.')
        names += _git(folder, 'ls-files', '--others', '--exclude-standard', '--full-name', '-z', '--', '.')
        found.update((top / name) for name in names.split('\0') if name)
    return found


def _git(folder: Path, *arguments: str) -> str:
    # Only what Git needs: no credentials of ours.
    environment = {key: value for key, value in os.environ.items() if key in ('PATH', 'HOME', 'LANG', 'SYSTEMROOT')}
    command = ['git', '-c', 'core.quotePath=false', '-c', 'core.fsmonitor=false', '-C', str(folder), *arguments]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_TIME_LIMIT, check=False
        )
    except FileNotFoundError:
        raise UnusableInputError('--since needs Git: the command git was not found') from None
    except subprocess.TimeoutExpired:
        raise UnusableInputError(f'git {arguments[0]} took longer than {_TIME_LIMIT} s') from None
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        if arguments[0] == 'rev-parse' and '--verify' in arguments:
            raise UnusableInputError(f'--since: Git knows no revision {arguments[-1].partition("^")[0]!r}')
        raise UnusableInputError(f'{folder}: git {arguments[0]}: {reason[0] if reason else "failed"}')
    return done.stdout
