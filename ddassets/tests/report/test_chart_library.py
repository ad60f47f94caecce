"""How a build gets the chart library: the files of one release, or an error with the reason."""

import importlib.util
import io
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def hook(monkeypatch):
    """The module of the build hook, for which hatchling need not be installed."""
    interface = ModuleType('hatchling.builders.hooks.plugin.interface')
    interface.BuildHookInterface = object
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    spec = importlib.util.spec_from_file_location('hatch_build', PROJECT / 'hatch_build.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _npm(folder: Path, script: str, monkeypatch) -> None:
    """Put a program named npm first on the path. It runs in the folder of the archive."""
    path = folder / 'bin' / 'npm'
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\n{script}\n')
    path.chmod(0o755)
    monkeypatch.setenv('PATH', f'{path.parent}:/usr/bin:/bin')


def test_the_library_in_use_is_the_pinned_release(hook):
    folder = PROJECT / 'src' / 'ddassets' / 'report' / 'library'
    assert (folder / 'PACKAGE').read_text() == hook.PACKAGE
    version = hook.PACKAGE.rpartition('@')[2]
    assert f'(v{version})' in (folder / 'uPlot.iife.min.js').read_text()[:80]
    assert 'MIT License' in (folder / 'LICENSE').read_text()


FAILURES = [
    pytest.param('echo no such package >&2; exit 1', 'failed: no such package', id='npm fails'),
    pytest.param('exit 0', 'failed: no output', id='no archive'),
    pytest.param('echo other > uplot.tgz', 'expected the SHA-512', id='another content'),
]


@pytest.mark.parametrize(('script', 'reason'), FAILURES)
def test_a_library_that_cannot_be_fetched_is_refused(hook, tmp_path, monkeypatch, script, reason):
    _npm(tmp_path, script, monkeypatch)
    with pytest.raises(hook.LibraryError, match=reason):
        hook.fetch(tmp_path / 'library')
    assert not (tmp_path / 'library').exists()


def test_without_npm_the_error_says_what_to_install(hook, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(hook.LibraryError, match='install Node.js'):
        hook.fetch(tmp_path / 'library')


def test_a_library_is_fetched_once(hook, tmp_path, monkeypatch):
    archive = tmp_path / 'made.tgz'
    with tarfile.open(archive, 'w:gz') as members:
        for name in hook.FILES:
            member = tarfile.TarInfo(f'package/{name}')
            member.size = 4
            members.addfile(member, io.BytesIO(b'text'))
    digest = hook.base64.b64encode(hook.hashlib.sha512(archive.read_bytes()).digest()).decode()
    monkeypatch.setattr(hook, 'SHA512', digest)
    _npm(tmp_path, f'cp {archive} . && echo called >> {tmp_path}/calls', monkeypatch)
    for _ in range(2):
        hook.fetch(tmp_path / 'library')
    assert {path.name for path in (tmp_path / 'library').iterdir()} == {
        *(Path(name).name for name in hook.FILES),
        'PACKAGE',
    }
    assert (tmp_path / 'calls').read_text() == 'called\n'


def test_a_page_without_the_library_says_how_to_get_it(monkeypatch, tmp_path):
    from ddassets.diagnostic import UnusableInputError
    from ddassets.report import page

    monkeypatch.setattr(page, 'files', lambda package: tmp_path)
    with pytest.raises(UnusableInputError, match='uv sync'):
        page._chart_library('uPlot.iife.min.js')
