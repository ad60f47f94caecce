"""Formula monitors: a formula over the queries of `options.variables` (section 17)."""

from dataclasses import replace

from ddassets.assets.formula_checks import formula_keys
from ddassets.assets.monitor import Monitor as MonitorAsset
from ddassets.assets.refusal import refuse
from ddassets.assets.variable_table import MetricVariable, Variable
from ddassets.diagnostic import Unsupported
from ddassets.engine import monitor as metric
from ddassets.language.formula import references, substituted
from ddassets.language.query import tree
from ddassets.language.query.syntax import QuerySyntaxError, parse_query
from ddassets.language.query.tree import MonitorQuery


def of(asset: MonitorAsset) -> metric.Monitor:
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
    keys = formula_keys(replace(query, by=()), asset.options.variables)
    if query.by and {*query.by} != {*keys}:
        of_variables = f'by {", ".join(keys)}' if keys else 'not grouped'
        raise Unsupported('.by()', None, f'names other keys than the variables, which are {of_variables}', name)
    return metric.of(asset, metric_formula(query, variables, name))


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
    source = variable.data_source or 'a query without data_source'
    reason = f'is the data source of {variable.name}; evaluated are metrics'
    raise Unsupported(source, column, reason, name)
