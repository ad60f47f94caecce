"""Which conditionals of a message hold on which transition. Rule 4.3."""

from collections.abc import Mapping
from typing import NamedTuple

from ddassets.engine.state import State

OK, WARN, ALERT, NO_DATA = STATES = (State.OK, State.WARN, State.ALERT, State.NO_DATA)


class Edge(NamedTuple):
    """From one state to another. Where both are the same, it is a renotification."""

    source: State
    target: State

    def __str__(self) -> str:
        return f'{self.source} -> {self.target}' if self.source != self.target else f'renotify {self.target}'


_ENTERED = {ALERT: 'is_alert', WARN: 'is_warning', NO_DATA: 'is_no_data'}
_LEFT = {ALERT: 'is_alert_recovery', WARN: 'is_warning_recovery', NO_DATA: 'is_no_data_recovery'}


def _flags(edge: Edge) -> frozenset[str]:
    flags = {_ENTERED[edge.target]} if edge.target != OK else {'is_recovery', _LEFT[edge.source]}
    if edge.source == edge.target:
        flags.add('is_renotify')
    if edge == (ALERT, WARN):
        flags.add('is_alert_to_warning')
    return frozenset(flags)


#: The truth table: every transition that can notify, and the conditionals that hold on it.
TRANSITIONS: Mapping[Edge, frozenset[str]] = {
    edge: _flags(edge) for source in STATES for target in STATES if (edge := Edge(source, target)) != (OK, OK)
}

# The cells of the table that no source states, by the assumption that fills them.
_ASSUMED = {
    **{(Edge(state, state), flag): 'A25' for state, flag in _ENTERED.items()},
    (Edge(ALERT, WARN), 'is_warning'): 'A11',
    (Edge(NO_DATA, ALERT), 'is_no_data_recovery'): 'A12',
    (Edge(NO_DATA, WARN), 'is_no_data_recovery'): 'A12',
}


def conditions(edge: Edge, choices: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the conditionals that hold on a transition.

    `choices` are those of the assumptions A11, A12 and A25 that are not the default. A group that was not there counts
    as OK. OK to OK makes none hold.
    """
    edge = _from_ok(edge)
    flags = set(TRANSITIONS.get(edge, frozenset()))
    for (where, flag), name in _ASSUMED.items():
        if where == edge and choices and name in choices:
            (flags.add if choices[name] == 'yes' else flags.discard)(flag)
    return frozenset(flags)


def assumed(edge: Edge, flag: str) -> str | None:
    """Return the id of the assumption that says whether `flag` holds on `edge`, or None where a source does."""
    return _ASSUMED.get((_from_ok(edge), flag))


def _from_ok(edge: Edge) -> Edge:
    return Edge(OK, edge.target) if edge.source is State.ABSENT else edge
