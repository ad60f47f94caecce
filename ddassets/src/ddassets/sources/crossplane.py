"""Crossplane's managed resources of the Datadog provider, which use Terraform's schema in camel case."""

from typing import Any

from ddassets.assets.asset import mapping
from ddassets.assets.source_document import Base
from ddassets.regex import regex
from ddassets.sources.model import Form, Inventory
from ddassets.sources.resource import Resource, add_resource

MANAGER = 'Crossplane'
_GROUP = regex(r'(^|.*\.)datadog(\.m)?\.upbound\.io/')
TYPES = {
    'Monitor': 'datadog_monitor',
    'MonitorJSON': 'datadog_monitor_json',
    'Dashboard': 'datadog_dashboard',
    'DashboardJSON': 'datadog_dashboard_json',
    'Downtime': 'datadog_downtime',
    'DowntimeSchedule': 'datadog_downtime_schedule',
    'MonitorNotificationRule': 'datadog_monitor_notification_rule',
    'NotificationRule': 'datadog_monitor_notification_rule',
    'ServiceLevelObjective': 'datadog_service_level_objective',
}


def is_managed(data: Any) -> bool:
    return isinstance(data, dict) and bool(_GROUP.match(str(data.get('apiVersion'))))


def _read(base: Base, inventory: Inventory) -> None:
    data = base.data
    kind = str(data.get('kind'))
    name = mapping(data.get('metadata')).get('name')
    values = mapping(mapping(data.get('spec')).get('forProvider'))
    if kind in TYPES:
        place = ('spec', 'forProvider')
        add_resource(inventory, Resource(TYPES[kind], f'{kind}/{name}', values, base, place, MANAGER, camel=True))


FORMS = (Form('Crossplane resource', is_managed, _read),)
