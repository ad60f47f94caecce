"""Terraform's notification rules and SLOs in the API's form."""

from typing import Any

from ddassets.assets.source import Place
from ddassets.sources.model import BodyBuilder
from ddassets.sources.terraform_monitor import number
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
    # Zero is not sent.
    for name in SLO_ATTRIBUTES:
        if values.get(name) != 0:
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
                threshold[name] = number(value) if name != 'timeframe' else value
                builder.places[('thresholds', index, name)] = block.at(name)
        found.append(threshold)
    if found:
        builder.put(('thresholds',), found, values.at('thresholds'))
    if specification := builder.block(_SPECIFICATION, values, 'sli_specification'):
        _put_specification(builder, specification)
    return builder


#: Those with the API's names and values.
SLO_ATTRIBUTES = (
    *('id', 'name', 'type', 'description', 'tags', 'monitor_ids', 'groups'),
    *('timeframe', 'target_threshold', 'warning_threshold'),
)
_SPECIFICATION: Place = ('sli_specification',)
_FORMULAS = ('good_events_formula', 'bad_events_formula', 'total_events_formula')


def _put_specification(builder: BodyBuilder, specification: Values) -> None:
    at: Place = (*_SPECIFICATION, 'time_slice')
    if slice := builder.block(at, specification, 'time_slice'):
        builder.put(at, {}, slice.place)
        for name in ('comparator', 'threshold', 'query_interval_seconds'):
            if name == 'threshold' or slice.get(name) != 0:
                _put(builder, slice, name, (*at, name))
        if asked := builder.block((*at, 'query'), slice, 'query'):
            builder.put((*at, 'query'), {}, asked.place)
            formulas = asked.blocks('formula')
            builder.put((*at, 'query', 'formulas'), [], asked.at('formula'))
            for index, formula in enumerate(formulas):
                _append_formula(builder, formula, (*at, 'query', 'formulas', index))
            _put_queries(builder, asked, (*at, 'query', 'queries'))
    at = (*_SPECIFICATION, 'count')
    if count := builder.block(at, specification, 'count'):
        builder.put(at, {}, count.place)
        for name in _FORMULAS:
            value = count.get(name)
            if not builder.withhold((*at, name), value) and value not in (None, '', []):
                builder.put((*at, name), {'formula': value}, count.at(name))
                builder.places[(*at, name, 'formula')] = count.at(name)
        _put_queries(builder, count, (*at, 'queries'))


def _append_formula(builder: BodyBuilder, formula: Values, place: Place) -> None:
    value = formula.get('formula_expression')
    found = {} if builder.withhold((*place, 'formula'), value) or value is None else {'formula': value}
    _list_at(builder, place[:-1]).append(found)
    builder.places[place] = formula.place
    builder.places[(*place, 'formula')] = formula.at('formula_expression')


def _put_queries(builder: BodyBuilder, values: Values, place: Place) -> None:
    """Put the blocks `query` of a time slice, or `queries` of a count; each has one block `metric_query`."""
    name = 'query' if 'query' in values else 'queries'
    blocks = values.blocks(name)
    builder.withhold(place, values.get(name))
    builder.put(place, [], values.at(name))
    for index, block in enumerate(blocks):
        query = block.block('metric_query') or block
        found: dict[str, Any] = {'data_source': 'metrics'}
        for key in ('data_source', 'name', 'query'):
            value = query.get(key)
            if not builder.withhold((*place, index, key), value) and value not in (None, ''):
                found[key] = value
                builder.places[(*place, index, key)] = query.at(key)
        _list_at(builder, place).append(found)
        builder.places[(*place, index)] = query.place


def _list_at(builder: BodyBuilder, place: Place) -> list[Any]:
    found: Any = builder.body
    for step in place:
        found = found[step]
    return found  # type: ignore[no-any-return]


def _put(builder: BodyBuilder, values: Values, name: str, place: Place) -> None:
    value = values.get(name)
    if not builder.withhold(place, value) and value not in (None, '', []):
        builder.put(place, value, values.at(name))
