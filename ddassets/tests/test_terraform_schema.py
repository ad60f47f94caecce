"""Unknown arguments of Terraform resources."""

import json

import pytest

from ddassets.cli import main
from ddassets.diagnostic import Severity
from ddassets.sources import read_text_as
from ddassets.sources.resource import TYPES
from ddassets.sources.terraform_schema import META, SCHEMAS, misspelt_type

HEAD = '  name = "a"\n  type = "query alert"\n  query = "avg(last_5m):avg:acme.lag{*} > 9"\n  message = "Lag"\n'
# inputs.md, A.2: the arguments of datadog_monitor.
MONITOR = """\
name message query type priority tags ignore_tag_keys force_delete validate restricted_roles draft_status assets
monitor_thresholds monitor_threshold_windows require_full_window include_tags notify_no_data no_data_timeframe
on_missing_data new_host_delay new_group_delay evaluation_delay renotify_interval renotify_occurrences
renotify_statuses escalation_message notify_audit timeout_h notify_by notification_preset_name
group_retention_duration enable_logs_sample groupby_simple_monitor enable_samples scheduling_options variables
effective_tags id locked
""".split()
DOWNTIME = """\
scope message display_timezone mute_first_recovery_notification notify_end_states notify_end_types id
recurring_schedule one_time_schedule monitor_identifier
""".split()


def problems(tmp_path, arguments, type='datadog_monitor', name='main.tf'):
    text = f'resource "{type}" "a" {{\n{HEAD if type == "datadog_monitor" else ""}{arguments}\n}}\n'
    return read_text_as(text, tmp_path / name).problems


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        pytest.param('notify_nodata = true', 'notify_nodata: unknown argument; did you mean notify_no_data?', id='one'),
        pytest.param('renotify_intervall = 1', 'renotify_intervall: unknown argument; did you mean', id='letter'),
        pytest.param(
            'require_ful_window = var.x', 'require_ful_window: unknown argument; did you mean', id='expression'
        ),
        pytest.param(
            'evaluation_dely = 3', 'evaluation_dely: unknown argument; did you mean evaluation_delay?', id='two'
        ),
        pytest.param('lifecycl {\n}', 'lifecycl: unknown argument; did you mean lifecycle?', id='meta'),
        pytest.param(
            'monitor_treshold {\n critical = 9\n}',
            'monitor_treshold: unknown argument; did you mean monitor_thresholds?',
            id='block',
        ),
        pytest.param(
            'monitor_thresholds {\n warnig = 9\n}',
            'monitor_thresholds.warnig: unknown argument; did you mean warning?',
            id='in-a-block',
        ),
        pytest.param(
            'dynamic "monitor_treshold" {\n for_each = var.x\n content {}\n}',
            'monitor_treshold: unknown argument; did you mean monitor_thresholds?',
            id='dynamic',
        ),
        pytest.param(
            'dynamic "monitor_thresholds" {\n for_each = var.x\n content {\n  critcal = 1\n }\n}',
            'monitor_thresholds.critcal: unknown argument; did you mean critical?',
            id='in-a-dynamic-block',
        ),
        pytest.param(
            'count = 2\nnotify_nodata = true',
            'notify_nodata: unknown argument; did you mean notify_no_data?',
            id='of-a-resource-that-is-not-read',
        ),
    ],
)
def test_a_misspelt_argument_is_an_error(arguments, message, tmp_path):
    [problem] = problems(tmp_path, arguments)
    assert problem.message.startswith(message)
    assert (problem.code, problem.severity) == ('file/unknown-key', Severity.ERROR)
    assert problem.object == 'datadog_monitor.a'
    assert problem.position


def test_the_position_is_that_of_the_argument(tmp_path):
    [problem] = problems(tmp_path, '  notify_nodata = true')
    assert problem.position and (problem.position.line, problem.position.column) == (6, 19)


def test_another_unknown_argument_is_a_warning(tmp_path):
    [problem] = problems(tmp_path, 'flavour = "x"')
    assert (problem.message, problem.severity) == ('flavour: unknown argument', Severity.WARNING)


@pytest.mark.parametrize(
    ('type', 'arguments'),
    [
        pytest.param('datadog_monitor', '\n'.join(f'{name} = var.x' for name in MONITOR[4:]), id='monitor'),
        pytest.param('datadog_downtime_schedule', '\n'.join(f'{name} = var.x' for name in DOWNTIME), id='downtime'),
        pytest.param(
            'datadog_monitor', '\n'.join(f'{name} = var.x' for name in sorted(META) if name.isidentifier()), id='meta'
        ),
        pytest.param('datadog_service_level_objective', 'flavour = 1', id='a-table-that-is-not-complete'),
        pytest.param('datadog_dashboard_list', 'nam = 1', id='another-resource'),
        pytest.param('aws_instance', 'notify_nodata = 1', id='another-provider'),
        pytest.param('datadog_monitor', 'variables {\n event_query {\n  flavour = 1\n }\n}', id='queries'),
        pytest.param('datadog_monitor', 'thresholds = {\n critical = 9\n}', id='a-map-of-older-providers'),
        pytest.param('datadog_monitor', 'assets {\n flavour = 1\n}', id='assets'),
    ],
)
def test_a_known_argument_is_silent(type, arguments, tmp_path):
    assert problems(tmp_path, arguments, type) == []


def test_every_resource_that_is_read_has_a_table():
    assert set(TYPES) - set(SCHEMAS) == {'datadog_dashboard_v2'}


@pytest.mark.parametrize(
    ('type', 'meant'),
    [
        pytest.param('datadog_monitr', 'datadog_monitor', id='missing'),
        pytest.param('dataddog_monitor', 'datadog_monitor', id='prefix'),
        pytest.param('datadog_donwtime', 'datadog_downtime', id='swapped'),
        pytest.param('datadog_dashboard_list', None, id='another-resource'),
        pytest.param('datadog_monitor_config_policy', None, id='longer'),
        pytest.param('datadog_monitor', None, id='right'),
    ],
)
def test_a_misspelt_resource_type(type, meant, tmp_path):
    assert misspelt_type(type) == meant
    assert [problem.message for problem in problems(tmp_path, '', type)] == (
        [f'{type}: unknown resource type; did you mean {meant}?'] if meant else []
    )


def planned(type, **values):
    resource = {'address': f'module.m.{type}.a', 'mode': 'managed', 'type': type, 'name': 'a'}
    body = {'name': 'a', 'type': 'query alert', 'query': 'avg(last_5m):avg:acme.lag{*} > 9', 'message': 'Lag', **values}
    return {**resource, 'values': body}


def state(type, **values):
    resource = planned(type, **values)
    return {
        'version': 4,
        'lineage': 'x',
        'resources': [{**resource, 'instances': [{'attributes': resource['values']}]}],
    }


@pytest.mark.parametrize(
    'form',
    [
        pytest.param(
            lambda *of, **v: {'planned_values': {'root_module': {'resources': [planned(*of, **v)]}}}, id='plan'
        ),
        pytest.param(
            lambda *of, **v: {'format_version': '1', 'values': {'root_module': {'resources': [planned(*of, **v)]}}},
            id='state',
        ),
        pytest.param(state, id='state-file'),
    ],
)
def test_plans_and_states(form, tmp_path):
    path = tmp_path / 'x.json'

    def messages(*of, **values):
        return [problem.message for problem in read_text_as(json.dumps(form(*of, **values)), path).problems]

    # Terraform has judged the names already: an unknown one belongs to a newer provider.
    assert messages('datadog_monitor', notify_nodata=True, flavour='sweet', colour='') == []


def test_rehearse_refuses_a_misspelt_argument(tmp_path, capsys):
    path = tmp_path / 'main.tf'
    path.write_text(f'resource "datadog_monitor" "a" {{\n{HEAD}  notify_nodata = true\n}}\n')
    assert main(['rehearse', str(path)]) == 2
    assert 'main.tf:6:19: datadog_monitor.a: notify_nodata' in capsys.readouterr().err
