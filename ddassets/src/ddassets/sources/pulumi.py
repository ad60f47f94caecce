"""The output of `pulumi stack export`: its Datadog resources use Terraform's schema in camel case."""

from typing import Any

from ddassets.assets.asset import mapping
from ddassets.assets.source import Place
from ddassets.assets.source_document import Base
from ddassets.sources.model import Form, Inventory
from ddassets.sources.resource import Resource, add_resource
from ddassets.sources.values import Withheld, list_or_empty

MANAGER = 'Pulumi'
# The key and value that mark a secret; the plain or encrypted text is beside it.
_SIGNATURE = '4dabf18193072939515e22adb298388d'
_UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'
TYPES = {
    'datadog:index/monitor:Monitor': 'datadog_monitor',
    'datadog:index/monitorJson:MonitorJson': 'datadog_monitor_json',
    'datadog:index/dashboard:Dashboard': 'datadog_dashboard',
    'datadog:index/dashboardJson:DashboardJson': 'datadog_dashboard_json',
    'datadog:index/downtime:Downtime': 'datadog_downtime',
    'datadog:index/downtimeSchedule:DowntimeSchedule': 'datadog_downtime_schedule',
    'datadog:index/monitorNotificationRule:MonitorNotificationRule': 'datadog_monitor_notification_rule',
    'datadog:index/serviceLevelObjective:ServiceLevelObjective': 'datadog_service_level_objective',
}


def is_stack(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get('deployment'), dict) and 'version' in data


def _read(base: Base, inventory: Inventory) -> None:
    for index, resource in enumerate(list_or_empty(base.data['deployment'].get('resources'))):
        if not isinstance(resource, dict) or resource.get('delete') is True:
            continue
        type = TYPES.get(str(resource.get('type')))
        if type is None:
            continue
        place: Place = ('deployment', 'resources', index, 'inputs')
        inputs = {key: value for key, value in mapping(resource.get('inputs')).items() if key != '__defaults'}
        address = str(resource.get('urn') or '').rpartition('::')[2]
        address = f'{str(resource["type"]).rpartition(":")[2]} {address}'.strip()
        add_resource(inventory, Resource(type, address, _without_secrets(inputs), base, place, MANAGER, camel=True))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        if _SIGNATURE in value:
            return Withheld('a secret of the stack')
        return {key: _without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    return Withheld('not known before the update') if value == _UNKNOWN else value


FORMS = (Form('Pulumi stack', is_stack, _read),)
