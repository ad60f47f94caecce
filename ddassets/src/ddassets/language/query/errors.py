"""What is wrong with a query, shown under the query."""

_WIDTH = 100


class QuerySyntaxError(ValueError):
    """A text that is no query.

    `column` counts characters of `text` from 1. `expected` holds what may stand there, in the field's words; it is
    empty where the fault is of another kind. `found` is what stands there. `message` says it all in one line.
    """

    def __init__(self, text: str, column: int, expected: tuple[str, ...], found: str, message: str) -> None:
        super().__init__(text, column, expected, found, message)
        self.text = text
        self.column = column
        self.expected = expected
        self.found = found
        self.message = message

    def __str__(self) -> str:
        return f'column {self.column}: {self.message}\n{self.caret()}'

    def caret(self) -> str:
        """The line of the query that is at fault, cut to what a screen holds, and a caret under the column."""
        offset = min(self.column - 1, len(self.text))
        start = self.text.rfind('\n', 0, offset) + 1
        end = self.text.find('\n', offset)
        end = len(self.text) if end < 0 else end
        left, right = max(start, offset - _WIDTH // 2), min(end, offset + _WIDTH // 2)
        before = '…' if left > start else ''
        after = '…' if right < end else ''
        line = ''.join(character if character.isprintable() else '�' for character in self.text[left:right])
        return f'  {before}{line}{after}\n  {" " * (len(before) + offset - left)}^'
