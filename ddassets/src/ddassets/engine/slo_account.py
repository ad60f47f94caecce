"""What an SLO counts: good and total events, minutes or slices of time, of each group (rules 18.10 to 18.16)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, reduce
from math import lcm

import numpy as np

from ddassets.assets.slo import Slo
from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine import exact
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Flags, Floats, Indices, ranks
from ddassets.engine.evaluator import group_series
from ddassets.engine.exact import Whole
from ddassets.engine.graph import points
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.plan import Arithmetic, Constant, Filled, Leaf, Node, Plan, Pointwise, rebuilt
from ddassets.engine.planner import graph_plan
from ddassets.engine.protocol import Evaluator
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state import State
from ddassets.engine.timeline import Group, GroupTimeline
from ddassets.language.query import tree
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.syntax import parse_query
from ddassets.nearest import listed
from ddassets.regex import regex

#: Half-open intervals in seconds.
type Intervals = Sequence[tuple[int, int]]

_MINUTE = 60
_NAME = regex(r'[A-Za-z_]\w*')


@dataclass(frozen=True)
class Before:
    """What an SLO had counted before its data begin (rule 18.20). `group` None: in every group."""

    good: float
    total: float
    group: str | None = None


@dataclass(frozen=True)
class Member:
    """A monitor of a monitor-based SLO, evaluated from the beginning of the first window on."""

    name: str
    monitor: AnyMonitor
    evaluator: Evaluator


@dataclass(frozen=True)
class Subject:
    """The SLO of an alert with all that a scenario adds. `members` evaluates its monitors from an instant on."""

    slo: Slo
    members: Callable[[int], Sequence[Member]]
    corrections: Intervals = ()
    before: Sequence[Before] = ()


@dataclass(frozen=True, eq=False)
class Entries:
    """Amounts at rising instants. Each is `values` times `factor`; `arrivals` as in `Series`."""

    times: Floats
    values: Floats
    factor: Fraction = Fraction(1)
    arrivals: Floats | None = None


@dataclass(frozen=True, eq=False)
class Account:
    """The bad and the total amounts of one group. `begin`: since when they are known; `step`: the seconds of one.

    `before` is (bad, total) of the time before. `parts` are the bad amounts by what is bad, for explanations.
    """

    bad: Sequence[Entries]
    total: Sequence[Entries]
    begin: float
    step: int
    series: Sequence[Series] = ()
    before: tuple[Fraction, Fraction] | None = None
    parts: Mapping[str, Sequence[Entries]] = field(default_factory=dict)

    @cached_property
    def _unit(self) -> tuple[int, int]:
        """Decimals of the values, and the common denominator of the factors."""
        entries = [*self.bad, *self.total]
        decimals = max((exact.places(one.values) for one in entries), default=0)
        shares = [one.factor.denominator for one in entries]
        for amount in self.before or ():
            shares.append((amount * 10**decimals).denominator)
        return decimals, lcm(*shares)

    @cached_property
    def _sums(self) -> tuple[Sequence[Whole], Sequence[Whole]]:
        decimals, share = self._unit
        bad, total = (
            [exact.running(exact.times(exact.whole(one.values, decimals), int(one.factor * share))) for one in side]
            for side in (self.bad, self.total)
        )
        return bad, total

    def within(self, ticks: Indices, delay: int, window: int) -> tuple[Whole, Whole]:
        """Return the bad and the total amount of each window (t-d-w, t-d], in a common unit (rule 18.20)."""
        to = ticks - delay
        bad, total = (
            reduce(exact.plus, [_summed(one, sums, ticks, to, window) for one, sums in zip(side, each, strict=True)])
            if side
            else np.zeros(ticks.size, dtype=np.int64)
            for side, each in zip((self.bad, self.total), self._sums, strict=True)
        )
        if self.before is not None:
            decimals, share = self._unit
            reaches = self.lacks(to - window)
            amounts = [int(amount * 10**decimals * share) for amount in self.before]
            added = [np.where(reaches, np.array(amount, dtype=object), 0) for amount in amounts]
            bad, total = exact.plus(bad.astype(object), added[0]), exact.plus(total.astype(object), added[1])
        return bad, total

    def bad_points(self, start: int, end: int, label: str) -> Iterator[tuple[str, float, float]]:
        """Yield what is bad at the instants in (start, end], and how much; `label` is for a single part."""
        for name, entries in (self.parts or {label: self.bad}).items():
            times = np.concatenate([np.empty(0), *(one.times for one in entries)])
            values = np.concatenate([np.empty(0), *(one.values * float(one.factor) for one in entries)])
            inside = (times > start) & (times <= end)
            instants, index = np.unique(times[inside], return_inverse=True)
            amounts = np.zeros(instants.size)
            np.add.at(amounts, index, values[inside])
            yield from ((name, time, amount) for time, amount in zip(instants, amounts, strict=True) if amount)

    def lacks(self, starts: Indices) -> Flags:
        """Whether windows begin before the data do."""
        return np.asarray(starts + self.step < self.begin)


def _summed(entries: Entries, sums: Whole, ticks: Indices, to: Indices, window: int) -> Whole:
    lower, upper = ranks(entries.times, to - window, 'right'), ranks(entries.times, to, 'right')
    if entries.arrivals is not None:
        upper = np.minimum(upper, ranks(entries.arrivals, ticks, 'right'))
    found: Whole = sums[upper] - sums[np.minimum(lower, upper)]
    return found


def accounts(
    subject: Subject, store: SeriesSet, by: Sequence[str], ticks: Indices, reach: int, assumptions: Assumptions
) -> dict[Group, Account]:
    """Return the account of each group, or of all together under `()` without `by`.

    `reach`: how many seconds before an evaluation its longest window begins. Raises Unsupported and UnusableInputError.
    """
    kinds = {'metric': _metric, 'monitor': _monitor, 'time_slice': _time_slice}
    found = kinds[subject.slo.type](_Task(subject, store, tuple(by), ticks, reach, assumptions))
    return {group: _with_before(account, group, subject.before) for group, account in sorted(found.items())}


@dataclass(frozen=True)
class _Task:
    subject: Subject
    store: SeriesSet
    by: tuple[str, ...]
    ticks: Indices
    reach: int
    assumptions: Assumptions

    @property
    def name(self) -> str:
        return self.subject.slo.name or self.subject.slo.id

    def corrected(self, times: Floats) -> Flags:
        """Whether instants lie in a correction (rule 18.15)."""
        found = np.zeros(times.size, dtype=np.bool_)
        for start, end in self.subject.corrections:
            found |= (times >= start) & (times < end)
        return found

    def refuse(self, place: str, reason: str) -> Unsupported:
        return Unsupported(f'SLO {self.name}', None, f'{place}: {reason}')


def _with_before(account: Account, group: Group, before: Sequence[Before]) -> Account:
    name = ','.join(group) or '*'
    for one in before:
        if one.group in (None, name):
            good, total = Fraction(repr(one.good)), Fraction(repr(one.total))
            return replace(account, before=(total - good, total))
    return account


# Metric-based (rule 18.10)


@dataclass(frozen=True)
class Term:
    """A query in a sum, with its factor."""

    factor: Fraction
    leaf: Leaf


def counted_terms(subject: Subject, assumptions: Assumptions) -> tuple[Sequence[Term], Sequence[Term]]:
    """Return the queries of the bad and of the total events of a metric SLO. Raises Unsupported."""
    return _both(_Task(subject, SeriesSet([]), (), np.empty(0, dtype=np.int64), 0, assumptions))


def _both(task: _Task) -> tuple[Sequence[Term], Sequence[Term]]:
    texts = _texts(task)
    sides = {key: _counted_terms(task, place, text) for key, (place, text) in texts.items()}
    keys = {frozenset(term.leaf.by) for terms in sides.values() for term in terms}
    if len(keys) > 1:
        raise task.refuse('its queries', 'group all by the same keys')
    good, total = sides['good'], sides.get('total')
    # Of good and bad events, both together are the total.
    bad = sides['bad'] if total is None else [*total, *(Term(-term.factor, term.leaf) for term in good)]
    return bad, [*good, *bad] if total is None else total


def _metric(task: _Task) -> dict[Group, Account]:
    bad, total = _both(task)
    _check_keys(task, frozenset(total[0].leaf.by if total else ()))
    found = {leaf: _by_group(task, leaf) for leaf in dict.fromkeys(term.leaf for term in (*bad, *total))}
    groups = dict.fromkeys(group for term in total for group in found[term.leaf]) if task.by else [()]
    return {
        group: _counted_account(task, bad, total, {leaf: each.get(group, []) for leaf, each in found.items()})
        for group in groups
    }


def _check_keys(task: _Task, keys: frozenset[str]) -> None:
    if unknown := [key for key in task.by if key not in keys]:
        found = listed(sorted(keys)) if keys else 'nothing'
        raise task.refuse('.by()', f'its queries group by {found}, not by {unknown[0]}')


def _counted_account(
    task: _Task, bad: Sequence[Term], total: Sequence[Term], found: Mapping[Leaf, Sequence[Series]]
) -> Account:
    """Return the account of a group from the series of each query in it."""
    all_series = [series for each in found.values() for series in each]
    counted = [series for term in total for series in found[term.leaf] if len(series)]
    return Account(
        bad=[_entries(task, term, series) for term in bad for series in found[term.leaf]],
        total=[_entries(task, term, series) for term in total for series in found[term.leaf]],
        begin=min((float(series.times[0]) for series in counted), default=np.inf),
        step=max((series.interval for series in counted), default=_MINUTE),
        series=list(dict.fromkeys(all_series)),
    )


def _texts(task: _Task) -> dict[str, tuple[str, str]]:
    """Return the place and the text of the queries for the good, and the total or the bad events."""
    fields = task.subject.slo.fields
    if fields.query:
        return {
            'good': ('query.numerator', fields.query.numerator),
            'total': ('query.denominator', fields.query.denominator),
        }
    count = task.subject.slo.count
    assert count is not None
    queries = {query.name: query.query for query in count.queries}
    formulas = {
        'good': ('good_events_formula', count.good_events_formula),
        'bad': ('bad_events_formula', count.bad_events_formula),
        'total': ('total_events_formula', count.total_events_formula),
    }
    return {
        key: (f'sli_specification.count.{place}', inserted(formula.formula, queries))
        for key, (place, formula) in formulas.items()
        if formula is not None
    }


def inserted(formula: str, queries: Mapping[str, str]) -> str:
    """Return a formula with the text of each query in place of its name.

    >>> inserted('ok + a', {'a': 'sum:m{*}', 'ok': 'sum:n{*}'})
    '(sum:n{*}) + (sum:m{*})'
    """
    return _NAME.sub(lambda name: f'({queries[name[0]]})' if name[0] in queries else name[0], formula)


def _plan(task: _Task, place: str, text: str) -> Plan:
    try:
        expression = parse_query(text)
    except QuerySyntaxError as error:
        raise task.refuse(place, error.message) from None
    for part in tree.walk(expression):
        if isinstance(part, tree.TemplateVariable):
            raise task.refuse(place, f'${part.name} is a template variable, which only dashboards have')
    try:
        return graph_plan(expression, task.assumptions)
    except Unsupported as error:
        raise task.refuse(place, str(error)) from None


def _counted_terms(task: _Task, place: str, text: str) -> list[Term]:
    return [*_terms(task, place, _plan(task, place, text).expression, Fraction(1))]


def _terms(task: _Task, place: str, node: Node, factor: Fraction) -> Iterator[Term]:
    """Yield the queries of a sum. Raises Unsupported for what is not the same summed before and after."""
    match node:
        case Leaf():
            _check_leaf(task, place, node)
            yield Term(factor, node)
        case Arithmetic(operator='+' | '-' as operator, left=left, right=right):
            yield from _terms(task, place, left, factor)
            yield from _terms(task, place, right, factor if operator == '+' else -factor)
        case Arithmetic(operator='*', left=Constant(value=value), right=operand):
            yield from _terms(task, place, operand, factor * Fraction(repr(value)))
        case Arithmetic(operator='*', left=operand, right=Constant(value=value)):
            yield from _terms(task, place, operand, factor * Fraction(repr(value)))
        case Arithmetic(operator='/', left=operand, right=Constant(value=value)) if value:
            yield from _terms(task, place, operand, factor / Fraction(repr(value)))
        case Pointwise(name='negative', operand=operand):
            yield from _terms(task, place, operand, -factor)
        case Filled(value=0.0, operand=operand):
            # A count that is missing adds nothing.
            yield from _terms(task, place, operand, factor)
        case _:
            raise task.refuse(place, 'expected a sum of queries of counts, each with a factor at most')


def _check_leaf(task: _Task, place: str, leaf: Leaf) -> None:
    name = leaf.metric.name
    if leaf.space not in ('sum', 'count') or leaf.method not in (None, 'sum'):
        raise task.refuse(
            place, f'{name}: good and total events are sums (rule 18.10), not {leaf.method or leaf.space}'
        )
    if leaf.counting == 'as_rate':
        raise task.refuse(place, f'{name}: expected .as_count(), found .as_rate()')
    filled = leaf.fill is not None and leaf.fill.method not in ('zero', 'null')
    if leaf.differences or leaf.shift or leaf.calendar or leaf.aligned or leaf.weighted or leaf.group or filled:
        raise task.refuse(place, f'{name}: functions and modifiers other than .as_count() and .rollup(sum, n)')


def _by_group(task: _Task, leaf: Leaf) -> dict[Group, list[Series]]:
    """Return the series of a query by the groups of the alert; a series without a key of the query is in none."""
    found: dict[Group, list[Series]] = {}
    for each in group_series(Plan('sum', 0, leaf, leaf.by), task.store).values():
        for series in each.get(leaf, ()):
            if (group := series.group(task.by)) is not None:
                found.setdefault(group, []).append(series)
    return found


def _entries(task: _Task, term: Term, series: Series) -> Entries:
    if series.kind == 'gauge' or (series.kind == 'distribution' and term.leaf.space != 'count'):
        reason = f'{series.metric} is a {series.kind}: expected a count or a rate (rule 18.10)'
        raise task.refuse('its queries', reason)
    if series.kind == 'distribution':
        series = series.counted()
    # Rule 2.14: a rate times the seconds between its points is a count.
    factor = term.factor * (series.interval if series.kind == 'rate' else 1)
    times, values, arrivals = series.times, series.values, series.arrivals
    if task.subject.corrections:
        left = ~task.corrected(times)
        times, values, arrivals = times[left], values[left], None if arrivals is None else arrivals[left]
    if term.leaf.bucket:
        # A bucket counts by its start, but not with samples that are still to come.
        arrivals = times if arrivals is None else arrivals
        times = np.floor(times / term.leaf.bucket) * term.leaf.bucket
    return Entries(times, values, factor, arrivals)


# Monitor-based (rules 18.11 and 18.12)


def _monitor(task: _Task) -> dict[Group, Account]:
    first = int(task.ticks[0]) - task.reach if task.ticks.size else 0
    members = task.subject.members(first)
    earliest = min(map(_begin, members), default=np.inf)
    if earliest < first:
        # A status may be older than the first window.
        members = task.subject.members(int(earliest))
    series = [one for member in members for group in member.evaluator.groups for one in member.evaluator.series(group)]
    begin = max((_begin(member) for member in members), default=np.inf)
    last = int(task.ticks[-1]) if task.ticks.size else first
    # Minutes are instants, at the second of the alert's evaluations.
    start = int(max(first, min(begin, last)))
    minutes = np.arange(start + (last - start) % _MINUTE, last + 1, _MINUTE, dtype=np.int64)
    each: dict[str, Flags] = {}
    for member in members:
        for group in _groups(task, member):
            name = f'minutes down of {member.name}{", " if group else ""}{",".join(group)}'
            each[name] = _down(member.monitor, member.evaluator.timeline(group), minutes)
        task.assumptions.relied_on |= member.evaluator.assumptions.relied_on
    counted = (~task.corrected(minutes.astype(np.float64))).astype(np.float64)
    times = minutes.astype(np.float64)
    down = np.logical_or.reduce([np.zeros(minutes.size, dtype=np.bool_), *each.values()])
    return {
        (): Account(
            bad=[Entries(times, np.where(down, counted, 0.0))],
            total=[Entries(times, counted)],
            begin=begin,
            step=_MINUTE,
            series=series,
            parts={name: [Entries(times, np.where(own, counted, 0.0))] for name, own in each.items() if own.any()},
        )
    }


def _begin(member: Member) -> float:
    """Return since when the data of a member's groups are known."""
    series = (one for group in member.evaluator.groups for one in member.evaluator.series(group) if len(one))
    return min((float(one.times[0]) for one in series), default=np.inf)


def _groups(task: _Task, member: Member) -> Sequence[Group]:
    """Return the groups of a monitor that the SLO names, or all."""
    chosen = task.subject.slo.fields.groups
    if not chosen:
        return member.evaluator.groups
    by_tags = {frozenset(group): group for group in member.evaluator.groups}
    found = []
    for name in chosen:
        tags = frozenset(part.strip() for part in name.split(','))
        if tags not in by_tags:
            names = [','.join(group) or '*' for group in member.evaluator.groups]
            raise UnusableInputError(
                f'SLO {task.name}: groups: {member.name} has no group {name}; it has {listed(names)}'
            )
        found.append(by_tags[tags])
    return found


def _down(monitor: AnyMonitor, timeline: GroupTimeline, minutes: Indices) -> Flags:
    """Return in which minutes a group counts as downtime: in Alert, or in a No Data that notifies (rule 18.12)."""
    states = timeline.states
    bad = states == State.ALERT
    if not monitor.silent_no_data:
        known = np.maximum.accumulate((states != State.NO_DATA) & (states != State.ABSENT))
        bad = bad | ((states == State.NO_DATA) & known)
    row = np.searchsorted(timeline.ticks, minutes, side='right') - 1
    if not states.size:
        return np.zeros(minutes.size, dtype=np.bool_)
    found: Flags = (row >= 0) & bad[np.maximum(row, 0)]
    return found


# Time slices (rules 18.13 and 18.14)


def _time_slice(task: _Task) -> dict[Group, Account]:
    found = task.subject.slo.time_slice
    assert found is not None and found.threshold is not None
    place, seconds = 'sli_specification.time_slice.query', found.query_interval_seconds
    queries = {query.name: query.query for query in found.query.queries}
    plan = _plan(task, place, inserted(found.query.formulas[0].formula, queries))
    plan = replace(plan, expression=_sliced(task, place, plan.expression, seconds))
    _check_keys(task, frozenset(plan.by))
    sources = group_series(plan, task.store)
    begin = min((float(one.times[0]) for one in _series(sources.values()) if len(one)), default=np.inf)
    last = int(task.ticks[-1]) if task.ticks.size else 0
    if not np.isfinite(begin):
        return {} if task.by else {(): Account((), (), begin, seconds)}
    start, end = int(begin) // seconds * seconds, (last // seconds + 1) * seconds
    task.assumptions.rely_on(Assumptions.unfinished_slice)
    starts = np.arange(start, end, seconds, dtype=np.float64)
    bad: dict[Group, Flags] = {}
    for group, times, values in points(plan, task.store, start, end, _closed(task.assumptions)):
        own = _part(group, task.by)
        if own is None:
            continue
        there = np.isfinite(values)
        index = ((times[there] - start) // seconds).astype(np.int64)
        failed = ~_COMPARE[found.comparator](values[there], found.threshold)
        bad.setdefault(own, np.zeros(starts.size, dtype=np.bool_))[index] |= failed
    members: dict[Group, list[Series]] = {}
    for full, each in sources.items():
        if (own := _part(full, task.by)) is not None:
            members.setdefault(own, []).extend(_series([each]))
    bad = bad or ({} if task.by else {(): np.zeros(starts.size, dtype=np.bool_)})
    return {
        group: Account(
            bad=[Entries(starts + seconds, (failed & ~task.corrected(starts)).astype(np.float64))],
            total=[Entries(starts + seconds, np.ones(starts.size))],
            begin=begin,
            step=seconds,
            series=members.get(group, ()),
        )
        for group, failed in bad.items()
    }


_COMPARE = {'>': np.greater, '>=': np.greater_equal, '<': np.less, '<=': np.less_equal}


def _closed(assumptions: Assumptions) -> Assumptions:
    """Return the choices for the values of whole slices, which have no evaluation window."""
    bounds = {Assumptions.window_ends.id: '[from,to]', Assumptions.count_window_ends.id: 'as A1'}
    return Assumptions({**assumptions.choices, **bounds})


def _series(each: Iterable[Mapping[Leaf, Sequence[Series]]]) -> Iterator[Series]:
    return (series for sources in each for group in sources.values() for series in group)


def _part(group: Group, by: Sequence[str]) -> Group | None:
    """Return the tags of a group with some keys; None if one is missing."""
    tags = {tag.partition(':')[0]: tag for tag in group}
    return tuple(tags[key] for key in by) if all(key in tags for key in by) else None


def _sliced(task: _Task, place: str, node: Node, seconds: int) -> Node:
    """Return a query with a value for each slice (rule 18.13)."""
    if not isinstance(node, Leaf):
        return rebuilt(node, lambda child: _sliced(task, place, child, seconds))
    if node.aligned is not None:
        raise task.refuse(place, 'a rollup by calendar units is longer than a slice')
    return replace(node, bucket=seconds)
