"""Notification rules: the server stores the body unchanged; an update replaces all of it except the bundling."""

import json
import uuid
from typing import Any

from ddassets.sandbox import validation
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.stored import Stored, author_of, text_of


def create_rule(organisation: Stored, request: Request) -> Answer:
    attributes = validation.attributes_of(request.body)
    _validate(attributes)
    rule: dict[str, Any] = {
        'type': 'monitor-notification-rule',
        'id': str(uuid.UUID(int=organisation.next_number() << 64 | 0x9F21B07AD0900003)),
        'attributes': {**attributes, 'created_at': text_of(request.now), 'modified_at': text_of(request.now)},
    }
    organisation.notification_rules[rule['id']] = rule
    return Answer(200, _with_author(rule))


def _validate(attributes: Json) -> None:
    validation.check('monitor-notification-rule', attributes, lambda: _check(attributes))


def _check(attributes: Json) -> None:
    if ('recipients' in attributes) == ('conditional_recipients' in attributes):
        raise Refusal(400, '(not recorded) exactly one of recipients and conditional_recipients is required')
    if 'filter' not in attributes:
        raise Refusal(400, '(not recorded) filter is required')
    conditional = attributes.get('conditional_recipients', {})
    lists = [attributes.get('recipients'), conditional.get('fallback_recipients')]
    lists += [condition['recipients'] for condition in conditional.get('conditions', ())]
    if any(recipient.startswith('@') for one in lists for recipient in one or ()):
        raise Refusal(400, "Invalid recipients: Recipient handle should not start with '@'")


def _with_author(rule: Json) -> Json:
    data, included = author_of(rule['attributes']['created_at'])
    return {'data': {**rule, 'relationships': {'created_by': {'data': data}}}, 'included': [included]}


def _rule(organisation: Stored, request: Request) -> Json:
    if request.id not in organisation.notification_rules:
        raise Refusal(404, 'Monitor Notification Rule not found')
    return organisation.notification_rules[request.id]


def get_rule(organisation: Stored, request: Request) -> Answer:
    return Answer(200, {'data': _rule(organisation, request)})


def update_rule(organisation: Stored, request: Request) -> Answer:
    """Update a rule: recipients and conditional recipients replace each other."""
    rule = _rule(organisation, request)
    changes = validation.attributes_of(request.body)
    _validate(changes)
    kept = {key: rule['attributes'][key] for key in ('created_at', 'bundle_config') if key in rule['attributes']}
    updated = {**rule, 'attributes': {**kept, **changes, 'modified_at': text_of(request.now)}}
    organisation.notification_rules[rule['id']] = updated
    return Answer(200, _with_author(updated))


def delete_rule(organisation: Stored, request: Request) -> Answer:
    del organisation.notification_rules[_rule(organisation, request)['id']]
    return Answer(204)


def list_rules(organisation: Stored, request: Request) -> Answer:
    """Return pages of 100 unless `per_page` differs; pages count from 0."""
    filters = json.loads(request.one('filters') or '{}')
    if set(filters) - {'text'}:
        raise Refusal(400, f'(not recorded) the filters {", ".join(filters)}')
    found = [
        rule
        for rule in organisation.notification_rules.values()
        if filters.get('text', '') in rule['attributes']['name']
    ]
    size = request.number('per_page', 100)
    first = request.number('page', 0) * size
    return Answer(200, {'data': found[first : first + size]})
