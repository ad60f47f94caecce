"""Catalogs of monitors for Cloud Posse's Terraform module: a map from a name to a monitor, in an old or a new form."""

from typing import Any

from ddassets.assets.asset import mapping
from ddassets.assets.source import Place
from ddassets.assets.source_document import Base
from ddassets.diagnostic import Severity
from ddassets.sources.api import report_misspelt_keys
from ddassets.sources.likeness import misspelt_keys
from ddassets.sources.model import Form, Inventory, Precedence
from ddassets.sources.resource import add_built
from ddassets.sources.terraform_monitor import NAMES, build_monitor
from ddassets.sources.values import Values

# It is a Terraform module, so Terraform manages the monitors.
MANAGER = 'Terraform'
# The module's names for the blocks of the resource; in the old form they are beside `query`.
_OLD = {'thresholds': 'monitor_thresholds', 'threshold_windows': 'monitor_threshold_windows'}


def is_catalog(data: Any) -> bool:
    if not isinstance(data, dict) or not data:
        return False
    return all(_is_entry(value) or misspelt_keys(value, named=True) for value in data.values())


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), str) for key in ('query', 'type'))


def _read(base: Base, inventory: Inventory) -> None:
    """Read a catalog. The new form has `options` with the API's names, the old form has them beside `query`."""
    inventory.report(
        'withheld',
        Severity.NOTE,
        "the module appends its alert_tags to each message; a catalog does not contain them, so they are not checked",
    )
    for key, entry in base.data.items():
        if entry.get('enabled') is False or report_misspelt_keys(inventory, base, (key,), entry, key):
            continue
        values = dict(entry)
        options = mapping(values.pop('options', None))
        names = {new: old for old, new in _OLD.items()}
        merged = {'name': key, **values, **options}
        if merged.get('new_host_delay') != 0:
            # The module passes on a zero, but no other value.
            merged.pop('new_host_delay', None)
        # Objects in a list of the API are blocks here.
        schedule = mapping(mapping(merged.get('scheduling_options')).get('custom_schedule'))
        if 'recurrences' in schedule:
            merged['scheduling_options'] = {
                **merged['scheduling_options'],
                'custom_schedule': {**schedule, 'recurrence': schedule['recurrences']},
            }
        tags = merged.get('tags')
        if isinstance(tags, dict):
            merged['tags'] = [str(name) if value is None else f'{name}:{value}' for name, value in tags.items()]
        # Queries in the API's form, without the blocks of the provider.
        variables = merged.get('variables')
        queries = (
            variables
            if isinstance(variables, list) and all('data_source' in mapping(each) for each in variables)
            else None
        )
        if queries:
            del merged['variables']
        spelt = {_OLD.get(name, name): value for name, value in merged.items()}
        place: Place = (key,)
        builder = build_monitor(Values(spelt, place, NAMES))
        if queries:
            builder.put(('options', 'variables'), queries, (*place, 'variables'))
        _relocate(builder.places, place, options, names)
        add_built(inventory, 'monitor', base, builder, '', MANAGER, key=key)


def _relocate(places: dict[Place, Place], top: Place, options: Any, names: dict[str, str]) -> None:
    """Map places of the body back through the renamed and merged keys."""
    for place, origin in places.items():
        rest = origin[len(top) :]
        if not rest:
            continue
        first = names.get(str(rest[0]), rest[0])
        inside: Place = ('options',) if first in options else ()
        places[place] = (*top, *inside, first, *('recurrences' if step == 'recurrence' else step for step in rest[1:]))


FORMS = (Form('catalog of monitors', is_catalog, _read, Precedence.OBJECT),)
