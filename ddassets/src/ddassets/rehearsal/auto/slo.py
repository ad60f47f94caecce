"""Survey an SLO alert with good and total amounts that are made from its own thresholds (section 18)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import cast

import numpy as np

from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets import NotificationRule, Slo
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats
from ddassets.engine.downtime import Downtime
from ddassets.engine.plan import Arithmetic, Node, Plan
from ddassets.engine.series import Kind, Series, SeriesSet
from ddassets.engine.slo import SloEvaluator, SloMonitor
from ddassets.engine.slo_account import Account, Entries, Subject, Term, counted_terms
from ddassets.engine.state import State
from ddassets.engine.timeline import Group, GroupTimeline
from ddassets.language.query.scope import matches
from ddassets.rehearsal.auto.answers import Survey, Verdict
from ddassets.rehearsal.auto.reporting import Reporter, delay, edges
from ddassets.rehearsal.auto.sources import Source, sources
from ddassets.rehearsal.auto.survey import BEYOND, COURSE, START, MadeSignal
from ddassets.rehearsal.slos import subject_slo

#: The constant shares of errors, in per cent, at which a survey measures the time until the Alert.
PACES = (100.0, 10.0, 1.0, 0.1)
# Events in a minute, so many that every share of them is nearly whole.
_EVENTS = 1_000_000.0
# Of a scenario that people read.
_EVENTS_OF_A_SCENARIO = 100_000
_MINUTE = 60


def survey_slo(
    asset: MonitorAsset,
    monitor: SloMonitor,
    slos: Sequence[Slo],
    downtimes: Sequence[Downtime] = (),
    rules: Sequence[NotificationRule] = (),
) -> Survey:
    """Take an SLO through the states of its alert, and report what happens and how fast.

    Raises UnusableInputError for an SLO that is not there or not supported.
    """
    slo = subject_slo(asset, monitor.query, slos)
    return _Surveyor(asset, monitor, slo, rules).survey(downtimes)


def make_slo_signal(
    asset: MonitorAsset,
    monitor: SloMonitor,
    slos: Sequence[Slo],
    kinds: Mapping[str, Kind],
    intervals: Mapping[str, int],
) -> MadeSignal:
    """Generate the events of a metric SLO that take its alert through its states.

    The levels are the per cent of errors by state. Raises UnusableInputError for another SLO, and if no series of its
    queries is a bad event alone.
    """
    slo = subject_slo(asset, monitor.query, slos)
    if slo.type != 'metric':
        raise UnusableInputError(
            f'no signal is generated for an SLO of type {slo.type}: docs/rehearsals.md describes one'
        )
    surveyor = _Surveyor(asset, monitor, slo, ())
    bad, total = counted_terms(Subject(slo, lambda start: ()), Assumptions())
    found = _counted_sources((*bad, *total), kinds, intervals)
    failing = {source: _factor(bad, source) for source in found}
    every = {source: _factor(total, source) for source in found}
    # One source that is bad and counts, and one that counts and is not bad.
    worse = next((one for one in found if failing[one] > 0 and failing[one] == every[one]), None)
    better = next((one for one in found if failing[one] == 0 < every[one]), None)
    pair = next((one for one in found if failing[one] < 0 and not every[one]), None)
    if pair is not None and worse is not None:
        # Good events have a metric of their own: the other one is the total.
        good, other, whole = pair, worse, True
    elif worse is not None and better is not None:
        good, other, whole = better, worse, False
    else:
        raise UnusableInputError('no signal is generated: no series of its queries counts as good or as bad alone')
    names = surveyor.course
    errors = [surveyor.shares[name] for name in ('ok', *names)]
    made = [
        _counted(surveyor, good, [1 - share for share in errors]),
        _counted(surveyor, other, [1.0 if whole else share for share in errors]),
    ]
    levels = {name: 100 * share for name, share in surveyor.shares.items()}
    return MadeSignal([good, other], made, levels, surveyor.hold * len(names), '')


def _counted_sources(
    terms: Sequence[Term], kinds: Mapping[str, Kind], intervals: Mapping[str, int]
) -> Sequence[Source]:
    """Return the series of the queries, as counts unless they are declared as rates."""
    leaves = dict.fromkeys(term.leaf for term in terms)
    expression, *rest = cast('Sequence[Node]', [*leaves])
    for leaf in rest:
        expression = Arithmetic('+', expression, leaf)
    plan = Plan('sum', _MINUTE, expression, next(iter(leaves)).by)
    found = sources(plan, kinds, intervals)
    if any(source.kind == 'distribution' for source in found):
        raise UnusableInputError('no signal is generated for counts of a distribution')
    return [replace(source, kind='rate' if source.kind == 'rate' else 'count') for source in found]


def _factor(terms: Sequence[Term], source: Source) -> Fraction:
    """Return how often an event of a source is counted."""
    each = (term for term in terms if term.leaf.metric.name == source.metric)
    return sum((one.factor for one in each if matches(one.leaf.metric.scope, source.tags)), Fraction())


def _counted(surveyor: '_Surveyor', source: Source, shares: Sequence[float]) -> Series:
    """Return a series of events, each share of them as long as a state lasts."""
    number = surveyor.hold // source.interval
    events = np.round(np.repeat(np.array(shares), number) * _EVENTS_OF_A_SCENARIO)
    times = START - surveyor.hold + source.interval * np.arange(1, events.size + 1, dtype=np.float64)
    values = events / source.interval if source.kind == 'rate' else events
    return Series(source.metric, source.tags, times, values, source.kind, source.interval)


@dataclass
class _Surveyor:
    asset: MonitorAsset
    monitor: SloMonitor
    slo: Slo
    rules: Sequence[NotificationRule]

    def survey(self, downtimes: Sequence[Downtime]) -> Survey:
        # The queries of the SLO and the target are checked without data.
        self._evaluator({group: Account((), (), np.inf, _MINUTE) for group in (self._group,)}, START + _MINUTE)
        SloEvaluator(self.monitor, self._subject, SeriesSet([]), START, START + _MINUTE, 0, self.reporter.assumptions)
        shares, names = self.shares, self.course
        timeline = self._timeline([shares[name] for name in names])
        visited = {State(code) for code in np.unique(timeline.states) if code >= 0}
        reached = edges(timeline)
        bad = START + self.hold * names.index('alert')
        recovers = any(edge.target is State.OK for edge in reached)
        return Survey(
            self.asset,
            alert=self._verdict(State.ALERT, visited),
            warn=self._verdict(State.WARN, visited),
            no_data=Verdict('not set', 'an SLO alert has no missing data (rule 18.18)'),
            recovery=Verdict('yes') if recovers else Verdict('no', 'it never alerts'),
            page_after=delay(timeline, bad, State.ALERT),
            recovery_after=delay(timeline, bad + self.hold, State.OK),
            notified=self.reporter.notified(reached),
            renotified=self.reporter.renotified(visited),
            never=self.reporter.never(),
            unrendered=tuple(self.reporter.unrendered()),
            idle_downtimes=tuple(self.reporter.idle(downtimes)),
            paces=dict(self._paces()),
            error_share=100 * shares['alert'],
            assumptions=tuple(self.reporter.assumptions.relied_on),
        )

    def _verdict(self, state: State, visited: set[State]) -> Verdict:
        if state not in self.monitor.states:
            return Verdict('not set', 'no warning threshold')
        if state in visited:
            return Verdict('yes')
        limits = self.monitor.thresholds
        limit = limits.critical if state is State.ALERT else limits.warning
        figure = 'a burn rate' if self.monitor.burns else 'a consumed budget'
        most = f'{float(self._most):g}' if self.monitor.burns else f'{float(self._most):g} %'
        reason = f'{self.monitor.comparator} {limit:g} never holds: {figure} is at most {most}'
        if state is State.WARN and limit is not None and limit < self._most:
            unit = 'a minute' if self.slo.type == 'monitor' else 'a slice'
            reason = f'{unit} of downtime brings it from OK to Alert at once'
        return Verdict('no', reason)

    @cached_property
    def _most(self) -> Fraction:
        """The figure if everything fails (rules 18.3 and 18.7)."""
        target = Fraction(repr(self.slo.timeframes[self.monitor.query.timeframe].target))
        return (100 if self.monitor.burns else 10000) / (100 - target)

    @cached_property
    def shares(self) -> dict[str, float]:
        """The share of errors in each state."""
        limits, most = self.monitor.thresholds, float(self._most)
        found = {'ok': 0.0, 'alert': min(limits.critical * (1 + BEYOND), most) / most}
        if limits.warning is not None:
            found['warn'] = min((limits.warning + limits.critical) / 2, most) / most
        return found

    @property
    def course(self) -> list[str]:
        """The states in order: an error budget passes Warn on its way, and takes its timeframe for each."""
        return [name for name in COURSE if name in self.shares] if self.monitor.burns else ['ok', 'alert', 'ok']

    @cached_property
    def _step(self) -> int:
        """The seconds of one amount."""
        found = self.slo.time_slice
        return found.query_interval_seconds if found else _MINUTE

    @property
    def hold(self) -> int:
        """How long each share of errors lasts: until no window sees the one before."""
        step = self._step
        return -(-(self.monitor.windows[0] + self.monitor.evaluation_delay + 600) // step) * step

    def _account(self, shares: Sequence[float]) -> Account:
        """Return amounts with these shares of errors, each for a while; before them there are no errors."""
        number = self.hold // self._step
        share = np.repeat(np.array([0.0, *shares]), number)
        times = START - self.hold + self._step * np.arange(1, share.size + 1, dtype=np.float64)
        if self.slo.type == 'metric':
            bad, total = np.round(share * _EVENTS), np.full(share.size, _EVENTS)
        else:
            # Minutes and slices are bad or not: as evenly as their share allows, the first one at once.
            bad, total = _spread(share), np.ones(share.size)
        begin = float(times[0] - self._step)
        return Account([Entries(times, bad)], [Entries(times, total)], begin, self._step)

    def _timeline(self, shares: Sequence[float]) -> GroupTimeline:
        end = START + self.hold * len(shares)
        return self._evaluator({self._group: self._account(shares)}, end).timeline(self._group)

    def _evaluator(self, accounts: Mapping[Group, Account], end: int) -> SloEvaluator:
        return SloEvaluator(
            self.monitor, self._subject, SeriesSet([]), START, end, 0, self.reporter.assumptions, accounts
        )

    @property
    def _subject(self) -> Subject:
        return Subject(self.slo, lambda start: ())

    @property
    def _group(self) -> Group:
        return tuple(f'{key}:{key.removeprefix("@")}-1' for key in self.monitor.query.by)

    def _paces(self) -> Iterator[tuple[float, int | None]]:
        """Yield the seconds until the Alert at constant shares of errors, None for never."""
        for per_cent in PACES:
            timeline = self._timeline([per_cent / 100])
            yield per_cent, delay(timeline, START, State.ALERT)

    @cached_property
    def reporter(self) -> Reporter:
        return Reporter(self.asset, self.monitor, self.monitor.query.by, frozenset, self.rules)


def _spread(share: Floats) -> Floats:
    """Return 1 for each bad amount, else 0: after each the sum is that of the shares, rounded up."""
    starts = np.flatnonzero(np.diff(share, prepend=-1.0))
    found = np.zeros(share.size)
    for start, end in zip(starts, [*starts[1:], share.size], strict=True):
        sums = np.ceil(np.round(share[start] * np.arange(end - start + 1), 9))
        found[start:end] = np.diff(sums)
    return found
