"""The official client's source distribution, which contains both OpenAPI documents and the recorded exchanges. It is
downloaded once, from the address and with the hash in the lock file, and kept in the user's cache. Nothing of it is
committed.
"""

import hashlib
import json
import os
import re
import tarfile
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

VERSION = '2.62.0'
LOCK = Path(__file__).parents[3] / 'uv.lock'
# In a source distribution of ddassets there is no lock file, and the tests that need the client's are skipped.
PACKAGES = tomllib.loads(LOCK.read_text())['package'] if LOCK.exists() else []
# ddev's environment has an older one.
CLIENTS = [one for one in PACKAGES if one['name'] == 'datadog-api-client' and one['version'] == VERSION]
SDIST = CLIENTS[0]['sdist'] if CLIENTS else {'url': f'{LOCK} is missing', 'hash': ''}
FILE = SDIST['url'].rpartition('/')[2]
SHA256 = SDIST['hash'].removeprefix('sha256:')


class Unreachable(Exception):
    """The source distribution is not in the cache and cannot be downloaded."""


def folder() -> Path:
    cache = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'ddassets'
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def archive() -> Path:
    """Return the path of the verified archive. Raises Unreachable without a network, ValueError for a wrong hash."""
    if not SHA256:
        raise Unreachable(SDIST['url'])
    path: Path = folder() / FILE
    if not path.exists():
        try:
            with urllib.request.urlopen(SDIST['url'], timeout=60) as answer:
                content = answer.read()
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise Unreachable(f'{FILE}: {error}') from error
        _write(path, content)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        path.unlink()
        raise ValueError(f'{FILE}: sha256 is {found}, expected {SHA256}')
    return path


def derived(name: str, code: Path, make: Callable[[dict[str, bytes]], Any], members: str) -> Any:
    """Return the JSON that `make` derives from the matching members; it is derived again after a change of `code`."""
    key = hashlib.sha256(SHA256.encode() + code.read_bytes()).hexdigest()[:16]
    path = folder() / f'{name}-{VERSION}-{key}.json'
    if not path.exists():
        wanted = re.compile(members)
        contents = {}
        with tarfile.open(archive()) as tar:
            for member in tar:
                inside = member.name.partition('/')[2]
                if wanted.fullmatch(inside) and (file := tar.extractfile(member)):
                    contents[inside] = file.read()
        _write(path, json.dumps(make(contents), default=str).encode())
    return json.loads(path.read_bytes())


def load_yaml(text: bytes) -> Any:
    return yaml.load(text, getattr(yaml, 'CSafeLoader', yaml.SafeLoader))


def _write(path: Path, content: bytes) -> None:
    # Two test runs may do this at once; each leaves a whole file.
    partial = path.with_name(f'{path.name}.{os.getpid()}')
    partial.write_bytes(content)
    partial.replace(path)
