"""The life and the states of one group, tick by tick (rules 2.19, 2.21, 3.3 to 3.20 and 4.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from oracle.points import Answer, Held, Look, Question, Source
from oracle.words import Leaf, leaves, names

DAY = 86400
HOLDS = {
    '>': lambda value, limit: value > limit,
    '>=': lambda value, limit: value >= limit,
    '<': lambda value, limit: value < limit,
    '<=': lambda value, limit: value <= limit,
    '==': lambda value, limit: value == limit,
    '!=': lambda value, limit: value != limit,
}
# Rule 3.4.
RECOVERS = {'>': '<=', '>=': '<', '<': '>=', '<=': '>', '==': '!=', '!=': '=='}


@dataclass(frozen=True)
class Options:
    """A monitor but for its query; all durations in seconds."""

    comparator: str
    critical: float
    warning: float | None = None
    critical_recovery: float | None = None
    warning_recovery: float | None = None
    notify_no_data: bool = False
    no_data_timeframe: int | None = None
    on_missing_data: str | None = None
    require_full_window: bool = False
    evaluation_delay: int = 0
    new_group_delay: int = 60
    timeout: int = 0
    renotify_interval: int = 0
    renotify_statuses: tuple[str, ...] = ()
    renotify_occurrences: int | None = None
    draft: bool = False


@dataclass(frozen=True)
class Change:
    instant: int
    source: str
    target: str
    value: float | None
    notify: bool
    cause: str
    first: int | None
    last: int | None


@dataclass
class Life:
    """What one group went through: (tick, value, state) each tick, and its transitions."""

    ticks: list[tuple[int, float | None, str]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def cadence(window: int) -> int:
    """Rule 2.1."""
    return 60 if window < DAY else 600 if window < 2 * DAY else 1800


def ticks(start: int, end: int, second: int, window: int) -> list[int]:
    every = cadence(window)
    return list(range(start + (second - start) % every, end, every))


class Group:
    """One group of a monitor, from one tick to the next. States are those of rule 3.7, and 'absent'."""

    def __init__(
        self, question: Question, options: Options, sources: Sequence[Source], choices: Mapping[str, str], start: int
    ) -> None:
        self.question = question
        self.options = options
        self.sources = sources
        self.choices = choices
        self.start = start
        self.life = Life()
        self.memory: dict[tuple[object, ...], Held] = {}
        self.seen_since: float | None = None
        self.forget()
        if not question.by:
            self.state = 'No Data'

    def forget(self) -> None:
        self.state = 'absent'
        self.born = False
        self.first: int | None = None
        self.last: int | None = None
        self.told: str | None = None
        self.first_empty: int | None = None
        self.timed_out = False

    def live(self, end: int, second: int) -> Life:
        every = ticks(self.start, end, second, self.question.window)
        self.first_tick = every[0] if every else end
        for tick in every:
            value, state = self.step(tick)
            self.life.ticks.append((tick, value, state))
        return self.life

    def step(self, tick: int) -> tuple[float | None, str]:
        look = Look(self.question, self.sources, tick, self.options.evaluation_delay, self.choices, self.memory)
        answer = look.answer()
        verdict = self.verdict(answer)
        if verdict == 'empty':
            self.first_empty = tick if self.first_empty is None else self.first_empty
            if self.question.by and tick - self.first_empty >= DAY:
                # Rule 3.20.
                since = self.first_empty
                self.forget()
                self.seen_since, self.first_empty = None, since
                return None, self.state
        else:
            self.first_empty, self.timed_out = None, False
            if self.seen_since is None:
                self.seen_since = self.reported(tick)
        if not self.born and not self.comes(tick, verdict):
            return None, self.state
        if verdict == 'valued':
            assert answer.value is not None
            recovery = answer.value
            if self.question.recovery:
                window = replace(self.question, number=self.question.recovery // 60, unit='m')
                other = (
                    Look(window, self.sources, tick, self.options.evaluation_delay, self.choices, self.memory)
                    .answer()
                    .value
                )
                recovery = answer.value if other is None else other
            self.become(tick, self.compared(answer.value, recovery), answer.value, 'data')
            return answer.value, self.state
        if verdict == 'cancelled':
            return None, self.state
        target, value, cause = self.missing(tick, look)
        self.become(tick, target, value, cause)
        return value, self.state

    def verdict(self, answer: Answer) -> str:
        """Whether the evaluation returned a value, nothing, or is cancelled and keeps the state."""
        if answer.value is not None:
            if self.options.require_full_window and not answer.full:
                return 'cancelled' if self.choices['A3'] == 'skip' else 'empty'
            return 'valued'
        return 'empty' if answer.empty or self.choices['A4'] == 'no data' else 'cancelled'

    def reported(self, tick: int) -> float:
        """Since when the group is seen, in a row without a day of silence (rule 2.21)."""
        delay = self.options.evaluation_delay
        seen = sorted(
            max(time + delay, arrival)
            for source in self.sources
            for time, _, arrival in source.samples
            if max(time + delay, arrival) <= self.first_tick
        )
        since: float = tick
        for at in reversed(seen):
            if since - at >= DAY:
                break
            since = at
        return since

    def comes(self, tick: int, verdict: str) -> bool:
        """A group begins with a value (A21), a new one of a multi alert after its delay (rule 2.21)."""
        if verdict != 'valued':
            return False
        if self.question.by:
            assert self.seen_since is not None
            if tick < self.seen_since + self.options.new_group_delay:
                return False
        self.born, self.state = True, 'absent'
        return True

    def compared(self, value: float, recovery: float) -> str:
        """Rules 3.3 to 3.6."""
        options = self.options
        holds = HOLDS[options.comparator]
        if holds(value, options.critical):
            return 'Alert'
        if self.state == 'Alert' and not self.recovers(recovery, options.critical_recovery):
            return 'Alert'
        if options.warning is not None and holds(value, options.warning):
            return 'Warn'
        held_back = options.warning is not None and not self.recovers(recovery, options.warning_recovery)
        if held_back and (self.state == 'Warn' or (self.state == 'Alert' and self.choices['A9'] == 'yes')):
            return 'Warn'
        return 'OK'

    def recovers(self, value: float, limit: float | None) -> bool:
        return limit is None or HOLDS[RECOVERS[self.options.comparator]](value, limit)

    def missing(self, tick: int, look: Look) -> tuple[str, float | None, str]:
        """Rules 3.9 to 3.19: the state, the value that was compared, and what brought it."""
        options = self.options
        assert self.first_empty is not None
        if options.on_missing_data == 'default' and self.counts():
            return self.compared(0.0, 0.0), 0.0, 'data'
        if options.on_missing_data == 'resolve':
            return 'OK', None, 'on_missing_data'
        late = bool(options.timeout) and tick >= self.first_empty + options.timeout
        no_data = self.no_data_from(look)
        if no_data is not None and tick >= no_data:
            after = bool(options.timeout) and no_data > self.first_empty + options.timeout
            if not late or (after and self.choices['A22'] == 'stays'):
                return 'No Data', None, 'data'
        return ('OK' if late else self.state), None, 'timeout' if late else 'data'

    def no_data_from(self, look: Look) -> float | None:
        options = self.options
        assert self.first_empty is not None
        if options.on_missing_data in ('show_no_data', 'show_and_notify_no_data'):
            return self.first_empty
        if options.on_missing_data or not options.notify_no_data:
            return None
        last = look.last()
        # A6.
        origin = self.first_empty if last is None else last + options.evaluation_delay
        if self.choices['A6'] == 'first empty evaluation':
            origin = self.first_empty
        # A5.
        timeframe = self.question.window * (2 if self.choices['A5'] == '2x window' else 1)
        return origin + (timeframe if options.no_data_timeframe is None else options.no_data_timeframe)

    def counts(self) -> bool:
        """Rule 3.16, of a query all of whose parts count."""
        query = self.question.query
        return 'default_zero' not in names(query) and all(self.leaf_counts(leaf) for leaf in leaves(query))

    def leaf_counts(self, leaf: Leaf) -> bool:
        if leaf.counting == 'as_count' or (self.choices['A7'] == 'sum or count' and leaf.space == 'sum'):
            return True
        kinds = [one.kind for one in self.sources if one.metric == leaf.metric and leaf.scope.takes(one.tags)]
        return bool(kinds) and all(kind == 'count' for kind in kinds)

    def become(self, tick: int, target: str, value: float | None, cause: str) -> None:
        source, self.state = self.state, target
        if source == target or (source == 'absent' and target == 'OK'):
            return
        if target != 'OK':
            # Rule 4.7.
            self.first = tick if source in ('OK', 'absent') else self.first
            self.last = tick
        notify = self.tells(source, target)
        self.life.changes.append(
            Change(tick, source, target, value, notify, cause if target == 'OK' else 'data', self.first, self.last)
        )
        silent_recovery = source == 'No Data' and target == 'OK' and self.silent
        if silent_recovery:
            self.told = None
        elif notify:
            self.told = target

    @property
    def silent(self) -> bool:
        """Whether No Data is shown and not told (rules 3.9 and 3.15)."""
        return not self.options.notify_no_data and self.options.on_missing_data != 'show_and_notify_no_data'

    def tells(self, source: str, target: str) -> bool:
        if self.options.draft:
            return False
        if target == 'No Data':
            return not self.silent
        if source == 'No Data' and target == 'OK' and self.silent:
            # A8.
            known = self.told not in (None, 'OK')
            return {'always': True, 'never': False, 'after a trigger': known}[self.choices['A8']]
        return True
