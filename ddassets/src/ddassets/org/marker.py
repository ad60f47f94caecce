"""Whose object it is, written on the object itself: nothing is remembered elsewhere.

A dashboard's description and a downtime's message end with a sentence that whoever meets it can read. A monitor, whose
message goes out to people, bears two tags. The name of a notification rule, its only text, ends with the marker in
brackets. Either way there are the integration, the name of the asset's file and a
fingerprint of what was applied, by which a change made by hand is told from one made in the files.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

OWNER_TAG, STATE_TAG = 'ddassets', 'ddassets_applied'
LONGEST_TAG = 200
_SENTENCE = re.compile(
    r'\s*Applied by ddassets from (?P<integration>[\w.-]+)/(?P<name>[\w.-]+) \((?P<fingerprint>[0-9a-f]{12})\)\.?'
)
_BRACKETS = re.compile(
    rf'\s*\[{OWNER_TAG} (?P<integration>[\w.-]+)/(?P<name>[\w.-]+) (?P<fingerprint>[0-9a-f]{{12}})\]'
)
_STATE = re.compile(rf'{STATE_TAG}:(?P<name>[\w.-]+)/(?P<fingerprint>[0-9a-f]{{12}})')


@dataclass(frozen=True)
class Marker:
    """`name` and `fingerprint` are empty where someone has taken them off the object and left the rest."""

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


def label(text: str) -> str:
    """`text` as Datadog keeps a tag's value: lower case, with one `_` for whatever may not stand there."""
    return re.sub(r'[^a-z0-9.-]+', '_', text.lower()).strip('_') or '_'


def in_text(text: Any) -> Marker | None:
    """The marker in a description or a message, usually at its end; None for another text or no text."""
    return _found(_SENTENCE, text)


def in_name(name: Any) -> Marker | None:
    """The marker in the name of a notification rule; None for another name or no text."""
    return _found(_BRACKETS, name)


def without_name(name: str) -> str:
    return _BRACKETS.sub('', name)


def with_name(name: str, marker: Marker) -> str:
    return f'{without_name(name).strip()} {marker.brackets()}'


def _found(expression: re.Pattern[str], text: Any) -> Marker | None:
    found = expression.search(text) if isinstance(text, str) else None
    return Marker(found['integration'], found['name'], found['fingerprint']) if found else None


def without_sentence(text: str) -> str:
    return _SENTENCE.sub('', text)


def with_sentence(text: str, marker: Marker) -> str:
    return f'{text.rstrip()}\n\n{marker.sentence()}' if text.strip() else marker.sentence()


def in_tags(tags: Any) -> Marker | None:
    """The marker in a list of tags; None for other tags or no list of texts."""
    tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list | tuple) else []
    owners = [tag.partition(':')[2] for tag in tags if tag.startswith(f'{OWNER_TAG}:')]
    if not owners:
        return None
    state = next(filter(None, map(_STATE.fullmatch, tags)), None)
    return Marker(owners[0], state['name'] if state else '', state['fingerprint'] if state else '')


def is_ours(tag: str) -> bool:
    return tag.partition(':')[0] in (OWNER_TAG, STATE_TAG)


def fingerprint(canonical: Any) -> str:
    """Of a body in its canonical form; twelve hexadecimal digits."""
    text = json.dumps(canonical, sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
