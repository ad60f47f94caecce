"""SLOs, and references to them, of Terraform, Pulumi, the operator and kennel."""

import json

import pytest
import yaml
from forms import bent, spelt

from ddassets.assets.slo_reference import find_slo, monitors_of
from ddassets.diagnostic import Severity
from ddassets.language.slo import SloQuery
from ddassets.sources.bundle import read_bundle

QUERY = {'name': 'good', 'query': 'sum:acme.requests{status:ok}.as_count()', 'data_source': 'metrics'}
OTHER = {**QUERY, 'name': 'all', 'query': 'sum:acme.requests{*}.as_count()'}
COUNT = {
    'name': 'Requests',
    'type': 'metric',
    'tags': ['team:harbor'],
    'thresholds': [{'timeframe': '7d', 'target': 99.9, 'warning': 99.95}, {'timeframe': '30d', 'target': 99}],
    'timeframe': '30d',
    'target_threshold': 99,
    'sli_specification': {
        'count': {
            'good_events_formula': {'formula': 'good'},
            'total_events_formula': {'formula': 'all'},
            'queries': [QUERY, OTHER],
        }
    },
}
SLICE = {
    **COUNT,
    'type': 'time_slice',
    'sli_specification': {
        'time_slice': {
            'comparator': '<=',
            'threshold': 0.5,
            'query_interval_seconds': 60,
            'query': {'formulas': [{'formula': 'good / all'}], 'queries': [QUERY, OTHER]},
        }
    },
}


def attributes(body):
    """Return the attributes of the resource: lists for blocks, and zeros for what is not set."""
    specification = body['sli_specification']
    if count := specification.get('count'):
        formulas = {key: value['formula'] for key, value in count.items() if key != 'queries'}
        inner = {**formulas, 'queries': [{'metric_query': [query]} for query in count['queries']]}
        found = {'count': [inner], 'time_slice': []}
    else:
        slice = specification['time_slice']
        query = {
            'formula': [{'formula_expression': one['formula']} for one in slice['query']['formulas']],
            'query': [{'metric_query': [query]} for query in slice['query']['queries']],
        }
        found = {'time_slice': [{**slice, 'query': [query]}], 'count': []}
    thresholds = [{'warning': 0, 'warning_display': '', 'target_display': '99.0', **one} for one in body['thresholds']]
    return {
        **body,
        'thresholds': thresholds,
        'sli_specification': [found],
        **{'query': [], 'monitor_ids': None, 'groups': [], 'description': '', 'warning_threshold': 0},
        **{'force_delete': None, 'validate': None},
    }


def resource(values, **more):
    type = more.get('type', 'datadog_service_level_objective')
    return {'address': f'{type}.x', 'mode': 'managed', 'type': type, 'name': 'x', 'values': values, **more}


def state(values):
    module = {'resources': [resource({**values, 'id': 'abc'})]}
    return 'state.json', json.dumps({'format_version': '1.0', 'values': {'root_module': module}})


def plan(values):
    """Return a plan that creates the SLO: computed attributes are not known."""
    unset = {'id': True, 'timeframe': True, 'target_threshold': True, 'warning_threshold': True}
    unknown = {**unset, 'thresholds': [{'target_display': True, 'warning_display': True}] * 2}
    planned = {key: value for key, value in values.items() if key not in unset}
    data = {
        'planned_values': {'root_module': {'resources': [resource(planned)]}},
        'resource_changes': [
            {'address': 'datadog_service_level_objective.x', 'change': {'after_unknown': unknown}},
        ],
    }
    return 'plan.json', json.dumps(data)


def raw_state(values):
    it = {'mode': 'managed', 'type': 'datadog_service_level_objective', 'name': 'x'}
    it['instances'] = [{'attributes': {**values, 'id': 'abc'}}]
    return 'terraform.tfstate', json.dumps({'version': 4, 'lineage': 'x', 'serial': 1, 'resources': [it]})


def tf_json(values):
    return 'main.tf.json', json.dumps({'resource': {'datadog_service_level_objective': {'x': values}}})


def pulumi(values):
    plurals = {'formula': 'formulas', 'query': 'queries'}
    inner = values['sli_specification'][0]
    for query in (slice['query'][0] for slice in inner['time_slice']):
        for name, plural in plurals.items():
            query[plural] = query.pop(name)
    resource = {
        'type': 'datadog:index/serviceLevelObjective:ServiceLevelObjective',
        'urn': 'urn:pulumi:dev::p::datadog:index/serviceLevelObjective:ServiceLevelObjective::x',
        'inputs': {key: value for key, value in spelt(values, bent).items() if value not in (None, '', [], 0)},
    }
    return 'stack.json', json.dumps({'version': 3, 'deployment': {'resources': [resource]}})


@pytest.mark.parametrize('body', [COUNT, SLICE], ids=['count', 'time-slice'])
@pytest.mark.parametrize('form', [state, plan, raw_state, tf_json, pulumi])
def test_a_resource_becomes_the_body_that_the_provider_sends(form, body, tmp_path):
    name, text = form(attributes(json.loads(json.dumps(body))))
    (tmp_path / name).write_text(text)
    bundle = read_bundle(tmp_path / name)
    (found,) = bundle.slos
    computed = {'timeframe', 'target_threshold'} if form is plan else set()
    expected = {key: value for key, value in body.items() if key not in computed}
    assert {key: value for key, value in found.body.items() if key != 'id'} == expected
    assert (found.diagnostics, [*bundle.notes]) == ((), [])


def test_a_resource_of_monitors(tmp_path):
    values = {**attributes(COUNT), 'type': 'monitor', 'sli_specification': [], 'monitor_ids': [7], 'groups': ['a:b']}
    name, text = state(values)
    (tmp_path / name).write_text(text)
    (found,) = read_bundle(tmp_path / name).slos
    assert (found.id, found.fields.monitor_ids, found.fields.groups) == ('abc', (7,), ('a:b',))
    assert found.diagnostics == ()


ALERT = {
    'name': 'Burns',
    'type': 'slo alert',
    'query': 'burn_rate("${datadog_service_level_objective.x.id}").over("7d").long_window("1h").short_window("5m") > 9',
    'message': '@ops',
    'monitor_thresholds': [{'critical': '9'}],
}
MAIN_TF = """\
resource "datadog_service_level_objective" "x" {
  name        = "Requests"
  type        = "monitor"
  monitor_ids = [datadog_monitor.lag.id, 7]
  thresholds {
    timeframe = "7d"
    target    = 99.9
  }
}

resource "datadog_monitor" "burns" {
  name    = "Burns"
  type    = "slo alert"
  query   = "error_budget(\\"${datadog_service_level_objective.x.id}\\").over(\\"8d\\") > 9"
  message = "@ops"
}

resource "datadog_monitor" "lag" {
  name    = "Lag"
  type    = "query alert"
  query   = "avg(last_5m):avg:acme.lag{*} > 1"
  message = "@ops"
}

resource "datadog_monitor" "seven" {
  id = 7
  name    = "Seven"
  type    = "query alert"
  query   = "avg(last_5m):avg:acme.lag{*} > ${var.limit}"
  message = "@ops"
}
"""
GOOD_TF = MAIN_TF.replace('8d', '7d')


def found_by_reference(bundle):
    (slo,) = bundle.slos
    alert = next(one for one in bundle.monitors if one.name == 'Burns')
    assert isinstance(alert.slo, SloQuery)
    return find_slo(alert, alert.slo, bundle.slos) is slo and [one.name for one in monitors_of(slo, bundle.monitors)]


@pytest.mark.rule('18.2', '18.11')
def test_references_in_configuration(tmp_path):
    (tmp_path / 'main.tf').write_text(GOOD_TF)
    bundle = read_bundle(tmp_path / 'main.tf')
    assert found_by_reference(bundle) == ['Lag', 'Seven']
    assert [note.object for note in bundle.notes] == ['datadog_monitor.seven']


def planned(*names):
    """Return a plan of the configuration in which no id is known."""
    slo = resource({'name': 'Requests', 'type': 'monitor', 'thresholds': [{'timeframe': '7d', 'target': 99.9}]})
    common = {'type': 'datadog_monitor'}
    burns = resource({**{k: v for k, v in ALERT.items() if k != 'query'}}, **common, address='datadog_monitor.burns')
    lag = {'name': 'Lag', 'type': 'query alert', 'query': 'avg(last_5m):avg:acme.lag{*} > 1', 'message': '@ops'}
    resources = [slo, {**burns, 'name': 'burns'}]
    for index, name in enumerate(names):
        values = {**lag, 'name': name.title(), **({'id': '7'} if index else {})}
        resources.append({**resource(values, **common, address=f'datadog_monitor.{name}'), 'name': name})
    changes = [
        {'address': slo['address'], 'change': {'after_unknown': {'id': True, 'monitor_ids': True}}},
        {'address': burns['address'], 'change': {'after_unknown': {'id': True, 'query': True}}},
    ]
    return json.dumps({'planned_values': {'root_module': {'resources': resources}}, 'resource_changes': changes})


@pytest.mark.rule('18.2', '18.11')
def test_references_of_a_plan_are_in_the_configuration_beside_it(tmp_path):
    (tmp_path / 'main.tf').write_text(GOOD_TF)
    (tmp_path / 'plan.json').write_text(planned('lag', 'seven'))
    bundle = read_bundle(tmp_path / 'plan.json')
    assert found_by_reference(bundle) == ['Lag', 'Seven']
    assert [*bundle.notes] == []
    (tmp_path / 'main.tf').unlink()
    bundle = read_bundle(tmp_path / 'plan.json')
    assert [note.message[:40] for note in bundle.notes] == [
        'monitor_ids is not known here and not ch',
        'query is not known here and not checked:',
    ]
    assert [one.judged for one in bundle.assets] == [()] * len(bundle.assets)


@pytest.mark.parametrize('name', ['main.tf', 'plan.json'])
def test_a_fault_behind_a_reference_has_its_place(name, tmp_path):
    (tmp_path / 'main.tf').write_text(MAIN_TF)
    (tmp_path / 'plan.json').write_text(planned('lag', 'seven'))
    alert = next(one for one in read_bundle(tmp_path / name).monitors if one.name == 'Burns')
    fault = next(one for one in alert.judged if one.severity is Severity.ERROR)
    lines = MAIN_TF.splitlines()
    line = next(number for number, text in enumerate(lines, 1) if '8d' in text)
    assert (fault.path.name, fault.position.line, fault.position.column) == (
        'main.tf',
        line,
        lines[line - 1].index('8d') + 1,
    )


@pytest.mark.parametrize(
    'query',
    [
        'burn_rate("${var.slo}").over("7d").long_window("1h").short_window("5m") > 9',
        'burn_rate("${datadog_service_level_objective.x.id}").over("${var.over}").long_window("1h") > 9',
        'burn_rate("${module.x.slo}").over("7d").long_window("1h").short_window("5m") > 9',
    ],
)
def test_another_expression_stays_unknown(query, tmp_path):
    text = json.dumps({'resource': {'datadog_monitor': {'burns': {**ALERT, 'query': query}}}})
    (tmp_path / 'main.tf.json').write_text(text)
    (found,) = read_bundle(tmp_path / 'main.tf.json').monitors
    assert found.is_withheld(('query',))


def test_references_of_kennel(tmp_path):
    (tmp_path / 'shop').mkdir()
    alert = {'api_resource': 'monitor', **{k: v for k, v in ALERT.items() if k != 'monitor_thresholds'}}
    alert['query'] = alert['query'].replace('${datadog_service_level_objective.x.id}', '%{shop:requests}')
    slo = {**COUNT, 'api_resource': 'slo', 'type': 'monitor', 'monitor_ids': ['%{shop:lag}']}
    del slo['sli_specification']
    lag = {'name': 'Lag', 'type': 'query alert', 'query': 'avg(last_5m):avg:a{*} > 1', 'message': ''}
    for name, body in {'burns': alert, 'requests': slo, 'lag': {**lag, 'api_resource': 'monitor'}}.items():
        (tmp_path / 'shop' / f'{name}.json').write_text(json.dumps(body))
    bundle = read_bundle(tmp_path)
    assert found_by_reference(bundle) == ['Lag'] and [*bundle.notes] == []


def test_time_slices_of_the_operator(tmp_path):
    spec = {
        **{key: COUNT[key] for key in ('name', 'tags')},
        'type': 'time_slice',
        'timeSlice': {'query': OTHER['query'], 'comparator': '>', 'threshold': '0.5'},
        'timeframe': '7d',
        'targetThreshold': '99.9',
    }
    it = {'apiVersion': 'datadoghq.com/v1alpha1', 'kind': 'DatadogSLO', 'metadata': {'name': 'x'}, 'spec': spec}
    (tmp_path / 'slo.yaml').write_text(yaml.safe_dump(it))
    (found,) = read_bundle(tmp_path / 'slo.yaml').slos
    assert found.diagnostics == () and found.time_slice is not None
    assert (found.time_slice.threshold, found.timeframes['7d'].target) == (0.5, 99.9)
    assert [text for _, text in found.metric_queries] == [OTHER['query']]
