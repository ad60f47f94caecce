"""A monitor in the form that the engine uses: its query, and the options that decide states and notifications."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, time
from math import isnan
from pathlib import Path
from typing import Any, cast

from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.assets.monitor import read_monitor
from ddassets.assets.monitor_table import EvaluationWindow, MonitorOptions
from ddassets.assets.refusal import refuse
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.cumulative import CumulativeUnit, CumulativeWindow
from ddassets.engine.schedule import Schedule, schedule_of
from ddassets.engine.state import State
from ddassets.engine.timeline import Instants, evaluation_instants
from ddassets.language.query.printing import render
from ddassets.language.query.tree import Comparator, Metric, MonitorQuery, Scope, Variable, metrics, walk
from ddassets.language.query.vocabulary import is_percentile

TYPES = ('metric alert', 'query alert')
DEFAULT_GROUP_DELAY = 60


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds (section 3). `critical` is that of the query; None: not set."""

    critical: float
    warning: float | None = None
    critical_recovery: float | None = None
    warning_recovery: float | None = None


@dataclass(frozen=True)
class AnyMonitor:
    """The options that all types of monitors have: they decide when a monitor notifies. Durations are in seconds.

    `no_data_timeframe` None: the option is missing (A5). `timeout` 0: never (rule 3.19). `renotify_interval` 0: off;
    `renotify_occurrences` None: without limit.
    """

    name: str
    _: KW_ONLY
    notify_no_data: bool = False
    no_data_timeframe: int | None = None
    on_missing_data: str | None = None
    timeout: int = 0
    renotify_interval: int = 0
    renotify_statuses: frozenset[str] = frozenset({'alert', 'no data'})
    renotify_occurrences: int | None = None
    draft: bool = False

    @property
    def silent_no_data(self) -> bool:
        """Whether No Data is shown but does not notify (rules 3.9 and 3.15)."""
        return not self.notify_no_data and self.on_missing_data != 'show_and_notify_no_data'

    @property
    def scheduled(self) -> bool:
        """Whether each evaluation notifies by itself, without recoveries, as with a custom schedule (rule 16.15)."""
        return False

    @property
    def states(self) -> tuple[State, ...]:
        """The states that the options allow, beginning with OK.

        The initial No Data of a simple alert does not count (rule 3.7).
        """
        return State.OK, *self._troubles()

    def _troubles(self) -> Iterator[State]:
        yield State.ALERT
        if self.notify_no_data or self.on_missing_data in ('show_no_data', 'show_and_notify_no_data'):
            yield State.NO_DATA

    @property
    def limits(self) -> Mapping[str, float]:
        """The thresholds that are set, by option name."""
        return {}

    @property
    def comparator(self) -> str:
        """How a value is compared with the thresholds; empty if it is not."""
        return ''

    @property
    def has_percentile(self) -> bool:
        """Whether values come from percentiles, which Datadog computes from sketches (rule 17.20)."""
        return False

    @property
    def metric(self) -> str:
        """The metric of a query of a single metric, else an empty text."""
        return ''

    @property
    def scope(self) -> Scope | None:
        """The filter of a query of a single metric."""
        return None

    @property
    def variables(self) -> Mapping[str, float | str | None]:
        """The constant variables of a message (rule 4.6)."""
        return {}

    @property
    def empty_variables(self) -> Mapping[str, Assumption]:
        """The variables that are empty for this monitor type, with the assumption that says so."""
        return {}

    @property
    def legend(self) -> str:
        """The meaning of the query's parts, if the query does not contain it."""
        return ''

    def varies(self, name: str) -> bool:
        """Whether a variable, such as `value` or `a.status`, may differ between two notifications of a group."""
        return '.' not in name


@dataclass(frozen=True)
class ThresholdMonitor(AnyMonitor, ABC):
    """A monitor that compares a value with thresholds.

    `new_group_delay` is the effective value (rule 2.21). `retention`: seconds after which a group without data is
    dropped (rule 15.10); None: the retention of metrics (rule 3.20). `schedule`: when it is evaluated; None: by its
    window (rule 2.1).
    """

    thresholds: Thresholds
    _: KW_ONLY
    evaluation_delay: int = 0
    new_group_delay: int = DEFAULT_GROUP_DELAY
    retention: int | None = None
    schedule: Schedule | None = None

    @property
    def scheduled(self) -> bool:
        return self.schedule is not None

    @property
    @abstractmethod
    def comparator(self) -> Comparator:
        """How the value is compared with the thresholds."""

    def _troubles(self) -> Iterator[State]:
        if self.thresholds.warning is not None:
            yield State.WARN
        yield from super()._troubles()

    @property
    def limits(self) -> Mapping[str, float]:
        limits = {name: getattr(self.thresholds, name) for name in Thresholds.__slots__}
        return {name: limit for name, limit in limits.items() if limit is not None and not isnan(limit)}

    @property
    def variables(self) -> Mapping[str, float | str | None]:
        return {
            'threshold': None if isnan(self.thresholds.critical) else self.thresholds.critical,
            'warn_threshold': self.thresholds.warning,
            'alert_recovery_threshold': self.thresholds.critical_recovery,
            'warn_recovery_threshold': self.thresholds.warning_recovery,
            'comparator': self.comparator,
        }


@dataclass(frozen=True)
class Monitor(ThresholdMonitor):
    """A metric monitor. `stub_windows` are the trigger and recovery windows of anomalies (rule 6.3).

    `cumulative` says where the windows of a query with a `current_…` period begin (section 16).
    `critical_query` and `recovery_query` are those of a dynamic threshold; `thresholds.critical` is NaN then (17.14).
    """

    query: MonitorQuery
    _: KW_ONLY
    require_full_window: bool = False
    stub_windows: tuple[int, int] | None = None
    cumulative: CumulativeWindow | None = None
    critical_query: MonitorQuery | None = None
    recovery_query: MonitorQuery | None = None

    @property
    def comparator(self) -> Comparator:
        return self.query.comparator

    @property
    def has_percentile(self) -> bool:
        return any(is_percentile(metric.aggregator or '') for metric in metrics(self.query.expression))

    @property
    def legend(self) -> str:
        """The queries of a formula's variables; without a rollup also what reduces each of them (rule 17.6)."""
        found = dict.fromkeys(part for part in walk(self.query) if isinstance(part, Variable))
        method = '' if self.query.rollup else '{one.method} of '
        return ', '.join(f'{one.name} is {method.format(one=one)}{render(one.expression)}' for one in found)

    @property
    def metric(self) -> str:
        return self.query.expression.name if isinstance(self.query.expression, Metric) else ''

    @property
    def scope(self) -> Scope | None:
        return self.query.expression.scope if isinstance(self.query.expression, Metric) else None


def read(body: Mapping[str, Any]) -> Monitor:
    """Read a monitor from the API's form: `name`, `type`, `query` and `options`. Raises like `of`."""
    return of(read_monitor(Unplaced(Path(str(body.get('name') or 'monitor'))), body))


def of(asset: MonitorAsset, formula: MonitorQuery | None = None) -> Monitor:
    """Return what the engine needs of a monitor. `formula`: its query, if that is a formula, with its variables.

    Raises UnusableInputError with every error of the asset, and Unsupported for what is outside the subset.
    """
    name = asset.name or 'monitor'
    if asset.errors:
        refuse(asset.errors)
    query, options = formula or asset.tree, asset.options
    if asset.type not in TYPES:
        raise Unsupported(f'type {asset.type!r}', None, 'monitors of this type are not evaluated', name)
    if not isinstance(query, MonitorQuery):
        raise Unsupported('query', None, 'belongs to another product', name)
    keys = {key.name for metric in metrics(query) for key in metric.by}
    return Monitor(
        query=query,
        thresholds=Thresholds(
            critical=query.threshold,
            warning=options.thresholds.warning,
            critical_recovery=options.thresholds.critical_recovery,
            warning_recovery=options.thresholds.warning_recovery,
        ),
        require_full_window=options.require_full_window,
        evaluation_delay=options.evaluation_delay,
        new_group_delay=_group_delay(options, hosts='host' in keys),
        stub_windows=_stub_windows(options),
        cumulative=_cumulative(query, options.scheduling_options.evaluation_window),
        **common_options(asset)
        # Both may be stored, and then the older option decides (rule 3.14).
        | {'on_missing_data': None if options.notify_no_data else options.on_missing_data}
        | scheduled_options(asset),
    )


def common_options(asset: MonitorAsset) -> dict[str, Any]:
    """Return the fields of `AnyMonitor` except `on_missing_data`, which some monitor types lack."""
    options = asset.options
    timeframe = options.no_data_timeframe
    return {
        'name': asset.name or 'monitor',
        'notify_no_data': options.notify_no_data,
        'no_data_timeframe': None if timeframe is None else timeframe * 60,
        'timeout': int(options.timeout_h * 3600),
        'renotify_interval': options.renotify_interval * 60,
        'renotify_statuses': frozenset(options.renotify_statuses) or frozenset({'alert', 'no data'}),
        'renotify_occurrences': options.renotify_occurrences,
        'draft': asset.fields.draft_status == 'draft',
    }


def scheduled_options(asset: MonitorAsset) -> dict[str, Any]:
    """Return what a custom schedule makes of the options: nothing happens between evaluations (A57).

    Older bodies without `on_missing_data` are read as `default` (rule 16.18).
    """
    schedule = schedule_of(asset)
    if schedule is None:
        return {}
    return {
        'schedule': schedule,
        'on_missing_data': asset.options.on_missing_data or 'default',
        'notify_no_data': False,
        'timeout': 0,
        'renotify_interval': 0,
    }


def evaluation_ticks(
    monitor: ThresholdMonitor, start: int, end: int, second: int, window: int, assumptions: Assumptions
) -> Instants:
    """Return when a monitor is evaluated in [start, end): by its schedule, or by its window (rules 2.1 and 16.12)."""
    if monitor.schedule is not None:
        return monitor.schedule.ticks(start, end, second, assumptions)
    return evaluation_instants(start, end, second, window)


def _cumulative(query: MonitorQuery, options: EvaluationWindow | None) -> CumulativeWindow | None:
    """Return where the windows of a `current_…` period begin; both are there or neither is (rule 16.9)."""
    if query.window.kind != 'current' or options is None:
        return None
    return CumulativeWindow(
        unit=cast(CumulativeUnit, query.window.unit),
        minute=options.hour_starts or 0,
        at=options.day_starts or time(0),
        month_day=options.month_starts or 1,
        zone=options.timezone or UTC,
    )


def _group_delay(options: MonitorOptions, hosts: bool) -> int:
    """Return the delay of new groups: new_host_delay applies to groups of hosts without another delay (rule 2.21)."""
    if not options.new_group_delay and options.new_host_delay is not None and hosts:
        return options.new_host_delay
    return DEFAULT_GROUP_DELAY if options.new_group_delay is None else options.new_group_delay


def _stub_windows(options: MonitorOptions) -> tuple[int, int] | None:
    """The trigger and recovery windows in seconds (rule 6.3)."""
    windows = options.threshold_windows
    trigger, recovery = windows.trigger_window, windows.recovery_window
    if not trigger and not recovery:
        return None
    if not trigger or not recovery:
        raise UnusableInputError('options.threshold_windows: expected trigger_window and recovery_window, found one')
    return trigger, recovery


# Rule 3.4: what has to hold for a recovery.
COMPLEMENTS: Mapping[Comparator, Comparator] = {'>': '<=', '>=': '<', '<': '>=', '<=': '>'}
