"""The conditionals of a message that hold on each transition. Rule 4.3."""

from collections.abc import Mapping
from typing import NamedTuple

from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.state import State

OK, WARN, ALERT, NO_DATA = STATES = (State.OK, State.WARN, State.ALERT, State.NO_DATA)
UNKNOWN = State.UNKNOWN


class Edge(NamedTuple):
    """A transition from one state to another; with equal states, a renotification."""

    source: State
    target: State

    def __str__(self) -> str:
        return f'{self.source} -> {self.target}' if self.source != self.target else f'renotify {self.target}'


_ENTERED = {ALERT: 'is_alert', WARN: 'is_warning', NO_DATA: 'is_no_data', UNKNOWN: 'is_unknown'}
_LEFT = {ALERT: 'is_alert_recovery', WARN: 'is_warning_recovery', NO_DATA: 'is_no_data_recovery'}


def _flags(edge: Edge) -> frozenset[str]:
    flags = {_ENTERED[edge.target]} if edge.target != OK else {'is_recovery', _LEFT.get(edge.source, 'is_recovery')}
    if edge.source == edge.target:
        flags.add('is_renotify')
    if edge == (ALERT, WARN):
        flags.add('is_alert_to_warning')
    return frozenset(flags)


#: The truth table: every transition that can notify, and the conditionals that hold on it.
TRANSITIONS: Mapping[Edge, frozenset[str]] = {
    edge: _flags(edge) for source in STATES for target in STATES if (edge := Edge(source, target)) != (OK, OK)
}
#: The same, with the transitions that only service checks have (rule 14.10).
CHECK_TRANSITIONS: Mapping[Edge, frozenset[str]] = {
    **TRANSITIONS,
    **{Edge(state, UNKNOWN): _flags(Edge(state, UNKNOWN)) for state in (*STATES, UNKNOWN)},
    **{Edge(UNKNOWN, state): _flags(Edge(UNKNOWN, state)) for state in STATES},
}

# The cells of the table that no source states, by the assumption that fills them.
_ASSUMED = {
    **{(Edge(state, state), flag): Assumptions.renotification_state for state, flag in _ENTERED.items()},
    (Edge(ALERT, WARN), 'is_warning'): Assumptions.warning_after_alert,
    (Edge(NO_DATA, ALERT), 'is_no_data_recovery'): Assumptions.no_data_recovery_into_trouble,
    (Edge(NO_DATA, WARN), 'is_no_data_recovery'): Assumptions.no_data_recovery_into_trouble,
}


def conditions(edge: Edge, assumptions: Assumptions | None = None) -> frozenset[str]:
    """Return the conditionals that hold on a transition; A11, A12 and A25 are not recorded as relied on.

    A new group counts as OK. From OK to OK none holds.
    """
    edge = _from_ok(edge)
    flags = set(CHECK_TRANSITIONS.get(edge, frozenset()))
    for (where, flag), assumption in _ASSUMED.items():
        if where == edge and assumptions:
            (flags.add if assumptions.peek(assumption) == 'yes' else flags.discard)(flag)
    return frozenset(flags)


def holds(edge: Edge, flag: str, assumptions: Assumptions) -> bool:
    """Whether a conditional holds on a transition; records the assumption that decides it, if any."""
    if where := assumed(edge, flag):
        assumptions.rely_on(where)
    return flag in conditions(edge, assumptions)


def notified_conditions(flags: frozenset[str], edge: Edge) -> frozenset[str]:
    """Return the conditionals whose handles are notified on a transition on which `flags` hold.

    From Alert to Warn the handles in is_alert_recovery are notified, but its text is not shown (rule 4.3b).
    """
    return flags | {'is_alert_recovery'} if edge == (ALERT, WARN) else flags


def assumed(edge: Edge, flag: str) -> Assumption | None:
    """Return the assumption that decides whether `flag` holds on `edge`; None if a source documents it."""
    return _ASSUMED.get((_from_ok(edge), flag))


def _from_ok(edge: Edge) -> Edge:
    return Edge(OK, edge.target) if edge.source is State.ABSENT else edge
