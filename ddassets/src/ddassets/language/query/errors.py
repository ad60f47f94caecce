"""The syntax error of a query, with its column."""

from ddassets.diagnostic import Excerpt


class QuerySyntaxError(ValueError):
    """A text that is not a query.

    `column` counts characters of `text` from 1. `expected` lists what is allowed there, or is empty for other kinds of
    fault. `found` is the text there. `message` is the complete message in one line.
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
        """The query, with the faulty character marked."""
        offset = min(self.column - 1, len(self.text))
        return Excerpt(self.text, offset, offset + 1)

    def caret(self) -> str:
        """Return the line of the query with the fault, and a caret under the column."""
        return '\n'.join(f'  {line}' for line in self.excerpt.caret())
