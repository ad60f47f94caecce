"""Search for a metric name in an integration's own sources, tests, fixtures, metric maps and README.

No code runs. Python files are parsed, other files are split into words, and only if a name is unknown.
"""

import ast
import re
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ddassets import boundary
from ddassets.assets.document import read_text
from ddassets.lint.known_metrics import DERIVED_SUFFIXES
from ddassets.regex import regex

# Bytes. Larger files are recorded payloads; smaller files contain the same names.
MAX_FILE = 2_000_000
MAX_FILES = 400
# More names are not searched for one by one.
MAX_DOUBTED = 50
_FOLDERS = ('datadog_checks', 'tests')
_READ = ('.py', '.txt', '.prom', '.json', '.yaml', '.yml', '.csv', '.md', '.example', '.default', '.xml', '')
_SKIPPED = frozenset({'__pycache__', 'node_modules', 'config_models', 'compose', 'docker'})
_SEPARATOR = regex(r'[._]')
_WORD = regex(r'[A-Za-z_][\w.]*\w')


@dataclass(frozen=True, slots=True)
class Mention:
    """A file of the integration that contains a metric name, and the line, counted from 1."""

    path: Path
    line: int


@dataclass
class Evidence:
    """The names in the files of an integration's folder, as far as they may contain one of the `doubted` metrics.

    `prefixes` are those of the integration. `files` is the number of files read, `parsed` of those searched for words.
    """

    folder: Path
    doubted: Collection[str]
    prefixes: Collection[str]
    files: int = field(default=0, init=False)
    parsed: int = field(default=0, init=False)

    def of(self, metric: str) -> Mention | None:
        """Return where the integration contains a doubted metric, in any form from which its name may be derived."""
        for name in self._forms(metric):
            # A single word such as `total` is too common.
            if name != metric and '.' not in name and '_' not in name:
                found = self._literals.get(name)
            else:
                found = self._words.get(name)
            if found:
                return found
        return self._words.get(metric.replace('.', '_')) if '.' in metric else None

    def _forms(self, metric: str) -> list[str]:
        """Return the forms of a name, without its Prometheus form with underscores.

        The forms are the full name; the name without the integration's prefix (the namespace of a check adds it); and
        either without the suffix of a histogram or counter.
        """
        names = [metric]
        names += (metric.removeprefix(f'{prefix}.') for prefix in self.prefixes if metric.startswith(f'{prefix}.'))
        for name in tuple(names):
            base, _, suffix = name.rpartition('.')
            if base and suffix in DERIVED_SUFFIXES:
                names.append(base)
        return names

    @cached_property
    def _parts(self) -> list[list[str]]:
        """The parts between the dots and underscores of each form, the longest first; empty for too many names."""
        if len(self.doubted) > MAX_DOUBTED:
            return []
        forms = dict.fromkeys(form for metric in self.doubted for form in self._forms(metric))
        return [sorted(filter(None, _SEPARATOR.split(form)), key=len, reverse=True) for form in forms]

    def _may_contain(self, text: str) -> bool:
        """Whether each part of one of the forms ends a word in the text. Parsing is slow, and this is not.

        A literal may be written in several pieces, and an escape such as `\\n` may precede a name.
        """
        return not self._parts or any(
            all(part in text and re.search(rf'{re.escape(part)}(?![^\W_])', text) for part in parts)
            for parts in self._parts
        )

    @cached_property
    def _words(self) -> dict[str, Mention]:
        return self._read[0]

    @cached_property
    def _literals(self) -> dict[str, Mention]:
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[dict[str, Mention], dict[str, Mention]]:
        """Return the first place of each word in the files, and separately of text literals in the check's sources."""
        words: dict[str, Mention] = {}
        literals: dict[str, Mention] = {}
        for path in self._paths():
            text = read_text(path, [])
            if text is None:
                continue
            self.files += 1
            if not self._may_contain(text):
                continue
            self.parsed += 1
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
