"""One notification for several groups: `notify_by` folds the groups of a monitor (rule 2.20)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ddassets.engine.column import Flags, Floats, Indices
from ddassets.engine.explanation import Explanation, evaluation_row
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.protocol import Evaluator
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.engine.timeline import SEVERITIES, Codes, Group, GroupTimeline, Transitions
from ddassets.engine.transitions import transitions


class FoldedEvaluator:
    """Evaluates the groups of a monitor, and folds those with the same values of some keys into one.

    A folded group has the worst state of its sub-groups and notifies when that changes (I6). `keys` ('*',) folds all
    groups into one without tags.
    """

    def __init__(self, inner: Evaluator, keys: Sequence[str]) -> None:
        self.inner = inner
        self.by = () if tuple(keys) == ('*',) else tuple(keys)
        self.assumptions = inner.assumptions
        self.start, self.end, self.warnings = inner.start, inner.end, inner.warnings
        self._members: dict[Group, list[Group]] = {}
        # By group: from which evaluations on another sub-group is the worst, and which. Messages of several groups
        # alternate, and evaluating the sub-groups for each would take most of the time of a rehearsal.
        self._worst: dict[Group, tuple[Indices, Indices]] = {}
        for group in inner.groups:
            folded = tuple(tag for key in self.by for tag in group if tag.startswith(f'{key}:'))
            self._members.setdefault(folded, []).append(group)

    @property
    def monitor(self) -> AnyMonitor:
        return self.inner.monitor

    @property
    def ticks(self) -> Indices:
        return self.inner.ticks

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(sorted(self._members))

    @property
    def absence(self) -> str:
        return self.inner.absence

    def series(self, group: Group) -> Iterator[Series]:
        for member in self._members[group]:
            yield from self.inner.series(member)

    def timeline(self, group: Group) -> GroupTimeline:
        members = [self.inner.timeline(member) for member in self._members[group]]
        states = np.stack([member.states for member in members])
        worst = np.argmax(SEVERITIES[states + 1], axis=0)
        starts = np.flatnonzero(np.diff(worst, prepend=-1))
        self._worst[group] = starts, worst[starts]
        columns = np.arange(worst.size)
        states, values = states[worst, columns], np.stack([member.values for member in members])[worst, columns]
        silent = np.array([member.silent_no_data for member in members])
        uncertain = [member.uncertain for member in members if member.uncertain is not None]
        if len(members) == 1:
            changes = members[0].transitions
        elif self.assumptions.folded_groups == 'every sub-group':
            changes = _merged([member.transitions for member in members])
        else:
            changes = self._changes(states, values, [member.transitions for member in members], silent[worst])
        return GroupTimeline(
            group=group,
            tags=frozenset(group) | frozenset.intersection(*(member.tags for member in members)),
            ticks=self.ticks,
            values=values,
            states=states,
            transitions=changes,
            end=self.end,
            silent_no_data=bool(silent.all()),
            uncertain=np.stack(uncertain)[worst, columns] if uncertain else None,
        )

    def _changes(self, states: Codes, values: Floats, each: Sequence[Transitions], silent: Flags) -> Transitions:
        """Return the changes of the worst state; `silent`: No Data of the sub-group in that state does not notify."""
        there = states != State.ABSENT
        born = np.flatnonzero(there & ~np.concatenate([[False], there[:-1]])).tolist()
        causes = np.zeros(states.size, dtype=np.int8)
        for changes in each:
            at = np.searchsorted(self.ticks, changes.instants)
            causes[at] = np.maximum(causes[at], changes.causes)
        return transitions(
            self.monitor, self.assumptions, self.ticks, states, values, causes, born, State.ABSENT, silent
        )

    def explain(self, group: Group, instant: int) -> Explanation:
        """Explain the sub-group in the worst state at an instant. Raises UnusableInputError."""
        worst, number = self._worst_at(group, instant), len(self._members[group])
        explanation = self.inner.explain(worst, instant)
        if number == 1:
            return explanation
        shown = f'the worst of {number} groups that notify_by folds into one: {",".join(worst)}'
        return replace(explanation, reasons=(shown, *explanation.reasons))

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        return self.inner.variables(self._worst_at(group, instant), instant)

    def _worst_at(self, group: Group, instant: int) -> Group:
        """Return the first sub-group in the worst state."""
        row = evaluation_row(self.ticks, self.groups, group, instant)
        if group not in self._worst:
            self.timeline(group)
        starts, worst = self._worst[group]
        member: Group = self._members[group][worst[np.searchsorted(starts, row, side='right') - 1]]
        return member


def unfolded(evaluator: Evaluator) -> Evaluator:
    """Return the evaluator of the sub-groups."""
    return evaluator.inner if isinstance(evaluator, FoldedEvaluator) else evaluator


def _merged(each: Sequence[Transitions]) -> Transitions:
    """Return the transitions of all sub-groups in order of time."""
    names = ('instants', 'sources', 'targets', 'values', 'notify', 'causes', 'first_triggered', 'last_triggered')
    columns = {name: np.concatenate([getattr(one, name) for one in each]) for name in names}
    order = np.argsort(columns['instants'], kind='stable')
    return Transitions(**{name: column[order] for name, column in columns.items()})
