"""Evaluate a monitor under each set of plausible parameters of an algorithm whose constants are not published."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ddassets.engine.approximation.anomalies import ANOMALIES, Anomalies, anomaly_call
from ddassets.engine.approximation.forecast import FORECAST, ForecastCall, Forecasts, forecast_call
from ddassets.engine.approximation.outliers import OutlierCall, Outliers, outlier_call
from ddassets.engine.approximation.parameters import ParameterSet
from ddassets.engine.approximation.sampling import has_late_points, sample
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats
from ddassets.engine.context import HISTORY
from ddassets.engine.evaluation import Evaluation
from ddassets.engine.evaluator import Evaluator
from ddassets.engine.explanation import Explanation, evaluation_row
from ddassets.engine.monitor import Monitor
from ddassets.engine.plan import Plan
from ddassets.engine.planner import StubWindows, graph_plan, make_plan, stub_windows
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.state_machine import Evaluations
from ddassets.engine.timeline import Group, GroupTimeline
from ddassets.language.query import tree

#: The functions that can be approximated.
APPROXIMATED = ('anomalies', 'forecast', 'outliers')
#: What every result of an approximation says.
MARK = 'approximate: constants unpublished'


def approximated_call(monitor: Monitor) -> tree.Call | None:
    """Return the call of a function that can be approximated, if the query is one."""
    expression = monitor.query.expression
    return expression if isinstance(expression, tree.Call) and expression.name in APPROXIMATED else None


@dataclass(frozen=True)
class Variant:
    """One set of parameters and the evaluator under it."""

    parameters: ParameterSet
    evaluator: Evaluator


def variants(
    monitor: Monitor, store: SeriesSet, start: int, end: int, tick_second: int, assumptions: Assumptions
) -> list[Variant]:
    """Return an evaluator for each set of parameters, the default set first.

    Raises Unsupported for what is not approximated.
    """
    call = approximated_call(monitor)
    assert call is not None
    shared = _Shared(monitor, store, start, end, tick_second, assumptions)
    if call.name == ANOMALIES:
        return [*_anomalies(shared, call)]
    if call.name == FORECAST:
        return [*_forecasts(shared, forecast_call(call, monitor.query))]
    return [*_outliers(shared, outlier_call(call))]


@dataclass(frozen=True)
class _Shared:
    monitor: Monitor
    store: SeriesSet
    start: int
    end: int
    tick_second: int
    assumptions: Assumptions


def _anomalies(shared: _Shared, call: tree.Call) -> Iterator[Variant]:
    monitor, assumptions = shared.monitor, shared.assumptions
    windows = stub_windows(monitor.query, monitor.stub_windows)
    read = anomaly_call(call, windows.trigger)
    first = shared.start - monitor.evaluation_delay - max(windows.trigger, windows.recovery) - read.longest
    grid = sample(read.operand, shared.store, first, shared.end, assumptions, windows.trigger, read.interval)
    assumptions.rely_on(Assumptions.anomaly_band)
    found, known = Anomalies(read, grid), dict[tuple[Group, bytes], GroupTimeline]()
    notes = tuple(_notes(read.operand, shared))
    for parameters in read.sets:
        evaluator = StubbedEvaluator(shared, windows, list(found.stubs(parameters)), known)
        evaluator.explained = partial(found.explain, parameters)
        evaluator.warnings = (*notes, *evaluator.warnings)
        yield Variant(parameters, evaluator)


def _notes(operand: tree.Expression, shared: _Shared) -> Iterator[str]:
    yield f'{MARK} (section 19 of the semantics), not what Datadog computes'
    if has_late_points(operand, shared.store, shared.assumptions):
        yield 'points that arrive late are taken at their own time'


class StubbedEvaluator(Evaluator):
    """Evaluates a monitor whose function computed series replace, as a stub does.

    `known` holds the timelines of equal series, which several sets of parameters share.
    """

    explained: Callable[[Group, int, int], Iterator[str]]
    _computed = True
    _continues = False

    def __init__(
        self,
        shared: _Shared,
        windows: StubWindows,
        stubs: Sequence[Series],
        known: dict[tuple[Group, bytes], GroupTimeline],
    ) -> None:
        self._windows = windows
        self._stubs = {one.tags: one for one in stubs}
        self._known = known
        store = SeriesSet([*shared.store, *stubs])
        super().__init__(shared.monitor, store, shared.start, shared.end, shared.tick_second, shared.assumptions)

    def _make_plan(self, monitor: Monitor, store: SeriesSet) -> Plan:
        return make_plan(monitor.query, self.assumptions, self._windows)

    def timeline(self, group: Group) -> GroupTimeline:
        stub = self._stubs[frozenset(group)]
        key = group, stub.times[:1].tobytes() + stub.values.tobytes()
        if key not in self._known:
            self._known[key] = super().timeline(group)
        return self._known[key]

    def explain(self, group: Group, instant: int) -> Explanation:
        found = super().explain(group, instant)
        assert found.window is not None
        return replace(found, reasons=(*found.reasons, *self.explained(group, *found.window)))


def _outliers(shared: _Shared, call: OutlierCall) -> Iterator[Variant]:
    monitor, assumptions = shared.monitor, shared.assumptions
    known: dict[Group, Evaluations] = {}
    found: Outliers | None = None
    for number, parameters in enumerate(call.sets):
        evaluator = ComputedEvaluator(shared, call.operand, monitor.query.window.seconds, known)
        if found is None:
            ends = evaluator.ticks - monitor.evaluation_delay
            window = evaluator.plan.window
            first = shared.start - monitor.evaluation_delay - window - HISTORY
            grid = sample(call.operand, shared.store, first, shared.end, assumptions, window, interpolated=True)
            found = Outliers(call, grid, grid.windows(ends - window, ends, assumptions), assumptions)
        evaluator.compute = _OutlierValues(found, parameters)
        evaluator.warnings = (*evaluator.warnings, *(() if number else found.warnings))
        yield Variant(parameters, evaluator)


def _forecasts(shared: _Shared, call: ForecastCall) -> Iterator[Variant]:
    monitor, assumptions = shared.monitor, shared.assumptions
    known: dict[Group, Evaluations] = {}
    found: Forecasts | None = None
    for parameters in call.sets:
        evaluator = ComputedEvaluator(shared, call.operand, call.history, known)
        if found is None:
            ends = evaluator.ticks - monitor.evaluation_delay
            first = shared.start - monitor.evaluation_delay - call.history
            grid = sample(call.operand, shared.store, first, shared.end, assumptions, call.history, call.interval)
            found = Forecasts(call, grid, grid.windows(ends - call.history, ends, assumptions), ends, assumptions)
        evaluator.compute = _ForecastValues(found, parameters)
        yield Variant(parameters, evaluator)


class Values:
    """The compared value of each group at each evaluation, and sentences about one of them."""

    def values(self, group: Group) -> Floats:
        raise NotImplementedError

    def explain(self, group: Group, row: int) -> Iterator[str]:
        raise NotImplementedError


@dataclass(frozen=True)
class _OutlierValues(Values):
    outliers: Outliers
    parameters: ParameterSet

    def values(self, group: Group) -> Floats:
        return self.outliers.verdicts(self.parameters, group)

    def explain(self, group: Group, row: int) -> Iterator[str]:
        return self.outliers.explain(self.parameters, group, row)


@dataclass(frozen=True)
class _ForecastValues(Values):
    forecasts: Forecasts
    parameters: ParameterSet

    def values(self, group: Group) -> Floats:
        return self.forecasts.values(self.parameters, group)

    def explain(self, group: Group, row: int) -> Iterator[str]:
        return self.forecasts.explain(self.parameters, group, row)


class ComputedEvaluator(Evaluator):
    """Compares computed values instead of the operand's aggregate; its windows, delays and gaps are the operand's.

    `known` holds the evaluations of the operand, which all sets of parameters share.
    """

    compute: Values
    _computed = True
    _continues = False

    def __init__(self, shared: _Shared, operand: tree.Expression, window: int, known: dict[Group, Evaluations]) -> None:
        self._operand = operand
        self._seconds = window
        self._known = known
        super().__init__(shared.monitor, shared.store, shared.start, shared.end, shared.tick_second, shared.assumptions)
        self.warnings = (*_notes(operand, shared), *self.warnings)

    def _make_plan(self, monitor: Monitor, store: SeriesSet) -> Plan:
        return replace(graph_plan(self._operand, self.assumptions), window=self._seconds)

    def _evaluations(self, group: Group, evaluation: Evaluation) -> Evaluations:
        if group not in self._known:
            self._known[group] = super()._evaluations(group, evaluation)
        found, values = self._known[group], self.compute.values(group)
        values = np.where(found.zero, 0.0, values)
        return replace(found, values=values, recovery=values, valued=found.valued & ~np.isnan(values))

    def explain(self, group: Group, instant: int) -> Explanation:
        found = super().explain(group, instant)
        row = evaluation_row(self.ticks, self.groups, group, instant)
        return replace(
            found,
            value=float(self.compute.values(group)[row]),
            reasons=(*found.reasons, *self.compute.explain(group, row)),
        )
