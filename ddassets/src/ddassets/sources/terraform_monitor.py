"""The attributes of Terraform's `datadog_monitor`, and what the provider sends to the API.

The table follows the provider's builder. "Sent unless zero" means that 0, false, "" and [] are never sent. The newer
framework provider keeps its planned tags in `effective_tags`, has fewer defaults, and sends zeros.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ddassets.assets.source import Place
from ddassets.sources.model import BodyBuilder
from ddassets.sources.values import Values, Withheld


@dataclass(frozen=True)
class Attribute:
    """An attribute. `sent` is `always` or `nonzero`; `types` are the monitor types that have it, empty for all."""

    name: str
    place: Place
    kind: Literal['text', 'stripped', 'int', 'bool', 'list', 'set']
    sent: Literal['always', 'nonzero'] = 'nonzero'
    default: Any = None
    types: tuple[str, ...] = ()


def _option(name: str, kind: Any, sent: Any = 'nonzero', default: Any = None, types: tuple[str, ...] = ()) -> Attribute:
    return Attribute(name, ('options', name), kind, sent, default, types)


ATTRIBUTES: tuple[Attribute, ...] = (
    # In a state: composite monitors refer to others by it.
    Attribute('id', ('id',), 'int'),
    Attribute('name', ('name',), 'text'),
    Attribute('type', ('type',), 'text'),
    Attribute('query', ('query',), 'stripped'),
    Attribute('message', ('message',), 'stripped', 'always', ''),
    Attribute('priority', ('priority',), 'int'),
    Attribute('tags', ('tags',), 'set', 'always', []),
    Attribute('restricted_roles', ('restricted_roles',), 'set'),
    Attribute('draft_status', ('draft_status',), 'text', default='published'),
    _option('include_tags', 'bool', 'always', True),
    _option('notify_no_data', 'bool', 'always', False),
    _option('require_full_window', 'bool', 'always', True),
    _option('no_data_timeframe', 'int', default=10),
    _option('on_missing_data', 'text'),
    _option('new_host_delay', 'int', 'always', 300),
    _option('new_group_delay', 'int'),
    _option('evaluation_delay', 'int'),
    _option('renotify_interval', 'int'),
    _option('renotify_occurrences', 'int'),
    _option('renotify_statuses', 'list'),
    _option('escalation_message', 'stripped'),
    _option('notify_audit', 'bool'),
    _option('timeout_h', 'int'),
    _option('notify_by', 'set'),
    _option('notification_preset_name', 'text'),
    _option('group_retention_duration', 'text'),
    _option('locked', 'bool'),
    _option('enable_logs_sample', 'bool', 'always', False, ('log alert',)),
    _option('groupby_simple_monitor', 'bool', types=('log alert',)),
    _option('enable_samples', 'bool', 'always', False, ('ci-pipelines alert', 'ci-tests alert')),
)
NUMBERS = ('ok', 'warning', 'critical', 'unknown', 'warning_recovery', 'critical_recovery')
QUERIES = ('critical_query', 'critical_recovery_query')
WINDOWS = ('trigger_window', 'recovery_window')
# In the provider's order of concatenation.
VARIABLES = (
    'event_query',
    'cloud_cost_query',
    'data_quality_query',
    'aggregate_augmented_query',
    'aggregate_filtered_query',
    'data_jobs_query',
)
# Blocks of a query that may occur once, and the key of their object.
_SINGLE = {
    'search': 'search',
    'sort': 'sort',
    'monitor_options': 'monitor_options',
    'join_condition': 'join_condition',
    'augment_reference_table': 'augment_query',
    'augment_event_query': 'augment_query',
    'base_metrics_query': 'base_query',
    'base_event_query': 'base_query',
    'filter_reference_table': 'filter_query',
    'filter_event_query': 'filter_query',
}
_EVENT_QUERIES = ('event_query', 'augment_event_query', 'base_event_query', 'filter_event_query')
_NESTED = ('compute', 'group_by', 'columns', 'filters')
NOT_SENT = ('ignore_tag_keys', 'force_delete', 'validate', 'effective_tags', 'silenced')
BLOCKS = (
    'monitor_thresholds',
    'monitor_threshold_windows',
    'thresholds',
    'threshold_windows',
    'scheduling_options',
    'evaluation_window',
    'custom_schedule',
    'recurrence',
    'variables',
    'assets',
)
# All names of the schema: camel-case names are mapped back to them.
NAMES = frozenset(
    (*(each.name for each in ATTRIBUTES), *BLOCKS, *VARIABLES, *_SINGLE, *_NESTED, *NOT_SENT)
    + ('rrule', 'start', 'timezone', 'day_starts', 'month_starts', 'hour_starts', 'indexes')
)


def build_monitor(values: Values) -> BodyBuilder:
    """Build the body that the provider sends for the attributes of a `datadog_monitor`."""
    builder = BodyBuilder(places={(): values.place})
    framework = 'effective_tags' in values
    schedule = _custom_schedule(values)
    for attribute in ATTRIBUTES:
        if attribute.types and values.get('type') not in attribute.types:
            continue
        if schedule and attribute.name in ('notify_no_data', 'no_data_timeframe'):
            continue
        if attribute.name == 'no_data_timeframe' and _is_set(values.get('on_missing_data')):
            continue
        _put_attribute(builder, values, attribute, framework)
    if schedule:
        # The provider does so to undo its own default.
        builder.put(('options', 'require_full_window'), False, values.at('require_full_window'))
    _put_thresholds(builder, values)
    _put_windows(builder, values)
    _put_scheduling(builder, values)
    _put_variables(builder, values)
    _put_assets(builder, values)
    return builder


def _put_attribute(builder: BodyBuilder, values: Values, attribute: Attribute, framework: bool) -> None:
    name = attribute.name
    if name == 'tags' and _is_set(values.get('effective_tags')):
        name = 'effective_tags'
    value = values.get(name)
    origin = values.at(name) if name in values else None
    if builder.withhold(attribute.place, value):
        if not isinstance(value, list):
            return
        value = [each for each in value if not isinstance(each, Withheld)]
    if value is None and not (framework and name in ('require_full_window', 'no_data_timeframe')):
        value = attribute.default
    value = convert(value, attribute.kind)
    if value is None:
        return
    zero = value in (0, '', []) and not (attribute.kind == 'int' and framework)
    if attribute.sent == 'nonzero' and zero:
        return
    if attribute.kind == 'stripped':
        builder.put_stripped(attribute.place, value, origin)
    else:
        builder.put(attribute.place, value, origin)


def _is_set(value: Any) -> bool:
    return value is not None and value not in ('', [])


def convert(value: Any, kind: str) -> Any:
    """Return a value converted to the schema's type; an unsuitable value is returned unchanged."""
    match kind, value:
        case 'int', str():
            try:
                return int(value.strip()) if value.strip() else None
            except ValueError:
                return value
        case 'int', float() if value.is_integer():
            return int(value)
        case 'bool', 'true' | 'false':
            return value == 'true'
        case 'set', list():
            return sorted(value) if all(isinstance(item, str) for item in value) else value
        case (('text' | 'stripped'), bool()):
            return str(value).lower()
        case (('text' | 'stripped'), int() | float()):
            return str(value)
    return value


def number(value: Any) -> Any:
    """Return a threshold as a number; Terraform writes it as a string. None for an empty string."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        found = float(value)
    except ValueError:
        return value
    return int(found) if found.is_integer() else found


def _put_thresholds(builder: BodyBuilder, values: Values) -> None:
    place: Place = ('options', 'thresholds')
    # Older providers had a map with this name.
    name = 'monitor_thresholds' if values.block('monitor_thresholds') else 'thresholds'
    if builder.withhold(place, values.get('monitor_thresholds')):
        return
    block = builder.block(place, values, name)
    builder.put(place, {}, block.place if block else None)
    for key in (*NUMBERS, *QUERIES) if block else ():
        assert block
        value = block.get(key)
        if builder.withhold((*place, key), value):
            continue
        if (found := number(value) if key in NUMBERS else value or None) is not None:
            builder.put((*place, key), found, block.at(key))


def _put_windows(builder: BodyBuilder, values: Values) -> None:
    place: Place = ('options', 'threshold_windows')
    names = ('monitor_threshold_windows', 'threshold_windows')
    block = next((found for name in names if (found := builder.block(place, values, name))), None)
    for key in WINDOWS if block else ():
        assert block
        value = block.get(key)
        if not builder.withhold((*place, key), value) and value:
            builder.places[place] = block.place
            builder.put((*place, key), value, block.at(key))


def _custom_schedule(values: Values) -> Values | None:
    options = values.block('scheduling_options')
    return options.block('custom_schedule') if options else None


def _put_scheduling(builder: BodyBuilder, values: Values) -> None:
    place: Place = ('options', 'scheduling_options')
    options = builder.block(place, values, 'scheduling_options')
    if options is None:
        return
    if window := builder.block((*place, 'evaluation_window'), options, 'evaluation_window'):
        _put_window(builder, window, (*place, 'evaluation_window'))
    if schedule := builder.block((*place, 'custom_schedule'), options, 'custom_schedule'):
        _put_schedule(builder, schedule, (*place, 'custom_schedule', 'recurrences'))


def _put_window(builder: BodyBuilder, window: Values, at: Place) -> None:
    builder.put(at, {}, window.place)
    days = [key for key in ('day_starts', 'month_starts') if window.get(key) not in (None, '', 0)]
    # The provider cannot distinguish an unset hour from minute 0.
    for key in days or ['hour_starts']:
        value = window.get(key)
        kind = 'text' if key == 'day_starts' else 'int'
        _put_plain(builder, (*at, key), 0 if value is None else convert(value, kind), window.at(key))
    if window.get('timezone'):
        _put_plain(builder, (*at, 'timezone'), window.get('timezone'), window.at('timezone'))


def _put_schedule(builder: BodyBuilder, schedule: Values, at: Place) -> None:
    """Put the first recurrence: the provider sends only one."""
    recurrence = builder.block(at, schedule, 'recurrence')
    if recurrence is None:
        return
    found: dict[str, Any] = {}
    for key in ('rrule', 'start', 'timezone'):
        value = recurrence.get(key)
        if builder.withhold((*at, 0, key), value):
            continue
        if value is not None and not (key == 'start' and value == ''):
            found[key] = value
            builder.places[(*at, 0, key)] = recurrence.at(key)
    builder.put(at, [found], schedule.place)
    builder.places[(*at, 0)] = recurrence.place


def _put_plain(builder: BodyBuilder, place: Place, value: Any, origin: Place) -> None:
    if not builder.withhold(place, value):
        builder.put(place, value, origin)


def _put_variables(builder: BodyBuilder, values: Values) -> None:
    place: Place = ('options', 'variables')
    queries: list[Any] = []
    if block := builder.block(place, values, 'variables'):
        for kind in VARIABLES:
            builder.withhold(place, block.get(kind))
            for query in block.blocks(kind):
                queries.append(_object(builder, query, (*place, len(queries)), kind in _EVENT_QUERIES))
    if queries:
        builder.put(place, queries, values.at('variables'))


def _object(builder: BodyBuilder, values: Values, place: Place, event: bool = False) -> dict[str, Any]:
    """Return the object for a block of a query, without unset values, empty texts and zeros."""
    builder.places[place] = values.place
    found: dict[str, Any] = {'indexes': [], 'group_by': []} if event else {}
    for name in values:
        value = values.get(name)
        key = _SINGLE.get(name, name)
        if builder.withhold((*place, key), value):
            continue
        if name in _SINGLE or (event and name == 'compute'):
            if block := values.block(name):
                found[key] = _object(builder, block, (*place, key), name in _EVENT_QUERIES)
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            found[name] = [
                _object(builder, item, (*place, name, index)) for index, item in enumerate(values.blocks(name))
            ]
        elif value not in (None, '', []) and not (name in ('limit', 'interval') and value == 0):
            found[name] = convert(value, 'int') if name in ('limit', 'interval') else value
            builder.places[(*place, name)] = values.at(name)
    return found


def _put_assets(builder: BodyBuilder, values: Values) -> None:
    builder.withhold(('assets',), values.get('assets'))
    found = [_object(builder, block, ('assets', index)) for index, block in enumerate(values.blocks('assets'))]
    if found:
        builder.put(('assets',), found, values.at('assets'))
