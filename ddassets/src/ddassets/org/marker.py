"""The marker on an object: which integration and which file it was applied from. There is no state file.

The description of a dashboard and the message of a downtime end with a readable sentence. A monitor has two tags,
because its message is sent to people. The name of a notification rule, its only text, ends with the marker in brackets.

The fingerprint is that of the applied body. If the stored body has another, it was changed by hand, not in the files.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from ddassets.regex import regex

OWNER_TAG, STATE_TAG = 'ddassets', 'ddassets_applied'
# Characters. Datadog cuts a longer tag.
MAX_TAG = 200
_SENTENCE = regex(
    r'\s*Applied by ddassets from (?P<integration>[\w.-]+)/(?P<name>[\w.-]+) \((?P<fingerprint>[0-9a-f]{12})\)\.?'
)
_BRACKETS = regex(rf'\s*\[{OWNER_TAG} (?P<integration>[\w.-]+)/(?P<name>[\w.-]+) (?P<fingerprint>[0-9a-f]{{12}})\]')
_STATE = regex(rf'{STATE_TAG}:(?P<name>[\w.-]+)/(?P<fingerprint>[0-9a-f]{{12}})')


@dataclass(frozen=True)
class Marker:
    """`name` is that of the file, as a tag value.

    `name` and `fingerprint` are empty if somebody removed the tag with both from a monitor.
    """

    integration: str
    name: str
    fingerprint: str

    def sentence(self) -> str:
        return f'Applied by ddassets from {self.integration}/{self.name} ({self.fingerprint}).'

    def brackets(self) -> str:
        return f'[{OWNER_TAG} {self.integration}/{self.name} {self.fingerprint}]'

    def tags(self) -> list[str]:
        return [owner_tag(self.integration), f'{STATE_TAG}:{self.name}/{self.fingerprint}']


def owner_tag(integration: str) -> str:
    return f'{OWNER_TAG}:{integration}'


def tag_value(text: str) -> str:
    """Return a text as the value of a tag: in lower case, with `_` for each run of characters that Datadog replaces."""
    return re.sub(r'[^a-z0-9.-]+', '_', text.lower()).strip('_') or '_'


def in_text(text: Any) -> Marker | None:
    """Return the marker in a description or a message, usually at its end; None without a marker or for no text."""
    return _find(_SENTENCE, text)


def in_name(name: Any) -> Marker | None:
    """Return the marker in the name of a notification rule; None without a marker or for no text."""
    return _find(_BRACKETS, name)


def name_without_marker(name: str) -> str:
    return _BRACKETS.sub('', name)


def name_with_marker(name: str, marker: Marker) -> str:
    return f'{name_without_marker(name).strip()} {marker.brackets()}'


def _find(expression: re.Pattern[str], text: Any) -> Marker | None:
    found = expression.search(text) if isinstance(text, str) else None
    return Marker(found['integration'], found['name'], found['fingerprint']) if found else None


def text_without_marker(text: str) -> str:
    return _SENTENCE.sub('', text)


def text_with_marker(text: str, marker: Marker) -> str:
    return f'{text.rstrip()}\n\n{marker.sentence()}' if text.strip() else marker.sentence()


def in_tags(tags: Any) -> Marker | None:
    """Return the marker in a list of tags; None without a marker or for no list."""
    tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list | tuple) else []
    owners = [tag.partition(':')[2] for tag in tags if tag.startswith(f'{OWNER_TAG}:')]
    if not owners:
        return None
    state = next(filter(None, map(_STATE.fullmatch, tags)), None)
    return Marker(owners[0], state['name'] if state else '', state['fingerprint'] if state else '')


def is_marker_tag(tag: str) -> bool:
    return tag.partition(':')[0] in (OWNER_TAG, STATE_TAG)


def fingerprint(canonical: Any) -> str:
    """Return twelve hexadecimal digits that identify a canonical body."""
    text = json.dumps(canonical, sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
