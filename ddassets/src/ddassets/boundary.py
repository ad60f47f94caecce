"""Restrict reading to the checkout, so that a stranger's pull request cannot show files of the machine.

Paths on the command line are not restricted. Paths in files, and links, must lead into the Git work tree of a path on
the command line. If there is no work tree, they must lead into the integration of a file, into the folder in which
`ddassets init` wrote `rehearsals/` and its configuration, or else into the given folder. `.git` is excluded: it may
contain credentials.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

#: The path that stands for standard input.
STANDARD_INPUT = Path('-')
# What `ddassets init` writes side by side.
_SCENARIOS, _CONFIGURATION = 'rehearsals', '.ddassets.yaml'
HINT = 'outside the checkout, not read; --allow-outside allows it'


@dataclass
class _Boundary:
    """Real paths of readable folders and files."""

    roots: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)

    def contains(self, path: Path) -> bool:
        real = os.path.realpath(path)
        return real in self.files or any(_is_below(real, root) for root in self.roots)


# None: no boundary, for use as a library. Per thread: several threads may run a command at the same time.
_current: ContextVar[_Boundary | None] = ContextVar('boundary', default=None)


@contextmanager
def within(paths: Iterable[Path], own: Iterable[Path] = ()) -> Iterator[None]:
    """Restrict reading to the checkouts around `paths`, and to the files `own`, in this thread."""
    boundary = _Boundary()
    for path in paths:
        real = os.path.realpath(path)
        boundary.roots.append(_root(real))
        if os.path.isfile(real):
            boundary.files.add(real)
    boundary.files.update(os.path.realpath(path) for path in own)
    before = _current.set(boundary)
    try:
        yield
    finally:
        _current.reset(before)


def is_inside(path: Path) -> bool:
    """Whether a path may be read."""
    boundary = _current.get()
    return boundary is None or boundary.contains(path)


def check(path: Path) -> None:
    """Raises OSError for a path that may not be read."""
    if not is_inside(path):
        raise OSError(errno.EACCES, HINT, str(path))


def admit(path: Path) -> None:
    """Allow a file that ddassets searches for above a path on the command line, unless it is a link."""
    boundary = _current.get()
    if boundary is not None and not os.path.islink(path):
        boundary.files.add(os.path.realpath(path))


def _root(real: str) -> str:
    """Return the Git work tree of a path; else its integration, else the folder of `ddassets init`, else its folder."""
    folder = real if os.path.isdir(real) else os.path.dirname(real)
    parent = folder
    while not os.path.lexists(os.path.join(parent, '.git')):
        if parent == os.path.dirname(parent):
            break
        parent = os.path.dirname(parent)
    else:
        return parent
    # For a scenario file, its integration.
    above = folder
    while folder != real:
        if _is_integration(above):
            return above
        if above == os.path.dirname(above):
            break
        above = os.path.dirname(above)
    return _initialised(folder)


def _initialised(folder: str) -> str:
    """Return the folder in which `ddassets init` made the scenarios in `folder`, else `folder` itself.

    The name alone proves nothing: a folder `rehearsals` from a stranger may be in a home directory.
    """
    around = os.path.dirname(folder)
    made = os.path.basename(folder) == _SCENARIOS and os.path.isfile(os.path.join(around, _CONFIGURATION))
    return around if made else folder


def _is_integration(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, 'manifest.json')) or os.path.isdir(
        os.path.join(folder, 'assets', 'monitors')
    )


def _is_below(real: str, root: str) -> bool:
    if real == root:
        return True
    prefix = root if root.endswith(os.sep) else root + os.sep
    return real.startswith(prefix) and '.git' not in real.removeprefix(prefix).split(os.sep)
