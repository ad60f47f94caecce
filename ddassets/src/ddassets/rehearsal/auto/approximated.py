"""How large a jump makes an approximated monitor alert: surely, or only with some parameters (rule 19.10)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine.approximation import MARK, approximated_call, variants
from ddassets.engine.approximation.forecast import FORECAST
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.monitor import Monitor
from ddassets.engine.planner import graph_plan, stub_windows
from ddassets.engine.series import Kind, Series, SeriesSet
from ddassets.engine.state import State
from ddassets.language.query import tree
from ddassets.nearest import listed
from ddassets.rehearsal.auto.sources import Source, sources

#: The jumps that are tried, in standard deviations of the signal.
JUMPS = (1, 2, 3, 5, 8, 13, 20, 30, 50, 100)
#: How many members outliers() compares, one of which jumps.
MEMBERS = 6
#: For longer windows nothing is tried.
MAX_WINDOW = 86400
_START = int(datetime(2027, 1, 4, tzinfo=UTC).timestamp())
_LEVEL = 1000.0


def jumps(
    monitor: Monitor, approximate: Collection[str], kinds: Mapping[str, Kind], intervals: Mapping[str, int]
) -> str:
    """Return a sentence about a monitor whose function is to be approximated; empty for another monitor."""
    call = approximated_call(monitor)
    if call is None or call.name not in approximate:
        return ''
    try:
        return f'{MARK}; {_jumps(monitor, call, kinds, intervals)}'
    except UnusableInputError as error:
        return f'not approximated: {error}'


def _jumps(monitor: Monitor, call: tree.Call, kinds: Mapping[str, Kind], intervals: Mapping[str, int]) -> str:
    outliers = call.name == 'outliers'
    window = stub_windows(monitor.query, monitor.stub_windows).trigger
    made = [] if call.name == FORECAST or window > MAX_WINDOW else _sources(call, kinds, intervals, outliers)
    # Raises for what is not approximated, with or without a signal.
    variants(monitor, SeriesSet([]), _START, _START + 60, 0, Assumptions())
    if not made:
        return 'no jump was tried'
    some: tuple[int, tuple[str, ...]] | None = None
    for jump in JUMPS:
        alerts = _alerts(monitor, made, window, jump)
        if all(alerts.values()):
            surely = f'surely alerts from {jump} standard deviations on'
            return f'a jump of {_what(outliers)} {surely}{"" if some is None else f", and {_with_some(*some)}"}'
        if any(alerts.values()) and some is None:
            some = jump, tuple(name for name, alerting in alerts.items() if alerting)
    if some is None:
        return f'no jump of {_what(outliers)} alerts, up to {JUMPS[-1]} standard deviations'
    return f'no jump of {_what(outliers)} surely alerts, but {_with_some(*some)}'


def _what(outliers: bool) -> str:
    return f'one of {MEMBERS} members' if outliers else 'the whole alert window'


def _with_some(jump: int, names: Sequence[str]) -> str:
    shown = f' ({listed(names)})' if len(names) <= 2 else ''
    return f'from {jump} on with some parameters{shown}'


def _sources(call: tree.Call, kinds: Mapping[str, Kind], intervals: Mapping[str, int], outliers: bool) -> list[Source]:
    """Return the series of each member. Raises Unsupported for a query of several metrics."""
    first = next(one for one in call.arguments if not isinstance(one, tree.Text | tree.Word | tree.Tags | tree.Named))
    plan = graph_plan(first, Assumptions())
    found = {}
    for number in range(1, (MEMBERS if outliers else 1) + 1):
        each = sources(plan, kinds, intervals, number)
        if len(each) != 1 or each[0].kind == 'distribution':
            raise Unsupported(
                call.name, call.span.start + 1, 'of several metrics or of a distribution: no jump is tried'
            )
        found[each[0].tags] = each[0]
    return [*found.values()]


def _alerts(monitor: Monitor, made: Sequence[Source], window: int, jump: float) -> dict[str, bool]:
    """Return with which parameter sets the first member alerts, which jumps at the start."""
    end = _START + window + window // 2 + monitor.evaluation_delay + 600
    store = SeriesSet(_series(source, number, window, end, jump) for number, source in enumerate(made))
    found = {}
    for one in variants(monitor, store, _START, end, 0, Assumptions()):
        group = next(group for group in one.evaluator.groups if set(group) <= made[0].tags)
        found[str(one.parameters)] = bool((one.evaluator.timeline(group).states == State.ALERT).any())
    return found


def _series(source: Source, number: int, window: int, end: int, jump: float) -> Series:
    """Return a steady signal with a standard deviation of 1, long enough for the history of a band."""
    times = np.arange(_START - 12 * window, end, source.interval, dtype=np.float64)
    values = _LEVEL + np.random.default_rng(number).standard_normal(times.size)
    if number == 0:
        values[times >= _START] += jump
    return Series(source.metric, source.tags, times, values, source.kind, source.interval)
