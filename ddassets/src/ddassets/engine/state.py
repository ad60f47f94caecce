"""The states of a group of a monitor."""

from enum import IntEnum
from typing import Literal

type Kind = Literal['alert', 'warn', 'no data', 'unknown', 'recovery']


class State(IntEnum):
    """The state of a group (rule 3.7).

    ABSENT: the group does not exist yet, or was dropped (rules 2.21 and 3.20). Only service checks have UNKNOWN (rule
    14.10).
    """

    ABSENT = -1
    OK = 0
    WARN = 1
    ALERT = 2
    NO_DATA = 3
    UNKNOWN = 4

    def __str__(self) -> str:
        return _WORDS[self]

    @property
    def kind(self) -> Kind:
        """The kind of a notification about a transition into the state."""
        return _KINDS[self]


#: The states by their codes, which columns hold.
STATES = {int(state): state for state in State}

_WORDS = {
    State.ABSENT: 'absent',
    State.OK: 'OK',
    State.WARN: 'Warn',
    State.ALERT: 'Alert',
    State.NO_DATA: 'No Data',
    State.UNKNOWN: 'Unknown',
}
_KINDS: dict[State, Kind] = {
    State.OK: 'recovery',
    State.WARN: 'warn',
    State.ALERT: 'alert',
    State.NO_DATA: 'no data',
    State.UNKNOWN: 'unknown',
}
