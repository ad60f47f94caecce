"""The syntax error of a query, with its place."""

from ddassets.diagnostic import Excerpt


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

    @property
    def excerpt(self) -> Excerpt:
        """The query, with the character at fault marked."""
        offset = min(self.column - 1, len(self.text))
        return Excerpt(self.text, offset, offset + 1)

    def caret(self) -> str:
        """Return the line of the query that is at fault, and a caret under the column."""
        return '\n'.join(f'  {line}' for line in self.excerpt.caret())
