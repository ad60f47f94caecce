"""A diagnostic: the common form of the reports of parsers, lint rules, scenarios, checks and applies."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


class Severity(enum.IntEnum):
    """The severity of a diagnostic. A note may be intended; a warning almost certainly is not; an error cannot work."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters of a text, counted from 0."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column in a file, both counted from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A faulty text, and the half-open range of its characters that the caret marks."""

    text: str
    start: int
    end: int

    def caret(self, width: int = 110) -> tuple[str, str]:
        """Return the faulty line, cut to `width` characters around the fault, and the line of carets below it."""
        start = min(self.start, len(self.text))
        first = self.text.rfind('\n', 0, start) + 1
        last = self.text.find('\n', start)
        last = len(self.text) if last < 0 else last
        left = first if last - first <= width else max(first, start - width // 2)
        right = min(last, left + width)
        before, after = '…' * (left > first), '…' * (right < last)
        shown = ''.join(c if c.isprintable() else '\ufffd' for c in self.text[left:right])
        carets = max(1, min(self.end, right) - start)
        return f'{before}{shown}{after}', ' ' * (len(before) + start - left) + '^' * carets


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file that corrects a fault: the characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A fault at one place.

    `code` is the rule, such as `monitor/option-value`. `path` is the file that people edit. `key` is the path of the
    faulty key in the body of the asset, such as `options.thresholds.critical`; `object` is the name of the monitor,
    widget, variable or metric.
    """

    code: str
    severity: Severity
    path: Path
    message: str
    position: Position | None = None
    hint: str = ''
    object: str = ''
    key: str = ''
    excerpt: Excerpt | None = None
    # Only if there is a single possible correction.
    fix: Edit | None = field(default=None, compare=False, repr=False)

    @property
    def sentence(self) -> str:
        """The message, with the hint in brackets."""
        return f'{self.message} ({self.hint})' if self.hint else self.message


class UnusableInputError(Exception):
    """The input cannot be used: exit code 2.

    The text contains the file, the key or the column, the value and the allowed values. `details` is the output of the
    program that refused the input (a build, pip), or empty. `diagnostics` are the separate faults, if there are
    several.
    """

    def __init__(self, message: str, details: str = '', diagnostics: Iterable[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.details = details.strip()
        self.diagnostics = tuple(diagnostics)


class Unsupported(UnusableInputError):
    """A part of a query or an option of a monitor that the evaluator does not support.

    `column` is counted from 1 in the query; None for an option.
    """

    def __init__(self, name: str, column: int | None, reason: str, monitor: str = '') -> None:
        place = (f'{monitor}: ' if monitor else '') + ('' if column is None else f'column {column}: ')
        super().__init__(f'{place}{name}: {reason}')
        self.name = name
        self.column = column
        self.reason = reason
