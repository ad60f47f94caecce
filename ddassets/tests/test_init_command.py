"""`ddassets init` from the outside: what it writes holds, is valid for editors, and replaces nothing."""

import json
import re
import shlex
import shutil
from pathlib import Path

import forms
import jsonschema_rs
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made import reached

from ddassets.cli import main
from ddassets.engine.series import Series, parse_compact
from ddassets.lint import configuration
from ddassets.rehearsal.starting import file_name, notation

HERE = Path(__file__).parent
BODY = {
    'name': 'Lag is high',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:acme.lag{env:prod} by {host} > 9',
    'message': 'Lag on {{host.name}}. @ops@example.com',
    'tags': ['team:harbor'],
    'options': {'thresholds': {'critical': 9, 'warning': 5}, 'require_full_window': False},
}
PROCESSES = {
    **BODY,
    'name': 'Errors',
    'type': 'process alert',
    'query': 'processes("x").over("*").rollup("count").last("10m") > 9',
}


@pytest.fixture
def init(tmp_path, monkeypatch, capsys):
    """Runs init, or another command, in a folder of its own, and returns code, output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, command='init'):
        code = main([command, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


@pytest.mark.parametrize('place', ['', 'rehearsals/', 'a folder/'])
def test_the_commands_in_a_written_scenario_work_without_git(place, init, tmp_path):
    """Both commands of the header, run in the folder in which `init` ran."""
    assert not [folder for folder in tmp_path.parents if (folder / '.git').exists()]
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / 'disk.json').write_text(json.dumps(BODY))
    assert init(f'{place}disk.json')[0] == 0
    (path,) = (tmp_path / place / 'rehearsals').iterdir()
    commands = re.findall(r'^#   ddassets (.*?) +#', path.read_text(), re.MULTILINE)
    scenario = f'{place}rehearsals/{path.name}'
    assert [shlex.split(each) for each in commands] == [['rehearse', scenario], ['rehearse', '--write', scenario]]
    for command in [*commands, shlex.join(['rehearse', f'{place}rehearsals'])]:
        name, *arguments = shlex.split(command)
        code, out, err = init(*arguments, command=name)
        assert (code, err) == (0, ''), command
    assert 'Lag is high' in out


@pytest.mark.parametrize('form', forms.FORMS)
def test_a_monitor_of_every_form(form, init, tmp_path):
    name, text = forms.FORMS[form][0](BODY)
    (tmp_path / name).write_text(text)
    code, _, err = init(name)
    assert (code, err) == (0, '')
    code, out, _ = init('--format', 'json', name, command='rehearse')
    (rehearsal,) = json.loads(out)['rehearsals']
    assert code == 0 and rehearsal['verdicts'] and all(each['holds'] for each in rehearsal['verdicts'])
    assert reached(rehearsal) >= {'OK', 'Warn', 'Alert'}


@pytest.mark.parametrize(
    'query',
    [
        pytest.param('sum(last_5m):count:acme.latency{*}.as_count() > 9', id='count'),
        pytest.param('percentile(last_5m):p95:acme.latency{*} > 9', id='percentile'),
    ],
)
def test_a_monitor_of_a_distribution(query, init, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps([{**BODY, 'query': query}]))
    code, _, err = init('exported.json')
    assert (code, err) == (0, '')
    code, out, _ = init('--format', 'json', 'exported.json', command='rehearse')
    (rehearsal,) = json.loads(out)['rehearsals']
    assert code == 0 and reached(rehearsal) == {'OK', 'Warn', 'Alert'}


@pytest.mark.parametrize(
    ('configured', 'path', 'inside'),
    [
        pytest.param(True, '../points.csv', True, id='beside the scenarios of init'),
        pytest.param(False, '../points.csv', False, id='beside a folder of that name'),
        pytest.param(True, '../../points.csv', False, id='further above'),
        pytest.param(True, '../link.csv', False, id='a link'),
        pytest.param(True, '../.git/points.csv', False, id='git'),
    ],
)
def test_a_scenario_without_git_reads_what_is_below_the_folder_of_init(configured, path, inside, init, tmp_path):
    """What is refused is not quoted."""
    (scenarios := tmp_path / 'a' / 'rehearsals').mkdir(parents=True)
    (tmp_path / 'a' / 'disk.json').write_text(json.dumps(BODY))
    for folder in (tmp_path, tmp_path / 'a', tmp_path / 'a' / '.git' if '.git' in path else tmp_path):
        folder.mkdir(exist_ok=True)
        (folder / 'points.csv').write_text('time,value\n1,secret\n')
    (tmp_path / 'a' / 'link.csv').symlink_to(tmp_path / 'points.csv')
    if configured:
        (tmp_path / 'a' / '.ddassets.yaml').touch()
    series = f'[{{metric: acme.lag, type: gauge, interval: 1m, csv: {path}}}]'
    body = json.dumps(BODY)
    (scenarios / 'x.yaml').write_text(f'start: 2027-01-04\nlength: 1h\nseries: {series}\nmonitors: [{body}]\n')
    code, out, err = init('a/rehearsals/x.yaml', command='rehearse')
    assert code == 2 and ('secret' in out + err) == inside
    assert ('outside the checkout, not read' in err) != inside


def test_the_written_file_is_valid_in_an_editor(init, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps(BODY))
    init('exported.json')
    path = tmp_path / 'rehearsals' / 'lag_is_high.yaml'
    header, *_ = path.read_text().split('\n')
    schema = path.parent / header.removeprefix('# yaml-language-server: $schema=')
    data = yaml.load(path.read_text(), yaml.BaseLoader)
    assert data['series'][0]['tags'] == ['env:prod', 'host:host-1'] and 'host-1' in data['hosts']
    assert data['series'][0]['type'] == 'gauge' and data['series'][0]['interval'] == '1m'
    # As editors load: numbers are numbers, dates are texts.
    data['expect'] = [{**each, 'value': float(each.get('value', 0))} for each in data['expect']]
    jsonschema_rs.validator_for(json.loads(schema.read_text())).validate(data)
    written = tmp_path / '.ddassets.yaml'
    header, *_ = written.read_text().split('\n')
    assert (tmp_path / header.removeprefix('# yaml-language-server: $schema=')).is_file()
    assert configuration.read(written, tuple) == configuration.Configuration(written)
    # The comments show valid entries.
    written.write_text(
        written.read_text().replace('# companions', 'companions').replace('# ignore', 'ignore').replace('#   -', '  -')
    )
    assert configuration.read(written, lambda: ['monitor/window']).ignores[0].rule == 'monitor/window'
    workflow = yaml.safe_load((tmp_path / '.ddassets' / 'github-workflow.yml').read_text())
    assert workflow['jobs']['ddassets']['steps'][-1]['with'] == {'paths': 'exported.json', 'rehearse': 'exported.json'}


def test_findings_of_lint_are_mentioned_with_the_baseline(init, tmp_path):
    command = 'ddassets lint --write-baseline .ddassets-baseline.json exported.json'
    good = {**BODY, 'message': 'Lag. {{#is_recovery}}Fine.{{/is_recovery}} @ops@example.com', 'tags': ['team:a']}
    for faulty in (True, False):
        body = {**good, 'options': {**good['options'], 'flavour': 1}} if faulty else good
        (tmp_path / 'exported.json').write_text(json.dumps(body))
        code, out, err = init('exported.json')
        assert code == 0, err
        assert out.endswith(f'lint has 1 finding; to fail only for new ones: {command}\n') == faulty
        workflow = (tmp_path / '.ddassets' / 'github-workflow.yml').read_text()
        assert f'#   {command}\n' in workflow and '# baseline: .ddassets-baseline.json' in workflow


def test_existing_files_are_not_changed(init, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps([BODY, {**BODY, 'name': 'Other', 'id': 4}]))
    (tmp_path / 'rehearsals').mkdir()
    mine = {'rehearsals/lag_is_high.yaml': b'mine', '.ddassets.yaml': b'companions: []\n'}
    for name, content in mine.items():
        (tmp_path / name).write_bytes(content)
    code, out, _ = init('exported.json')
    assert code == 0 and 'left alone' in out
    found = files(tmp_path)
    assert {name: found[name] for name in mine} == mine and 'rehearsals/other.yaml' in found
    code, out, _ = init('exported.json')
    assert code == 0 and '0 files written' in out
    assert files(tmp_path) == found


@pytest.mark.parametrize(
    ('folder', 'written'),
    [
        pytest.param('[a]: #b', False, id='spaces'),
        pytest.param('a b', False, id='one-space'),
        pytest.param('[a]:#b', True, id='characters-of-yaml'),
    ],
)
def test_the_workflow_names_the_path(folder, written, init, tmp_path):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / 'exported.json').write_text(json.dumps(BODY))
    code, out, err = init(folder)
    assert f"next: ddassets rehearse '{folder}'\n" in out
    path = tmp_path / folder / '.ddassets' / 'github-workflow.yml'
    assert code == 0 and path.exists() == written
    assert written == ('no workflow for GitHub: the action separates paths by spaces' not in err)
    if written:
        step = yaml.safe_load(path.read_text())['jobs']['ddassets']['steps'][-1]
        assert step['with'] == {'paths': folder, 'rehearse': folder}


def test_an_integration(init, tmp_path):
    shutil.copytree(HERE / 'acme', tmp_path / 'acme', ignore=shutil.ignore_patterns('rehearsals'))
    code, out, _ = init('acme')
    assert code == 0
    names = sorted(path.stem for path in (tmp_path / 'acme' / 'rehearsals').iterdir())
    assert names == sorted(path.stem for path in (tmp_path / 'acme' / 'assets' / 'monitors').iterdir()), out
    assert init('acme', command='rehearse')[0] == 0
    assert init('acme', '--fail-on', 'error', command='lint')[0] == 0


@pytest.mark.parametrize(
    ('bodies', 'message'),
    [
        pytest.param([PROCESSES], 'Errors: no scenario: ', id='another-product'),
        pytest.param([{**BODY, 'query': 'avg(last_5m):avg:acme.lag{*} > '}], 'exported.json', id='broken-query'),
        pytest.param([], 'exported.json', id='no-monitor'),
    ],
)
def test_without_a_scenario_nothing_is_written(bodies, message, init, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps(bodies))
    code, _, err = init('exported.json')
    assert code == 2 and message in err
    assert list(files(tmp_path)) == ['exported.json'] and not (tmp_path / 'rehearsals').exists()


def test_monitors_without_a_scenario_are_named(init, tmp_path):
    (tmp_path / 'exported.json').write_text(json.dumps([BODY, PROCESSES]))
    code, _, err = init('exported.json')
    assert code == 0 and 'Errors: no scenario: ' in err


def test_names_of_files():
    taken = set()
    assert [file_name(name, taken) for name in ('Lag: {{host.name}} is high!', 'Lag host.name is high', '…')] == [
        'lag_host_name_is_high.yaml',
        'lag_host_name_is_high_2.yaml',
        'monitor.yaml',
    ]


VALUES = st.one_of(
    st.just(float('nan')), st.sampled_from([0.0, 1.0, 2.0, 0.25, -3.5]), st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
)


@given(st.lists(VALUES, min_size=1, max_size=40).filter(lambda values: values[0] == values[0]))
def test_a_series_in_compact_notation_is_read_again(values):
    values = np.array(values)
    there = ~np.isnan(values)
    series = Series('m', frozenset(), 60.0 * np.flatnonzero(there), values[there], 'gauge', 60)
    text = ' '.join(notation(series, 60.0 * len(values)))
    np.testing.assert_allclose(parse_compact(text), values, rtol=1e-9, atol=1e-9)


def test_the_first_scenario_notices_a_later_downtime(init, tmp_path):
    (tmp_path / 'monitors.json').write_text(json.dumps(BODY))
    assert init('.')[0] == 0
    assert init('.', command='rehearse')[0] == 0
    attributes = {'scope': '*', 'monitor_identifier': {'monitor_tags': ['*']}}
    downtime = {'data': {'type': 'downtime', 'attributes': attributes}}
    (tmp_path / 'downtime.json').write_text(json.dumps(downtime))
    code, out, _ = init('.', command='rehearse')
    assert code == 1 and 'found muted' in out


def test_a_first_scenario_with_downtimes_holds(init, tmp_path):
    attributes = {'scope': '*', 'monitor_identifier': {'monitor_tags': ['*']}}
    downtime = {'data': {'type': 'downtime', 'attributes': attributes}}
    (tmp_path / 'monitors.json').write_text(json.dumps(BODY))
    (tmp_path / 'downtime.json').write_text(json.dumps(downtime))
    assert init('.')[0] == 0
    [path] = (tmp_path / 'rehearsals').iterdir()
    assert 'notification: muted' in path.read_text()
    assert init('.', command='rehearse')[0] == 0
