"""Text for a terminal: harmless characters, colour where it shows, paths from the current folder."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path


def printable(text: str) -> str:
    """Spell out the characters that would move the cursor, reverse text or fail to encode."""
    return ''.join(c if c.isprintable() else c.encode('unicode_escape').decode() for c in text)


def shown_path(path: Path) -> str:
    """Relative to the current folder where it lies below it."""
    absolute = Path(os.path.abspath(path))
    folder = Path.cwd()
    return absolute.relative_to(folder).as_posix() if absolute.is_relative_to(folder) else path.as_posix()


def count(number: int, noun: str, plural: str = '') -> str:
    """Return `1 query`, `2 queries`, `1,200 points`: a number and its noun, in the plural but for 1."""
    return f'{number:,} {noun if number == 1 else plural or noun + "s"}'


@dataclass(frozen=True)
class Paint:
    """Colour, or none."""

    colour: bool

    @classmethod
    def of_output(cls) -> 'Paint':
        """As standard output can show it, and its reader wants it."""
        return cls(sys.stdout.isatty() and not os.environ.get('NO_COLOR'))

    def __call__(self, code: str, text: str) -> str:
        return f'\033[{code}m{text}\033[0m' if self.colour and text else text


PLAIN = Paint(False)


def write(text: str) -> None:
    """Write to standard output at once. A terminal that cannot show a character gets it spelled out."""
    encoding = sys.stdout.encoding or 'utf-8'
    sys.stdout.write(text.encode(encoding, 'backslashreplace').decode(encoding))
    sys.stdout.flush()


def log(text: str) -> None:
    """Write a line to standard error in one piece: several threads may write at the same time."""
    sys.stderr.write(f'ddassets: {text}\n')
    sys.stderr.flush()
