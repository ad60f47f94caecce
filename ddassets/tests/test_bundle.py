"""Reading an integration's folder: whatever is wrong has a file and a position, and the rest is read."""

import codecs
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddassets.assets import integrations, read
from ddassets.assets.document import MAX_FILE_SIZE, _parts, load_document
from ddassets.diagnostic import Position
from ddassets.lint.example import DASHBOARD, MANIFEST, METADATA, MONITOR, write


def read_json(tmp_path, content):
    path = tmp_path / 'file.json'
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    problems = []
    document = load_document(path, problems)
    return document, [(found.code.partition('/')[2], found.position) for found in problems]


@pytest.mark.parametrize(
    ('content', 'data', 'problems'),
    [
        pytest.param('{"a": 1}', {'a': 1}, [], id='fine'),
        pytest.param('\ufeff{"a": 1}', {'a': 1}, [('byte-order-mark', Position(1, 1))], id='mark'),
        pytest.param(
            codecs.BOM_UTF16_LE + '{"a": "é"}'.encode('utf-16-le'),
            {'a': 'é'},
            [('encoding', Position(1, 1))],
            id='utf-16-le',
        ),
        pytest.param(
            codecs.BOM_UTF16_BE + '{"a": 1}'.encode('utf-16-be'),
            {'a': 1},
            [('encoding', Position(1, 1))],
            id='utf-16-be',
        ),
        pytest.param(
            codecs.BOM_UTF32_LE + '{"a": 1}'.encode('utf-32-le'), {'a': 1}, [('encoding', Position(1, 1))], id='utf-32'
        ),
        pytest.param(
            '{\n "a": "grün"}'.encode('latin-1'), {'a': 'gr\ufffdn'}, [('encoding', Position(2, 10))], id='latin-1'
        ),
        pytest.param(
            codecs.BOM_UTF8 + b'{"a": "\xff"}',
            {'a': '\ufffd'},
            [('byte-order-mark', Position(1, 1)), ('encoding', Position(1, 8))],
            id='mark-and-latin-1',
        ),
        pytest.param('', None, [('syntax', Position(1, 1))], id='empty'),
        pytest.param('{\n  "a": 1,\n}', None, [('syntax', Position(2, 9))], id='trailing-comma'),
        pytest.param('{"a": 1} x', None, [('syntax', Position(1, 10))], id='more-behind'),
        pytest.param('{"a": "NaN",\n "b": NaN}', None, [('syntax', Position(2, 7))], id='nan'),
        pytest.param('[-Infinity]', None, [('syntax', Position(1, 2))], id='infinity'),
        pytest.param('[' * 100_000, None, [('syntax', Position(1, 1))], id='too-deep'),
        pytest.param(f'[{"9" * 5000}]', None, [('syntax', Position(1, 1))], id='too-many-digits'),
        pytest.param(
            '{"a": 1,\n "b": {"a": 2, "\\u0061": 3}, "a": 4}',
            {'a': 4, 'b': {'a': 3}},
            [('duplicate-key', Position(2, 16)), ('duplicate-key', Position(2, 30))],
            id='duplicate-keys',
        ),
        pytest.param('{"a": {"b": 1}, "b": ["a", "a"]}', {'a': {'b': 1}, 'b': ['a', 'a']}, [], id='no-duplicates'),
        pytest.param(b'PK\x03\x04\xff\x00', None, [('encoding', Position(1, 5)), ('syntax', Position(1, 1))], id='zip'),
    ],
)
def test_load_document(tmp_path, content, data, problems):
    document, found = read_json(tmp_path, content)
    assert (document and document.data, found) == (data, problems)


@pytest.mark.parametrize('depth', [10, 500, 1000, 5000, 20_000])
def test_nested_deeply(tmp_path, depth):
    """The file is either read, with a position for each place, or reported as a problem."""
    document, problems = read_json(tmp_path, '[' * depth + '1' + ']' * depth)
    if document is None:
        assert problems == [('syntax', Position(1, 1))]
    else:
        assert 1 <= document.position((0,) * depth).column <= depth + 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def places(value, place=()):
    yield place, value
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*place, step))


@given(data=JSON, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
def test_a_position_is_that_of_the_value(tmp_path_factory, data, indent, ascii_only):
    """The oracle is the JSON decoder: the value at the position is the value of the place."""
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    document, problems = read_json(tmp_path_factory.mktemp('json'), text)
    assert (document.data, problems) == (data, [])
    lines = text.split('\n')
    for place, value in places(data):
        position = document.position(place)
        offset = sum(len(line) + 1 for line in lines[: position.line - 1]) + position.column - 1
        found, _ = json.JSONDecoder(strict=False).raw_decode(text, offset)
        assert found == value
        if isinstance(value, str):
            for column in range(len(value) + 1):
                inside = document.position(place, column)
                end = sum(len(line) + 1 for line in lines[: inside.line - 1]) + inside.column - 1
                assert json.loads(text[offset:end] + '"') == value[:column]


def problems_of(folder):
    return sorted(
        (found.code.partition('/')[2], found.path.relative_to(folder).as_posix()) for found in read(folder).diagnostics
    )


@pytest.mark.parametrize(
    ('files', 'problems'),
    [
        pytest.param({}, [], id='fine'),
        pytest.param({MANIFEST: None}, [('missing', MANIFEST)], id='no-manifest'),
        pytest.param({MANIFEST: '[]'}, [('shape', MANIFEST)], id='manifest-is-a-list'),
        pytest.param({MANIFEST: None, f'{MANIFEST}/x': ''}, [('unreadable', MANIFEST)], id='manifest-is-a-folder'),
        pytest.param({MANIFEST: '{"assets": []}'}, [('shape', MANIFEST)], id='assets-is-a-list'),
        pytest.param({MANIFEST: '{"assets": {"monitors": 1}}'}, [('shape', MANIFEST)], id='monitors-is-a-number'),
        pytest.param(
            {MANIFEST: '{"assets": {"integration": {"metrics": {"metadata_path": "a\\u0000b"}}}}'},
            [],
            id='a-nul-in-a-path',
        ),
        pytest.param({METADATA: None}, [], id='no-metadata'),
        pytest.param({METADATA: None, f'{METADATA}/x': ''}, [('unreadable', METADATA)], id='metadata-is-a-folder'),
        pytest.param({METADATA: 'name,type\na.b,gauge\n'}, [('shape', METADATA)], id='metadata-without-its-column'),
        pytest.param(
            {METADATA: 'metric_name\n"a' + 'b' * 200_000}, [('syntax', METADATA)], id='metadata-endless-field'
        ),
        pytest.param({METADATA: b'metric_name\nacme.\xff\n'}, [('encoding', METADATA)], id='metadata-latin-1'),
        pytest.param({METADATA: 'metric_name,metric_type\na.b,gauge,more,fields\na.c\n'}, [], id='metadata-ragged'),
        pytest.param({MONITOR: '"text"'}, [('shape', MONITOR)], id='monitor-is-a-text'),
        pytest.param({MONITOR: '{"definition": []}'}, [('shape', MONITOR)], id='definition-is-a-list'),
        pytest.param(
            {MONITOR: '{"name": 1, "type": [], "query": {}, "message": true, "tags": "x", "options": 0.5}'},
            [('shape', MONITOR)] * 6,
            id='monitor-of-wrong-types',
        ),
        pytest.param(
            {DASHBOARD: '{"title": 1, "widgets": {}, "template_variables": "x", "description": []}'},
            [('shape', DASHBOARD)] * 4,
            id='dashboard-of-wrong-types',
        ),
        pytest.param(
            {DASHBOARD: '{"widgets": [1, {"definition": null}, {"definition": {"widgets": [[]]}}]}'},
            [('missing-key', DASHBOARD)] * 3 + [('shape', DASHBOARD)] * 3,
            id='widgets-of-wrong-types',
        ),
        pytest.param(
            {'assets/monitors/x.json/y': ''}, [('unreadable', 'assets/monitors/x.json')], id='folder-for-file'
        ),
        pytest.param({'assets/logs/x.json': '{', 'assets/monitors/x.txt': '{'}, [], id='not-ours'),
    ],
)
def test_problems(tmp_path, files, problems):
    assert problems_of(write(tmp_path, files)) == problems


def test_the_other_files_are_read(tmp_path):
    bundle = read(write(tmp_path, {MONITOR: '{', 'assets/monitors/other.json': '{"name": "Other"}', METADATA: 'x'}))
    assert [monitor.name for monitor in bundle.monitors] == ['Other']
    assert [dashboard.title for dashboard in bundle.dashboards] == ['Acme Overview']


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read everything')
def test_unreadable_files(tmp_path):
    folder = write(tmp_path, {})
    (folder / MONITOR).chmod(0)
    assert problems_of(folder) == [('unreadable', MONITOR)]


def test_a_loop_of_links_is_unreadable(tmp_path):
    folder = write(tmp_path, {})
    (folder / 'assets' / 'monitors' / 'loop.json').symlink_to('loop.json')
    assert problems_of(folder) == [('unreadable', 'assets/monitors/loop.json')]


def test_a_dangling_link_is_unreadable(tmp_path):
    folder = write(tmp_path, {})
    (folder / 'assets' / 'monitors' / 'gone.json').symlink_to('nowhere.json')
    # Not `missing`, which would say that the manifest is.
    assert problems_of(folder) == [('unreadable', 'assets/monitors/gone.json')]


def test_too_large_files_are_not_read(tmp_path):
    folder = write(tmp_path, {})
    with open(folder / MONITOR, 'wb') as file:
        file.truncate(MAX_FILE_SIZE + 1)  # a hole: it takes no room on the disk
    assert problems_of(folder) == [('unreadable', MONITOR)]


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no named pipes here')
@pytest.mark.parametrize('name', [MANIFEST, METADATA, MONITOR, '.ddassets.yaml'])
@pytest.mark.parametrize('kind', ['pipe', 'endless device'])
def test_endless_files_are_not_read(tmp_path, name, kind):
    """In a separate process, because reading a pipe blocks and the device exhausts memory."""
    folder = write(tmp_path, {name: None})
    (folder / name).parent.mkdir(exist_ok=True)
    if kind == 'pipe':
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to('/dev/zero')
    command = [sys.executable, '-m', 'ddassets', 'lint', folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    reason = 'Not a file, but a pipe, a socket or a device' if kind == 'pipe' else 'outside the checkout, not read'
    assert reason in done.stdout + done.stderr
    assert done.returncode == (2 if name == '.ddassets.yaml' else 1)


def test_looking_up_positions_visits_each_part_once(tmp_path, monkeypatch):
    """Otherwise a file with as many faults as parts takes quadratic time."""
    document, _ = read_json(tmp_path, json.dumps({'widgets': [{'title': str(n)} for n in range(300)]}))
    entered = []
    counted = lambda text, offset: entered.append(offset) or _parts(text, offset)  # noqa: E731
    monkeypatch.setattr('ddassets.assets.document._parts', counted)
    columns = [document.position(('widgets', n, 'title')).column for n in range(300)]
    assert columns == sorted(set(columns))
    assert len(entered) == len(set(entered)) == 302


def test_a_folder_that_is_not_an_integration(tmp_path):
    (tmp_path / 'docs').mkdir()
    assert problems_of(tmp_path / 'docs') == [('no-integration', '.')]
    assert integrations(tmp_path) == []


def test_integrations_of_a_checkout(tmp_path):
    write(tmp_path / 'a', {})
    write(tmp_path / 'b', {MANIFEST: None})
    assert integrations(tmp_path / 'a') == [tmp_path / 'a' / 'acme']
    assert integrations(tmp_path / 'b' / 'acme') == [tmp_path / 'b' / 'acme']
    with pytest.raises(FileNotFoundError):
        integrations(tmp_path / 'none')


def test_metadata(tmp_path):
    bundle = read(
        write(tmp_path, {METADATA: 'metric_name,metric_type,interval\na.b,gauge,45\r\n\na.c,count,4.5\na.b,rate,\n'})
    )
    found = [(m.name, m.type, m.interval, m.line) for m in bundle.metrics.values()]
    assert found == [('a.b', 'rate', None, 5), ('a.c', 'count', None, 4)]
    assert [(p.code.partition('/')[2], p.position.line) for p in bundle.problems] == [('duplicate', 5)]


OLD_QUERY = {'requests': [{'q': 'avg:a{*}, avg:b{*}', 'type': 'line'}], 'viz': 'timeseries'}
QUERY = {'name': 'q1', 'data_source': 'metrics', 'query': 'avg:a{*}'}


@pytest.mark.parametrize(
    ('body', 'widgets', 'queries'),
    [
        pytest.param(
            {'title': 'T', 'graphs': [{'title': 'Old', 'definition': OLD_QUERY}]},
            [('timeseries', 'Old')],
            [('metrics', 'avg:a{*}, avg:b{*}')],
            id='graphs',
        ),
        pytest.param(
            {'dash': {'title': 'T', 'graphs': [{'title': 'Old', 'definition': OLD_QUERY}]}},
            [('timeseries', 'Old')],
            [('metrics', 'avg:a{*}, avg:b{*}')],
            id='graphs-as-the-old-api-answered',
        ),
        pytest.param(
            {
                'board_title': 'T',
                'widgets': [
                    {
                        'type': 'timeseries',
                        'title': True,
                        'title_text': 'Screen',
                        'tile_def': {'requests': [{'q': 'avg:a{*}'}], 'viz': 'timeseries'},
                    }
                ],
            },
            [('timeseries', 'Screen')],
            [('metrics', 'avg:a{*}')],
            id='screenboard',
        ),
        pytest.param(
            {
                'title': 'T',
                'widgets': [
                    {
                        'definition': {
                            'type': 'group',
                            'title': 'G',
                            'widgets': [
                                {
                                    'definition': {
                                        'type': 'query_value',
                                        'title': 'W',
                                        'requests': [{'queries': [QUERY]}],
                                    }
                                }
                            ],
                        }
                    }
                ],
            },
            [('group', 'G'), ('query_value', 'W')],
            [('metrics', 'avg:a{*}')],
            id='group',
        ),
        pytest.param(
            {
                'title': 'T',
                'widgets': [
                    {
                        'definition': {
                            'type': 'split_group',
                            'source_widget_definition': {'type': 'timeseries', 'requests': [{'q': 'avg:a{*}'}]},
                        }
                    }
                ],
            },
            [('split_group', ''), ('timeseries', '')],
            [('metrics', 'avg:a{*}')],
            id='split-group',
        ),
        pytest.param(
            {
                'title': 'T',
                'widgets': [
                    {'definition': {'type': 'hostmap', 'requests': {'fill': {'q': 'avg:a{*}'}, 'size': {'q': 'b{*}'}}}}
                ],
            },
            [('hostmap', '')],
            [('metrics', 'avg:a{*}'), ('metrics', 'b{*}')],
            id='requests-by-name',
        ),
        pytest.param(
            {
                'title': 'T',
                'widgets': [
                    {
                        'definition': {
                            'type': 'hostmap',
                            'requests': {'enrichments': [{'queries': [QUERY]}, 1, [{'q': 'c'}]], 'node_type': 'host'},
                        }
                    }
                ],
            },
            [('hostmap', '')],
            [('metrics', 'avg:a{*}')],
            id='lists-of-requests-by-name',
        ),
        pytest.param(
            {
                'title': 'T',
                'widgets': [
                    {
                        'definition': {
                            'type': 'list_stream',
                            'requests': [{'query': {'data_source': 'logs_stream', 'query_string': 'service:a'}}],
                        }
                    },
                    {
                        'definition': {
                            'type': 'toplist',
                            'requests': [{'log_query': {'index': '*'}}, {'queries': [{'query': 'x'}]}],
                        }
                    },
                ],
            },
            [('list_stream', ''), ('toplist', '')],
            [('logs_stream', ''), ('logs', ''), ('unknown', 'x')],
            id='other-products',
        ),
        pytest.param(
            {
                'title': 'T',
                'widgets': [
                    {
                        'definition': {
                            'type': 'timeseries',
                            'requests': [{'queries': [QUERY], 'formulas': [{'formula': 'q1 * 2'}, 3]}],
                        }
                    }
                ],
            },
            [('timeseries', '')],
            [('metrics', 'avg:a{*}'), ('formula', 'q1 * 2')],
            id='formula',
        ),
    ],
)
def test_forms_of_dashboards(tmp_path, body, widgets, queries):
    bundle = read(write(tmp_path, {DASHBOARD: json.dumps(body)}))
    [dashboard] = bundle.dashboards
    assert bundle.problems == ()
    assert dashboard.title == 'T'
    assert [(widget.type, widget.title) for widget in dashboard.widgets] == widgets
    found = [query for widget in dashboard.widgets for query in widget.queries]
    assert [(query.source, query.text) for query in found] == queries
    for query in found:
        value = dashboard.source.data
        for step in query.place:
            value = value[step]
        assert not query.text or value == query.text


def test_forms_of_monitors(tmp_path):
    body = {'name': 'N', 'type': 'query alert', 'query': 'q', 'message': None, 'tags': ['a:b', 1], 'options': {'x': 1}}
    folder = write(
        tmp_path, {MONITOR: json.dumps({'version': 2, 'definition': body}), 'assets/monitors/z.json': json.dumps(body)}
    )
    enveloped, bare = read(folder).monitors
    assert (enveloped.name, enveloped.envelope, enveloped.place) == ('N', {'version': 2}, ('definition',))
    assert (bare.name, bare.envelope, bare.place) == ('N', {}, ())
    assert bare.tags == enveloped.tags == ('a:b',)
    assert bare.message == ''
