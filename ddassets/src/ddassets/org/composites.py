"""Composite monitors: names of members become ids. Members are created before and deleted after (rule 13.22)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ddassets.language.composite import CompositeQuery, parse
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.org.kind import Body, Desired, Stored
from ddassets.org.kinds import MONITORS


def is_composite(body: Body) -> bool:
    return body.get('type') == 'composite'


def ids_of(stored: Sequence[Stored]) -> dict[str, str]:
    """Return the ids of the stored monitors, by name and by the name of the file."""
    found: dict[str, str] = {}
    for one in stored:
        if one.kind is MONITORS:
            for name in (one.marker.name, one.title):
                found.setdefault(name, one.id)
    return found


def with_ids(desired: Desired, ids: Mapping[str, str]) -> Desired:
    """Replace the names of members with known ids in the query of a composite; return other assets unchanged."""
    query = _query(desired)
    if query is None:
        return desired
    text = query.text
    for member in reversed(query.every_member):
        id = None if member.id is not None else ids.get(member.text.removesuffix('.json'))
        if id is not None:
            text = f'{text[: member.span.start]}{id}{text[member.span.end :]}'
    return replace(desired, body={**desired.body, 'query': text})


def unknown_members(desired: Desired) -> tuple[str, ...]:
    """Return the members of a composite whose ids are not known yet."""
    query = _query(desired)
    return tuple(one.text for one in query.every_member if one.id is None) if query else ()


def _query(desired: Desired) -> CompositeQuery | None:
    if desired.kind is not MONITORS or not is_composite(desired.body):
        return None
    try:
        return parse(str(desired.body.get('query') or ''))
    except QuerySyntaxError:
        return None
