"""Text for a terminal: escaped characters, colour, relative paths."""

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ddassets.diagnostic import UnusableInputError

# Maximum of characters of a line that quotes input.
MAX_LINE = 500


def printable(text: str) -> str:
    """Escape the characters that would move the cursor, reverse text or fail to encode."""
    return ''.join(c if c.isprintable() else c.encode('unicode_escape').decode() for c in text)


def shorten(text: str, width: int = MAX_LINE) -> str:
    """Return a text, cut to `width` characters with an ellipsis if it is longer."""
    return text if len(text) <= width else text[: max(1, width - 1)] + '…'


def bounded(text: str, width: int = 2400) -> str:
    """Cut each line of a text to `width` characters."""
    return text if len(text) <= width else '\n'.join(shorten(line, width) for line in text.split('\n'))


def shown_path(path: Path) -> str:
    """Return the path relative to the current folder, if it is below it."""
    # By text, because pathlib compares with each parent, which took a fourteenth of a lint with many findings.
    absolute, folder = os.path.abspath(path), os.path.join(os.getcwd(), '')
    return (Path(absolute[len(folder) :]) if f'{absolute}{os.sep}'.startswith(folder) else path).as_posix()


def count(number: int, noun: str, plural: str = '') -> str:
    """Return `1 query`, `2 queries`, `1,200 points`: a number and its noun, in the plural except for 1."""
    return f'{number:,} {noun if number == 1 else plural or noun + "s"}'


@dataclass(frozen=True)
class Paint:
    """Writes coloured or plain text."""

    colour: bool

    @classmethod
    def of_output(cls) -> 'Paint':
        """Return the Paint for standard output and the user's settings."""
        return cls(sys.stdout.isatty() and not os.environ.get('NO_COLOR'))

    def __call__(self, code: str, text: str) -> str:
        return f'\033[{code}m{text}\033[0m' if self.colour and text else text


PLAIN = Paint(False)
#: Columns if standard output is not a terminal and COLUMNS is not set.
FILE_WIDTH = 140


@dataclass(frozen=True)
class Screen:
    """The output device: colours, and width in columns."""

    paint: Paint = PLAIN
    width: int = FILE_WIDTH

    @classmethod
    def of_output(cls) -> 'Screen':
        """Return the screen of standard output."""
        return cls(Paint.of_output(), max(40, shutil.get_terminal_size((FILE_WIDTH, 24)).columns))

    def wrapped(self, text: str, indent: int, hanging: int = 2) -> Iterator[str]:
        """Yield the lines of a paragraph: the first indented by `indent`, the others by `hanging` more."""
        yield from textwrap.wrap(
            printable(text),
            self.width,
            initial_indent=' ' * indent,
            subsequent_indent=' ' * (indent + hanging),
            break_long_words=False,
            break_on_hyphens=False,
        )


def table(rows: Sequence[Sequence[str]], width: int) -> Iterator[list[str]]:
    """Yield the rows with their cells padded: the first column to the left, the others to the right.

    If a row is wider than `width`, the first column is cut.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[0] = min(widths[0], max(12, width - sum(widths[1:]) - 2 * len(widths[1:])))
    for first, *rest in rows:
        cells = [f'{cell:>{size}}' for cell, size in zip(rest, widths[1:], strict=True)]
        yield [f'{shorten(first, widths[0]):<{widths[0]}}', *cells]


class Progress:
    """A progress line on standard error, shown on a terminal after a second."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._shown = False

    def __call__(self, text: str) -> None:
        if sys.stderr.isatty() and time.monotonic() - self._begun > 1:
            width = shutil.get_terminal_size().columns
            print(f'\r\033[K{shorten(printable(text), width - 1)}', end='', file=sys.stderr, flush=True)
            self._shown = True

    def clear(self) -> None:
        """Remove the line before other output."""
        if self._shown:
            print('\r\033[K', end='', file=sys.stderr, flush=True)
            self._shown = False


def write(text: str) -> None:
    """Write to standard output immediately. Characters that it cannot encode are escaped."""
    encoding = sys.stdout.encoding or 'utf-8'
    sys.stdout.write(text.encode(encoding, 'backslashreplace').decode(encoding))
    sys.stdout.flush()


def log(text: str) -> None:
    """Write a line to standard error in one piece: several threads may write at the same time."""
    _write_error(f'ddassets: {shorten(printable(text), 2 * MAX_LINE)}\n')


def log_unusable(error: UnusableInputError) -> None:
    """Write an error about input that cannot be used, with its details, to standard error."""
    first, *more = str(error).split('\n')
    log(f'error: {first}')
    if more or error.details:
        log_lines('\n'.join([*more, *(f'  {line}' for line in error.details.splitlines())]))


def log_lines(text: str) -> None:
    """Write the lines of an error to standard error."""
    _write_error(''.join(f'{shorten(printable(line), 2 * MAX_LINE)}\n' for line in text.split('\n')))


def _write_error(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        # The output is closed, or the disk is full: the exit code still reports the result.
        pass
