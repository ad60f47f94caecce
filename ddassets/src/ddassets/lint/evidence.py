"""Search for a metric name in an integration's own sources, tests, fixtures, metric maps and README.

No code runs. Python files are parsed, other files are split into words, and only if a name is unknown.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ddassets import boundary
from ddassets.assets.document import read_text
from ddassets.lint.known_metrics import DERIVED_SUFFIXES

# Bytes. Larger files are recorded payloads; smaller files contain the same names.
MAX_FILE = 2_000_000
MAX_FILES = 400
_FOLDERS = ('datadog_checks', 'tests')
_READ = ('.py', '.txt', '.prom', '.json', '.yaml', '.yml', '.csv', '.md', '.example', '.default', '.xml', '')
_SKIPPED = frozenset({'__pycache__', 'node_modules', 'config_models', 'compose', 'docker'})
_WORD = re.compile(r'[A-Za-z_][\w.]*\w')


@dataclass(frozen=True, slots=True)
class Mention:
    """A file of the integration that contains a metric name, and the line, counted from 1."""

    path: Path
    line: int


@dataclass
class Evidence:
    """The names in the files of an integration's folder. `files` is the number of files read."""

    folder: Path
    files: int = field(default=0, init=False)

    def of(self, metric: str, prefixes: Iterable[str]) -> Mention | None:
        """Return where the integration contains a metric, in any form from which its name may be derived.

        The forms are the full name; the name without the integration's prefix (the namespace of a check adds it);
        either without the suffix of a histogram or counter; and the Prometheus name with underscores.
        """
        names = [metric]
        names += (metric.removeprefix(f'{prefix}.') for prefix in prefixes if metric.startswith(f'{prefix}.'))
        for name in tuple(names):
            base, _, suffix = name.rpartition('.')
            if base and suffix in DERIVED_SUFFIXES:
                names.append(base)
        for name in names:
            # A single word such as `total` is too common.
            if name != metric and '.' not in name and '_' not in name:
                found = self._literals.get(name)
            else:
                found = self._words.get(name)
            if found:
                return found
        return self._words.get(metric.replace('.', '_')) if '.' in metric else None

    @cached_property
    def _words(self) -> dict[str, Mention]:
        return self._read[0]

    @cached_property
    def _literals(self) -> dict[str, Mention]:
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[dict[str, Mention], dict[str, Mention]]:
        """Return the first place of every word, and separately of the text literals in the check's own sources."""
        words: dict[str, Mention] = {}
        literals: dict[str, Mention] = {}
        for path in self._paths():
            text = read_text(path, [])
            if text is None:
                continue
            self.files += 1
            if path.suffix != '.py':
                for number, line in enumerate(text.splitlines(), 1):
                    for match in _WORD.finditer(line):
                        words.setdefault(match[0], Mention(path, number))
                continue
            own = 'datadog_checks' in path.relative_to(self.folder).parts
            for literal, number in _texts(text):
                for match in _WORD.finditer(literal):
                    words.setdefault(match[0], Mention(path, number))
                if own:
                    literals.setdefault(literal, Mention(path, number))
        return words, literals

    def _paths(self) -> Iterator[Path]:
        pending = [self.folder / name for name in reversed(_FOLDERS)]
        found = 0
        while pending and found < MAX_FILES:
            folder = pending.pop()
            try:
                boundary.check(folder)
                children = sorted(folder.iterdir())
            except OSError:
                continue
            for child in children:
                if child.is_symlink() or child.name in _SKIPPED:
                    continue
                if child.is_dir():
                    pending.append(child)
                elif child.suffix in _READ and child.is_file() and child.stat().st_size <= MAX_FILE:
                    found += 1
                    yield child
        readme = self.folder / 'README.md'
        if readme.is_file() and not readme.is_symlink():
            yield readme


def _texts(source: str) -> Iterator[tuple[str, int]]:
    """Return the text literals of a Python source with their lines; nothing if it cannot be parsed."""
    try:
        with warnings.catch_warnings():
            # Python warns about escapes in old sources.
            warnings.simplefilter('ignore')
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno
