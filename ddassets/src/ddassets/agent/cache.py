"""Keeps scratch environments, so that the second simulation of an integration starts at once.

The wheel is built each time. The key of an environment is the content of the wheel, the base package, the Python and
the clock; a kept environment is never changed. The folder is `$XDG_CACHE_HOME/ddassets`, or the system's own for
caches; where nothing can be written, an environment lasts as long as the process.
"""

import atexit
import functools
import hashlib
import os
import shutil
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ddassets.agent.environment import Environment, build_wheel, create_environment, install_beside, install_wheel
from ddassets.agent.wheel import read_wheel

# Environments that are kept, and seconds since the last use within which an environment may be in use and stays.
_MAX_KEPT = 8
_IN_USE = 3600


@dataclass(frozen=True)
class Installed:
    """An integration in a scratch environment. `clock` is the folder of time_machine, beside it."""

    integration: str
    environment: Environment
    clock: Path

    @property
    def data(self) -> Path:
        """The folder of the configuration files, as installed."""
        return self.environment.site_packages / 'datadog_checks' / self.integration / 'data'


@functools.cache
def installed(integration: Path, base_version: str) -> Installed:
    """Install an integration (its folder or wheel) by the Agent's rules, or find it installed.

    Once per process: a folder that changes meanwhile is not read again. Raises UnusableInputError for what the Agent
    would refuse.
    """
    with tempfile.TemporaryDirectory(prefix='ddassets-') as scratch:
        path = integration if integration.suffix == '.whl' else build_wheel(integration, Path(scratch))
        wheel = read_wheel(path, base_version)
        clock = f'time-machine=={version("time-machine")}'
        parts = [base_version, clock, sys.version, sys.executable, *_content(path)]
        folder = _place() / hashlib.sha256('\n'.join(parts).encode()).hexdigest()[:32]
        if not folder.is_dir():
            _make(folder, path, base_version, clock)
    os.utime(folder)
    inside = next((folder / 'environment').glob('**/site-packages'))
    python = folder / 'environment' / ('Scripts/python.exe' if os.name == 'nt' else 'bin/python')
    return Installed(wheel.integration, Environment(python, inside), folder / 'clock')


def _content(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(f'{entry.filename} {entry.file_size} {entry.CRC:08x}' for entry in archive.infolist())


def _make(folder: Path, wheel: Path, base_version: str, clock: str) -> None:
    _drop_old(folder.parent)
    # Made in another folder and moved in one step, so that another process never sees a part of it.
    draft = Path(tempfile.mkdtemp(prefix='draft-', dir=folder.parent))
    try:
        environment = create_environment(draft, base_version)
        install_wheel(environment, wheel)
        install_beside(environment, clock, draft / 'clock')
        try:
            draft.rename(folder)
        except OSError:
            # Another process was faster.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _drop_old(place: Path) -> None:
    now = time.time()
    used = sorted(((entry.stat().st_mtime, entry) for entry in place.iterdir() if entry.is_dir()), reverse=True)
    for moment, entry in used[_MAX_KEPT - 1 :]:
        if now - moment > _IN_USE:
            shutil.rmtree(entry, ignore_errors=True)


@functools.cache
def _place() -> Path:
    from platformdirs import user_cache_path  # not there in an integration's own test environment

    try:
        place = user_cache_path('ddassets') / 'agent'
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        place = Path(tempfile.mkdtemp(prefix='ddassets-'))
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        return place
