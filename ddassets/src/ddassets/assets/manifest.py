"""manifest.json, metadata.csv and service_checks.json of an integration."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ddassets.assets.asset import Asset, mapping, one_or_more, text
from ddassets.assets.document import Document, fault, load_document, read_text
from ddassets.assets.source import Place, dotted
from ddassets.diagnostic import Diagnostic, Position, Severity


@dataclass(frozen=True)
class Manifest(Asset):
    """manifest.json; `dashboards` and `monitors` are `assets.dashboards` and `assets.monitors`: title to path.

    Missing texts are empty.
    """

    app_id: str
    app_uuid: str
    # With the dot, as in the file; an old manifest has one prefix, at the top level.
    metric_prefixes: tuple[str, ...]
    check: str
    metadata_path: str
    dashboards: Mapping[str, str]
    monitors: Mapping[str, str]
    saved_views: Mapping[str, str]


@dataclass(frozen=True)
class MetricMetadata:
    """A row of metadata.csv. `interval` is in seconds, None if the column is empty."""

    name: str
    type: str
    interval: int | None
    unit: str
    integration: str
    row: Mapping[str, str] = field(repr=False)
    line: int
    # The number of fields beyond the columns of the first line.
    surplus: int = 0


def read_manifest(folder: Path, problems: list[Diagnostic]) -> Manifest | None:
    """Read manifest.json; None if it does not exist or is not an object."""
    path = folder / 'manifest.json'
    document = load_document(path, problems)
    if document is None:
        return None
    if not isinstance(document.data, dict):
        misshapen(document, (), document.data, 'an object', problems)
        return None
    expect(document, (), document.data, {'assets': 'an object'}, problems)
    assets = mapping(document.data.get('assets'))
    kinds = dict.fromkeys(('dashboards', 'monitors', 'saved_views'), 'an object')
    expect(document, ('assets',), assets, kinds, problems)
    metrics = mapping(mapping(assets.get('integration')).get('metrics'))
    return Manifest(
        source=document,
        place=(),
        body=document.data,
        app_id=text(document.data.get('app_id')),
        app_uuid=text(document.data.get('app_uuid')),
        metric_prefixes=one_or_more(metrics.get('prefix') or document.data.get('metric_prefix')),
        check=next(iter(one_or_more(metrics.get('check') or document.data.get('metric_to_check'))), ''),
        metadata_path=text(metrics.get('metadata_path')),
        dashboards=_paths(assets.get('dashboards')),
        monitors=_paths(assets.get('monitors')),
        saved_views=_paths(assets.get('saved_views')),
    )


_JSON_NAMES = {
    dict: 'an object',
    list: 'a list',
    str: 'a text',
    bool: 'true or false',
    int: 'a number',
    float: 'a number',
    type(None): 'null',
}


def misshapen(document: Document, place: Place, found: Any, expected: str, diagnostics: list[Diagnostic]) -> None:
    """Add a diagnostic about a value of the wrong type."""
    subject = f'{dotted(place)}: ' if place else ''
    message = f'{subject}expected {expected}, found {_JSON_NAMES[type(found)]}'
    diagnostics.append(
        Diagnostic('file/shape', Severity.ERROR, document.path, message, document.position(place), key=dotted(place))
    )


_SHAPES: Mapping[str, tuple[type, ...]] = {
    'an object': (dict,),
    'a list': (list,),
    'an object or null': (dict, type(None)),
    'a text': (str,),
    'a text or null': (str, type(None)),
    'a list or null': (list, type(None)),
}


def expect(
    document: Document, place: Place, body: Mapping[str, Any], shapes: Mapping[str, str], diagnostics: list[Diagnostic]
) -> None:
    """Add a diagnostic for each key of `body` whose value does not have the type in `shapes`."""
    for key, expected in shapes.items():
        if key in body and not isinstance(body[key], _SHAPES[expected]):
            misshapen(document, (*place, key), body[key], expected, diagnostics)


def metadata_path(folder: Path, manifest: Manifest | None) -> Path:
    """Return the path of metadata.csv."""
    return folder / (manifest.metadata_path if manifest and manifest.metadata_path else 'metadata.csv')


# The key for fields without a column.
_SURPLUS = ''


def read_metadata(path: Path, problems: list[Diagnostic]) -> dict[str, MetricMetadata]:
    """Read metadata.csv: the last row of each metric, by name."""
    found: list[Diagnostic] = []
    content = read_text(path, found)
    # An integration without metrics has no metadata.csv.
    problems.extend(problem for problem in found if problem.code != 'manifest/missing')
    if not content:
        return {}
    metrics: dict[str, MetricMetadata] = {}
    reader = csv.DictReader(io.StringIO(content, newline=''), restkey=_SURPLUS, restval='')
    try:
        if 'metric_name' not in (reader.fieldnames or ()):
            problems.append(fault('file/shape', path, Position(1, 1), 'the first line has no column metric_name'))
            return {}
        for row in reader:
            name = row['metric_name'].strip()
            if not name:
                continue
            if name in metrics:
                # Baselines identify a finding by its message, which does not change when rows are added elsewhere.
                message, hint = f'the metric {name} is duplicated', f'see line {metrics[name].line}'
                problems.append(fault('metadata/duplicate', path, Position(reader.line_num, 1), message, hint))
            interval = row.get('interval', '').strip()
            metrics[name] = MetricMetadata(
                name=name,
                type=row.get('metric_type', '').strip(),
                interval=int(interval) if interval.isascii() and interval.isdigit() and len(interval) < 10 else None,
                unit=row.get('unit_name', '').strip(),
                integration=row.get('integration', '').strip(),
                row={column: value for column, value in row.items() if isinstance(value, str)},
                line=reader.line_num,
                surplus=len(row.get(_SURPLUS, ())),
            )
    except csv.Error as error:
        problems.append(fault('file/syntax', path, Position(reader.line_num, 1), f'not CSV: {error}'))
    return metrics


def read_service_checks(path: Path, problems: list[Diagnostic]) -> frozenset[str] | None:
    """Return the names in service_checks.json; None if there is no such file, or it is not a list."""
    found: list[Diagnostic] = []
    document = load_document(path, found)
    problems.extend(one for one in found if one.code != 'manifest/missing')
    if document is None or not isinstance(document.data, list):
        return None
    return frozenset(text(mapping(one).get('check')) for one in document.data) - {''}


def _paths(value: Any) -> dict[str, str]:
    return {title: path for title, path in mapping(value).items() if isinstance(path, str)}
