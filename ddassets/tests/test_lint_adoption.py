"""lint in a checkout of many integrations: a baseline, only changed integrations, a summary, and ignores by pattern."""

import json
import shutil
import subprocess

import pytest

from ddassets.cli import main
from ddassets.lint.example import CONFIGURATION, DASHBOARD, METADATA, metadata, widget, write

BAD = {DASHBOARD: {'widgets': [widget('avg:acme.queue.lenght{$host}'), widget('avg:acme.wrokers{$host}', 'Work')]}}
LISTED = metadata('acme.queue.length,gauge', 'acme.workers,gauge')


def run(capsys, *arguments):
    code = main(['lint', *map(str, arguments)])
    return code, capsys.readouterr().out


def findings(capsys, *arguments):
    code, out = run(capsys, '--format', 'json', *arguments)
    return code, json.loads(out)


def test_findings_in_a_baseline_are_counted_and_not_shown(tmp_path, capsys):
    folder, baseline = write(tmp_path, BAD), tmp_path / 'baseline.json'
    assert run(capsys, folder)[0] == 1
    code, out = run(capsys, '--write-baseline', baseline, folder)
    assert (code, out.endswith('wrote 2 findings\n')) == (0, True)
    code, out = run(capsys, '--baseline', baseline, folder)
    assert (code, out) == (0, '1 integration, 3 queries: nothing found; 2 known\n')

    # An edit that moves the findings to other lines changes nothing, a new fault is the only finding.
    write(
        tmp_path, {DASHBOARD: {'widgets': [widget('avg:acme.quueue.length{$host}', 'New'), *BAD[DASHBOARD]['widgets']]}}
    )
    code, document = findings(capsys, '--baseline', baseline, folder)
    assert code == 1
    assert [found['object'] for found in document['findings']] == ['New']
    assert (document['known'], document['gone']) == (2, [])


def test_a_moved_line_is_not_a_new_finding(tmp_path, capsys):
    sources = {'datadog_checks/acme/metrics.py': "METRICS = {'acme_store_size': 'store.size'}\n"}
    rows = ['acme.queue.length,gauge', 'acme.queue.length,gauge', 'acme.workers,gauge']
    query = {DASHBOARD: {'widgets': [widget('avg:acme.store.size{$host} by {host}')]}}
    folder = write(tmp_path, {METADATA: metadata(*rows), **sources, **query})
    baseline = str(tmp_path / 'baseline.json')
    run(capsys, folder, '--write-baseline', baseline)
    assert {'metadata/duplicate', 'metadata/unlisted'} <= {
        each['rule'] for each in findings(capsys, folder)[1]['findings']
    }
    (folder / METADATA).write_text(metadata('acme.a,gauge', *rows))
    for name, text in sources.items():
        (folder / name).write_text(f'# Metrics.\n{text}')
    assert findings(capsys, folder, '--baseline', baseline)[1]['findings'] == []


def test_findings_that_no_longer_occur_are_listed(tmp_path, capsys):
    folder, baseline = write(tmp_path, BAD), tmp_path / 'baseline.json'
    run(capsys, '--write-baseline', baseline, folder)
    write(tmp_path, {DASHBOARD: {'widgets': BAD[DASHBOARD]['widgets'][:1]}})
    code, document = findings(capsys, '--baseline', baseline, folder)
    assert (code, document['known']) == (0, 1)
    assert [(gone['rule'], gone['object']) for gone in document['gone']] == [('metric/unknown', 'Work')]
    assert (
        'no longer found: acme/assets/dashboards/acme_overview.json' in run(capsys, '--baseline', baseline, folder)[1]
    )


def test_a_finding_of_the_shared_configuration_is_gone_when_it_is_mended(tmp_path, capsys):
    write(tmp_path, {})
    shared, baseline = tmp_path / CONFIGURATION, tmp_path / 'baseline.json'
    shared.write_text('ignore: [{rule: metadata/duplicate, reason: both rows are the same}]')
    run(capsys, '--write-baseline', baseline, tmp_path)
    assert findings(capsys, '--baseline', baseline, tmp_path)[1]['gone'] == []
    shared.write_text('ignore: []')
    gone = findings(capsys, '--baseline', baseline, tmp_path)[1]['gone']
    assert [(each['rule'], each['file']) for each in gone] == [('config/unused-ignore', CONFIGURATION)]
    # Linting one integration judges only its own configuration.
    assert findings(capsys, '--baseline', baseline, tmp_path / 'acme')[1]['gone'] == []


def test_findings_of_other_integrations_are_kept(tmp_path, capsys):
    for name in ('one', 'two', 'three'):
        write(tmp_path / name, BAD)
    folders, baseline = [tmp_path / name / 'acme' for name in ('one', 'two', 'three')], tmp_path / 'baseline.json'
    run(capsys, '--write-baseline', baseline, *folders)
    _, document = findings(capsys, '--baseline', baseline, folders[0])
    assert (document['known'], document['gone']) == (2, [])
    # But those of a file that no longer exists are.
    shutil.rmtree(folders[1])
    _, document = findings(capsys, '--baseline', baseline, folders[0])
    assert (document['known'], {gone['file'].split('/')[0] for gone in document['gone']}) == (2, {'two'})


def test_equal_findings_are_counted(tmp_path, capsys):
    twice = {DASHBOARD: {'widgets': [widget('avg:acme.queue.lenght{$host}'), widget('max:acme.queue.lenght{$host}')]}}
    folder, baseline = write(tmp_path, {DASHBOARD: {'widgets': twice[DASHBOARD]['widgets'][:1]}}), tmp_path / 'b.json'
    run(capsys, '--write-baseline', baseline, folder)
    write(tmp_path, twice)
    _, document = findings(capsys, '--baseline', baseline, folder)
    assert {found['rule'] for found in document['findings']} == {'metric/unknown', 'widget/duplicate-title'}


@pytest.mark.parametrize(
    ('content', 'error'),
    [
        pytest.param(None, 'cannot be read: No such file or directory', id='missing'),
        pytest.param('[]', 'not a baseline: expected a file written by --write-baseline', id='another-shape'),
        pytest.param('{"version": 1, "findings": [{}]}', 'not a baseline', id='an-entry-without-keys'),
        pytest.param('{"version": 9, "findings": []}', 'baseline version 9, expected 1', id='another-version'),
        pytest.param('nonsense', 'not a baseline', id='not-json'),
    ],
)
def test_a_baseline_that_cannot_be_used(tmp_path, capsys, content, error):
    folder, baseline = write(tmp_path, {}), tmp_path / 'baseline.json'
    if content is not None:
        baseline.write_text(content)
    assert main(['lint', '--baseline', str(baseline), str(folder)]) == 2
    assert error in capsys.readouterr().err


def git(folder, *arguments):
    identity = ('-c', 'user.name=Acme', '-c', 'user.email=acme@example.com')
    subprocess.run(['git', *identity, '-C', str(folder), *arguments], check=True, capture_output=True)


def test_only_integrations_that_changed_are_linted(tmp_path, capsys):
    for name in ('one', 'two', 'three'):
        write(tmp_path / 'made' / name, BAD)
        (tmp_path / 'checkout').mkdir(exist_ok=True)
        (tmp_path / 'made' / name / 'acme').rename(tmp_path / 'checkout' / name)
    checkout = tmp_path / 'checkout'
    git(checkout, 'init', '-q')
    git(checkout, 'add', '-A')
    git(checkout, 'commit', '-q', '-m', 'Start')
    assert findings(capsys, '--since', 'HEAD', checkout)[1]['integrations'] == 0
    (checkout / 'two' / 'metadata.csv').write_text(LISTED)
    (checkout / 'three' / 'new file.txt').write_text('not tracked')
    code, document = findings(capsys, '--since', 'HEAD', checkout)
    assert (code, document['integrations']) == (1, 2)
    assert {found['file'].split('checkout/')[1].split('/')[0] for found in document['findings']} == {'two', 'three'}
    assert main(['lint', '--since', 'nowhere', str(checkout)]) == 2
    assert "Git knows no revision 'nowhere'" in capsys.readouterr().err


def test_since_needs_a_work_tree(tmp_path, capsys):
    assert main(['lint', '--since', 'HEAD', str(write(tmp_path, {}))]) == 2
    assert 'not a git repository' in capsys.readouterr().err


def test_a_summary_counts_by_rule_and_by_integration(tmp_path, capsys):
    code, out = run(capsys, '--summary', write(tmp_path, BAD))
    assert code == 1
    assert [' '.join(line.split()) for line in out.splitlines()] == [
        '2 error metric/unknown',
        '',
        f'2 {tmp_path}/acme',
        '',
        '1 integration, 3 queries: 2 errors',
    ]


@pytest.mark.parametrize(
    ('pattern', 'code'),
    [
        pytest.param('metric/*', 0, id='group'),
        pytest.param('*', 0, id='all'),
        pytest.param('widget/*', 1, id='another'),
    ],
)
def test_an_ignore_names_rules_by_a_pattern(tmp_path, capsys, pattern, code):
    ignore = f'ignore:\n  - rule: {pattern}\n    reason: known\n'
    assert run(capsys, write(tmp_path, {**BAD, CONFIGURATION: ignore.replace(pattern, json.dumps(pattern))}))[0] == code


def exported(name, **more):
    """A monitor whose critical threshold differs from its query."""
    options = {'thresholds': {'critical': 5}}
    body = {'name': name, 'type': 'query alert', 'query': 'avg(last_5m):avg:acme.x{*} > 4', 'message': 'm @ops'}
    return json.dumps({**body, 'options': options, **more}, indent=2)


def test_only_changed_files_of_a_folder_of_sources_are_linted(tmp_path, capsys):
    checkout, baseline = tmp_path / 'checkout', tmp_path / 'baseline.json'
    checkout.mkdir()
    for name in ('one', 'two', 'three'):
        (checkout / f'{name}.json').write_text(exported(name))
    run(capsys, '--write-baseline', baseline, checkout)
    git(checkout, 'init', '-q')
    git(checkout, 'add', '-A')
    git(checkout, 'commit', '-q', '-m', 'Start')
    assert findings(capsys, '--since', 'HEAD', checkout)[1]['findings'] == []
    (checkout / 'two.json').write_text(exported('two', tags=['team:a']))
    (checkout / 'four.json').write_text(exported('four'))
    code, document = findings(capsys, '--since', 'HEAD', checkout)
    assert code == 1
    found = [(each['file'].rpartition('/')[2], each['rule']) for each in document['findings']]
    assert {file for file, rule in found if rule == 'monitor/threshold-mismatch'} == {'two.json', 'four.json'}
    assert {file for file, _ in found} == {'two.json', 'four.json'}
    # The other files were not linted, so none of their findings is gone.
    _, document = findings(capsys, '--since', 'HEAD', '--baseline', baseline, checkout)
    assert {each['file'].rpartition('/')[2] for each in document['findings']} == {'four.json'}
    assert document['gone'] == []


def test_a_renamed_monitor_keeps_its_known_findings(tmp_path, capsys):
    file, baseline = tmp_path / 'queue.json', tmp_path / 'baseline.json'
    file.write_text(exported('Queue is full'))
    run(capsys, '--write-baseline', baseline, file)
    known = findings(capsys, '--baseline', baseline, file)[1]['known']
    assert known > 0
    for name in ('Queue is full of work', 'Backlog'):
        file.write_text(exported(name))
        code, document = findings(capsys, '--baseline', baseline, file)
        assert (code, document['findings'], document['known'], document['gone']) == (0, [], known, [])


def test_another_monitor_with_the_fault_of_a_repaired_one_is_new(tmp_path, capsys):
    file, baseline = tmp_path / 'both.json', tmp_path / 'baseline.json'
    file.write_text(f'[{exported("One")}]')
    run(capsys, '--write-baseline', baseline, file)
    repaired = exported('One', options={'thresholds': {'critical': 4}})
    file.write_text(f'[{repaired}, {exported("Two")}]')
    _, document = findings(capsys, '--baseline', baseline, file)
    assert 'monitor/threshold-mismatch' in {each['rule'] for each in document['findings'] if each['object'] == 'Two'}
