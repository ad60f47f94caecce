"""Dependencies: locked with hashes, at tested versions, and under compatible licences."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from missing import unavailable
from packaging.requirements import Requirement

from ddassets.agent import environment

ROOT = Path(__file__).parents[2]
LOCKS = Path(environment.__file__).parent
PROJECT = tomllib.loads(Path(__file__).parents[1].joinpath('pyproject.toml').read_text())['project']
# Permissive, and weak copyleft that asks nothing of a program that imports a library unchanged.
ALLOWED = re.compile(
    r'\b(?:MIT|0?BSD|Apache|ISC|ISCL|PSF|Python Software Foundation|Mozilla Public License|MPL|Unlicense|Zlib|CC0|'
    r'CNRI-Python|Historical Permission Notice)\b',
    re.IGNORECASE,
)
FORBIDDEN = re.compile(r'GPL|General Public License|Affero|Proprietary|SSPL|Commons Clause', re.IGNORECASE)


def runtime_packages() -> set[str]:
    """Return the installed dependencies of ddassets with all extras, and their dependencies."""
    pending = [*PROJECT['dependencies'], *(one for each in PROJECT['optional-dependencies'].values() for one in each)]
    found: set[str] = set()
    while pending:
        requirement = Requirement(pending.pop())
        if requirement.marker and not requirement.marker.evaluate({'extra': ''}):
            continue
        name = re.sub(r'[-_.]+', '-', requirement.name).lower()
        if name in found:
            continue
        try:
            pending += distribution(name).requires or ()
        except PackageNotFoundError:
            continue
        found.add(name)
    return found


def licence(name: str) -> str:
    metadata = distribution(name).metadata
    classifiers = [text for text in metadata.get_all('Classifier') or () if text.startswith('License ::')]
    text = metadata.get('License-Expression') or ' '.join(classifiers) or metadata.get('License') or ''
    return text.splitlines()[0] if text else ''


def fits(text: str) -> bool:
    """Whether every part of a licence expression is allowed."""
    return all(ALLOWED.search(part) for part in re.split(r'\bAND\b', text)) and not FORBIDDEN.search(text)


def test_the_licences_of_runtime_dependencies_fit():
    packages = runtime_packages()
    assert {'python-dateutil', 'numpy', 'pyyaml', 'urllib3'} <= packages
    assert {name: licence(name) for name in packages if not fits(licence(name))} == {}


@pytest.mark.parametrize(
    'text',
    [
        *(
            'GPL-3.0-only',
            'GNU Affero General Public License v3',
            'GNU Lesser General Public License',
            '',
            'Proprietary',
        ),
        # Names of licences in other words.
        *('LIMITED', 'Permit', 'MISC', 'DISCLAIMER', 'BSDish', 'Apachean', 'HISCOX', 'Prehistorical'),
        *('MIT AND GPL-2.0-only', 'MIT AND LicenseRef-Commercial', 'LicenseRef-Commercial AND BSD-3-Clause'),
    ],
)
def test_canary_another_licence_is_refused(text):
    assert not fits(text)


@pytest.mark.parametrize(
    'text',
    [
        *('MIT', 'MIT License', 'BSD-3-Clause', '0BSD', 'Apache-2.0', 'Apache Software License', 'ISC', 'PSF-2.0'),
        *('MPL-2.0', 'MIT AND PSF-2.0 AND BSD-3-Clause', 'Apache-2.0 OR MIT'),
    ],
)
def test_a_licence_that_fits(text):
    assert fits(text)


@pytest.mark.parametrize(
    'path', [ROOT / '.ci' / 'uv.txt', *(LOCKS / f'{name}.txt' for name in ('environment', 'build', 'clock'))], ids=str
)
def test_every_package_is_locked_with_a_hash(path):
    blocks = re.split(r'\n(?=\S)', re.sub(r'\n\s*#.*', '', path.read_text()))
    blocks = [block for block in blocks if block.strip() and not block.startswith('#')]
    assert blocks
    for block in blocks:
        assert re.match(r'[\w.-]+==\S+', block) and '--hash=sha256:' in block, block


def test_the_lock_is_that_of_the_versions_named():
    assert f'datadog-checks-base=={environment.BASE_VERSION}' in (LOCKS / 'environment.txt').read_text()
    assert 'uv.txt' in (ROOT / 'Makefile').read_text() and '--require-hashes' in (ROOT / 'Makefile').read_text()


@pytest.mark.parametrize(
    ('version', 'code', 'notes'),
    [
        pytest.param('1.2.0', 0, '\n- New.\n\n', id='a-section'),
        pytest.param('1.1.0', 0, '- Old.\n', id='the-last'),
        pytest.param('1.2', 1, '', id='none'),
        pytest.param('1.0.0', 1, '', id='an-empty-one'),
    ],
)
def test_the_notes_of_a_release_are_its_section_of_the_changelog(version, code, notes, tmp_path):
    changelog = tmp_path / 'CHANGELOG.md'
    changelog.write_text('# Changelog\n## [1.2.0] - 2027-01-04\n\n- New.\n\n## [1.0.0]\n\n## [1.1.0]\n- Old.\n')
    command = [ROOT / '.ci' / 'release-notes', version, changelog]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout if not code else '') == (code, notes)


# The oldest and the newest that are allowed. The tests of recurrences themselves run with the one that is installed.
DATEUTIL = ('2.9.0.post0', '4.0.0')
INSTALLED = distribution('python-dateutil').version


def test_the_version_of_dateutil_is_bounded():
    (found,) = (Requirement(one) for one in PROJECT['dependencies'] if one.startswith('python-dateutil'))
    assert all(version in found.specifier for version in DATEUTIL) and '5.0.0' not in found.specifier


@pytest.mark.parametrize('version', [version for version in DATEUTIL if version != INSTALLED])
def test_recurrences_are_the_same_with_each_version_of_dateutil(version, tmp_path):
    """Each version is in a folder of its own."""
    import uv

    install = [uv.find_uv_bin(), 'pip', 'install', '--quiet', '--no-deps', '--target', str(tmp_path / 'with')]
    done = subprocess.run(
        [*install, f'python-dateutil=={version}', 'six'], capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        unavailable(f'python-dateutil {version} cannot be installed here: {done.stderr[-200:]}')
    environment = {'PATH': os.defpath, 'PYTHONPATH': str(tmp_path / 'with'), 'HOME': str(tmp_path)}

    def python(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words], env=environment, capture_output=True, text=True, timeout=1200, check=False
        )

    # The tests import the version that was installed.
    imported = python('-c', 'import dateutil.rrule; print(dateutil.__version__, dateutil.rrule.__file__)').stdout
    assert imported.startswith(f'{version} {tmp_path}'), imported
    tests = Path(__file__).with_name('test_downtime_recurrence.py')
    done = python('-m', 'pytest', '-q', '-x', '-p', 'no:cacheprovider', tests)
    assert done.returncode == 0, done.stdout[-2000:]
    assert re.search(r'^[1-9]\d* passed', done.stdout, re.M) and 'skipped' not in done.stdout, done.stdout[-2000:]
