"""Survey a formula monitor over events with events generated for its variables (section 17)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets import NotificationRule
from ddassets.assets.variable_table import EventVariable
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats
from ddassets.engine.downtime import Downtime
from ddassets.engine.event_formula import FormulaEvaluator, FormulaMonitor, formula_values, product
from ddassets.engine.events import Events
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.engine.timeline import GroupTimeline
from ddassets.rehearsal.auto.answers import Survey, Surveyor
from ddassets.rehearsal.auto.counted import FIRST, HOLD, MAX_VALUES, value_of_key
from ddassets.rehearsal.auto.reporting import Reporter
from ddassets.rehearsal.auto.survey import COURSE, START, conditions, last_level

# Numbers of events, and values of a measure, that are tried for each variable beside those near the thresholds.
_NUMBERS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_VALUES = (0.0, 1.0, 2.0, 10.0, 100.0, -1.0)
# What a threshold is multiplied by, for formulas that scale their variables.
_SHARES, _SCALES = (0.8, 1.0, 1.2), (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
# The same for formulas of many variables.
_FEW = (1.0, 10.0, 100.0)
MAX_COMBINATIONS = 200_000
#: The largest number of events in a burst.
MAX_NUMBER = 1e7

type Level = tuple[float, ...]


def survey_formula(
    asset: MonitorAsset,
    monitor: FormulaMonitor,
    downtimes: Sequence[Downtime] = (),
    rules: Sequence[NotificationRule] = (),
) -> Survey:
    """Generate events for the variables of a formula, evaluate them, and report what happens."""
    return _Surveyor(asset, monitor, rules).survey(downtimes)


class _Surveyor(Surveyor[FormulaMonitor]):
    """Chooses a level for each state: a number of events, or a value of the measure, for each variable."""

    def __init__(self, asset: MonitorAsset, monitor: FormulaMonitor, rules: Sequence[NotificationRule] = ()) -> None:
        self.asset = asset
        self.rules = rules
        self.monitor = monitor
        self.used = monitor.used
        self.assumptions = Assumptions()

    def survey(self, downtimes: Sequence[Downtime]) -> Survey:
        if 'alert' not in self._levels:
            # Other numbers may do so.
            raise UnusableInputError('none of the numbers of events tried makes it alert: rehearse a scenario')
        steps, marks = self._steps()
        return self.answers(self._timeline(steps), marks, downtimes)

    @cached_property
    def _levels(self) -> dict[str, Level]:
        """What each variable is in each state, of the combinations tried; the fewest events."""
        grids = np.meshgrid(*(np.array([*self._candidates(one)]) for one in self.used), indexing='ij')
        columns = [grid.reshape(-1) for grid in grids]
        values = formula_values(
            self.monitor, {one.name: column for one, column in zip(self.used, columns, strict=True)}, self.assumptions
        )
        number = sum(np.abs(column) for column in columns)
        found: dict[str, Level] = {}
        for name, (condition, target) in conditions(self.monitor).items():
            fitting = [index for index in np.flatnonzero(np.isfinite(values)) if condition(float(values[index]))]
            if fitting:
                best = min(fitting, key=lambda index: (abs(values[index] - target), number[index]))
                found[name] = tuple(float(column[best]) for column in columns)
        return found

    def _candidates(self, variable: EventVariable) -> Iterator[float]:
        """Yield numbers of events, or values of the measure, in increasing order."""
        near = {
            limit * share * scale for limit in self.monitor.limits.values() for share in _SHARES for scale in _SCALES
        }
        usual = {*_VALUES, *near}
        if _whole(variable):
            counts = variable.compute.aggregation == 'count'
            most = MAX_NUMBER if counts else MAX_VALUES
            whole = {float(math.floor(one) + step) for one in near for step in (0, 1) if 1 <= one < most}
            # Without events, a count of a query without groups alone is 0 (rules 15.7 and 17.10).
            usual = {*_NUMBERS, *whole, *((0.0,) if counts and not variable.group_by else ())}
        if len(usual) ** len(self.used) > MAX_COMBINATIONS:
            usual = {*_FEW}
        yield from sorted(usual)

    def _steps(self) -> tuple[list[Level | None], dict[str, int]]:
        """Return the level of each burst, None for none: the COURSE, silence, OK; and the marks of the survey."""
        window, levels = self.monitor.window, self._levels
        hold = math.ceil(max(HOLD, self.monitor.new_group_delay + 120) / window)
        steps: list[Level | None] = []
        marks: dict[str, int] = {}
        names = [name for name in COURSE if name in levels]
        for number, name in enumerate(names):
            if name == 'alert' and 'bad' not in marks:
                marks['bad'] = FIRST + window * len(steps)
                if names[number + 1 : number + 2] == ['ok']:
                    marks['good'] = marks['bad'] + window * hold
            steps += [levels[name]] * hold
        marks['last'] = FIRST + window * (len(steps) - 1)
        steps += [None] * (hold + math.ceil(self._silence() / window))
        order = {name: float(number) for number, name in enumerate(levels)}
        last = levels[list(order)[int(last_level(order))]]
        return steps + [last] * hold, marks

    def _silence(self) -> int:
        """Return the seconds of a silence: enough for No Data, less than the retention of a group."""
        monitor = self.monitor
        timeframe = (monitor.no_data_timeframe or 2 * monitor.window) if monitor.notify_no_data else 0
        retention = monitor.retention or 86400
        return monitor.evaluation_delay + min(max(timeframe, monitor.timeout) + 600, max(retention - 600, 600))

    def _events(self, steps: Sequence[Level | None]) -> list[Events]:
        found: list[Events] = []
        for place, variable in enumerate(self.used):
            values = np.array([math.nan if step is None else step[place] for step in steps])
            found += self._of_variable(variable, values)
        return found

    def _of_variable(self, variable: EventVariable, values: Floats) -> Iterator[Events]:
        """Yield the events of one variable, in bursts that are one window apart."""
        counts, measure = np.nan_to_num(values), (variable.compute.metric or '').removeprefix('@')
        if variable.compute.aggregation == 'count':
            yield self._entry(variable, counts, {})
        elif variable.compute.aggregation == 'cardinality':
            for number in range(int(counts.max(initial=0))):
                yield self._entry(variable, (counts > number).astype(float), {measure: f'{measure}-{number + 1}'})
        else:
            for value in dict.fromkeys(values[~np.isnan(values)].tolist()):
                yield self._entry(variable, (values == value).astype(float), {measure: float(value)})

    def _entry(self, variable: EventVariable, counts: Floats, attributes: Mapping[str, str | float]) -> Events:
        keys = {key: value_of_key(key, self.used[0].search.query) for key in self.monitor.by}
        tags = frozenset(f'{key}:{value}' for key, value in keys.items() if not key.startswith('@'))
        own = {key.removeprefix('@'): value for key, value in keys.items() if key.startswith('@')}
        times = FIRST + self.monitor.window * np.arange(counts.size, dtype=np.float64)
        series = Series(f'events of {variable.name}', tags, times, counts, 'count', self.monitor.window)
        fields = {'message': 'a message', 'title': 'A title', 'text': 'a text'}
        return Events(product(variable), series, None, {**own, **attributes}, fields, (variable.name,))

    def _timeline(self, steps: Sequence[Level | None]) -> GroupTimeline:
        end = START + self.monitor.window * len(steps)
        evaluator = FormulaEvaluator(self.monitor, self._events(steps), START, end, 0, self.assumptions)
        if not evaluator.groups:
            raise UnusableInputError('the generated events have no group')
        return evaluator.timeline(evaluator.groups[0])

    def why_no_data_is_missed(self) -> str:
        return _KEPT if self.monitor.on_missing_data == 'default' else 'the silence is too short'

    def why_it_never_recovers(self) -> str:
        return 'no events tried cross the recovery thresholds'

    def why_never(self, state: State) -> str:
        limits, comparator = self.monitor.thresholds, self.monitor.comparator
        limit = f'{comparator} {limits.critical:g}'
        if state is State.WARN:
            limit = f'{comparator} {limits.warning:g} without {limit}'
        return f'{limit} never holds for the events tried'

    @cached_property
    def reporter(self) -> Reporter:
        keys = () if self.monitor.folded else self.monitor.by
        return Reporter(self.asset, self.monitor, keys, frozenset, self.rules, self.assumptions)


def _whole(variable: EventVariable) -> bool:
    """Whether the variable is a number of events or of values."""
    return variable.compute.aggregation in ('count', 'cardinality')


_KEPT = 'a window without events is 0, or keeps the state (rules 15.7 and 17.11)'
