"""The search for events of the v2 API, with the names of fields that its answers were seen to have (B2.2, B2.3)."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ddassets import duration
from ddassets.regex import regex
from ddassets.sandbox.payload import Place
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.store import Event, Store

type Test = Callable[[Json], bool]

_MAX_LIMIT = 1000
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_TERM = regex(
    rf'\s*(?P<not>-|NOT\s+)?(?:(?P<key>@?[\w.-]+):)?(?P<value>{_QUOTED}|\([^()]*+\)|[^\s()"]++)(?=\s|$)', re.ASCII
)
_PART = regex(rf'{_QUOTED}|[^\s"]++')
_RELATIVE = regex(r'now(?:-(?P<length>\w+))?')
# The status of an event by its type of alert.
_STATUSES = {'error': 'error', 'warning': 'warn', 'success': 'success', 'info': 'info'}


def search(store: Store, request: Request) -> Answer:
    """Answer `POST /api/v2/events/search`: terms that must all match, such as `source:alert @monitor.id:1`."""
    body = Place(request.body or {})
    asked, page = _part(body, 'filter'), _part(body, 'page')
    now = request.now.timestamp()
    start = _instant(asked['from'], now, 'now-15m')
    end = _instant(asked['to'], now, 'now')
    limit = page['limit'].whole(10)
    if not 1 <= limit <= _MAX_LIMIT:
        raise page['limit'].refuse(f'1 to {_MAX_LIMIT}')
    cursor = page['cursor'].text('')
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 20):
        raise page['cursor'].refuse('the cursor of an answer')
    order = body['sort'].text('timestamp')
    if order not in ('timestamp', '-timestamp'):
        raise body['sort'].refuse('timestamp or -timestamp')
    query = asked['query'].text('*')
    tests = list(_tests(query))
    only = re.findall(r'(?:^|\s)@monitor\.id:"?(\d+)"?(?=\s|$)', query)
    found: list[Json] = []
    more = False
    for event in store.events(
        start, end, only[0] if only else None, order.startswith('-'), int(cursor) if cursor else None
    ):
        shown = event_v2(event)
        if all(test(shown) for test in tests):
            more = len(found) == limit
            if more:
                break
            found.append(shown)
    return Answer(200, {'data': found} | ({'meta': {'page': {'after': found[-1]['id']}}} if more else {}))


def list_events(store: Store, request: Request) -> Answer:
    """Answer `GET /api/v2/events`, which asks the same in the query."""
    asked = {name: request.one(f'filter[{name}]') or None for name in ('query', 'from', 'to')}
    page = {'limit': request.number('page[limit]', 10), 'cursor': request.one('page[cursor]') or None}
    body = {'filter': asked, 'page': page, 'sort': request.one('sort') or None}
    return search(store, replace(request, body=body))


def _part(body: Place, key: str) -> Place:
    return Place(body[key].value or {}, key)


def event_v2(event: Event) -> Json:
    """Return an event as the v2 API does."""
    body = event.body
    inner: Json = {
        'timestamp': int(event.instant * 1000),
        'title': body.get('title', ''),
        'status': _STATUSES.get(str(body.get('alert_type')), 'info'),
        'evt': {'id': str(event.id), 'type': body.get('event_type', '')},
        'source_type_name_tag': 'alert' if event.monitor else body.get('source_type_name', 'api'),
    }
    inner |= {key: body[key] for key in ('aggregation_key', 'priority', 'host') if body.get(key)}
    inner |= body.get('attributes', {})
    time = datetime.fromtimestamp(event.instant, UTC).isoformat(timespec='milliseconds').replace('+00:00', 'Z')
    outer = {'timestamp': time, 'message': body.get('text', ''), 'tags': body.get('tags', []), 'attributes': inner}
    return {'id': str(event.id), 'type': 'event', 'attributes': outer}


def _instant(place: Place, now: float, default: str) -> float:
    """Read ISO 8601, milliseconds since the epoch, or `now-15m`."""
    value = default if place.value is None else place.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return place.number() / 1000
    text = place.text() if place.value is not None else default
    if match := _RELATIVE.fullmatch(text):
        length = duration.parse(match['length']) if match['length'] else 0
        if length is not None:
            return now - length
    if text.isascii() and text.isdecimal() and len(text) < 16:
        return int(text) / 1000
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise place.refuse('a time such as 2026-11-29T12:00:00Z, milliseconds, or now-7d') from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def _tests(query: str) -> Iterator[Test]:
    position = 0
    while query[position:].strip():
        match = _TERM.match(query, position)
        if match is None or match['value'] in ('OR', 'AND'):
            raise Refusal(400, f'(sandbox) the query at column {position + 1}: {query[position : position + 60]!r}')
        position = match.end()
        if match['key'] is None and match['value'] == '*':
            continue
        yield _test(match['key'], match['value'], bool(match['not']))


def _test(key: str | None, value: str, negated: bool) -> Test:
    parts = _PART.findall(value[1:-1]) if value.startswith('(') else [value]
    words = [_unquoted(part).lower() for part in parts if part != 'OR']
    expressions = [re.compile(re.escape(word).replace(r'\*', '.*'), re.DOTALL) for word in words]

    def test(event: Json) -> bool:
        texts = [text.lower() for text in _texts(key, event)]
        if key is None:
            return any(word in text for text in texts for word in words) != negated
        return any(expression.fullmatch(text) for text in texts for expression in expressions) != negated

    return test


def _unquoted(text: str) -> str:
    return re.sub(r'\\(.)', r'\1', text[1:-1]) if text.startswith('"') else text


def _texts(key: str | None, event: Json) -> Iterator[str]:
    """Yield the values that a term is compared with: an attribute (`@a.b`), the source, or the tags of a key."""
    attributes = event['attributes']
    inner = attributes['attributes']
    if key is None:
        yield from (str(inner.get('title', '')), str(attributes['message']))
    elif key.startswith('@'):
        yield from _values(inner, key[1:].split('.'))
    elif key == 'source':
        yield str(inner.get('source_type_name_tag', ''))
    elif key in ('status', 'priority', 'host') and inner.get(key):
        yield str(inner[key])
    else:
        yield from (tag[len(key) + 1 :] for tag in attributes['tags'] if tag.lower().startswith(f'{key.lower()}:'))


def _values(value: Any, path: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        if value is not None:
            yield str(value)
    elif isinstance(value, Mapping):
        # A key may have dots of its own.
        for size in range(1, len(path) + 1):
            if (key := '.'.join(path[:size])) in value:
                yield from _values(value[key], path[size:])
