"""The output formats, one module each. A new file here is a new `--format`.

A module has `write(report, paint)`, which returns the whole output.
"""

import importlib
import os
from typing import TYPE_CHECKING

from ddassets.output.terminal import PLAIN, Paint

if TYPE_CHECKING:
    from ddassets.output.report import Report


def names() -> tuple[str, ...]:
    """Return the name of every format, `text` first."""
    files = (entry.name for entry in os.scandir(__path__[0]))
    found = {name.removesuffix('.py') for name in files if name.endswith('.py') and not name.startswith('_')}
    return ('text', *sorted(found - {'text'}))


def render(name: str, report: 'Report', paint: Paint = PLAIN) -> str:
    """Return a report in one format. `paint` colours `text` only."""
    text: str = importlib.import_module(f'{__name__}.{name}').write(report, paint)
    return text
