"""Find the assumptions that matter: switch one at a time, and compare the notifications.

An assumption is tried only with the monitors that rely on it. If it affects only texts, nothing is evaluated again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.rehearsal.changes import Changes, changes
from ddassets.rehearsal.result import MonitorResult, Rehearsal
from ddassets.rehearsal.run import again
from ddassets.rehearsal.scenario import Scenario

type Mode = Literal['auto', 'off', 'all']

#: `auto` stops after this multiple of the rehearsal's evaluated windows.
BUDGET = 2


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of another choice of an assumption. `refused` is the reason if it refuses a monitor or a downtime."""

    assumption: str
    choice: str
    changes: Changes = Changes()
    refused: str = ''

    @property
    def matters(self) -> bool:
        return bool(len(self.changes) or self.refused)


@dataclass(frozen=True)
class WhatIf:
    """The effects of the tried choices, in the order of the table, and the choices that `auto` did not try."""

    effects: Sequence[Effect] = ()
    untried: Sequence[tuple[str, str]] = field(default_factory=tuple)

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The ids of the assumptions with another choice that changes the result."""
        return tuple(dict.fromkeys(effect.assumption for effect in self.effects if effect.matters))


def what_if(rehearsal: Rehearsal, mode: Mode = 'auto') -> WhatIf:
    """Try the other choices of every assumption that a rehearsal relied on.

    `auto` stops before the evaluated windows exceed BUDGET times those of the rehearsal. Windows are counted, so the
    result is the same on every machine.
    """
    if mode == 'off':
        return WhatIf()
    budget = BUDGET * sum(monitor.windows for monitor in rehearsal.monitors)
    effects, untried, spent = [], [], 0
    for name, chosen in rehearsal.assumptions.items():
        relying = [monitor for monitor in rehearsal.monitors if name in monitor.relied_on]
        cost = sum(monitor.windows for monitor in relying if name in monitor.decisive)
        for choice in ASSUMPTIONS[name].choices:
            if choice == chosen:
                continue
            if mode == 'auto' and cost and spent + cost > budget:
                untried.append((name, choice))
                continue
            spent += cost
            effects.append(_effect(rehearsal, name, choice, relying))
    return WhatIf(tuple(effects), tuple(untried))


def _effect(rehearsal: Rehearsal, name: str, choice: str, relying: Sequence[MonitorResult]) -> Effect:
    scenario = replace(rehearsal.scenario, assumptions={**(rehearsal.scenario.assumptions or {}), name: choice})
    try:
        pairs = list(_pairs(rehearsal, scenario, name, relying))
        found = [change for before, after in pairs for change in changes(before, after)]
    except UnusableInputError as error:
        return Effect(name, choice, refused=str(error))
    return Effect(name, choice, Changes(found))


def _pairs(
    rehearsal: Rehearsal, scenario: Scenario, name: str, relying: Sequence[MonitorResult]
) -> Iterator[tuple[MonitorResult, MonitorResult]]:
    """Yield each monitor with its original result and its result under the other choice."""
    decided = {monitor.name for monitor in relying if name in monitor.decisive}
    found = {one.name: one for one in again(rehearsal, scenario, decided).monitors}
    for monitor in relying:
        yield monitor, found[monitor.name] if monitor.name in decided else monitor.reworded(scenario)
