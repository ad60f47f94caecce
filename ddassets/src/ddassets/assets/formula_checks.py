"""Checks of formula monitors: the formula against its variables (rules 17.1 to 17.5, 17.14)."""

from collections.abc import Iterator, Sequence

from ddassets.assets import monitor_type as types
from ddassets.assets.monitor_table import MonitorFields
from ddassets.assets.option import Report
from ddassets.assets.source import Place, dotted
from ddassets.assets.variable_table import EventVariable, MetricVariable, Variable
from ddassets.diagnostic import Severity, Span
from ddassets.language.formula import inline_metrics, is_formula, references
from ddassets.language.query.syntax import QuerySyntaxError, parse_query, parse_threshold
from ddassets.language.query.tree import MonitorQuery, metrics
from ddassets.nearest import did_you_mean, joined

_VARIABLES: Place = ('options', 'variables')
_THRESHOLDS: Place = ('options', 'thresholds')
_QUERIES = ('critical_query', 'critical_recovery_query')
_NUMBERS = ('critical', 'warning', 'critical_recovery', 'warning_recovery')


def formula_keys(query: MonitorQuery, variables: Sequence[Variable]) -> tuple[str, ...]:
    """Return the keys by which the variables of a formula are grouped, in order, each once (rule 2.20)."""
    used = {reference.name for reference in references(query)}
    keys = [key for one in variables if one.name in used for key in variable_keys(one)]
    return tuple(dict.fromkeys([*query.by, *keys]))


def variable_keys(variable: Variable) -> Iterator[str]:
    """Yield the keys by which a variable is grouped; none for a query that cannot be parsed."""
    match variable:
        case EventVariable(group_by=groups):
            yield from (group.facet for group in groups)
        case MetricVariable(query=text) if text:
            try:
                yield from (key.name for metric in metrics(parse_query(text)) for key in metric.by)
            except QuerySyntaxError:
                return


def check_formula(fields: MonitorFields, query: MonitorQuery | None, report: Report) -> None:
    """Report faults of a formula; `query` is None for other queries, and for one that cannot be parsed."""
    variables = fields.options.variables
    if query is None or query.aggregator != 'formula':
        if variables and not is_formula(fields.query):
            message = 'no formula uses them: the query of such a monitor is formula("…").last("…") > n'
            report.add('monitor/variables', _VARIABLES, f'{dotted(_VARIABLES)}: {message}', Severity.WARNING)
        _no_dynamic(fields, report)
        return
    names = _names(variables, report)
    used = _used(query, names, ('query',), report)
    for metric in inline_metrics(query):
        message = f'formula("…") contains names of variables, found a metric query: {metric.name}'
        report.add('query/syntax', ('query',), message, span=metric.span)
    for place, found in _threshold_queries(fields, report):
        used |= _used(found, names, place, report)
    _dynamic(fields, query, report)
    for one in variables:
        if one.name and one.name not in used:
            place = (*_VARIABLES, one.index)
            report.add('query/unused', place, f'the formula does not use the variable {one.name}', Severity.NOTE)
    _sources(fields, report)


def _names(variables: Sequence[Variable], report: Report) -> list[str]:
    """Return the names of the variables, and report those that occur twice."""
    names: list[str] = []
    for one in variables:
        if one.name in names:
            place = (*_VARIABLES, one.index, 'name')
            report.add('monitor/variables', place, f'{dotted(place)}: a second variable is named {one.name}')
        elif one.name:
            names.append(one.name)
    return names


def _used(query: MonitorQuery, names: Sequence[str], place: Place, report: Report) -> set[str]:
    """Return the names that a formula uses, and report unknown names."""
    used = set()
    for reference in references(query):
        used.add(reference.name)
        if reference.name not in names:
            near = did_you_mean(reference.name, names) or (f'; variables: {", ".join(names)}' if names else '')
            message = f'no variable is named {reference.name}{near}'
            report.add('query/undefined-reference', place, message, span=reference.span)
    return used


def _sources(fields: MonitorFields, report: Report) -> None:
    """Check that the variables fit the type of the monitor."""
    metric = fields.type in types.METRIC
    for one in fields.options.variables:
        place = (*_VARIABLES, one.index, 'data_source')
        fits = not isinstance(one, EventVariable) if metric else not isinstance(one, MetricVariable)
        if fields.type in (types.METRIC | types.COUNTED) and not fits:
            wanted = 'metrics' if metric else 'events'
            message = f'{one.data_source} does not fit a {fields.type} monitor, whose variables are queries of {wanted}'
            report.add('monitor/variables', place, f'{dotted(place)}: {message}')


def _threshold_queries(fields: MonitorFields, report: Report) -> Iterator[tuple[Place, MonitorQuery]]:
    """Yield the parsed queries of a dynamic threshold (rule 17.14), and report those that cannot be parsed."""
    for key in _QUERIES:
        text = getattr(fields.options.thresholds, key)
        if text:
            place = (*_THRESHOLDS, key)
            try:
                yield place, parse_threshold(text)
            except QuerySyntaxError as error:
                offset = error.column - 1
                report.add('query/syntax', place, error.message, span=Span(offset, offset + 1))


def _dynamic(fields: MonitorFields, query: MonitorQuery, report: Report) -> None:
    """Check that a formula is compared with `threshold` if, and only if, it has a dynamic threshold (rule 17.14)."""
    thresholds = fields.options.thresholds
    if not query.dynamic:
        _no_dynamic(fields, report)
        return
    if not thresholds.critical_query:
        message = 'compares with `threshold`, but options.thresholds.critical_query is missing'
        report.add('monitor/dynamic-threshold', ('query',), message, span=query.threshold_span)
    if fields.type not in types.METRIC:
        message = 'compares with `threshold`: only metric monitors have dynamic thresholds'
        report.add('monitor/dynamic-threshold', ('query',), message, span=query.threshold_span)
    given = [key for key in _NUMBERS if getattr(thresholds, key) is not None]
    if given:
        message = f'a dynamic threshold excludes {joined(given)}'
        report.add('monitor/dynamic-threshold', (*_THRESHOLDS, given[0]), f'{dotted(_THRESHOLDS)}: {message}')


def _no_dynamic(fields: MonitorFields, report: Report) -> None:
    for key in _QUERIES:
        if getattr(fields.options.thresholds, key):
            place = (*_THRESHOLDS, key)
            message = 'the query does not compare with `threshold`, as in formula("a").last("5m") > threshold'
            report.add('monitor/dynamic-threshold', place, f'{dotted(place)}: {message}')
