"""Convert a Terraform resource of any form to an asset in the API's form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ddassets.assets.document import fault, parse_document
from ddassets.assets.source import Place, dotted
from ddassets.assets.source_document import Base
from ddassets.diagnostic import Diagnostic, Severity
from ddassets.sources.model import BodyBuilder, EmbeddedDocument, Inventory, Kind, SourceAsset
from ddassets.sources.terraform_downtime import ATTRIBUTES as DOWNTIME_ATTRIBUTES
from ddassets.sources.terraform_downtime import build_downtime, build_v1_downtime
from ddassets.sources.terraform_monitor import NAMES as MONITOR_NAMES
from ddassets.sources.terraform_monitor import build_monitor
from ddassets.sources.terraform_others import build_rule, build_slo
from ddassets.sources.values import Values, Withheld


@dataclass(frozen=True)
class Resource:
    """A resource. `type` is Terraform's; `written_tags` are the tags in the configuration, if the form contains them.

    `camel`: the attributes are spelt in camel case, with plural names.
    """

    type: str
    address: str
    values: Any
    base: Base
    place: Place
    manager: str
    written_tags: Any = None
    camel: bool = False


_BUILDERS: Mapping[str, tuple[Kind, Callable[[Values], BodyBuilder]]] = {
    'datadog_monitor': ('monitor', build_monitor),
    'datadog_downtime_schedule': ('downtime', build_downtime),
    'datadog_downtime': ('downtime', build_v1_downtime),
    'datadog_monitor_notification_rule': ('notification_rule', build_rule),
    'datadog_service_level_objective': ('slo', build_slo),
}
# The attribute with JSON in the API's form.
_JSON: Mapping[str, tuple[Kind, str]] = {
    'datadog_monitor_json': ('monitor', 'monitor'),
    'datadog_dashboard_json': ('dashboard', 'dashboard'),
}
UNREAD = {
    'datadog_dashboard': 'write it as datadog_dashboard_json, or export the dashboard from Datadog as JSON',
    'datadog_dashboard_v2': 'write it as datadog_dashboard_json, or export the dashboard from Datadog as JSON',
}
TYPES = (*_BUILDERS, *_JSON, *UNREAD)


def add_resource(inventory: Inventory, resource: Resource) -> None:
    """Add a resource to a source; ignore types that are not assets."""
    type, base, place = resource.type, resource.base, resource.place
    if type in UNREAD:
        inventory.report(
            'unread',
            Severity.NOTE,
            f'{type} is not read: its attributes differ from those of the API',
            base.position(place),
            UNREAD[type],
            resource.address,
            base.path,
        )
    elif type in _JSON:
        _add_json(inventory, resource, *_JSON[type])
    elif type in _BUILDERS:
        kind, build = _BUILDERS[type]
        if not isinstance(resource.values, Mapping):
            reason = resource.values.reason if isinstance(resource.values, Withheld) else 'expected an object'
            inventory.report(
                'withheld', Severity.NOTE, reason, base.position(place), object=resource.address, path=base.path
            )
            return
        values = Values(resource.values, place, MONITOR_NAMES | EXTRA_NAMES if resource.camel else ())
        add_built(inventory, kind, base, build(values), resource.address, resource.manager)
        _compare_tags(inventory, resource)


# Names of other resources, to which plurals are also mapped back.
EXTRA_NAMES = frozenset(
    DOWNTIME_ATTRIBUTES
    + ('recurring_schedule', 'one_time_schedule', 'monitor_identifier', 'duration', 'end', 'monitor_tags', 'monitor_id')
    + ('filter', 'recipients', 'conditional_recipients', 'conditions', 'fallback_recipients', 'monitor_ids', 'groups')
    + ('query', 'numerator', 'denominator', 'week_days', 'until_date', 'until_occurrences', 'period')
    + ('thresholds', 'query_interval_seconds', 'formula')
)


def add_built(
    inventory: Inventory, kind: Kind, base: Base, builder: BodyBuilder, address: str, manager: str, key: str = ''
) -> SourceAsset:
    """Add an asset from a builder, and a note for each withheld value."""
    if ('name',) in builder.withheld:
        builder.body['name'] = address
    asset = inventory.add(
        kind,
        base,
        (),
        builder.body,
        key,
        places=builder.places,
        shifts=builder.shifts,
        withheld=builder.withheld,
        address=address,
        manager=manager,
    )
    for place, reason in builder.withheld.items():
        inventory.report(
            'withheld',
            Severity.NOTE,
            f'{dotted(place)} is not known here and not checked: {reason}',
            asset.document.position(place),
            object=address,
            path=base.path,
        )
    return asset


def _add_json(inventory: Inventory, resource: Resource, kind: Kind, name: str) -> None:
    value = mapping_value(resource.values, name)
    place = (*resource.place, name)
    if isinstance(value, str):
        add_embedded(inventory, kind, resource.base, place, value, resource.address, resource.manager)
        return
    reason = value.reason if isinstance(value, Withheld) else 'expected JSON in a text'
    inventory.report(
        'withheld',
        Severity.NOTE,
        f'{name} is not known here and not checked: {reason}',
        resource.base.position(resource.place),
        object=resource.address,
        path=resource.base.path,
    )


def mapping_value(values: Any, name: str) -> Any:
    return values if isinstance(values, Withheld) else values.get(name) if isinstance(values, Mapping) else None


def add_embedded(
    inventory: Inventory, kind: Kind, base: Base, place: Place, text: str, address: str, manager: str
) -> SourceAsset | None:
    """Add an asset from JSON in the API's form inside a string of the file."""
    problems: list[Diagnostic] = []
    inner = parse_document(base.path, text, problems)
    for problem in problems:
        # The problem's position is relative to the start of the string.
        message = f'{address}: {dotted(place[-1:])}: {problem.message}'
        inventory.problems.append(fault(problem.code, base.path, base.position(place), message))
    if inner is None or not isinstance(inner.data, dict):
        if not problems:
            inventory.problems.append(
                fault('file/shape', base.path, base.position(place), f'{address}: expected an object')
            )
        return None
    document = EmbeddedDocument(inner, base, place)
    return inventory.add(kind, document, (), inner.data, address=address, manager=manager)


def _compare_tags(inventory: Inventory, resource: Resource) -> None:
    """Report if the plan sends other tags than the configuration: the provider's default_tags keep one tag per key."""
    planned = resource.values.get('effective_tags') or resource.values.get('tags')
    written = resource.written_tags
    if not isinstance(planned, list) or not isinstance(written, list):
        return
    lost = [tag for tag in written if isinstance(tag, str) and tag not in planned]
    if lost:
        inventory.report(
            'tags-differ',
            Severity.WARNING,
            f'the plan sends other tags than the configuration: {", ".join(lost)} is missing',
            resource.base.position((*resource.place, 'tags')),
            "the provider's default_tags keep one tag per key",
            resource.address,
            resource.base.path,
        )
