"""A dashboard: its widgets, their queries and its template variables, in current and older forms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ddassets.assets.asset import Asset, text, texts
from ddassets.assets.dashboard_table import DashboardFields, OldDashboardFields, check_widget
from ddassets.assets.option import Report, decode
from ddassets.assets.source import Place, Source
from ddassets.diagnostic import Diagnostic


@dataclass(frozen=True)
class Query:
    """A query of a dashboard, with its place in the document.

    `source` is the `data_source` (metrics, logs, …): `metrics` for a text under `q`, `unknown` for an unknown form.
    `role` is `query`, or `formula` for a formula over the named queries of the same request.
    """

    text: str
    place: Place
    source: str
    role: str
    name: str | None
    request: Place


@dataclass(frozen=True)
class Widget(Asset):
    """A widget of a dashboard, or a group; widgets inside a group follow it and have it as `parent`.

    `body` is the definition; `outer` is the object around it, with the id and the layout.
    """

    outer: Asset
    type: str
    title: str
    queries: tuple[Query, ...]
    parent: Place | None

    @property
    def label(self) -> str:
        return self.title or self.type

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The faults of the definition that leave the widget empty."""
        report = Report(self)
        if 'definition' in self.outer.body or 'layout_type' in self.body:
            check_widget(self.body, report)
        return tuple(report.diagnostics)


@dataclass(frozen=True)
class DashboardVariable(Asset):
    """A template variable. `prefix` is the tag key, or None for a variable that is only a value."""

    name: str
    prefix: str | None
    defaults: tuple[str, ...]
    available_values: tuple[str, ...]

    @property
    def label(self) -> str:
        return f'${self.name}'


@dataclass(frozen=True)
class Dashboard(Asset):
    title: str
    description: str
    widgets: tuple[Widget, ...]
    variables: tuple[DashboardVariable, ...]

    @property
    def label(self) -> str:
        return self.title

    @property
    def is_old(self) -> bool:
        """Whether it is a timeboard or a screenboard, the predecessors of dashboards."""
        if 'layout_type' in self.body:
            return False
        new = any(isinstance(widget.outer.body.get('definition'), Mapping) for widget in self.widgets)
        return not new or bool(self.body.keys() & {'graphs', 'board_title'})

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        report = Report(self, DashboardFields)
        # The old forms have other keys, which Datadog no longer accepts: check only their types.
        decode(OldDashboardFields if self.is_old else DashboardFields, self.body, (), report)
        for place, widget in _not_objects(self.body):
            report.wrong('file/shape', place, 'an object', widget)
        own = (one for widget in self.widgets for one in widget.diagnostics)
        return (*report.diagnostics, *(() if self.is_old else own))


def read_dashboard(source: Source, body: Mapping[str, Any], place: Place = ()) -> Dashboard:
    """Return a dashboard of the API's form, or of an older form. Faults do not raise."""
    for wrapping in ('dash', 'dashboard'):
        # A response of the old API.
        inner = body.get(wrapping)
        if isinstance(inner, dict) and not body.keys() & {'widgets', 'graphs'}:
            body, place = inner, (*place, wrapping)
            break
    variables = body.get('template_variables')
    return Dashboard(
        source=source,
        place=place,
        body=body,
        title=text(body.get('title')) or text(body.get('board_title')),
        description=text(body.get('description')),
        widgets=tuple(_widgets(source, place, body)),
        variables=tuple(
            DashboardVariable(
                source=source,
                place=(*place, 'template_variables', index),
                body=variable,
                name=text(variable.get('name')),
                prefix=text(variable.get('prefix')) or None,
                defaults=texts(variable.get('defaults')) or texts([variable.get('default')]),
                available_values=texts(variable.get('available_values')),
            )
            for index, variable in enumerate(variables if isinstance(variables, list) else ())
            if isinstance(variable, dict)
        ),
    )


def _not_objects(body: Mapping[str, Any]) -> Iterator[tuple[Place, Any]]:
    """Return the widgets and definitions that are not objects, at any depth."""
    pending: list[tuple[Place, Any]] = [((), body)]
    while pending:
        place, holder = pending.pop()
        for key in ('graphs', 'widgets'):
            for index, widget in enumerate(holder[key] if isinstance(holder.get(key), list) else ()):
                here = (*place, key, index)
                if not isinstance(widget, dict):
                    yield here, widget
                    continue
                definition = widget.get('definition', widget)
                if isinstance(definition, dict):
                    pending.append(((*here, 'definition') if 'definition' in widget else here, definition))
                else:
                    yield (*here, 'definition'), definition


def _widgets(source: Source, top: Place, body: Mapping[str, Any]) -> Iterator[Widget]:
    """Return the widgets of all forms: `widgets`, with or (screenboards) without `definition`, and old `graphs`."""
    pending: list[tuple[Place, Any, Place | None]] = [
        ((*top, key, index), widget, None)
        for key in ('widgets', 'graphs')
        for index, widget in enumerate(body[key] if isinstance(body.get(key), list) else ())
    ]
    pending.reverse()
    while pending:
        place, widget, parent = pending.pop()
        if not isinstance(widget, dict):
            continue
        outer = Asset(source, place, widget)
        definition = widget.get('definition')
        if isinstance(definition, dict):
            place, inner = (*place, 'definition'), definition
        else:
            inner = widget
        children = inner.get('widgets')
        if isinstance(children, list):
            pending.extend(((*place, 'widgets', i), child, place) for i, child in reversed(list(enumerate(children))))
        if isinstance(inner.get('source_widget_definition'), dict):
            # A split graph repeats a widget for each value of a tag.
            pending.append(((*place, 'source_widget_definition'), inner['source_widget_definition'], place))
        yield Widget(
            source=source,
            place=place,
            body=inner,
            outer=outer,
            type=text(inner.get('type')) or text(inner.get('viz')),
            title=text(inner.get('title')) or text(inner.get('title_text')) or text(widget.get('title')),
            queries=tuple(_queries(place, inner)),
            parent=parent,
        )


# Old requests have the query of another product under a separate key instead of `q`.
_OLD_SOURCES = {
    'apm_query': 'apm',
    'apm_stats_query': 'apm_stats',
    'audit_query': 'audit',
    'event_query': 'events',
    'log_query': 'logs',
    'network_query': 'network',
    'process_query': 'process',
    'profile_metrics_query': 'profiling',
    'rum_query': 'rum',
    'security_query': 'security_signals',
}

# Widgets of old screenboards with a metric query in `query`; in other widgets `query` is a search.
_OLD_GRAPHS = ('change', 'heatmap', 'hostmap', 'query_value', 'timeseries', 'toplist')


def _queries(place: Place, definition: Mapping[str, Any]) -> Iterator[Query]:
    """Return the queries and formulas of a widget's requests."""
    holder, outer = definition, place
    if 'requests' not in holder and isinstance(holder.get('tile_def'), dict):
        holder, place = holder['tile_def'], (*place, 'tile_def')
    requests = holder.get('requests')
    if not requests and isinstance(definition.get('query'), str) and definition.get('type') in _OLD_GRAPHS:
        yield Query(definition['query'], (*outer, 'query'), 'metrics', 'query', None, outer)
    for where, request in _requests((*place, 'requests'), requests):
        yield from _request(where, request)


def _requests(place: Place, holder: Any) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Return the requests of a list, or of an object by name; a host map has an object with lists."""
    named = holder if isinstance(holder, dict) else {}
    listed = holder if isinstance(holder, list) else ()
    for step, item in (*named.items(), *enumerate(listed)):
        if isinstance(item, dict):
            yield (*place, step), item
        elif named and isinstance(item, list):
            yield from _requests((*place, step), item)


def _request(place: Place, request: Mapping[str, Any]) -> Iterator[Query]:
    written = request.get('q')
    if isinstance(written, str):
        yield Query(written, (*place, 'q'), 'metrics', 'query', None, place)
    for key, source in _OLD_SOURCES.items():
        if isinstance(request.get(key), dict):
            yield Query('', (*place, key), source, 'query', None, place)
    queries = request.get('queries')
    if isinstance(request.get('query'), dict):
        # List streams and single-query requests: `query` is an object.
        queries, key = [request['query']], 'query'
    else:
        key = 'queries'
    for index, query in enumerate(queries if isinstance(queries, list) else ()):
        if isinstance(query, dict):
            where = (*place, 'query') if key == 'query' else (*place, 'queries', index)
            written = query.get('query')
            source = text(query.get('data_source')) or 'unknown'
            name = text(query.get('name')) or None
            if isinstance(written, str):
                yield Query(written, (*where, 'query'), source, 'query', name, place)
            else:
                yield Query('', where, source, 'query', name, place)
    formulas = request.get('formulas')
    for index, formula in enumerate(formulas if isinstance(formulas, list) else ()):
        written = formula.get('formula') if isinstance(formula, dict) else None
        if isinstance(written, str):
            yield Query(written, (*place, 'formulas', index, 'formula'), 'formula', 'formula', None, place)
