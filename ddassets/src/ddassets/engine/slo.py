"""SLO alerts: error budgets and burn rates, in decimals (section 18)."""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from fractions import Fraction

import numpy as np

from ddassets import duration
from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.assets.monitor_table import MonitorOptions
from ddassets.assets.refusal import refuse
from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine import exact
from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.column import Flags, Floats, Indices
from ddassets.engine.exact import Whole
from ddassets.engine.explanation import Explanation, change, evaluation_row
from ddassets.engine.monitor import ThresholdMonitor, Thresholds, common_options
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.slo_account import Account, Subject, accounts
from ddassets.engine.state import State
from ddassets.engine.state_machine import Evaluations, Rules, run
from ddassets.engine.timeline import Group, GroupTimeline, evaluation_instants
from ddassets.language.query.tree import Comparator
from ddassets.language.slo import SloQuery
from ddassets.nearest import did_you_mean, joined, listed

# What an explanation lists, by the type of the SLO.
_BAD = {'metric': 'bad events', 'monitor': 'minutes down', 'time_slice': 'bad slices (at their end)'}


@dataclass(frozen=True)
class SloMonitor(ThresholdMonitor):
    """An SLO alert. `inclusive`: a burn rate that equals its threshold reaches it, whatever the operator is (A64).

    `about` names the SLO and its target, once the monitor has an evaluator. `ignored` are options without effect.
    """

    query: SloQuery
    _: KW_ONLY
    inclusive: bool = False
    about: str = ''
    ignored: tuple[str, ...] = ()

    @property
    def legend(self) -> str:
        return self.about

    @property
    def comparator(self) -> Comparator:
        return '>=' if self.inclusive else self.query.comparator

    @property
    def burns(self) -> bool:
        """Whether it compares burn rates, not the consumed budget."""
        return self.query.kind == 'burn_rate'

    @property
    def windows(self) -> tuple[int, ...]:
        """The windows in seconds, the longest first."""
        query = self.query
        if query.long_window is None or query.short_window is None:
            return (query.seconds,)
        return query.long_window, query.short_window

    @property
    def variables(self) -> Mapping[str, float | str | None]:
        return {**super().variables, 'timeframe': self.query.timeframe}

    @property
    def empty_variables(self) -> Mapping[str, Assumption]:
        return {'value': Assumptions.burn_rate_value} if self.burns else {}


def of(asset: MonitorAsset) -> SloMonitor:
    """Return what the engine needs of an SLO alert.

    Raises UnusableInputError with every error of the asset, and Unsupported for what is outside the subset.
    """
    name, options = asset.name or 'monitor', asset.options
    if asset.errors:
        refuse(asset.errors)
    query = asset.slo
    if not isinstance(query, SloQuery):
        raise Unsupported('query', None, 'is not known', name)
    common = {**common_options(asset), 'notify_no_data': False, 'timeout': 0}
    return SloMonitor(
        query=query,
        thresholds=Thresholds(critical=query.threshold, warning=options.thresholds.warning),
        # Rule 18.18.
        evaluation_delay=options.evaluation_delay if query.kind == 'burn_rate' else 0,
        # The default of 60 s is documented for metrics only.
        new_group_delay=options.new_group_delay or 0,
        ignored=tuple(_ignored(options, query)),
        **common,
    )


def _ignored(options: MonitorOptions, query: SloQuery) -> Iterator[str]:
    """Yield the options that are set and have no effect (rule 18.18)."""
    for key in ('critical_recovery', 'warning_recovery'):
        if getattr(options.thresholds, key) is not None:
            yield f'thresholds.{key}'
    for key in ('notify_no_data', 'timeout_h'):
        if getattr(options, key):
            yield key
    if options.evaluation_delay and query.kind == 'error_budget':
        yield 'evaluation_delay'


class SloEvaluator:
    """Evaluates an SLO alert group by group. See `protocol.Evaluator`.

    `given`: the accounts of its groups, instead of those from series. Raises Unsupported and UnusableInputError.
    """

    def __init__(
        self,
        monitor: SloMonitor,
        subject: Subject,
        store: SeriesSet,
        start: int,
        end: int,
        tick_second: int = 0,
        assumptions: Assumptions | None = None,
        given: Mapping[Group, Account] | None = None,
    ) -> None:
        self.assumptions = Assumptions() if assumptions is None else assumptions
        if monitor.burns and self.assumptions.peek(Assumptions.burn_rate_comparison) == '>=':
            monitor = replace(monitor, inclusive=True)
        self.monitor = monitor
        self.start, self.end = start, end
        self._subject = subject
        self._target = self._checked_target()
        self._check_groups()
        name, target = subject.slo.name or subject.slo.id, float(self._target)
        value = 'smaller burn rate of the two windows' if monitor.burns else 'consumed per cent of the error budget'
        about = f'SLO {name}: {target:g} % over {monitor.query.timeframe}; the value is the {value}'
        self.monitor = replace(monitor, about=about)
        self.assumptions.rely_on(Assumptions.slo_cadence)
        self._ticks = evaluation_instants(start, end, tick_second)
        reach = monitor.evaluation_delay + monitor.windows[0]
        self._accounts = (
            accounts(subject, store, monitor.query.by, self._ticks, reach, self.assumptions)
            if given is None
            else dict(given)
        )
        self.warnings = tuple(self._warnings())

    def _checked_target(self) -> Fraction:
        """Return the target of the query's timeframe as a percentage (rules 18.2, 18.3 and 18.7)."""
        slo, query = self._subject.slo, self.monitor.query
        name, found = slo.name or slo.id, slo.timeframes.get(query.timeframe)
        if found is None or found.target is None:
            column = query.calls['over'].start + 1 if 'over' in query.calls else None
            known = joined([*slo.timeframes]) or 'no timeframe'
            raise Unsupported(f'over("{query.timeframe}")', column, f'the SLO {name} has {known}')
        target = Fraction(repr(found.target))
        if not 0 < target < 100:
            raise UnusableInputError(
                f'SLO {name}: a target of {found.target:g} % leaves no error budget (rule 18.3): expected above 0 and '
                'below 100'
            )
        most = 100 / (100 - target)
        if self.monitor.burns and Fraction(repr(query.threshold)) > most:
            raise Unsupported(
                f'a burn rate of {query.threshold:g}',
                query.threshold_span.start + 1,
                f'with the target of {found.target:g} % it is at most {float(most):g} (rule 18.7)',
            )
        return target

    def _check_groups(self) -> None:
        """Check which alerts an SLO has by group (rule 18.16)."""
        query, slo = self.monitor.query, self._subject.slo
        allowed = ('metric', 'time_slice') if self.monitor.burns else ('time_slice',)
        if query.by and slo.type not in allowed:
            reason = f'an SLO of type {slo.type} has no {query.kind} alert by group (rule 18.16)'
            raise Unsupported('.by()', query.calls['by'].start + 1, reason)

    def _warnings(self) -> Iterator[str]:
        if self.monitor.ignored:
            kind = 'a burn-rate alert' if self.monitor.burns else 'an alert on an error budget'
            yield f'{joined(self.monitor.ignored)}: without effect in {kind} (rule 18.18)'
        monitor, window = self.monitor, self.monitor.windows[0]
        names = [','.join(group) or '*' for group in self._accounts]
        for one in self._subject.before:
            if one.group is not None and one.group not in names:
                yield f'`before`: no group {one.group}{did_you_mean(one.group, names)}; there are: {listed(names)}'
        if not self._ticks.size:
            return
        first = self._ticks[:1] - monitor.evaluation_delay - window
        lacking = [account for account in self._accounts.values() if account.lacks(first)[0]]
        known = [account for account in lacking if np.isfinite(account.begin)]
        length = duration.write(window) if monitor.burns else monitor.query.timeframe
        for account in known:
            if not monitor.burns and account.before is None:
                missing = duration.write(account.begin - float(first[0]))
                raise UnusableInputError(
                    f'the timeframe of {length} begins {missing} before the signal: give earlier data (`from`), or '
                    f'what was counted before: `before: [{{slo: {self._subject.slo.id or "…"}, good: …, total: …}}]`'
                )
        if monitor.burns and known:
            yield f'the first windows of {length} begin before the signal: they count what is there (rule 18.20)'
        if self._subject.before and not monitor.burns and not lacking:
            yield '`before` is not used: the data reach back to the beginning of every window'

    @property
    def ticks(self) -> Indices:
        return self._ticks

    @property
    def by(self) -> tuple[str, ...]:
        return self.monitor.query.by

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(self._accounts)

    @property
    def absence(self) -> str:
        return f'no series of the SLO {self._subject.slo.name} has a value of {", ".join(self.by)}'

    def series(self, group: Group) -> Iterator[Series]:
        yield from self._accounts[group].series

    def timeline(self, group: Group) -> GroupTimeline:
        """Evaluate one group."""
        values, known = self._values(group)
        evaluations = Evaluations(
            ticks=self._ticks,
            values=values,
            recovery=values,
            valued=known,
            # Rule 18.18: there is no missing data, an evaluation without a total is cancelled (A65).
            empty=np.zeros_like(known),
            zero=np.zeros_like(known),
            blank=~known,
            last=np.full(values.size, np.nan),
        )
        columns = run(Rules(self.monitor, self.monitor.windows[0], self.assumptions), evaluations, not group)
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

    def _values(self, group: Group) -> tuple[Floats, Flags]:
        """Return what is compared: the consumed budget, or the smaller burn rate, for both must reach it (18.6)."""
        each = [self._figures(self._accounts[group], self._ticks, window) for window in self.monitor.windows]
        known = np.logical_and.reduce([~np.isnan(values) for values in each])
        values = np.minimum.reduce(each)
        if self.monitor.burns and self.monitor.query.comparator == '>':
            limits = [limit for limit in (self.monitor.thresholds.critical, self.monitor.thresholds.warning) if limit]
            if np.isin(values, limits).any():
                self.assumptions.rely_on(Assumptions.burn_rate_comparison)
        return values, known

    def _figures(self, account: Account, ticks: Indices, window: int) -> Floats:
        """Return the burn rate, or the consumed per cent, of each window; NaN without a total (rules 18.3 and 18.5)."""
        bad, total = account.within(ticks, self.monitor.evaluation_delay, window)
        nothing = total <= 0
        if nothing.any():
            self.assumptions.rely_on(Assumptions.slo_of_nothing)
        # Consumed = 100 - 100 * (status - target) / (100 - target) = 100 * burn rate.
        factor = (100 if self.monitor.burns else 10000) / (100 - self._target)
        above, below = exact.times(bad, factor.numerator), exact.times(total, factor.denominator)
        values = np.where(nothing, np.nan, exact.quotient(above, below))
        for limit in self.monitor.thresholds.critical, self.monitor.thresholds.warning:
            if limit is not None:
                values = _exactly(values, above, below, limit)
        if nothing.any() and self.assumptions.peek(Assumptions.slo_of_nothing) == 'uptime':
            values = np.where(nothing, 0.0, values)
        return values

    def variables(self, group: Group, instant: int) -> Mapping[str, float | str | None]:
        if not self.monitor.burns:
            return {}
        row = int(np.searchsorted(self._ticks, instant, side='right')) - 1
        if row < 0:
            return {}
        ticks = self._ticks[row : row + 1]
        long, short = (float(self._figures(self._accounts[group], ticks, window)[0]) for window in self.monitor.windows)
        found: dict[str, float | str | None] = {
            'long_window_burn_rate': None if np.isnan(long) else long,
            'short_window_burn_rate': None if np.isnan(short) else short,
        }
        if self.assumptions.peek(Assumptions.burn_rate_value) != Assumptions.burn_rate_value.default:
            found['value'] = found['long_window_burn_rate']
        return found

    def explain(self, group: Group, instant: int) -> Explanation:
        """Explain the state of a group at an instant. Raises UnusableInputError before the first evaluation."""
        row = evaluation_row(self._ticks, self.groups, group, instant)
        timeline = self.timeline(group)
        to = int(self._ticks[row]) - self.monitor.evaluation_delay
        start = to - self.monitor.windows[0]
        label = _BAD[self._subject.slo.type]
        return Explanation(
            tick=int(self._ticks[row]),
            state=State(timeline.states[row]),
            value=float(timeline.values[row]),
            window=(start, to),
            points=tuple(self._accounts[group].bad_points(start, to, label)),
            reasons=tuple(self._reasons(group, timeline, row)),
            nothing=f'no {label}',
        )

    def _reasons(self, group: Group, timeline: GroupTimeline, row: int) -> Iterator[str]:
        monitor, account, ticks = self.monitor, self._accounts[group], self._ticks[row : row + 1]
        names = ('long window', 'short window') if monitor.burns else ('timeframe',)
        for name, window in zip(names, monitor.windows, strict=True):
            bad, total = account.within(ticks, monitor.evaluation_delay, window)
            length = duration.write(window) if monitor.burns else monitor.query.timeframe
            if total[0] <= 0:
                yield f'{name} {length}: there is no total: the state is kept (A65)'
                continue
            share = float(Fraction(int(bad[0]), int(total[0])) * 100)
            value = float(self._figures(account, ticks, window)[0])
            figure = f'burn rate {value:.6g}' if monitor.burns else f'{value:.6g} % of the error budget consumed'
            yield f'{name} {length}: {share:.6g} % bad, target {float(self._target):g} %: {figure}'
        value = float(timeline.values[row])
        if not np.isnan(value):
            for limit_name, limit in monitor.limits.items():
                met = value >= limit if monitor.comparator == '>=' else value > limit
                subject = 'both burn rates' if monitor.burns else 'consumed'
                yield f'{limit_name}: {subject} {monitor.comparator} {limit:g} {"holds" if met else "does not hold"}'
        yield change(timeline, row)


def _exactly(values: Floats, above: Whole, below: Whole, limit: float) -> Floats:
    """Return quotients that compare with a limit as the fractions do: those that are only rounded to it are moved."""
    rows = np.flatnonzero(values == limit)
    if rows.size:
        fraction = Fraction(repr(limit))
        left = exact.times(above[rows], fraction.denominator)
        right = exact.times(below[rows], fraction.numerator)
        sign = exact.signs(left, right)
        values = values.copy()
        values[rows] = np.where(sign == 0, limit, np.nextafter(limit, np.where(sign > 0, np.inf, -np.inf)))
    return values
