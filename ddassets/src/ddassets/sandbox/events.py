"""Events: what the v1 and v2 APIs and an Agent submit, and what they return of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ddassets.sandbox.payload import Place
from ddassets.sandbox.request import Refusal
from ddassets.sandbox.store import Change, Json

#: Fields of an event of the v1 API, with what the server fills in.
_DEFAULTS: Json = {'handle': None, 'priority': None, 'related_event_id': None, 'tags': []}
_FIRST_ID = 6 * 10**18
_MAX_AGE = timedelta(hours=18)
_CATEGORIES = ('alert', 'change')


def add_event(change: Change, fields: Json, now: datetime, url: str, monitor: str | None = None) -> Json:
    """Store an event with the fields of the v1 API, and return it with its id. Raises Refusal if it is too old."""
    happened = fields.get('date_happened', int(now.timestamp()))
    if happened < (now - _MAX_AGE).timestamp():
        raise Refusal(400, 'Event too far in the past', content_type='text/plain; charset=utf-8')
    id = _FIRST_ID + change.next_number()
    own = {'id': id, 'id_str': str(id), 'date_happened': happened, 'url': f'{url}/event/event?id={id}'}
    event = {**_DEFAULTS, **fields, **own}
    change.add_event(id, float(happened), event, monitor)
    return event


def of_v1(place: Place) -> Json:
    """Return an event that the v1 API submits. Raises Refusal for fields of another type."""
    event = dict(place.entries())
    for name in ('title', 'text'):
        place[name].text()
    for name in _TEXT_FIELDS:
        place[name].text('')
    if 'date_happened' in event:
        event['date_happened'] = place['date_happened'].whole()
    return event | ({'tags': place['tags'].texts()} if 'tags' in event else {})


# What the Agent calls a field in `/intake/`.
_AGENT_FIELDS = {'msg_title': 'title', 'msg_text': 'text', 'timestamp': 'date_happened'}
_TEXT_FIELDS = ('host', 'alert_type', 'aggregation_key', 'source_type_name', 'priority', 'event_type')


def of_agent(place: Place, source: str) -> Json:
    """Return an event of the Agent's intake with the fields of the v1 API."""
    event: Json = {name: place[key].text('') for key, name in _AGENT_FIELDS.items() if key != 'timestamp'}
    if place['timestamp'].value is not None:
        event['date_happened'] = place['timestamp'].whole()
    event |= {name: text for name in _TEXT_FIELDS if (text := place[name].text(''))}
    return {'source_type_name': source, **event, 'tags': place['tags'].texts()}


def of_v2(place: Place) -> Json:
    """Return an event that the v2 API submits with the fields of the v1 API; the rest is in `attributes`."""
    attributes = place['data']['attributes']
    if attributes['category'].value not in _CATEGORIES:
        raise attributes['category'].refuse(' or '.join(_CATEGORIES))
    event: Json = {'title': attributes['title'].text(), 'text': attributes['message'].text('')}
    event['tags'] = attributes['tags'].texts()
    for name in ('host', 'aggregation_key'):
        if text := attributes[name].text(''):
            event[name] = text
    if text := attributes['timestamp'].text(''):
        event['date_happened'] = _instant(attributes['timestamp'], text)
    inner = dict(attributes['attributes'].entries())
    if isinstance(inner.get('status'), str):
        event['alert_type'] = {'warn': 'warning', 'ok': 'success'}.get(inner['status'], inner['status'])
    return event | {'category': attributes['category'].text(), 'attributes': inner}


def _instant(place: Place, text: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise place.refuse('a time such as 2026-11-29T12:00:00Z') from None
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())


def accepted_v2(event: Json) -> dict[str, Any]:
    """Return the answer to an event that the v2 API submitted."""
    return {
        'data': {
            'type': 'event',
            'id': event['id_str'],
            'attributes': {'attributes': {'evt': {'id': event['id_str'], 'uid': event['id_str']}}},
        },
        'links': {'self': event['url']},
    }
