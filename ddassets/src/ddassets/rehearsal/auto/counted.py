"""Survey a monitor of counted events with events generated from its own query (section 15)."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets import NotificationRule
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.column import Floats
from ddassets.engine.counted import CountedEvaluator, CountedMonitor
from ddassets.engine.downtime import Downtime
from ddassets.engine.events import Events
from ddassets.engine.series import Series
from ddassets.engine.state import State
from ddassets.engine.timeline import Group, GroupTimeline
from ddassets.language.counted import PRODUCTS
from ddassets.rehearsal.auto.answers import Survey, Surveyor, Verdict
from ddassets.rehearsal.auto.reporting import Reporter
from ddassets.rehearsal.auto.schedules import begun, wait
from ddassets.rehearsal.auto.survey import COURSE, START, conditions, last_level

#: The instant of the first events: evaluations happen on whole minutes, so that no event is at an end of a window.
FIRST = START + 30
#: Maximum of distinct values that are made for a cardinality; each is an entry of its own.
MAX_VALUES = 5000
#: A level lasts at least so many seconds.
HOLD = 300
# Levels tried around a threshold, in steps.
_STEPS = (-1, 0, 1)


@dataclass(frozen=True)
class MadeEvents:
    """Events for one monitor from FIRST on, for rehearsals of `seconds` from START on.

    They come in bursts, one evaluation window apart, so that every window holds one. `levels` are the values of the
    query by state.
    """

    events: Sequence[Events]
    levels: Mapping[str, float]
    seconds: int
    interval: int


def survey_counted(
    asset: MonitorAsset,
    monitor: CountedMonitor,
    downtimes: Sequence[Downtime] = (),
    rules: Sequence[NotificationRule] = (),
) -> Survey:
    """Generate events for a monitor, evaluate them, and report what happens. `rules` may add recipients.

    Raises UnusableInputError if it takes too many events.
    """
    return _Surveyor(asset, monitor, rules).survey(downtimes)


def make_events(asset: MonitorAsset, monitor: CountedMonitor) -> MadeEvents:
    """Generate the events of a survey. Raises UnusableInputError if no events make the monitor alert."""
    return _Surveyor(asset, monitor).made()


def group_of(monitor: CountedMonitor) -> Group:
    """Return the generated group: of each key the value that the search asks for, or the key and a number."""
    return tuple(f'{key}:{value_of_key(key, monitor.query.search)}' for key in monitor.query.by)


def value_of_key(key: str, search: str) -> str:
    """Return the value of a key that a search asks for, or the key and a number."""
    asked = re.search(rf'(?<![\w@.-]){re.escape(key)}:([\w.-]+)(?![\w.*?-])', search)
    return asked[1] if asked else f'{key.removeprefix("@")}-1'


class _Surveyor(Surveyor[CountedMonitor]):
    """Chooses a level for each state of one monitor, and evaluates bursts of events with these levels."""

    def __init__(self, asset: MonitorAsset, monitor: CountedMonitor, rules: Sequence[NotificationRule] = ()) -> None:
        self.asset = asset
        self.rules = rules
        self.monitor = begun(monitor, START)
        self.query = monitor.query
        self.assumptions = Assumptions()

    def survey(self, downtimes: Sequence[Downtime]) -> Survey:
        if not self._levels:
            return Survey(
                self.asset,
                alert=Verdict('no', self.why_never(State.ALERT)),
                recovery=Verdict('no', 'it never alerts'),
                idle_downtimes=tuple(self.reporter.idle(downtimes)),
            )
        steps, marks = self._steps()
        return self.answers(self._timeline(steps), marks, downtimes)

    def made(self) -> MadeEvents:
        if 'alert' not in self._levels:
            raise UnusableInputError(self.why_never(State.ALERT))
        steps, _ = self._steps()
        return MadeEvents(self._events(steps), self._levels, self.query.window * len(steps), self.query.window)

    @cached_property
    def _levels(self) -> dict[str, float]:
        """The value of the query in each state, of those that some events give; 0 where there are none."""
        found = {}
        for name, (condition, target) in conditions(self.monitor).items():
            fitting = [level for level in self._candidates(target) if condition(level)]
            if fitting:
                found[name] = min(fitting, key=lambda level: (abs(level - target), level))
        return found

    def _candidates(self, target: float) -> Iterator[float]:
        """Yield the values that events can give, near the thresholds and a target."""
        if self.query.method == 'cardinality' and self.query.measure in self.query.by:
            # A group has one value of its own key.
            yield 1.0
            return
        for limit in (target, *self.monitor.limits.values()):
            if not self._whole:
                step = max(abs(limit) / 100, 0.01)
                yield from (float(f'{limit + sign * step:.12g}') for sign in _STEPS)
            else:
                yield from (level for step in _STEPS if (level := math.floor(limit) + step) >= 1)
        if not self._whole:
            return
        if self._silence_is_zero:
            yield 0.0
        yield 1.0

    @property
    def _whole(self) -> bool:
        """Whether the value is a number of events or of values."""
        return self.query.method in ('count', 'cardinality')

    @cached_property
    def _silence_is_zero(self) -> bool:
        """Whether a window without events is 0 (rule 15.7, A49)."""
        return self.monitor.on_missing_data == 'default' and self.query.counts

    def _steps(self) -> tuple[list[float], dict[str, int]]:
        """Return the level of each burst, NaN for none: the COURSE, silence, OK.

        And the first bad and the first good instant, and that of the last events before the silence.
        """
        window, levels = self.query.window, self._levels
        seconds = max(HOLD, self.monitor.new_group_delay + 120) + wait(self.monitor, START)
        hold = math.ceil(seconds / window)
        steps: list[float] = []
        marks: dict[str, int] = {}
        names = [name for name in COURSE if name in levels]
        for number, name in enumerate(names):
            if name == 'alert' and 'bad' not in marks:
                marks['bad'] = FIRST + window * len(steps)
                if names[number + 1 : number + 2] == ['ok']:
                    marks['good'] = marks['bad'] + window * hold
            steps += [levels[name]] * hold
        bursts = [number for number, level in enumerate(steps) if level or not self._whole]
        if bursts:
            marks['last'] = FIRST + window * bursts[-1]
        steps += [math.nan] * (hold + math.ceil(self._silence() / window))
        return steps + [last_level(levels)] * hold, marks

    def _silence(self) -> int:
        """Return the seconds of a silence: enough for No Data, less than the retention of a group."""
        monitor = self.monitor
        timeframe = (monitor.no_data_timeframe or 2 * self.query.window) if monitor.notify_no_data else 0
        retention = monitor.retention or 86400
        return monitor.evaluation_delay + min(max(timeframe, monitor.timeout) + 600, max(retention - 600, 600))

    def _events(self, steps: Sequence[float]) -> list[Events]:
        """Return the events of each burst."""
        bursts = np.nan_to_num(np.array(steps))
        query = self.query
        name = (query.measure or '').removeprefix('@')
        if query.method == 'count':
            return [self._entry(0, bursts, {})]
        if query.method == 'cardinality':
            if bursts.max() > MAX_VALUES:
                raise UnusableInputError(f'it takes {bursts.max():g} distinct values of {query.measure}')
            if query.measure in query.by:
                return [self._entry(0, np.minimum(bursts, 1.0), {})]
            return [
                self._entry(number, (bursts > number).astype(float), {name: f'{name}-{number + 1}'})
                for number in range(int(bursts.max()))
            ]
        values = np.array(steps)
        return [
            self._entry(number, (values == value).astype(float), {name: float(value)})
            for number, value in enumerate(dict.fromkeys(values[~np.isnan(values)].tolist()))
        ]

    def _entry(self, number: int, counts: Floats, attributes: Mapping[str, str | float]) -> Events:
        tags = [tag for tag in group_of(self.monitor) if not tag.startswith('@')]
        own = {
            key.removeprefix('@'): tag.removeprefix(f'{key}:')
            for key, tag in zip(self.query.by, group_of(self.monitor), strict=True)
            if key.startswith('@')
        }
        times = FIRST + self.query.window * np.arange(counts.size, dtype=np.float64)
        series = Series(f'events {number}', frozenset(tags), times, counts, 'count', self.query.window)
        fields = {'event': {'title': 'A title', 'text': 'a text'}, 'log': {'message': 'a message'}}
        return Events(
            self.query.product,
            series,
            None,
            {**attributes, **own},
            fields.get(PRODUCTS[self.query.product], {}),
        )

    def _timeline(self, steps: Sequence[float]) -> GroupTimeline:
        end = START + self.query.window * len(steps)
        evaluator = CountedEvaluator(self.monitor, self._events(steps), START, end, 0, self.assumptions)
        return evaluator.timeline(evaluator.groups[0])

    def why_no_data_is_missed(self) -> str:
        return 'a window without events is evaluated as 0' if self._silence_is_zero else _KEPT

    def why_it_never_recovers(self) -> str:
        if 'ok' in self._levels:
            return 'no events tried cross the recovery thresholds'
        if self._whole and not self._silence_is_zero:
            return f'only 0 would be OK, and {_KEPT if self._keeps else "no events are No Data"}'
        return 'no value crosses the recovery thresholds'

    @property
    def _keeps(self) -> bool:
        return self.monitor.on_missing_data in (None, 'default')

    def why_never(self, state: State) -> str:
        limits, query = self.monitor.thresholds, self.query
        limit = f'{query.comparator} {limits.critical:g}'
        if state is State.WARN:
            limit = f'{query.comparator} {limits.warning:g} without {limit}'
        least = (
            '' if self._silence_is_zero else f', and 0 is none here: {_KEPT}' if self._keeps else ', and 0 is No Data'
        )
        what = {'count': 'a number of events is whole', 'cardinality': 'a number of values is whole'}
        return f'{limit} never holds: ' + (
            f'{what[query.method]} and never below 0{least}' if self._whole else 'no value tried is in that range'
        )

    @cached_property
    def reporter(self) -> Reporter:
        keys = () if self.monitor.folded else self.query.by
        return Reporter(self.asset, self.monitor, keys, frozenset, self.rules, self.assumptions)


_KEPT = 'a window without events keeps the state (rule 15.7)'
