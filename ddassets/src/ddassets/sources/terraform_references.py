"""References between resources of Terraform that are followed: an alert's SLO, and the monitors of an SLO.

The ids are not known before `apply`. Texts keep such a reference, and all else in an expression stays unknown.
"""

import re
from collections.abc import Mapping
from typing import Any

from ddassets.regex import regex

# An attribute of a type, and the type of the resources whose ids it may contain.
_FOLLOWED: Mapping[tuple[str, str], str] = {
    ('datadog_monitor', 'query'): 'datadog_service_level_objective',
    ('datadog_service_level_objective', 'monitor_ids'): 'datadog_monitor',
}
_EXPRESSION = regex(r'(?<!\$)\$\{|(?<!%)%\{')
_TEXT = regex(r'"((?:[^"\\]|\\.)*)"[ \t]*(?:#.*)?$')
_LIST = regex(r'\[([^\[\]]*)\]')
_ESCAPED = regex(r'\\(["\\])')
_COMMENT = regex(r'(?:#|//).*')


def follows(type: str, attribute: str) -> bool:
    return (type, attribute) in _FOLLOWED


def is_followed(text: str, type: str, attribute: str) -> bool:
    """Whether a text has references to other resources that are followed, and no other expression."""
    rest = _reference(_FOLLOWED[type, attribute]).sub('', text)
    return rest != text and not _EXPRESSION.search(rest)


def _reference(type: str) -> re.Pattern[str]:
    return regex(rf'\$\{{\s*{type}\.[\w-]+(?:\[(?:\d+|"[^"{{}}]*")\])?\.id\s*\}}')


def written(lines: list[str], type: str, attribute: str) -> Any:
    """Return the value of an attribute from the lines of a block; None unless all its references are followed."""
    pattern = regex(rf'\s*{attribute}\s*=\s*')
    for number, line in enumerate(lines):
        if match := pattern.match(line):
            rest = line[match.end() :]
            if attribute != 'query':
                return _ids('\n'.join([rest, *lines[number + 1 :]]), type, attribute)
            found = _TEXT.match(rest)
            text = _ESCAPED.sub(r'\1', found[1]) if found else ''
            return text if is_followed(text, type, attribute) else None
    return None


def _ids(text: str, type: str, attribute: str) -> list[Any] | None:
    match = _LIST.match(_COMMENT.sub('', text))
    items = [item.strip() for item in match[1].split(',')] if match else []
    found: list[Any] = []
    for item in filter(None, items):
        if item.isdigit():
            found.append(int(item))
        elif is_followed(f'${{{item}}}', type, attribute):
            found.append(f'${{{item}}}')
        else:
            return None
    return found or None
