"""A second evaluator of formula monitors, from the text of rules 17.1 to 17.13 of the semantics.

A variable of metrics is evaluated as a query of its own by `evaluation`; one of events by the rules of `counted`. The
states of a group are those of `states.Group`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from oracle import counted, states
from oracle.arithmetic import aggregate, bound, combine
from oracle.counted import Event
from oracle.evaluation import Evaluation, MonitorQuery, Result, Windows
from oracle.queries import Binary, Leaf, Number, Query, Wrapped, leaves
from oracle.series import Source
from oracle.states import Group, History, Options


@dataclass(frozen=True)
class Name:
    """The name of a variable in a formula."""

    name: str

    def __str__(self) -> str:
        return self.name


# Name, Number, and Binary and Wrapped of such.
type Formula = Any


def names(formula: Formula) -> Iterator[str]:
    match formula:
        case Name(name=name):
            yield name
        case Binary(left=left, right=right):
            yield from names(left)
            yield from names(right)
        case Wrapped(query=inner):
            yield from names(inner)


def functions(formula: Formula) -> Iterator[str]:
    match formula:
        case Binary(sign=sign, left=left, right=right):
            yield sign
            yield from functions(left)
            yield from functions(right)
        case Wrapped(name=name, query=inner):
            yield name
            yield from functions(inner)


def filled_in(formula: Formula, queries: Mapping[str, Query]) -> Query:
    """The formula with the query of each variable in place of its name."""
    match formula:
        case Name(name=name):
            return queries[name]
        case Binary(sign=sign, left=left, right=right):
            return Binary(sign, filled_in(left, queries), filled_in(right, queries))
        case Wrapped(query=inner):
            return replace(formula, query=filled_in(inner, queries))
    assert isinstance(formula, Number)
    return formula


def computed(
    formula: Formula, values: Mapping[str, float | None], fills: bool, there: Collection[str] = ()
) -> float | None:
    """The formula of one number for each variable (rules 17.6, 17.7 and 17.10). `fills`: default_zero() gives 0.

    `there` are the variables with data, be it without a value (n/0).
    """
    match formula:
        case Name(name=name):
            return values[name]
        case Number(value=number):
            return number
        case Binary(sign=sign, left=left, right=right):
            return combine(sign, computed(left, values, fills, there), computed(right, values, fills, there))
        case Wrapped(name=name, query=inner, argument=argument):
            value = computed(inner, values, fills, there)
            if name == 'default_zero':
                return 0.0 if value is None and fills else value
            if name.startswith('clamp') and value is None:
                # Rule 20.5: a point without a value, such as n/0, gets one.
                return argument if present(inner, values, fills, there) else None
            return bound(name, value, argument)
    raise AssertionError(formula)


def present(formula: Formula, values: Mapping[str, float | None], fills: bool, there: Collection[str]) -> bool:
    """Whether there is a point, with or without a value (rule 20.5)."""
    match formula:
        case Name(name=name):
            return values[name] is not None or name in there
        case Binary(left=left, right=right):
            return present(left, values, fills, there) or present(right, values, fills, there)
        case Wrapped(name=name, query=inner):
            made = name == 'default_zero' and computed(formula, values, fills, there) is not None
            return made or present(inner, values, fills, there)
    return False


# Variables of metrics


@dataclass(frozen=True)
class Variable:
    """A metric query, and what reduces it over the window."""

    query: Query
    method: str


@dataclass(frozen=True)
class MetricFormula:
    """`rollup` None: each variable is reduced by its own method (A60)."""

    formula: Formula
    variables: Mapping[str, Variable]
    rollup: str | None
    minutes: int
    by: tuple[str, ...]
    options: Options
    choices: Mapping[str, str]
    sources: Sequence[Source]
    start: int
    end: int
    second: int

    @property
    def whole(self) -> MonitorQuery:
        """The formula as one query, computed per point and aggregated then."""
        queries = {name: one.query for name, one in self.variables.items()}
        return MonitorQuery(self.rollup or 'avg', self.minutes, 'm', filled_in(self.formula, queries))

    @property
    def reduces(self) -> bool:
        return self.rollup is None and self.choices['A60'] == 'reduce, then formula'

    def groups(self) -> dict[tuple[str, ...], list[Source]]:
        """The sources of each group: a query without groups is used for every group (rule 17.9)."""
        every = [leaf for name in names(self.formula) for leaf in leaves(self.variables[name].query)]
        metrics = {leaf.metric: leaf.by for leaf in every}
        used = [source for source in self.sources if source.metric in metrics and source.samples]
        if not self.by:
            return {(): used}
        found: dict[tuple[str, ...], list[Source]] = {}
        for source in used:
            if metrics[source.metric]:
                group = tuple(tag for key in self.by for tag in source.tags if tag.startswith(f'{key}:'))
                if len(group) == len(self.by):
                    found.setdefault(group, []).append(source)
        shared = [source for source in used if not metrics[source.metric]]
        return {group: [*own, *shared] for group, own in sorted(found.items())}

    def run(self) -> dict[tuple[str, ...], History]:
        return {
            group: _MetricGroup(self, sources).run(self.end, self.second) for group, sources in self.groups().items()
        }


class _MetricGroup(Group):
    def __init__(self, monitor: MetricFormula, sources: Sequence[Source]) -> None:
        self.monitor = monitor
        super().__init__(monitor.whole, monitor.options, sources, monitor.choices, monitor.start)
        self.multi = bool(monitor.by)
        self.forget()
        if not self.multi:
            self.state = 'No Data'

    def evaluation(self, query: MonitorQuery, tick: int) -> 'Evaluation':
        if not self.monitor.reduces:
            found = super().evaluation(query, tick)
            if self.monitor.rollup is None:
                # The other choice of A60: per point, whatever counts there are.
                found.counts_first = lambda: False  # type: ignore[method-assign]
            return found
        return _Reduction(self, tick)  # type: ignore[return-value]


class _Reduction:
    """Each variable over the window, then the formula (rule 17.6)."""

    def __init__(self, group: _MetricGroup, tick: int) -> None:
        monitor = group.monitor
        self.formula = monitor.formula
        self.each: dict[str, tuple[Variable, Evaluation]] = {}
        self.windows: dict[str, Windows] = {}
        for name in names(monitor.formula):
            variable = monitor.variables[name]
            method = variable.method if variable.method in ('avg', 'sum', 'min', 'max') else 'avg'
            query = MonitorQuery(method, monitor.minutes, 'm', variable.query)
            self.each[name] = variable, Group.evaluation(group, query, tick)

    def value(self, name: str) -> tuple[float | None, bool, bool]:
        """The reduced variable, whether its window has a point, and whether it has a value."""
        variable, evaluation = self.each[name]
        if evaluation.counts_first():
            windows = self.windows[name] = Windows(evaluation)
            value = windows.whole()
            points = windows.points
            return value, any(point.real for point in points), any(point.value is not None for point in points)
        series = evaluation.series(variable.query)
        points = sorted(evaluation.points(series), key=lambda point: point.instant)
        there = [(point.instant, point.value) for point in points if point.value is not None]
        real = any(point.real for point in points)
        values = [value for _, value in there]
        if not values:
            return None, real, False
        if variable.method == 'last':
            return values[-1], real, True
        if variable.method == 'l2norm':
            return sqrt(sum(value * value for value in values)), real, True
        return aggregate(variable.method, values), real, True

    def result(self) -> Result:
        found = {name: self.value(name) for name in self.each}
        some = any(there for _, _, there in found.values())
        values = {name: value for name, (value, _, _) in found.items()}
        if some:
            # Rule 2.13: a count that is missing is 0, unless nothing at all is there.
            for name, windows in self.windows.items():
                windows.zeros = True
                values[name] = windows.whole()
            for name, (variable, _) in self.each.items():
                if name in self.windows:
                    continue
                counts = all(leaf.counting == 'as_count' for leaf in leaves(variable.query))
                if values[name] is None and counts:
                    values[name] = 0.0
        evaluation = next(iter(self.each.values()))[1]
        there = {name for name, (_, _, one) in found.items() if one or (some and name in self.windows)}
        value = computed(self.formula, values, evaluation.end > evaluation.known, there)
        made = 'default_zero' in functions(self.formula)
        real = any(one for _, one, _ in found.values())
        return Result(value=value if some or made else None, empty=not real, real=real, full=True)

    def last(self) -> float | None:
        found = [evaluation.last() for _, evaluation in self.each.values()]
        return max((one for one in found if one is not None), default=None)


# Variables of events


@dataclass(frozen=True)
class EventVariable:
    """`only`: attributes that an event must have to be found. `keys` are (facet, limit)."""

    method: str
    measure: str | None
    only: Mapping[str, str]
    keys: tuple[tuple[str, int | None], ...]

    def finds(self, event: Event) -> bool:
        return all(event.value(key) == value for key, value in self.only.items())


@dataclass(frozen=True)
class EventFormula(counted.Counted):
    """`by` are the keys of the groups. Method and measure of the class are those of no variable."""

    formula: Formula
    variables: Mapping[str, EventVariable]

    def events_of(self, name: str, group: tuple[str, ...]) -> list[Event]:
        """The events of one variable in a group; all of them for a variable without groups (rule 17.9)."""
        variable = self.variables[name]
        mine = [event for event in self.events if variable.finds(event)]
        return [event for event in mine if self.group(event) == group] if variable.keys else mine

    def group(self, event: Event) -> tuple[str, ...] | None:
        values = [event.value(key) for key in self.by]
        return None if None in values else tuple(f'{k}:{v}' for k, v in zip(self.by, values, strict=True))

    def groups(self) -> dict[tuple[str, ...], list[Event]]:
        """The groups of all variables."""
        grouped = [one for name in names(self.formula) if (one := self.variables[name]).keys]
        if not grouped:
            return {(): []}
        found: dict[tuple[str, ...], list[Event]] = {}
        for event in self.events:
            group = self.group(event)
            if group is not None and any(one.finds(event) for one in grouped):
                found.setdefault(group, []).append(event)
        return dict(sorted(found.items()))

    def kept(self, name: str, group: tuple[str, ...], tick: int) -> bool:
        """Whether the limits keep a group at an evaluation (rules 15.6 and 17.12): the first key first."""
        variable = self.variables[name]
        every = self.inside([event for event in self.events if variable.finds(event)], tick)
        places = [self.by.index(key) for key, _ in variable.keys]
        for depth, (_, limit) in enumerate(variable.keys, 1):
            chosen = places[:depth]
            counts: dict[tuple[str, ...], int] = {}
            for event in every:
                other = self.group(event)
                if other is not None and all(other[place] == group[place] for place in chosen[:-1]):
                    prefix = tuple(other[place] for place in chosen)
                    counts[prefix] = counts.get(prefix, 0) + 1
            own = tuple(group[place] for place in chosen)
            order = sorted(counts, key=lambda prefix: (-counts[prefix], prefix))
            if own not in order[: limit or (5 if depth == 4 else 10)]:
                return False
        return True

    def number(self, variable: EventVariable, events: Sequence[Event]) -> float | None:
        return replace(self, method=variable.method, measure=variable.measure).rollup(events) if events else None

    def zero(self, variable: EventVariable) -> bool:
        return replace(self, method=variable.method).silence_is_zero

    def evaluated(self, group: tuple[str, ...], tick: int) -> tuple[float | None, bool, bool]:
        """The value of the formula, whether the group is silent, and whether it divides by 0 (rules 17.7 to 17.11)."""
        used = dict.fromkeys(names(self.formula))
        held: dict[str, list[Event]] = {}
        for name in used:
            variable = self.variables[name]
            events = self.inside(self.events_of(name, group), tick)
            held[name] = [] if variable.keys and events and not self.kept(name, group, tick) else events
        grouped = [name for name in used if self.variables[name].keys]
        silent = not any(held[name] for name in grouped or used)
        values: dict[str, float | None] = {}
        for name in used:
            variable = self.variables[name]
            values[name] = self.number(variable, held[name])
            if not held[name] and self.zero(variable) and (silent or not variable.keys):
                values[name] = 0.0
        value = computed(self.formula, values, True)
        divided = value is None and all(one is not None for one in values.values())
        if divided and self.choices['A61'] == '0':
            return 0.0, silent, False
        return value, silent, divided

    def run(self) -> dict[tuple[str, ...], History]:
        if self.folded and self.by:
            return {(): _FoldedGroup(self, ()).run(self.end, self.second)}
        return {group: _EventGroup(self, group).run(self.end, self.second) for group in self.groups()}


class _EventGroup(counted._Group):
    def __init__(self, monitor: EventFormula, group: tuple[str, ...]) -> None:
        self.own = group
        self.formula = monitor
        self.of_silence: float | None = None
        used = dict.fromkeys(names(monitor.formula))
        events = [event for name in used if monitor.variables[name].keys for event in monitor.events_of(name, group)]
        super().__init__(monitor, events)

    def evaluation(self, query: MonitorQuery, tick: int) -> counted._Evaluation:  # type: ignore[override]
        value, self.silent, divided = self.formula.evaluated(self.own, tick)
        return counted._Evaluation(self.judged_formula(value, divided, tick))

    def judged_formula(self, value: float | None, divided: bool, tick: int) -> Result:
        cancelled = Result(value=None, empty=False, real=True, full=True)
        monitor = self.formula
        if self.multi and self.silent and monitor.below and self.choices['A50'] != '0 is compared':
            # Rules 15.8 and 15.9.
            if not all(monitor.evaluated(group, tick)[1] for group in monitor.groups()):
                return cancelled
        if divided and not self.silent:
            return cancelled
        answered = not self.silent or self.options.missing == 'default' or self.zero()
        value = value if answered else None
        self.of_silence = value if self.multi and self.silent else None
        if self.of_silence is not None:
            # A group without events does not report by being 0.
            return Result(value=None, empty=True, real=True, full=True)
        return Result(value=value, empty=value is None, real=True, full=True)

    def zero(self) -> bool:
        return 'default_zero' in functions(self.formula.formula)

    def missing(self, tick: int, evaluation: Evaluation) -> tuple[str, float | None, str]:
        if self.of_silence is not None:
            return self.compared(self.of_silence, self.of_silence), self.of_silence, 'data'
        self.zero, self.counts = lambda: False, lambda: False  # type: ignore[method-assign]
        try:
            return super().missing(tick, evaluation)
        finally:
            del self.zero, self.counts


class _FoldedGroup(_EventGroup):
    def evaluation(self, query: MonitorQuery, tick: int) -> counted._Evaluation:  # type: ignore[override]
        monitor = self.formula
        found = [monitor.evaluated(group, tick) for group in monitor.groups()]
        self.silent = all(silent for _, silent, _ in found)
        there = [value for value, silent, _ in found if not silent and value is not None]
        worst = (min if monitor.below else max)(there) if there else None
        return counted._Evaluation(self.judged_formula(0.0 if self.silent else worst, False, tick))


__all__ = ['EventFormula', 'EventVariable', 'Leaf', 'MetricFormula', 'Name', 'Options', 'Variable', 'states']
