"""Resources of datadog-sync-cli: objects by id, in one file per kind or per object."""

from typing import Any

from ddassets.assets.source_document import Base
from ddassets.regex import regex
from ddassets.sources.api import add_api_asset, is_asset
from ddassets.sources.model import Form, Inventory, Precedence

# Numbers of monitors, UUIDs of downtimes and rules, hashes of SLOs, and the ids of dashboards.
_ID = regex(r'\d+|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}')


def is_synced(data: Any) -> bool:
    if not isinstance(data, dict) or not data:
        return False
    return all(_ID.fullmatch(key) and is_asset(value) for key, value in data.items())


def _read(base: Base, inventory: Inventory) -> None:
    for key, value in base.data.items():
        add_api_asset(inventory, base, (key,), value, key=key)


FORMS = (Form('datadog-sync-cli resources', is_synced, _read, Precedence.LIST),)
