"""The arguments of Terraform's resources: misspelt and unknown ones have no effect, or Terraform refuses them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ddassets.assets.option import is_misspelt
from ddassets.assets.source import Place
from ddassets.diagnostic import Diagnostic, Severity
from ddassets.nearest import closest, one_letter
from ddassets.sources import terraform_downtime, terraform_monitor, terraform_others
from ddassets.sources.model import Inventory
from ddassets.sources.resource import TYPES, Resource


@dataclass(frozen=True)
class Schema:
    """The arguments and blocks of a resource or a block; without `complete`, it may have others."""

    names: frozenset[str]
    blocks: Mapping[str, 'Schema'] = field(default_factory=dict)
    complete: bool = True


def _schema(*names: str, complete: bool = True, **blocks: Schema) -> Schema:
    return Schema(frozenset((*names, *blocks)), blocks, complete)


_THRESHOLDS = _schema(*terraform_monitor.NUMBERS, *terraform_monitor.QUERIES)
_WINDOWS = _schema(*terraform_monitor.WINDOWS)
_SCHEDULED = _schema('rrule', 'start', 'timezone')
_METRIC_QUERY = _schema(metric_query=_schema('data_source', 'name', 'query', complete=False))
SCHEMAS: Mapping[str, Schema] = {
    'datadog_monitor': _schema(
        *(attribute.name for attribute in terraform_monitor.ATTRIBUTES),
        *terraform_monitor.NOT_SENT,
        'assets',
        monitor_thresholds=_THRESHOLDS,
        thresholds=_THRESHOLDS,
        monitor_threshold_windows=_WINDOWS,
        threshold_windows=_WINDOWS,
        scheduling_options=_schema(
            evaluation_window=_schema('day_starts', 'month_starts', 'hour_starts', 'timezone'),
            custom_schedule=_schema(recurrence=_SCHEDULED),
        ),
        variables=_schema(*terraform_monitor.VARIABLES, complete=False),
    ),
    'datadog_downtime_schedule': _schema(
        *terraform_downtime.ATTRIBUTES,
        'id',
        monitor_identifier=_schema('monitor_id', 'monitor_tags'),
        one_time_schedule=_schema('start', 'end'),
        recurring_schedule=_schema('timezone', recurrence=_schema('start', 'duration', 'rrule')),
    ),
    'datadog_downtime': _schema(
        *('id', 'active', 'active_child_id', 'disabled', 'message', 'monitor_id', 'monitor_tags', 'scope', 'timezone'),
        *('start', 'start_date', 'end', 'end_date', 'mute_first_recovery_notification'),
        recurrence=_schema('type', 'period', 'week_days', 'until_date', 'until_occurrences', 'rrule', complete=False),
        complete=False,
    ),
    'datadog_service_level_objective': _schema(
        *(*terraform_others.SLO_ATTRIBUTES, 'force_delete', 'validate'),
        query=_schema('numerator', 'denominator', complete=False),
        thresholds=_schema('timeframe', 'target', 'target_display', 'warning', 'warning_display', complete=False),
        sli_specification=_schema(
            time_slice=_schema(
                *('comparator', 'threshold', 'query_interval_seconds'),
                query=_schema(formula=_schema('formula_expression', complete=False), query=_METRIC_QUERY),
                complete=False,
            ),
            count=_schema(
                *('good_events_formula', 'bad_events_formula', 'total_events_formula'),
                queries=_METRIC_QUERY,
                complete=False,
            ),
            complete=False,
        ),
        complete=False,
    ),
    'datadog_monitor_notification_rule': _schema(
        *('id', 'name', 'recipients', 'bundle_config'),
        filter=_schema('tags', 'scope', complete=False),
        conditional_recipients=_schema('conditions', 'fallback_recipients', complete=False),
        complete=False,
    ),
    'datadog_monitor_json': _schema('id', 'monitor', 'url', complete=False),
    'datadog_dashboard_json': _schema(
        'id', 'dashboard', 'dashboard_lists', 'dashboard_lists_removed', 'url', complete=False
    ),
    'datadog_dashboard': _schema(
        *('id', 'title', 'layout_type', 'description', 'reflow_type', 'notify_list', 'template_variable', 'widget'),
        *('template_variable_preset', 'dashboard_lists', 'dashboard_lists_removed', 'url', 'restricted_roles'),
        *('is_read_only', 'tags'),
        complete=False,
    ),
}
# Those of every resource, and the keys that JSON uses for comments.
META = frozenset(
    (
        'count',
        'for_each',
        'depends_on',
        'provider',
        'lifecycle',
        'dynamic',
        'timeouts',
        'provisioner',
        'connection',
        '//',
    )
)


# Of a dynamic block, in its place: its label is the name of the block that it makes.
_STEPS = ('dynamic', 'content')


def misspelt_type(type: str) -> str | None:
    """Return the resource type that differs from `type` in one letter, None for any other type."""
    return None if type in TYPES else next((known for known in TYPES if one_letter(type, known)), None)


def report_type(inventory: Inventory, resource: Resource) -> None:
    """Report a resource whose type is a misspelling."""
    if nearest := misspelt_type(resource.type):
        message = f'{resource.type}: unknown resource type; did you mean {nearest}?'
        _report(inventory, resource, (), Severity.ERROR, message)


def report_arguments(inventory: Inventory, resource: Resource) -> None:
    """Report the unknown arguments and blocks of a resource.

    An argument that resembles a known one is an error. Any other is a warning if the table is complete, because the
    provider may be newer.
    """
    schema = SCHEMAS.get(resource.type)
    for place, known in _unknown(resource.values, schema, ()) if schema else ():
        name = str(place[-1]).strip('"')
        shown = '.'.join([*(step for step in place[:-1] if isinstance(step, str) and step not in _STEPS), name])
        names = known.names | META if len(place) == 1 else known.names
        misspelt = is_misspelt(name, names)
        if misspelt or known.complete:
            nearest = closest(name, names)
            more = f'; did you mean {nearest}?' if nearest else ''
            severity = Severity.ERROR if misspelt else Severity.WARNING
            _report(inventory, resource, place, severity, f'{shown}: unknown argument{more}')


def _unknown(values: Any, schema: Schema, place: Place) -> Iterator[tuple[Place, Schema]]:
    """Yield the places of unknown arguments, and the schema of the block."""
    if isinstance(values, list):
        for index, value in enumerate(values):
            yield from _unknown(value, schema, (*place, index))
        return
    for key, value in values.items() if isinstance(values, Mapping) else ():
        name = str(key).strip('"')
        if name in schema.blocks:
            yield from _unknown(value, schema.blocks[name], (*place, key))
        elif name == 'dynamic':
            # The label is the name of a block, and `content` its body.
            for index, block in enumerate(value if isinstance(value, list) else [value]):
                yield from _unknown_dynamic(block, schema, (*place, key, index))
        elif name not in schema.names and name not in META and name.isidentifier() and value is not None:
            yield (*place, name), schema


def _unknown_dynamic(block: Any, schema: Schema, place: Place) -> Iterator[tuple[Place, Schema]]:
    for label, inner in block.items() if isinstance(block, Mapping) else ():
        name = str(label).strip('"')
        if name in schema.blocks and isinstance(inner, Mapping):
            yield from _unknown(inner.get('content'), schema.blocks[name], (*place, label, 'content'))
        elif name not in schema.names:
            yield (*place, label), schema


def _report(inventory: Inventory, resource: Resource, place: Place, severity: Severity, message: str) -> None:
    base = resource.base
    position = base.position((*resource.place, *place))
    inventory.problems.append(
        Diagnostic('file/unknown-key', severity, base.path, message, position, object=resource.address)
    )
