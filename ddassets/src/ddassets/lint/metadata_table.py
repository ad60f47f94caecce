"""A metadata.csv to which `lint --fix` adds rows."""

import csv
import io
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ddassets.diagnostic import Edit
from ddassets.regex import regex

_LINE_ENDING = regex(r'\r\n?|\n')


@dataclass(frozen=True)
class MetadataTable:
    """The columns, the last row by column, the number of characters, and the line ending of a metadata.csv."""

    columns: Sequence[str]
    last: Mapping[str, str]
    length: int
    ending: str
    # Whether the last line has an ending.
    is_ended: bool

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the table; None for a text that is not CSV or lacks the columns that a metric needs."""
        try:
            # Strict: a row that is added after an open quotation mark would be a part of the field.
            rows = csv.reader(io.StringIO(text, newline=''), strict=True)
            columns = next(rows, [])
            last = next(iter(deque(filter(None, rows), maxlen=1)), [])
        except csv.Error:
            return None
        if not {'metric_name', 'metric_type'} <= set(columns):
            return None
        ending = _LINE_ENDING.search(text)
        return cls(
            columns=columns,
            last=dict(zip(columns, last, strict=False)),
            length=len(text),
            ending=ending[0] if ending else '\n',
            is_ended=text.endswith(('\r', '\n')),
        )

    def added_row(self, metric: str, type_: str) -> Edit:
        """Return the change that adds a row at the end: of the integration of the last row, without a description."""
        known = {
            'metric_name': metric,
            'metric_type': type_,
            'orientation': '0',
            'integration': self.last.get('integration', ''),
        }
        row = io.StringIO()
        csv.writer(row, lineterminator='').writerow([known.get(column, '') for column in self.columns])
        text = f'{row.getvalue()}{self.ending}' if self.is_ended else f'{self.ending}{row.getvalue()}'
        return Edit(self.length, self.length, text)
