"""Cache scratch environments, so that the second simulation of an integration starts immediately.

The wheel is built each time. The key of an environment consists of the content of the wheel, the base package, the
Python and the clock; a cached environment is never changed. The folder is `$XDG_CACHE_HOME/ddassets`, or the system's
cache folder. If it is not writable, an environment is deleted at the end of the process.
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

from ddassets.agent.environment import (
    Environment,
    build_wheel,
    create_environment,
    install_beside,
    install_wheel,
    python_of,
)
from ddassets.agent.wheel import read_wheel

# Maximum of cached environments. An environment that was used within these seconds may be in use and is kept.
_MAX_KEPT = 8
_IN_USE = 3600


@dataclass(frozen=True)
class Installed:
    """An integration in a scratch environment. `clock` is the folder of time_machine beside it."""

    integration: str
    environment: Environment
    clock: Path

    @property
    def data(self) -> Path:
        """The folder of the configuration files, as installed."""
        return self.environment.site_packages / 'datadog_checks' / self.integration / 'data'


@functools.cache
def installed(integration: Path, base_version: str) -> Installed:
    """Return an integration (folder or wheel) installed by the Agent's rules, from the cache if possible.

    Once per process: later changes of the folder have no effect. Raises UnusableInputError if the Agent would refuse
    it.
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
    return Installed(wheel.integration, Environment(python_of(folder / 'environment'), inside), folder / 'clock')


def _content(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(f'{entry.filename} {entry.file_size} {entry.CRC:08x}' for entry in archive.infolist())


def _make(folder: Path, wheel: Path, base_version: str, clock: str) -> None:
    _drop_old(folder.parent)
    # Created in another folder and moved in one step, so that other processes never see a partial environment.
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
    from platformdirs import user_cache_path  # not installed in an integration's own test environment

    try:
        place = user_cache_path('ddassets') / 'agent'
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        place = Path(tempfile.mkdtemp(prefix='ddassets-'))
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        return place
