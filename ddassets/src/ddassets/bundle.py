"""Read what an integration ships beside its check: manifest, metadata.csv, dashboards, monitors and downtimes.

Reading never stops at a fault. Whatever cannot be used becomes a `Problem` with its file and position, and the rest is
read. Objects keep the parsed JSON (`body`) beside the few fields that are named here, and know their place in the file.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

type Place = tuple[str | int, ...]

_SPACE = re.compile(r'[ \t\n\r]*')
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column, both counted from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read. `kind` is one of encoding, syntax, duplicate-key, shape, missing, folder."""

    kind: str
    path: Path
    position: Position | None
    message: str


@dataclass(frozen=True)
class Document:
    """One JSON file. `data` is its content."""

    path: Path
    text: str = field(repr=False)
    data: Any = field(repr=False)

    def position(self, place: Place = ()) -> Position:
        """Where the value at `place` (keys and indices from the top) begins; of a missing one, its parent."""
        offset = _skip_space(self.text, 0)
        for step in place:
            found = _enter(self.text, offset, step)
            if found is None:
                break
            offset = found
        return _position(self.text, offset)


@dataclass(frozen=True)
class Asset:
    """A part of a document; `place` is where its body lies in the document."""

    document: Document
    place: Place
    body: Mapping[str, Any] = field(repr=False)

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
    """manifest.json; `dashboards` and `monitors` are `assets.dashboards` and `assets.monitors`: title to path."""

    app_id: str
    app_uuid: str
    metric_prefix: str
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

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The asset files, read or not."""
        assets = self.folder / 'assets'
        return tuple(sorted(p for kind in _KINDS for p in (assets / kind).glob('*.json')))


_KINDS = ('dashboards', 'monitors', 'downtimes')


def integrations(path: Path) -> list[Path]:
    """The folders of integrations at `path`: itself, or those directly below it (a checkout), sorted by name."""
    if _is_integration(path):
        return [path]
    return sorted(child for child in path.iterdir() if child.is_dir() and _is_integration(child))


def _is_integration(path: Path) -> bool:
    return (path / 'manifest.json').is_file() or any((path / 'assets' / kind).is_dir() for kind in _KINDS)


def read(folder: Path) -> Bundle:
    """Read the integration at `folder`. No fault raises; each is in `Bundle.problems`."""
    problems: list[Problem] = []
    if not _is_integration(folder):
        problems.append(Problem('folder', folder, None, 'no manifest.json and no assets folder: not an integration'))
    manifest = _manifest(folder, problems)
    metadata = folder / (manifest.metadata_path if manifest else 'metadata.csv')
    return Bundle(
        folder=folder,
        manifest=manifest,
        metrics=_metadata(metadata, problems),
        dashboards=tuple(_dashboard(d) for d in _documents(folder, 'dashboards', problems)),
        monitors=tuple(_monitor(d) for d in _documents(folder, 'monitors', problems)),
        downtimes=tuple(_downtime(d) for d in _documents(folder, 'downtimes', problems)),
        problems=tuple(problems),
    )


def load_document(path: Path, problems: list[Problem]) -> Document | None:
    """Read one JSON file; None, and a problem, where it cannot be read. Of duplicate keys the last one wins."""
    try:
        text = path.read_bytes().decode('utf-8-sig')
    except OSError as error:
        problems.append(Problem('missing', path, None, error.strerror or str(error)))
        return None
    except UnicodeDecodeError as error:
        problems.append(Problem('encoding', path, None, f'not UTF-8: {error.reason} at byte {error.start}'))
        return None
    duplicates: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            keys = [key for key, _ in pairs]
            duplicates.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return mapping

    try:
        data = json.loads(text, object_pairs_hook=unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        problems.append(Problem('syntax', path, Position(error.lineno, error.colno), f'not JSON: {error.msg}'))
        return None
    except (ValueError, RecursionError) as error:
        problems.append(Problem('syntax', path, None, f'not JSON: {error}'))
        return None
    problems.extend(
        Problem('duplicate-key', path, None, f'the key {key!r} stands twice in one object') for key in duplicates
    )
    return Document(path, text, data)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f'{name} is no JSON number')


def _documents(folder: Path, kind: str, problems: list[Problem]) -> Iterator[Document]:
    for path in sorted((folder / 'assets' / kind).glob('*.json')):
        document = load_document(path, problems)
        if document is None:
            continue
        if isinstance(document.data, dict):
            yield document
        else:
            found = type(document.data).__name__
            problems.append(Problem('shape', path, document.position(), f'expected an object, found {found}'))


def _manifest(folder: Path, problems: list[Problem]) -> Manifest | None:
    path = folder / 'manifest.json'
    document = load_document(path, problems)
    if document is None:
        return None
    if not isinstance(document.data, dict):
        problems.append(Problem('shape', path, document.position(), 'expected an object'))
        return None
    assets = _mapping(document.data.get('assets'))
    metrics = _mapping(_mapping(assets.get('integration')).get('metrics'))
    check = metrics.get('check')
    return Manifest(
        document=document,
        place=(),
        body=document.data,
        app_id=_text(document.data.get('app_id')),
        app_uuid=_text(document.data.get('app_uuid')),
        metric_prefix=_text(metrics.get('prefix')),
        check=_text(check[0] if isinstance(check, list) and check else check),
        metadata_path=_text(metrics.get('metadata_path')) or 'metadata.csv',
        dashboards=_paths(assets.get('dashboards')),
        monitors=_paths(assets.get('monitors')),
        saved_views=_paths(assets.get('saved_views')),
    )


def _metadata(path: Path, problems: list[Problem]) -> dict[str, MetricMetadata]:
    try:
        text = path.read_text(encoding='utf-8-sig')
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem('encoding', path, None, str(error)))
        return {}
    metrics: dict[str, MetricMetadata] = {}
    reader = csv.DictReader(io.StringIO(text, newline=''), restval='')
    try:
        for row in reader:
            name = (row.get('metric_name') or '').strip()
            if not name:
                continue
            interval = (row.get('interval') or '').strip()
            metrics[name] = MetricMetadata(
                name=name,
                type=(row.get('metric_type') or '').strip(),
                interval=int(interval) if interval.isascii() and interval.isdigit() else None,
                unit=(row.get('unit_name') or '').strip(),
                integration=(row.get('integration') or '').strip(),
                row=row,
                line=reader.line_num,
            )
    except csv.Error as error:
        problems.append(Problem('syntax', path, Position(reader.line_num, 1), f'not CSV: {error}'))
    return metrics


def _monitor(document: Document) -> Monitor:
    inner = document.data.get('definition')
    enveloped = isinstance(inner, dict)
    body = inner if enveloped else document.data
    return Monitor(
        document=document,
        place=('definition',) if enveloped else (),
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


def _dashboard(document: Document) -> Dashboard:
    body = document.data
    variables = body.get('template_variables')
    return Dashboard(
        document=document,
        place=(),
        body=body,
        title=_text(body.get('title') or body.get('board_title')),
        description=_text(body.get('description')),
        widgets=tuple(_widgets(document, body)),
        variables=tuple(
            DashboardVariable(
                document=document,
                place=('template_variables', index),
                body=variable,
                name=_text(variable.get('name')),
                prefix=_text(variable.get('prefix')) or None,
                defaults=_texts(variable.get('defaults', [variable.get('default')])),
                available_values=_texts(variable.get('available_values')),
            )
            for index, variable in enumerate(variables if isinstance(variables, list) else ())
            if isinstance(variable, dict)
        ),
    )


def _widgets(document: Document, body: Mapping[str, Any]) -> Iterator[Widget]:
    """The widgets of both forms: `widgets` with a `definition`, and the old `graphs`."""
    pending: list[tuple[Place, Any, Place | None]] = [
        ((key, index), widget, None)
        for key in ('widgets', 'graphs')
        for index, widget in enumerate(body[key] if isinstance(body.get(key), list) else ())
    ]
    pending.reverse()
    while pending:
        place, widget, parent = pending.pop()
        if not isinstance(widget, dict):
            continue
        definition = widget.get('definition')
        if isinstance(definition, dict):
            place, inner = (*place, 'definition'), definition
        else:
            inner = widget
        children = inner.get('widgets')
        if isinstance(children, list):
            pending.extend(((*place, 'widgets', i), child, place) for i, child in reversed(list(enumerate(children))))
        yield Widget(
            document=document,
            place=place,
            body=inner,
            type=_text(inner.get('type') or inner.get('viz')),
            title=_text(inner.get('title') or widget.get('title')),
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


def _queries(place: Place, definition: Mapping[str, Any]) -> Iterator[Query]:
    """The queries and formulas of one widget's requests: a list, or an object by name (hostmap, scatterplot)."""
    holder = definition
    if 'requests' not in holder and isinstance(holder.get('tile_def'), dict):
        holder, place = holder['tile_def'], (*place, 'tile_def')
    requests = holder.get('requests')
    if isinstance(requests, dict):
        entries: list[tuple[str | int, Any]] = list(requests.items())
    else:
        entries = list(enumerate(requests if isinstance(requests, list) else ()))
    for step, request in entries:
        if isinstance(request, dict):
            yield from _request((*place, 'requests', step), request)


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
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, Sequence) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _paths(value: Any) -> dict[str, str]:
    return {title: path for title, path in _mapping(value).items() if isinstance(path, str)}


# Positions are looked up only for what is reported, so the fast parser of the standard library can do the reading.


def _skip_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def _enter(text: str, offset: int, step: str | int) -> int | None:
    """The offset of the value at key or index `step` of the object or array that begins at `offset`."""
    opening = '{' if isinstance(step, str) else '['
    if text[offset : offset + 1] != opening:
        return None
    found = None
    index = 0
    offset = _skip_space(text, offset + 1)
    while text[offset] not in '}]':
        key: str | int = index
        if opening == '{':
            key, offset = scanstring(text, offset + 1, False)
            offset = _skip_space(text, _skip_space(text, offset) + 1)
        if key == step:
            found = offset
            if opening == '[':
                break
        _, offset = _DECODER.raw_decode(text, offset)
        offset = _skip_space(text, offset)
        if text[offset] == ',':
            offset = _skip_space(text, offset + 1)
        index += 1
    return found


def _position(text: str, offset: int) -> Position:
    return Position(text.count('\n', 0, offset) + 1, offset - text.rfind('\n', 0, offset))
