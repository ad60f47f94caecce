"""Regular expressions that are compiled on first use: a command uses few of those in the modules that it imports.

>>> DIGITS = regex(r'[0-9]+')
>>> DIGITS.findall('10 of 20')
['10', '20']
"""

import re
from typing import Any, cast


class _Pattern:
    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """Compile the expression, and keep what was asked of it, so that this function is called once for a name."""
        value = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, value)
        return value


def regex(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return a regular expression. An error in `text` appears with its first use."""
    return cast(re.Pattern[str], _Pattern(text, flags))
