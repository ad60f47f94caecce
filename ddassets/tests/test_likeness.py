"""What is meant as an asset and cannot be read is an error; other files of a repository are not."""

import json

import pytest

from ddassets.cli import main
from ddassets.diagnostic import Severity
from ddassets.sources import read, read_text_as
from ddassets.sources.likeness import misspelt_keys, resembles_assets

MONITOR = {
    'name': 'Lag',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:acme.lag{*} > 9',
    'message': 'Lag. @ops@example.com',
    'options': {'thresholds': {'critical': 9}},
}
NO_COMMA = json.dumps(MONITOR).replace('alert",', 'alert"')
NOT_YAML = '- name: Lag\n  type: query alert\n  query: "x\n  message: Lag\n'


def spelt(**names):
    """Return the monitor with other keys; None removes a key."""
    body = {names.get(key, key): value for key, value in MONITOR.items()}
    body.pop(None, None)
    return body


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'monitors').mkdir()
    (tmp_path / 'monitors' / 'lag.json').write_text(json.dumps(MONITOR))
    return tmp_path


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        pytest.param('broken.json', NO_COMMA, id='json'),
        pytest.param('broken.yaml', NOT_YAML, id='yaml'),
        pytest.param('broken.tf', 'resource "datadog_monitor" "a" {\n', id='terraform'),
        pytest.param('broken.yaml', 'kind: DatadogMonitor\nspec: {a: [\n', id='kubernetes'),
        pytest.param('broken.tf.json', '{"resource": {"datadog_monitor": {"a": {}}}', id='terraform-json'),
        pytest.param('broken.json', '{"title": "a", "layout_type": "ordered", "widgets": [}', id='dashboard'),
        pytest.param('broken.yaml', 'monitor_identifier: {monitor_id: 1}\nscope: "a\n', id='downtime'),
        pytest.param('broken.json', NO_COMMA.replace('query"', 'querry"'), id='misspelt-too'),
        pytest.param('monitors/broken.json', '{"name": "a"', id='beside-assets'),
    ],
)
def test_a_broken_file_of_assets_is_an_error(name, text, folder, capsys):
    (folder / name).write_text(text)
    assert main(['lint', '.']) == 1
    out = capsys.readouterr().out
    assert 'file/syntax' in out and f'{name}\n' in out and '1 error' in out
    assert main(['rehearse', '--auto', '.']) == 1
    assert 'file/syntax' in capsys.readouterr().out
    (folder / 'monitors' / 'lag.json').unlink()
    if 'monitors' not in name:
        assert main(['lint', '.']) == 1
        assert 'file/syntax' in capsys.readouterr().out
        assert main(['rehearse', '.']) == 2
        assert 'broken.' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        pytest.param('tsconfig.json', '{\n  // strict\n  "compilerOptions": {}\n}', id='tsconfig'),
        pytest.param('monitors/package.json', '{"name": "x", // why\n "type": "module"}', id='package'),
        pytest.param('chart.yaml', 'kind: Deployment\nname: {{ .Values.name }}\n', id='helm'),
        pytest.param('play.yaml', 'name: {{ name }}-x\nmessage: {{ text }}\n', id='template'),
        pytest.param('openapi.yaml', 'type: object\nquery: "a\n', id='query-and-type'),
    ],
)
def test_a_broken_file_of_another_tool_is_counted_in_a_note(name, text, folder, capsys):
    (folder / name).write_text(text)
    assert main(['lint', '.']) == 0
    out = capsys.readouterr().out
    assert f'1 file is not valid JSON or YAML and not read: {name}' in out and 'source/unread' in out
    [note] = read(folder).diagnostics
    assert note.severity is Severity.NOTE
    assert main(['rehearse', '--auto', '.']) == 0


def test_many_broken_files_of_other_tools_are_one_note(folder):
    for number in range(8):
        (folder / f'{number}.yaml').write_text('a: {{ .Values.a }}\n')
    [note] = read(folder).diagnostics
    assert note.message.startswith('8 files are not') and note.message.endswith(', 4.yaml and 3 more')


def test_a_file_beside_other_files_is_not_taken_for_an_asset(folder):
    (folder / 'monitors' / 'other.json').write_text('{"version": 1}')
    (folder / 'monitors' / 'broken.json').write_text('{"name": "a"')
    assert read(folder).problems == []


@pytest.mark.parametrize(
    ('body', 'found'),
    [
        pytest.param(spelt(query='querry'), {('querry',): 'query'}, id='query'),
        pytest.param(spelt(type='tpye'), {('tpye',): 'type'}, id='type'),
        pytest.param(spelt(type='Type', query='qery'), {('Type',): 'type', ('qery',): 'query'}, id='both'),
        pytest.param({'definition': spelt(query='querry')}, {('definition', 'querry'): 'query'}, id='definition'),
        pytest.param(MONITOR, {}, id='monitor'),
        pytest.param(spelt(query='expression'), {}, id='another-key'),
        pytest.param(spelt(query='queries'), {}, id='plural'),
        pytest.param(spelt(query=None), {}, id='missing'),
        pytest.param(spelt(type='tpye', message=None, options=None), {}, id='no-message'),
        pytest.param({'type': 'a', 'querry': 'b', 'message': 'c'}, {}, id='no-name'),
        pytest.param({**spelt(query='querry'), 'querry': ['a']}, {}, id='not-a-text'),
        pytest.param([MONITOR], {}, id='list'),
    ],
)
def test_misspelt_keys(body, found):
    assert misspelt_keys(body) == found


@pytest.mark.parametrize(
    'shape',
    [
        pytest.param(lambda body: [body], id='list'),
        pytest.param(lambda body: [MONITOR, body], id='second-of-a-list'),
        pytest.param(lambda body: body, id='object'),
        pytest.param(lambda body: {'monitors': [body]}, id='response'),
        pytest.param(lambda body: {'1': body}, id='synced'),
        pytest.param(lambda body: {'lag': body}, id='catalog'),
    ],
)
@pytest.mark.parametrize('name', ['query', 'type'])
def test_a_misspelt_key_is_an_error_in_every_shape(shape, name, tmp_path):
    wrong = {'query': 'querry', 'type': 'tpye'}[name]
    path = tmp_path / 'monitors.json'
    text = json.dumps(shape(spelt(**{name: wrong})), indent=1)
    [problem] = read_text_as(text, path).problems
    assert (problem.code, problem.severity) == ('file/unknown-key', Severity.ERROR)
    assert problem.message == f'{wrong}: unknown key; did you mean {name}?'
    line = next(number for number, line in enumerate(text.splitlines(), 1) if wrong in line)
    assert problem.position and problem.position.line == line
    path.write_text(text)
    assert main(['lint', str(path)]) == 1


def test_rehearse_names_the_misspelt_key_and_its_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'lag.yaml').write_text('- name: Lag\n  type: query alert\n  querry: a\n  message: Lag\n')
    for options in ([], ['--auto']):
        assert main(['rehearse', *options, 'lag.yaml']) == (1 if options else 2)
        shown = ''.join(capsys.readouterr())
        assert '3:11' in shown and 'did you mean query?' in shown


def test_a_long_text_of_other_keys_resembles_no_asset():
    assert not resembles_assets('a: b\n' * 200_000)
