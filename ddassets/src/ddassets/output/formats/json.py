"""JSON: the command's document with its diagnostics. Keys are added, never renamed."""

import json
import re
from typing import Any

from ddassets.output.report import Report
from ddassets.output.terminal import Paint


def write(report: Report, paint: Paint) -> str:
    return dump(report.document)


def dump(document: Any) -> str:
    """Return a JSON document, with unprintable characters escaped: JSON itself requires that for some of them only."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return re.sub(r'[^\x20-\x7e\n]', lambda found: _escaped(found[0]), text) + '\n'


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
