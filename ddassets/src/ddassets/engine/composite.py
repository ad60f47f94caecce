"""Composite monitors: compute the timeline of a composite from those of its members (section 13 of the semantics).

Statuses are compared by severity: OK, No Data, Warn, Alert. `&&` is the less severe, `||` the more severe.

>>> from ddassets.language.composite import parse
>>> both = parse('!(1 && 2)')
>>> codes = {'1': np.array([State.ALERT]), '2': np.array([State.OK])}
>>> str(STATES[combine(both.root, {name: SEVERITIES[code + 1] for name, code in codes.items()})[0]])
'Alert'
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.assets.refusal import refuse
from ddassets.diagnostic import Unsupported
from ddassets.engine.approximation import MARK
from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.column import Flags, Indices
from ddassets.engine.explanation import Explanation, change, evaluation_row
from ddassets.engine.monitor import AnyMonitor, common_options
from ddassets.engine.monitor import Monitor as MetricMonitor
from ddassets.engine.protocol import Evaluator
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.engine.state_machine import RETENTIONS
from ddassets.engine.timeline import CAUSES, SEVERITIES, Codes, Group, GroupTimeline, Instants, evaluation_instants
from ddassets.engine.transitions import transitions
from ddassets.language.composite import MAX_MEMBERS, And, CompositeQuery, Member, Node, Not, Or, render
from ddassets.language.counted import PRODUCTS
from ddassets.nearest import listed
from ddassets.regex import regex

# The severities of rule 13.5, as in SEVERITIES, and the state of each.
ABSENT, OK, NO_DATA, WARN, ALERT = range(5)
STATES = (State.ABSENT, State.OK, State.NO_DATA, State.WARN, State.ALERT)
_CODES = np.array(STATES, dtype=np.int8)
_NOT = np.array([ABSENT, ALERT, NO_DATA, OK, OK], dtype=np.int8)
_TIMEOUT = CAUSES.index('timeout')
_MEMBER_VARIABLE = regex(rf'\b[a-z]\.(?:value|status|{"|".join(dict.fromkeys(PRODUCTS.values()))})\b')
# Evaluations of members that are kept, of 9 bytes each: messages ask for the groups in turn.
_MAX_KEPT = 4_000_000


@dataclass(frozen=True)
class Composite(AnyMonitor):
    """A composite monitor. `member_names` are the members by letter; `reachable` are the states that the options of the
    members allow. Both are set once the monitor has an evaluator.
    """

    query: CompositeQuery
    _: KW_ONLY
    member_names: Mapping[str, str]
    reachable: frozenset[State] = frozenset(State)

    def _troubles(self) -> Iterator[State]:
        for state in (State.WARN, State.ALERT, State.NO_DATA):
            if state in self.reachable and (state != State.NO_DATA or self.notify_no_data):
                yield state

    @property
    def empty_variables(self) -> Mapping[str, Assumption]:
        return dict.fromkeys(('value', 'threshold', 'warn_threshold'), Assumptions.composite_value)

    @property
    def legend(self) -> str:
        return ', '.join(f'{letter} is {name}' for letter, name in self.member_names.items())

    def varies(self, name: str) -> bool:
        return super().varies(name) or _MEMBER_VARIABLE.search(name) is not None


def of(asset: MonitorAsset) -> Composite:
    """Return what the engine needs of a composite monitor. Raises UnusableInputError with every error of the asset."""
    if asset.errors:
        refuse(asset.errors)
    query = asset.composite
    if not isinstance(query, CompositeQuery):
        raise Unsupported('query', None, 'is not known', asset.name)
    return Composite(query=query, member_names={}, **common_options(asset))


@dataclass(frozen=True)
class Source:
    """A member: its monitor and its evaluator."""

    name: str
    monitor: AnyMonitor
    evaluator: Evaluator

    @property
    def grouped(self) -> bool:
        return bool(self.evaluator.by)

    @property
    def has_value(self) -> bool:
        """Whether `{{a.value}}` prints what it compared."""
        return 'value' not in self.monitor.empty_variables

    @property
    def notifies_no_data(self) -> bool:
        """Whether the composite itself notifies about missing data (rule 13.10)."""
        return State.NO_DATA in self.monitor.states and not self.monitor.silent_no_data


def combine(node: Node, severities: Mapping[str, Codes]) -> Codes:
    """Return the severities of a part of a query from those of its members, by member text (rule 13.6)."""
    match node:
        case Member(text=text):
            return severities[text]
        case Not(part=part):
            opposite: Codes = _NOT[combine(part, severities)]
            return opposite
        case And(parts=parts):
            least: Codes = np.minimum.reduce([combine(part, severities) for part in parts])
            return least
        case Or(parts=parts):
            most: Codes = np.maximum.reduce([combine(part, severities) for part in parts])
            return most


def possible(node: Node, states: Mapping[str, frozenset[int]]) -> frozenset[int]:
    """Return the severities that a part of a query can have; repeated members count as independent."""
    match node:
        case Member(text=text):
            return states[text]
        case Not(part=part):
            return frozenset(int(_NOT[severity]) for severity in possible(part, states))
        case And(parts=parts) | Or(parts=parts):
            choose = min if isinstance(node, And) else max
            found = possible(parts[0], states)
            for part in parts[1:]:
                found = frozenset(choose(left, right) for left in found for right in possible(part, states))
            return found


def common_groups(members: Mapping[str, Sequence[Group]]) -> dict[Group, dict[str, Group]]:
    """Return the groups of a composite, each with the group of every grouped member, by letter.

    Groups are compared by the values of their tags (rule 13.15). Two match if the values of one contain those of the
    other; the composite has the larger group (rule 13.16).
    """
    if len(members) == 1:
        ((letter, groups),) = members.items()
        return {group: {letter: group} for group in groups}
    indexed = {letter: _by_rarest_value(groups) for letter, groups in members.items()}
    found: dict[frozenset[str], tuple[Group, dict[str, Group]]] = {}
    for letter, groups in members.items():
        for group in groups:
            values = _values(group)
            if values not in found and (chosen := _matching(values, indexed)):
                found[values] = group, chosen | {letter: group}
    return dict(sorted(found.values(), key=lambda row: row[0]))


# The groups of a member with their values, by the value that the fewest of its groups have. A group within some values
# is at one of them, so neither all groups nor all sets of these values have to be looked at.
type _Index = Mapping[str, Sequence[tuple[frozenset[str], Group]]]
# The place of a group without tags (rule 20.7), which is within all values.
_NOWHERE = ''


def _by_rarest_value(groups: Sequence[Group]) -> _Index:
    by_values = {_values(group): group for group in groups}
    counts = Counter(value for values in by_values for value in values)
    found: dict[str, list[tuple[frozenset[str], Group]]] = {}
    for values, group in by_values.items():
        rarest = min(values, key=lambda value: (counts[value], value), default=_NOWHERE)
        found.setdefault(rarest, []).append((values, group))
    return found


def _matching(values: frozenset[str], indexed: Mapping[str, _Index]) -> dict[str, Group]:
    """Return the largest group of each member within `values` that contain one another; None if there is none."""
    chosen: dict[str, Group] = {}
    for letter, index in indexed.items():
        rows = (row for value in values | {_NOWHERE} for row in index.get(value, ()))
        within = [(part, group) for part, group in rows if part <= values]
        if not within:
            return {}
        _, chosen[letter] = min(within, key=lambda row: (-len(row[0]), sorted(row[0])))
    sets = [_values(group) for group in chosen.values()]
    nested = all(left <= right or right <= left for left, right in combinations(sets, 2))
    return chosen if nested and values in sets else {}


def _values(group: Group) -> frozenset[str]:
    return frozenset(tag.partition(':')[2] for tag in group)


def _of_event(letter: str, variables: Mapping[str, float | str | None]) -> dict[str, float | str | None]:
    """Return the variables of a member's event: `a.log.message`, and its facets without `attributes` (rule 13.21)."""
    own = {f'{letter}.{name}': value for name, value in variables.items() if '.' in name}
    return {name.replace('.attributes.', '.', 1): value for name, value in own.items()} | own


class CompositeEvaluator:
    """Evaluates a composite every minute, after its members (A38). See `protocol.Evaluator`.

    `members` are by letter. Raises UnusableInputError for a query that its members cannot have.
    """

    def __init__(
        self,
        monitor: Composite,
        members: Mapping[str, Source],
        start: int,
        end: int,
        tick_second: int,
        assumptions: Assumptions,
    ) -> None:
        self.members = members
        self.start = start
        self.end = end
        self.assumptions = assumptions
        self._letters = monitor.query.letters
        self._ticks = evaluation_instants(start, end, tick_second)
        self._timelines: OrderedDict[tuple[str, Group], GroupTimeline] = OrderedDict()
        states = {
            member.text: frozenset(int(SEVERITIES[state + 1]) for state in members[letter].monitor.states)
            for letter, member in monitor.query.members.items()
        }
        self._possible = possible(monitor.query.root, states)
        self.monitor = replace(
            monitor,
            member_names={letter: member.name for letter, member in members.items()},
            reachable=frozenset(STATES[severity] for severity in self._possible),
        )
        self.warnings = tuple(self._warnings())

    @property
    def ticks(self) -> Indices:
        return self._ticks

    @property
    def by(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for member in self.members.values() for key in member.evaluator.by))

    @cached_property
    def _groups(self) -> Mapping[Group, Mapping[str, Group]]:
        """Return the group of each member, by letter, for each group of the composite (rules 13.14 to 13.16)."""
        grouped = {letter: one.evaluator.groups for letter, one in self.members.items() if one.grouped}
        simple: dict[str, Group] = {letter: () for letter, one in self.members.items() if not one.grouped}
        if not grouped:
            return {(): simple}
        common = common_groups(grouped)
        return {group: {letter: (simple | own)[letter] for letter in self.members} for group, own in common.items()}

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(self._groups)

    @property
    def absence(self) -> str:
        against = ' against '.join(
            f'{letter} has {listed([",".join(sorted(_values(group))) for group in one.evaluator.groups])}'
            for letter, one in self.members.items()
            if one.grouped
        )
        return f'its members have no common group: {against}'

    def series(self, group: Group) -> Iterator[Series]:
        for letter, own in self._groups[group].items():
            yield from self.members[letter].evaluator.series(own)

    @property
    def expression(self) -> str:
        """The query with the letters of its members."""
        return self._lettered(self.monitor.query.root)

    def member_timelines(self, group: Group) -> Mapping[str, GroupTimeline]:
        """Return the timeline of each member's group, by letter."""
        return {letter: self._timeline(letter, own) for letter, own in self._groups[group].items()}

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        found: dict[str, float | str | None] = {}
        for letter, own in self._groups[group].items():
            timeline, member = self._timeline(letter, own), self.members[letter]
            row = int(np.searchsorted(timeline.ticks, instant, side='right')) - 1
            value = float(timeline.values[row]) if row >= 0 else np.nan
            found[f'{letter}.value'] = None if np.isnan(value) or not member.has_value else value
            found[f'{letter}.status'] = str(State(timeline.states[row]) if row >= 0 else State.NO_DATA)
            if row >= 0:
                found |= _of_event(letter, member.evaluator.variables(own, int(timeline.ticks[row])))
        return found

    def timeline(self, group: Group) -> GroupTimeline:
        severities = {letter: self._severities(letter, own) for letter, own in self._groups[group].items()}
        for member in self.members.values():
            self.assumptions.relied_on |= member.evaluator.assumptions.relied_on
        by_text = {member.text: severities[letter] for letter, member in self.monitor.query.members.items()}
        present = np.logical_and.reduce([column != ABSENT for column in severities.values()])
        result = np.where(present, combine(self.monitor.query.root, by_text), ABSENT).astype(np.int8)
        silent = self._silent(result, severities)
        states, causes, born = self._states(result, simple=not group)
        values = np.full(states.size, np.nan)
        fresh = State.ABSENT if group else State.NO_DATA
        no_data = states == State.NO_DATA
        return GroupTimeline(
            group=group,
            tags=frozenset(tag for own in self._groups[group].values() for tag in own),
            ticks=self._ticks,
            values=values,
            states=states,
            transitions=transitions(
                self.monitor, self.assumptions, self._ticks, states, values, causes, born, fresh, silent
            ),
            end=self.end,
            silent_no_data=bool(silent[no_data].all()),
        )

    def _timeline(self, letter: str, group: Group) -> GroupTimeline:
        """Return the timeline of a member's group; the latest ones are cached."""
        found = self._timelines.pop((letter, group), None) or self.members[letter].evaluator.timeline(group)
        self._timelines[letter, group] = found
        if len(self._timelines) > max(2 * MAX_MEMBERS, _MAX_KEPT // max(1, self._ticks.size)):
            self._timelines.popitem(last=False)
        return found

    def _severities(self, letter: str, group: Group) -> Codes:
        """Return the severity of a member at each evaluation of the composite (rules 13.11 to 13.13)."""
        timeline = self._timeline(letter, group)
        # A38: the choice that is not the default sees the members as they were a minute before.
        late = 60 if self.assumptions.composite_order != Assumptions.composite_order.default else 0
        states = self._known(timeline.states)
        if late or not np.array_equal(timeline.ticks, self._ticks):
            row = np.searchsorted(timeline.ticks, self._ticks - late, side='right') - 1
            unborn = State.ABSENT if group else State.NO_DATA
            states = (
                np.where(row >= 0, states[np.maximum(row, 0)], unborn) if states.size else np.full_like(row, unborn)
            )
        severities: Codes = SEVERITIES[states + 1]
        if (np.diff(severities) < 0).any() and self.assumptions.member_status != Assumptions.member_status.default:
            padded = np.concatenate([np.zeros(4, dtype=np.int8), severities])
            severities = np.lib.stride_tricks.sliding_window_view(padded, 5).max(axis=1)
        return severities

    def _known(self, states: Codes) -> Codes:
        """Return the states without Unknown, which counts as No Data or as the last known state (A40)."""
        unknown = states == State.UNKNOWN
        if not unknown.any() or self.assumptions.unknown_member == Assumptions.unknown_member.default:
            return states
        last = np.maximum.accumulate(np.where(unknown, -1, np.arange(states.size)))
        # A group that comes in Unknown has no last status.
        kept = unknown & (last >= 0) & (states[last] != State.ABSENT)
        return np.where(kept, states[last], states)

    def _silent(self, result: Codes, severities: Mapping[str, Codes]) -> Flags:
        """Return the evaluations at which No Data does not notify (rules 13.8 and 13.10)."""
        if not self.monitor.notify_no_data:
            return np.ones(result.size, dtype=np.bool_)
        heard, quiet = np.zeros(result.size, dtype=np.bool_), np.zeros(result.size, dtype=np.bool_)
        for letter, column in severities.items():
            missing = column == NO_DATA
            if self.members[letter].notifies_no_data:
                heard |= missing
            else:
                quiet |= missing
        if not (quiet & (result == NO_DATA)).any():
            return np.zeros(result.size, dtype=np.bool_)
        return {'all': quiet, 'any': ~heard, 'none': np.zeros_like(quiet)}[self.assumptions.members_that_notify]

    def _states(self, result: Codes, simple: bool) -> tuple[Codes, Codes, list[int]]:
        """The state after each evaluation, what brought it, and where lives begin."""
        ticks, size = self._ticks, result.size
        states = np.full(size, State.NO_DATA if simple else State.ABSENT, dtype=np.int8)
        causes = np.zeros(size, dtype=np.int8)
        absent = result == ABSENT
        known = ~absent & (result != NO_DATA)
        gone = self._dropped(absent)
        born: list[int] = []
        position = 0
        while position < size and known[position:].any():
            birth = position + int(np.argmax(known[position:]))
            end = birth + int(np.argmax(gone[birth:])) if gone[birth:].any() else size
            states[birth:end], causes[birth:end] = self._life(ticks[birth:end], result[birth:end])
            states[end:] = State.ABSENT
            born.append(birth)
            position = end
        return states, causes, born

    def _dropped(self, absent: Flags) -> Flags:
        """Return where a group has not been common for the retention of groups (A39, rule 3.20)."""
        silence = self._since(absent)
        gone = absent & (silence >= min(RETENTIONS.values()))
        if gone.any():
            gone &= silence >= RETENTIONS[self.assumptions.group_retention]
        return gone

    def _since(self, flags: Flags, ticks: Instants | None = None) -> Instants:
        """Return for how many seconds a flag has been set."""
        ticks = self._ticks if ticks is None else ticks
        index = np.maximum.accumulate(np.where(flags, -1, np.arange(flags.size))) + 1
        since: Instants = ticks - ticks[np.minimum(index, max(flags.size - 1, 0))]
        return since

    def _life(self, ticks: Instants, result: Codes) -> tuple[Codes, Codes]:
        """Return the states from the first evaluation of a group until it is dropped. An undecided evaluation, and No
        Data that does not notify, keep the last state.
        """
        decided = result.copy()
        missing = result == NO_DATA
        causes = np.zeros(result.size, dtype=np.int8)
        if not self.monitor.notify_no_data:
            decided[missing] = ABSENT
        if (result == ABSENT).any() and self.assumptions.uncommon_group != Assumptions.uncommon_group.default:
            decided[result == ABSENT] = OK
        if self.monitor.timeout:
            late = missing & (self._since(missing, ticks) >= self.monitor.timeout)
            decided[late], causes[late] = OK, _TIMEOUT
        row = np.maximum.accumulate(np.where(decided != ABSENT, np.arange(decided.size), 0))
        return _CODES[decided[row]], causes

    def explain(self, group: Group, instant: int) -> Explanation:
        row = evaluation_row(self._ticks, self.groups, group, instant)
        timeline = self.timeline(group)
        tick = int(self._ticks[row])
        return Explanation(
            tick=tick,
            state=State(timeline.states[row]),
            value=np.nan,
            window=None,
            points=(),
            reasons=tuple(self._reasons(group, timeline, row)),
        )

    def _reasons(self, group: Group, timeline: GroupTimeline, row: int) -> Iterator[str]:
        tick = int(self._ticks[row])
        variables = self.variables(group, tick)
        for letter, own in self._groups[group].items():
            value = variables[f'{letter}.value']
            shown = '' if value is None else f', value {value!r}'
            name, status = self.members[letter].name, variables[f'{letter}.status']
            yield f'{letter} = {name}, {",".join(own) or "*"}: {status}{shown}'
        severities = {
            member.text: self._severities(letter, self._groups[group][letter])[row : row + 1]
            for letter, member in self.monitor.query.members.items()
        }
        if all(column[0] != ABSENT for column in severities.values()):
            result = int(combine(self.monitor.query.root, severities)[0])
            yield f'{self.expression} is {STATES[result]}'
            if result == NO_DATA and not self.monitor.notify_no_data:
                yield 'notify_no_data is false: No Data keeps the last state (rule 13.8)'
        else:
            yield 'a member does not have the group now: the state is kept (A39)'
        yield change(timeline, row)

    def _lettered(self, node: Node) -> str:
        return render(node, self._letters)

    def _warnings(self) -> Iterator[str]:
        query = self.monitor.query
        if query.bare_mix:
            yield f'&& and || are mixed without parentheses; read as {render(query.root)} (rule 13.2)'
        if self.monitor.notify_no_data and NO_DATA not in self._possible:
            yield (
                'it can never report No Data: no member that decides it leaves its last status when data stops; the '
                'members and the composite have to notify on missing data (rule 13.10)'
            )
        if not self._groups:
            yield f'{self.absence}; it can never trigger (rule 13.15)'
        for name, one in {member.name: member for member in self.members.values()}.items():
            if any(warning.startswith(MARK) for warning in one.evaluator.warnings):
                yield f'member {name} is approximate: its states are those of the default parameters'
        yield from self._incompatible_members()

    def _incompatible_members(self) -> Iterator[str]:
        """Return the members joined by `&&` of which some match on any point and others on every point (rule 2.6)."""
        kinds: dict[bool, list[tuple[str, MetricMonitor]]] = {}
        for letter, member in self.members.items():
            if isinstance(member.monitor, MetricMonitor) and member.monitor.query.aggregator in ('max', 'min'):
                upward = member.monitor.comparator.startswith('>')
                any_point = upward == (member.monitor.query.aggregator == 'max')
                kinds.setdefault(any_point, []).append((letter, member.monitor))
        if len(kinds) == 2 and any(isinstance(node, And) for node in _walk(self.monitor.query.root)):
            for letter, monitor in kinds[True]:
                other = 'min' if monitor.query.aggregator == 'max' else 'max'
                yield (
                    f'{letter} ({monitor.name}) holds as long as one point of the {monitor.query.window.words} '
                    f'does, and another member asks for every point; `{other}` would ask for every point here too '
                    '(rule 2.6)'
                )


def _walk(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Not(part=part):
            yield from _walk(part)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _walk(part)
