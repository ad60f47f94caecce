"""`ddassets rehearse` with monitors from files in other forms: named in a scenario, and as arguments."""

import json
from typing import Any

import forms
import pytest
from counting import steps

from ddassets import sources
from ddassets.cli import main
from ddassets.rehearsal import parse
from ddassets.rehearsal.choice import choose_monitors
from ddassets.sources import reading

BODY = {
    'name': 'Lag',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:acme.lag{*} > 9',
    'message': 'Lag. @ops@example.com',
    'tags': ['team:harbor'],
    'options': {'thresholds': {'critical': 9}, 'require_full_window': False},
}
HEAD = """\
start: 2027-01-04T10:00:00
length: 30m
tick_second: 30
series:
- {metric: acme.lag, type: gauge, interval: 60s, values: VALUES}
"""


@pytest.fixture
def rehearse(tmp_path, monkeypatch, capsys):
    """Runs the command in a folder of its own and returns the code, the first rehearsal and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(['rehearse', '--format', 'json', *arguments])
        captured = capsys.readouterr()
        found = json.loads(captured.out or '{}').get('rehearsals', [{}])
        return code, found[0], captured.err

    return run


def scenario(path, rest='', values='1x9 20x11 1x10'):
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEAD.replace('VALUES', values) + rest)


def changes(rehearsal):
    return [
        (each['at'][11:19], each['to']) for m in rehearsal['monitors'] for g in m['groups'] for each in g['transitions']
    ]


@pytest.mark.parametrize('form', forms.FORMS)
def test_every_form_named_in_a_scenario(form, rehearse, tmp_path):
    name, text = forms.FORMS[form][0](BODY)
    folder = tmp_path / 'rehearsals'
    scenario(folder / 'a.yaml', f'monitors: [{name}]\n')
    (folder / name).write_text(text)
    code, found, err = rehearse('.')
    assert (code, err) == (0, '')
    assert changes(found) == [('10:11:30', 'Alert'), ('10:22:30', 'OK')]
    assert [mail['recipients'] for mail in found['inbox']] == [['@ops@example.com']] * 2


@pytest.mark.parametrize('form', forms.FORMS)
def test_every_form_as_an_argument(form, rehearse, tmp_path):
    name, text = forms.FORMS[form][0](BODY)
    (tmp_path / name).write_text(text)
    scenario(tmp_path / 'rehearsals' / 'a.yaml')
    code, found, err = rehearse(name)
    assert (code, err) == (0, '')
    assert changes(found) == [('10:11:30', 'Alert'), ('10:22:30', 'OK')]


def test_a_scenario_beside_a_source(rehearse, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps([BODY, {**BODY, 'name': 'Other', 'id': 4}]))
    scenario(tmp_path / 'other.yaml', 'monitors: [Other]\n')
    code, found, _ = rehearse('exported.json', 'other.yaml')
    assert (code, [each['name'] for each in found['monitors']]) == (0, ['Other'])


def test_monitors_with_equal_names_are_distinguished(rehearse, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps([{**BODY, 'id': 3}, {**BODY, 'id': 4}]))
    scenario(tmp_path / 'a.yaml')
    code, found, _ = rehearse('exported.json', 'a.yaml')
    assert (code, [each['name'] for each in found['monitors']]) == (0, ['Lag (3)', 'Lag (4)'])


# What a migrated monitor's state holds: all three attributes, though the account has one.
MIGRATED = {'on_missing_data': 'show_and_notify_no_data', 'notify_no_data': False, 'no_data_timeframe': 10}


@pytest.mark.parametrize(
    ('values', 'signal', 'wanted'),
    [
        pytest.param(MIGRATED, '1x11', [('10:15:30', 'No Data', True)], id='state-of-a-migrated-monitor'),
        pytest.param({'draft_status': None}, '20x31', [('10:00:30', 'Alert', True)], id='draft-status-null-in-state'),
        pytest.param({'draft_status': 'draft'}, '20x31', [('10:00:30', 'Alert', False)], id='draft'),
        pytest.param({'renotify_occurrences': 0, 'renotify_interval': 10}, '20x31', None, id='zero-occurrences'),
    ],
)
def test_states_and_plans(values, signal, wanted, rehearse, tmp_path):
    body = {**forms.attributes(BODY), 'require_full_window': False, **values}
    it = forms.resource(BODY, values=body)
    data = {'format_version': '1.0', 'values': {'root_module': {'resources': [it]}}}
    (tmp_path / 'state.json').write_text(json.dumps(data))
    scenario(tmp_path / 'a.yaml', 'monitors: [state.json]\n', signal)
    code, found, _ = rehearse('a.yaml')
    assert code == 0
    told = [(each['at'][11:19], each['to'], each['sent']) for each in found['inbox']]
    if wanted is None:
        # 0 is not sent, so that repetitions have no end.
        assert [at for at, _, _ in told] == ['10:00:30', '10:10:30', '10:20:30']
    else:
        assert told[:1] == [each for each in wanted if each[2]] and changes(found)[0] == wanted[0][:2]


def test_a_monitor_whose_query_is_not_known_is_left_out(rehearse, tmp_path):
    whole = forms.resource(BODY)
    values = {key: value for key, value in whole['values'].items() if key != 'query'}
    part = forms.resource(BODY, address='datadog_monitor.both', values={**values, 'type': 'composite', 'name': 'Both'})
    change = {'address': 'datadog_monitor.both', 'change': {'after_unknown': {'query': True}}}
    data = {'planned_values': {'root_module': {'resources': [whole, part]}}, 'resource_changes': [change]}
    (tmp_path / 'plan.json').write_text(json.dumps(data))
    scenario(tmp_path / 'a.yaml')
    code, found, _ = rehearse('plan.json', 'a.yaml')
    assert (code, [each['name'] for each in found['monitors']]) == (0, ['Lag'])
    assert any(each.startswith('datadog_monitor.both: query is not known here') for each in found['warnings'])
    data['planned_values']['root_module']['resources'] = [part]
    (tmp_path / 'plan.json').write_text(json.dumps(data))
    code, found, _ = rehearse('plan.json', 'a.yaml')
    assert code == 2 and 'no monitor can be rehearsed' in found['error']


NIGHT = {'duration': '2h', 'rrule': 'FREQ=DAILY', 'start': '2027-01-04T09:00:00'}
DOWNTIME: dict[str, Any] = {
    'type': 'datadog_downtime_schedule',
    'address': 'datadog_downtime_schedule.quiet',
    'values': {
        'scope': '*',
        'monitor_identifier': {'monitor_tags': ['team:harbor']},
        'one_time_schedule': {'start': '2027-01-04T10:00:00Z', 'end': '2027-01-04T11:00:00Z'},
    },
}
RECURRING = {**DOWNTIME, 'values': {**DOWNTIME['values'], 'one_time_schedule': None, 'recurring_schedule': None}}
RECURRING['values']['recurring_schedule'] = {'timezone': 'UTC', 'recurrence': [NIGHT]}
OLD_DOWNTIME = {
    'type': 'datadog_downtime',
    'address': 'datadog_downtime.quiet',
    'values': {'scope': ['*'], 'monitor_tags': ['team:harbor'], 'start': 1799056800, 'end': 1799060400},
}
NOTIFICATION_RULE: dict[str, Any] = {
    'type': 'datadog_monitor_notification_rule',
    'address': 'datadog_monitor_notification_rule.more',
    'values': {'name': 'More', 'filter': {'tags': ['team:harbor']}, 'recipients': ['more@example.com']},
}
CONDITIONS = {'conditions': [{'scope': 'transition_type:is_alert', 'recipients': ['more@example.com']}]}
CONDITIONAL = {**NOTIFICATION_RULE, 'values': {**NOTIFICATION_RULE['values'], 'recipients': None}}
CONDITIONAL['values']['conditional_recipients'] = {**CONDITIONS, 'fallback_recipients': None}


def without(values, unknown):
    """Return a plan with unknown attributes."""
    if isinstance(values, dict) and isinstance(unknown, dict):
        return {key: without(value, unknown.get(key)) for key, value in values.items() if unknown.get(key) is not True}
    if isinstance(values, list) and isinstance(unknown, list):
        return [without(*both) for both in zip(values, unknown, strict=True)]
    return values


def plan_of(resource, unknown, expressions=None):
    it = forms.resource(BODY, **resource, name=resource['address'].partition('.')[2])
    it['values'] = without(it['values'], unknown)
    change = {'address': it['address'], 'change': {'after_unknown': unknown}}
    written = {key: it[key] for key in ('type', 'name', 'address')} | {'expressions': expressions or {}}
    return {
        'planned_values': {'root_module': {'resources': [forms.resource(BODY), it]}},
        'resource_changes': [change],
        'configuration': {'root_module': {'resources': [written]}},
    }


@pytest.mark.parametrize(
    ('resource', 'unknown', 'key'),
    [
        pytest.param(DOWNTIME, {'one_time_schedule': {'start': True, 'end': True}}, 'schedule', id='bounds'),
        pytest.param(DOWNTIME, {'one_time_schedule': True}, 'schedule', id='one-time-schedule'),
        pytest.param(DOWNTIME, {'scope': True}, 'scope', id='scope'),
        pytest.param(DOWNTIME, {'monitor_identifier': {'monitor_tags': True}}, 'monitor_identifier', id='tags'),
        pytest.param(DOWNTIME, {'monitor_identifier': {'monitor_tags': [True]}}, 'monitor_identifier', id='tag'),
        pytest.param(DOWNTIME, {'monitor_identifier': True}, 'monitor_identifier', id='identifier'),
        pytest.param(RECURRING, {'recurring_schedule': {'timezone': True}}, 'schedule', id='time-zone'),
        pytest.param(RECURRING, {'recurring_schedule': {'recurrence': True}}, 'schedule', id='recurrences'),
        pytest.param(RECURRING, {'recurring_schedule': {'recurrence': [{'rrule': True}]}}, 'schedule', id='rrule'),
        pytest.param(RECURRING, {'recurring_schedule': True}, 'schedule', id='recurring-schedule'),
        pytest.param(OLD_DOWNTIME, {'end': True}, 'schedule', id='old-downtime'),
        pytest.param(OLD_DOWNTIME, {'scope': [True]}, 'scope', id='scope-of-old-downtime'),
        pytest.param(NOTIFICATION_RULE, {'filter': {'tags': True}}, 'filter', id='filter-tags'),
        pytest.param(NOTIFICATION_RULE, {'filter': True}, 'filter', id='filter'),
        pytest.param(NOTIFICATION_RULE, {'recipients': True}, 'recipients', id='recipients'),
        pytest.param(
            CONDITIONAL,
            {'conditional_recipients': {'conditions': [{'recipients': True}]}},
            'conditional_recipients',
            id='recipients-of-a-condition',
        ),
        pytest.param(CONDITIONAL, {'conditional_recipients': True}, 'conditional_recipients', id='conditions'),
    ],
)
def test_a_downtime_or_rule_with_an_unknown_part_is_left_out(
    resource, unknown, key, rehearse, tmp_path, monkeypatch, capsys
):
    def recipients():
        code, found, err = rehearse('plan.json', 'a.yaml')
        assert (code, err) == (0, '')
        return [sorted(mail['recipients']) for mail in found['inbox'] if mail['sent']], found['warnings']

    scenario(tmp_path / 'a.yaml')
    (tmp_path / 'plan.json').write_text(json.dumps(plan_of(resource, {})))
    told, warnings = recipients()
    assert told != [['@ops@example.com']] * 2 and not any('left out' in each for each in warnings)
    (tmp_path / 'plan.json').write_text(json.dumps(plan_of(resource, unknown)))
    told, warnings = recipients()
    note = f'{resource["address"]}: left out of the rehearsal, because its {key} is not known here'
    assert told == [['@ops@example.com']] * 2 and note in warnings
    monkeypatch.setenv('COLUMNS', '500')
    assert main(['rehearse', 'plan.json', 'a.yaml']) == 0
    assert note in capsys.readouterr().out
    assert main(['lint', 'plan.json', '--format', 'json']) == 0
    found = [each for each in json.loads(capsys.readouterr().out)['findings'] if resource['address'] in each['object']]
    assert {each['rule'] for each in found} == {'source/withheld'}


@pytest.mark.parametrize(
    ('unknown', 'written'),
    [
        pytest.param({'timezone': True, 'recurrence': [{}]}, {'recurrence': [{}]}, id='time-zone'),
        pytest.param({'recurrence': [{'start': True}]}, {'timezone': {}, 'recurrence': [{}]}, id='start'),
    ],
)
def test_a_schedule_that_the_provider_completes_is_known(unknown, written, rehearse, tmp_path):
    scenario(tmp_path / 'a.yaml')
    plan = plan_of(RECURRING, {'recurring_schedule': unknown}, {'recurring_schedule': written})
    (tmp_path / 'plan.json').write_text(json.dumps(plan))
    code, found, _ = rehearse('plan.json', 'a.yaml')
    assert (code, len(found['downtimes'])) == (0, 1)
    assert any('not set and known only after apply' in each for each in found['warnings'])


PULUMI_UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'
SECRET = {'4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', 'ciphertext': 'x'}


def stack(type, inputs):
    name, text = forms.pulumi(BODY)
    data = json.loads(text)
    it = {'urn': f'urn:pulumi:prod::app::datadog:index/{type}::quiet', 'type': f'datadog:index/{type}'}
    data['deployment']['resources'].append({**it, 'inputs': inputs})
    return name, json.dumps(data)


def stack_of_downtime(**inputs):
    values = {'scope': '*', 'monitorIdentifier': {'monitorTags': ['team:harbor']}, **inputs}
    return stack('downtimeSchedule:DowntimeSchedule', values)


def configuration(block):
    text = """resource "datadog_downtime_schedule" "quiet" {
  scope = "*"
  monitor_identifier {
    monitor_tags = ["team:harbor"]
  }
  %s
}
"""
    return 'main.tf', forms.hcl(BODY)[1] + text % block


@pytest.mark.parametrize(
    ('source', 'key'),
    [
        pytest.param(stack_of_downtime(oneTimeSchedule={'end': PULUMI_UNKNOWN}), 'schedule', id='pulumi-end'),
        pytest.param(stack_of_downtime(oneTimeSchedule=PULUMI_UNKNOWN), 'schedule', id='pulumi-schedule'),
        pytest.param(stack_of_downtime(scope=SECRET), 'scope', id='pulumi-secret-scope'),
        pytest.param(
            stack(
                'monitorNotificationRule:MonitorNotificationRule',
                {'name': 'More', 'filter': {'tags': ['team:harbor']}, 'recipients': [SECRET]},
            ),
            'recipients',
            id='pulumi-secret-recipient',
        ),
        pytest.param(
            configuration('recurring_schedule {\n    dynamic "recurrence" {\n      for_each = var.quiet\n    }\n  }'),
            'schedule',
            id='hcl-dynamic-recurrence',
        ),
        pytest.param(
            configuration('one_time_schedule {\n    end = var.end\n  }'),
            'schedule',
            id='hcl-expression',
        ),
    ],
)
def test_an_unknown_part_in_another_form_is_left_out(source, key, rehearse, tmp_path):
    name, text = source
    scenario(tmp_path / 'a.yaml')
    (tmp_path / name).write_text(text)
    code, found, err = rehearse(name, 'a.yaml')
    assert (code, err, found['downtimes']) == (0, '', [])
    assert [sorted(mail['recipients']) for mail in found['inbox'] if mail['sent']] == [['@ops@example.com']] * 2
    assert any(f'because its {key} is not known here' in each for each in found['warnings'])


def test_sensitive_texts_reach_no_output(rehearse, tmp_path):
    secret = 'hunter2-@webhook-private'
    it = forms.resource({**BODY, 'message': secret}, sensitive_values={'message': True})
    (tmp_path / 'plan.json').write_text(json.dumps({'planned_values': {'root_module': {'resources': [it]}}}))
    scenario(tmp_path / 'a.yaml')
    code, found, err = rehearse('plan.json', 'a.yaml')
    assert code == 0
    assert not [part for part in ('hunter2', 'webhook-private') if part in json.dumps(found) + err]
    assert any('message is not known here' in each for each in found['warnings'])


@pytest.mark.parametrize(
    ('name', 'text', 'message'),
    [
        pytest.param('x.json', '{"name": "x"}', 'x.json: expected a monitor or a downtime', id='another-thing'),
        pytest.param('x.json', '{"name": ', 'x.json:1:', id='broken'),
        pytest.param('x.json', '{"@level": "info"}\n{"@level": "info"}', 'terraform show -json', id='refused'),
        pytest.param('x.json', '{"title": "D", "layout_type": "ordered", "widgets": []}', 'no monitor', id='dashboard'),
    ],
)
def test_files_without_a_monitor(name, text, message, rehearse, tmp_path):
    (tmp_path / name).write_text(text)
    scenario(tmp_path / 'a.yaml', f'monitors: [{name}]\n')
    code, found, _ = rehearse('a.yaml')
    assert code == 2 and message in f'{found["error"]} {found.get("details", "")}'


def test_a_source_without_a_scenario(rehearse, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps(BODY))
    code, _, err = rehearse('exported.json')
    assert code == 2 and 'exported.json: found no scenario' in err
    assert '`ddassets rehearse --auto exported.json` needs no scenario' in err
    assert '`ddassets init exported.json` writes a scenario' in err


HELM = 'kind: DatadogMonitor\nmetadata: {name: {{ .Release.Name }}}\n'


def test_a_refused_source_is_named_before_a_missing_scenario(rehearse, tmp_path):
    (tmp_path / 'helm.yaml').write_text(HELM)
    code, _, err = rehearse('helm.yaml')
    assert code == 2 and 'helm.yaml: a Helm template' in err and 'found no scenario' not in err


@pytest.mark.parametrize(
    ('file', 'scenarios', 'argument'),
    [
        pytest.param('exported.yaml', {'a.yaml': ''}, 'exported.yaml', id='an-argument'),
        pytest.param(
            'rehearsals/exported.yaml',
            dict.fromkeys(('a.yaml', 'b.yaml'), 'monitors: [exported.yaml]\ndowntimes: [exported.yaml]\n'),
            '.',
            id='beside-the-scenarios-that-name-it',
        ),
    ],
)
def test_a_source_is_read_once(file, scenarios, argument, rehearse, tmp_path, monkeypatch):
    read_text, names = reading.read_text, []
    monkeypatch.setattr(
        reading, 'read_text', lambda path, problems: names.append(path.name) or read_text(path, problems)
    )
    for name, rest in scenarios.items():
        scenario(tmp_path / 'rehearsals' / name, rest)
    attributes = {'scope': '*', 'monitor_identifier': {'monitor_tags': ['*']}}
    downtime = {'data': {'type': 'downtime', 'attributes': attributes}}
    resources = [
        {
            'apiVersion': 'datadoghq.com/v1alpha1',
            'kind': 'DatadogGenericResource',
            'metadata': {'name': name},
            'spec': {'type': type, 'jsonSpec': json.dumps(body)},
        }
        for name, type, body in (('lag', 'monitor', BODY), ('lab', 'downtime', downtime))
    ]
    (tmp_path / file).write_text('\n---\n'.join(map(json.dumps, resources)))
    code, _, err = rehearse(argument)
    assert code == 0, err
    assert names.count('exported.yaml') == 1


def test_monitors_are_found_by_name_without_a_search_of_all(tmp_path):
    def work(number):
        bodies = [{**BODY, 'name': f'Lag {index}', 'id': index} for index in range(number)]
        (tmp_path / 'exported.json').write_text(json.dumps(bodies))
        bundle = sources.read_bundle(tmp_path / 'exported.json')
        names = json.dumps([body['name'] for body in bodies])
        parsed = parse(HEAD.replace('VALUES', '1') + f'monitors: {names}\n', tmp_path / 'a.yaml')
        return steps(lambda: choose_monitors(parsed, bundle))

    assert work(400) < 5 * work(100)


def test_downtimes_of_a_file(rehearse, tmp_path):
    schedule = {'start': '2027-01-04T10:05:00Z', 'end': '2027-01-04T10:15:00Z'}
    attributes = {'scope': '*', 'monitor_identifier': {'monitor_tags': ['*']}, 'schedule': schedule}
    (tmp_path / 'downtimes.json').write_text(
        json.dumps({'data': [{'id': 'x', 'type': 'downtime', 'attributes': attributes}]})
    )
    (tmp_path / 'exported.json').write_text(json.dumps(BODY))
    scenario(tmp_path / 'a.yaml', 'monitors: [exported.json]\ndowntimes: [downtimes.json]\n')
    code, found, _ = rehearse('a.yaml')
    assert code == 0
    assert [each['id'] for each in found['downtimes']] == ['x']
    assert [each['active'] for each in found['downtimes']] == [
        [['2027-01-04T10:05:00+00:00', '2027-01-04T10:15:00+00:00']]
    ]


def test_some_monitors_of_a_file(rehearse, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps([BODY, {**BODY, 'name': 'Other', 'id': 4}]))
    scenario(tmp_path / 'a.yaml', 'monitors: [{file: exported.json, only: [Other]}]\n')
    code, found, _ = rehearse('a.yaml')
    assert (code, [each['name'] for each in found['monitors']]) == (0, ['Other'])
    scenario(tmp_path / 'a.yaml', 'monitors: [{file: exported.json, only: [Othr]}]\n')
    code, found, _ = rehearse('a.yaml')
    assert code == 2 and 'did you mean Other' in found['error']


MUTES_ALL = """
resource "datadog_downtime_schedule" "all" {
  scope = "*"
  monitor_identifier { monitor_tags = ["*"] }
  one_time_schedule { start = "2027-01-04T09:00:00Z" }
}
"""
MONITOR_TF = """
resource "datadog_monitor" "lag" {
  name = "Lag"
  type = "query alert"
  query = "avg(last_5m):avg:acme.lag{*} > 9"
  message = "Lag. @ops@example.com"
  monitor_thresholds { critical = 9 }
}
"""
RULE = {'data': {'type': 'monitor-notification-rule', 'attributes': {
    'name': 'Ops', 'filter': {'tags': ['team:harbor']}, 'recipients': ['slack-ops']}}}  # fmt: skip


@pytest.mark.parametrize('where', ['terraform/main.tf', 'terraform/downtimes.tf', 'elsewhere/deep/mute.tf'])
@pytest.mark.parametrize('argument', ['.', 'rehearsals', 'rehearsals/a.yaml'])
@pytest.mark.parametrize('chosen', ['', 'downtimes: all\n', 'downtimes: {except: []}\n', 'downtimes: []\n'])
def test_the_downtimes_of_a_repository_apply(where, argument, chosen, rehearse, tmp_path):
    path = tmp_path / where
    (tmp_path / '.git').mkdir()
    path.parent.mkdir(parents=True)
    (tmp_path / 'terraform').mkdir(exist_ok=True)
    (tmp_path / 'terraform/main.tf').write_text(MONITOR_TF)
    scenario(tmp_path / 'rehearsals/a.yaml', f'monitors: [{{file: ../terraform/main.tf}}]\n{chosen}')
    code, found, err = rehearse(argument)
    assert (code, found['downtimes'], [mail['sent'] for mail in found['inbox']]) == (0, [], [True, True]), err
    with open(path, 'a') as file:
        file.write(MUTES_ALL)
    code, found, err = rehearse(argument)
    names = [] if chosen == 'downtimes: []\n' else ['datadog_downtime_schedule.all']
    assert (code, [each['name'] for each in found['downtimes']]) == (0, names), err
    assert [mail['muted_by'] for mail in found['inbox']] == [names, names]


def test_the_monitors_and_rules_of_a_repository_apply(rehearse, tmp_path, monkeypatch):
    (tmp_path / '.git').mkdir()
    (tmp_path / 'monitors').mkdir()
    (tmp_path / 'monitors/exported.json').write_text(json.dumps([BODY, {**BODY, 'name': 'Other', 'id': 4}]))
    (tmp_path / 'rules.json').write_text(json.dumps(RULE))
    # Files of other tools are no obstacle.
    (tmp_path / 'tsconfig.json').write_text('{// a comment\n}')
    scenario(tmp_path / 'rehearsals/a.yaml')
    code, found, err = rehearse('.')
    assert (code, [each['name'] for each in found['monitors']]) == (0, ['Lag', 'Other']), err
    assert found['inbox'][0]['recipients'] == ['@ops@example.com', '@slack-ops']
    scenario(tmp_path / 'rehearsals/a.yaml', 'monitors: [Other]\nnotification_rules: []\n')
    monkeypatch.chdir(tmp_path / 'rehearsals')
    code, found, err = rehearse('a.yaml')
    assert (code, [each['name'] for each in found['monitors']]) == (0, ['Other']), err
    assert found['inbox'][0]['recipients'] == ['@ops@example.com']


def test_a_member_of_a_composite_in_a_file_that_is_read_twice(rehearse, tmp_path):
    composite = {'name': 'Both', 'type': 'composite', 'query': '"Lag" && "Other"', 'message': '@ops'}
    (tmp_path / 'monitors.json').write_text(json.dumps([BODY, {**BODY, 'name': 'Other', 'id': 4}, composite]))
    scenario(tmp_path / 'rehearsals/a.yaml', 'monitors: [{file: ../monitors.json}]\n')
    code, found, err = rehearse('.')
    assert (code, len(found['monitors'])) == (0, 3), found.get('error', err)


def test_a_file_of_the_repository_that_is_not_read_is_a_warning(rehearse, tmp_path):
    (tmp_path / 'monitors.json').write_text(json.dumps(BODY))
    (tmp_path / 'helm.yaml').write_text(HELM)
    scenario(tmp_path / 'rehearsals/a.yaml', 'monitors: [{file: ../monitors.json}]\n')
    code, found, _ = rehearse('.')
    assert code == 0 and any('a Helm template' in each for each in found['warnings'])


@pytest.mark.parametrize(
    ('text', 'wanted'),
    [
        pytest.param(json.dumps(BODY), (0, 'd.json: contains no downtime'), id='other-assets'),
        pytest.param('{"name": "x"}', (2, 'd.json: expected a monitor or a downtime'), id='no-assets'),
    ],
)
def test_a_named_file_without_downtimes(text, wanted, rehearse, tmp_path):
    (tmp_path / 'd.json').write_text(text)
    (tmp_path / 'exported.json').write_text(json.dumps(BODY))
    for rest in ('downtimes: [d.json]\n', 'downtimes: [{file: d.json}]\n'):
        scenario(tmp_path / 'a.yaml', f'monitors: [exported.json]\n{rest}')
        code, found, _ = rehearse('a.yaml')
        assert (code, wanted[1] in ' '.join([*found.get('warnings', ()), found.get('error', '')])) == (wanted[0], True)
    scenario(tmp_path / 'a.yaml', 'monitors: [exported.json]\ndowntimes: [{file: d.json, only: [Lab]}]\n')
    assert rehearse('a.yaml')[0] == 2


def test_a_muted_notification_names_its_downtime_once_per_cause(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'main.tf').write_text(MONITOR_TF)
    path = tmp_path / 'rehearsals/a.yaml'
    scenario(path, 'monitors: [{file: ../main.tf}]\n', values='1x5 20x5 1x5 20x5 1x11')
    assert main(['rehearse', '--write', '.']) == 0
    with open(tmp_path / 'main.tf', 'a') as file:
        file.write(MUTES_ALL)
    lines = [number for number, line in enumerate(path.read_text().splitlines(), 1) if '- at: ' in line]
    expected = len(lines)
    assert expected > 3
    cause = 'notification: expected sent, found muted by datadog_downtime_schedule.all (main.tf:10)'
    for form, count in (('github', 1), ('markdown', 1), ('junit', 2 * expected), ('text', expected)):
        capsys.readouterr()
        assert main(['rehearse', '--format', form, '.']) == 1
        out = ' '.join(capsys.readouterr().out.replace('\\', '').replace('%3A', ':').split())
        assert out.count(cause) == count, out
        more = f'and {expected - 1} more expectations with the same result: lines {lines[1]}, '
        assert (more in out) == (form in ('github', 'markdown'))


@pytest.mark.parametrize('argument', ['.', 'exported.json', 'rehearsals/a.yaml'])
@pytest.mark.parametrize('every', [False, True])
def test_monitors_without_a_scenario_are_listed(argument, every, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / '.git').mkdir()
    (tmp_path / 'exported.json').write_text(json.dumps([{**BODY, 'name': name} for name in ('Lag', 'Other', 'More')]))
    scenario(tmp_path / 'rehearsals/a.yaml', 'monitors: [{file: ../exported.json, only: [Lag]}]\n')
    options = [argument, *(['--every-monitor'] if every else [])]
    assert main(['rehearse', *options]) == int(every)
    out = capsys.readouterr().out
    line = 'No scenario rehearses 2 of 3 monitors: More, Other'
    assert (line in out, f'FAILED: {line}' in out) == (every or argument[0] != 'r', every)
    assert main(['rehearse', '--format', 'json', *options]) == int(every)
    document = json.loads(capsys.readouterr().out)
    assert document['unrehearsed'] == (['Other', 'More'] if every or argument[0] != 'r' else [])
    assert document['ok'] != every
    for form in ('github', 'junit', 'sarif'):
        main(['rehearse', '--format', form, *options])
        assert capsys.readouterr().out.count('no scenario rehearses it') == (2 if every else 0)
    scenario(tmp_path / 'rehearsals/b.yaml', 'monitors: [{file: ../exported.json, only: [Other, More]}]\n')
    if argument[0] != 'r':
        assert main(['rehearse', *options]) == 0
        assert 'No scenario' not in capsys.readouterr().out


@pytest.mark.parametrize('option', ['--auto', '--write', '--explain=10:05'])
def test_every_monitor_needs_all_scenarios(option, rehearse, tmp_path, capsys):
    scenario(tmp_path / 'a.yaml')
    assert main(['rehearse', '--every-monitor', option, 'a.yaml']) == 2
    assert '--every-monitor judges all scenarios' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('start', 'end', 'listed'),
    [
        pytest.param('2027-01-04T10:05:00Z', '2027-01-04T10:15:00Z', False, id='inside'),
        pytest.param('2027-01-04T09:00:00Z', '2027-01-04T10:01:00Z', False, id='overlaps'),
        pytest.param('2027-01-04T09:00:00Z', '2027-01-04T10:00:00Z', True, id='before'),
        pytest.param('2027-01-04T10:30:00Z', None, True, id='after'),
    ],
)
def test_downtimes_outside_the_time_are_listed(start, end, listed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    schedule = {'start': start, **({'end': end} if end else {})}
    attributes = {'scope': '*', 'monitor_identifier': {'monitor_tags': ['*']}, 'schedule': schedule}
    (tmp_path / 'lab.json').write_text(json.dumps({'data': {'type': 'downtime', 'attributes': attributes}}))
    (tmp_path / 'exported.json').write_text(json.dumps(BODY))
    scenario(tmp_path / 'a.yaml', 'monitors: [exported.json]\ndowntimes: [lab.json]\n')
    assert main(['rehearse', 'a.yaml']) == 0
    assert ('Downtimes not active in this time: lab' in capsys.readouterr().out) == listed
