"""`ddassets lint`, `rules` and `explain` from the outside: output, exit codes, configuration, emission."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ddassets.cli import main
from ddassets.lint.example import CONFIGURATION, DASHBOARD, MANIFEST, METADATA, MONITOR, metadata, widget, write
from ddassets.lint.rules import all_rules

GOLDEN = Path(__file__).parent / 'golden'
# One finding of each severity, with and without a caret, a hint and a position; a query of another product.
FAULTY = {
    MANIFEST: {'assets': {'dashboards': {'Gone': 'assets/dashboards/gone.json'}}},
    METADATA: metadata('acme.queue.length,gauge', 'acme.workers,gauge'),
    DASHBOARD: {
        'widgets': [
            widget('avg:acme.queue.lenght{$host} by {host}'),
            widget('sum:acme.workers{$host}.as_count()', title='Workers, all: 100%'),
            widget('', title='Logs', requests=[{'queries': [{'data_source': 'logs', 'name': 'a', 'search': {}}]}]),
        ]
    },
    MONITOR: {
        'definition': {'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 90', 'name': 'Löng\u202equeue'}
    },
    'assets/monitors/unlisted.json': '{"name": "Unlisted", "name": "Unlisted"}',
}


@pytest.fixture
def lint(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(['lint', *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        pytest.param('lint.txt', [], id='text'),
        pytest.param('lint_80.txt', [], id='80-columns'),
        pytest.param('lint.json', ['--format', 'json'], id='json'),
        pytest.param('lint.github', ['--format', 'github'], id='github'),
        pytest.param('lint.xml', ['--format', 'junit'], id='junit'),
        pytest.param('lint_errors.txt', ['--severity', 'error'], id='errors-alone'),
    ],
)
def test_golden_output(lint, tmp_path, name, options, monkeypatch):
    width = 80 if '80' in name else 140
    monkeypatch.setenv('COLUMNS', str(width))
    write(tmp_path, FAULTY)
    code, out, _ = lint('acme', *options)
    assert code == 1
    if name.endswith('.txt'):
        assert max(map(len, out.splitlines())) <= width
    path = GOLDEN / name
    if not path.exists():
        path.write_text(out)
        pytest.fail(f'{path} was written: read it and commit it')
    assert out == path.read_text()


def test_sarif(lint, tmp_path):
    write(tmp_path, FAULTY)
    code, out, _ = lint('acme', '--format', 'sarif')
    document = json.loads(out)
    assert (code, document['version'], len(document['runs'])) == (1, '2.1.0', 1)
    [run] = document['runs']
    rules = run['tool']['driver']['rules']
    assert [rule['id'] for rule in rules] == list(all_rules())
    found = json.loads(lint('acme', '--format', 'json')[1])['findings']
    assert len(run['results']) == len(found) > 4
    for result, finding in zip(run['results'], found, strict=True):
        assert set(result) == {'ruleId', 'ruleIndex', 'level', 'message', 'locations', 'partialFingerprints'}
        assert rules[result['ruleIndex']]['id'] == result['ruleId'] == finding['rule']
        assert result['level'] == finding['severity'] and result['level'] in ('error', 'warning', 'note')
        [location] = result['locations']
        physical = location['physicalLocation']
        # A relative reference: no scheme, no leading slash, nothing that needs an escape.
        assert physical['artifactLocation'] == {'uri': finding['file']}
        region = physical.get('region')
        assert (region and region['startLine']) == finding['line']
        assert (region and region['startColumn']) == finding['column']
        assert result['message']['text'].startswith(finding['message'][:10])
    for rule in rules:
        assert rule['defaultConfiguration']['level'] in ('error', 'warning', 'note')
        assert rule['shortDescription']['text'] and rule['fullDescription']['text']


def test_sarif_escapes_a_path(lint, tmp_path):
    write(tmp_path / 'my work #1', {MONITOR: '{'})
    document = json.loads(lint(tmp_path / 'my work #1', '--format', 'sarif')[1])
    uris = {r['locations'][0]['physicalLocation']['artifactLocation']['uri'] for r in document['runs'][0]['results']}
    assert uris <= {f'my%20work%20%231/acme/{file}' for file in (MONITOR, 'assets/downtimes/maintenance.json')}


def test_junit_counts(lint, tmp_path):
    write(tmp_path, FAULTY)
    top = ElementTree.fromstring(lint('acme', '--format', 'junit')[1])
    for suite in top.iter('testsuite'):
        assert int(suite.get('tests')) == len(suite.findall('testcase'))
        assert int(suite.get('failures')) == len(suite.findall('testcase/failure'))
    write(tmp_path / 'clean', {})
    clean = ElementTree.fromstring(lint('clean', '--format', 'junit')[1])
    assert [(s.get('tests'), s.get('failures')) for s in clean.iter('testsuite')] == [('1', '0')]


def test_colour_on_a_terminal_alone(lint, tmp_path, monkeypatch):
    write(tmp_path, FAULTY)
    assert '\033[' not in lint('acme')[1]
    monkeypatch.setattr('sys.stdout.isatty', lambda: True, raising=False)
    assert '\033[31merror' in lint('acme')[1]
    assert '\033[' not in lint('acme', '--format', 'github')[1]
    monkeypatch.setenv('NO_COLOR', '1')
    assert '\033[' not in lint('acme')[1]


NOTE = {MONITOR: {'definition': {'id': 1}}}
WARNING = {METADATA: b'\xef\xbb\xbf' + metadata('acme.queue.length,gauge').encode()}
ERROR = {MONITOR: {'definition': {'options': {'timeout_h': 48}}}}


@pytest.mark.parametrize(
    ('files', 'fail_on', 'code'),
    [
        pytest.param({}, 'note', 0, id='clean'),
        pytest.param(NOTE, 'note', 1, id='note-note'),
        pytest.param(NOTE, 'warning', 0, id='note-warning'),
        pytest.param(WARNING, 'warning', 1, id='warning-warning'),
        pytest.param(WARNING, 'error', 0, id='warning-error'),
        pytest.param(ERROR, 'error', 1, id='error-error'),
        pytest.param(ERROR, 'never', 0, id='error-never'),
    ],
)
def test_fail_on(lint, tmp_path, files, fail_on, code):
    write(tmp_path, files)
    assert lint('acme', '--fail-on', fail_on)[0] == code
    # What is shown has no part in it.
    assert lint('acme', '--fail-on', fail_on, '--severity', 'error')[0] == code


def test_a_missing_path(lint):
    code, out, err = lint('acme')
    assert (code, out) == (2, '')
    assert 'acme: No such file or directory' in err


@pytest.mark.parametrize(
    ('path', 'message'),
    [
        pytest.param('acne', 'acne: No such file or directory; did you mean acme?', id='misspelt'),
        pytest.param('nowhere/acme', 'nowhere/acme: No such file or directory\n', id='no-folder-above'),
        pytest.param('file', 'file: expected a monitor, dashboard or downtime in a supported form\n', id='file'),
        pytest.param('acme/notes.md', 'pass the folder of the integration, acme\n', id='a-file-of-it'),
    ],
)
def test_a_path_that_is_not_a_folder(lint, tmp_path, path, message):
    write(tmp_path, {})
    (tmp_path / 'file').write_text('')
    (tmp_path / 'acme' / 'notes.md').write_text('Notes')
    code, out, err = lint(path)
    assert (code, out) == (2, '')
    assert message in err


@pytest.mark.parametrize('manifest', [pytest.param(FAULTY[MANIFEST], id='manifest'), pytest.param(None, id='none')])
def test_one_asset_of_an_integration(lint, tmp_path, manifest):
    """The rest of the integration is context and not reported; keys of the server are reported."""
    monitor = {'definition': {**FAULTY[MONITOR]['definition'], 'id': 4711, 'overall_state': 'OK'}}
    write(tmp_path, {**FAULTY, METADATA: None, MANIFEST: manifest, MONITOR: monitor})
    _, all_of_it, _ = lint('acme', '--format', 'json')
    _, one, _ = lint(f'acme/{MONITOR}', '--format', 'json')
    found, alone = (json.loads(text)['findings'] for text in (all_of_it, one))
    assert alone == [each for each in found if each['file'] == f'acme/{MONITOR}']
    assert {'monitor/id', 'file/server-key'} <= {each['rule'] for each in alone}
    assert len(alone) < len(found)


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='no full disk to write to')
def test_a_full_disk(tmp_path):
    write(tmp_path, {})
    with open('/dev/full', 'w') as full:
        command = [sys.executable, '-m', 'ddassets', 'lint', tmp_path / 'acme']
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (2, 'ddassets: error: cannot write: No space left on device\n')


def test_an_empty_folder(lint, tmp_path):
    (tmp_path / 'docs').mkdir()
    code, out, _ = lint('docs')
    assert code == 1
    assert 'manifest/no-integration' in out and out.startswith('docs\n')


def test_a_checkout(lint, tmp_path):
    write(tmp_path / 'a', {})
    write(tmp_path / 'b', ERROR)
    (tmp_path / 'a' / 'acme').rename(tmp_path / 'b' / 'zebra')
    (tmp_path / 'b' / '.github').mkdir()
    code, out, _ = lint('b')
    assert code == 1
    assert '2 integrations' in out and 'zebra' not in out


def test_the_current_folder(lint, tmp_path, monkeypatch):
    folder = write(tmp_path, {**ERROR, CONFIGURATION: 'ignore: [{rule: monitor/timeout, reason: legacy}]'})
    monkeypatch.chdir(folder)
    assert lint('.')[0] == 0
    monkeypatch.chdir(folder / 'assets')
    assert lint('..')[0] == 0


# Other integrations


def test_metrics_of_another_integration_are_known(lint, tmp_path):
    """A name under a prefix that two integrations share, and one under a prefix that nothing else knows."""
    queries = [widget('avg:acme.disk.free{$host}'), widget('avg:zebra.stripes{$host}', title='Stripes')]
    write(tmp_path, {DASHBOARD: {'widgets': queries}})
    code, out, _ = lint('acme')
    assert code == 1
    assert 'acme.disk.free is not in metadata.csv' in out and 'zebra.stripes is not' in out
    (tmp_path / 'zebra').mkdir()
    (tmp_path / 'zebra' / 'manifest.json').write_text('{}')
    (tmp_path / 'zebra' / 'metadata.csv').write_text(metadata('zebra.stripes,gauge', 'acme.disk.free,gauge'))
    # Beside it in the checkout suffices; it need not be linted itself.
    assert lint('acme') == (0, '1 integration, 3 queries: nothing found\n', '')


def test_a_folder_of_downtimes_is_an_integration(lint, tmp_path):
    folder = tmp_path / 'night' / 'assets' / 'downtimes'
    folder.mkdir(parents=True)
    (folder / 'night.json').write_text('{"monitor_identifier": {"monitor_tags": ["*"]}, "scope": "env:dev"}')
    assert lint('night')[1].endswith('\n1 integration, 0 queries: 1 note\n')


# Configuration

UNKNOWN = {DASHBOARD: {'widgets': [widget('avg:zebra.stripes{$host}')]}}


@pytest.mark.parametrize(
    ('files', 'text', 'rules'),
    [
        pytest.param(ERROR, '', ['monitor/timeout'], id='empty'),
        pytest.param(ERROR, 'ignore:\ncompanions:\n', ['monitor/timeout'], id='null'),
        pytest.param(ERROR, 'ignore: [{rule: monitor/timeout, reason: r}]', [], id='rule'),
        pytest.param(ERROR, f'ignore: [{{rule: monitor/timeout, file: {MONITOR}, reason: r}}]', [], id='file'),
        pytest.param(ERROR, 'ignore: [{rule: monitor/timeout, file: assets/*.json, reason: r}]', [], id='pattern'),
        pytest.param(ERROR, 'ignore: [{rule: monitor/timeout, object: Queue is long, reason: r}]', [], id='object'),
        pytest.param(
            ERROR,
            'ignore: [{rule: monitor/timeout, object: Queue, reason: r}]',
            ['config/unused-ignore', 'monitor/timeout'],
            id='other-object',
        ),
        pytest.param(
            ERROR,
            'ignore: [{rule: monitor/timeout, file: x.json, reason: r}]',
            ['config/unused-ignore', 'monitor/timeout'],
            id='other-file',
        ),
        pytest.param(ERROR, 'ignore: [{rule: monitor/timeout}]', ['config/ignore-without-reason'], id='no-reason'),
        pytest.param(
            {},
            'ignore: [{rule: config/unused-ignore, reason: r}, {rule: monitor/timeout, reason: may come back}]',
            [],
            id='an-unused-ignore-is-ignored',
        ),
        # Without an emission the rule is silent, so that nothing can be said of the entry.
        pytest.param({}, 'ignore: [{rule: tag/unknown, reason: a tag of the host}]', [], id='needs-emission'),
        pytest.param(UNKNOWN, 'companions: ["zebra.*"]', [], id='companion-pattern'),
        pytest.param(UNKNOWN, 'companions: [zebra.stripes]', [], id='companion-name'),
        pytest.param(UNKNOWN, 'companions: [zebra]', ['metric/unknown'], id='companion-is-no-prefix'),
    ],
)
def test_configuration(lint, tmp_path, files, text, rules):
    write(tmp_path, {**files, CONFIGURATION: text})
    found = json.loads(lint('acme', '--format', 'json')[1])['findings']
    assert sorted({finding['rule'] for finding in found}) == rules


def test_configuration_of_a_checkout(lint, tmp_path):
    write(tmp_path, ERROR)
    entry = 'ignore:\n- {rule: monitor/timeout, file: acme/assets/monitors/*, reason: r}\n'
    (tmp_path / CONFIGURATION).write_text(entry + '- {rule: monitor/id, reason: r}\n')
    assert lint('acme')[0] == 0
    # As a whole it can be judged: the second entry is idle.
    code, out, _ = lint(tmp_path)
    assert code == 1
    assert 'there is no finding of monitor/id to ignore' in out and '3:3' in out


def test_configuration_beside_an_asset(lint, tmp_path):
    write(
        tmp_path,
        {**ERROR, 'assets/monitors/queue_is_long.ddassets.yaml': 'ignore: [{rule: monitor/timeout, reason: r}]'},
    )
    code, out, _ = lint('acme')
    assert (code, out) == (0, '1 integration, 2 queries: nothing found; 1 ignored\n')
    write(tmp_path, {'assets/monitors/queue_is_long.ddassets.yaml': 'ignore: [{rule: monitor/timeout, reason: r}]'})
    assert lint('acme')[0] == 1


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        pytest.param(
            'ignor: []', ":1:1: unknown key 'ignor'; did you mean ignore?; allowed: companions, ignore", id='key'
        ),
        pytest.param('ignore:\n- rul: x', ":2:3: unknown key 'rul'; did you mean rule?", id='key-of-an-entry'),
        pytest.param(
            'ignore:\n- rule: metric/unknwn',
            ":2:9: there is no rule 'metric/unknwn'; did you mean metric/unknown?",
            id='rule',
        ),
        pytest.param('ignore:\n- reason: x', ':2:3: an entry of ignore requires the key rule', id='no-rule'),
        pytest.param('ignore: 3', ':1:9: ignore: expected a list', id='no-list'),
        pytest.param(
            'ignore: [3]', ':1:10: expected a mapping with the keys rule, file, object, reason', id='no-mapping'
        ),
        pytest.param('companions: [[a]]', ':1:14: companions: expected a text', id='no-text'),
        pytest.param('- a', ':1:1: expected a mapping', id='a-list'),
        pytest.param('ignore: []\nignore: []', ":2:1: the key 'ignore' is duplicated", id='twice'),
        pytest.param('ignore: [', ':1:10: invalid YAML', id='broken'),
        pytest.param('a: *b', ':1:4: invalid YAML: found undefined alias', id='alias'),
        pytest.param(b'\xff\xfe\x00', 'invalid YAML', id='encoding'),
        pytest.param('[' * 5000, 'invalid YAML', id='deep'),
        pytest.param('? {a: b}\n: c', ':1:3: unknown key', id='odd-key'),
    ],
)
def test_unusable_configuration(lint, tmp_path, text, message):
    write(tmp_path, {CONFIGURATION: text})
    code, out, err = lint('acme')
    assert (code, out) == (2, '')
    assert message in err and CONFIGURATION in err


# Emission


def emission(tmp_path, **series):
    path = tmp_path / 'emission.json'
    listed = [{'metric': name, 'type': 'gauge', 'tags': tags} for name, tags in series.items()]
    path.write_text(json.dumps({'integration': 'acme', 'series': listed}))
    return path


def test_emission(lint, tmp_path):
    write(tmp_path, {DASHBOARD: {'widgets': [widget('avg:acme.queue.length{$host} by {queues}')]}})
    assert lint('acme')[0] == 0
    path = emission(tmp_path, **{'acme.queue.length': ['queue:in'], 'acme.new': []})
    code, out, _ = lint('acme', '--emission', path)
    assert code == 1
    assert 'no series of acme.queue.length has the tag key queues' in out
    assert 'the check submits acme.new, which is not listed' in out


def test_emission_of_another_integration(lint, tmp_path):
    write(tmp_path, {})
    (tmp_path / 'acme').rename(tmp_path / 'acne')
    code, _, err = lint('acne', '--emission', emission(tmp_path, **{'acme.queue.length': []}))
    assert code == 2
    assert "the emission is for 'acme', which is not linted here; did you mean acne?" in err


@pytest.mark.parametrize(
    'text',
    ['', '[]', '{}', '{"integration": "acme", "series": {}}', '{"integration": "acme", "series": []}', '[' * 100_000,
     '{"integration": "acme", "series": [{"metric": 1}]}', '{"ok": false, "error": "x"}'],
)  # fmt: skip
def test_unusable_emission(lint, tmp_path, text):
    write(tmp_path, {})
    path = tmp_path / 'emission.json'
    path.write_text(text)
    code, out, err = lint('acme', '--emission', path)
    assert (code, out) == (2, '')
    assert 'emission.json: ' in err


def test_what_check_prints_is_an_emission(ddassets, integration, tmp_path):
    """End to end: the probe is built, installed and run, and lint uses its submissions."""
    done = ddassets('check', integration, '--json')
    (tmp_path / 'emission.json').write_text(done.out)
    (tmp_path / 'tiny_probe' / 'assets' / 'monitors').mkdir(parents=True)
    prefix = {'prefix': 'tiny', 'metadata_path': 'metadata.csv'}
    (tmp_path / 'tiny_probe' / 'manifest.json').write_text(json.dumps({'assets': {'integration': {'metrics': prefix}}}))
    (tmp_path / 'tiny_probe' / 'metadata.csv').write_text(metadata('tiny.level,count'))
    linted = ddassets('lint', tmp_path / 'tiny_probe', '--emission', tmp_path / 'emission.json', '--format', 'json')
    messages = [finding['message'] for finding in json.loads(linted.out)['findings']]
    assert messages == [
        'the check submits tiny.runs, which is not listed',
        'tiny.level is listed as a count; the check submits a gauge',
    ]


# The other commands


def test_rules(capsys):
    assert main(['rules']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(all_rules())
    assert any(line.startswith('metric/unknown ') and ' error ' in line for line in lines)


def test_explain(capsys):
    assert main(['explain', 'metric/unknown']) == 0
    out = capsys.readouterr().out
    assert out.startswith('## metric/unknown\n') and 'Bad:' in out and 'acme.queue.lenght' in out


@pytest.mark.parametrize(
    'name, hint',
    [
        pytest.param('metric/unknwn', 'did you mean metric/unknown?; ', id='near'),
        pytest.param('metric-unknown', 'did you mean metric/unknown?; ', id='dash'),
        pytest.param('unknown-metric/', '', id='far'),
    ],
)
def test_explain_a_typo(capsys, name, hint):
    assert main(['explain', name]) == 2
    said = capsys.readouterr()
    assert said.out == ''
    assert said.err == f'ddassets: error: there is no rule {name!r}; {hint}`ddassets rules` lists them\n'


def test_help_is_quick_to_write(capsys):
    with pytest.raises(SystemExit) as left:
        main(['lint', '--help'])
    assert left.value.code == 0
    assert '--fail-on' in capsys.readouterr().out


def test_lint_imports_only_what_it_needs(tmp_path):
    """No numpy, no API client, and no YAML without a configuration file."""
    write(tmp_path, {})
    program = (
        'import sys; from ddassets.cli import main; code = main(["lint", sys.argv[1]]); '
        'unwanted = {"numpy", "yaml", "datadog_api_client", "xml", "asyncio", "subprocess"}; '
        'print(sorted(unwanted & sys.modules.keys()), code)'
    )
    done = subprocess.run(
        [sys.executable, '-c', program, tmp_path / 'acme'], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith('[] 0\n'), done.stdout
