"""Build a wheel, and a scratch environment like the Agent's own Python."""

import os
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ddassets.agent.process import run
from ddassets.assets.document import read_bytes
from ddassets.diagnostic import UnusableInputError
from ddassets.nearest import closest

BASE_VERSION = '38.5.0'
"""The version of datadog-checks-base that the imitated Agent ships."""

_PYTHON = (3, 13)
# Requirements with hashes, made by `make lock`.
_LOCKS = Path(__file__).parent
_BACKENDS = {'hatchling', 'setuptools', 'wheel'}


@dataclass(frozen=True)
class Environment:
    """A clean Python 3.13 with the base package, as in the Agent."""

    python: Path
    site_packages: Path


def find_project(path: Path) -> Path:
    """Check that a folder is an integration: its pyproject.toml has a project name `datadog-*`.

    Raises UnusableInputError with what was found, and the nearest suitable folder.
    """
    expected = 'expected the folder of an integration (a pyproject.toml whose project name is datadog-*) or a wheel'
    if not path.exists():
        raise UnusableInputError(f'{path}: no such file or folder; {expected}{_nearest(path)}')
    if not path.is_dir():
        raise UnusableInputError(f'{path}: neither a folder nor a .whl file; {expected}')
    if not (path / 'pyproject.toml').is_file():
        inside = [entry.name for entry in sorted(path.iterdir()) if _is_integration(entry)]
        hint = f'; did you mean {path / inside[0]}?' if len(inside) == 1 else ''
        hint = f'; integrations in it: {", ".join(inside)}' if len(inside) > 1 else hint
        raise UnusableInputError(f'{path}: no pyproject.toml; {expected}{hint}')
    project_name(path)
    return path


def project_name(path: Path) -> str:
    """Return the project name of a folder with a pyproject.toml. Raises UnusableInputError if it is not `datadog-*`."""
    project = path / 'pyproject.toml'
    try:
        name = tomllib.loads(read_bytes(project).decode()).get('project', {}).get('name')
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableInputError(f'{project}: invalid TOML: {error}') from None
    except OSError as error:
        raise UnusableInputError(f'{project}: cannot be read: {error.strerror}') from None
    if not isinstance(name, str) or not name.startswith('datadog-'):
        found = 'none' if name is None else repr(name)
        raise UnusableInputError(f'{project}: project.name: found {found}; an integration is named datadog-*')
    return name


def _is_integration(path: Path) -> bool:
    return (path / 'pyproject.toml').is_file() and (path / 'datadog_checks').is_dir()


def _nearest(path: Path) -> str:
    parent = path.absolute().parent
    if not parent.is_dir():
        return ''
    names = [entry.name for entry in parent.iterdir() if entry.suffix == '.whl' or _is_integration(entry)]
    nearest = closest(path.name, names)
    return f'; did you mean {path.parent / nearest}?' if nearest else ''


def build_wheel(project: Path, scratch: Path) -> Path:
    """Build an integration's wheel into the scratch folder. Raises UnusableInputError with the build's own output."""
    target = scratch / 'wheel'
    run(
        [_uv(), 'build', '--wheel', '--no-progress', '--python', _python(), '--out-dir', str(target)]
        + [*_locked_build(project), str(project)],
        f'{project}: the wheel could not be built',
        code=f'the build of {project}',
    )
    return next(target.glob('*.whl'))


def create_environment(scratch: Path, base_version: str) -> Environment:
    """Create the scratch environment with the base package.

    Raises UnusableInputError if uv cannot download its requirements.
    """
    target = scratch / 'environment'
    run(
        [_uv(), 'venv', '--quiet', '--no-project', '--python', _python(), str(target)],
        'the scratch environment could not be created',
    )
    python = python_of(target)
    run(
        [_uv(), 'pip', 'install', '--no-progress', '--python', str(python)]
        + (
            ['--require-hashes', '-r', str(_LOCKS / 'environment.txt')]
            if base_version == BASE_VERSION
            else [f'datadog-checks-base[deps,json]=={base_version}', 'pip']
        ),
        f'datadog-checks-base {base_version} could not be installed into the scratch environment',
    )
    site_packages = run(
        [str(python), '-I', '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'], 'no Python'
    )
    return Environment(python, Path(site_packages.strip()))


def python_of(folder: Path) -> Path:
    """Return the path of the Python of an environment in a folder."""
    return folder / ('Scripts/python.exe' if os.name == 'nt' else 'bin/python')


def install_wheel(environment: Environment, wheel: Path, constraints: Path | None = None) -> str:
    """Install a wheel with the Agent's pip and the Agent's flags, and return the output of pip.

    `constraints` is the Agent's final_constraints-py3.txt. Raises UnusableInputError with pip's output.
    """
    return run(
        [str(environment.python), '-I', '-m', 'pip', 'install']
        + (['--constraint', str(constraints)] if constraints else [])
        + ['--no-cache-dir', '--no-index', '--no-deps', '--disable-pip-version-check', str(wheel)],
        f'{wheel.name}: pip refuses this wheel, and so would the Agent',
    )


def install_beside(environment: Environment, requirement: str, folder: Path) -> None:
    """Install a package for the environment's Python into a separate folder, where the check does not import it from.

    Raises UnusableInputError if uv cannot download it.
    """
    lock = _LOCKS / 'clock.txt'
    is_locked = requirement in lock.read_text(encoding='utf-8').split()
    run(
        [_uv(), 'pip', 'install', '--no-progress', '--no-deps', '--python', str(environment.python)]
        + ['--target', str(folder), *(['--require-hashes', '-r', str(lock)] if is_locked else [requirement])],
        f'{requirement} could not be installed',
    )


def _locked_build(project: Path) -> list[str]:
    """Return options that install the build backend with hashes, if it is locked here."""
    try:
        build = tomllib.loads(read_bytes(project / 'pyproject.toml').decode()).get('build-system', {})
        names = [re.split(r'[^\w-]', requirement, maxsplit=1)[0].lower() for requirement in build['requires']]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        names = ['setuptools']
    if not _BACKENDS.issuperset(names):
        return []
    return ['--require-hashes', '--build-constraints', str(_LOCKS / 'build.txt')]


def _python() -> str:
    """Return the Python for uv: the current one, if it has the Agent's version."""
    return sys.executable if sys.version_info[:2] == _PYTHON else '.'.join(map(str, _PYTHON))


def _uv() -> str:
    import uv

    try:
        return uv.find_uv_bin()
    except FileNotFoundError:
        raise UnusableInputError('the program uv is missing from this environment; install ddassets again') from None
