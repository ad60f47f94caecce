"""Formula monitors: a formula over the queries of `options.variables` (section 17)."""

from dataclasses import replace

from ddassets.assets.formula_checks import formula_keys
from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.assets.refusal import refuse
from ddassets.assets.variable_table import EventVariable, GroupBy, MetricVariable, Variable
from ddassets.diagnostic import Unsupported
from ddassets.engine import monitor as metric
from ddassets.engine.counted import event_options
from ddassets.engine.event_formula import FormulaMonitor, check_functions
from ddassets.language.counted import MAX_KEYS, MAX_WINDOW
from ddassets.language.formula import EVENTS, references, substituted
from ddassets.language.query import tree
from ddassets.language.query.syntax import QuerySyntaxError, parse_query, parse_threshold
from ddassets.language.query.tree import MonitorQuery


def of(asset: MonitorAsset) -> metric.Monitor | FormulaMonitor:
    """Return what the engine needs of a formula monitor.

    Raises UnusableInputError with every error of the asset, and Unsupported for what is outside the subset.
    """
    name = asset.name or 'monitor'
    if asset.errors:
        refuse(asset.errors)
    query, variables = asset.formula, {one.name: one for one in asset.options.variables}
    assert isinstance(query, MonitorQuery), 'a fault of the asset'
    for reference in references(query):
        _refuse_source(variables[reference.name], reference, name)
    used = [variables[reference.name] for reference in references(query)]
    if any(isinstance(one, EventVariable) for one in used):
        return _of_events(asset, query)
    keys = formula_keys(replace(query, by=()), asset.options.variables)
    if query.by and {*query.by} != {*keys}:
        of_variables = f'by {", ".join(keys)}' if keys else 'not grouped'
        raise Unsupported('.by()', None, f'names other keys than the variables, which are {of_variables}', name)
    found = metric.of(asset, metric_formula(query, variables, name))
    if not query.dynamic:
        return found

    def limit(text: str | None) -> MonitorQuery | None:
        if not text:
            return None
        parsed = parse_threshold(text)
        for reference in references(parsed):
            _refuse_source(variables[reference.name], reference, name)
        return metric_formula(parsed, variables, name)

    thresholds = asset.options.thresholds
    return replace(
        found,
        critical_query=limit(thresholds.critical_query),
        recovery_query=limit(thresholds.critical_recovery_query),
    )


def _of_events(asset: MonitorAsset, query: MonitorQuery) -> FormulaMonitor:
    """Return a formula over events. `.by()` groups variables that have no groups of their own."""
    name, names = asset.name or 'monitor', {reference.name for reference in references(query)}
    queries = [one for one in asset.options.variables if isinstance(one, EventVariable) and one.data_source in EVENTS]
    used = [one for one in queries if one.name in names]
    if query.rollup is not None:
        reason = 'over events is not evaluated: the length of their points is not published (rule 17.7)'
        raise Unsupported(f'.rollup("{query.rollup}")', None, reason, name)
    if not 60 <= query.window.seconds <= MAX_WINDOW:
        raise Unsupported('.last()', query.window.span.start + 1, 'over events takes 1m to 48h (rule 15.3)', name)
    check_functions(query, name)
    if query.by and not any(one.group_by for one in used):
        groups = tuple(GroupBy(facet=key) for key in query.by)
        queries = [replace(one, group_by=groups) if one.name in names else one for one in queries]
        used = [one for one in queries if one.name in names]
    keyed = [(one, tuple(group.facet for group in one.group_by)) for one in used if one.group_by]
    by = keyed[0][1] if keyed else ()
    named = [(one.name, keys) for one, keys in keyed]
    for where, keys in [*named, *([('.by()', query.by)] if query.by else [])]:
        if {*keys} != {*by}:
            reason = f'is grouped by {", ".join(keys)}, beside {named[0][0]} by {", ".join(by)}: use the same keys'
            raise Unsupported(where, None, reason, name)
        if len(keys) > MAX_KEYS:
            raise Unsupported('group_by', None, f'has {len(keys)} keys, allowed are {MAX_KEYS} (rule 15.6)', name)
    for one in used:
        _check_compute(one, name)
    return FormulaMonitor(
        query=query,
        names=tuple(one.name for one in used),
        queries=tuple(queries),
        by=by,
        **event_options(asset, query.threshold, grouped=bool(by)),
    )


def _check_compute(variable: EventVariable, name: str) -> None:
    """Refuse an aggregation without its measure (rule 15.2)."""
    compute = variable.compute
    if compute.aggregation != 'count' and not compute.metric:
        place = f'options.variables[{variable.index}].compute.metric'
        raise Unsupported(place, None, f'is missing: {compute.aggregation} takes a measure or facet', name)


def metric_formula(query: MonitorQuery, variables: dict[str, Variable], name: str) -> MonitorQuery:
    """Return a formula with the metric queries in place of the names of its variables."""

    def variable(reference: tree.Reference) -> tree.Expression:
        found = variables[reference.name]
        assert isinstance(found, MetricVariable)
        if reference.modifiers:
            modifier = reference.modifiers[0]
            reason = f'after the name of a variable is not evaluated; write it into the query of {found.name}'
            raise Unsupported(f'.{modifier.name}', modifier.span.start + 1, reason, name)
        place = f'options.variables[{found.index}].query'
        try:
            expression = parse_query(found.query)
        except QuerySyntaxError as error:
            raise Unsupported(place, None, f'column {error.column}: {error.message}', name) from None
        return tree.Variable(found.name, expression, found.aggregator or 'avg', span=reference.span)

    return substituted(query, variable)


def _refuse_source(variable: Variable, reference: tree.Reference, name: str) -> None:
    """Refuse a variable whose data no scenario has (rule 17.4)."""
    column = reference.span.start + 1
    if isinstance(variable, MetricVariable) and variable.data_source == 'metrics':
        return
    if isinstance(variable, EventVariable) and variable.data_source in EVENTS:
        return
    source = variable.data_source or 'a query without data_source'
    reason = f'is the data source of {variable.name}; evaluated are metrics, {", ".join(EVENTS)}'
    raise Unsupported(source, column, reason, name)
