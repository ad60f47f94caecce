"""Read the assets of an integration: manifest, metadata.csv, dashboards, monitors, downtimes and SLOs.

Reading never stops at a fault: each becomes a diagnostic with file and position, and the rest is read. Each asset has
the parsed JSON (`body`), its decoded fields, and its place in the file. A new kind of asset needs a module with its
table and its reader, and a row of `KINDS`.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ddassets import boundary
from ddassets.assets.asset import Asset
from ddassets.assets.dashboard import Dashboard, DashboardVariable, Query, Widget, read_dashboard
from ddassets.assets.document import Document, fault, load_document
from ddassets.assets.downtime import Downtime, read_downtime
from ddassets.assets.manifest import (
    Manifest,
    MetricMetadata,
    metadata_path,
    misshapen,
    read_manifest,
    read_metadata,
    read_service_checks,
)
from ddassets.assets.monitor import Monitor, read_monitor
from ddassets.assets.notification_rule import NotificationRule, read_notification_rule
from ddassets.assets.slo import Slo, read_slo
from ddassets.assets.source import Place, Source
from ddassets.diagnostic import Diagnostic

__all__ = [
    'KINDS',
    'Asset',
    'AssetKind',
    'Bundle',
    'Dashboard',
    'DashboardVariable',
    'Downtime',
    'Manifest',
    'MetricMetadata',
    'Monitor',
    'NotificationRule',
    'Query',
    'Slo',
    'Source',
    'Widget',
    'integrations',
    'is_integration',
    'read',
    'read_dashboard',
    'read_downtime',
    'read_monitor',
    'read_notification_rule',
    'read_slo',
]


@dataclass(frozen=True)
class AssetKind:
    """A kind of asset: its name in sources, its folder below `assets`, its class and the function that reads it."""

    name: str
    folder: str
    type: type[Asset]
    read: Callable[[Source, Mapping[str, Any], Place], Asset]


#: In the order in which they are read and reported.
KINDS = (
    AssetKind('dashboard', 'dashboards', Dashboard, read_dashboard),
    AssetKind('monitor', 'monitors', Monitor, read_monitor),
    AssetKind('downtime', 'downtimes', Downtime, read_downtime),
    AssetKind('notification_rule', 'notification_rules', NotificationRule, read_notification_rule),
    AssetKind('slo', 'slos', Slo, read_slo),
)


@dataclass(frozen=True)
class Bundle:
    """Everything read from one integration's folder, or from a source (`sources`), whose path is `source`.

    `assets` are in the order of `KINDS`. `form` is the form of the source; `notes` are its diagnostics: values that it
    does not contain or that are not read.
    """

    folder: Path
    manifest: Manifest | None
    metrics: Mapping[str, MetricMetadata]
    assets: tuple[Asset, ...]
    # Faults of files. Faults of a body are in the `diagnostics` of its asset.
    problems: tuple[Diagnostic, ...]
    source: Path | None = None
    form: str = ''
    # The names in service_checks.json; None if the integration has no such file.
    service_checks: frozenset[str] | None = None
    notes: tuple[Diagnostic, ...] = ()

    @property
    def diagnostics(self) -> Iterator[Diagnostic]:
        """All faults of the files and of the assets."""
        yield from self.problems
        for asset in self.assets:
            yield from asset.diagnostics

    def of[T: Asset](self, type: type[T]) -> tuple[T, ...]:
        """Return the assets of a class."""
        return tuple(asset for asset in self.assets if isinstance(asset, type))

    @cached_property
    def dashboards(self) -> tuple[Dashboard, ...]:
        return self.of(Dashboard)

    @cached_property
    def monitors(self) -> tuple[Monitor, ...]:
        return self.of(Monitor)

    @cached_property
    def downtimes(self) -> tuple[Downtime, ...]:
        return self.of(Downtime)

    @cached_property
    def rules(self) -> tuple[NotificationRule, ...]:
        return self.of(NotificationRule)

    @cached_property
    def slos(self) -> tuple[Slo, ...]:
        return self.of(Slo)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def metadata_path(self) -> Path:
        return metadata_path(self.folder, self.manifest)

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """All asset files, readable or not."""
        assets = self.folder / 'assets'
        folders = (assets / kind.folder for kind in KINDS if boundary.is_inside(assets / kind.folder))
        return tuple(sorted(p for folder in folders for p in folder.glob('*.json') if os.path.isfile(p)))


def integrations(path: Path) -> list[Path]:
    """Return the folders of integrations: `path` itself, or those directly below it (a checkout), sorted by name.

    Raises OSError if `path` cannot be listed.
    """
    if is_integration(path):
        return [path]
    boundary.check(path)
    return sorted(child for child in path.iterdir() if is_integration(child))


def is_integration(path: Path) -> bool:
    """Whether the folder is an integration: it has a manifest or assets."""
    # os.path returns False where pathlib raises: a folder without permission, a name with a NUL.
    if os.path.isfile(path / 'manifest.json'):
        return True
    return any(os.path.isdir(path / 'assets' / kind.folder) for kind in KINDS)


def read(folder: Path) -> Bundle:
    """Read the integration at `folder`. Faults do not raise; they are in `Bundle.problems`."""
    problems: list[Diagnostic] = []
    if not is_integration(folder):
        problems.append(
            fault('manifest/no-integration', folder, None, 'no manifest.json and no assets: not an integration')
        )
    manifest = read_manifest(folder, problems) if not problems else None

    # A manifest lists dashboards and monitors only.
    listed = {'dashboards': manifest.dashboards, 'monitors': manifest.monitors} if manifest else {}
    return Bundle(
        folder=folder,
        manifest=manifest,
        metrics=read_metadata(metadata_path(folder, manifest), problems),
        assets=tuple(
            kind.read(document, document.data, ())
            for kind in KINDS
            for document in _documents(folder, kind.folder, listed.get(kind.folder, {}), problems)
        ),
        service_checks=read_service_checks(folder / 'assets' / 'service_checks.json', problems),
        problems=tuple(problems),
    )


def _documents(folder: Path, kind: str, listed: Mapping[str, str], problems: list[Diagnostic]) -> Iterator[Document]:
    """Return the files of a kind: those in its folder, and those that the manifest lists elsewhere."""
    paths = [*_in_folder(folder / 'assets' / kind, problems), *_listed(folder, kind, listed.values())]
    for path in paths:
        document = load_document(path, problems)
        if document is None:
            continue
        if isinstance(document.data, dict):
            yield document
        else:
            misshapen(document, (), document.data, 'an object', problems)


def _listed(folder: Path, kind: str, listed: Iterable[str]) -> list[Path]:
    """Return listed files outside the folder of their kind. `manifest/missing-file` reports missing files."""
    usual = folder / 'assets' / kind
    found = dict.fromkeys(folder / path for path in listed if '\0' not in path and path.endswith('.json'))
    return [path for path in found if path.parent != usual and boundary.is_inside(path) and os.path.isfile(path)]


def _in_folder(path: Path, problems: list[Diagnostic]) -> list[Path]:
    try:
        boundary.check(path)
        # Not `glob`, which ignores a folder that cannot be listed.
        return sorted(child for child in path.iterdir() if child.suffix == '.json')
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(fault('file/unreadable', path, None, error.strerror or str(error)))
        return []
