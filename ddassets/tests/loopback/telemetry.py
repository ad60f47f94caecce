"""Events, snapshots and points; and whether a key is valid."""

import json
import re
from datetime import timedelta
from itertools import pairwise

from loopback.stored import Answer, Refusal, Request, Stored


def validate(_: Stored, request: Request) -> Answer:
    return Answer(200, {'valid': True})


def validate_keys(_: Stored, request: Request) -> Answer:
    return Answer(200, {'status': 'ok'})


def create_event(organisation: Stored, request: Request) -> Answer:
    happened = request.body.get('date_happened', int(request.now.timestamp()))
    if happened < (request.now - timedelta(hours=18)).timestamp():
        raise Refusal(400, 'Event too far in the past', 'text/plain; charset=utf-8')
    number = 6 * 10**18 + organisation.next_number()
    event = {
        'handle': None,
        'priority': None,
        'related_event_id': None,
        'tags': [],
        **request.body,
        'id': number,
        'id_str': str(number),
        'date_happened': happened,
        'url': f'https://app.datadoghq.com/event/event?id={number}',
    }
    organisation.events.append(event)
    shown = ('id', 'id_str', 'title', 'text', 'date_happened', 'handle', 'priority', 'related_event_id', 'tags', 'url')
    return Answer(202, {'status': 'ok', 'event': {key: event[key] for key in shown}})


def list_events(organisation: Stored, request: Request) -> Answer:
    start, end = int(request.one('start')), int(request.one('end'))
    tags = {tag for tag in request.one('tags').split(',') if tag}
    found = [e for e in organisation.events if start <= e['date_happened'] <= end and tags <= set(e['tags'])]
    shown = ('id', 'title', 'text', 'date_happened', 'tags', 'url')
    return Answer(200, {'events': [{key: e[key] for key in shown} for e in found]})


def graph_snapshot(organisation: Stored, request: Request) -> Answer:
    """Return the URL of a snapshot, before the picture exists (rule 8.2)."""
    if ('metric_query' in request.query) == ('graph_def' in request.query):
        raise Refusal(400, '(not recorded) one of metric_query and graph_def is required')
    if 'graph_def' in request.query:
        try:
            json.loads(request.one('graph_def'))
        except ValueError:
            raise Refusal(400, '(not recorded) graph_def is not JSON') from None
    path = f'/s/f12345678/{organisation.next_number():03d}-picture'
    organisation.pictures[path] = 0
    answer = {key: request.one(key) for key in ('metric_query', 'graph_def') if key in request.query}
    return Answer(200, answer | {'snapshot_url': organisation.pictures_url + path})


def query_metrics(organisation: Stored, request: Request) -> Answer:
    query, start, end = request.one('query'), int(request.one('from')), int(request.one('to'))
    names = re.findall(r'([A-Za-z][\w.]*)\{', query)
    series = [
        {
            'metric': name,
            'display_name': name,
            'unit': [None, None],
            'scope': '*',
            'tag_set': [],
            'expression': query,
            'aggr': None,
            'interval': int(interval),
            'start': int(points[0][0] * 1000),
            'end': int((points[-1][0] + interval - 1) * 1000),
            'query_index': 0,
            'attributes': {},
            'length': len(points),
            'pointlist': [[int(t * 1000), v] for t, v in points],
        }
        for name in names
        if (points := [(t, v) for t, v in organisation.series.get(name, ()) if start <= t <= end])
        and (interval := min((b - a for (a, _), (b, _) in pairwise(points)), default=45))
    ]
    return Answer(
        200,
        {
            'status': 'ok',
            'resp_version': 1,
            'res_type': 'time_series',
            'query': query,
            'from_date': start * 1000,
            'to_date': end * 1000,
            'series': series,
            'message': '',
            'group_by': [],
            'values': [],
            'times': [],
        },
    )
