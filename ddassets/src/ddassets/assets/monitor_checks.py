"""Checks of combinations: options of a monitor with each other and with its query."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ddassets import duration
from ddassets.assets import monitor_type as types
from ddassets.assets.formula_checks import check_formula, formula_keys
from ddassets.assets.monitor_table import MonitorFields, options_with_types, window_seconds
from ddassets.assets.option import Report
from ddassets.assets.source import Place, dotted
from ddassets.diagnostic import Severity, Span
from ddassets.language.composite import MAX_MEMBERS, CompositeQuery
from ddassets.language.counted import is_counted, parse_counted
from ddassets.language.formula import is_formula
from ddassets.language.query.syntax import QuerySyntaxError, parse_monitor
from ddassets.language.query.tree import (
    Call,
    MonitorQuery,
    Named,
    Text,
    Word,
    metrics,
    walk,
)
from ddassets.language.service_check import CheckQuery
from ddassets.language.slo import SloQuery
from ddassets.nearest import did_you_mean, joined
from ddassets.regex import regex

_OPTIONS: Place = ('options',)
_THRESHOLDS: Place = ('options', 'thresholds')
_WINDOWS: Place = ('options', 'threshold_windows')
# Minutes. A group without data disappears after a day (rule 3.20).
MAX_NO_DATA_TIMEFRAME = 1440
# The comparison at the end of a query of another product.
_COMPARISON = regex(r'(>=|<=|>|<|==|!=)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$')


@dataclass(frozen=True)
class Checked:
    """The input of the checks. `query` is None for other products, and for a query that cannot be parsed."""

    fields: MonitorFields
    query: MonitorQuery | None
    report: Report

    @property
    def group_keys(self) -> tuple[str, ...]:
        """The distinct keys of every `by {}`, in order."""
        if self.query and self.query.aggregator == 'formula':
            return formula_keys(self.query, self.fields.options.variables)
        found = metrics(self.query) if self.query else ()
        return tuple(dict.fromkeys(key.name for metric in found for key in metric.by))

    def add(
        self,
        code: str,
        place: Place,
        message: str,
        severity: Severity = Severity.ERROR,
        hint: str = '',
        span: Span | None = None,
    ) -> None:
        self.report.add(code, place, f'{dotted(place)}: {message}', severity, hint, span)


def check(
    fields: MonitorFields,
    tree: MonitorQuery | CompositeQuery | CheckQuery | SloQuery | QuerySyntaxError | None,
    report: Report,
) -> None:
    """Report faults that the table does not cover."""
    metric = isinstance(tree, MonitorQuery) and types.product(fields.type, fields.query) is None
    checked = Checked(fields, tree if isinstance(tree, MonitorQuery) and metric else None, report)
    if isinstance(tree, QuerySyntaxError) and not _uses_variable(fields.query):
        offset = tree.column - 1
        # Without the key, as in the queries of a dashboard: the caret marks the column.
        report.add('query/syntax', ('query',), tree.message, span=Span(offset, offset + 1))
    if isinstance(tree, CompositeQuery) and len(tree.members) > MAX_MEMBERS:
        member = [*tree.members.values()][MAX_MEMBERS]
        message = f'a composite has at most {MAX_MEMBERS} members, found {len(tree.members)}'
        report.add('monitor/composite-members', ('query',), message, span=member.span)
    if isinstance(tree, SloQuery) and tree.kind == 'error_budget' and fields.options.evaluation_delay:
        message = 'has no effect: only burn-rate alerts have a delay'
        checked.add('monitor/option-type', (*_OPTIONS, 'evaluation_delay'), message, Severity.WARNING)
    for one in _CHECKS:
        one(checked)
    check_formula(fields, tree if isinstance(tree, MonitorQuery) else None, report)


# A `$` in a monitor's query, outside quotes.
_VARIABLE = regex(r'\$[A-Za-z_][\w.-]*')


def _uses_variable(query: str) -> bool:
    return _VARIABLE.search(query) is not None


def _type(checked: Checked) -> None:
    found = types.unfit(checked.fields.type, checked.fields.query)
    if found:
        product, fitting = found
        message = f'{checked.fields.type!r} does not fit a query of {product}; did you mean {fitting}?'
        checked.add('monitor/type', ('type',), message)


def _template_variables(checked: Checked) -> None:
    if types.product(checked.fields.type, checked.fields.query) is not None:
        return
    for match in _VARIABLE.finditer(checked.fields.query):
        message = f'{match[0]} is a template variable, which only dashboards have'
        checked.add('monitor/template-variable', ('query',), message, span=Span(match.start(), match.end()))


# Rules 3.13 and 18.18.
_NO_MISSING_DATA = (
    'not available for SLO alerts, service checks and composites; of a monitor-based SLO it is an option of the '
    'monitor below'
)


def _options_of_other_types(checked: Checked) -> None:
    kind = checked.fields.type
    for place, value, row in options_with_types(checked.fields.options):
        if kind and kind in types.ALL and kind not in row.types and value != row.absent:
            fitting = f'; it is an option of {joined(sorted(row.types))}' if len(row.types) <= 4 else ''
            if place[-1] == 'on_missing_data' and kind in types.SLO:
                checked.add('monitor/option-type', place, _NO_MISSING_DATA)
                continue
            # Datadog's editor writes the options of logs into every monitor of a search.
            harmless = place[-1] == 'threshold_windows' or (row.types == types.LOGS and kind in types.COUNTED)
            checked.add(
                'monitor/option-type',
                place,
                f'a {kind} monitor has no such option{fitting}',
                Severity.NOTE if harmless else Severity.WARNING,
            )


def _muted(checked: Checked) -> None:
    if checked.fields.options.silenced:
        scopes = ', '.join(map(str, checked.fields.options.silenced))
        message = f'the monitor is muted from the start, for {scopes}'
        checked.add('monitor/muted', (*_OPTIONS, 'silenced'), message, Severity.WARNING, 'delete the key')


def _no_data_timeframe(checked: Checked) -> None:
    options = checked.fields.options
    minutes = options.no_data_timeframe
    counts = options.notify_no_data and options.on_missing_data is None and checked.query is not None
    if counts and minutes is not None and minutes > MAX_NO_DATA_TIMEFRAME:
        message = f'expected at most {MAX_NO_DATA_TIMEFRAME} minutes, after which groups disappear; found {minutes}'
        checked.add('monitor/no-data-timeframe', (*_OPTIONS, 'no_data_timeframe'), message)


def _default_zero(checked: Checked) -> None:
    choice = checked.fields.options.on_missing_data
    calls = (node for node in walk(checked.query) if isinstance(node, Call)) if checked.query else ()
    if choice not in (None, 'default') and any(call.name == 'default_zero' for call in calls):
        message = f'expected default, because default_zero() in the query fills all gaps; found {choice!r}'
        checked.add('monitor/no-data-conflict', (*_OPTIONS, 'on_missing_data'), message)


def _groups(checked: Checked) -> None:
    options, keys = checked.fields.options, checked.group_keys
    if checked.query is None:
        _counted_groups(checked)
        return
    grouped = bool(keys)
    if options.new_group_delay and not grouped:
        message = 'the query has no groups, so Datadog refuses the option'
        checked.add('monitor/group-delay', (*_OPTIONS, 'new_group_delay'), message, hint='add `by {…}` to the query')
    if options.new_host_delay and keys and 'host' not in keys:
        message = f'has no effect: the query groups by {joined(keys)}, not by host'
        hint = 'new_group_delay is for groups of every kind'
        checked.add('monitor/host-delay', (*_OPTIONS, 'new_host_delay'), message, Severity.NOTE, hint)
    for index, key in enumerate(options.notify_by):
        if options.notify_by != ('*',) and key not in keys:
            message = f'the query does not group by {key}{did_you_mean(key, keys)}'
            checked.add('monitor/notify-by', (*_OPTIONS, 'notify_by', index), message)


def _counted_groups(checked: Checked) -> None:
    """Check `notify_by` of a monitor of counted events, or of a formula over such."""
    fields = checked.fields
    notify_by = fields.options.notify_by
    if notify_by in ((), ('*',)):
        return
    try:
        if is_formula(fields.query):
            keys = formula_keys(parse_monitor(fields.query), fields.options.variables)
        elif is_counted(fields.query):
            keys = parse_counted(fields.query).by
        else:
            return
    except QuerySyntaxError:
        return
    for index, key in enumerate(notify_by):
        if key not in keys:
            message = f'the query does not group by {key}{did_you_mean(key, keys)}'
            checked.add('monitor/notify-by', (*_OPTIONS, 'notify_by', index), message)


# Thresholds: each product has its own rules.


def _thresholds(checked: Checked) -> None:
    fields = checked.fields
    product = types.product(fields.type, fields.query)
    rule = _THRESHOLDS_OF.get(product or '', _compared_thresholds)
    dynamic = checked.query is not None and checked.query.dynamic
    if fields.options.thresholds.critical_query is None and not dynamic:
        rule(checked)


def _metric_thresholds(checked: Checked) -> None:
    """Check rules 3.1, 3.2 and 3.4. With absent or empty thresholds the number in the query is used."""
    found, query = _numbers(checked), checked.query
    if found and 'critical' not in found and 'critical' not in _written(checked):
        message = f'critical is missing, found only {joined(found)}; Datadog refuses thresholds without critical'
        checked.report.add('monitor/critical-missing', _THRESHOLDS, f'{dotted(_THRESHOLDS)}: {message}')
    if query:
        _mismatch(checked, query.threshold, query.threshold_span)
        _sides(checked, query.comparator, query.threshold)


def _compared_thresholds(checked: Checked) -> None:
    """Check a query of another product that ends in a comparison: the number is `critical`, as for metrics."""
    match = _COMPARISON.search(checked.fields.query)
    if match:
        _mismatch(checked, float(match[2]), Span(match.start(2), match.end(2)))
        _sides(checked, match[1], float(match[2]))


def _check_thresholds(checked: Checked) -> None:
    """Check thresholds of service checks: numbers of runs, at most the runs that the query reads, or percentages."""
    found = _numbers(checked)
    by_percentage = 'pct_by_status' in checked.fields.query
    last = re.search(r'\.last\(\s*(\d+)\s*\)', checked.fields.query)
    for key, value in found.items():
        if by_percentage and not 0 <= value <= 100:
            checked.add('file/value', (*_THRESHOLDS, key), f'expected a percentage from 0 to 100, found {value:g}')
        elif not by_percentage and not (value.is_integer() and 1 <= value <= 100):
            message = f'expected a whole number of runs from 1 to 100, found {value:g}'
            checked.add('file/value', (*_THRESHOLDS, key), message)
        elif not by_percentage and last and value > int(last[1]):
            message = f'the query reads only the last {last[1]} runs, so a threshold of {value:g} is never reached'
            checked.add('monitor/check-window', (*_THRESHOLDS, key), message, hint=f'write .last({value:g}) or more')


def _no_thresholds(checked: Checked) -> None:
    if found := _numbers(checked):
        message = f'a composite monitor has no thresholds; found {joined(found)}'
        checked.add('monitor/option-type', _THRESHOLDS, message, Severity.WARNING)


_THRESHOLDS_OF: dict[str, Callable[[Checked], None]] = {
    '': _metric_thresholds,
    'service checks': _check_thresholds,
    'composite monitors': _no_thresholds,
}


def _numbers(checked: Checked) -> dict[str, float]:
    thresholds = checked.fields.options.thresholds
    keys = ('critical', 'warning', 'critical_recovery', 'warning_recovery', 'ok', 'unknown')
    return {key: value for key in keys if (value := getattr(thresholds, key)) is not None}


def _written(checked: Checked) -> Sequence[str]:
    """Return the keys of the thresholds in the body: a key with an unusable value is not missing."""
    options = checked.report.asset.body.get('options')
    found = options.get('thresholds') if isinstance(options, dict) else None
    return [key for key, value in found.items() if value not in (None, '')] if isinstance(found, dict) else []


def _mismatch(checked: Checked, number: float, span: Span) -> None:
    critical = checked.fields.options.thresholds.critical
    if critical is not None and not math.isclose(number, critical, rel_tol=1e-9):
        message = f'the query compares with {number:g}, thresholds.critical is {critical:g}'
        checked.report.add('monitor/threshold-mismatch', ('query',), message, span=span)


def _sides(checked: Checked, comparator: str, critical: float) -> None:
    """Check that the warning is crossed before the critical threshold, and that recovery thresholds do not trigger."""
    found = _numbers(checked)
    sign = {'>': 1, '<': -1}.get(comparator[0], 0)
    triggers = {'critical': critical, **({'warning': found['warning']} if 'warning' in found else {})}
    for state, trigger in triggers.items():
        key = f'{state}_recovery'
        if key not in found:
            continue
        if not sign:
            message = f'has no meaning with {comparator}, which is neither above nor below'
            checked.add('monitor/recovery-side', (*_THRESHOLDS, key), message)
        elif sign * found[key] > sign * trigger:
            message = f'{found[key]:g} is in the range that triggers ({comparator} {trigger:g})'
            checked.add('monitor/recovery-side', (*_THRESHOLDS, key), message)
        elif found[key] == trigger:
            message = (
                f'equals the threshold {trigger:g}: it has no effect, and Datadog refuses it if a value can meet both'
            )
            checked.add('monitor/recovery-equal', (*_THRESHOLDS, key), message, Severity.WARNING)
    if 'warning_recovery' in found and 'warning' not in found:
        checked.add(
            'monitor/recovery-without-threshold', (*_THRESHOLDS, 'warning_recovery'), 'there is no warning threshold'
        )
    if sign and 'warning' in found and sign * found['warning'] >= sign * critical:
        side = 'below' if sign > 0 else 'above'
        message = f'with {comparator} the warning must be {side} the critical {critical:g}, found {found["warning"]:g}'
        checked.add('monitor/warning-side', (*_THRESHOLDS, 'warning'), message)


# Cumulative windows (section 16)

_WINDOW_PLACE: Place = ('options', 'scheduling_options', 'evaluation_window')
_PERIODS = {'h': 'current_1h', 'd': 'current_1d', 'mo': 'current_1mo'}
# The window of a query of counted events.
_CURRENT = regex(r"""\.\s*(?:last\s*\(\s*["']?current_|current\s*\()""")


def _evaluation_window(checked: Checked) -> None:
    """Check rules 16.2 and 16.9."""
    fields, query = checked.fields, checked.query
    window = fields.options.scheduling_options.evaluation_window
    current = _CURRENT.search(fields.query) is not None if query is None else query.window.kind == 'current'
    if current is (window is None) and (query is not None or is_counted(fields.query)):
        message = (
            'an evaluation_window needs a current_… period in the query, and a current_… period needs an '
            'evaluation_window; the API answers 400'
        )
        if window is None:
            span = query.window.span if query else None
            checked.report.add('monitor/evaluation-window', ('query',), message, span=span)
        else:
            checked.add('monitor/evaluation-window', _WINDOW_PLACE, message)
    if window is None or query is None or not current:
        return
    unit = query.window.unit
    idle = ('day_starts', 'month_starts') if unit == 'h' else ('hour_starts',)
    for key in idle:
        if getattr(window, key) is not None:
            message = f'has no effect on {_PERIODS[unit]}'
            hint = 'hour_starts' if unit == 'h' else 'day_starts'
            place = (*_WINDOW_PLACE, key)
            checked.add('monitor/evaluation-window', place, message, Severity.WARNING, f'write {hint}')
    if unit == 'mo' and (window.month_starts or 1) > 28:
        message = f'not every month has the day {window.month_starts}: where the window begins then is not documented'
        place = (*_WINDOW_PLACE, 'month_starts')
        checked.add('monitor/evaluation-window', place, message, Severity.NOTE, 'write a day from 1 to 28')
    if fields.options.require_full_window:
        message = 'with a cumulative window, which is never full before its end; it is taken to be ignored'
        checked.add('monitor/evaluation-window', (*_OPTIONS, 'require_full_window'), message, Severity.WARNING)


# Custom schedules (section 16)

_SCHEDULE_PLACE: Place = ('options', 'scheduling_options', 'custom_schedule')
_SCHEDULED = types.METRIC | types.LOGS | types.EVENTS


def _custom_schedule(checked: Checked) -> None:
    """Check rules 16.12, 16.16 and 16.17."""
    options, kind = checked.fields.options, checked.fields.type
    if options.scheduling_options.custom_schedule is None:
        return
    if kind in types.ALL - _SCHEDULED:
        message = f'a {kind} monitor has no custom schedule; metric, log and event monitors have'
        checked.add('monitor/custom-schedule', _SCHEDULE_PLACE, message)
        return
    idle = {
        'renotify_interval': 'a custom schedule notifies at its evaluations only',
        'timeout_h': 'a custom schedule has no state between evaluations that could time out',
    }
    for key, reason in idle.items():
        if getattr(options, key):
            message = f'is taken to have no effect: {reason} (A57)'
            checked.add('monitor/custom-schedule', (*_OPTIONS, key), message, Severity.WARNING, 'delete the key')
    for key in ('critical_recovery', 'warning_recovery'):
        if getattr(options.thresholds, key) is not None:
            message = 'has no effect: evaluations of a custom schedule are independent, and none is a recovery'
            checked.add('monitor/custom-schedule', (*_THRESHOLDS, key), message, Severity.WARNING, 'delete the key')


# Anomalies (section 6)


@dataclass(frozen=True)
class _Anomalies:
    call: Call

    def named(self, name: str) -> tuple[str, Span] | None:
        for argument in self.call.arguments:
            if isinstance(argument, Named) and argument.name == name and isinstance(argument.value, Text | Word):
                return argument.value.value, argument.value.span
        return None


def _anomalies(checked: Checked) -> None:
    calls = [node for node in walk(checked.query) if isinstance(node, Call)] if checked.query else []
    stubs = [_Anomalies(call) for call in calls if call.name == 'anomalies']
    windows = checked.fields.options.threshold_windows
    if checked.query and not stubs and (windows.trigger_window or windows.recovery_window):
        message = 'has no effect: the query has no anomalies()'
        checked.add('monitor/threshold-windows', _WINDOWS, message, Severity.WARNING)
    for stub in stubs:
        _anomaly_windows(checked, stub)
    if stubs and checked.query:
        _anomaly_share(checked, checked.query)


def _anomaly_windows(checked: Checked, stub: _Anomalies) -> None:
    windows, query = checked.fields.options.threshold_windows, checked.query
    trigger, recovery = windows.trigger_window, windows.recovery_window
    if (trigger is None) is not (recovery is None):
        missing = 'trigger_window' if trigger is None else 'recovery_window'
        message = f'{missing} is missing, but the other window is set'
        checked.add('monitor/threshold-windows', _WINDOWS, message, Severity.NOTE)
    alert = stub.named('alert_window')
    if alert and trigger and window_seconds(alert[0]) not in (None, trigger):
        message = f'{duration.write(trigger)} differs from alert_window={alert[0]!r} of the query'
        checked.add('monitor/threshold-windows', (*_WINDOWS, 'trigger_window'), message)
    if trigger and recovery and query and 0 <= query.threshold <= 1:
        least = trigger * (1 - query.threshold) + 60
        if recovery < min(least, trigger):
            shortest = duration.write(math.ceil(least / 60) * 60)
            message = (
                f'{duration.write(recovery)} is too short: with {query.threshold:g} of {duration.write(trigger)} '
                f'the monitor could trigger and recover at the same time; expected at least {shortest}'
            )
            checked.add('monitor/threshold-windows', (*_WINDOWS, 'recovery_window'), message)


def _anomaly_share(checked: Checked, query: MonitorQuery) -> None:
    """Check rule 6.2: the compared value is a share of points, from 0 to 1."""
    never = {
        '>': query.threshold >= 1,
        '>=': query.threshold > 1,
        '<': query.threshold <= 0,
        '<=': query.threshold < 0,
        '==': not 0 <= query.threshold <= 1,
    }
    if never.get(query.comparator):
        message = (
            f'anomalies() gives the share of points outside the band, from 0 to 1: {query.comparator} '
            f'{query.threshold:g} never holds'
        )
        checked.add('monitor/anomaly-share', ('query',), message, Severity.WARNING, span=query.threshold_span)


_CHECKS: tuple[Callable[[Checked], None], ...] = (
    _type,
    _template_variables,
    _options_of_other_types,
    _muted,
    _no_data_timeframe,
    _default_zero,
    _groups,
    _thresholds,
    _evaluation_window,
    _custom_schedule,
    _anomalies,
)
