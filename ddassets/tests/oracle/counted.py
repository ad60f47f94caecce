"""A second evaluator of monitors of counted events, from the text of section 15 of the semantics.

Instants are in seconds. The states of a group are those of `states.Group`, which metric monitors have too (rule 15.4).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor

from oracle.evaluation import MonitorQuery, Result
from oracle.queries import Number
from oracle.states import Group, History, Options

SHARES = {'median': 0.5, 'pc75': 0.75, 'pc90': 0.9, 'pc95': 0.95, 'pc98': 0.98, 'pc99': 0.99}


@dataclass(frozen=True)
class Event:
    """One event: when it happened, and what it has: tags and attributes by key, the latter without the @."""

    at: float
    tags: Mapping[str, str]
    attributes: Mapping[str, str | float]
    number: int

    def value(self, key: str) -> str | float | None:
        """The value of a facet or tag (rules 15.2 and 15.6)."""
        name = key.removeprefix('@')
        return self.attributes[name] if name in self.attributes else self.tags.get(name)


@dataclass(frozen=True)
class Counted:
    """A monitor. `folded`: its groups make one alert (rule 15.18)."""

    method: str
    measure: str | None
    by: tuple[str, ...]
    window: int
    options: Options
    retention: int
    folded: bool
    choices: Mapping[str, str]
    start: int
    end: int
    second: int
    events: Sequence[Event]

    @property
    def below(self) -> bool:
        return self.options.comparator in ('<', '<=')

    def groups(self) -> dict[tuple[str, ...], list[Event]]:
        """The events of each group; those that lack a key are in none."""
        if not self.by:
            return {(): list(self.events)}
        found: dict[tuple[str, ...], list[Event]] = {}
        for event in self.events:
            values = [event.value(key) for key in self.by]
            if None not in values:
                found.setdefault(tuple(f'{k}:{v}' for k, v in zip(self.by, values, strict=True)), []).append(event)
        return dict(sorted(found.items()))

    def inside(self, events: Sequence[Event], tick: int) -> list[Event]:
        """The events of the window of an evaluation (rule 15.5, A47)."""
        choice = self.choices['A47']
        bounds = self.choices['A1'] if choice == 'as A1' else choice
        end = tick - self.options.evaluation_delay
        start = end - self.window
        return [
            event
            for event in events
            if (start <= event.at if bounds[0] == '[' else start < event.at)
            and (event.at <= end if bounds[-1] == ']' else event.at < end)
        ]

    def rollup(self, events: Sequence[Event]) -> float | None:
        """The value of a window (rule 15.2); None where no event has the measure."""
        if self.method == 'count':
            return float(len(events))
        held = [value for event in events if (value := event.value(self.measure or '')) is not None]
        if self.method == 'cardinality':
            return float(len({value if isinstance(value, str) else f'{value:g}' for value in held})) if held else None
        numbers = sorted(value for value in held if not isinstance(value, str))
        if not numbers:
            return None
        if self.method in SHARES:
            # Rule 17.20: the rank q * (n - 1), and of it the lower value.
            return numbers[floor(SHARES[self.method] * (len(numbers) - 1) + 1e-9)]
        reducers: dict[str, Callable[[Sequence[float]], float]] = {
            'avg': lambda values: sum(values) / len(values),
            'sum': sum,
            'min': min,
            'max': max,
        }
        return reducers[self.method](numbers)

    @property
    def silence_is_zero(self) -> bool:
        """Whether a window without events is 0 (rule 15.7, A49)."""
        return self.method == 'count' or (self.method == 'cardinality' and self.choices['A49'] == 'yes')

    def newest(self, events: Sequence[Event], tick: int) -> list[Event]:
        """The events that may fill the variables: the newest of the window, and others of the same instant (A51)."""
        held = self.inside(events, tick)
        return [event for event in held if event.at == max(one.at for one in held)]

    def run(self) -> dict[tuple[str, ...], History]:
        if self.folded and self.by:
            return {(): _Folded(self, self.events).run(self.end, self.second)}
        return {group: _Group(self, each).run(self.end, self.second) for group, each in self.groups().items()}


class _Evaluation:
    """What `states.Group` asks of an evaluation."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def result(self) -> Result:
        return self._result

    def last(self) -> float | None:
        """Events have no points: the timer begins with the first silent evaluation."""
        return None


class _Group(Group):
    """One group, or all events of a monitor without groups."""

    def __init__(self, monitor: Counted, events: Sequence[Event]) -> None:
        self.monitor = monitor
        self.events = events
        query = MonitorQuery('sum', monitor.window, 's', Number(0.0))
        super().__init__(query, monitor.options, (), monitor.choices, monitor.start)
        self.multi = bool(monitor.by) and not monitor.folded
        self.retention = monitor.retention
        self.silent = False
        self.forget()
        if not self.multi:
            self.state = 'No Data'

    def evaluation(self, query: MonitorQuery, tick: int) -> '_Evaluation':  # type: ignore[override]
        held = self.monitor.inside(self.events, tick)
        self.silent = not held
        value = self.monitor.rollup(held) if held else None
        return _Evaluation(self.judged(value, tick))

    def judged(self, value: float | None, tick: int) -> Result:
        result = Result(value=value, empty=value is None, real=True, full=True)
        if self.multi and self.silent and self.monitor.below and self.choices['A50'] != '0 is compared':
            # Rule 15.8: it is not evaluated while another group has events; rule 15.9: else each is.
            if any(self.monitor.inside(events, tick) for events in self.monitor.groups().values()):
                return replace(result, empty=False)
        zero = self.options.missing == 'default' and self.monitor.silence_is_zero
        if not self.multi and value is None and zero:
            # Nobody has to have sent an event for a count to be 0 (rule 15.7).
            return replace(result, value=0.0, empty=False)
        return result

    def verdict(self, result: Result) -> str:
        return 'valued' if result.value is not None else 'empty' if result.empty else 'cancelled'

    def is_blank(self, result: Result, verdict: str) -> bool:
        return self.multi and self.silent

    def seen(self) -> Iterator[float]:
        return (event.at + self.options.evaluation_delay for event in self.events)

    def counts(self) -> bool:
        return self.monitor.silence_is_zero


class _Folded(_Group):
    """The worst of all groups with events (rule 15.18)."""

    def evaluation(self, query: MonitorQuery, tick: int) -> '_Evaluation':  # type: ignore[override]
        values = []
        self.silent = True
        for events in self.monitor.groups().values():
            if held := self.monitor.inside(events, tick):
                self.silent = False
                values.append(self.monitor.rollup(held))
        there = [value for value in values if value is not None]
        worst = (min if self.monitor.below else max)(there) if there else None
        return _Evaluation(self.judged(worst, tick))
