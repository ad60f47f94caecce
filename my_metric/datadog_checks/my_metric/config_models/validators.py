# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from typing import Any

# A gauge travels as a double, which holds every whole number up to here and not beyond.
LARGEST = 2**53


def _whole_number(value: Any, smallest: int, allowed: str) -> int:
    # bool is an int in Python, and pydantic turns '5' and 5.0 into 5: a typing error in the file would pass unseen.
    if type(value) is not int or not smallest <= value <= LARGEST:
        raise ValueError(f'found {value!r}, allowed is {allowed}')
    return value


def instance_minimum(value: Any, field: Any) -> int:
    return _whole_number(value, -LARGEST, f'a whole number from {-LARGEST} to {LARGEST}')


instance_maximum = instance_minimum


def instance_min_collection_interval(value: Any, field: Any) -> int:
    # The Agent reads this key itself, as whole seconds, and takes 0 as 15 seconds; it would not keep a fraction.
    return _whole_number(value, 1, f'a whole number of seconds from 1 to {LARGEST}')


def instance_tags(value: Any, field: Any) -> Any:
    # `tags:` with nothing under it is how an edited example often looks; it means no tags.
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise ValueError(f'found {value!r}, allowed is a list of strings, such as `- role:testing`')
    for position, tag in enumerate(value):
        if not isinstance(tag, str):
            raise ValueError(f'found {tag!r} at position {position}, allowed is a string, such as `role:testing`')
    return value


def check_instance(model: Any) -> Any:
    if model.minimum > model.maximum:
        raise ValueError(
            f'minimum: found {model.minimum}, allowed is a whole number no larger than maximum, which is {model.maximum}'
        )
    return model
