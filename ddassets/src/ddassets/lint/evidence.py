"""Where an integration itself names a metric: in its sources, tests, fixtures, metric maps and README.

Nothing is run. Python files are read as syntax trees, everything else as words, and only once a name is in doubt.
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

# Bytes. Larger files are recorded payloads; the names in them stand in smaller files as well.
MAX_FILE = 2_000_000
MAX_FILES = 400
_FOLDERS = ('datadog_checks', 'tests')
_READ = ('.py', '.txt', '.prom', '.json', '.yaml', '.yml', '.csv', '.md', '.example', '.default', '.xml', '')
_SKIPPED = frozenset({'__pycache__', 'node_modules', 'config_models', 'compose', 'docker'})
_WORD = re.compile(r'[A-Za-z_][\w.]*\w')


@dataclass(frozen=True, slots=True)
class Mention:
    """A file of the integration that names a metric, and the line, counted from 1."""

    path: Path
    line: int


@dataclass
class Evidence:
    """What the files of one integration's folder name. `files` counts those that were read."""

    folder: Path
    files: int = field(default=0, init=False)

    def of(self, metric: str, prefixes: Iterable[str]) -> Mention | None:
        """Return where the integration names a metric, in one of the forms that its name takes on the way to Datadog.

        These are the full name; the name without the integration's prefix, which the namespace of a check adds; either
        without the suffix of a histogram or counter; and the spelling of Prometheus, with underscores.
        """
        names = [metric]
        names += (metric.removeprefix(f'{prefix}.') for prefix in prefixes if metric.startswith(f'{prefix}.'))
        for name in tuple(names):
            base, _, suffix = name.rpartition('.')
            if base and suffix in DERIVED_SUFFIXES:
                names.append(base)
        for name in names:
            # A bare word such as `total` stands everywhere.
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
        """Every word by the first place that has it; apart from them the texts of the check's own sources."""
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
    """Every text literal of a Python source and its line; none of a source that cannot be parsed."""
    try:
        with warnings.catch_warnings():
            # Old sources have escapes that Python warns about.
            warnings.simplefilter('ignore')
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno
