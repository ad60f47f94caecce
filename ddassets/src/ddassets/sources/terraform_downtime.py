"""Convert Terraform's downtimes to the body of `POST /api/v2/downtime`."""

from datetime import UTC, datetime, tzinfo
from typing import Any

from ddassets.assets.downtime import DowntimeFields
from ddassets.assets.option import Part, options_of
from ddassets.assets.source import Place
from ddassets.sources.model import BodyBuilder
from ddassets.sources.terraform_monitor import convert
from ddassets.sources.values import Values, list_or_empty

_ATTRIBUTES: Place = ('data', 'attributes')
_IDENTIFIER: Place = (*_ATTRIBUTES, 'monitor_identifier')
_SCHEDULE: Place = (*_ATTRIBUTES, 'schedule')
_RECURRENCES: Place = (*_SCHEDULE, 'recurrences')
# Attributes outside the blocks have the API's names and values.
ATTRIBUTES = tuple(key for key, row in options_of(DowntimeFields).items() if not isinstance(row.value, Part))
#: Those that the provider computes if the configuration does not set them, so the API's defaults apply.
COMPUTED = tuple(key for key in ATTRIBUTES if options_of(DowntimeFields)[key].absent not in (None, ''))


def build_downtime(values: Values) -> BodyBuilder:
    """Build the body for a `datadog_downtime_schedule`. In older forms, its blocks are lists of one object."""
    builder = BodyBuilder(places={(): values.place, ('data',): values.place, _ATTRIBUTES: values.place})
    builder.put(('data', 'type'), 'downtime', None)
    builder.put(_ATTRIBUTES, {}, values.place)
    for name in ATTRIBUTES:
        _put(builder, values, name, (*_ATTRIBUTES, name))
    if identifier := builder.block(_IDENTIFIER, values, 'monitor_identifier'):
        builder.put(_IDENTIFIER, {}, identifier.place)
        _put(builder, identifier, 'monitor_id', (*_IDENTIFIER, 'monitor_id'), 'int')
        _put(builder, identifier, 'monitor_tags', (*_IDENTIFIER, 'monitor_tags'))
    if once := builder.block(_SCHEDULE, values, 'one_time_schedule'):
        builder.put(_SCHEDULE, {}, once.place)
        for name in ('start', 'end'):
            _put(builder, once, name, (*_SCHEDULE, name), keep_null=True)
    if recurring := builder.block(_SCHEDULE, values, 'recurring_schedule'):
        builder.put(_SCHEDULE, {}, recurring.place)
        _put(builder, recurring, 'timezone', (*_SCHEDULE, 'timezone'))
        builder.withhold(_RECURRENCES, recurring.get('recurrence'))
        builder.put(_RECURRENCES, [], recurring.at('recurrence'))
        for index, block in enumerate(recurring.blocks('recurrence')):
            place: Place = (*_RECURRENCES, index)
            found: dict[str, Any] = {}
            for name in ('start', 'duration', 'rrule'):
                value = block.get(name)
                if not builder.withhold((*place, name), value) and value not in (None, ''):
                    found[name] = value
                    builder.places[(*place, name)] = block.at(name)
            builder.body['data']['attributes']['schedule']['recurrences'].append(found)
            builder.places[place] = block.place
    return builder


def _put(
    builder: BodyBuilder, values: Values, name: str, place: Place, kind: str = '', keep_null: bool = False
) -> None:
    value = values.get(name)
    if builder.withhold(place, value):
        return
    if value not in (None, []) or (keep_null and name in values):
        builder.put(place, convert(value, kind), values.at(name))


_TIMES = ('start', 'start_date', 'end', 'end_date', 'timezone')
_FREQUENCIES = {'days': 'DAILY', 'weeks': 'WEEKLY', 'months': 'MONTHLY', 'years': 'YEARLY'}


def build_v1_downtime(values: Values) -> BodyBuilder:
    """Build the body for a `datadog_downtime`, whose schedule has the v1 form: epochs and a recurrence."""
    builder = BodyBuilder(places={(): values.place, ('data',): values.place, _ATTRIBUTES: values.place})
    builder.put(('data', 'type'), 'downtime', None)
    scope = values.get('scope')
    if isinstance(scope, list) and all(isinstance(each, str) for each in scope):
        builder.put((*_ATTRIBUTES, 'scope'), ' AND '.join(scope), values.at('scope'))
    else:
        _put(builder, values, 'scope', (*_ATTRIBUTES, 'scope'))
    _put(builder, values, 'message', (*_ATTRIBUTES, 'message'))
    for name, kind in (('monitor_id', 'int'), ('monitor_tags', '')):
        if values.get(name) not in (None, [], 0):
            _put(builder, values, name, (*_IDENTIFIER, name), kind)
    _put_v1_schedule(builder, values)
    return builder


def _put_v1_schedule(builder: BodyBuilder, values: Values) -> None:
    recurrence = builder.block(_SCHEDULE, values, 'recurrence')
    for part in (*map(values.get, _TIMES), *(map(recurrence.get, recurrence) if recurrence else ())):
        builder.withhold(_SCHEDULE, part)
    if _SCHEDULE in builder.withheld:
        return
    zone = values.get('timezone') or 'UTC'
    if recurrence is None:
        for name in ('start', 'end'):
            if text := _written(values, name, UTC, '%Y-%m-%dT%H:%M:%SZ'):
                builder.put((*_SCHEDULE, name), text, values.at(name))
        return
    found: dict[str, Any] = {'rrule': _rrule(recurrence)}
    if text := _written(values, 'start', _zone(zone), '%Y-%m-%dT%H:%M:%S'):
        found['start'] = text
    start, end = _instant(values, 'start'), _instant(values, 'end')
    if start is not None and end is not None:
        found['duration'] = f'{round((end - start).total_seconds() / 60)}m'
    builder.put((*_SCHEDULE, 'timezone'), zone, values.at('timezone'))
    builder.put(_RECURRENCES, [found], recurrence.place)


def _written(values: Values, name: str, zone: tzinfo, form: str) -> str | None:
    """Return an instant in a form of the API; None if it is not set.

    What cannot be read stays as it is, so that the rules of schedules refuse it.
    """
    instant = _instant(values, name)
    try:
        if instant is not None:
            return instant.astimezone(zone).strftime(form)
    except OverflowError:
        pass
    raw = values.get(f'{name}_date') or values.get(name)
    return str(raw) if raw else None


def _instant(values: Values, name: str) -> datetime | None:
    seconds, text = convert(values.get(name), 'int'), values.get(f'{name}_date')
    if isinstance(seconds, int) and seconds:
        return _epoch(seconds)
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) and text else None
    except ValueError:
        return None
    # The provider requires an offset. Without one, the result must not depend on the time zone of this machine.
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _epoch(seconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds and not isinstance(seconds, bool) else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _zone(name: Any) -> Any:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        return UTC


def _rrule(recurrence: Values) -> str:
    if recurrence.get('rrule'):
        return str(recurrence.get('rrule'))
    parts = [f'FREQ={_FREQUENCIES.get(str(recurrence.get("type")), "DAILY")}']
    parts.append(f'INTERVAL={recurrence.get("period") or 1}')
    if days := list_or_empty(recurrence.get('week_days')):
        parts.append('BYDAY=' + ','.join(str(day)[:2].upper() for day in days))
    if count := recurrence.get('until_occurrences'):
        parts.append(f'COUNT={count}')
    if until := _epoch(convert(recurrence.get('until_date'), 'int')):
        parts.append(until.strftime('UNTIL=%Y%m%dT%H%M%SZ'))
    return ';'.join(parts)
