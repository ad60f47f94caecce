"""`ddassets rehearse` with monitors from files in other forms: named in a scenario, and as arguments."""

import json

import forms
import pytest

from ddassets.cli import main

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


def test_monitors_of_one_name_are_told_apart(rehearse, tmp_path):
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
