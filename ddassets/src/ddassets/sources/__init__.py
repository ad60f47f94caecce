"""Read assets from other sources: exports and responses of the API, Terraform, Kubernetes, Pulumi, kennel, catalogs.

A form is recognised by its content, in the order of `forms()`: the first match is read, or refused by name with an
alternative. Faults of a file do not raise; they are problems and diagnostics of the inventory.
"""

from ddassets.sources.bundle import as_bundle, integration_around, joined, managers_of, read_bundle
from ddassets.sources.model import Inventory, Kind, SourceAsset
from ddassets.sources.reading import forms, read, read_text_as

__all__ = [
    'Inventory',
    'Kind',
    'SourceAsset',
    'as_bundle',
    'forms',
    'integration_around',
    'joined',
    'managers_of',
    'read',
    'read_bundle',
    'read_text_as',
]
