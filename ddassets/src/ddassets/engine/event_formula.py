"""Formula monitors over logs, events, spans and the like: each variable counts what its search finds (section 17)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property

import numpy as np

from ddassets.assets.variable_table import EventVariable, GroupBy
from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Flags, Floats, Indices
from ddassets.engine.computation import compute
from ddassets.engine.counted import CountedEvaluator, CountedMonitor, EventMonitor
from ddassets.engine.events import EventColumn, Events
from ddassets.engine.explanation import Explanation, evaluation_row, number_or_nothing, reasons
from ddassets.engine.independent import run_independently
from ddassets.engine.plan import Difference, Earlier, Filled, Leaf, Moving, Node, Ranking, Reduced, Smoothed, walk
from ddassets.engine.planner import formula_node
from ddassets.engine.ranking import kept
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.engine.state_machine import Evaluations, Rules, known_since, run
from ddassets.engine.timeline import Group, GroupTimeline
from ddassets.language.counted import PRODUCTS, CountedQuery
from ddassets.language.formula import EVENTS, substituted
from ddassets.language.query import tree
from ddassets.language.query.printing import render
from ddassets.language.query.tree import Comparator, MonitorQuery
from ddassets.language.search import parse_search

# Rule 15.6: how many values of each key are kept where group_by names no limit; of the fourth key 5.
_LIMIT, _FOURTH = 10, 5
#: The functions that a formula over events may contain: those of a single value.
FUNCTIONS = (
    *('abs', 'log2', 'log10', 'clamp_min', 'clamp_max', 'cutoff_min', 'cutoff_max'),
    *('default_zero', 'default', 'exclude_null'),
)


@dataclass(frozen=True)
class FormulaMonitor(EventMonitor):
    """A formula over event variables. `variables` are those that it uses, `first` is the first of the list (17.13).

    `by` are the keys of the groups. `folded`: all groups share one alert.
    """

    query: MonitorQuery
    _: KW_ONLY
    names: tuple[str, ...] = ()
    queries: tuple[EventVariable, ...] = ()
    by: tuple[str, ...] = ()

    @property
    def comparator(self) -> Comparator:
        return self.query.comparator

    @property
    def legend(self) -> str:
        return ', '.join(f'{one.name} is {computed(one)}' for one in self.used)

    @property
    def window(self) -> int:
        return self.query.window.seconds

    @property
    def first(self) -> EventVariable:
        """The first variable of the list, whose events fill the variables of a message (rule 17.13)."""
        return self.queries[0]

    @property
    def used(self) -> tuple[EventVariable, ...]:
        return tuple(one for one in self.queries if one.name in self.names)

    def varies(self, name: str) -> bool:
        return super().varies(name) or name.partition('.')[0] in PRODUCTS.values()


def product(variable: EventVariable) -> str:
    """Return the product of a variable's events in a scenario."""
    return EVENTS[variable.data_source][0]


def check_functions(query: MonitorQuery, name: str) -> None:
    """Refuse functions that need points: a variable of events is one number for each window (rule 17.7)."""
    for node in tree.walk(query.expression):
        if isinstance(node, tree.Call) and node.name not in FUNCTIONS:
            reason = f'over events is not evaluated, only {", ".join(FUNCTIONS)}'
            raise Unsupported(f'{node.name}()', node.span.start + 1, reason, name)


@dataclass
class _Values:
    """The values of the variables at each tick."""

    variables: Mapping[str, Floats]
    bucket = 1
    pointwise = False

    def given(self, node: Node) -> Floats | None:
        return self.variables[node.name] if isinstance(node, Reduced) else None

    def filled(self, node: Filled, values: Floats) -> Floats:
        return np.where(np.isnan(values), node.value, values)

    def present(self, leaf: Leaf) -> Flags:
        raise AssertionError('every variable is given')

    def difference(self, node: Difference, values: Floats) -> Floats:
        raise AssertionError('refused')

    def earlier(self, node: Earlier | Moving | Smoothed) -> Floats:
        raise AssertionError('refused')


class FormulaEvaluator:
    """Evaluates a formula over event variables group by group.

    `assumptions` records those that the groups evaluated so far relied on. `warnings` are sentences.
    """

    def __init__(
        self,
        monitor: FormulaMonitor,
        events: Sequence[Events],
        start: int,
        end: int,
        tick_second: int = 0,
        assumptions: Assumptions | None = None,
    ) -> None:
        self.assumptions = Assumptions() if assumptions is None else assumptions
        self.monitor = monitor
        self.start = start
        self.end = end
        chosen = chosen_events(monitor, events)
        self._parts = {
            one.name: CountedEvaluator(
                self._counted(one), chosen[one.name], start, end, tick_second, self.assumptions, quiet=True
            )
            for one in monitor.queries
        }
        self._ticks = self._parts[monitor.first.name].ticks
        self._grouped = [one for one in monitor.used if one.group_by]
        self._node = _node(monitor, self.assumptions)
        self._fills = any(isinstance(node, Filled) and node.name != 'gap' for node in walk(self._node))
        self._kept = {one.name: self._top(one) for one in self._grouped}
        self.warnings = tuple(self._warnings(chosen))

    def _counted(self, variable: EventVariable) -> CountedMonitor:
        """Return the monitor of one variable alone."""
        query = CountedQuery(
            product=product(variable),
            search=variable.search.query,
            method=variable.compute.aggregation,
            measure=variable.compute.metric,
            by=self.monitor.by if variable.group_by else (),
            window=self.monitor.window,
            comparator=self.monitor.comparator,
            threshold=self.monitor.thresholds.critical,
        )
        own = self.monitor
        return CountedMonitor(
            own.name, own.thresholds, query, evaluation_delay=own.evaluation_delay, schedule=own.schedule
        )

    def _top(self, variable: EventVariable) -> Mapping[Group, Flags]:
        """Return at which evaluations the limits of a variable keep each group; empty if they keep all (17.12)."""
        part = self._parts[variable.name]
        by_facet = {one.facet: one for one in variable.group_by}
        levels = [by_facet[key] for key in self.monitor.by]
        order = [self.monitor.by.index(one.facet) for one in variable.group_by]
        found: dict[Group, Flags] = {}
        for depth in range(1, len(order) + 1):
            level = levels[order[depth - 1]]
            limit = level.limit or (_FOURTH if depth == 4 else _LIMIT)
            families: dict[Group, dict[Group, list[Group]]] = {}
            for group in part.groups:
                prefix = tuple(group[place] for place in order[:depth])
                families.setdefault(prefix[:-1], {}).setdefault(prefix, []).append(group)
            for members in families.values():
                if len(members) <= limit:
                    continue
                self.assumptions.rely_on(Assumptions.top_groups)
                scores = [self._score(part, level, groups) for groups in members.values()]
                ranking = Ranking(limit, 'sum', level.sort.order == 'desc')
                for groups, flags in zip(members.values(), kept(ranking, scores), strict=True):
                    for group in groups:
                        found[group] = found[group] & flags if group in found else flags
        return found

    def _score(self, part: CountedEvaluator, level: GroupBy, groups: Sequence[Group]) -> Floats:
        """Return what ranks a value of a key at each tick, NaN where it has no event in the window."""
        column = EventColumn([one for group in groups for one in part.events_of(group)], level.sort.metric)
        start, end = part.ranges(column, self._ticks)
        return np.where(column.count(start, end) > 0, column.reduce(level.sort.aggregation, start, end), np.nan)

    def _warnings(self, chosen: Mapping[str, Sequence[Events]]) -> Iterator[str]:
        if self.monitor.schedule is not None:
            yield from self.monitor.schedule.warnings(self._ticks)
        for one in self.monitor.used:
            what = f'the search {one.search.query!r} of {one.name}'
            if not chosen[one.name]:
                yield f'{what} finds no event of {product(one)} in the scenario'
        for one in self._grouped:
            if self._kept[one.name]:
                yield f'the limits of {one.name} do not keep all groups at every evaluation (rule 17.12, A48)'
            lacking = sorted({*self._groups} - {*self._parts[one.name].groups})
            if lacking and chosen[one.name] and not self._fills:
                first, others = ','.join(lacking[0]), len(lacking) - 1
                more = f' and {others} more' if others else ''
                yield (
                    f'{one.name} has no event for {first}{more}, so the formula has no result there (rule 17.10); '
                    f'default_zero({one.name}) takes 0'
                )

    @property
    def ticks(self) -> Indices:
        return self._ticks

    @property
    def by(self) -> tuple[str, ...]:
        return () if self.monitor.folded else self.monitor.by

    @cached_property
    def _groups(self) -> tuple[Group, ...]:
        if not self._grouped:
            return ((),)
        return tuple(sorted({group for one in self._grouped for group in self._parts[one.name].groups}))

    @property
    def groups(self) -> tuple[Group, ...]:
        return ((),) if self.monitor.folded else self._groups

    @property
    def absence(self) -> str:
        """A clause that says why there is no group."""
        return self._parts[self._grouped[0].name].absence

    def series(self, group: Group) -> Iterator[Series]:
        found: dict[int, Series] = {}
        for part in self._of(group):
            for member in part.groups if self.monitor.folded else (group if group in part.groups else (),):
                found |= {id(one): one for one in part.series(member)}
        return iter(found.values())

    def _of(self, group: Group) -> Iterator[CountedEvaluator]:
        """Yield the parts of the used variables that have events of a group, or no groups."""
        for one in self.monitor.used:
            part = self._parts[one.name]
            if not one.group_by or self.monitor.folded or group in part.groups:
                yield part

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        """The variables of the newest event of the first variable (rules 15.12 and 17.13)."""
        part = self._parts[self.monitor.first.name]
        return part.variables(group if group in part.groups else (), instant)

    def timeline(self, group: Group) -> GroupTimeline:
        """Evaluate one group."""
        evaluations = self._folded() if self.monitor.folded else self._evaluations(group)
        rules = Rules(self.monitor, self.monitor.window, self.assumptions, fills=self._fills)
        if self.monitor.scheduled:
            columns = run_independently(rules, evaluations, not group, self._seen(group))
        else:
            columns = run(rules, evaluations, not group, lambda found: self._known_since(group, found))
        return GroupTimeline(
            group=group,
            tags=frozenset(group),
            ticks=self._ticks,
            values=columns.values,
            states=columns.states,
            transitions=columns.transitions,
            end=self.end,
            silent_no_data=self.monitor.silent_no_data,
        )

    def explain(self, group: Group, instant: int) -> Explanation:
        """Explain the state of a group at an instant. Raises UnusableInputError before the first evaluation."""
        row = evaluation_row(self._ticks, self.groups, group, instant)
        timeline = self.timeline(group)
        tick, value = int(self._ticks[row]), float(timeline.values[row])
        to = tick - self.monitor.evaluation_delay
        points, said = [], []
        for one in self.monitor.used:
            part = self._parts[one.name]
            member = group if group in part.groups else ()
            if member in part.groups or not one.group_by:
                points += [(one.name, at, number) for _, at, number in part.points(member, row)]
            if not self.monitor.folded:
                result = self._results(group)[0][one.name][row]
                said.append(f'{one.name} is {number_or_nothing(result)}: {computed(one)}')
        if not self.monitor.folded:
            said.append(f'{render(self.monitor.query.expression)} is {number_or_nothing(self._results(group)[1][row])}')
        return Explanation(
            tick=tick,
            state=State(timeline.states[row]),
            value=value,
            window=(to - self.monitor.window, to),
            points=tuple(sorted(points, key=lambda point: (point[0], point[1]))),
            reasons=(*said, *reasons(self.monitor, timeline, row, value)),
        )

    def _results(self, group: Group) -> tuple[Mapping[str, Floats], Floats, Flags]:
        """Return each variable and the formula at each tick, and where the group has no event (rule 17.7)."""
        values: dict[str, Floats] = {}
        absent: dict[str, Flags] = {}
        for one in self.monitor.used:
            part = self._parts[one.name]
            member = group if one.group_by else ()
            if member not in part.groups:
                values[one.name] = np.full(self._ticks.size, np.nan)
                absent[one.name] = np.ones(self._ticks.size, dtype=np.bool_)
                continue
            found, empty = part.values(member)
            dropped = ~self._kept[one.name][group] if one.group_by and group in self._kept[one.name] else np.False_
            absent[one.name] = empty | dropped
            values[one.name] = np.where(absent[one.name], np.nan, found)
        deciding = self._grouped or self.monitor.used
        silent: Flags = np.logical_and.reduce([absent[one.name] for one in deciding])
        for one in self.monitor.used:
            # Rule 17.10: a group that only another variable has is missing; without groups no event is 0.
            zero = absent[one.name] & (silent if one.group_by else np.True_)
            if zero.any() and self._counts(one):
                values[one.name] = np.where(zero, 0.0, values[one.name])
        result = compute(self._node, _Values(values))
        return values, np.broadcast_to(result, self._ticks.shape), silent

    def _counts(self, variable: EventVariable) -> bool:
        """Whether no event is 0 (rule 15.7, A49)."""
        if variable.compute.aggregation == 'cardinality':
            return self.assumptions.cardinality_counts == 'yes'
        return variable.compute.aggregation == 'count'

    def _evaluations(self, group: Group) -> Evaluations:
        variables, values, silent = self._results(group)
        there = np.logical_and.reduce([~np.isnan(one) for one in variables.values()])
        divided = there & np.isnan(values)
        if divided.any() and self.assumptions.event_ratio == '0':
            values, divided = np.where(divided, 0.0, values), np.zeros_like(divided)
        cancelled = divided & ~silent
        if group and self.monitor.below and silent.any():
            # Rule 15.8: a silent group is not evaluated while another has events.
            self.assumptions.rely_on(Assumptions.silent_group)
            if self.assumptions.peek(Assumptions.silent_group) != '0 is compared':
                cancelled = cancelled | (silent & ~self._all_silent)
        blank = silent if group else np.zeros_like(silent)
        return self._columns_of(values, silent, cancelled, blank)

    def _columns_of(self, values: Floats, silent: Flags, cancelled: Flags, blank: Flags) -> Evaluations:
        # Without events, counts are 0 by `default` alone (rule 15.7); default_zero() gives a value in any case.
        answered = ~silent | (self.monitor.on_missing_data == 'default') | self._fills
        valued = ~np.isnan(values) & answered & ~cancelled
        return Evaluations(
            ticks=self._ticks,
            values=values,
            recovery=values,
            valued=valued,
            empty=~valued & ~cancelled,
            zero=np.zeros_like(silent),
            blank=blank,
            last=np.full(values.size, np.nan),
        )

    @cached_property
    def _all_silent(self) -> Flags:
        """Return the windows without events of any group."""
        silent: Flags = np.logical_and.reduce([self._results(group)[2] for group in self._groups])
        return silent

    def _folded(self) -> Evaluations:
        """Return the worst value of all groups at each evaluation (rule 15.18)."""
        worst = np.fmin if self.monitor.below else np.fmax
        values = np.full(self._ticks.size, np.nan)
        silent = np.ones(self._ticks.size, dtype=np.bool_)
        for group in self._groups:
            _, found, nothing = self._results(group)
            values = worst(values, np.where(nothing, np.nan, found))
            silent &= nothing
        none = np.zeros_like(silent)
        return self._columns_of(np.where(silent, 0.0, values), silent, none, none)

    def _seen(self, group: Group) -> Floats:
        """Return from when each event of a group can be in an evaluated window, in order."""
        parts = self._grouped or self.monitor.used
        times = [self._parts[one.name].times(group) for one in parts]
        return np.sort(np.concatenate(times)) + self.monitor.evaluation_delay

    def _known_since(self, group: Group, found: int) -> float:
        """Return since when a group exists that an evaluation sees for the first time, at `found`."""
        seen = self._seen(group)
        return known_since(np.append(seen[seen <= self._ticks[0]], found))


def formula_values(monitor: FormulaMonitor, variables: Mapping[str, Floats], assumptions: Assumptions) -> Floats:
    """Return the formula of given values of its variables."""
    size = next(iter(variables.values())).shape
    return np.broadcast_to(compute(_node(monitor, assumptions), _Values(variables)), size)


def _node(monitor: FormulaMonitor, assumptions: Assumptions) -> Node:
    """Return the formula as a node; the values of its variables are given."""

    def variable(reference: tree.Reference) -> tree.Variable:
        span = reference.span
        return tree.Variable(reference.name, tree.Number(0.0, span=span), 'sum', span=span)

    return formula_node(substituted(monitor.query, variable), assumptions)


def computed(variable: EventVariable) -> str:
    """Describe what a variable computes."""
    measure = f' of {variable.compute.metric}' if variable.compute.metric else ''
    return f'{variable.compute.aggregation}{measure} of {product(variable)} found by {variable.search.query!r}'


def chosen_events(monitor: FormulaMonitor, events: Sequence[Events]) -> dict[str, list[Events]]:
    """Return the events of each variable (rule 15.17).

    An entry may name its variables. Otherwise the searches are run where variables of one product have different
    ones. Raises UnusableInputError for a search that cannot be run.
    """
    found: dict[str, list[Events]] = {}
    for one in monitor.queries:
        products = EVENTS[one.data_source]
        mine = [entry for entry in events if entry.product in products and entry.monitor in (None, monitor.name)]
        rivals = {
            (other.search.query, other.indexes) for other in monitor.queries if EVENTS[other.data_source] == products
        }
        search = parse_search(one.search.query)
        found[one.name] = []
        for entry in mine:
            if entry.variables_of is not None:
                matches = one.name in entry.variables_of
            elif len(rivals) == 1:
                matches = True
            elif search is None and one not in (*monitor.used, monitor.first):
                matches = False
            elif search is None or len({query for query, _ in rivals}) < len(rivals):
                raise UnusableInputError(
                    f'the search {one.search.query!r} of {one.name} cannot be run: name the variables of each entry of '
                    f'events in the scenario, as in `variables: [{one.name}]` (rule 15.17)'
                )
            else:
                matches = search.matches(entry.texts)
            if matches:
                found[one.name].append(replace(entry, product=products[0]))
    return found
