"""Assets in the form of API responses and UI exports: an object, a list, or `data` of the v2 API."""

from typing import Any

from ddassets.assets.slo_table import TYPES
from ddassets.assets.source import Place, dotted
from ddassets.assets.source_document import Base
from ddassets.diagnostic import Diagnostic, Severity
from ddassets.sources.likeness import misspelt_keys
from ddassets.sources.model import Form, Inventory, Kind, Precedence, is_api_monitor


def kind_of(value: Any) -> Kind | None:
    """Return the kind of an object in the API's form, None if it is not an asset."""
    if not isinstance(value, dict):
        return None
    if is_api_monitor(value):
        return 'monitor'
    definition = value.get('definition')
    if isinstance(definition, dict) and isinstance(definition.get('query'), str):
        return 'monitor'
    if isinstance(value.get('widgets'), list) and ('title' in value or 'layout_type' in value):
        return 'dashboard'
    if isinstance(value.get('dash'), dict) or 'board_title' in value:
        return 'dashboard'
    if (kind := _JSON_API_KINDS.get(str(value.get('type')))) and isinstance(value.get('attributes'), dict):
        return kind
    data = value.get('data')
    if _is_slo(value) or _is_slo(data):
        return 'slo'
    if isinstance(data, dict) and 'type' in data:
        return _JSON_API_KINDS.get(str(data['type']))
    # Only the attributes of a downtime, as an integration may ship them.
    if 'monitor_identifier' in value and 'scope' in value:
        return 'downtime'
    return None


def _is_slo(value: Any) -> bool:
    """Whether a value is an SLO: its thresholds are a list, and no other asset has targets."""
    if not isinstance(value, dict) or not isinstance(value.get('thresholds'), list):
        return False
    targets = any(isinstance(each, dict) and 'target' in each for each in value['thresholds'])
    return value.get('type') in TYPES or (targets and 'type' in value)


_JSON_API_KINDS: dict[str, Kind] = {'downtime': 'downtime', 'monitor-notification-rule': 'notification_rule'}


def add_api_asset(
    inventory: Inventory, base: Base, place: Place, value: Any, address: str = '', manager: str = '', key: str = ''
) -> None:
    """Add the object at `place` if it is an asset in the API's form; report other objects."""
    kind = kind_of(value)
    if kind is None and report_misspelt_keys(inventory, base, place, value):
        return
    if kind is None:
        inventory.report(
            'unread',
            Severity.NOTE,
            'not a monitor, dashboard, downtime, SLO or notification rule',
            base.position(place),
        )
        return
    if kind in _JSON_API_KINDS.values() and 'attributes' in value:
        # An element of a list under `data`: with its envelope, it is a complete body.
        body, places = {'data': value}, {(): place, ('data',): place}
        inventory.add(
            kind, base, place, body, key or _rule_name(value), places=places, address=address, manager=manager
        )
        return
    inventory.add(kind, base, place, value, key, address=address, manager=manager)


def report_misspelt_keys(inventory: Inventory, base: Base, place: Place, value: Any, name: str = '') -> bool:
    """Report the misspelt keys of an object that is meant as a monitor; return whether it is one."""
    found = misspelt_keys(value, named=bool(name))
    for inner, meant in found.items():
        inventory.problems.append(
            Diagnostic(
                'file/unknown-key',
                Severity.ERROR,
                base.path,
                f'{dotted(inner)}: unknown key; did you mean {meant}?',
                base.position((*place, *inner)),
                hint='without this key, the object is not read as a monitor',
                object=name or str(value.get('name') or ''),
            )
        )
    return bool(found)


def _is_meant(value: Any) -> bool:
    """Whether an object is an asset, or is meant as a monitor and has a misspelt key."""
    return kind_of(value) is not None or bool(misspelt_keys(value))


def _rule_name(value: Any) -> str:
    return str(value['attributes'].get('name') or value.get('id') or '')


def is_list(data: Any) -> bool:
    return isinstance(data, list) and any(map(_is_meant, data))


def _read_list(base: Base, inventory: Inventory) -> None:
    for index, value in enumerate(base.data):
        add_api_asset(inventory, base, (index,), value)


# Keys of responses that contain a list of complete objects.
_LISTS = ('data', 'monitors', 'slos', 'dashboards')


def _listed(data: Any) -> str:
    if isinstance(data, dict):
        for key in _LISTS:
            if isinstance(data.get(key), list) and any(map(_is_meant, data[key])):
                return key
    return ''


def _read_answer(base: Base, inventory: Inventory) -> None:
    key = _listed(base.data)
    for index, value in enumerate(base.data[key]):
        add_api_asset(inventory, base, (key, index), value)


def is_search(data: Any) -> bool:
    """Whether this is a response of monitor/search or monitor/groups/search, which lack options and messages."""
    if not isinstance(data, dict) or not isinstance(data.get('metadata'), dict):
        return False
    return 'total_count' in data['metadata'] and any(isinstance(data.get(key), list) for key in ('monitors', 'groups'))


def _refuse_search(base: Base, inventory: Inventory) -> None:
    inventory.refuse(
        'a response of monitor/search, which lacks the options and messages of monitors',
        'list them with `GET /api/v1/monitor`, or fetch each by its id',
    )


def _is_dashboard_list(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get('dashboards'), list) and not _listed(data)


def _refuse_dashboard_list(base: Base, inventory: Inventory) -> None:
    inventory.refuse('a list of dashboards without their widgets', 'fetch each with `GET /api/v1/dashboard/{id}`')


def _is_old_downtime(data: Any) -> bool:
    items = data if isinstance(data, list) else [data]
    return any(
        isinstance(each, dict) and 'scope' in each and 'start' in each and 'monitor_id' in each and 'query' not in each
        for each in items
    )


def _refuse_old_downtime(base: Base, inventory: Inventory) -> None:
    inventory.refuse('a downtime of the v1 API', 'fetch it with `GET /api/v2/downtime`')


def is_asset(data: Any) -> bool:
    return _is_meant(data)


def _read_asset(base: Base, inventory: Inventory) -> None:
    add_api_asset(inventory, base, (), base.data)


FORMS = (
    Form('list of the API', is_list, _read_list, Precedence.LIST),
    Form('response of monitor/search', is_search, _refuse_search, Precedence.LIST),
    Form('response of the API', lambda data: bool(_listed(data)), _read_answer, Precedence.LIST),
    Form('asset in the API form', is_asset, _read_asset, Precedence.OBJECT),
    Form('list of dashboards', _is_dashboard_list, _refuse_dashboard_list, Precedence.OBJECT),
    Form('downtime of the v1 API', _is_old_downtime, _refuse_old_downtime, Precedence.OBJECT),
)
