"""A monitor as the evaluator needs it: its query and the options that bear upon states and notifications."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ddassets.diagnostic import Unsupported, UnusableInputError
from ddassets.language.query.syntax import QuerySyntaxError, parse_monitor
from ddassets.language.query.tree import Comparator, MonitorQuery, metrics

type OnMissingData = Literal['show_no_data', 'show_and_notify_no_data', 'resolve', 'default']
_ON_MISSING_DATA: tuple[OnMissingData, ...] = ('show_no_data', 'show_and_notify_no_data', 'resolve', 'default')
_TYPES = ('metric alert', 'query alert')
_STATUSES = ('alert', 'warn', 'no data')
_DRAFT_STATUSES = ('draft', 'published')
DEFAULT_GROUP_DELAY = 60


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

    `no_data_timeframe` None: the option is missing (A5). `timeout` 0: never (rule 3.19). `renotify_interval` 0: off;
    `renotify_occurrences` None: without limit. `new_group_delay` is that of rule 2.21 after defaults. `stub_windows`
    are the trigger and recovery windows of anomalies (rule 6.3).
    """

    name: str
    query: MonitorQuery
    thresholds: Thresholds
    notify_no_data: bool = False
    no_data_timeframe: int | None = None
    on_missing_data: OnMissingData | None = None
    require_full_window: bool = False
    evaluation_delay: int = 0
    new_group_delay: int = DEFAULT_GROUP_DELAY
    timeout: int = 0
    renotify_interval: int = 0
    renotify_statuses: frozenset[str] = frozenset({'alert', 'no data'})
    renotify_occurrences: int | None = None
    draft: bool = False
    stub_windows: tuple[int, int] | None = None

    @property
    def silent_no_data(self) -> bool:
        """Whether No Data is shown and not notified (rules 3.9 and 3.15)."""
        return not self.notify_no_data and self.on_missing_data != 'show_and_notify_no_data'


def read(body: Mapping[str, Any]) -> Monitor:
    """Read a monitor from the API's form: `name`, `type`, `query` and `options`.

    Raises Unsupported for what is outside the subset, UnusableInputError for what the API would refuse, both with the
    monitor's name.
    """
    name = str(body.get('name') or 'monitor')
    try:
        return _read(name, body)
    except Unsupported as error:
        raise Unsupported(error.name, error.column, error.reason, name) from None
    except UnusableInputError as error:
        raise UnusableInputError(f'{name}: {error}') from None


def _read(name: str, body: Mapping[str, Any]) -> Monitor:
    if body.get('type') not in _TYPES:
        raise Unsupported(f'type {body.get("type")!r}', None, f'only {" and ".join(_TYPES)} are evaluated')
    try:
        query = parse_monitor(str(body.get('query') or ''))
    except QuerySyntaxError as error:
        raise UnusableInputError(f'query: {error}') from None
    options = _Options(body.get('options') or {}, 'options')
    _refuse(options, query)
    # No state depends on these, but a message that goes out does.
    options.text('escalation_message')
    options.flag('include_tags')
    legacy = options.flag('notify_no_data')
    on_missing_data = options.choice('on_missing_data', _ON_MISSING_DATA)
    if legacy and on_missing_data is not None:
        raise UnusableInputError('options: notify_no_data and on_missing_data exclude each other (rule 3.14)')
    timeout = options.number('timeout_h', 0, 24) or 0.0
    if on_missing_data == 'resolve' and timeout:
        raise UnusableInputError(f'options.timeout_h: found {timeout:g}, with on_missing_data resolve it has to be 0')
    timeframe = options.number('no_data_timeframe', 0, 1440)
    return Monitor(
        name=name,
        query=query,
        thresholds=_thresholds(options.part('thresholds'), query),
        notify_no_data=legacy,
        no_data_timeframe=None if timeframe is None else int(timeframe * 60),
        on_missing_data=on_missing_data,
        require_full_window=options.flag('require_full_window'),
        evaluation_delay=int(options.number('evaluation_delay', 0, 86400) or 0),
        new_group_delay=_group_delay(options, query),
        timeout=int(timeout * 3600),
        renotify_interval=int((options.number('renotify_interval', 0) or 0) * 60),
        renotify_statuses=options.choices('renotify_statuses', _STATUSES) or frozenset({'alert', 'no data'}),
        renotify_occurrences=_whole(options.number('renotify_occurrences', 0)),
        draft=_Options(body).choice('draft_status', _DRAFT_STATUSES) == 'draft',
        stub_windows=_stub_windows(options),
    )


@dataclass(frozen=True)
class _Options:
    """A JSON object whose values are checked as they are read; None and a missing key are the same."""

    values: Mapping[str, Any]
    place: str = ''

    def __post_init__(self) -> None:
        if not isinstance(self.values, Mapping):
            raise UnusableInputError(f'{self.place}: found {self.values!r}, expected an object')

    def at(self, key: str) -> str:
        """Where a key's value stands, from the monitor's body on."""
        return f'{self.place}.{key}' if self.place else key

    def part(self, key: str) -> '_Options':
        """The object at a key."""
        return _Options(self.values.get(key) or {}, self.at(key))

    def text(self, key: str) -> str:
        value = self.values.get(key)
        if not isinstance(value, str | None):
            raise UnusableInputError(f'{self.at(key)}: found {_shown(value)}, expected a text')
        return value or ''

    def texts(self, key: str) -> list[str]:
        values = self.values.get(key) or []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise UnusableInputError(f'{self.at(key)}: found {values!r}, expected a list of texts')
        return values

    def number(self, key: str, least: float | None = None, greatest: float | None = None) -> float | None:
        value = self.values.get(key)
        if value is None:
            return None
        # YAML has numbers that are none and endless ones, and a whole number may be too large for a float.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
            raise UnusableInputError(f'{self.at(key)}: found {_shown(value)}, expected a number')
        if (least is not None and not value >= least) or (greatest is not None and not value <= greatest):
            bounds = f'{least:g} to {greatest:g}' if greatest is not None else f'at least {least:g}'
            raise UnusableInputError(f'{self.at(key)}: found {value!r}, expected {bounds}')
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.values.get(key)
        if not isinstance(value, bool | None):
            raise UnusableInputError(f'{self.at(key)}: found {value!r}, expected true or false')
        return bool(value)

    def choice[T: str](self, key: str, allowed: tuple[T, ...]) -> T | None:
        value = self.values.get(key)
        for one in allowed:
            if value == one:
                return one
        if value is None:
            return None
        raise UnusableInputError(f'{self.at(key)}: found {value!r}, allowed are {", ".join(allowed)}')

    def choices(self, key: str, allowed: Sequence[str]) -> frozenset[str]:
        values = self.values.get(key) or []
        if not isinstance(values, list) or not set(map(str, values)) <= set(allowed):
            raise UnusableInputError(f'{self.at(key)}: found {values!r}, allowed are {", ".join(allowed)}')
        return frozenset(values)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f'{text[:40]}…'


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _refuse(options: _Options, query: MonitorQuery) -> None:
    """Refuse the options that change evaluation in ways which are not modelled."""
    schedule = options.part('scheduling_options')
    for key in ('custom_schedule', 'evaluation_window'):
        if schedule.values.get(key):
            raise Unsupported(f'options.scheduling_options.{key}', None, 'is outside the subset')
    if options.values.get('variables'):
        raise Unsupported('options.variables', None, 'formula monitors are outside the subset')
    if options.part('thresholds').values.get('critical_query'):
        raise Unsupported('options.thresholds.critical_query', None, 'dynamic thresholds are outside the subset')
    notify_by = options.texts('notify_by')
    keys = {key.name for metric in metrics(query) for key in metric.by}
    if notify_by and set(notify_by) != keys:
        raise Unsupported(
            'options.notify_by', None, f'{notify_by!r}: how groups fold into one notification is not documented'
        )


def _group_delay(options: _Options, query: MonitorQuery) -> int:
    """Rule 2.21: new_host_delay counts for groups of hosts that have no other delay."""
    delay = options.number('new_group_delay', 0)
    host_delay = options.number('new_host_delay', 0)
    hosts = any(key.name == 'host' for metric in metrics(query) for key in metric.by)
    if not delay and host_delay is not None and hosts:
        return int(host_delay)
    return DEFAULT_GROUP_DELAY if delay is None else int(delay)


def _stub_windows(options: _Options) -> tuple[int, int] | None:
    windows = options.part('threshold_windows')
    found = [windows.values.get(key) for key in ('trigger_window', 'recovery_window')]
    if found == [None, None]:
        return None
    seconds = [_window(str(text), windows.place) for text in found]
    return seconds[0], seconds[1]


def _window(text: str, place: str) -> int:
    name, _, length = text.partition('_')
    unit = {'m': 60, 'h': 3600, 'd': 86400, 'w': 604800}.get(length[-1:])
    if name != 'last' or unit is None or not (length[:-1].isdecimal() and len(length) <= 6):
        raise UnusableInputError(f'{place}: found {text!r}, expected both windows, such as last_15m')
    return int(length[:-1]) * unit


# Rule 3.4: what has to hold for a recovery.
COMPLEMENTS: Mapping[Comparator, Comparator] = {'>': '<=', '>=': '<', '<': '>=', '<=': '>'}


def _thresholds(options: _Options, query: MonitorQuery) -> Thresholds:
    found = Thresholds(
        critical=query.threshold,
        warning=options.number('warning'),
        critical_recovery=options.number('critical_recovery'),
        warning_recovery=options.number('warning_recovery'),
    )
    critical = options.number('critical')
    if critical is not None and critical != query.threshold:
        raise UnusableInputError(
            f'options.thresholds.critical: found {critical:g}, the query has {query.threshold:g} (rule 3.1)'
        )
    if found.warning_recovery is not None and found.warning is None:
        raise UnusableInputError('options.thresholds.warning_recovery: there is no warning (rule 3.2)')
    if query.comparator in COMPLEMENTS:
        sign = 1 if query.comparator.startswith('>') else -1
        for key, value, limit in (
            ('warning', found.warning, found.critical),
            ('critical_recovery', found.critical_recovery, found.critical),
            ('warning_recovery', found.warning_recovery, found.warning),
        ):
            if value is not None and limit is not None and sign * value > sign * limit:
                side = 'below' if sign > 0 else 'above'
                raise UnusableInputError(f'options.thresholds.{key}: found {value:g}, expected {side} {limit:g}')
        if found.warning == found.critical:
            raise UnusableInputError('options.thresholds.warning: the same as critical (rule 3.2)')
    elif found.critical_recovery is not None or found.warning_recovery is not None:
        raise UnusableInputError(
            f'options.thresholds: a recovery threshold has no meaning with {query.comparator} (rule 3.4)'
        )
    return found
