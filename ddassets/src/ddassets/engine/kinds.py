"""The types of monitors: the reader and the evaluator of each. Another type is a row of the table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.assets.monitor_type import COUNTED, METRIC
from ddassets.diagnostic import Unsupported
from ddassets.engine import approximation, composite, counted, event_formula, formula, service_check, slo
from ddassets.engine import monitor as metric
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.dynamic import DynamicEvaluator
from ddassets.engine.evaluator import Evaluator as MetricEvaluator
from ddassets.engine.events import Events
from ddassets.engine.folding import FoldedEvaluator
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.protocol import Evaluator
from ddassets.engine.series import SeriesSet
from ddassets.engine.slo_account import Subject
from ddassets.language.composite import Member
from ddassets.language.slo import SloQuery


@dataclass(frozen=True)
class Inputs:
    """The inputs of an evaluation over [start, end) in seconds, at a second of the minute.

    `member` finds a member of a composite, `subject` the SLO of an alert. They raise UnusableInputError if there is
    none.
    """

    store: SeriesSet
    start: int
    end: int
    tick_second: int
    assumptions: Assumptions
    member: Callable[[Member], composite.Source]
    subject: Callable[[SloQuery], Subject]
    events: Sequence[Events] = ()


def _metric(monitor: metric.Monitor, inputs: Inputs) -> Evaluator:
    return MetricEvaluator(monitor, inputs.store, inputs.start, inputs.end, inputs.tick_second, inputs.assumptions)


def _composite(monitor: composite.Composite, inputs: Inputs) -> Evaluator:
    members = {letter: inputs.member(member) for letter, member in monitor.query.members.items()}
    return composite.CompositeEvaluator(
        monitor, members, inputs.start, inputs.end, inputs.tick_second, inputs.assumptions
    )


def _check(monitor: service_check.CheckMonitor, inputs: Inputs) -> Evaluator:
    return service_check.CheckEvaluator(
        monitor, inputs.store, inputs.start, inputs.end, inputs.tick_second, inputs.assumptions
    )


def _counted(monitor: counted.CountedMonitor, inputs: Inputs) -> Evaluator:
    return counted.CountedEvaluator(
        monitor, inputs.events, inputs.start, inputs.end, inputs.tick_second, inputs.assumptions
    )


def _slo(monitor: slo.SloMonitor, inputs: Inputs) -> Evaluator:
    subject = inputs.subject(monitor.query)
    return slo.SloEvaluator(
        monitor, subject, inputs.store, inputs.start, inputs.end, inputs.tick_second, inputs.assumptions
    )


def _dynamic(monitor: metric.Monitor, inputs: Inputs) -> Evaluator:
    return DynamicEvaluator(monitor, inputs.store, inputs.start, inputs.end, inputs.tick_second, inputs.assumptions)


def _formula(monitor: metric.Monitor | event_formula.FormulaMonitor, inputs: Inputs) -> Evaluator:
    if isinstance(monitor, metric.Monitor):
        return _dynamic(monitor, inputs) if monitor.critical_query is not None else _metric(monitor, inputs)
    return event_formula.FormulaEvaluator(
        monitor, inputs.events, inputs.start, inputs.end, inputs.tick_second, inputs.assumptions
    )


@dataclass(frozen=True)
class _Kind:
    read: Callable[[MonitorAsset], AnyMonitor]
    evaluator: Callable[[Any, Inputs], Evaluator]


_METRIC = _Kind(metric.of, _metric)
_COUNTED = _Kind(counted.of, _counted)
_FORMULA = _Kind(formula.of, _formula)
_KINDS: Mapping[str, _Kind] = {
    'metric alert': _METRIC,
    'query alert': _METRIC,
    'composite': _Kind(composite.of, _composite),
    'service check': _Kind(service_check.of, _check),
    'slo alert': _Kind(slo.of, _slo),
    **dict.fromkeys(COUNTED, _COUNTED),
}


def read(asset: MonitorAsset) -> AnyMonitor:
    """Return what the engine needs of a monitor.

    Raises UnusableInputError with every error of the asset, and Unsupported for what is outside the subset.
    """
    return _kind(asset).read(asset)


def evaluator(asset: MonitorAsset, monitor: AnyMonitor, inputs: Inputs) -> Evaluator:
    """Return the evaluator of a monitor that `read` returned. Raises Unsupported and UnusableInputError."""
    return _folded(asset, _kind(asset).evaluator(monitor, inputs))


def variants(
    asset: MonitorAsset, monitor: metric.Monitor, inputs: Inputs
) -> tuple[Sequence[approximation.ParameterSet], Sequence[Evaluator]]:
    """Return the sets of parameters of an approximation, the default first, and the evaluator under each.

    Raises Unsupported for what is not approximated.
    """
    found = approximation.variants(
        monitor, inputs.store, inputs.start, inputs.end, inputs.tick_second, inputs.assumptions
    )
    return [one.parameters for one in found], [_folded(asset, one.evaluator) for one in found]


def _folded(asset: MonitorAsset, found: Evaluator) -> Evaluator:
    keys = asset.options.notify_by
    if not keys or not found.by or set(keys) == set(found.by):
        return found
    if found.monitor.scheduled:
        reason = 'with a custom schedule is outside the subset, if it combines groups'
        raise Unsupported('options.notify_by', None, reason, asset.name)
    return FoldedEvaluator(found, keys)


def _kind(asset: MonitorAsset) -> _Kind:
    if asset.formula is not None and asset.type in METRIC | COUNTED:
        return _FORMULA
    # The reader of metric monitors refuses other types by name.
    return _KINDS.get(asset.type, _METRIC)
