"""References between objects: names become ids, which Datadog assigns when the objects are created.

A composite names its members (rule 13.22), a monitor-based SLO its monitors, and an SLO alert its SLO (rule 18.2). What
is named is created before and deleted after.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ddassets.language.composite import CompositeQuery
from ddassets.language.composite import parse as parse_composite
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.slo import SloQuery
from ddassets.language.slo import parse as parse_slo
from ddassets.org.kind import Body, Desired, Kind, Stored
from ddassets.org.kinds import MONITORS, NOTIFICATION_RULES, SLOS
from ddassets.regex import regex

#: The ids of objects, by the name of their kind and a name of theirs.
type Ids = Mapping[tuple[str, str], str]
# By kind and type: what names others comes after them.
_RANKS = {(MONITORS.name, 'composite'): 2, (SLOS.name, 'monitor'): 2, (MONITORS.name, 'slo alert'): 3}
_SLO_ID = regex('[0-9a-f]{32}')


def creation_rank(kind: Kind, body: Body) -> int:
    """Return the place of an object in the order of creation: objects with the same rank are independent.

    Notification rules come before the monitors: Datadog documents that a rule routes the monitors that are saved after
    it, and not whether it routes others.
    """
    if kind is NOTIFICATION_RULES:
        return 0
    return _RANKS.get((kind.name, str(body.get('type'))), 1)


def ids_of(stored: Sequence[Stored]) -> dict[tuple[str, str], str]:
    """Return the ids of stored objects, by their names and by the names of their files."""
    found: dict[tuple[str, str], str] = {}
    for one in stored:
        if one.kind in (MONITORS, SLOS):
            for name in (one.marker.name, one.title):
                found.setdefault((one.kind.name, name), one.id)
    return found


def with_ids(desired: Desired, ids: Ids) -> Desired:
    """Replace the names of objects with known ids; return assets without names unchanged."""
    body = desired.body
    if desired.kind is SLOS and isinstance(body.get('monitor_ids'), list):
        found = [_monitor_id(one, ids) for one in body['monitor_ids']]
        return replace(desired, body={**body, 'monitor_ids': found})
    match _query(desired):
        case CompositeQuery() as query:
            spans = {member.span: _id(MONITORS, member.text, ids) for member in query.every_member if member.id is None}
        case SloQuery() as query:
            spans = {query.slo_span: None if _SLO_ID.fullmatch(query.slo) else _id(SLOS, query.slo, ids)}
        case _:
            return desired
    text = str(body['query'])
    for span, id in sorted(spans.items(), key=lambda one: one[0].start, reverse=True):
        if id is not None:
            text = f'{text[: span.start]}{id}{text[span.end :]}'
    return replace(desired, body={**body, 'query': text})


def unknown_references(desired: Desired) -> str:
    """Return which names have no id yet, and what needs the ids; empty if all are known."""
    found, what, needs = list(_unknown(desired)), MONITORS.label, 'the composite'
    if desired.kind is SLOS:
        needs = 'the SLO'
    elif isinstance(_query(desired), SloQuery):
        what, needs = SLOS.label, 'the alert'
    return f'no {what} that is applied here is called {", ".join(found)}: {needs} needs ids' if found else ''


def _unknown(desired: Desired) -> Iterator[str]:
    if desired.kind is SLOS:
        yield from (one for one in desired.body.get('monitor_ids') or () if isinstance(one, str))
    match _query(desired):
        case CompositeQuery() as query:
            yield from (one.text for one in query.every_member if one.id is None)
        case SloQuery(slo=name) if not _SLO_ID.fullmatch(name):
            yield name


def _id(kind: Kind, name: str, ids: Ids) -> str | None:
    return ids.get((kind.name, name.removesuffix('.json')))


def _monitor_id(reference: Any, ids: Ids) -> Any:
    id = _id(MONITORS, reference, ids) if isinstance(reference, str) else None
    return reference if id is None else int(id)


def _query(desired: Desired) -> CompositeQuery | SloQuery | None:
    if desired.kind is not MONITORS:
        return None
    text = str(desired.body.get('query') or '')
    try:
        match desired.body.get('type'):
            case 'composite':
                return parse_composite(text)
            case 'slo alert':
                return parse_slo(text)
    except QuerySyntaxError:
        pass
    return None
