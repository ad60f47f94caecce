"""Terraform's notification rules and SLOs in the API's form."""

from typing import Any

from ddassets.assets.source import Place
from ddassets.sources.model import BodyBuilder
from ddassets.sources.values import Values

_RULE: Place = ('data', 'attributes')


def build_rule(values: Values) -> BodyBuilder:
    """Build the body for a `datadog_monitor_notification_rule`."""
    builder = BodyBuilder(places={(): values.place, ('data',): values.place, _RULE: values.place})
    builder.put(('data', 'type'), 'monitor-notification-rule', None)
    builder.put(_RULE, {}, values.place)
    for name in ('name', 'recipients'):
        _put(builder, values, name, (*_RULE, name))
    if block := builder.block((*_RULE, 'filter'), values, 'filter'):
        builder.put((*_RULE, 'filter'), {}, block.place)
        for name in ('tags', 'scope'):
            _put(builder, block, name, (*_RULE, 'filter', name))
    at: Place = (*_RULE, 'conditional_recipients')
    if block := builder.block(at, values, 'conditional_recipients'):
        builder.put(at, {}, block.place)
        builder.withhold((*at, 'conditions'), block.get('conditions'))
        builder.put((*at, 'conditions'), [], block.at('conditions'))
        for index, condition in enumerate(block.blocks('conditions')):
            found: dict[str, Any] = {}
            for name in ('scope', 'recipients'):
                value = condition.get(name)
                if not builder.withhold((*at, 'conditions', index, name), value) and value is not None:
                    found[name] = value
                    builder.places[(*at, 'conditions', index, name)] = condition.at(name)
            builder.body['data']['attributes']['conditional_recipients']['conditions'].append(found)
            builder.places[(*at, 'conditions', index)] = condition.place
        _put(builder, block, 'fallback_recipients', (*at, 'fallback_recipients'))
    return builder


def build_slo(values: Values) -> BodyBuilder:
    """Build the body for a `datadog_service_level_objective`."""
    builder = BodyBuilder(places={(): values.place})
    for name in ('name', 'type', 'description', 'tags', 'monitor_ids', 'groups'):
        _put(builder, values, name, (name,))
    if query := builder.block(('query',), values, 'query'):
        for name in ('numerator', 'denominator'):
            _put(builder, query, name, ('query', name))
    builder.withhold(('thresholds',), values.get('thresholds'))
    found: list[dict[str, Any]] = []
    for index, block in enumerate(values.blocks('thresholds')):
        threshold: dict[str, Any] = {}
        for name in ('timeframe', 'target', 'warning'):
            value = block.get(name)
            if not builder.withhold(('thresholds', index, name), value) and value not in (None, '', 0):
                threshold[name] = value
                builder.places[('thresholds', index, name)] = block.at(name)
        found.append(threshold)
    if found:
        builder.put(('thresholds',), found, values.at('thresholds'))
    return builder


def _put(builder: BodyBuilder, values: Values, name: str, place: Place) -> None:
    value = values.get(name)
    if not builder.withhold(place, value) and value not in (None, '', []):
        builder.put(place, value, values.at(name))
