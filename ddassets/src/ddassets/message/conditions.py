"""Which conditionals of a message hold on which transition. Rule 4.3."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

OK, WARN, ALERT, NO_DATA = STATES = ('OK', 'WARN', 'ALERT', 'NO DATA')


class Transition(NamedTuple):
    """From one state to another. Where both are the same, it is a renotification."""

    before: str
    after: str

    def __str__(self) -> str:
        return f'{self.before} -> {self.after}' if self.before != self.after else f'renotify {self.after}'


_ENTERED = {ALERT: 'is_alert', WARN: 'is_warning', NO_DATA: 'is_no_data'}
_LEFT = {ALERT: 'is_alert_recovery', WARN: 'is_warning_recovery', NO_DATA: 'is_no_data_recovery'}


def _table() -> dict[Transition, frozenset[str]]:
    table = {}
    for before in STATES:
        for after in STATES:
            if after == OK:
                flags = {'is_recovery', _LEFT[before]} if before != OK else set()
            else:
                flags = {_ENTERED[after]}
            if before == after:
                flags |= {'is_renotify'}
            if (before, after) == (ALERT, WARN):
                flags |= {'is_alert_to_warning'}
            if (before, after) != (OK, OK):
                table[Transition(before, after)] = frozenset(flags)
    return table


#: The truth table: every transition that can notify, and the conditionals that hold on it.
TRANSITIONS: Mapping[Transition, frozenset[str]] = _table()

#: Conditionals that a transition alone decides, and those that need more.
FLAGS = frozenset({'is_unknown'}.union(*TRANSITIONS.values()))
TESTS = frozenset({'is_priority', 'is_match', 'is_exact_match'})
CONDITIONALS = tuple(sorted(FLAGS | TESTS))

# The cells of the table that no source states, by the id that switches the answer.
_ASSUMED = {
    **{(Transition(state, state), flag): '4.3' for state, flag in _ENTERED.items()},
    (Transition(ALERT, WARN), 'is_warning'): 'A11',
    (Transition(NO_DATA, ALERT), 'is_no_data_recovery'): 'A12',
    (Transition(NO_DATA, WARN), 'is_no_data_recovery'): 'A12',
}


def conditions(transition: Transition, switched: Collection[str] = ()) -> frozenset[str]:
    """Return the conditionals that hold on a transition.

    `switched` are the ids of assumptions to answer the other way round: A11, A12, and 4.3 for the state's own
    conditional on a renotification. A transition that is not in the table (OK -> OK) makes none hold.
    """
    unlike = {flag for (where, flag), name in _ASSUMED.items() if where == transition and name in switched}
    return TRANSITIONS.get(transition, frozenset()) ^ unlike


def assumed(transition: Transition, flag: str) -> str | None:
    """Return the id of the assumption that says whether `flag` holds on `transition`, or None where a source does."""
    return _ASSUMED.get((transition, flag))
