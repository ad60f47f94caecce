"""`ddassets rehearse` from the outside: output, exit codes, writing, explaining, coverage, the page."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ddassets.cli import main
from ddassets.output.terminal import table

HERE = Path(__file__).parent
GOLDEN = HERE / 'golden'
DAY = 'acme/rehearsals/day.yaml'
NIGHT = 'acme/rehearsals/night.yaml'


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the command beside a copy of the integration, and returns its code and what it printed."""
    shutil.copytree(HERE / 'acme', tmp_path / 'acme')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('COLUMNS', '140')

    def command(*arguments):
        code = main(['rehearse', *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def replace(old: str, new: str, path: str = NIGHT) -> None:
    file = Path(path)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ('name', 'options', 'code'),
    [
        pytest.param('rehearse.txt', ['acme'], 0, id='text'),
        pytest.param('rehearse.json', ['--format', 'json', DAY], 0, id='json'),
        pytest.param('rehearse.xml', ['--format', 'junit', 'acme'], 0, id='junit'),
        pytest.param('rehearse_explain.txt', [NIGHT, '--explain', '2027-01-11T20:34:30'], 0, id='explain'),
        pytest.param('rehearse_80.txt', ['--assumptions', 'acme'], 0, id='80-columns'),
        pytest.param('rehearse.md', ['--format', 'markdown', 'acme'], 0, id='markdown'),
        pytest.param('rehearse.sarif', ['--format', 'sarif', NIGHT], 1, id='failed-sarif'),
        pytest.param('rehearse_failed.txt', ['--inbox', '3', NIGHT], 1, id='failed'),
        pytest.param('rehearse_failed.xml', ['--format', 'junit', NIGHT, '--min-coverage', '90'], 1, id='failed-junit'),
    ],
)
def test_golden_output(run, name, options, code, monkeypatch):
    width = 80 if '80' in name else 140
    monkeypatch.setenv('COLUMNS', str(width))
    if code:
        replace('{exactly: 2}', '{exactly: 3}')
        replace('at_most: 4h}', 'at_most: 2h}')
    found, out, err = run(*options)
    assert (found, err) == (code, '')
    if name.endswith('.txt'):
        assert max(map(len, out.splitlines())) <= width
    # The version comes from the newest tag.
    out = out.replace(f'"{version("ddassets")}"', '"VERSION"')
    path = GOLDEN / name
    if not path.exists():
        path.write_text(out)
        pytest.fail(f'{path} was written: read it and commit it')
    assert out == path.read_text(), f'read the difference; if it is right, write it to {path}'


def test_machine_formats_are_well_formed(run):
    replace('description: What', 'description: "\\u202e\\e[31m <&> What', NIGHT)
    replace('it still lasts', 'it still lasts"', NIGHT)
    code, out, _ = run('acme', '--format', 'json')
    document = json.loads(out)
    assert (code, document['ok'], [one['ok'] for one in document['rehearsals']]) == (0, True, [True, True])
    assert len(document['rehearsals'][1]['inbox']) == 12
    _, out, _ = run('acme', '--format', 'junit')
    assert ElementTree.fromstring(out).tag == 'testsuites'
    _, out, _ = run('acme')
    assert '\u202e' not in out
    assert '\x1b' not in out


def test_a_file_named_by_several_paths_is_rehearsed_once(run):
    _, out, _ = run('acme', NIGHT, f'acme/../{NIGHT}', Path(NIGHT).absolute())
    assert out.endswith('2 rehearsed: 2 passed\n')


def test_one_unusable_file_does_not_stop_the_others(run):
    replace('length: 16h', 'lenght: 16h')
    code, out, err = run('acme')
    assert code == 2
    assert f'ddassets: error: {NIGHT}:4:1: ' in err
    assert 'did you mean length?' in err
    assert out.endswith('2 rehearsed: 1 passed, 1 unusable\n')
    code, out, _ = run('acme', '--format', 'json')
    assert (code, json.loads(out)['rehearsals'][1]['error'].split(': ')[1]) == (
        2,
        "unknown key 'lenght'; did you mean length?; known",
    )
    code, out, _ = run('acme', '--format', 'junit')
    assert [len(suite.findall('*/error')) for suite in ElementTree.fromstring(out)] == [0, 1]


NIGHT_LONG = 'long.yaml'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        pytest.param(['nowhere'], 'nowhere: no such file or folder', id='path'),
        pytest.param(['acme/assets'], 'acme/assets: found no scenario; expected rehearsals/*.yaml', id='folder'),
        pytest.param([DAY, '--monitor', 'x'], 'choose what --explain is about', id='monitor'),
        pytest.param([DAY, '--open'], '--open opens the page of --report DIR', id='open'),
        pytest.param([DAY, '--write', '--explain', '2027-01-11'], 'exclude each other', id='write-explain'),
        pytest.param([DAY, '--write', '--report', 'page'], 'then ask for the page', id='write-report'),
        pytest.param([DAY, '--write', '--min-coverage', '9'], 'then check the coverage', id='write-min-coverage'),
        pytest.param(
            [DAY, '--explain', '2027-01-11', '--min-coverage', '9'], 'it excludes --min-coverage', id='explain-coverage'
        ),
        pytest.param([DAY, '--explain', '2027-01-11', '--report', 'page'], 'and --report', id='explain-report'),
        pytest.param([DAY, '--write', '--format', 'json'], 'print text only', id='write-json'),
        pytest.param([DAY, '--write', '--inbox', '9'], '--inbox has no effect', id='write-inbox'),
        pytest.param(
            [DAY, '--explain', '2027-01-11', '--what-if', 'all'], '--what-if has no effect', id='explain-what-if'
        ),
        pytest.param(['acme', '--auto', '--assumptions'], '--assumptions has no effect', id='auto-assumptions'),
        pytest.param(
            ['acme', '--auto', '--inbox', '9'],
            '--inbox has no effect; `ddassets init PATH` writes a scenario, `ddassets rehearse PATH` runs it',
            id='auto-inbox',
        ),
        pytest.param(
            ['acme', '--auto', '--write'], 'need one; `ddassets init PATH` writes a scenario', id='auto-write'
        ),
        pytest.param(['acme/assets'], '`ddassets rehearse --auto acme/assets` needs no scenario', id='folder-auto'),
        pytest.param(
            [DAY, '--explain', 'noon'], "expected a time such as 2027-01-04T08:00:00, found 'noon'", id='time'
        ),
        pytest.param([DAY, '--explain', '2027-01-12'], '2027-01-12 is outside the rehearsal', id='outside'),
        pytest.param(
            [DAY, '--explain', '2027-01-11T10:00:00', '--monitor', 'queue'], "'queue' is not rehearsed", id='no-monitor'
        ),
        pytest.param(
            [DAY, '--explain', '2027-01-11T10:00:00', '--monitor', 'queue_full', '--group', 'host:one,env:prd'],
            "Queue is full has no group 'host:one,env:prd'; did you mean host:one,env:prod?",
            id='no-group',
        ),
        pytest.param([DAY, '--explain', '08:59'], '08:59 is outside the rehearsal', id='time-of-day-outside'),
        pytest.param(
            [NIGHT_LONG, '--explain', '18:30'],
            'covers 18:30 2 times, pass one of them: 2027-01-11T18:30:00, 2027-01-12T18:30:00',
            id='time-of-day-twice',
        ),
    ],
)
def test_unusable_arguments(run, arguments, message):
    Path(NIGHT_LONG).write_text(Path(NIGHT).read_text().replace('length: 16h', 'length: 25h'))
    code, _, err = run(*arguments)
    assert code == 2
    assert message in err


def test_a_refused_command_has_the_code_of_a_refused_file(run):
    code, out, _ = run('nowhere', '--json')
    assert (code, json.loads(out)['diagnostics'][0]['rule']) == (2, 'rehearsal/unusable')


@pytest.mark.parametrize(
    'options',
    [['--explain', '2027-01-11T10:04:30'], ['--report', 'pa\x1b[2Jge']],
    ids=lambda each: each[0],
)
def test_text_of_a_file_cannot_control_the_terminal(run, options):
    path = Path('acme/assets/monitors/queue_full.json')
    body = json.loads(path.read_text())
    body['definition']['name'] += '\x1b[2J'
    body['definition']['message'] += '\x1b[2J @slack-\x1b[2J'
    path.write_text(json.dumps(body))
    code, out, err = run(DAY, *options)
    assert code < 2, err
    assert r'\x1b[2J' in out + err and '\x1b' not in out + err


def test_the_name_of_a_file_that_is_written_does_not_control_the_terminal(run):
    path = Path(DAY).with_name('a\x1b[2J.yaml')
    path.write_bytes(Path(DAY).read_bytes())
    code, out, _ = run('--write', path)
    assert code == 0 and r'a\x1b[2J.yaml: ' in out and out.replace('\n', '').isprintable()


def test_an_instant_is_explained(run):
    code, out, _ = run(
        'acme', '--explain', '2027-01-11T10:04:30', '--group', 'host:two,env:test', '--monitor', 'queue_full'
    )
    assert code == 0
    assert out.startswith('Queue is full, host:two,env:test at Mon 2027-01-11 10:04:30: No Data\n')
    assert '    no points\n  value: nothing\n  the evaluation returned nothing\n' in out


def test_a_time_of_day_that_occurs_once_is_explained(run):
    assert run(NIGHT, '--explain', '20:34:30') == run(NIGHT, '--explain', '2027-01-11T20:34:30')
    assert 'at Tue 2027-01-12 01:10:00: ' in run(NIGHT, '--explain', '01:10')[1]


@pytest.mark.parametrize(
    ('tags', 'groups'),
    [
        pytest.param('env:prod', ['host:one,env:prod', 'host:three,env:prod'], id='several'),
        pytest.param('host:two', ['host:two,env:test'], id='one'),
        pytest.param('env:prod,host:three', ['host:three,env:prod'], id='all-tags-in-another-order'),
    ],
)
def test_groups_are_selected_by_a_part_of_their_tags(run, tags, groups):
    replace('series:\n', 'series:\n  - {metric: acme.queue.length, tags: [host:three], values: 10x120}\n', DAY)
    replace('hosts:\n', 'hosts:\n  three: {tags: [env:prod]}\n', DAY)
    code, out, _ = run(DAY, '--explain', '10:04:30', '--monitor', 'queue_full', '--group', tags)
    assert code == 0
    found = [line.split(' at ')[0] for line in out.splitlines() if line.startswith('Queue is full, ')]
    assert found == [f'Queue is full, {group}' for group in groups]


def test_too_many_groups_with_the_tags_are_listed(run):
    more = ''.join(
        f'  - {{metric: acme.queue.length, tags: [host:h{number}, env:many], values: 10x120}}\n' for number in range(11)
    )
    replace('series:\n', f'series:\n{more}', DAY)
    code, _, err = run(DAY, '--explain', '10:04', '--monitor', 'queue_full', '--group', 'env:many')
    assert code == 2
    assert 'Queue is full has 11 groups with env:many, pass one of them: host:h0,env:many, host:h1,env:many, ' in err


def test_explain_says_why_a_monitor_has_no_group(run):
    replace('acme.queue.length,', 'other, type: gauge, interval: 1m,', NIGHT)
    sentence = 'no group: its query asks for acme.queue.length; the scenario has series of other'
    code, out, _ = run(NIGHT, '--explain', '20:34')
    assert (code, out) == (0, f'Queue is full: {sentence}\n\n')
    code, _, err = run(NIGHT, '--explain', '20:34', '--group', 'host:one')
    assert (code, sentence.removeprefix('no group: ') in err) == (2, True)


@pytest.mark.parametrize(
    ('instant', 'mutes'),
    [
        pytest.param('2027-01-11T18:59:59', False, id='before'),
        pytest.param('2027-01-11T19:00:00', True, id='from-its-start'),
        pytest.param('2027-01-12T08:59:59', True, id='until-its-end'),
        pytest.param('2027-01-12T09:00:00', False, id='not-at-its-end'),
    ],
)
def test_muting_at_an_instant_is_explained(run, instant, mutes):
    _, out, _ = run(NIGHT, '--explain', instant, '--monitor', 'queue_full')
    named = 'the downtime "Quiet for the night" (nights, scope *) mutes until Tue 2027-01-12 09:00:00'
    assert (named in out) == mutes
    assert ('no downtime is active' in out) != mutes


def test_the_recipients_and_the_reasons_of_the_others_are_explained(run):
    replace('tags: [env:prod]', 'tags: [env:dev]', DAY)
    _, out, _ = run(DAY, '--explain', '09:43', '--monitor', 'queue_full', '--group', 'host:one')
    assert out.endswith(
        '  notification at Mon 2027-01-11 09:43:00: Alert, transition, sent to @slack-acme\n'
        '    @pagerduty-acme not notified: is_match "env.name" "prod" is false, env.name is dev\n'
        '  no downtime is active\n\n'
    )


def test_the_last_notification_before_an_instant_is_explained(run):
    _, out, _ = run(NIGHT, '--explain', '20:10')
    assert (
        '  no notification at this evaluation; the last one:\n'
        '  notification at Mon 2027-01-11 20:04:00: Alert, transition, muted by "Quiet for the night", '
        'else to @pagerduty-acme @slack-acme\n'
        '  the downtime "Quiet for the night" (nights, scope *) mutes until Tue 2027-01-12 09:00:00\n'
    ) in out
    assert '  no notification at this evaluation; none before\n' in run(NIGHT, '--explain', '18:10')[1]


def test_a_muted_line_names_the_first_of_who_would_have_been_notified(run):
    replace('@slack-acme"', '@slack-acme @b @c"', 'acme/assets/monitors/queue_full.json')
    _, out, _ = run(NIGHT)
    assert 'muted by "Quiet for the night", else to @pagerduty-acme @slack-acme and 2 more\n' in out
    replace('@slack-acme @b @c"', '"', 'acme/assets/monitors/queue_full.json')
    _, out, _ = run(NIGHT)
    assert '64 > 60.0  muted by "Quiet for the night", else to nobody\n' in out


@pytest.mark.parametrize(
    ('message', 'label', 'shown'),
    [
        pytest.param('', 'nights', 'nights (', id='none'),
        pytest.param('@slack-acme', 'nights', 'nights (', id='handles-only'),
        pytest.param('\n@a Disks, @b@c.de!\nmore', '"Disks"', '"Disks" (nights, ', id='first-line-without-handles'),
        pytest.param('x' * 40, f'"{"x" * 29}…"', f'"{"x" * 29}…" (nights, ', id='shortened'),
    ],
)
def test_a_downtime_is_named_by_its_message(run, message, label, shown):
    path = Path('acme/assets/downtimes/nights.json')
    body = json.loads(path.read_text())
    body['data'] |= {'id': 'f3-7', 'attributes': body['data']['attributes'] | {'message': message}}
    path.write_text(json.dumps(body))
    replace('  - {notifications: {exactly: 2}, downtime: nights}\n', '')
    [found] = json.loads(run(NIGHT, '--json')[1])['rehearsals'][0]['downtimes']
    assert (found['name'], found['id']) == ('nights', 'f3-7')
    assert (found['subject'] or 'nights') == label.strip('"')
    assert f'muted by {label}, else to ' in run(NIGHT)[1]
    assert f'the downtime {shown}scope *, id f3-7) mutes until' in run(NIGHT, '--explain', '20:10')[1]


def test_downtimes_with_equal_messages_are_told_apart(run):
    path = Path('acme/assets/downtimes/nights.json')
    path.with_name('again.json').write_text(path.read_text())
    both = 'muted by "Quiet for the night" (again), "Quiet for the night" (nights), else to @slack-acme'
    assert both in run(NIGHT)[1]


def test_write_fills_in_expectations_that_hold(run):
    before = Path(DAY).read_text()
    code, out, _ = run(DAY, '--write')
    assert (code, out) == (
        0,
        f'{DAY}: wrote 11 expectations. Review them: they state what happens, not what should happen.\n',
    )
    assert Path(DAY).read_text().startswith(before)
    assert run(DAY, '--write') == (0, f'{DAY}: unchanged, 11 expectations\n', '')
    assert run(DAY)[0] == 0
    replace('value: 94', 'value: 95', DAY)
    code, out, _ = run(DAY)
    assert code == 1
    assert 'value: expected 95, found 94' in out


def test_write_leaves_properties_alone(run):
    before = Path(NIGHT).read_text()
    assert run(NIGHT, '--write') == (0, f'{NIGHT}: states properties, left alone\n', '')
    assert Path(NIGHT).read_text() == before


def test_write_follows_a_link_and_keeps_the_mode(run, tmp_path):
    Path(DAY).rename('real.yaml')
    Path('real.yaml').chmod(0o640)
    Path(DAY).symlink_to(tmp_path / 'real.yaml')
    assert run(DAY, '--write')[0] == 0
    assert Path(DAY).is_symlink()
    assert 'expect:' in Path('real.yaml').read_text()
    assert Path('real.yaml').stat().st_mode & 0o777 == 0o640


def test_coverage_of_all_files_together(run):
    assert run('acme', '--min-coverage', '87.5')[0] == 0
    code, out, _ = run('acme', '--min-coverage', '88')
    assert code == 1
    assert 'Coverage of acme: 87.5 %\n' in out
    assert '  FAILED: coverage of at least 88 %\n' in out
    # One file of them covers less.
    assert run(NIGHT, '--min-coverage', '87.5')[0] == 1


def test_the_page_is_written(run):
    code, _, err = run('acme', '--report', 'page')
    assert (code, err) == (0, 'ddassets: the page is page/index.html\n')
    assert '<title>Rehearsal of acme</title>' in Path('page/index.html').read_text()


def test_an_interrupted_reader_causes_no_traceback(run):
    command = [sys.executable, '-m', 'ddassets', 'rehearse', DAY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b''
        assert process.wait(60) == 130


def test_colour_on_a_terminal_alone(run, monkeypatch):
    assert '\033[' not in run(NIGHT)[1]
    monkeypatch.setattr('sys.stdout.isatty', lambda: True, raising=False)
    _, out, _ = run(NIGHT)
    assert '\033[31mAlert\033[0m' in out and '\033[32mPassed: 5 expectations\033[0m' in out
    assert '\033[' not in run(NIGHT, '--format', 'markdown')[1]
    monkeypatch.setenv('NO_COLOR', '1')
    assert '\033[' not in run(NIGHT)[1]


def test_a_long_name_is_cut_where_the_table_is_too_wide():
    rows = [['', 'OK'], ['host:' + 'a' * 100, '5m'], ['host:b', '10m']]
    assert [''.join(row) for row in table(rows, 40)] == [
        ' ' * 35 + ' OK',
        'host:' + 'a' * 29 + '… 5m',
        'host:b' + ' ' * 29 + '10m',
    ]


@pytest.mark.parametrize(
    ('damaged', 'key'),
    [
        pytest.param('lenght: 16h', '', id='key'),
        pytest.param('length: long', 'length', id='value'),
        pytest.param('length: @', '', id='yaml'),
    ],
)
def test_a_refused_file_has_its_place_in_every_format(run, damaged, key):
    """The same position in JSON, SARIF, Markdown and as an annotation."""
    number = next(index for index, each in enumerate(Path(NIGHT).read_text().splitlines(), 1) if 'length: 16h' in each)
    replace('length: 16h', damaged)
    [fault] = json.loads(run('--json', NIGHT)[1])['rehearsals'][0]['diagnostics']
    assert (fault['file'], fault['line'], fault['key'], fault['rule']) == (NIGHT, number, key, 'rehearsal/unusable')
    code, out, _ = run('--format', 'github', NIGHT)
    assert code == 2 and out.startswith(f'::error file={NIGHT},line={number},col=')
    [result] = json.loads(run('--format', 'sarif', NIGHT)[1])['runs'][0]['results']
    assert result['locations'][0]['physicalLocation']['region']['startLine'] == number
    assert f'`{NIGHT}:{number}`' in run('--format', 'markdown', NIGHT)[1]
