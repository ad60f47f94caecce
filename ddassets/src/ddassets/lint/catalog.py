"""The metrics of the integrations in a checkout, to say to whom a metric belongs."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ddassets import boundary
from ddassets.assets import integrations
from ddassets.assets.document import read_text


@dataclass
class Catalog:
    """The metrics of other integrations: those in the run and those beside them in the checkout.

    They are read when first needed.
    """

    folders: tuple[Path, ...] = ()

    def owner(self, metric: str, own: Path) -> str | None:
        """Return the name of another integration whose metadata.csv lists the metric."""
        return next((name for folder, name in self._owners.get(metric, ()) if folder != own), None)

    @cached_property
    def _owners(self) -> dict[str, list[tuple[Path, str]]]:
        owners: dict[str, list[tuple[Path, str]]] = {}
        for folder in self._all():
            if not folder.is_symlink():
                boundary.admit(folder / 'metadata.csv')
            text = read_text(folder / 'metadata.csv', [])
            if text:
                for name in _first_column(text):
                    owners.setdefault(name, []).append((folder, folder.name))
        return owners

    def _all(self) -> Iterable[Path]:
        found = dict.fromkeys(self.folders)
        for parent in dict.fromkeys(folder.parent for folder in self.folders):
            # The folder above is the user's own.
            boundary.admit(parent)
            try:
                found.update(dict.fromkeys(integrations(parent)))
            except OSError:
                continue
        return found


def _first_column(text: str) -> set[str]:
    try:
        return {row[0].strip() for row in csv.reader(io.StringIO(text, newline='')) if row}
    except csv.Error:
        return set()
