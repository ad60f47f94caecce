# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections.abc import Collection
from datetime import datetime
from difflib import get_close_matches
from reprlib import Repr
from typing import Any, NoReturn

from ..signal import SHAPES

# A gauge travels as a double, which holds every whole number up to here and not beyond.
MAX_NUMBER = 2**53
DAY = 24 * 60

# Cut short what a file may hold in any length or depth.
_shown = Repr(maxstring=60, maxother=60, maxlevel=2)


def _refuse(value: Any, allowed: str, key: str = '') -> NoReturn:
    try:
        found = str(value) if isinstance(value, datetime) else _shown.repr(value)[:100]
    except ValueError:  # Python does not convert integers of more than 4,300 digits to text
        found = 'a number of thousands of digits'
    raise ValueError(f'{key and key + ": "}found {found}, allowed is {allowed}')


def _number(value: Any, types: tuple[type, ...], smallest: int, largest: int, allowed: str, key: str = '') -> Any:
    # bool is an int in Python, and pydantic turns '5' and 5.0 into 5, which would hide a mistake in the file.
    if type(value) not in types or not smallest <= value <= largest:
        _refuse(value, allowed, key)
    return value


def _whole_number(value: Any, smallest: int, largest: int, allowed: str, key: str = '') -> int:
    return _number(value, (int,), smallest, largest, allowed, key)


def _nearest(value: Any, names: Collection[str]) -> str:
    near = get_close_matches(value, names, 1) if isinstance(value, str) else []
    return f'; did you mean {near[0]}?' if near else ''


def _mapping(value: Any, required: Collection[str], optional: Collection[str], key: str) -> dict[str, Any]:
    names = [*required, *optional]
    if not isinstance(value, dict):
        _refuse(value, f'a mapping with {", ".join(names)}', key)
    for name in value:
        if name not in names:
            _refuse(name, f'{", ".join(names)}{_nearest(name, names)}', key)
    for name in required:
        if name not in value:
            raise ValueError(f'{key}.{name}: found nothing, and it has no default')
    return value


def _sequence(value: Any, allowed: str, key: str = '') -> Any:
    if not isinstance(value, (list, tuple)):
        _refuse(value, allowed, key)
    return value


def instance_signal(value: Any, field: Any) -> str:
    if not isinstance(value, str) or value not in SHAPES:
        _refuse(value, f'{", ".join(SHAPES)}{_nearest(value, SHAPES)}')
    return value


def instance_minimum(value: Any, field: Any) -> int:
    return _whole_number(value, -MAX_NUMBER, MAX_NUMBER, f'a whole number from {-MAX_NUMBER} to {MAX_NUMBER}')


instance_maximum = instance_seed = instance_minimum


def instance_decimals(value: Any, field: Any) -> int:
    return _whole_number(value, 0, 6, 'a whole number from 0 to 6')


def instance_period(value: Any, field: Any) -> float:
    return _number(value, (int, float), 1, MAX_NUMBER, f'a number of seconds from 1 to {MAX_NUMBER}')


def instance_phase(value: Any, field: Any) -> float:
    return _number(value, (int, float), 0, MAX_NUMBER, 'a number of seconds from 0 to less than period')


def instance_min_collection_interval(value: Any, field: Any) -> int:
    # The Agent itself reads this key as whole seconds, takes 0 as 15 seconds and drops a fraction.
    return _whole_number(value, 1, MAX_NUMBER, f'a whole number of seconds from 1 to {MAX_NUMBER}')


def instance_tags(value: Any, field: Any) -> Any:
    # `tags:` without a value is common in an edited example; it means no tags.
    if value is None:
        return None
    for position, tag in enumerate(_sequence(value, 'a list of strings, such as `- role:testing`')):
        if not isinstance(tag, str):
            _refuse(tag, 'a string, such as `role:testing`', f'tags[{position}]')
    return value


def instance_drill(value: Any, field: Any) -> dict[str, Any]:
    drill = _mapping(value, ('start', 'phases'), (), 'drill')
    phases = _sequence(drill['phases'], 'a list of phases', 'drill.phases')
    if not phases:
        _refuse(phases, 'at least one phase', 'drill.phases')
    minutes = sum(_drill_phase(phase, f'drill.phases[{index}]') for index, phase in enumerate(phases))
    if minutes > 7 * DAY:
        _refuse(minutes, f'at most {7 * DAY} minutes in total, which is 7 days', 'drill.phases')
    return {'start': _drill_start(drill['start']), 'phases': phases}


def _drill_start(value: Any) -> str:
    allowed = 'a date and time with its UTC offset, such as 2027-01-11T10:00:00+01:00'
    try:
        # YAML parses an unquoted instant as a datetime; the Agent's own parser keeps it as text.
        start = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        _refuse(value, allowed, 'drill.start')
    if start.utcoffset() is None:
        _refuse(value, allowed, 'drill.start')
    return start.isoformat()


def _drill_phase(phase: Any, key: str) -> int:
    """Check a phase and return its minutes."""
    _mapping(phase, ('minutes',), ('value', 'silent'), key)
    if 'silent' in phase and not isinstance(phase['silent'], bool):
        _refuse(phase['silent'], 'true or false', f'{key}.silent')
    if phase.get('silent', False) == ('value' in phase):
        _refuse(phase, 'either a value or `silent: true`', key)
    if 'value' in phase:
        allowed = f'a whole number from {-MAX_NUMBER} to {MAX_NUMBER}'
        _whole_number(phase['value'], -MAX_NUMBER, MAX_NUMBER, allowed, f'{key}.value')
    allowed = f'a whole number from 1 to {DAY}, which is 24 hours'
    return _whole_number(phase['minutes'], 1, DAY, allowed, f'{key}.minutes')


def check_instance(model: Any) -> Any:
    if model.minimum > model.maximum:
        raise ValueError(
            f'minimum: found {model.minimum}, allowed is a whole number no larger than maximum, which is {model.maximum}'
        )
    if model.phase is not None and model.phase >= model.period:
        _refuse(model.phase, f'a number of seconds less than period, which is {model.period}', 'phase')
    return model
