"""Recognise what is meant as an asset but cannot be read: a misspelt key, or a file with a syntax error."""

from collections.abc import Iterable, Mapping
from typing import Any

from ddassets.assets.source import Place
from ddassets.nearest import one_letter
from ddassets.regex import regex

# The keys without which an object is not read as a monitor.
_REQUIRED = ('query', 'type')
_KEY = regex(r'''(?:^|[{,\s])["']?([A-Za-z]\w*)["']?[ \t]*:''')
_RESOURCE = regex(r'\bkind:[ \t]*["\']?Datadog[A-Z]|\bdatadog_(?:monitor|dashboard|downtime|service_level_objective)')
# Sets of keys, each of which marks an asset.
_MARKS = (
    ({'query'}, {'type'}, {'message', 'options', 'thresholds'}),
    ({'widgets'}, {'layout_type', 'template_variables'}),
    ({'monitor_identifier'}, {'scope'}),
    ({'thresholds'}, {'timeframe'}, {'target'}),
)
# Files of other tools, in which comments are usual.
_OTHER_TOOL = regex(r'(?:package|tsconfig|jsconfig|devcontainer|composer|renovate|turbo|deno|biome)(?:\.[\w.]+)?')


def misspelt_keys(value: Any, named: bool = False) -> Mapping[Place, str]:
    """Return the places of misspelt keys of a monitor, each with the key that is meant; empty for anything else.

    A monitor has its other keys: `query` or `type`, `message` or `options`, and a name, which may be
    outside of the object (`named`).
    """
    if not isinstance(value, dict):
        return {}
    inner = value.get('definition')
    if isinstance(inner, dict):
        return {('definition', *place): name for place, name in misspelt_keys(inner).items()}
    missing = [name for name in _REQUIRED if name not in value]
    described = [isinstance(value.get('message'), str), isinstance(value.get('options'), dict)]
    if not any(described) or not (named or 'name' in value or all(described)):
        return {}
    if any(not isinstance(value[name], str) for name in _REQUIRED if name in value):
        return {}
    texts = [key for key, text in value.items() if isinstance(key, str) and isinstance(text, str)]
    found = {name: next((key for key in texts if _resembles(key, name)), None) for name in missing}
    return {} if None in found.values() else {(str(key),): name for name, key in found.items()}


def _resembles(key: str, name: str) -> bool:
    return key.lower() == name or one_letter(key.lower(), name)


def resembles_assets(text: str) -> bool:
    """Whether a text that cannot be parsed has the keys of an asset, or names a resource of Datadog."""
    keys = {match[1] for match in _KEY.finditer(text)}
    return _RESOURCE.search(text) is not None or any(
        all(any(_contains(keys, name) for name in names) for names in mark) for mark in _MARKS
    )


def _contains(keys: Iterable[str], name: str) -> bool:
    return any(key == name or (name in _REQUIRED and _resembles(key, name)) for key in keys)


def is_of_other_tool(name: str) -> bool:
    """Whether a file name is that of another tool's configuration, such as tsconfig.json."""
    return _OTHER_TOOL.fullmatch(name) is not None
