"""A monitor as the evaluator needs it: its query and the options that bear upon states and notifications."""

from dataclasses import dataclass
from typing import Literal

from ddassets.query.tree import MonitorQuery

type OnMissingData = Literal['show_no_data', 'show_and_notify_no_data', 'resolve', 'default']
_ON_MISSING_DATA = ('show_no_data', 'show_and_notify_no_data', 'resolve', 'default')
_TYPES = ('metric alert', 'query alert')


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits (section 3). `critical` is that of the query; None: not set."""

    critical: float
    warning: float | None = None
    critical_recovery: float | None = None
    warning_recovery: float | None = None


@dataclass(frozen=True)
class Monitor:
    """What decides a monitor's states and when it notifies. Durations are in seconds.

    `no_data_timeframe` None: the option is missing (A5). `renotify_interval` 0: off; `renotify_occurrences` None:
    without limit. `timeout` 0: never (rule 3.19). `new_group_delay` is that of rule 2.21 after defaults.
    """

    name: str
    query: MonitorQuery
    thresholds: Thresholds
    notify_no_data: bool = False
    no_data_timeframe: int | None = None
    on_missing_data: OnMissingData | None = None
    require_full_window: bool = False
    evaluation_delay: int = 0
    new_group_delay: int = 60
    timeout: int = 0
    renotify_interval: int = 0
    renotify_statuses: frozenset[str] = frozenset({'alert', 'no data'})
    renotify_occurrences: int | None = None
    draft: bool = False
    trigger_window: int | None = None
    recovery_window: int | None = None
    warnings: tuple[str, ...] = ()
