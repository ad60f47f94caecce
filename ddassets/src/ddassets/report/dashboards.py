"""Dashboards as the page shows them: each widget with its answers, or a placeholder that names what is missing.

Queries are evaluated here, once for each selection of the template variables that they depend on, so the page only
picks an answer: there is no second evaluator in its script.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from ddassets import assets as bundle
from ddassets import duration
from ddassets.diagnostic import UnusableInputError
from ddassets.language.query import tree
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.syntax import parse_formula, parse_queries, parse_query, render
from ddassets.language.query.variables import select, variables
from ddassets.output.terminal import shorten
from ddassets.regex import regex
from ddassets.report import prose
from ddassets.report.model import Dashboard, Formula, Monitor, Query, Request, Variable, Widget
from ddassets.report.source import Source

# A query has an answer for each selection; beyond this many its dashboard would not fit a page.
MAX_SELECTIONS = 200
_NO_BAND = (
    'The band of anomalies() is not drawn: Datadog does not publish how it is computed, and the rehearsal gives none. '
    'The line is the series that it would be drawn around.'
)
_BAND = 'The band is the one that the rehearsal gives: Datadog does not publish how anomalies() computes its own.'
_SCALARS = ('abs', 'default_zero', 'count_not_null', 'count_nonzero', 'clamp_min', 'clamp_max')
_AGGREGATORS = ('avg', 'sum', 'min', 'max', 'last')


class _NotShownError(Exception):
    """A widget that the page cannot show; the text is the reason."""


class Converter:
    """Converts the widgets of a dashboard to those of the page."""

    def __init__(self, dashboard: bundle.Dashboard, source: Source, monitors: Sequence[Monitor]) -> None:
        self.dashboard = dashboard
        self.source = source
        self.monitors = monitors
        self.prefixes = {variable.name: variable.prefix for variable in dashboard.variables}
        # What each option of a variable chooses: a default may be several values at once.
        self.options = {variable.name: self._options(variable) for variable in dashboard.variables}

    def convert(self) -> Dashboard:
        return Dashboard(
            title=self.dashboard.title or 'Untitled dashboard',
            description=self.dashboard.description,
            variables=[
                Variable(v.name, [*self.options[v.name]], _label_of(v.defaults) or '*')
                for v in self.dashboard.variables
            ],
            widgets=self._widgets(None),
        )

    def _options(self, variable: bundle.DashboardVariable) -> dict[str, tuple[str, ...]]:
        known = list(variable.available_values) or (self.source.values(variable.prefix) if variable.prefix else [])
        default = {_label_of(variable.defaults): variable.defaults} if variable.defaults else {}
        return {'*': ('*',)} | default | {value: (value,) for value in known}

    def _widgets(self, parent: bundle.Widget | None) -> list[Widget]:
        own = [widget for widget in self.dashboard.widgets if widget.parent == (parent.place if parent else None)]
        scale = _scale([_layout(widget) for widget in own])
        return [self._widget(widget, scale(index, _layout(widget))) for index, widget in enumerate(own)]

    def _widget(self, widget: bundle.Widget, layout: list[int]) -> Widget:
        title = widget.title
        try:
            if widget.type == 'group':
                colour = _text(widget.body.get('background_color'))
                return Widget('group', title or 'Group', layout, widgets=self._widgets(widget), colour=colour)
            convert = _KINDS.get(widget.type)
            if convert is None:
                # Isolated: a name that turns the direction of the text is not to turn the sentence.
                kind = f'\u2068{widget.type}\u2069' if widget.type else '(none)'
                raise _NotShownError(f'A widget of the type {kind}. {_MISSING.get(widget.type, _OTHER)}')
            return convert(self, widget, layout)
        except _NotShownError as error:
            return Widget('placeholder', title or widget.type, layout, remark=str(error))
        except QuerySyntaxError as error:
            remark = f'Its query is not valid: column {error.column}: {shorten(error.message)}'
            return Widget('placeholder', title or widget.type, layout, remark=remark)
        except UnusableInputError as error:
            return Widget('placeholder', title or widget.type, layout, remark=f'Its query cannot be rehearsed: {error}')

    def _note(self, widget: bundle.Widget, layout: list[int]) -> Widget:
        if widget.type == 'free_text':
            return Widget('note', '', layout, prose=[['h2', {}, [_text(widget.body.get('text'))]]])
        colour = _text(widget.body.get('background_color'))
        return Widget('note', widget.title, layout, prose=prose.parse(_text(widget.body.get('content'))), colour=colour)

    def _timeseries(self, widget: bundle.Widget, layout: list[int]) -> Widget:
        body = widget.body
        axis = _dict(body.get('yaxis'))
        return Widget(
            'timeseries',
            widget.title,
            layout,
            requests=[self._lines(request) for request in _requests(widget)],
            span=_span(body),
            markers=[m for m in map(_marker, _dicts(body.get('markers'))) if m],
            axis={
                'min': _number(axis.get('min')),
                'max': _number(axis.get('max')),
                'include_zero': axis.get('include_zero') is not False,
                'scale': _text(axis.get('scale')),
            },
        )

    def _query_value(self, widget: bundle.Widget, layout: list[int]) -> Widget:
        precision = widget.body.get('precision')
        return Widget(
            'query_value',
            widget.title,
            layout,
            requests=[self._scalar(_requests(widget)[0])],
            span=_span(widget.body),
            axis={'autoscale': widget.body.get('autoscale') is not False},
            precision=precision if isinstance(precision, int) else None,
            unit=_text(widget.body.get('custom_unit')),
        )

    def _toplist(self, widget: bundle.Widget, layout: list[int]) -> Widget:
        request = _requests(widget)[0]
        limit, ascending = _ranking(request)
        return Widget(
            'toplist',
            widget.title,
            layout,
            requests=[replace(self._scalar(_unranked(request)), limit=limit, ascending=ascending)],
            span=_span(widget.body),
            axis={'autoscale': True},
        )

    def _summary(self, widget: bundle.Widget, layout: list[int]) -> Widget:
        query = _text(widget.body.get('query'))
        matching = _monitor_search(query)
        found = [index for index, monitor in enumerate(self.monitors) if matching(monitor)]
        return Widget('monitors', widget.title or 'Monitors', layout, monitors=found, remark=query)

    def _lines(self, request: Mapping[str, Any]) -> Request:
        named = _named(request)
        queries = {name: query for name, (query, _) in named.items()}
        formulas = _dicts(request.get('formulas'))
        shown = {
            _label(one): tree.rewrite(parse_formula(_text(one.get('formula'))), _binder(queries)) for one in formulas
        }
        lines = [
            self._query(label, tree.rewrite(expression, _without_band), banded=_is_band(expression))
            for label, expression in (shown or queries).items()
        ]
        if not any(_is_band(node) for expression in (shown or queries).values() for node in tree.walk(expression)):
            remark = ''
        else:
            series = [one for query in lines for answer in query.answers.values() for one in answer.series]
            remark = _BAND if any(one.lower or one.upper for one in series) else _NO_BAND
        style = _dict(request.get('style'))
        display = request.get('display_type')
        return Request(
            name='',
            queries=lines,
            display='bars' if display == 'bars' else 'area' if display == 'area' else 'line',
            palette=_text(style.get('palette')) or 'dog_classic',
            dashed=style.get('line_type') in ('dashed', 'dotted'),
            remark=remark,
        )

    def _scalar(self, request: Mapping[str, Any]) -> Request:
        named = _named(request)
        formulas = _dicts(request.get('formulas'))
        if formulas:
            formula = _formula(parse_formula(_text(formulas[0].get('formula'))), named)
        else:
            formula = ['query', next(iter(named))]
        style = _dict(request.get('style'))
        return Request(
            name=_label(formulas[0]) if formulas else next(iter(named)),
            queries=[self._query(name, query, aggregator) for name, (query, aggregator) in named.items()],
            formula=formula,
            palette=_text(style.get('palette')) or 'dog_classic',
            formats=[
                {'comparator': one.get('comparator'), 'value': one.get('value'), 'palette': _text(one.get('palette'))}
                for one in _dicts(request.get('conditional_formats'))
                if isinstance(one.get('value'), int | float)
            ],
        )

    def _query(self, name: str, expression: tree.Expression, aggregator: str = 'avg', *, banded: bool = False) -> Query:
        used = sorted(variables(expression) & self.options.keys())
        selections = list(product(*(self.options[variable] for variable in used)))
        if len(selections) > MAX_SELECTIONS:
            names = ', '.join(used)
            raise _NotShownError(f'{names} have {len(selections)} selections; at most {MAX_SELECTIONS} are evaluated.')
        answers = {}
        for labels in selections:
            values = {name: self.options[name][label] for name, label in zip(used, labels, strict=True)}
            chosen = select(expression, self.prefixes, values)
            key = json.dumps(labels, ensure_ascii=False, separators=(',', ':'))
            answers[key] = self.source.answer(chosen, banded)
        return Query(name, used, answers, aggregator)


_KINDS: Mapping[str, Callable[[Converter, bundle.Widget, list[int]], Widget]] = {
    'note': Converter._note,
    'free_text': Converter._note,
    'timeseries': Converter._timeseries,
    'query_value': Converter._query_value,
    'toplist': Converter._toplist,
    'manage_status': Converter._summary,
}
_OTHER = 'The page shows groups, notes, timeseries, query values, top lists and monitor summaries.'
_MISSING = {
    'image': 'It would have to be fetched over the network.',
    'iframe': 'It would have to be fetched over the network.',
    'log_stream': 'Logs are not rehearsed.',
    'trace_service': 'Traces are not rehearsed.',
    'topology_map': 'Traces are not rehearsed.',
    'slo': 'Service level objectives are not rehearsed.',
    'event_stream': 'Events are not rehearsed.',
}


def convert(dashboard: bundle.Dashboard, source: Source, monitors: Sequence[Monitor]) -> Dashboard:
    """Convert a dashboard. Widgets that cannot be shown become placeholders; nothing raises."""
    return Converter(dashboard, source, monitors).convert()


def _named(request: Mapping[str, Any]) -> dict[str, tuple[tree.Expression, str]]:
    """Return the queries of a request by name, each with its scalar aggregator."""
    if isinstance(request.get('q'), str):
        aggregator = _aggregator(request.get('aggregator'))
        return {render(query): (query, aggregator) for query in parse_queries(request['q'])}
    named: dict[str, tuple[tree.Expression, str]] = {}
    for query in _dicts(request.get('queries')):
        kind = _text(query.get('data_source')) or 'unknown'
        if kind != 'metrics':
            raise _NotShownError(f'Its query reads {kind}, and only metrics are rehearsed.')
        name = _text(query.get('name')) or f'query{len(named) + 1}'
        named[name] = (parse_query(_text(query.get('query'))), _aggregator(query.get('aggregator')))
    if not named:
        raise _NotShownError('Its request has no metric query, and only metrics are rehearsed.')
    return named


# What top() and bottom() of the older top lists rank by.
_RANKED = regex(
    r"""\s*(?P<end>top|bottom)\((?P<query>.*),\s*(?P<count>[0-9]+)\s*,\s*'(?P<method>\w+)'\s*,"""
    r"""\s*'(?P<order>asc|desc)'\s*\)\s*""",
    re.S,
)
_METHODS = {'mean': 'avg'}


def _unranked(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """An older top list's request, `top(QUERY, 10, 'mean', 'desc')`, with its query alone, aggregated as ranked."""
    found = _RANKED.fullmatch(_text(request.get('q')))
    if not found:
        return request
    return {**request, 'q': found['query'], 'aggregator': _METHODS.get(found['method'], found['method'])}


def _ranking(request: Mapping[str, Any]) -> tuple[int, bool]:
    """Return the number of groups in a top list, and whether the smallest come first."""
    found = _RANKED.fullmatch(_text(request.get('q')))
    if found:
        return int(found['count']), found['order'] == 'asc'
    sort = _dict(request.get('sort'))
    limit = next((_dict(one.get('limit')) for one in _dicts(request.get('formulas')) if one.get('limit')), {})
    order = next(iter(_dicts(sort.get('order_by'))), limit).get('order')
    count = sort.get('count', limit.get('count'))
    return count if isinstance(count, int) and count > 0 else 10, order == 'asc'


def _label_of(values: Sequence[str]) -> str:
    return ' or '.join(values)


def _aggregator(value: Any) -> str:
    if value in _AGGREGATORS:
        return str(value)
    if value is None:
        return 'avg'
    raise _NotShownError(f'Its aggregator {value} is not supported; supported are {", ".join(_AGGREGATORS)}.')


def _binder(queries: Mapping[str, tree.Expression]) -> Callable[[tree.Node], tree.Node]:
    """Return a function that replaces the names in a formula by their queries."""

    def bind(node: tree.Node) -> tree.Node:
        if not isinstance(node, tree.Reference):
            return node
        if node.name not in queries:
            raise _NotShownError(f'Its formula uses {node.name}, which is not one of its queries.')
        query = queries[node.name]
        return tree.Modified(span=node.span, operand=query, modifiers=node.modifiers) if node.modifiers else query

    return bind


def _is_band(node: tree.Node) -> bool:
    return isinstance(node, tree.Call) and node.name == 'anomalies' and bool(node.arguments)


def _without_band(node: tree.Node) -> tree.Node:
    return node.arguments[0] if isinstance(node, tree.Call) and _is_band(node) else node


def _formula(node: tree.Expression, named: Mapping[str, object]) -> Formula:
    match node:
        case tree.Number(value=value):
            return ['number', value]
        case tree.Reference(name=name, modifiers=()) if name in named:
            return ['query', name]
        case tree.Binary(operator=operator, left=left, right=right):
            return ['act', operator, _formula(left, named), _formula(right, named)]
        case tree.Negative(operand=operand):
            return ['act', 'negative', _formula(operand, named)]
        case tree.Call(name=name, arguments=arguments, modifiers=()) if name in _SCALARS:
            return ['act', name, *(_formula(argument, named) for argument in arguments)]  # type: ignore[arg-type]
        case tree.Call(name=name) | tree.Reference(name=name):
            raise _NotShownError(
                f'Its formula uses {name}; the supported functions of single values are {", ".join(_SCALARS)}.'
            )
    raise _NotShownError('Its formula is outside the supported subset.')


_SEARCH = regex(r'(?P<minus>-?)(?:(?P<key>\w+):)?(?P<value>"[^"]*"|[^\s"]+)')


def _monitor_search(query: str) -> Callable[[Monitor], bool]:
    """Parse the search of a monitor summary: tags, titles, types, priorities and words, which must all match."""
    tests: list[Callable[[Monitor], bool]] = []
    for term in _SEARCH.finditer(query):
        value, key = term['value'].strip('"'), term['key']
        if key not in (None, 'tag', 'title', 'type', 'priority'):
            raise _NotShownError(
                f'Its search uses {key}:; only tag:, title:, type:, priority: and words are rehearsed.'
            )
        tests.append(_monitor_test(key, value.lower(), bool(term['minus'])))
    return lambda monitor: all(test(monitor) for test in tests)


def _monitor_test(key: str | None, value: str, negated: bool) -> Callable[[Monitor], bool]:
    def test(monitor: Monitor) -> bool:
        if key == 'tag':
            found = value in (tag.lower() for tag in monitor.tags)
        elif key == 'type':
            found = value == monitor.type.lower()
        elif key == 'priority':
            found = value.lstrip('p') == str(monitor.priority)
        else:
            found = value in monitor.name.lower()
        return found is not negated

    return test


_NUMBER = r'-?[0-9.]+(?:e-?[0-9]+)?'
_RANGE = regex(rf'(?:({_NUMBER})\s*<=?\s*)?y\s*(=|<=?|>=?)?\s*({_NUMBER})?', re.I)


def _marker(marker: Mapping[str, Any]) -> dict[str, Any] | None:
    """Parse `y = 800`, `y > 800` or `500 < y < 800`; None for other texts."""
    found = _RANGE.fullmatch(_text(marker.get('value')).strip())
    if not found:
        return None
    least, operator, bound = _number(found[1]), found[2] or '', _number(found[3])
    severity, _, line = _text(marker.get('display_type')).partition(' ')
    if operator == '=':
        low, high = bound, bound
    elif operator.startswith('<'):
        low, high = least, bound
    else:
        low, high = bound if bound is not None else least, None
    # An open end is drawn as its one bound.
    low, high = (low if low is not None else high), (high if high is not None else low)
    return {
        'low': low,
        'high': high,
        'severity': severity,
        'dashed': 'dash' in line,
        'label': _text(marker.get('label')).strip(),
    }


def _span(body: Mapping[str, Any]) -> int | None:
    time = body.get('time')
    live = _text(time.get('live_span')) if isinstance(time, dict) else ''
    return duration.parse(live, ('y', 'mo', 'w', 'd', 'h', 'm'))


def _requests(widget: bundle.Widget) -> list[Mapping[str, Any]]:
    # The screenboards of old keep them in a part of their own.
    requests = _dicts(widget.body.get('requests') or _dict(widget.body.get('tile_def')).get('requests'))
    if not requests:
        raise _NotShownError('It has no request.')
    return requests


def _label(formula: Mapping[str, Any]) -> str:
    return _text(formula.get('alias')) or _text(formula.get('formula'))


def _layout(widget: bundle.Widget) -> Mapping[str, Any]:
    return _dict(widget.outer.body.get('layout'))


def _scale(layouts: Sequence[Mapping[str, Any]]) -> Callable[[int, Mapping[str, Any]], list[int]]:
    """Convert layouts to 12 columns: free layouts have smaller units, and missing layouts become two side by side."""
    widest = max((_whole(layout, 'x') + _whole(layout, 'width') for layout in layouts), default=12)
    factor = 12 / widest if widest > 12 else 1.0

    def scale(index: int, layout: Mapping[str, Any]) -> list[int]:
        if not layout:
            return [index % 2 * 6, index // 2 * 4, 6, 4]
        x, y, width, height = (round(_whole(layout, key) * factor) for key in ('x', 'y', 'width', 'height'))
        return [min(x, 11), y, min(max(width, 1), 12 - min(x, 11)), max(height, 1)]

    return scale


def _whole(layout: Mapping[str, Any], key: str) -> int:
    value = layout.get(key)
    return max(0, int(value)) if isinstance(value, int | float) else 0


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ''


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
