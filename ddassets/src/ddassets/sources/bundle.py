"""Convert a source to the bundle that lint, rehearse and plan use."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ddassets.assets import KINDS, Bundle, is_integration
from ddassets.assets.source_document import SourceDocument
from ddassets.boundary import STANDARD_INPUT
from ddassets.sources.model import Inventory
from ddassets.sources.reading import read


def read_bundle(path: Path) -> Bundle:
    """Read a path that is not an integration's folder. Raises UnusableInputError for a path that cannot be read."""
    return as_bundle(read(path))


def as_bundle(inventory: Inventory) -> Bundle:
    """Return the assets of a source."""
    path = inventory.path
    return Bundle(
        folder=Path() if path == STANDARD_INPUT else path if os.path.isdir(path) else path.parent,
        manifest=None,
        metrics={},
        assets=tuple(
            kind.read(each.document, each.document.data, ())
            for kind in KINDS
            for each in inventory.assets
            if each.kind == kind.name
        ),
        problems=tuple(inventory.problems),
        source=path,
        form=inventory.form,
        notes=tuple(inventory.diagnostics),
    )


def joined(bundles: Sequence[Bundle]) -> Bundle:
    """Return the assets of several sources as one bundle."""
    first = bundles[0]
    return replace(
        first,
        assets=tuple(asset for kind in KINDS for bundle in bundles for asset in bundle.of(kind.type)),
        problems=tuple(problem for bundle in bundles for problem in bundle.problems),
        notes=tuple(note for bundle in bundles for note in bundle.notes),
    )


def managers_of(bundle: Bundle) -> list[str]:
    """Return the distinct tools that manage the assets of a source."""
    sources = [asset.source for asset in bundle.assets]
    return list(dict.fromkeys(each.manager for each in sources if isinstance(each, SourceDocument) and each.manager))


def integration_around(path: Path) -> Path | None:
    """Return the integration that contains the file as `assets/KIND/NAME.json`; None for any other path."""
    if path.suffix != '.json' or len(path.parents) < 3 or path.parent.parent.name != 'assets':
        return None
    folder = path.parent.parent.parent
    return folder if is_integration(folder) else None
