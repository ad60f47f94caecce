"""Assets in every supported form."""

import io
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import forms
import pytest
import yaml

from ddassets.cli import main
from ddassets.diagnostic import UnusableInputError
from ddassets.lint import lint
from ddassets.sources import as_bundle, managers_of, read, read_bundle, read_text_as
from ddassets.sources.kubernetes import EVALUATION_WINDOW, OPTIONS, THRESHOLDS, WINDOWS
from ddassets.sources.terraform_monitor import ATTRIBUTES

BODY = {
    'name': 'Lag',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:acme.lag{*} by {host} > 9',
    'message': 'Lag. @ops@example.com',
    'tags': ['env:prod', 'team:harbor'],
    'options': {'thresholds': {'critical': 9}},
}
# What no form needs to say, for the API takes it anyway; and what the provider sends where nobody wrote it.
DEFAULTS = {
    'include_tags': True,
    'notify_no_data': False,
    'new_host_delay': 300,
    'no_data_timeframe': 10,
    'enable_logs_sample': False,
    'enable_samples': False,
}
EVENT_QUERY = {
    'data_source': 'logs',
    'name': 'a',
    'indexes': ['*'],
    'search': {'query': 'status:error'},
    'compute': {'aggregation': 'count'},
    'group_by': [{'facet': 'service', 'limit': 10, 'sort': {'aggregation': 'count', 'order': 'desc'}}],
}
SCHEDULE = {'custom_schedule': {'recurrences': [{'rrule': 'FREQ=DAILY;INTERVAL=1', 'timezone': 'UTC'}]}}
DAY = {'evaluation_window': {'day_starts': '04:00', 'month_starts': 1}}
LOGS = {'type': 'log alert', 'query': 'logs("status:error").index("*").rollup("count").last("5m") > 9'}
FORMULA = {'type': 'log alert', 'query': 'formula("a").last("5m") > 9'}
ANOMALY = {
    'query': "avg(last_4h):anomalies(avg:acme.lag{*}, 'agile', 2, direction='above', interval=60, "
    "alert_window='last_15m', count_default_zero='true') >= 1",
}
CI = {'type': 'ci-pipelines alert', 'query': 'ci-pipelines("@ci.status:error").rollup("count").last("5m") > 9'}
VARIANTS: dict[str, tuple[Any, ...]] = {
    'plain': ({}, {}),
    'warning': ({}, {'thresholds': {'critical': 9, 'warning': 7.5}}),
    'recovery': ({}, {'thresholds': {'critical': 9, 'critical_recovery': 8, 'warning': 7, 'warning_recovery': 0}}),
    'anomaly-windows': (
        ANOMALY,
        {
            'thresholds': {'critical': 1, 'critical_recovery': 0},
            'threshold_windows': {'trigger_window': 'last_15m', 'recovery_window': 'last_15m'},
        },
    ),
    'priority': ({'priority': 2}, {}),
    'full-window': ({}, {'require_full_window': True}),
    'partial-window': ({}, {'require_full_window': False}),
    'no-data': ({}, {'notify_no_data': True, 'no_data_timeframe': 20}),
    'on-missing-data': ({}, {'on_missing_data': 'show_and_notify_no_data'}),
    'new-host-delay': ({}, {'new_host_delay': 0}),
    'new-group-delay': ({}, {'new_group_delay': 120}),
    'evaluation-delay': ({}, {'evaluation_delay': 60}),
    'renotify': (
        {},
        {
            'renotify_interval': 30,
            'renotify_occurrences': 3,
            'renotify_statuses': ['alert', 'no data'],
            'escalation_message': 'Still. @ops@example.com',
        },
    ),
    'tags-in-title': ({}, {'include_tags': False}),
    'audit': ({}, {'notify_audit': True}),
    'timeout': ({}, {'timeout_h': 4}),
    'notify-by': ({}, {'notify_by': ['host']}),
    'preset': ({}, {'notification_preset_name': 'hide_query'}),
    'retention': ({'type': 'log alert', **LOGS}, {'group_retention_duration': '2d'}),
    'logs-sample': (LOGS, {'enable_logs_sample': True}),
    'simple-logs': (LOGS, {'groupby_simple_monitor': True}),
    'samples': (CI, {'enable_samples': True}),
    'custom-schedule': ({}, {'scheduling_options': SCHEDULE, 'require_full_window': False}),
    'day-window': ({}, {'scheduling_options': DAY}),
    'hour-window': ({}, {'scheduling_options': {'evaluation_window': {'hour_starts': 0}}}),
    'variables': (FORMULA, {'variables': [EVENT_QUERY]}),
    'draft': ({'draft_status': 'draft'}, {}),
}


def body_of(name):
    fields, options = VARIANTS[name]
    return {**BODY, **fields, 'options': {**BODY['options'], **options}}


def written(folder, form, body):
    name, text = forms.FORMS[form][0](body)
    path = folder / name
    path.write_text(text)
    return path


def effective(body, form):
    """Return a body without default values."""
    body = {**body, 'options': dict(body['options'])}
    if body.get('draft_status') == 'published':
        del body['draft_status']
    for key, value in DEFAULTS.items():
        if body['options'].get(key) == value:
            del body['options'][key]
    if form in forms.PROVIDER:
        # The provider's default; other forms leave it to the API.
        body['options'].setdefault('require_full_window', True)
    body['options'].setdefault('require_full_window', False)
    for key in ('id', 'overall_state', 'created', 'multi'):
        body.pop(key, None)
    return body


CASES = [
    pytest.param(form, name, id=f'{form}-{name}')
    for form in forms.FORMS
    for name in VARIANTS
    if not (form == 'kubernetes' and forms.NOT_IN_KUBERNETES & {*VARIANTS[name][0], *VARIANTS[name][1]})
]


@pytest.mark.parametrize(('form', 'name'), CASES)
def test_one_monitor_in_every_form(form, name, tmp_path):
    body = body_of(name)
    inventory = read(written(tmp_path, form, body))
    assert [asset.kind for asset in inventory.assets] == ['monitor'], inventory
    assert inventory.problems == []
    assert {each.code for each in inventory.diagnostics} <= {'source/withheld'}
    (found,) = inventory.assets
    asset = found.body.get('definition', found.body)
    wanted = effective(body, form)
    if form in forms.PROVIDER and not body['options'].get('require_full_window', True):
        wanted['options']['require_full_window'] = False
    assert effective(asset, form) == wanted
    assert found.document.manager == forms.FORMS[form][1]


@pytest.mark.parametrize('form', forms.FORMS)
def test_positions_refer_to_the_file(form, tmp_path):
    path = written(tmp_path, form, {**BODY, 'options': {'thresholds': {'critical': 9, 'warning': 7}}})
    (found,) = read(path).assets
    place = ('definition',) if 'definition' in found.body else ()
    lines = path.read_text().split('\n')
    offset = BODY['query'].index('by {host}')
    position = found.document.position((*place, 'query'), offset)
    assert lines[position.line - 1][position.column - 1 :].startswith('by {host}')
    position = found.document.position((*place, 'options', 'thresholds', 'warning'))
    assert '7' in lines[position.line - 1][position.column - 1 :][:3]
    # What is missing is at its parent.
    assert found.document.position((*place, 'options', 'timeout_h')).line <= len(lines)


# The rows of the provider's builder, by hand: attribute, place, sent, default.
PROVIDER_TABLE = """
id                       id                                 nonzero -
name                     name                               nonzero -
type                     type                               nonzero -
query                    query                              nonzero -
message                  message                            always  ''
priority                 priority                           nonzero -
tags                     tags                               always  []
restricted_roles         restricted_roles                   nonzero -
draft_status             draft_status                       nonzero 'published'
include_tags             options.include_tags               always  True
notify_no_data           options.notify_no_data             always  False
require_full_window      options.require_full_window        always  True
no_data_timeframe        options.no_data_timeframe          nonzero 10
on_missing_data          options.on_missing_data            nonzero -
new_host_delay           options.new_host_delay             always  300
new_group_delay          options.new_group_delay            nonzero -
evaluation_delay         options.evaluation_delay           nonzero -
renotify_interval        options.renotify_interval          nonzero -
renotify_occurrences     options.renotify_occurrences       nonzero -
renotify_statuses        options.renotify_statuses          nonzero -
escalation_message       options.escalation_message         nonzero -
notify_audit             options.notify_audit               nonzero -
timeout_h                options.timeout_h                  nonzero -
notify_by                options.notify_by                  nonzero -
notification_preset_name options.notification_preset_name   nonzero -
group_retention_duration options.group_retention_duration   nonzero -
locked                   options.locked                     nonzero -
enable_logs_sample       options.enable_logs_sample         always  False
groupby_simple_monitor   options.groupby_simple_monitor     nonzero -
enable_samples           options.enable_samples             always  False
"""


def test_the_table_of_the_provider():
    rows = [
        f'{each.name} {".".join(each.place)} {each.sent} {"-" if each.default is None else repr(each.default)}'
        for each in ATTRIBUTES
    ]
    assert [' '.join(row.split()) for row in PROVIDER_TABLE.strip().split('\n')] == rows


def test_the_names_of_the_operator():
    names = {**OPTIONS, **THRESHOLDS, **WINDOWS, **EVALUATION_WINDOW}
    assert {name: forms.camel(option) for name, option in names.items()} == {name: name for name in names}
    known = {each.name for each in ATTRIBUTES}
    assert set(OPTIONS.values()) <= known
    # The resource lacks these, so they never reach the account.
    options = {each.name for each in ATTRIBUTES if each.place[0] == 'options'}
    assert options - set(OPTIONS.values()) == {'new_host_delay', 'enable_samples'}


def values_of(**values):
    base = {'name': 'Lag', 'type': 'query alert', 'query': BODY['query'], 'message': 'x @ops@example.com'}
    return {**base, 'monitor_thresholds': [{'critical': '9'}], **values}


def read_plan(folder, values, sensitive=None, unknown=None, expressions=None, **more):
    it = forms.resource(BODY, values=values, sensitive_values=sensitive or {})
    data = {
        'format_version': '1.2',
        'planned_values': {'root_module': {'resources': [it]}},
        'resource_changes': [{'address': it['address'], 'change': {'after_unknown': unknown or {}}}],
        **more,
    }
    if expressions is not None:
        written = {'type': 'datadog_monitor', 'name': 'it', 'mode': 'managed', 'expressions': expressions}
        data['configuration'] = {'root_module': {'resources': [written]}}
    path = folder / 'plan.json'
    path.write_text(json.dumps(data))
    return read(path)


@pytest.mark.parametrize(
    ('values', 'wanted'),
    [
        pytest.param({'renotify_occurrences': 0, 'timeout_h': 0, 'new_group_delay': 0}, {}, id='zero-is-unset'),
        pytest.param({'renotify_interval': None, 'notify_by': None, 'notify_audit': None}, {}, id='null-is-unset'),
        pytest.param({'new_host_delay': 0}, {'new_host_delay': 0}, id='host-delay-zero-is-sent'),
        pytest.param(
            {'on_missing_data': 'show_and_notify_no_data', 'notify_no_data': False, 'no_data_timeframe': 10},
            {'on_missing_data': 'show_and_notify_no_data', 'no_data_timeframe': None},
            id='timeframe-beside-on-missing-data',
        ),
        pytest.param(
            {
                'notify_no_data': True,
                'no_data_timeframe': 10,
                'require_full_window': True,
                'scheduling_options': [
                    {
                        'custom_schedule': [
                            {'recurrence': [{'rrule': 'FREQ=DAILY', 'start': '', 'timezone': 'UTC'}, {'rrule': 'X'}]}
                        ],
                        'evaluation_window': [],
                    }
                ],
            },
            {
                'notify_no_data': None,
                'no_data_timeframe': None,
                'require_full_window': False,
                'scheduling_options': {
                    'custom_schedule': {'recurrences': [{'rrule': 'FREQ=DAILY', 'timezone': 'UTC'}]}
                },
            },
            id='custom-schedule',
        ),
        pytest.param(
            {'scheduling_options': [{'evaluation_window': [{'day_starts': '04:00', 'hour_starts': 0}]}]},
            {'scheduling_options': {'evaluation_window': {'day_starts': '04:00'}}},
            id='hour-beside-day',
        ),
        pytest.param(
            {'monitor_thresholds': [{'critical': '9', 'ok': '', 'warning': '0', 'warning_recovery': None}]},
            {'thresholds': {'critical': 9, 'warning': 0}},
            id='threshold-zero-and-empty',
        ),
        pytest.param({'monitor_thresholds': []}, {'thresholds': {}}, id='no-thresholds'),
        pytest.param(
            {'monitor_threshold_windows': [{'trigger_window': ''}]}, {'threshold_windows': None}, id='windows'
        ),
        pytest.param(
            {'thresholds': {'critical': '9'}, 'monitor_thresholds': None}, {'thresholds': {'critical': 9}}, id='old'
        ),
        pytest.param(
            {'effective_tags': ['a:b'], 'renotify_occurrences': 0, 'no_data_timeframe': None},
            {'renotify_occurrences': 0, 'no_data_timeframe': None},
            id='framework-provider-sends-zero',
        ),
    ],
)
def test_what_the_provider_sends(values, wanted, tmp_path):
    (found,) = read_plan(tmp_path, values_of(**values)).assets
    for key, value in wanted.items():
        assert found.body['options'].get(key) == value, key
    if not wanted:
        sent = {'thresholds', 'include_tags', 'notify_no_data', 'require_full_window', 'no_data_timeframe'}
        assert set(found.body['options']) == sent | {'new_host_delay'}


def test_the_framework_provider_has_fewer_defaults(tmp_path):
    (found,) = read_plan(tmp_path, values_of(effective_tags=['team:b', 'env:a'], tags=['team:b'])).assets
    assert found.body['tags'] == ['env:a', 'team:b']
    assert not found.body['options'].keys() & {'require_full_window', 'no_data_timeframe'}


def test_unset_draft_status_is_published(tmp_path):
    (found,) = read_plan(tmp_path, values_of(draft_status=None)).assets
    assert found.body['draft_status'] == 'published'


def test_texts_are_trimmed_and_still_found(tmp_path):
    (found,) = read_plan(
        tmp_path, values_of(message='\n  Lag. @ops\n', query=f' {BODY["query"]}\n', name=' Lag ')
    ).assets
    assert (found.body['message'], found.body['query'], found.body['name']) == ('Lag. @ops', BODY['query'], ' Lag ')
    text = (tmp_path / 'plan.json').read_text()
    position = found.document.position(('query',), 0)
    assert text[position.column - 1 :].startswith('avg(')


def test_an_unknown_value_is_reported_with_its_reference(tmp_path):
    values = values_of(type='composite')
    del values['query']
    references = ['datadog_monitor.a.id', 'datadog_monitor.a', 'datadog_monitor.b["eu"].id', 'datadog_monitor.b["eu"]']
    references += ['datadog_monitor.b']
    inventory = read_plan(
        tmp_path,
        values,
        unknown={'query': True, 'id': True, 'tags': True, 'monitor_thresholds': [{}], 'evaluation_delay': True},
        expressions={'query': {'references': references}},
    )
    (found,) = inventory.assets
    assert 'query' not in found.body and found.body['tags'] == []
    assert dict(found.document.withheld) == {
        ('query',): 'known after apply (datadog_monitor.a.id, datadog_monitor.b["eu"].id)'
    }
    assert found.document.is_withheld(('query',)) and not found.document.is_withheld(('message',))
    messages = [each.message for each in inventory.diagnostics]
    assert any('datadog_monitor.b["eu"].id' in message for message in messages)
    assert any(message.startswith('evaluation_delay, tags: not set and known only after apply') for message in messages)


def test_written_tags_that_are_unknown_are_withheld(tmp_path):
    unknown = {'tags': True, 'evaluation_delay': True}
    inventory = read_plan(tmp_path, values_of(), unknown=unknown, expressions={'tags': {'references': ['var.x']}})
    assert ('tags',) in inventory.assets[0].document.withheld


RECURRENCE = {'rrule': 'FREQ=DAILY', 'timezone': 'UTC'}


@pytest.mark.parametrize(
    ('values', 'unknown', 'place'),
    [
        pytest.param({}, {'monitor_thresholds': True}, ('options', 'thresholds'), id='thresholds'),
        pytest.param(
            {'monitor_thresholds': None}, {'thresholds': True}, ('options', 'thresholds'), id='old-thresholds'
        ),
        pytest.param({}, {'monitor_threshold_windows': True}, ('options', 'threshold_windows'), id='windows'),
        pytest.param({}, {'threshold_windows': True}, ('options', 'threshold_windows'), id='old-windows'),
        pytest.param({}, {'scheduling_options': True}, ('options', 'scheduling_options'), id='scheduling'),
        pytest.param(
            {'scheduling_options': [{}]},
            {'scheduling_options': [{'evaluation_window': True}]},
            ('options', 'scheduling_options', 'evaluation_window'),
            id='evaluation-window',
        ),
        pytest.param(
            {'scheduling_options': [{'custom_schedule': [{'recurrence': [RECURRENCE]}]}]},
            {'scheduling_options': [{'custom_schedule': [{'recurrence': True}]}]},
            ('options', 'scheduling_options', 'custom_schedule', 'recurrences'),
            id='recurrence',
        ),
        pytest.param({}, {'variables': True}, ('options', 'variables'), id='variables'),
        pytest.param(
            {'variables': [{'event_query': []}]},
            {'variables': [{'event_query': True}]},
            ('options', 'variables'),
            id='queries-of-variables',
        ),
        pytest.param({}, {'assets': True}, ('assets',), id='assets'),
    ],
)
def test_a_wholly_unknown_block_is_withheld(values, unknown, place, tmp_path):
    inventory = read_plan(tmp_path, values_of(**values), unknown=unknown)
    assert [*inventory.assets[0].document.withheld] == [place]
    assert any('is not known here and not checked' in each.message for each in inventory.diagnostics)


SECRET = 'hunter2-@webhook-private'


@pytest.mark.parametrize(
    'marks',
    [
        pytest.param({'message': True, 'monitor_thresholds': [{'critical': True}]}, id='values'),
        pytest.param(True, id='whole'),
    ],
)
def test_sensitive_values_are_never_kept(marks, tmp_path):
    inventory = read_plan(tmp_path, values_of(message=SECRET), sensitive=marks)
    assert SECRET not in repr(inventory.diagnostics)
    for asset in inventory.assets:
        assert SECRET not in repr(asset.body)
        assert {('message',), ('options', 'thresholds', 'critical')} <= asset.document.withheld.keys()
    assert any('sensitive' in each.message for each in inventory.diagnostics)


def test_sensitive_attributes_of_a_raw_state(tmp_path):
    name, text = forms.raw_state({**BODY, 'message': SECRET})
    data = json.loads(text)
    path = [{'type': 'get_attr', 'value': 'message'}]
    data['resources'][0]['instances'][0]['sensitive_attributes'] = [path]
    (tmp_path / name).write_text(json.dumps(data))
    (found,) = read(tmp_path / name).assets
    assert SECRET not in repr(found.body) and ('message',) in found.document.withheld


def test_secrets_of_a_pulumi_stack(tmp_path):
    name, text = forms.pulumi(BODY)
    data = json.loads(text)
    secret = {'4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', 'plaintext': SECRET}
    data['deployment']['resources'][0]['inputs']['message'] = secret
    (tmp_path / name).write_text(json.dumps(data))
    (found,) = read(tmp_path / name).assets
    assert SECRET not in repr(found.body) and ('message',) in found.document.withheld


def test_default_tags_that_replace_a_tag(tmp_path):
    expressions = {'tags': {'constant_value': ['team:harbor', 'team:shore', 'x']}}
    inventory = read_plan(tmp_path, values_of(tags=['team:shore', 'x']), expressions=expressions)
    assert inventory.assets[0].body['tags'] == ['team:shore', 'x']
    (found,) = [each for each in inventory.diagnostics if each.code == 'source/tags-differ']
    assert 'team:harbor' in found.message and 'default_tags' in found.hint
    # More tags than the author wrote are what default_tags are for.
    more = read_plan(tmp_path, values_of(tags=['team:shore', 'x', 'team:harbor', 'y']), expressions=expressions)
    assert not [each for each in more.diagnostics if each.code == 'source/tags-differ']


def test_a_partial_plan_says_so(tmp_path):
    assert not [each for each in read_plan(tmp_path, values_of(), complete=True).diagnostics if 'partial' in each.code]
    for more in ({'errored': True}, {'complete': False}):
        codes = [each.code for each in read_plan(tmp_path, values_of(), **more).diagnostics]
        assert codes == ['source/partial']


def test_modules_counts_and_keys(tmp_path):
    deep = {
        'address': 'module.m["eu.west"].module.deep',
        'resources': [forms.resource(BODY, address='module.m["eu.west"].module.deep.datadog_monitor.it[0]', index=0)],
    }
    child = {'address': 'module.m["eu.west"]', 'resources': [], 'child_modules': [deep]}
    data_source = forms.resource(BODY, mode='data', address='data.datadog_monitor.it')
    other = forms.resource(BODY, type='datadog_user', address='datadog_user.it')
    root = {'resources': [data_source, other], 'child_modules': [child]}
    called = {
        'mode': 'managed',
        'type': 'datadog_monitor',
        'name': 'it',
        'expressions': {'query': {'references': ['var.q']}},
    }
    inner = {'module_calls': {'deep': {'module': {'resources': [called]}}}}
    address = deep['resources'][0]['address']
    data = {
        'planned_values': {'root_module': root},
        'configuration': {'root_module': {'module_calls': {'m': {'module': inner}}}},
        'resource_changes': [{'address': address, 'change': {'after_unknown': {'query': True}}}],
    }
    path = tmp_path / 'plan.json'
    path.write_text(json.dumps(data))
    (found,) = read(path).assets
    assert found.key == address
    assert found.document.withheld == {('query',): 'known after apply (var.q)'}


OPERATOR = {'apiVersion': 'datadoghq.com/v1alpha1', 'kind': 'DatadogMonitor', 'metadata': {'name': 'lag'}}


def read_resource(folder, spec, **more):
    path = folder / 'monitor.yaml'
    path.write_text(yaml.safe_dump({**OPERATOR, 'spec': spec, **more}, sort_keys=False))
    return read(path)


def test_a_field_that_the_resource_lacks(tmp_path):
    spec = {key: BODY[key] for key in ('name', 'type', 'query', 'message')}
    inventory = read_resource(tmp_path, {**spec, 'options': {'newHostDelay': 0, 'timeoutH': 0}})
    assert inventory.assets[0].body['options'] == {'timeout_h': 0}
    (found,) = inventory.diagnostics
    assert found.code == 'source/ignored-field' and found.object == 'DatadogMonitor/lag'
    assert 'spec.options.newHostDelay is not a field' in found.message
    assert found.position.line == (tmp_path / 'monitor.yaml').read_text().split('\n').index('    newHostDelay: 0') + 1


def test_the_tag_that_the_operator_adds(tmp_path):
    spec = {key: BODY[key] for key in ('name', 'type', 'query', 'message', 'tags')}
    tags = read_resource(tmp_path, spec).assets[0].body['tags']
    assert tags == ['env:prod', 'generated:kubernetes', 'team:harbor']
    spec['controllerOptions'] = {'disableRequiredTags': True}
    assert read_resource(tmp_path, spec).assets[0].body['tags'] == ['env:prod', 'team:harbor']


def test_a_threshold_that_the_operator_drops(tmp_path):
    spec = {'name': 'Lag', 'type': 'metric alert', 'query': BODY['query'], 'message': ''}
    inventory = read_resource(tmp_path, {**spec, 'options': {'thresholds': {'critical': '9', 'warning': 'seven'}}})
    assert inventory.assets[0].body['options']['thresholds'] == {'critical': 9}
    assert ['seven' in each.message for each in inventory.diagnostics] == [True]


SLO = {
    'name': 'Quick',
    'type': 'metric',
    'query': {'numerator': 'sum:acme.ok{*}.as_count()', 'denominator': 'sum:acme.all{*}.as_count()'},
    'thresholds': [{'timeframe': '7d', 'target': 99.5, 'warning': 99.9}],
}
OBJECTS = {
    'slo-of-the-operator': (
        {
            **OPERATOR,
            'kind': 'DatadogSLO',
            'spec': {
                **{key: SLO[key] for key in ('name', 'type', 'query')},
                'timeframe': '7d',
                'targetThreshold': '99.5',
                'warningThreshold': '99.9',
            },
        },
        'slo',
        SLO,
    ),
    'slo-of-terraform': (
        {
            'planned_values': {
                'root_module': {
                    'resources': [
                        {
                            'address': 'datadog_service_level_objective.q',
                            'mode': 'managed',
                            'type': 'datadog_service_level_objective',
                            'values': {**SLO, 'query': [SLO['query']], 'monitor_ids': None, 'tags': []},
                        }
                    ]
                }
            }
        },
        'slo',
        SLO,
    ),
    'slo-of-the-api': ({'data': [SLO]}, 'slo', SLO),
    'dashboard-of-the-operator': (
        {
            **OPERATOR,
            'kind': 'DatadogDashboard',
            'spec': {
                'title': 'Acme',
                'layoutType': 'ordered',
                'notifyList': ['a@example.com'],
                'templateVariables': [{'name': 'env', 'prefix': 'env', 'availableValues': ['prod'], 'defaults': ['*']}],
                'widgets': '[{"definition": {"type": "note", "content": "x"}}]',
            },
        },
        'dashboard',
        {
            'title': 'Acme',
            'layout_type': 'ordered',
            'notify_list': ['a@example.com'],
            'template_variables': [{'name': 'env', 'prefix': 'env', 'available_values': ['prod'], 'defaults': ['*']}],
            'widgets': [{'definition': {'type': 'note', 'content': 'x'}}],
        },
    ),
    'downtime-of-terraform': (
        {
            'format_version': '1.0',
            'values': {
                'root_module': {
                    'resources': [
                        {
                            'address': 'datadog_downtime_schedule.d',
                            'mode': 'managed',
                            'type': 'datadog_downtime_schedule',
                            'values': {
                                'scope': 'env:prod',
                                'message': None,
                                'display_timezone': 'Europe/Berlin',
                                'monitor_identifier': {'monitor_id': None, 'monitor_tags': ['team:harbor']},
                                'one_time_schedule': None,
                                'recurring_schedule': {
                                    'timezone': 'Europe/Berlin',
                                    'recurrence': [{'start': None, 'duration': '2h', 'rrule': 'FREQ=DAILY;INTERVAL=1'}],
                                },
                            },
                        }
                    ]
                }
            },
        },
        'downtime',
        {
            'data': {
                'type': 'downtime',
                'attributes': {
                    'scope': 'env:prod',
                    'display_timezone': 'Europe/Berlin',
                    'monitor_identifier': {'monitor_tags': ['team:harbor']},
                    'schedule': {
                        'timezone': 'Europe/Berlin',
                        'recurrences': [{'duration': '2h', 'rrule': 'FREQ=DAILY;INTERVAL=1'}],
                    },
                },
            }
        },
    ),
    'old-downtime-of-terraform': (
        {
            'format_version': '1.0',
            'values': {
                'root_module': {
                    'resources': [
                        {
                            'address': 'datadog_downtime.d',
                            'mode': 'managed',
                            'type': 'datadog_downtime',
                            'values': {
                                'scope': ['env:prod', 'team:harbor'],
                                'monitor_tags': ['*'],
                                'monitor_id': None,
                                'start': 1798761600,
                                'end': 1798768800,
                                'timezone': 'UTC',
                                'recurrence': [
                                    {
                                        'type': 'weeks',
                                        'period': 1,
                                        'week_days': ['Fri'],
                                        'until_date': None,
                                        'rrule': '',
                                    }
                                ],
                            },
                        }
                    ]
                }
            },
        },
        'downtime',
        {
            'data': {
                'type': 'downtime',
                'attributes': {
                    'scope': 'env:prod AND team:harbor',
                    'monitor_identifier': {'monitor_tags': ['*']},
                    'schedule': {
                        'timezone': 'UTC',
                        'recurrences': [
                            {
                                'rrule': 'FREQ=WEEKLY;INTERVAL=1;BYDAY=FR',
                                'start': '2027-01-01T00:00:00',
                                'duration': '120m',
                            }
                        ],
                    },
                },
            }
        },
    ),
    'rule-of-terraform': (
        {
            'planned_values': {
                'root_module': {
                    'resources': [
                        {
                            'address': 'datadog_monitor_notification_rule.r',
                            'mode': 'managed',
                            'type': 'datadog_monitor_notification_rule',
                            'values': {
                                'name': 'harbor',
                                'recipients': None,
                                'filter': {'tags': None, 'scope': 'team:harbor'},
                                'conditional_recipients': {
                                    'conditions': [{'scope': 'transition_type:is_alert', 'recipients': ['oncall-a']}],
                                    'fallback_recipients': ['slack-a'],
                                },
                            },
                        }
                    ]
                }
            }
        },
        'notification_rule',
        {
            'data': {
                'type': 'monitor-notification-rule',
                'attributes': {
                    'name': 'harbor',
                    'filter': {'scope': 'team:harbor'},
                    'conditional_recipients': {
                        'conditions': [{'scope': 'transition_type:is_alert', 'recipients': ['oncall-a']}],
                        'fallback_recipients': ['slack-a'],
                    },
                },
            }
        },
    ),
    'rule-of-the-api': (
        {'data': [{'id': 'x', 'type': 'monitor-notification-rule', 'attributes': {'name': 'harbor'}}]},
        'notification_rule',
        {'data': {'id': 'x', 'type': 'monitor-notification-rule', 'attributes': {'name': 'harbor'}}},
    ),
}


@pytest.mark.parametrize(('data', 'kind', 'body'), [pytest.param(*OBJECTS[name], id=name) for name in OBJECTS])
def test_other_assets(data, kind, body, tmp_path):
    path = tmp_path / 'data.json'
    path.write_text(json.dumps(data))
    inventory = read(path)
    assert [(asset.kind, asset.body) for asset in inventory.assets] == [(kind, body)]
    assert inventory.diagnostics == [] and inventory.problems == []


HELM = """\
apiVersion: datadoghq.com/v1alpha1
kind: DatadogMonitor
metadata:
  name: {{ .Release.Name }}-lag
spec:
  message: |
    {{ "{{#is_alert}}" }}Lag is high.{{ "{{/is_alert}}" }}
"""
RENDERED = """\
apiVersion: datadoghq.com/v1alpha1
kind: DatadogMonitor
metadata: {name: lag}
spec:
  name: lag
  type: metric alert
  query: avg(last_5m):avg:acme.lag{*} by {host} > 9
  message: |
    {{#is_alert}}Lag on {{host.name}} is {{value}}: {{eval "value*100"}}{{/is_alert}}
    {{#is_match "host.name" "web"}}web{{/is_match}} {{^is_recovery}}x{{/is_recovery}} @ops@example.com
"""
REFUSED = {
    'log-of-a-plan': ('out.json', '{"@level":"info","type":"version"}\n{"@level":"info"}\n', 'terraform show -json'),
    'old-state': ('terraform.tfstate', '{"version": 3, "modules": [{"resources": {}}]}', 'terraform show -json'),
    'encrypted': ('terraform.tfstate', '{"meta": {}, "encrypted_data": "x", "serial": 1}', 'tofu show -json'),
    'binary-plan': ('p.bin', b'PK\x03\x04rest', 'terraform show -json p.bin'),
    'gzip': ('plan.json.gz', b'\x1f\x8b\x08rest', 'decompress'),
    'text-of-show': ('plan.txt', '# datadog_monitor.lag:\nresource "datadog_monitor" "lag" {', 'terraform show -json'),
    'search': (
        's.json',
        '{"monitors": [{"id": 1, "name": "a"}], "metadata": {"total_count": 1}}',
        'GET /api/v1/monitor',
    ),
    'group-search': ('s.json', '{"groups": [], "metadata": {"total_count": 0}}', 'GET /api/v1/monitor'),
    'dashboard-list': ('d.json', '{"dashboards": [{"id": "abc-def-ghi", "title": "x"}]}', 'GET /api/v1/dashboard'),
    'old-downtime': ('d.json', '[{"id": 1, "scope": ["*"], "start": 1, "monitor_id": null}]', '/api/v2/downtime'),
    'helm': ('lag.yaml', HELM, 'helm template'),
    'helm-in-quotes': ('lag.yaml', RENDERED.replace('name: lag', 'name: "{{ .Values.name }}"', 1), 'helm template'),
    'helm-condition': ('lag.yaml', '{{- if .Values.on }}\n' + RENDERED + '{{- end }}\n', 'helm template'),
}


@pytest.mark.parametrize(('name', 'text', 'hint'), [pytest.param(*REFUSED[case], id=case) for case in REFUSED])
def test_what_is_refused_by_name(name, text, hint, tmp_path):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    inventory = read(path)
    (found,) = inventory.diagnostics
    assert found.code == 'source/refused' and found.path == path
    assert hint in found.hint
    assert inventory.assets == [] and inventory.problems == []


def test_a_rendered_chart_is_read(tmp_path):
    path = tmp_path / 'lag.yaml'
    path.write_text(RENDERED + '---\n# only a comment\n---\n' + RENDERED.replace('lag', 'lag2'))
    inventory = read(path)
    assert [asset.key for asset in inventory.assets] == ['DatadogMonitor/lag', 'DatadogMonitor/lag2']
    assert '{{eval "value*100"}}' in inventory.assets[0].body['message']
    offset = inventory.assets[0].body['message'].index('@ops')
    position = inventory.assets[0].document.position(('message',), offset)
    assert path.read_text().split('\n')[position.line - 1][position.column - 1 :] == '@ops@example.com'


UNREAD = {
    'typed-dashboard': ({'type': 'datadog_dashboard', 'address': 'datadog_dashboard.d'}, 'datadog_dashboard_json'),
    'newer-dashboard': (
        {'type': 'datadog_dashboard_v2', 'address': 'datadog_dashboard_v2.d'},
        'datadog_dashboard_json',
    ),
}


@pytest.mark.parametrize(('more', 'hint'), [pytest.param(*UNREAD[name], id=name) for name in UNREAD])
def test_recognised_forms_that_are_not_read(more, hint, tmp_path):
    resources = [forms.resource(BODY, **more), forms.resource(BODY)]
    path = tmp_path / 'plan.json'
    path.write_text(json.dumps({'planned_values': {'root_module': {'resources': resources}}}))
    inventory = read(path)
    assert [asset.key for asset in inventory.assets] == ['datadog_monitor.it']
    assert [(each.code, each.object, hint in each.hint) for each in inventory.diagnostics] == [
        ('source/unread', more['address'], True)
    ]


def test_an_export_with_leftovers_of_the_editor(tmp_path):
    options = {
        'thresholds': {'critical': 9, 'comparison': '>=', 'timeAggregator': 'avg', 'period': {'seconds': 300}},
        'queryConfig': {'queryString': 'status:error'},
        'aggregation': {'metric': 'count', 'type': 'count'},
        'restriction_query': None,
        'silenced': {},
    }
    path = tmp_path / 'exported.json'
    path.write_text(json.dumps({**BODY, **LOGS, 'id': 4711, 'overall_state': 'OK', 'options': options}))
    found = [(each.code, str(each.severity), each.message) for each in lint(read_bundle(path))]
    # Once for each object, not one by one as faults.
    assert found == [
        ('file/server-key', 'note', 'options.thresholds: the API ignores comparison, timeAggregator and period'),
        ('file/server-key', 'note', 'options: the API ignores queryConfig and restriction_query'),
    ]


def test_a_list_with_a_type_that_is_not_known(tmp_path):
    odd = {'id': 2, 'name': 'b', 'type': 'deployments alert', 'query': 'deployments("x") > 0', 'message': ''}
    path = tmp_path / 'monitors.json'
    path.write_text(json.dumps([{**BODY, 'id': 1}, odd]))
    assert [asset.body['id'] for asset in read(path).assets] == [1, 2]


def test_references_of_kennel_are_withheld(tmp_path):
    (tmp_path / 'shop').mkdir()
    path = tmp_path / 'shop' / 'both.json'
    body = {**BODY, 'type': 'composite', 'query': '%{shop:a} && %{shop:b}', 'api_resource': 'monitor'}
    path.write_text(json.dumps(body))
    (found,) = read(path).assets
    assert found.key == 'shop:both'
    assert found.document.withheld == {('query',): 'kennel resolves %{shop:a}, %{shop:b}'}


def test_a_catalog_leaves_out_what_is_disabled(tmp_path):
    path = tmp_path / 'catalog.yaml'
    entries = {
        'a': {**BODY, 'enabled': False},
        'b': {**BODY, 'tags': {'team': 'harbor', 'bare': None}, 'threshold_windows': {}, 'renotify_occurrences': 0},
    }
    path.write_text(yaml.safe_dump(entries))
    (found,) = read(path).assets
    assert (found.key, found.body['tags']) == ('b', ['bare', 'team:harbor'])
    assert 'threshold_windows' not in found.body['options'] and 'renotify_occurrences' not in found.body['options']


def test_a_catalog_precedes_terraform_configuration(tmp_path):
    """A monitor of a catalog may be named `resource`, as the blocks of a `.tf.json` file are."""
    path = tmp_path / 'catalog.yaml'
    path.write_text(yaml.safe_dump({'resource': BODY}))
    inventory = read(path)
    assert (inventory.form, [asset.key for asset in inventory.assets]) == ('catalog of monitors', ['resource'])


TF = """\
locals { env = "prod" }
resource "datadog_monitor" "literal" {
  name    = "Lag"
  type    = "query alert"
  query   = "avg(last_5m):avg:acme.lag{*} > 9"
  message = <<-EOT
    It costs $${x}.
      @ops@example.com
  EOT
  monitor_thresholds {
    critical = 9
  }
}
resource "datadog_monitor" "referring" {
  name    = "Lag of ${local.env}"
  type    = "query alert"
  query   = "avg(last_5m):avg:acme.lag{env:${var.env}} > ${var.limit}"
  message = "x"
}
resource "datadog_monitor" "counted" {
  count = 2
  name  = "x"
}
resource "datadog_monitor_json" "encoded" {
  monitor = jsonencode({ name = "j", type = "query alert", query = "avg(last_5m):avg:acme.lag{*} > 9", message = "" })
}
resource "datadog_monitor_json" "encoded_expression" {
  monitor = jsonencode({ name = var.name })
}
"""


def test_plain_configuration(tmp_path):
    path = tmp_path / 'main.tf'
    path.write_text(TF)
    inventory = read(path)
    found = {asset.key: asset for asset in inventory.assets}
    assert list(found) == ['datadog_monitor.literal', 'datadog_monitor.referring', 'datadog_monitor_json.encoded']
    literal, referring = found['datadog_monitor.literal'], found['datadog_monitor.referring']
    assert literal.body['message'] == 'It costs ${x}.\n  @ops@example.com'
    assert literal.document.withheld == {}
    position = literal.document.position(('message',), literal.body['message'].index('@ops'))
    assert TF.split('\n')[position.line - 1][position.column - 1 :] == '@ops@example.com'
    assert referring.document.withheld.keys() == {('name',), ('query',)}
    assert referring.body['name'] == 'datadog_monitor.referring'
    assert 'var.env, var.limit' in referring.document.withheld[('query',)]
    notes = {each.object: each for each in inventory.diagnostics}
    assert 'count' in notes['datadog_monitor.counted'].message
    assert 'terraform show -json' in notes['datadog_monitor.counted'].hint
    assert notes['datadog_monitor.counted'].position.line == TF.split('\n').index('  count = 2') + 1
    assert 'datadog_monitor_json.encoded_expression' in notes


BROKEN = {
    'json': ('a.json', '{"name": "x",}', 'syntax'),
    'yaml': ('a.yaml', 'a: [1', 'syntax'),
    'hcl': ('main.tf', 'resource "a" {', 'syntax'),
    'empty': ('a.json', '', 'syntax'),
    'deep': ('a.json', '[' * 100_000, 'syntax'),
    'deep-yaml': ('a.yaml', '[' * 1000, 'syntax'),
    'duplicate-json': ('a.json', json.dumps(BODY)[:-1] + ', "name": "x"}', 'duplicate-key'),
    'duplicate-yaml': ('a.yaml', yaml.safe_dump(BODY) + 'name: x\n', 'duplicate-key'),
    'byte-order-mark': ('a.json', '\ufeff' + json.dumps(BODY), 'byte-order-mark'),
    'byte-order-mark-yaml': ('a.yaml', '\ufeff' + yaml.safe_dump(BODY), 'byte-order-mark'),
    'utf-16': ('a.json', json.dumps(BODY).encode('utf-16'), 'encoding'),
}


@pytest.mark.parametrize(('name', 'text', 'kind'), [pytest.param(*BROKEN[case], id=case) for case in BROKEN])
def test_broken_files_are_problems(name, text, kind, tmp_path):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    inventory = read(path)
    assert [each.code.partition('/')[2] for each in inventory.problems] == [kind]
    assert inventory.problems[0].path == path
    readable = kind in ('duplicate-key', 'byte-order-mark', 'encoding')
    assert len(inventory.assets) == readable


def test_aliases_that_grow_are_refused(tmp_path):
    lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    lines += [f'a{n}: &a{n} [{", ".join([f"*a{n - 1}"] * 10)}]' for n in range(1, 9)]
    path = tmp_path / 'a.yaml'
    path.write_text('\n'.join(lines))
    assert 'more than' in read(path).problems[0].message


def test_a_folder_of_many_files(tmp_path):
    for number, form in enumerate(('export', 'kubernetes', 'tf')):
        folder = tmp_path / str(number)
        folder.mkdir()
        written(folder, form, BODY)
    (tmp_path / 'package.json').write_text('{"name": "x", "version": "1.0.0"}')
    (tmp_path / '.git').mkdir()
    written(tmp_path / '.git', 'export', BODY)
    inventory = read(tmp_path)
    assert [asset.document.path.name for asset in inventory.assets] == ['exported.json', 'monitor.yaml', 'main.tf']
    assert managers_of(as_bundle(inventory)) == ['Kubernetes', 'Terraform']


def test_a_missing_path(tmp_path):
    with pytest.raises(UnusableInputError, match='No such file'):
        read(tmp_path / 'missing.json')


def test_standard_input(monkeypatch, tmp_path, capsys):
    """With the configuration of the current folder."""
    monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(RENDERED.encode())))
    assert [asset.key for asset in read(Path('-')).assets] == ['DatadogMonitor/lag']
    monkeypatch.chdir(tmp_path)
    wrong = RENDERED.replace('{{value}}', '{{valeu}}')
    for ignored in (False, True):
        if ignored:
            (tmp_path / '.ddassets.yaml').write_text('ignore: [{rule: message/*, reason: known}]')
        monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(wrong.encode())))
        main(['lint', '-'])
        assert ('message/unknown-variable' in capsys.readouterr().out) != ignored


def lint_codes(path):
    return sorted({each.code for each in lint(read_bundle(path)) if not each.code.startswith('source/')})


FAULTS = {
    'warning-on-the-wrong-side': {'thresholds': {'critical': 9, 'warning': 12}},
    'recovery-on-the-wrong-side': {'thresholds': {'critical': 9, 'critical_recovery': 12}},
    'renotify-without-interval': {'renotify_occurrences': 2},
    'notify-by-another-key': {'notify_by': ['site']},
}


@pytest.mark.parametrize('fault', FAULTS)
def test_the_same_findings_in_every_form(fault, tmp_path):
    body = {**BODY, 'options': {**BODY['options'], 'notify_no_data': True, 'no_data_timeframe': 20, **FAULTS[fault]}}
    found = {}
    for form in forms.FORMS:
        folder = tmp_path / form
        folder.mkdir()
        found[form] = lint_codes(written(folder, form, body))
    clean = written(tmp_path, 'export', {**body, 'options': {**body['options'], **dict.fromkeys(FAULTS[fault])}})
    assert set(map(tuple, found.values())) == {tuple(found['export'])}, found
    assert len(found['export']) > len(lint_codes(clean))


def test_withheld_values_are_not_checked(tmp_path):
    values = {**values_of(message=''), 'notify_no_data': True}
    read_plan(tmp_path, values)
    judged = lint(read_bundle(tmp_path / 'plan.json'))
    read_plan(tmp_path, values, sensitive={'message': True})
    withheld = lint(read_bundle(tmp_path / 'plan.json'))
    assert [each.code for each in withheld if each.code == 'source/withheld'] == ['source/withheld']
    assert {each.code for each in withheld} - {'source/withheld'} <= {each.code for each in judged}


def test_a_finding_names_the_address(tmp_path):
    read_plan(tmp_path, values_of(monitor_thresholds=[{'critical': '9', 'warning': '12'}]))
    found = [each for each in lint(read_bundle(tmp_path / 'plan.json')) if each.code == 'monitor/warning-side']
    assert [(each.object, each.path.name) for each in found] == [('datadog_monitor.it "Lag"', 'plan.json')]


SUBSTITUTES: tuple[object, ...] = (None, '', 'x', 0, -1.5, True, [], {}, [None], [{}], {'x': None}, [[]])


def mutations(value):
    """Yield every value with one of its parts replaced."""
    yield from SUBSTITUTES
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {other: part for other, part in value.items() if other != key}
            for changed in mutations(inner):
                yield {**value, key: changed}
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            for changed in mutations(inner):
                yield [*value[:index], changed, *value[index + 1 :]]


def _file_of(data, body):
    return 'data.json', json.dumps(data)


MUTATED = {
    **{form: forms.FORMS[form][0] for form in forms.FORMS if form not in ('tf', 'export-yaml', 'asset', 'old-catalog')},
    **{name: partial(_file_of, OBJECTS[name][0]) for name in OBJECTS},
}


def whole_plan(body):
    """Return a plan with unknown values, sensitive values and the configuration."""
    it = forms.resource(
        body, address='module.m[0].datadog_monitor.it', sensitive_values={'name': True, 'tags': [False]}
    )
    expressions = {'query': {'references': ['var.q']}, 'tags': {'constant_value': ['a:b']}}
    called = {'mode': 'managed', 'type': 'datadog_monitor', 'name': 'it', 'expressions': expressions}
    unknown = {'query': True, 'monitor_thresholds': [{'critical': True}], 'tags': [False], 'evaluation_delay': True}
    data = {
        'planned_values': {'root_module': {'child_modules': [{'address': 'module.m[0]', 'resources': [it]}]}},
        'configuration': {'root_module': {'module_calls': {'m': {'module': {'resources': [called]}}}}},
        'resource_changes': [{'address': it['address'], 'change': {'after_unknown': unknown}}],
    }
    return 'plan.json', json.dumps(data)


MUTATED['whole-plan'] = whole_plan


@pytest.mark.parametrize('form', MUTATED)
def test_no_value_of_another_type_raises(form):
    """Read, decode and look up every position: faults are problems or diagnostics, never exceptions."""
    name, text = MUTATED[form](body_of('variables') if form != 'kubernetes' else body_of('custom-schedule'))
    data = json.loads(text) if name.endswith(('.json', '.tfstate')) else yaml.safe_load(text)
    for changed in mutations(data):
        bundle = as_bundle(read_text_as(json.dumps(changed), Path(name)))
        for asset in bundle.assets:
            assert all(each.message for each in asset.judged)


MAIN_TF = """\
variable "limit" { default = 9 }

resource "datadog_monitor" "lag" {
  for_each = toset(["eu", "us"])
  name     = "Lag of ${each.key}"
  type     = "query alert"
  query    = "avg(last_5m):avg:acme.lag{site:${each.key}} > ${var.limit}"
  message = <<-EOT
    Lag is high.
    {{valeu}} @ops@example.com
  EOT
  monitor_thresholds {
    critical = var.limit
    warning  = 12
  }
}
"""
MODULE_TF = 'resource "datadog_monitor" "in" {\n  name = "In"\n  query = "avg(last_5m):avg:acme.lag{*} > 9"\n}\n'


def test_findings_of_a_plan_refer_to_its_configuration(tmp_path):
    (tmp_path / 'main.tf').write_text(MAIN_TF)
    (tmp_path / 'mod').mkdir()
    (tmp_path / 'mod' / 'in.tf').write_text(MODULE_TF)
    values = {**values_of(message='Lag is high.\n{{valeu}} @ops@example.com\n'), 'name': 'Lag of eu'}
    values['monitor_thresholds'] = [{'critical': '9', 'warning': '12'}]
    root = forms.resource(BODY, address='datadog_monitor.lag["eu"]', name='lag', values=values)
    inner = forms.resource(BODY, address='module.m.datadog_monitor.in', name='in', values=values_of(name='In'))
    elsewhere = forms.resource(BODY, address='module.far.datadog_monitor.in', name='in', values=values_of(name='Far'))
    modules = [{'address': f'module.{name}', 'resources': [each]} for name, each in (('m', inner), ('far', elsewhere))]
    calls = {'m': {'source': './mod', 'module': {}}, 'far': {'source': 'acme/far/datadog', 'module': {}}}
    data = {
        'planned_values': {'root_module': {'resources': [root], 'child_modules': modules}},
        'configuration': {'root_module': {'module_calls': calls}},
    }
    (tmp_path / 'plan.json').write_text(json.dumps(data))
    assets = {each.key: each.document for each in read(tmp_path / 'plan.json').assets}
    files = {key: str(each.path.relative_to(tmp_path)) for key, each in assets.items()}
    assert files == {
        'datadog_monitor.lag["eu"]': 'main.tf',
        'module.m.datadog_monitor.in': 'mod/in.tf',
        'module.far.datadog_monitor.in': 'plan.json',
    }
    lag, lines = assets['datadog_monitor.lag["eu"]'], MAIN_TF.split('\n')

    def shown(place, column=None):
        position = lag.position(place, column)
        return lines[position.line - 1][position.column - 1 :]

    assert shown(('query',), 20).startswith('"avg(last_5m)')
    assert shown(('options', 'thresholds', 'warning')) == '12'
    assert shown(('message',), lag.data['message'].index('{{valeu}}')) == '{{valeu}} @ops@example.com'
    assert shown(('options', 'timeout_h')) == lines[2]
    found = [each for each in lint(read_bundle(tmp_path / 'plan.json')) if each.code == 'monitor/warning-side']
    assert [(each.path.name, each.position.line, each.object) for each in found] == [
        ('main.tf', lines.index('    warning  = 12') + 1, 'datadog_monitor.lag["eu"] "Lag of eu"')
    ]
    # Of the folder, each resource is read once, as it is planned.
    whole = read(tmp_path)
    assert sorted(each.key for each in whole.assets) == sorted(assets)
    assert whole.diagnostics == []


def test_one_address_in_two_folders_is_two_resources(tmp_path):
    for name in ('dev', 'prod'):
        (tmp_path / name).mkdir()
        for form in ('plan', 'tf'):
            written(tmp_path / name, form, BODY)
    paths = [each.document.path for each in read(tmp_path).assets]
    assert paths == [tmp_path / 'dev' / 'main.tf', tmp_path / 'prod' / 'main.tf']


ONCE: dict[str, Any] = {}
DAILY: dict[str, Any] = {'recurrence': [{'type': 'days', 'period': 1}]}


@pytest.mark.parametrize(
    ('values', 'start'),
    [
        pytest.param({**ONCE, 'start_date': '2027-01-04T10:00:00+09:00'}, '2027-01-04T01:00:00Z', id='an-offset'),
        pytest.param({**ONCE, 'start_date': '2027-01-04T10:00:00'}, '2027-01-04T10:00:00Z', id='no-offset'),
        pytest.param({**DAILY, 'start_date': '2027-01-04T10:00:00Z'}, '2027-01-04T19:00:00', id='in-the-time-zone'),
        pytest.param({**DAILY, 'start_date': '9999-12-31T23:59:59Z'}, '9999-12-31T23:59:59Z', id='after-all-years'),
        pytest.param({**ONCE, 'start_date': '0001-01-01T00:00:00+10:00'}, '0001-01-01T00:00:00+10:00', id='before-all'),
        pytest.param({**ONCE, 'start': 10**18}, str(10**18), id='a-number-that-is-no-instant'),
        pytest.param({**ONCE, 'start_date': 'noon'}, 'noon', id='no-instant'),
    ],
)
def test_the_start_of_an_old_downtime_of_terraform(values, start, tmp_path, monkeypatch):
    monkeypatch.setenv('TZ', 'America/New_York')
    time.tzset()
    body = {'scope': ['env:prod'], 'monitor_tags': ['*'], 'timezone': 'Asia/Tokyo', **values}
    resource = {'address': 'datadog_downtime.d', 'mode': 'managed', 'type': 'datadog_downtime', 'values': body}
    state = {'format_version': '1.0', 'values': {'root_module': {'resources': [resource]}}}
    (tmp_path / 'state.json').write_text(json.dumps(state))
    try:
        bundle = read_bundle(tmp_path / 'state.json')
    finally:
        monkeypatch.undo()
        time.tzset()
    schedule = bundle.downtimes[0].body['schedule']
    assert [one.get('start') for one in schedule.get('recurrences', [schedule])] == [start]
    lint(bundle)  # raises nothing
