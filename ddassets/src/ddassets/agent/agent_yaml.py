"""Read YAML like the Agent's parser, and pass it on in the form that the check receives."""

import math
import re
from typing import Any

import yaml

from ddassets.regex import regex

_INTEGER = regex(r'([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)')
_FLOAT = regex(r'[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?')
_SPECIAL = {'.inf': math.inf, '+.inf': math.inf, '-.inf': -math.inf, '.nan': math.nan}
_NUMBER_TAG = '!agent-number'
# Types of PyYAML that the Agent's parser reads differently: it supports 1e1, but neither 1:30 nor dates.
_REPLACED = {'tag:yaml.org,2002:int', 'tag:yaml.org,2002:float', 'tag:yaml.org,2002:timestamp'}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _construct_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    text = loader.construct_scalar(node)
    number = read_number(text)
    return text if number is None else number


_Loader.add_implicit_resolver(_NUMBER_TAG, re.compile(r'[-+.0-9][-+.0-9a-zA-Z_]*$'), list('-+.0123456789'))
_Loader.add_constructor(_NUMBER_TAG, _construct_number)


def read_number(text: str) -> int | float | None:
    """Return the number of a plain scalar: 010 is 8, 1e1 is 10.0, 1_5 is 15; None for a text such as 1:30."""
    plain = text.replace('_', '')
    if match := _INTEGER.fullmatch(plain):
        digits = match[2]
        octal = len(digits) > 1 and digits.isdigit() and digits[0] == '0'
        value = int(digits, 8) if octal else int(digits, 0)
        return -value if match[1] == '-' else value
    if _FLOAT.fullmatch(plain):
        return float(plain)
    return _SPECIAL.get(text.lower())


def load(text: str) -> Any:
    """Read one document. Raises yaml.YAMLError and ValueError."""
    return yaml.load(text, _Loader)  # noqa: S506  it derives from SafeLoader


def dump(value: Any) -> str:
    """Write the configuration for the YAML parser of the Agent's Python side."""
    return yaml.safe_dump(as_handed_over(value), allow_unicode=True, sort_keys=False)


def as_handed_over(value: Any) -> Any:
    """Return the values for the check: the Agent writes whole numbers without a fraction, so 7.0 becomes 7."""
    if isinstance(value, dict):
        return {key: as_handed_over(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_handed_over(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return value
