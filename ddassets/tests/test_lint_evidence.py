"""Whether the asset or metadata.csv is wrong is decided by the names that the integration itself contains."""

import random

import pytest
import scale

from ddassets.assets import read
from ddassets.diagnostic import Severity
from ddassets.lint import lint
from ddassets.lint.evidence import Evidence
from ddassets.lint.example import DASHBOARD, MANIFEST, METADATA, MONITOR, metadata, widget, write
from ddassets.lint.known_metrics import KNOWN_PREFIXES, SHARED
from ddassets.lint.nearest import one_letter_apart
from ddassets.lint.run import lint_paths

ASSET, LISTING = 'metric/unknown', 'metadata/unlisted'
SOURCE = 'datadog_checks/acme/check.py'
LISTED = metadata('acme.queue.length,gauge', 'acme.workers,gauge')


def judge(folder, query, files):
    findings = lint(read(write(folder, {DASHBOARD: {'widgets': [widget(query)]}, **files})))
    return [(f.code, f.severity.name, f.path.name, f.hint) for f in findings if f.code in (ASSET, LISTING)]


@pytest.mark.parametrize(
    ('metric', 'files', 'code'),
    [
        pytest.param(
            'acme.store.size', {SOURCE: "self.gauge('acme.store.size', 1)"}, LISTING, id='full-name-in-source'
        ),
        pytest.param('acme.store.size', {SOURCE: "MAP = {'s': 'store.size'}"}, LISTING, id='namespace-added-by-check'),
        pytest.param('acme.store_size', {SOURCE: "MAP = {'s': 'store_size'}"}, LISTING, id='underscores'),
        pytest.param('acme.total', {SOURCE: "MAP = {'s': 'total'}"}, LISTING, id='bare-word-of-a-source'),
        pytest.param('acme.total', {SOURCE: '# the total\nMAP = {}'}, ASSET, id='bare-word-of-a-comment'),
        pytest.param('acme.total', {'tests/common.py': "KEY = 'total'"}, ASSET, id='bare-word-of-a-test'),
        pytest.param('acme.waits.count', {SOURCE: "MAP = {'w': 'waits_of.x', 'v': 'acme.waits'}"}, LISTING, id='count'),
        pytest.param('acme.wait.bucket', {'tests/metrics.txt': 'acme_wait{le="1"} 3'}, ASSET, id='bucket-of-a-fixture'),
        pytest.param('acme.store.size', {'tests/fixtures/metrics.txt': 'acme_store_size 3'}, LISTING, id='exposition'),
        pytest.param(
            'acme.store.size', {'tests/test_unit.py': "a.assert_metric('acme.store.size')"}, LISTING, id='test'
        ),
        pytest.param('acme.store.size', {'README.md': 'It sends `acme.store.size`.'}, LISTING, id='readme'),
        pytest.param(
            'acme.store.size', {'datadog_checks/acme/data/metrics.yaml': 'alias: acme.store.size'}, LISTING, id='jmx'
        ),
        pytest.param(
            'acme.store.size', {SOURCE: r"TEXT = '# HELP\nacme_store_size 3'"}, LISTING, id='behind-an-escape'
        ),
        pytest.param('acme.store.size', {SOURCE: "NAME = 'acme.' 'store.size'"}, LISTING, id='literal-in-pieces'),
        pytest.param('acme.store.siz', {SOURCE: "NAME = 'acme.store.size'"}, ASSET, id='the-end-is-missing'),
        pytest.param('acme.tore.size', {SOURCE: "NAME = 'acme.store.size'"}, ASSET, id='the-start-is-missing'),
        pytest.param('acme.store.size', {SOURCE: 'def broken('}, ASSET, id='source-that-cannot-be-parsed'),
        pytest.param('acme.store.size', {'notes/names.txt': 'acme.store.size'}, ASSET, id='another-folder'),
        pytest.param(
            'mysql.performance.queries', {SOURCE: "'mysql.performance.queries'"}, None, id='another-integration'
        ),
    ],
)
def test_a_metric_that_the_integration_names_is_missing_in_metadata(tmp_path, metric, files, code):
    found = judge(tmp_path, f'avg:{metric}{{$host}}', files)
    assert [one[0] for one in found] == ([code] if code else [])
    if code == LISTING:
        assert found[0][1:3] == ('WARNING', 'metadata.csv')


@pytest.mark.parametrize(
    ('metric', 'listed', 'severity', 'nearest'),
    [
        pytest.param('acme.queue.lenght', 'acme.queue.length', 'ERROR', 'acme.queue.length', id='two-letters-swapped'),
        pytest.param(
            'zone.queue.length', 'acme.zone.queue.length', 'ERROR', 'acme.zone.queue.length', id='lost-prefix'
        ),
        pytest.param('acme.queue_length', 'acme.queue.length', 'ERROR', 'acme.queue.length', id='another-separator'),
        pytest.param('acme.Queue.Length', 'acme.queue.length', 'ERROR', 'acme.queue.length', id='another-case'),
        pytest.param(
            'azure.it_edge.up', 'azure.iot_edge.up', 'ERROR', 'azure.iot_edge.up', id='below-a-foreign-prefix'
        ),
        pytest.param(
            'postgresql.rows_udated', 'postgresql.rows_updated', 'ERROR', 'postgresql.rows_updated', id='shared-prefix'
        ),
        pytest.param('system.laod.1', 'acme.queue.length', 'WARNING', '', id='metric-of-the-agent'),
        pytest.param('system.load.1', 'acme.queue.length', None, '', id='metric-of-the-agent-well-spelt'),
        pytest.param('aws.acme.y', 'aws.acme.x', None, '', id='two-metrics-of-one-letter'),
        pytest.param('kafka.calls.get', 'kafka.calls.set', None, '', id='two-short-words'),
        pytest.param('kafka.shard.1', 'kafka.shard.2', None, '', id='two-numbers'),
    ],
)
def test_a_name_that_is_certainly_misspelt_is_an_error(tmp_path, metric, listed, severity, nearest):
    files = {
        METADATA: metadata(f'{listed},gauge'),
        MANIFEST: {'assets': {'integration': {'metrics': {'prefix': None}}}},
    }
    # The monitor of the example reads another metric.
    files[MONITOR] = None
    found = judge(tmp_path, f'avg:{metric}{{$host}}', files)
    errors = [one for one in found if one[1] != 'NOTE']
    assert [one[1] for one in errors] == ([severity] if severity else [])
    if nearest:
        assert errors[0][3] == f'nearest: {nearest}'


def test_sources_are_read_only_when_a_name_is_in_doubt(tmp_path, monkeypatch):
    read_files = []
    monkeypatch.setattr('ddassets.lint.evidence.read_text', lambda path, problems: read_files.append(path) or '')
    source = {SOURCE: "self.gauge('acme.queue.length', 1)"}
    lint(read(write(tmp_path / 'a', {METADATA: LISTED, **source})))
    assert read_files == []
    lint(read(write(tmp_path / 'b', {METADATA: metadata('acme.workers,gauge'), **source})))
    assert [path.name for path in read_files] == ['check.py']


def test_a_file_is_parsed_only_if_it_may_contain_a_name_in_doubt(tmp_path):
    (tmp_path / 'tests').mkdir()
    (tmp_path / 'tests' / 'a.py').write_text("NAMES = ['acme.queue.length', 'store_size']")
    misspelt = Evidence(tmp_path, ['acme.queue.lenght', 'acme.queue.lengt'], ['acme'])
    assert [misspelt.of(name) for name in misspelt.doubted] == [None, None]
    assert (misspelt.files, misspelt.parsed) == (1, 0)
    unlisted = Evidence(tmp_path, ['acme.queue.lenght', 'acme.store_size'], ['acme'])
    assert [bool(unlisted.of(name)) for name in unlisted.doubted] == [False, True]
    assert (unlisted.files, unlisted.parsed) == (1, 1)


def test_unparsed_files_contain_no_name_in_doubt(tmp_path, monkeypatch):
    """Property: if every file is parsed, the same names are found in the same places."""
    drawn = random.Random(scale.SEED)
    words = 'queue size count'.split()

    def name(separators='._'):
        return ''.join(drawn.choice(words) + drawn.choice(separators) for _ in range(drawn.randint(1, 2)))[:-1]

    found = 0
    for number in range(scale.runs(150)):
        folder = tmp_path / str(number)
        for path in ('datadog_checks/acme/check.py', 'tests/common.py', 'tests/metrics.txt'):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            quotes = drawn.choice(["'{}'", "'{}' '.{}'", "'# HELP\\n{}{{}}'", "f'{}.{{1}}'", '# {}', '{} = 1'])
            (folder / path).write_text(quotes.format(name(), name()))
        doubted = [f'acme.{name()}' for _ in range(6)]
        quick = Evidence(folder, doubted, ['acme'])
        quick_places = [quick.of(each) for each in doubted]
        with monkeypatch.context() as patch:
            patch.setattr('ddassets.lint.evidence.MAX_DOUBTED', 0)
            slow = Evidence(folder, doubted, ['acme'])
            assert [slow.of(each) for each in doubted] == quick_places
        found += sum(place is not None for place in quick_places)
    assert found > 30


def test_links_are_not_followed(tmp_path):
    outside = tmp_path / 'outside.txt'
    outside.write_text('acme.store.size')
    folder = write(tmp_path, {DASHBOARD: {'widgets': [widget('avg:acme.store.size{$host}')]}})
    (folder / 'tests').mkdir()
    (folder / 'tests' / 'names.txt').symlink_to(outside)
    findings = lint_paths([folder]).findings
    assert [f.code for f in findings if f.severity >= Severity.WARNING] == [ASSET]


@pytest.mark.parametrize(
    ('name', 'other', 'apart'),
    [
        pytest.param('acme.rows_udated', 'acme.rows_updated', True, id='missing'),
        pytest.param('acme.rows_updatedd', 'acme.rows_updated', True, id='extra'),
        pytest.param('acme.rows_updsted', 'acme.rows_updated', True, id='wrong'),
        pytest.param('acme.rowsupdated', 'acme.rows_updated', True, id='separator'),
        pytest.param('acme.rows_updated', 'acme.rows_updated', False, id='equal'),
        pytest.param('acme.rows_upsdsted', 'acme.rows_updated', False, id='two-letters'),
        pytest.param('acme.p50', 'acme.p90', False, id='digits'),
        pytest.param('acme.rx', 'acme.tx', False, id='short-words'),
    ],
)
def test_one_letter_apart(name, other, apart):
    assert one_letter_apart(name, other) is apart
    assert one_letter_apart(other, name) is apart


def test_assets_that_the_manifest_lists_in_another_folder_are_read(tmp_path):
    elsewhere = 'assets/recommended_monitors/full.json'
    body = {'name': 'Full', 'type': 'query alert', 'query': 'garbage(((', 'message': '', 'options': {}}
    files = {elsewhere: body, MANIFEST: {'assets': {'monitors': {'Full': elsewhere}}}}
    found = [(one.code, one.path.name) for one in lint(read(write(tmp_path, files)))]
    assert ('query/syntax', 'full.json') in found
    # Without the entry nothing ships it, and nothing reads it.
    found = lint(read(write(tmp_path / 'again', {elsewhere: body})))
    assert 'full.json' not in {one.path.name for one in found}


def test_a_shared_prefix_is_a_known_prefix():
    assert SHARED <= KNOWN_PREFIXES
