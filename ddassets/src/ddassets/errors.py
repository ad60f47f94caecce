"""Input that cannot be used."""


class UnusableInputError(Exception):
    """The input is at fault, and nothing could be run or judged: exit code 2.

    The text names the file, the key or the column, what was found and what is allowed. `details` is the output of the
    program that refused the input (a build, pip), or empty.
    """

    def __init__(self, message: str, details: str = '') -> None:
        super().__init__(message)
        self.details = details.strip()
