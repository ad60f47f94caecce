"""Queries over the stored points, drawn as the engine draws graphs: the v1 and the v2 API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ddassets.diagnostic import UnusableInputError
from ddassets.engine.column import Floats
from ddassets.engine.context import HISTORY
from ddassets.engine.graph import graph_assumptions, own_bucket, points, rolled_up
from ddassets.engine.plan import Plan, leaves
from ddassets.engine.planner import graph_plan
from ddassets.engine.points import table_bucket
from ddassets.engine.series import SeriesSet
from ddassets.language.query import tree
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.syntax import parse_formula, parse_queries, parse_query, render
from ddassets.sandbox.payload import Place
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.store import Store
from ddassets.sandbox.stored import Stored

#: Maximum of points of a series (B1.4 of the inputs).
MAX_POINTS = 1500
_MAX_SPAN = 366 * 86400
# Seconds before the first bucket that interpolation looks at.
_NEAR = 600


@dataclass(frozen=True)
class Drawn:
    """The lines of one expression: `tags` are those of the group; times are starts of buckets with a value, in
    seconds.
    """

    expression: tree.Expression
    interval: int
    lines: Sequence[tuple[tuple[str, ...], Floats, Floats]]


def evaluate(store: Store, expression: tree.Expression, start: int, end: int, wish: int = 0) -> Drawn:
    """Draw an expression from `start` to before `end`; a bucket that began earlier is left out (B1.2).

    `wish` is a length of bucket in seconds, which is longer where there would be too many points. Raises
    UnusableInputError for what is outside the subset.
    """
    span = end - start
    least = -(-span // MAX_POINTS)
    bucket = max(wish, least) if wish else max(table_bucket(span), least)
    own = [length for metric in tree.metrics(expression) for length in own_bucket(metric)]
    interval = max(own, default=bucket)
    rolled = rolled_up(expression, bucket)
    assumptions = graph_assumptions()
    plan = graph_plan(rolled, assumptions)
    earliest = start - _reach(plan, rolled, interval)
    names = {metric.name for metric in tree.metrics(expression)}
    series = SeriesSet(one for name in sorted(names) for one in store.series(name, earliest, end))
    lines = []
    for group, times, values in points(plan, series, start, end, assumptions):
        shown = (times >= start) & (times < end) & np.isfinite(values)
        if shown.any():
            lines.append((group, times[shown], values[shown]))
    return Drawn(expression, interval, lines)


def _reach(plan: Plan, expression: tree.Expression, interval: int) -> int:
    """Return how many seconds before the first bucket points may matter."""
    shifts = [leaf.shift + (leaf.calendar.greatest if leaf.calendar else 0) for leaf in leaves(plan.expression)]
    looks_back = any(isinstance(node, tree.Call) for node in tree.walk(expression))
    return max(shifts, default=0) + (HISTORY if looks_back else _NEAR + interval)


def _parsed(text: str, parse: Any) -> Any:
    try:
        return parse(text)
    except QuerySyntaxError as error:
        raise Refusal(400, f'Error parsing query: {error}: {text[:500]}') from None


def _drawn(store: Store, expression: tree.Expression, start: int, end: int, wish: int = 0) -> Drawn:
    if not 0 < end - start <= _MAX_SPAN:
        raise Refusal(400, f'from {start} to {end}: expected a span of up to 366 days')
    try:
        return evaluate(store, expression, start, end, wish)
    except UnusableInputError as error:
        raise Refusal(400, f'(sandbox) {error}: {render(expression)}') from None


def query_metrics(organisation: Stored, request: Request) -> Answer:
    """Answer `GET /api/v1/query`."""
    query = request.one('query')
    start, end = request.number('from'), request.number('to')
    series: list[Json] = []
    for index, expression in enumerate(_parsed(query, parse_queries)):
        drawn = _drawn(organisation.store, expression, start, end)
        series += _series_v1(drawn, index)
    return Answer(
        200,
        {
            'status': 'ok',
            'resp_version': 1,
            'res_type': 'time_series',
            'query': query,
            'from_date': start * 1000,
            'to_date': end * 1000,
            'series': series,
            'message': '',
            'group_by': sorted({key for expression in _parsed(query, parse_queries) for key in _keys(expression)}),
            'values': [],
            'times': [],
        },
    )


def _keys(expression: tree.Expression) -> list[str]:
    return [key.name for metric in tree.metrics(expression) for key in metric.by]


def _series_v1(drawn: Drawn, index: int) -> Iterator[Json]:
    text = render(drawn.expression)
    metric = drawn.expression.name if isinstance(drawn.expression, tree.Metric) else text
    for tags, times, values in drawn.lines:
        yield {
            'metric': metric,
            'display_name': metric,
            'unit': [None, None],
            'scope': ','.join(tags) or _scope(drawn.expression),
            'tag_set': list(tags),
            'expression': text,
            'aggr': None,
            'interval': drawn.interval,
            'start': int(times[0] * 1000),
            'end': int((times[-1] + drawn.interval - 1) * 1000),
            'query_index': index,
            'attributes': {},
            'length': int(times.size),
            'pointlist': [[int(t * 1000), v] for t, v in zip(times.tolist(), values.tolist(), strict=True)],
        }


def _scope(expression: tree.Expression) -> str:
    scopes = {render(metric.scope) if metric.scope else '*' for metric in tree.metrics(expression)}
    return scopes.pop() if len(scopes) == 1 else '*'


def query_timeseries(organisation: Stored, request: Request) -> Answer:
    """Answer `POST /api/v2/query/timeseries` for metric queries and formulas of them."""
    data = Place(request.body)['data']
    if data['type'].value != 'timeseries_request':
        raise Refusal(400, 'API input validation failed: Invalid type. Expected "timeseries_request".')
    attributes = data['attributes']
    start, end = (attributes[name].whole() // 1000 for name in ('from', 'to'))
    wish = attributes['interval'].whole(0) // 1000
    named = dict(_query(place, index) for index, place in enumerate(attributes['queries'].items()))
    formulas = attributes['formulas']
    if formulas.value:
        expressions = [_formula(place['formula'], named) for place in formulas.items()]
    else:
        expressions = list(named.values())
    drawn = [_drawn(organisation.store, expression, start, end, wish) for expression in expressions]
    times = np.unique(np.concatenate([times for one in drawn for _, times, _ in one.lines] or [np.empty(0)]))
    series, rows = [], []
    for index, one in enumerate(drawn):
        for tags, instants, values in one.lines:
            series.append({'group_tags': list(tags), 'query_index': index, 'unit': None})
            row = np.full(times.size, np.nan)
            row[np.searchsorted(times, instants)] = values
            rows.append([None if np.isnan(value) else value for value in row.tolist()])
    answer = {'series': series, 'times': [int(time * 1000) for time in times], 'values': rows}
    body = {'data': {'id': '0', 'type': 'timeseries_response', 'attributes': answer}}
    return Answer(200, body, 'application/vnd.api+json')


def _query(place: Place, index: int) -> tuple[str, tree.Expression]:
    if place['data_source'].value != 'metrics':
        raise place['data_source'].refuse('metrics, which is the only source of the sandbox')
    return place['name'].text(f'query{index}'), _parsed(place['query'].text(), parse_query)


def _formula(place: Place, named: Mapping[str, tree.Expression]) -> tree.Expression:
    def change(node: tree.Node) -> tree.Node:
        if not isinstance(node, tree.Reference):
            return node
        if node.name not in named:
            raise place.refuse(f'a formula of {", ".join(named)}')
        return named[node.name]

    formula: tree.Expression = _parsed(place.text(), parse_formula)
    return tree.rewrite(formula, change)
