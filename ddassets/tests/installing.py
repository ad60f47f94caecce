"""Build ddassets and install it elsewhere, with uv."""

import os
import subprocess
from pathlib import Path

import uv
from missing import unavailable

PROJECT = Path(__file__).parents[1]


def uv_run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [uv.find_uv_bin(), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def reached(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """Return a finished command; skip the test if it reached no package index."""
    if done.returncode and any(text in done.stderr for text in ('fetch', 'Could not find a version')):
        unavailable(f'no package index can be reached: {done.stderr[-200:]}')
    return done


def build(kind: str, folder: Path) -> Path:
    """Build a wheel or a source distribution (`sdist`) in a folder."""
    done = reached(uv_run('build', f'--{kind}', '--out-dir', folder, PROJECT))
    assert done.returncode == 0, done.stderr
    [path] = folder.glob('*.whl' if kind == 'wheel' else '*.tar.gz')
    return path


def find_python(version: str) -> str:
    """Return an interpreter that pyenv has, or the version itself, which uv finds or fetches."""
    root = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv'))
    return str(next((root / 'versions').glob(f'{version}*/bin/python'), version))
