"""SLOs as assets: their table, the checks of combinations, and the forms in which they come. Section 18."""

import json
from pathlib import Path

import pytest

from ddassets.assets import Slo, read, read_slo
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import Severity
from ddassets.lint.example import SLO, merge_patch, slo, write
from ddassets.sources.bundle import read_bundle

GOOD = slo({'timeframe': '7d', 'target': 99.9, 'warning': 99.95}, {'timeframe': '30d', 'target': 99})
QUERIES = [{'data_source': 'metrics', 'name': 'good', 'query': 'sum:acme.requests{status:ok}.as_count()'}]
COUNT = {
    'good_events_formula': {'formula': 'good'},
    'total_events_formula': {'formula': 'good'},
    'queries': QUERIES,
}
TIME_SLICE = {
    'query': {'formulas': [{'formula': 'good'}], 'queries': QUERIES},
    'comparator': '<',
    'threshold': 5,
}
OF_TIME_SLICES = {'type': 'time_slice', 'query': None, 'sli_specification': {'time_slice': TIME_SLICE}}
OF_MONITORS = {'type': 'monitor', 'query': None, 'monitor_ids': [7, 8]}
OF_COUNTS = {'query': None, 'sli_specification': {'count': COUNT}}
FAULTS = {
    'target-of-100': (
        {'thresholds': [{'timeframe': '7d', 'target': 100}]},
        'slo/invalid thresholds[0].target: expected a percentage above 0 and below 100, found 100',
    ),
    'target-of-0': (
        {'thresholds': [{'timeframe': '7d', 'target': 0}]},
        'slo/invalid thresholds[0].target: expected a percentage above 0 and below 100, found 0',
    ),
    'target-as-a-fraction': (
        {'thresholds': [{'timeframe': '7d', 'target': 0.999}]},
        'slo/invalid thresholds[0].target: a target is a percentage: 0.999 is less than 1 per cent; did you mean 99.9?',
    ),
    'warning-below-the-target': (
        {'thresholds': [{'timeframe': '7d', 'target': 99.9, 'warning': 99.9}]},
        'slo/invalid thresholds[0].warning: the warning must be above the target 99.9, found 99.9',
    ),
    'warning-of-100': (
        {'thresholds': [{'timeframe': '7d', 'target': 99.9, 'warning': 100}]},
        'slo/invalid thresholds[0].warning: expected a percentage above 0 and below 100, found 100',
    ),
    'timeframe': (
        {'thresholds': [{'timeframe': '7 d', 'target': 99}]},
        "slo/invalid thresholds[0].timeframe: expected 7d, 30d, 90d or custom, found '7 d'; did you mean 7d?",
    ),
    'timeframe-of-the-history': (
        {'thresholds': [{'timeframe': 'custom', 'target': 99}]},
        "slo/invalid thresholds[0].timeframe: expected 7d, 30d or 90d, found 'custom', which only requests of the "
        'history take',
    ),
    'timeframe-twice': (
        {'thresholds': [{'timeframe': '7d', 'target': 99}, {'timeframe': '7d', 'target': 98}]},
        'slo/invalid thresholds[1].timeframe: 7d has two thresholds; each timeframe has one',
    ),
    'no-thresholds': ({'thresholds': []}, 'slo/invalid thresholds: expected a list of 1 to 3 thresholds, found a list'),
    'primary': ({'timeframe': '90d'}, 'slo/invalid timeframe: the thresholds have 7d and 30d, but not the primary 90d'),
    'target-of-the-primary': (
        {'timeframe': '7d', 'target_threshold': 99},
        'slo/invalid target_threshold: the threshold of the primary 7d has 99.9, found 99',
    ),
    'warning-of-the-primary': (
        {'timeframe': '30d', 'warning_threshold': 99.5},
        'slo/invalid warning_threshold: the threshold of the primary 30d has none, found 99.5',
    ),
    'type': ({'type': 'metrics'}, "slo/invalid type: expected metric, monitor or time_slice, found 'metrics'; did you"),
    'key': ({'taget_threshold': 99}, 'file/unknown-key taget_threshold: unknown key; did you mean target_threshold?'),
    'parts-of-another-type': (
        {'monitor_ids': [7]},
        'slo/invalid monitor_ids: an SLO of type metric has no such key; it belongs to type monitor',
    ),
    'no-parts': (
        {'query': None},
        'slo/invalid an SLO of type metric needs query or sli_specification.count',
    ),
    'no-monitors': ({**OF_MONITORS, 'monitor_ids': []}, 'slo/invalid an SLO of type monitor needs monitor_ids'),
    'groups': (
        {**OF_MONITORS, 'groups': ['env:prod']},
        'slo/invalid groups: only an SLO of one monitor has groups, found 2 monitors',
    ),
    'groups-without-monitors': (
        {'groups': ['env:prod']},
        'slo/invalid groups: has no effect on an SLO of type metric',
    ),
    'syntax': (
        {'query': {'numerator': 'sum:acme.requests{*}.as_count('}},
        "query/syntax expected an argument or ')', found the end of the query",
    ),
    'comparator': (
        merge_patch(OF_TIME_SLICES, {'sli_specification': {'time_slice': {'comparator': '=>'}}}),
        "slo/invalid sli_specification.time_slice.comparator: expected >, >=, < or <=, found '=>'",
    ),
    'interval': (
        merge_patch(OF_TIME_SLICES, {'sli_specification': {'time_slice': {'query_interval_seconds': 120}}}),
        'slo/invalid sli_specification.time_slice.query_interval_seconds: expected 60 or 300 seconds, found 120',
    ),
    'two-formulas': (
        merge_patch(
            OF_TIME_SLICES,
            {'sli_specification': {'time_slice': {'query': {'formulas': [{'formula': 'good'}, {'formula': 'good'}]}}}},
        ),
        'slo/invalid sli_specification.time_slice.query.formulas: expected a list of 1 to 1 formulas, found a list of',
    ),
    'both-formulas': (
        merge_patch(OF_COUNTS, {'sli_specification': {'count': {'bad_events_formula': {'formula': 'good'}}}}),
        'slo/invalid sli_specification.count: expected bad_events_formula or total_events_formula, found both',
    ),
    'neither-formula': (
        {'query': None, 'sli_specification': {'count': {**COUNT, 'total_events_formula': None}}},
        'slo/invalid sli_specification.count: expected bad_events_formula or total_events_formula, found neither',
    ),
    'name-of-no-query': (
        merge_patch(OF_COUNTS, {'sli_specification': {'count': {'good_events_formula': {'formula': 'god * 2'}}}}),
        'slo/invalid sli_specification.count.good_events_formula.formula: no query has the name god; did you mean good',
    ),
    'name-twice': (
        merge_patch(OF_COUNTS, {'sli_specification': {'count': {'queries': QUERIES * 2}}}),
        'slo/invalid sli_specification.count.queries: two queries have the name good',
    ),
}


def of(body) -> Slo:
    return read_slo(Unplaced(Path('slo.json')), body)


@pytest.mark.parametrize('patch, expected', FAULTS.values(), ids=FAULTS)
def test_a_fault_is_reported_with_its_place(patch, expected):
    found = [f'{one.code} {one.message}' for one in of(merge_patch(GOOD, patch)).diagnostics]
    assert [one[: len(expected)] for one in found] == [expected]


@pytest.mark.parametrize('patch', [{}, OF_COUNTS, OF_TIME_SLICES, OF_MONITORS], ids=['query', 'count', 'slice', 'of'])
def test_an_slo_of_each_type_has_no_fault(patch):
    assert of(merge_patch(GOOD, patch)).diagnostics == ()


@pytest.mark.rule('18.10')
def test_the_parts_of_a_count():
    count = of(merge_patch(GOOD, OF_COUNTS)).count
    assert count is not None and count.bad_events_formula is None
    assert [one.formula for one in (count.good_events_formula, count.total_events_formula)] == ['good', 'good']


def test_every_fault_is_collected():
    patch = {'type': 'time_slice', 'timeframe': '90d', 'thresholds': [{'timeframe': '7d', 'target': 101}], 'tags': 'x'}
    found = [one.key for one in of(merge_patch(GOOD, patch)).diagnostics]
    assert found == ['tags', 'thresholds[0].target', 'timeframe', 'query', 'sli_specification']


@pytest.mark.rule('18.2', '18.13')
def test_the_values_that_an_alert_uses():
    found = of(merge_patch(GOOD, {**OF_TIME_SLICES, 'id': 'a1', 'timeframe': '30d', 'target_threshold': 99}))
    assert (found.id, found.type, found.diagnostics) == ('a1', 'time_slice', ())
    assert {name: each.target for name, each in found.timeframes.items()} == {'7d': 99.9, '30d': 99}
    assert found.time_slice is not None
    assert (found.time_slice.comparator, found.time_slice.threshold, found.time_slice.query_interval_seconds) == (
        '<',
        5,
        300,
    )
    assert found.metric_queries == [
        (('sli_specification', 'time_slice', 'query', 'queries', 0, 'query'), QUERIES[0]['query'])
    ]


SERVER = {'id': 'a1', 'created_at': 1, 'creator': {'email': 'a@example.com'}, 'modified_at': 2, 'monitor_tags': []}
FORMS = {
    'list': [GOOD],
    'answer-of-a-list': {'data': [GOOD], 'errors': []},
    'answer': {'data': {**GOOD, **SERVER}, 'errors': []},
    'object': {**GOOD, **SERVER},
    'synced': {'0123456789abcdef0123456789abcdef': GOOD},
}


@pytest.mark.parametrize('content', FORMS.values(), ids=FORMS)
def test_an_slo_of_the_api_is_read_in_every_form(content, tmp_path):
    path = tmp_path / 'export.json'
    path.write_text(json.dumps(content))
    (found,) = read_bundle(path).slos
    assert found.name == GOOD['name'] and not found.errors
    assert path.read_text()[: found.position('thresholds', 0, 'target').column - 1].endswith('"target": ')


def test_an_slo_with_a_misspelt_type_is_still_read(tmp_path):
    path = tmp_path / 'export.json'
    path.write_text(json.dumps({**GOOD, 'type': 'metrics'}))
    (found,) = read_bundle(path).slos
    assert [one.code for one in found.errors] == ['slo/invalid']


def test_an_integration_has_slos_in_a_folder(tmp_path):
    bundle = read(write(tmp_path, {SLO: GOOD}))
    assert [one.name for one in bundle.slos] == [GOOD['name']] and list(bundle.diagnostics) == []
    assert bundle.files[-1].name == 'requests.json'


def test_a_data_key_that_is_no_object():
    (found,) = of({'data': [1]}).diagnostics
    assert (found.code, found.severity, found.message) == (
        'file/shape',
        Severity.ERROR,
        'data: expected an object, found a list of 1',
    )
