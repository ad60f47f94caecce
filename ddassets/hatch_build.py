"""Fetch the chart library of the page when ddassets is built: a release of an npm package, pinned by its hash.

None of it is in the repository. The wheel, the source distribution and an editable installation hold three of its
files in `ddassets/report/library`; where they are there already, nothing is fetched.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = 'uplot@1.6.32'
# Of the package, as the registry states it.
SHA512 = 'KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=='
FILES = ('dist/uPlot.iife.min.js', 'dist/uPlot.min.css', 'LICENSE')
LIBRARY = Path('src/ddassets/report/library')
# The file that says which release is there.
STAMP = 'PACKAGE'
TIMEOUT = 300


class CustomBuildHook(BuildHookInterface):
    """Adds the chart library to what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = Path(self.root, LIBRARY)
        try:
            fetch(folder)
        except LibraryError as error:
            # An installation for development works without the page.
            if version != 'editable':
                raise
            self.app.display_warning(f'rehearse --report will not work: {error}')
        build_data['artifacts'] += [f'/{LIBRARY.as_posix()}/*']


class LibraryError(RuntimeError):
    """The chart library could not be fetched; the text says why, and what to do."""


def fetch(folder: Path) -> None:
    """Put the files of the library into the folder, unless they are there. Raises LibraryError."""
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text(encoding='utf-8') == PACKAGE:
        return
    with TemporaryDirectory() as scratch:
        archive = _pack(Path(scratch))
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != SHA512:
            raise LibraryError(f'{PACKAGE}: expected the SHA-512 {SHA512}, found {digest}')
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as members:
            for name in FILES:
                content = members.extractfile(f'package/{name}')
                assert content is not None, name
                (folder / Path(name).name).write_bytes(content.read())
    stamp.write_text(PACKAGE, encoding='utf-8')


def _pack(folder: Path) -> Path:
    """Download the package as an archive."""
    npm = shutil.which('npm')
    if npm is None:
        raise LibraryError(f'npm is needed to fetch {PACKAGE}, the chart library of the page: install Node.js')
    command = [npm, 'pack', PACKAGE, '--silent', '--ignore-scripts', '--pack-destination', str(folder)]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise LibraryError(f'npm pack {PACKAGE} did not end within {TIMEOUT} s') from None
    archives = list(folder.glob('*.tgz'))
    if done.returncode or len(archives) != 1:
        raise LibraryError(f'npm pack {PACKAGE} failed: {done.stderr.strip() or done.stdout.strip() or "no output"}')
    return archives[0]
