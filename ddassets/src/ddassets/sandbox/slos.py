"""SLOs: the server adds keys, the primary timeframe and the older form of a count."""

from typing import Any

from ddassets.sandbox import validation
from ddassets.sandbox.payload import Place
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.stored import AUTHOR, Stored

# By type: the number that the server adds, what is required, and the recorded refusal without it.
_TYPES = {
    'monitor': (0, ('monitor_ids',), 'must specify monitor_ids'),
    'metric': (1, ('query', 'sli_specification'), 'must specify the query for count types'),
    'time_slice': (2, ('sli_specification',), '(not recorded) must specify sli_specification'),
}
_TIMEFRAMES = ('7d', '30d', '90d')


def create_slo(organisation: Stored, request: Request) -> Answer:
    number = organisation.next_number()
    now = int(request.now.timestamp())
    added: Json = {
        'id': f'{number << 64 | 0x5C0B8035D1CE94DE:032x}',
        'creator': {'name': None, 'handle': AUTHOR, 'email': AUTHOR},
        'created_at': now,
    }
    body = dict(Place(request.body).entries())
    slo = organisation.slos[added['id']] = _normalised(body, added, now)
    return _saved(slo, body)


def _saved(slo: Json, body: Json) -> Answer:
    """Return the answer to a creation or an update, in which the numbers of the primary timeframe are as sent."""
    sent = next(one for one in body['thresholds'] if one['timeframe'] == slo['timeframe'])
    numbers = {'target_threshold': sent['target'], 'warning_threshold': sent.get('warning')}
    numbers |= {key: body[key] for key in numbers if key in body}
    return Answer(200, {'data': [slo | {key: numbers[key] for key in numbers if key in slo}], 'error': None})


def _check(body: Json) -> None:
    _, needed, text = _TYPES[body['type']]
    if not any(body.get(key) for key in needed):
        raise Refusal(400, f'Invalid payload: {text}')
    if any(isinstance(one, str) for one in body.get('monitor_ids', ())):
        raise Refusal(400, '(not recorded) monitor_ids: expected ids of monitors')


def _normalised(body: Json, added: Json, now: int) -> Json:
    validation.check('slo', body, lambda: _check(body))
    thresholds = sorted(map(_threshold, body['thresholds']), key=lambda one: _TIMEFRAMES.index(one['timeframe']))
    primary = next((one for one in thresholds if one['timeframe'] == body.get('timeframe')), thresholds[0])
    repeated = {'target_threshold': primary['target'], 'warning_threshold': primary.get('warning')}
    repeated |= {key: float(body[key]) for key in repeated if key in body}
    slo = {
        **{key: added[key] for key in ('id', 'creator', 'created_at')},
        'modified_at': now,
        'name': body['name'],
        'tags': sorted(body.get('tags', [])),
        'monitor_tags': [],
        'thresholds': thresholds,
        'type': body['type'],
        'type_id': _TYPES[body['type']][0],
        'description': body.get('description') or '',
        'timeframe': primary['timeframe'],
        **{key: value for key, value in repeated.items() if value is not None},
        **{key: body[key] for key in ('query', 'monitor_ids', 'groups') if body.get(key)},
    }
    if specification := body.get('sli_specification'):
        slo |= _specified(specification)
    return slo


def _specified(specification: Json) -> Json:
    if slice := specification.get('time_slice'):
        return {'sli_specification': {'time_slice': {**slice, 'query_interval_seconds': 300} | slice}}
    count = specification['count']
    texts = {one['name']: one['query'] for one in count['queries']}
    good, other = (_written(count.get(key), texts) for key in ('good_events_formula', 'total_events_formula'))
    if 'bad_events_formula' in count:
        other = f'({good}) + ({_written(count["bad_events_formula"], texts)})'
    return {'query': {'numerator': good, 'denominator': other}, 'sli_specification': specification}


def _written(formula: Any, texts: dict[str, str]) -> str:
    """Return a formula with the queries in place of their names."""
    return ' '.join(texts.get(word, word) for word in (formula or {'formula': ''})['formula'].split())


def _threshold(one: Json) -> Json:
    found = {'timeframe': one['timeframe'], 'target': float(one['target']), 'target_display': _shown(one['target'])}
    if one.get('warning') is not None:
        found |= {'warning': float(one['warning']), 'warning_display': _shown(one['warning'])}
    return found


def _shown(number: float) -> str:
    return f'{number:.3f}'.rstrip('0')


def _slo(organisation: Stored, request: Request) -> Json:
    if request.id not in organisation.slos:
        raise Refusal(404, f'SLO not found: {request.id} not found')
    return organisation.slos[request.id]


def get_slo(organisation: Stored, request: Request) -> Answer:
    return Answer(200, {'data': _slo(organisation, request), 'error': None})


def update_slo(organisation: Stored, request: Request) -> Answer:
    """Replace an SLO; its type stays."""
    stored, body = _slo(organisation, request), dict(Place(request.body).entries())
    if body.get('type', stored['type']) != stored['type']:
        # Recorded: what is missing for the old type is refused.
        _check({**body, 'type': stored['type']})
        raise Refusal(400, '(not recorded) the type of an SLO cannot be changed')
    slo = organisation.slos[stored['id']] = _normalised(body, stored, int(request.now.timestamp()))
    return _saved(slo, body)


def delete_slo(organisation: Stored, request: Request) -> Answer:
    del organisation.slos[_slo(organisation, request)['id']]
    return Answer(200, {'data': [request.id], 'error': None})


def list_slos(organisation: Stored, request: Request) -> Answer:
    """Return SLOs by ids, or a page; only the answer to a request with a limit has metadata."""
    ids = list(filter(None, request.one('ids').split(',')))
    for name in ('query', 'tags_query', 'metrics_query', 'is_deleted'):
        if request.one(name):
            raise Refusal(400, f'(not recorded) the filter {name}')
    found = [one for one in organisation.slos.values() if not ids or one['id'] in ids]
    first, limit = int(request.one('offset', '0')), int(request.one('limit', '1000'))
    counts = {'total_count': len(found), 'total_filtered_count': min(limit, len(found))}
    told = {'metadata': {'page': counts}} if request.one('limit') else {}
    return Answer(200, {'data': found[first : first + limit], 'error': None, **told})
