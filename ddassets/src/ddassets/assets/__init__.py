"""Read what an integration ships beside its check: manifest, metadata.csv, dashboards, monitors and downtimes.

Reading never stops at a fault. Whatever cannot be used becomes a `Problem` with its file and position, and the rest is
read. Objects keep the parsed JSON (`body`) beside the few fields that are named here, and know their place in the file.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ddassets.assets.asset import Asset, misshapen
from ddassets.assets.dashboard import Dashboard, DashboardVariable, Query, Widget, read_dashboard
from ddassets.assets.document import Document, Problem, load_document
from ddassets.assets.manifest import Manifest, MetricMetadata, metadata_path, read_manifest, read_metadata
from ddassets.assets.monitor import Downtime, Monitor, read_downtime, read_monitor
from ddassets.diagnostic import Diagnostic

__all__ = [
    'Asset',
    'Bundle',
    'Dashboard',
    'DashboardVariable',
    'Downtime',
    'Manifest',
    'MetricMetadata',
    'Monitor',
    'Query',
    'Widget',
    'integrations',
    'is_integration',
    'read',
    'read_monitor',
]


@dataclass(frozen=True)
class Bundle:
    """Everything read from one integration's folder, or from a source (`sources`), whose path is `source`.

    `notes` are the diagnostics of the source: what its form does not say, or is not read.
    """

    folder: Path
    manifest: Manifest | None
    metrics: Mapping[str, MetricMetadata]
    dashboards: tuple[Dashboard, ...]
    monitors: tuple[Monitor, ...]
    downtimes: tuple[Downtime, ...]
    problems: tuple[Problem, ...]
    source: Path | None = None
    notes: tuple[Diagnostic, ...] = ()

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def metadata_path(self) -> Path:
        return metadata_path(self.folder, self.manifest)

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
    manifest = read_manifest(folder, problems) if not problems else None
    return Bundle(
        folder=folder,
        manifest=manifest,
        metrics=read_metadata(metadata_path(folder, manifest), problems),
        dashboards=tuple(read_dashboard(d, problems) for d in _documents(folder, 'dashboards', problems)),
        monitors=tuple(read_monitor(d, problems) for d in _documents(folder, 'monitors', problems)),
        downtimes=tuple(read_downtime(d) for d in _documents(folder, 'downtimes', problems)),
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
            misshapen(document, (), document.data, 'an object', problems)
