"""Read what an integration ships beside its check: manifest, metadata.csv, dashboards, monitors and downtimes.

Reading never stops at a fault. Whatever cannot be used becomes a `Problem` with its file and position, and the rest is
read. Objects keep the parsed JSON (`body`) beside the few fields that are named here, and know their place in the file.
"""

import codecs
import csv
import errno
import io
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

type Place = tuple[str | int, ...]

_SPACE = re.compile(r'[ \t\n\r]*')
_MARK = re.compile(r'[{}\[\]"]')
_SURROGATES = re.compile(r'\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}')
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column, both counted from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read, or not as it is meant.

    `kind` is one of folder (no integration), missing, unreadable, encoding, byte-order-mark, syntax, duplicate-key,
    duplicate-metric, shape.
    """

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
    # Where the values of the objects and arrays lie that were entered, by the offset at which each begins.
    _entered: dict[int, dict[str | int, int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def position(self, place: Place = (), column: int | None = None) -> Position:
        """Where the value at `place` (keys and indices from the top) begins; of a missing one, its parent.

        With `column`, where that character (counted from 0) of the string at `place` stands in the file.
        """
        offset = _skip_space(self.text, 0)
        try:
            for step in place:
                if offset not in self._entered:
                    self._entered[offset] = _parts(self.text, offset)
                found = self._entered[offset].get(step)
                if found is None:
                    return _position(self.text, offset)
                offset = found
        except RecursionError:
            # Nested so deeply that it can be read but not skipped: the innermost place that was found has to do.
            return _position(self.text, offset)
        if column is not None and self.text[offset] == '"':
            offset = _inside(self.text, offset, column)
        return _position(self.text, offset)


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


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, 'utf-8'),
    # Before UTF-16: its mark begins with theirs.
    (codecs.BOM_UTF32_LE, 'utf-32-le'),
    (codecs.BOM_UTF32_BE, 'utf-32-be'),
    (codecs.BOM_UTF16_LE, 'utf-16-le'),
    (codecs.BOM_UTF16_BE, 'utf-16-be'),
)


# Bytes. The largest dashboard that we know of has two million.
LARGEST_FILE = 64_000_000


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises OSError for what is none: a pipe would keep us waiting, a device is endless."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, 'Not a file, but a pipe, a socket or a device', str(path))
    if found.st_size > LARGEST_FILE:
        raise OSError(errno.EFBIG, f'Larger than {LARGEST_FILE} bytes', str(path))
    return path.read_bytes()


def read_text(path: Path, problems: list[Problem]) -> str | None:
    """The text of a file that should be UTF-8; None, and a problem, where it cannot be read.

    A byte order mark and another encoding are problems too, but the text is returned as far as it can be told: what
    is no UTF-8 becomes U+FFFD.
    """
    try:
        content = read_bytes(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        kind = 'missing' if isinstance(error, FileNotFoundError | ValueError) else 'unreadable'
        if kind == 'missing' and os.path.islink(path):
            kind, reason = 'unreadable', 'A link to a file that is not there'
        problems.append(Problem(kind, path, None, reason))
        return None
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            text = content.removeprefix(mark).decode(encoding, 'replace')
            if encoding == 'utf-8':
                message = 'begins with a byte order mark, which readers of JSON and CSV stumble over'
                problems.append(Problem('byte-order-mark', path, Position(1, 1), message))
                # Falls through: the rest may still not be UTF-8.
                content = content.removeprefix(mark)
                break
            problems.append(Problem('encoding', path, Position(1, 1), f'encoded in {encoding}; expected UTF-8'))
            return text
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        position = _position(before := content[: error.start].decode(), len(before))
        found = f'{error.reason} {content[error.start]:#04x} at byte {error.start}'
        problems.append(Problem('encoding', path, position, f'not UTF-8: {found}'))
        return content.decode(errors='replace')


def load_document(path: Path, problems: list[Problem]) -> Document | None:
    """Read one JSON file; None, and a problem, where it cannot be read. Of duplicate keys the last one wins."""
    text = read_text(path, problems)
    if text is None:
        return None
    duplicated = False

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal duplicated
        mapping = dict(pairs)
        duplicated = duplicated or len(mapping) < len(pairs)
        return mapping

    try:
        data = json.loads(text, object_pairs_hook=unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        message = f'not JSON: {error.msg[:1].lower()}{error.msg[1:]}' if text.strip() else 'the file is empty'
        problems.append(Problem('syntax', path, _position(text, error.pos), message))
        return None
    except _ConstantError as error:
        position = _position(text, _outside_strings(text, str(error)))
        problems.append(Problem('syntax', path, position, f'not JSON: {error} is no JSON number'))
        return None
    except RecursionError:
        problems.append(Problem('syntax', path, Position(1, 1), 'nested too deeply to be read'))
        return None
    except ValueError:
        # Python's bound on the digits of a whole number.
        problems.append(Problem('syntax', path, Position(1, 1), 'a number has too many digits'))
        return None
    if duplicated:
        for key, offset in _duplicates(text):
            message = f'the key {key!r} stands twice in one object; the last one counts'
            problems.append(Problem('duplicate-key', path, _position(text, offset), message))
    return Document(path, text, data)


class _ConstantError(ValueError):
    """NaN, Infinity or -Infinity: Python writes them, JSON has none."""


def _refuse_constant(name: str) -> Any:
    raise _ConstantError(name)


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


# Positions are looked up only for what is reported, so the fast parser of the standard library can do the reading.


def _skip_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def _parts(text: str, offset: int) -> dict[str | int, int]:
    """The offsets of the values of the object or array that begins at `offset`, by key or index."""
    opening = text[offset]
    parts: dict[str | int, int] = {}
    if opening not in '{[':
        return parts
    index = 0
    offset = _skip_space(text, offset + 1)
    while text[offset] not in '}]':
        key: str | int = index
        if opening == '{':
            key, offset = scanstring(text, offset + 1, False)
            offset = _skip_space(text, _skip_space(text, offset) + 1)
        parts[key] = offset
        _, offset = _DECODER.raw_decode(text, offset)
        offset = _skip_space(text, offset)
        if text[offset] == ',':
            offset = _skip_space(text, offset + 1)
        index += 1
    return parts


def _inside(text: str, offset: int, column: int) -> int:
    """The offset of character `column` of the string whose opening quote is at `offset`, past what escapes it."""
    offset += 1
    while column > 0 and text[offset : offset + 1] not in ('"', ''):
        if text[offset] == '\\':
            match = _SURROGATES.match(text, offset)
            offset = match.end() if match else offset + (6 if text[offset + 1 : offset + 2] == 'u' else 2)
        else:
            offset += 1
        column -= 1
    return offset


def _duplicates(text: str) -> list[tuple[str, int]]:
    """Each key that stands in its object already, and where it stands again. The text is known to be JSON."""
    found = []
    # A set of keys for each open object, None for each open list.
    open_objects: list[set[str] | None] = []
    offset = 0
    while match := _MARK.search(text, offset):
        offset = match.end()
        match match[0]:
            case '{':
                open_objects.append(set())
            case '[':
                open_objects.append(None)
            case '}' | ']':
                open_objects.pop()
            case _:
                start = match.start()
                value, offset = scanstring(text, start + 1, False)
                keys = open_objects[-1] if open_objects else None
                if keys is not None and text[(end := _skip_space(text, offset)) : end + 1] == ':':
                    if value in keys:
                        found.append((value, start))
                    keys.add(value)
    return found


def _outside_strings(text: str, word: str) -> int:
    """The offset of the first `word` that is not inside a string."""
    offset = 0
    pattern = re.compile(rf'"|{word}')
    while match := pattern.search(text, offset):
        if match[0] != '"':
            return match.start()
        _, offset = scanstring(text, match.end(), False)
    return 0


def _position(text: str, offset: int) -> Position:
    return Position(text.count('\n', 0, offset) + 1, offset - text.rfind('\n', 0, offset))
