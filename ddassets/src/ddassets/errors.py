"""Input that cannot be used."""


class UnusableInputError(Exception):
    """The input is at fault, and nothing could be run or judged: exit code 2.

    The text names the file, the key or the column, what was found and what is allowed. `details` is the output of the
    program that refused the input (a build, pip), or empty.
    """

    def __init__(self, message: str, details: str = '') -> None:
        super().__init__(message)
        self.details = details.strip()


class Unsupported(UnusableInputError):
    """A part of a query or an option of a monitor that is outside the evaluator's subset: refused, never guessed.

    `column` is counted from 1 in the query; None where an option is at fault.
    """

    def __init__(self, name: str, column: int | None, reason: str, monitor: str = '') -> None:
        place = (f'{monitor}: ' if monitor else '') + ('' if column is None else f'column {column}: ')
        super().__init__(f'{place}{name}: {reason}')
        self.name = name
        self.column = column
        self.reason = reason
