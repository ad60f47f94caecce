"""A second evaluator of composite monitors, minute by minute, from section 13 of the semantics."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

ORDER = ('OK', 'No Data', 'Warn', 'Alert')
OPPOSITE = {'OK': 'Alert', 'No Data': 'No Data', 'Warn': 'OK', 'Alert': 'OK'}
RETENTION = {'not modelled, 24 h': 24 * 60, '12 h': 12 * 60, '1 h': 60}

# ('member', letter), ('not', part), ('and', left, right) or ('or', left, right).
type Tree = tuple[Any, ...]
type Group = tuple[str, ...]
# A minute, the states before and after, whether it notifies, and the cause.
type Change = tuple[int, str, str, bool, str]


@dataclass(frozen=True)
class Member:
    """A member: its state in each minute by group, 'absent' if the group does not exist. `notifies`: about missing
    data.
    """

    states: Mapping[Group, Sequence[str]]
    notifies: bool

    @property
    def grouped(self) -> bool:
        return () not in self.states


@dataclass(frozen=True)
class Composite:
    tree: Tree
    members: Mapping[str, Member]
    minutes: int
    notify_no_data: bool
    timeout: int | None
    choices: Mapping[str, str] = field(default_factory=dict)

    def groups(self) -> dict[Group, dict[str, Group]]:
        """Return the groups of the composite, each with the group of every member."""
        grouped = {letter: list(one.states) for letter, one in self.members.items() if one.grouped}
        simple: dict[str, Group] = {letter: () for letter in self.members if letter not in grouped}
        if not grouped:
            return {(): simple}
        found = {}
        for chosen in product(*grouped.values()):
            sets = [{tag.split(':', 1)[1] for tag in group} for group in chosen]
            if all(one <= other or other <= one for one in sets for other in sets):
                largest = max(len(one) for one in sets)
                name = next(group for group, own in zip(chosen, sets, strict=True) if len(own) == largest)
                found[name] = {**simple, **dict(zip(grouped, chosen, strict=True))}
        return found

    def status(self, letter: str, group: Group, minute: int) -> str:
        """Return the status of a member that the composite uses."""
        column = list(self.members[letter].states[group])
        if self.choices['A38'] == 'before its members':
            column = ['absent' if group else 'No Data', *column]
        for at, state in enumerate(column):
            if state == 'Unknown':
                before = column[at - 1] if at and column[at - 1] != 'absent' else 'No Data'
                column[at] = 'No Data' if self.choices['A40'] == 'No Data' else before
        if self.choices['A37'] == 'at the evaluation':
            return column[minute]
        recent = [state for state in column[max(0, minute - 4) : minute + 1] if state != 'absent']
        return max(recent, key=ORDER.index) if recent else 'absent'

    def result(self, tree: Tree, statuses: Mapping[str, str]) -> str:
        if tree[0] == 'member':
            return statuses[tree[1]]
        if tree[0] == 'not':
            return OPPOSITE[self.result(tree[1], statuses)]
        choose = min if tree[0] == 'and' else max
        return choose((self.result(part, statuses) for part in tree[1:]), key=ORDER.index)

    def silent(self, statuses: Mapping[str, str]) -> bool:
        """Whether a No Data does not notify (rules 13.8 and 13.10)."""
        if not self.notify_no_data:
            return True
        missing = [self.members[letter].notifies for letter, status in statuses.items() if status == 'No Data']
        enough = {'all': all(missing), 'any': any(missing), 'none': True}
        return not enough[self.choices['A36']]

    def run(self, group: Group, own: Mapping[str, Group]) -> tuple[list[str], list[Change]]:
        """The state in each minute, and the changes."""
        memory = _Memory('absent' if group else 'No Data')
        states, changes = [], []
        for minute in range(self.minutes):
            statuses = {letter: self.status(letter, each, minute) for letter, each in own.items()}
            result = self.result(self.tree, statuses) if 'absent' not in statuses.values() else None
            memory.see(minute, result, RETENTION[self.choices['A88']])
            if memory.born:
                before = memory.state
                after, cause = self.decide(memory, minute, result)
                if after != before and (before, after) != ('absent', 'OK'):
                    silent = after == 'No Data' and self.silent(statuses)
                    told = memory.tell(before, after, silent, self.choices['A8'])
                    changes.append((minute, before, after, told, cause if after == 'OK' else 'data'))
                memory.state = after
            states.append(memory.state)
        return states, changes

    def decide(self, memory: '_Memory', minute: int, result: str | None) -> tuple[str, str]:
        """Return the state after a minute, and its cause."""
        kept = 'OK' if memory.state == 'absent' else memory.state
        if result is None:
            return ('OK' if self.choices['A39'] == 'OK' else kept), 'data'
        if result != 'No Data':
            return result, 'data'
        if self.timeout and minute - memory.missing_since >= self.timeout:
            return 'OK', 'timeout'
        return ('No Data' if self.notify_no_data else kept), 'data'


@dataclass
class _Memory:
    """The memory of a group. `uncommon_since` and `missing_since` are minutes, infinite if the condition is not met."""

    state: str
    born: bool = False
    uncommon_since: float = math.inf
    missing_since: float = math.inf
    open_trigger: bool = False
    silent_before: bool = False

    def see(self, minute: int, result: str | None, retention: int) -> None:
        """Record since when there is no result; drop or create the group."""
        self.uncommon_since = min(self.uncommon_since, minute) if result is None else math.inf
        self.missing_since = min(self.missing_since, minute) if result == 'No Data' else math.inf
        if self.born and minute - self.uncommon_since >= retention:
            self.state, self.born, self.open_trigger = 'absent', False, False
        if not self.born and result not in (None, 'No Data'):
            self.state, self.born, self.open_trigger = 'absent', True, False

    def tell(self, before: str, after: str, silent: bool, choice: str) -> bool:
        """Whether a change notifies (rules 3.8, 3.18 and 13.8)."""
        told = not silent
        if before == 'No Data' and after == 'OK' and self.silent_before:
            told = choice == 'always' or (choice == 'after a trigger' and self.open_trigger)
            self.open_trigger = False
        elif not silent:
            self.open_trigger = after != 'OK'
        self.silent_before = silent
        return told
