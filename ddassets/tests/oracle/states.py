"""The states of one group, tick by tick (rules 2.19, 2.21, 3.3 to 3.20 and 4.7)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from oracle.arithmetic import FILLERS
from oracle.evaluation import Evaluation, MonitorQuery, Result, prepared
from oracle.queries import Leaf, leaves, names
from oracle.series import Source, SourceBuckets

DAY = 86400
MINUTE = 60
HOLDS: dict[str, Callable[[float, float], bool]] = {
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
    """A monitor without its query; all durations in seconds."""

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

    @property
    def missing(self) -> str | None:
        """on_missing_data, unless notify_no_data is true beside it (rule 3.14)."""
        return None if self.notify_no_data else self.on_missing_data

    @property
    def silent(self) -> bool:
        """Whether No Data is shown without a notification (rules 3.9 and 3.15)."""
        return not self.notify_no_data and self.on_missing_data != 'show_and_notify_no_data'


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
class History:
    """(tick, value, state) of a group at each tick, and its transitions."""

    ticks: list[tuple[int, float | None, str]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def cadence(window: int) -> int:
    """Rule 2.1."""
    return 60 if window < DAY else 600 if window < 2 * DAY else 1800


def ticks(start: int, end: int, second: int, window: int) -> list[int]:
    every = cadence(window)
    return list(range(start + (second - start) % every, end, every))


def evaluated_as(query: MonitorQuery, choices: Mapping[str, str]) -> int:
    """The window that decides the cadence (rule 16.8, A54)."""
    return MINUTE if query.current and choices['A54'] == 'every minute' else query.window


class Group:
    """One group of a monitor, from one tick to the next. States are those of rule 3.7, and 'absent'."""

    def __init__(
        self, query: MonitorQuery, options: Options, sources: Sequence[Source], choices: Mapping[str, str], start: int
    ) -> None:
        self.query = prepared(query, sources)
        self.options = options
        self.sources = sources
        self.choices = choices
        self.start = start
        # The one group of a query without any series is that of a simple alert (rule 20.7).
        self.multi = bool(query.by) and bool(sources)
        self.retention = DAY
        self.history = History()
        self.cache: dict[tuple[object, ...], SourceBuckets] = {}
        self.seen_since: float | None = None
        self.forget()
        if not self.multi:
            self.state = 'No Data'

    def forget(self) -> None:
        self.state = 'absent'
        self.born = False
        self.first: int | None = None
        self.last: int | None = None
        self.notified: str | None = None
        self.first_empty: int | None = None
        self.silent_since: int | None = None

    def run(self, end: int, second: int) -> History:
        every = ticks(self.start, end, second, evaluated_as(self.query, self.choices))
        self.first_tick = every[0] if every else end
        for tick in every:
            value, state = self.step(tick)
            self.history.ticks.append((tick, value, state))
        return self.history

    def evaluation(self, query: MonitorQuery, tick: int) -> Evaluation:
        delay = self.options.evaluation_delay
        return Evaluation(query, self.sources, tick, delay, self.choices, self.cache, self.start)

    def step(self, tick: int) -> tuple[float | None, str]:
        evaluation = self.evaluation(self.query, tick)
        result = evaluation.result()
        if not self.sources and not self.multi:
            # Rule 20.7: the one group of default() without any series waits for no data.
            result = replace(result, real=True)
        verdict = self.verdict(result)
        self.first_empty = (tick if self.first_empty is None else self.first_empty) if verdict == 'empty' else None
        if self.is_blank(result, verdict):
            self.silent_since = tick if self.silent_since is None else self.silent_since
            if self.multi and tick - self.silent_since >= self.retention:
                # Rule 3.20.
                silent_since, first_empty = self.silent_since, self.first_empty
                # Rule 2.21: it is new after a day.
                seen_since = self.seen_since if tick - silent_since < DAY else None
                self.forget()
                self.seen_since, self.silent_since, self.first_empty = seen_since, silent_since, first_empty
                return None, self.state
        else:
            self.silent_since = None
            if self.seen_since is None:
                self.seen_since = self.reported(tick)
        if not self.born and not self.comes(tick, verdict == 'valued' and result.real):
            return None, self.state
        if verdict == 'valued':
            assert result.value is not None
            self.become(tick, self.compared(result.value, self.recovery(tick, result.value)), result.value, 'data')
            return result.value, self.state
        if verdict == 'cancelled':
            return None, self.state
        target, value, cause = self.missing(tick, evaluation)
        self.become(tick, target, value, cause)
        return value, self.state

    def is_blank(self, result: Result, verdict: str) -> bool:
        """Whether the window holds no data: default_zero() and default() give values to a group whose data stopped."""
        filled = bool(set(FILLERS) & set(names(self.query.query)))
        return not result.real if filled else verdict == 'empty'

    def recovery(self, tick: int, value: float) -> float:
        """What recovery thresholds are compared with: with a stub the value over recovery_window (rule 6.3)."""
        if not self.query.recovery:
            return value
        window = replace(self.query, number=self.query.recovery // 60, unit='m')
        over_recovery_window = self.evaluation(window, tick).result().value
        return value if over_recovery_window is None else over_recovery_window

    def verdict(self, result: Result) -> str:
        """Whether the evaluation returned a value, nothing, or is cancelled and keeps the state."""
        if result.value is not None:
            # A55: a cumulative window is not asked to be full.
            if self.options.require_full_window and not self.query.current and not result.full:
                return 'cancelled' if self.choices['A3'] == 'skip' else 'empty'
            return 'valued'
        return 'empty' if result.empty or self.choices['A4'] == 'no data' else 'cancelled'

    def reported(self, tick: int) -> float:
        """Return since when the group has reported without a day of missing data (rule 2.21)."""
        since: float = tick
        for at in sorted((at for at in self.seen() if at <= self.first_tick), reverse=True):
            if since - at >= DAY:
                break
            since = at
        return since

    def seen(self) -> Iterator[float]:
        """From when each sample can be in an evaluated window."""
        delay = self.options.evaluation_delay
        return (max(time + delay, arrival) for source in self.sources for time, _, arrival in source.samples)

    def comes(self, tick: int, reports: bool) -> bool:
        """Whether a group begins: when it reports (A21), a new one of a multi alert after its delay (rule 2.21)."""
        if not reports:
            return False
        if self.multi:
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
        if limit is None:
            return True
        # Rule 6.3: a share of 0 recovers at a threshold of 0, which is what the documentation recommends.
        inclusive = self.query.stub and self.options.comparator == '>='
        return HOLDS['<=' if inclusive else RECOVERS[self.options.comparator]](value, limit)

    def missing(self, tick: int, evaluation: Evaluation) -> tuple[str, float | None, str]:
        """Rules 3.9 to 3.19: the state, the value that is compared, and the cause."""
        options = self.options
        assert self.first_empty is not None
        if self.zero() or (options.missing == 'default' and self.counts()):
            return self.compared(0.0, 0.0), 0.0, 'data'
        if options.missing == 'resolve':
            return 'OK', None, 'on_missing_data'
        late = bool(options.timeout) and tick >= self.first_empty + options.timeout
        no_data = self.no_data_from(evaluation)
        if no_data is not None and tick >= no_data:
            after = bool(options.timeout) and no_data > self.first_empty + options.timeout
            if not late or (after and self.choices['A22'] == 'stays'):
                return 'No Data', None, 'data'
        return ('OK' if late else self.state), None, 'timeout' if late else 'data'

    def no_data_from(self, evaluation: Evaluation) -> float | None:
        options = self.options
        assert self.first_empty is not None
        if options.missing in ('show_no_data', 'show_and_notify_no_data'):
            return self.first_empty
        if options.missing or not options.notify_no_data:
            return None
        last = evaluation.last()
        # A6.
        origin = self.first_empty if last is None else last + options.evaluation_delay
        if self.choices['A6'] == 'first empty evaluation':
            origin = self.first_empty
        # A5.
        timeframe = self.query.window * (2 if self.choices['A5'] == '2x window' else 1)
        return origin + (timeframe if options.no_data_timeframe is None else options.no_data_timeframe)

    def zero(self) -> bool:
        """Whether missing data is zero whatever the options (rules 3.15 and 3.16)."""
        return 'default_zero' in names(self.query.query)

    def counts(self) -> bool:
        """Whether the query counts: all of its metric queries do (rule 3.16)."""
        return all(self.leaf_counts(leaf) for leaf in leaves(self.query.query))

    def leaf_counts(self, leaf: Leaf) -> bool:
        if leaf.counting == 'as_count' or (self.choices['A7'] == 'sum or count' and leaf.space in ('sum', 'count')):
            return True
        kinds = [one.kind for one in self.sources if one.metric == leaf.metric and leaf.scope.takes(one.tags)]
        # Of a distribution, only the number of values is a count (rule 20.22).
        counted = ('count', 'distribution') if leaf.space == 'count' else ('count',)
        return bool(kinds) and all(kind in counted for kind in kinds)

    def become(self, tick: int, target: str, value: float | None, cause: str) -> None:
        source, self.state = self.state, target
        if source == target or (source == 'absent' and target == 'OK'):
            return
        if target != 'OK':
            # Rule 4.7.
            self.first = tick if source in ('OK', 'absent') else self.first
            self.last = tick
        notify = self.notifies(source, target)
        self.history.changes.append(
            Change(tick, source, target, value, notify, cause if target == 'OK' else 'data', self.first, self.last)
        )
        silent_recovery = source == 'No Data' and target == 'OK' and self.options.silent
        if silent_recovery:
            self.notified = None
        elif notify:
            self.notified = target

    def notifies(self, source: str, target: str) -> bool:
        if self.options.draft:
            return False
        if target == 'No Data':
            return not self.options.silent
        if source == 'No Data' and target == 'OK' and self.options.silent:
            # A8.
            known = self.notified not in (None, 'OK')
            return {'always': True, 'never': False, 'after a trigger': known}[self.choices['A8']]
        return True
