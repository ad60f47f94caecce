"""Read what an integration ships beside its check: manifest, metadata.csv, dashboards, monitors and downtimes.

Reading never stops at a fault. Whatever cannot be used becomes a `Problem` with its file and position, and the rest is
read. Objects keep the parsed JSON (`body`) beside the few fields that are named here, and know their place in the file.
"""

import csv
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ddassets.document import Document, Place, Position, Problem, load_document, read_text


@dataclass(frozen=True)
class Asset:
    """A part of a document; `place` is where its body lies in the document."""

    document: Document
    place: Place
    body: Mapping[str, Any] = field(repr=False)

    @property
    def path(self) -> Path:
        return self.document.path

    def position(self, *place: str | int) -> Position:
        """Where the value at `place`, counted from the body, begins in the file."""
        return self.document.position(self.place + place)


@dataclass(frozen=True)
class Monitor(Asset):
    """A monitor: the bare API form, or the `definition` of a version-2 asset."""

    name: str
    type: str
    query: str
    message: str
    tags: tuple[str, ...]
    options: Mapping[str, Any]
    # Title, description and tags of the version-2 envelope; empty for the bare form.
    envelope: Mapping[str, Any]

    @property
    def outer(self) -> Asset:
        """The whole document, the envelope included."""
        return Asset(self.document, (), self.document.data)


@dataclass(frozen=True)
class Query:
    """One query text of a dashboard, with its place in the document.

    `source` is the `data_source` (metrics, logs, …); a text under `q` is of `metrics`, and one of no known form
    is `unknown`. `role` tells a `query` from a `formula` over the named queries of the same request.
    """

    text: str
    place: Place
    source: str
    role: str
    name: str | None
    request: Place


@dataclass(frozen=True)
class Widget(Asset):
    """A widget of a dashboard, groups included; those inside a group follow it and have it as `parent`."""

    type: str
    title: str
    queries: tuple[Query, ...]
    parent: Place | None


@dataclass(frozen=True)
class DashboardVariable(Asset):
    """A template variable. `prefix` is the tag key, or None for one that stands for a value alone."""

    name: str
    prefix: str | None
    defaults: tuple[str, ...]
    available_values: tuple[str, ...]


@dataclass(frozen=True)
class Dashboard(Asset):
    title: str
    description: str
    widgets: tuple[Widget, ...]
    variables: tuple[DashboardVariable, ...]


@dataclass(frozen=True)
class Downtime(Asset):
    """A v2 downtime; `body` is its `attributes`."""

    scope: str
    message: str


@dataclass(frozen=True)
class Manifest(Asset):
    """manifest.json; `dashboards` and `monitors` are `assets.dashboards` and `assets.monitors`: title to path.

    A text that the file lacks is empty.
    """

    app_id: str
    app_uuid: str
    # With the dot, as they stand there; an old manifest has one, at the top.
    metric_prefixes: tuple[str, ...]
    check: str
    metadata_path: str
    dashboards: Mapping[str, str]
    monitors: Mapping[str, str]
    saved_views: Mapping[str, str]


@dataclass(frozen=True)
class MetricMetadata:
    """A row of metadata.csv. `interval` is in seconds, None where the column is empty."""

    name: str
    type: str
    interval: int | None
    unit: str
    integration: str
    row: Mapping[str, str] = field(repr=False)
    line: int


@dataclass(frozen=True)
class Bundle:
    """Everything read from one integration's folder."""

    folder: Path
    manifest: Manifest | None
    metrics: Mapping[str, MetricMetadata]
    dashboards: tuple[Dashboard, ...]
    monitors: tuple[Monitor, ...]
    downtimes: tuple[Downtime, ...]
    problems: tuple[Problem, ...]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def metadata_path(self) -> Path:
        return _metadata_path(self.folder, self.manifest)

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The asset files, read or not."""
        assets = self.folder / 'assets'
        return tuple(sorted(p for kind in _KINDS for p in (assets / kind).glob('*.json') if os.path.isfile(p)))


_KINDS = ('dashboards', 'monitors', 'downtimes')


def integrations(path: Path) -> list[Path]:
    """The folders of integrations at `path`: itself, or those directly below it (a checkout), sorted by name.

    Raises OSError where `path` cannot be listed.
    """
    if is_integration(path):
        return [path]
    return sorted(child for child in path.iterdir() if is_integration(child))


def is_integration(path: Path) -> bool:
    """Whether the folder has what makes an integration: a manifest, or assets."""
    # os.path, for it answers no where pathlib raises: a folder that we may not enter, a name with a NUL.
    if os.path.isfile(path / 'manifest.json'):
        return True
    return any(os.path.isdir(path / 'assets' / kind) for kind in _KINDS)


def read(folder: Path) -> Bundle:
    """Read the integration at `folder`. No fault raises; each is in `Bundle.problems`."""
    problems: list[Problem] = []
    if not is_integration(folder):
        problems.append(Problem('folder', folder, None, 'no manifest.json and no assets: not an integration'))
    manifest = _manifest(folder, problems) if not problems else None
    return Bundle(
        folder=folder,
        manifest=manifest,
        metrics=_metadata(_metadata_path(folder, manifest), problems),
        dashboards=tuple(_dashboard(d, problems) for d in _documents(folder, 'dashboards', problems)),
        monitors=tuple(read_monitor(d, problems) for d in _documents(folder, 'monitors', problems)),
        downtimes=tuple(_downtime(d) for d in _documents(folder, 'downtimes', problems)),
        problems=tuple(problems),
    )


def _documents(folder: Path, kind: str, problems: list[Problem]) -> Iterator[Document]:
    try:
        # Not `glob`, which is silent about a folder that it may not list.
        names = sorted(path.name for path in (folder / 'assets' / kind).iterdir() if path.suffix == '.json')
    except FileNotFoundError:
        return
    except OSError as error:
        problems.append(Problem('unreadable', folder / 'assets' / kind, None, error.strerror or str(error)))
        return
    for name in names:
        document = load_document(folder / 'assets' / kind / name, problems)
        if document is None:
            continue
        if isinstance(document.data, dict):
            yield document
        else:
            _misshapen(document, (), document.data, 'an object', problems)


_JSON_NAMES = {
    dict: 'an object',
    list: 'a list',
    str: 'a text',
    bool: 'true or false',
    int: 'a number',
    float: 'a number',
    type(None): 'null',
}


def _misshapen(document: Document, place: Place, found: Any, expected: str, problems: list[Problem]) -> None:
    subject = ''
    if place:
        subject = f'{place[-2]}[{place[-1]}]: ' if isinstance(place[-1], int) else f'{place[-1]}: '
    message = f'{subject}expected {expected}, found {_JSON_NAMES[type(found)]}'
    problems.append(Problem('shape', document.path, document.position(place), message))


_SHAPES: Mapping[str, tuple[type, ...]] = {
    'an object': (dict,),
    'a list': (list,),
    'an object or null': (dict, type(None)),
    'a text': (str,),
    'a text or null': (str, type(None)),
    'a list or null': (list, type(None)),
}


def _expect(
    document: Document, place: Place, body: Mapping[str, Any], shapes: Mapping[str, str], problems: list[Problem]
) -> None:
    """Add a problem for each key of `body` that is there and has not the shape that `shapes` names."""
    for key, expected in shapes.items():
        if key in body and not isinstance(body[key], _SHAPES[expected]):
            _misshapen(document, (*place, key), body[key], expected, problems)


def _manifest(folder: Path, problems: list[Problem]) -> Manifest | None:
    path = folder / 'manifest.json'
    document = load_document(path, problems)
    if document is None:
        return None
    if not isinstance(document.data, dict):
        _misshapen(document, (), document.data, 'an object', problems)
        return None
    _expect(document, (), document.data, {'assets': 'an object'}, problems)
    assets = _mapping(document.data.get('assets'))
    kinds = dict.fromkeys(('dashboards', 'monitors', 'saved_views'), 'an object')
    _expect(document, ('assets',), assets, kinds, problems)
    metrics = _mapping(_mapping(assets.get('integration')).get('metrics'))
    return Manifest(
        document=document,
        place=(),
        body=document.data,
        app_id=_text(document.data.get('app_id')),
        app_uuid=_text(document.data.get('app_uuid')),
        metric_prefixes=_one_or_more(metrics.get('prefix') or document.data.get('metric_prefix')),
        check=next(iter(_one_or_more(metrics.get('check') or document.data.get('metric_to_check'))), ''),
        metadata_path=_text(metrics.get('metadata_path')),
        dashboards=_paths(assets.get('dashboards')),
        monitors=_paths(assets.get('monitors')),
        saved_views=_paths(assets.get('saved_views')),
    )


def _metadata_path(folder: Path, manifest: Manifest | None) -> Path:
    return folder / (manifest.metadata_path if manifest and manifest.metadata_path else 'metadata.csv')


def _metadata(path: Path, problems: list[Problem]) -> dict[str, MetricMetadata]:
    found: list[Problem] = []
    text = read_text(path, found)
    # An integration without metrics has no metadata.csv.
    problems.extend(problem for problem in found if problem.kind != 'missing')
    if not text:
        return {}
    metrics: dict[str, MetricMetadata] = {}
    reader = csv.DictReader(io.StringIO(text, newline=''), restkey='', restval='')
    try:
        if 'metric_name' not in (reader.fieldnames or ()):
            problems.append(Problem('shape', path, Position(1, 1), 'the first line names no column metric_name'))
            return {}
        for row in reader:
            name = row['metric_name'].strip()
            if not name:
                continue
            if name in metrics:
                message = f'the metric {name} stands in line {metrics[name].line} already'
                problems.append(Problem('duplicate-metric', path, Position(reader.line_num, 1), message))
            interval = row.get('interval', '').strip()
            metrics[name] = MetricMetadata(
                name=name,
                type=row.get('metric_type', '').strip(),
                interval=int(interval) if interval.isascii() and interval.isdigit() and len(interval) < 10 else None,
                unit=row.get('unit_name', '').strip(),
                integration=row.get('integration', '').strip(),
                row={column: value for column, value in row.items() if isinstance(value, str)},
                line=reader.line_num,
            )
    except csv.Error as error:
        problems.append(Problem('syntax', path, Position(reader.line_num, 1), f'not CSV: {error}'))
    return metrics


_MONITOR_SHAPES = {
    'name': 'a text',
    'type': 'a text',
    'query': 'a text',
    'message': 'a text or null',
    'tags': 'a list or null',
    'options': 'an object or null',
}
_DASHBOARD_SHAPES = {
    'title': 'a text',
    'description': 'a text or null',
    'widgets': 'a list',
    'graphs': 'a list',
    'template_variables': 'a list or null',
}


def read_monitor(document: Document, problems: list[Problem]) -> Monitor:
    """Read one monitor, in either form; what is not as it is meant is added to `problems`."""
    inner = document.data.get('definition')
    enveloped = isinstance(inner, dict)
    body = inner if enveloped else document.data
    place: Place = ('definition',) if enveloped else ()
    if 'definition' in document.data and not enveloped:
        _misshapen(document, ('definition',), inner, 'an object', problems)
    _expect(document, place, body, _MONITOR_SHAPES, problems)
    return Monitor(
        document=document,
        place=place,
        body=body,
        name=_text(body.get('name')),
        type=_text(body.get('type')),
        query=_text(body.get('query')),
        message=_text(body.get('message')),
        tags=_texts(body.get('tags')),
        options=_mapping(body.get('options')),
        envelope={k: v for k, v in document.data.items() if k != 'definition'} if enveloped else {},
    )


def _downtime(document: Document) -> Downtime:
    place: Place = ('data', 'attributes')
    body: Any = _mapping(document.data.get('data')).get('attributes')
    if not isinstance(body, dict):
        place, body = (), document.data
    return Downtime(document, place, body, scope=_text(body.get('scope')), message=_text(body.get('message')))


def _dashboard(document: Document, problems: list[Problem]) -> Dashboard:
    body = document.data
    place: Place = ()
    for wrapping in ('dash', 'dashboard'):
        # What the old API answered, saved as it came.
        inner = body.get(wrapping)
        if isinstance(inner, dict) and not body.keys() & {'widgets', 'graphs'}:
            body, place = inner, (wrapping,)
            break
    _expect(document, place, body, _DASHBOARD_SHAPES, problems)
    variables = body.get('template_variables')
    return Dashboard(
        document=document,
        place=place,
        body=body,
        title=_text(body.get('title')) or _text(body.get('board_title')),
        description=_text(body.get('description')),
        widgets=tuple(_widgets(document, place, body, problems)),
        variables=tuple(
            DashboardVariable(
                document=document,
                place=(*place, 'template_variables', index),
                body=variable,
                name=_text(variable.get('name')),
                prefix=_text(variable.get('prefix')) or None,
                defaults=_texts(variable.get('defaults')) or _texts([variable.get('default')]),
                available_values=_texts(variable.get('available_values')),
            )
            for index, variable in enumerate(variables if isinstance(variables, list) else ())
            if isinstance(variable, dict)
        ),
    )


def _widgets(document: Document, top: Place, body: Mapping[str, Any], problems: list[Problem]) -> Iterator[Widget]:
    """The widgets of both forms: `widgets`, with a `definition` or (screenboards) without, and the old `graphs`."""
    pending: list[tuple[Place, Any, Place | None]] = [
        ((*top, key, index), widget, None)
        for key in ('widgets', 'graphs')
        for index, widget in enumerate(body[key] if isinstance(body.get(key), list) else ())
    ]
    pending.reverse()
    while pending:
        place, widget, parent = pending.pop()
        if not isinstance(widget, dict):
            _misshapen(document, place, widget, 'an object', problems)
            continue
        definition = widget.get('definition')
        if isinstance(definition, dict):
            place, inner = (*place, 'definition'), definition
        else:
            _expect(document, place, widget, {'definition': 'an object'}, problems)
            inner = widget
        children = inner.get('widgets')
        if isinstance(children, list):
            pending.extend(((*place, 'widgets', i), child, place) for i, child in reversed(list(enumerate(children))))
        if isinstance(inner.get('source_widget_definition'), dict):
            # A split graph repeats one widget for each value of a tag.
            pending.append(((*place, 'source_widget_definition'), inner['source_widget_definition'], place))
        yield Widget(
            document=document,
            place=place,
            body=inner,
            type=_text(inner.get('type')) or _text(inner.get('viz')),
            title=_text(inner.get('title')) or _text(inner.get('title_text')) or _text(widget.get('title')),
            queries=tuple(_queries(place, inner)),
            parent=parent,
        )


# Old requests hold the query of another product under a key of its own instead of `q`.
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

# The widgets of old screenboards that hold one metric query themselves; elsewhere `query` is a search.
_OLD_GRAPHS = ('change', 'heatmap', 'hostmap', 'query_value', 'timeseries', 'toplist')


def _queries(place: Place, definition: Mapping[str, Any]) -> Iterator[Query]:
    """The queries and formulas of one widget's requests."""
    holder, outer = definition, place
    if 'requests' not in holder and isinstance(holder.get('tile_def'), dict):
        holder, place = holder['tile_def'], (*place, 'tile_def')
    requests = holder.get('requests')
    if not requests and isinstance(definition.get('query'), str) and definition.get('type') in _OLD_GRAPHS:
        yield Query(definition['query'], (*outer, 'query'), 'metrics', 'query', None, outer)
    for where, request in _requests((*place, 'requests'), requests):
        yield from _request(where, request)


def _requests(place: Place, holder: Any) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Those of a list, or of an object by name; a host map of the infrastructure has a list of them by name."""
    named = holder if isinstance(holder, dict) else {}
    listed = holder if isinstance(holder, list) else ()
    for step, item in (*named.items(), *enumerate(listed)):
        if isinstance(item, dict):
            yield (*place, step), item
        elif named and isinstance(item, list):
            yield from _requests((*place, step), item)


def _request(place: Place, request: Mapping[str, Any]) -> Iterator[Query]:
    text = request.get('q')
    if isinstance(text, str):
        yield Query(text, (*place, 'q'), 'metrics', 'query', None, place)
    for key, source in _OLD_SOURCES.items():
        if isinstance(request.get(key), dict):
            yield Query('', (*place, key), source, 'query', None, place)
    queries = request.get('queries')
    if isinstance(request.get('query'), dict):
        # List streams and single-query requests: one query that is an object of its own.
        queries, key = [request['query']], 'query'
    else:
        key = 'queries'
    for index, query in enumerate(queries if isinstance(queries, list) else ()):
        if isinstance(query, dict):
            where = (*place, 'query') if key == 'query' else (*place, 'queries', index)
            text = query.get('query')
            source = _text(query.get('data_source')) or 'unknown'
            name = _text(query.get('name')) or None
            if isinstance(text, str):
                yield Query(text, (*where, 'query'), source, 'query', name, place)
            else:
                yield Query('', where, source, 'query', name, place)
    formulas = request.get('formulas')
    for index, formula in enumerate(formulas if isinstance(formulas, list) else ()):
        text = formula.get('formula') if isinstance(formula, dict) else None
        if isinstance(text, str):
            yield Query(text, (*place, 'formulas', index, 'formula'), 'formula', 'formula', None, place)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ''


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _one_or_more(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) and value else _texts(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _paths(value: Any) -> dict[str, str]:
    return {title: path for title, path in _mapping(value).items() if isinstance(path, str)}
