"""`ddassets lint --fix`: faults with exactly one fix are fixed, and nothing else changes."""

import copy
import json
import random
import tempfile

import planting
import pytest
import scale

from ddassets.assets.document import parse_document
from ddassets.assets.source import REMOVED
from ddassets.assets.writing import replace_text
from ddassets.cli import main
from ddassets.lint import catalog, subject
from ddassets.lint.emission import Emission
from ddassets.lint.example import METADATA, MONITOR, write
from ddassets.lint.rules import all_rules
from ddassets.lint.run import lint_paths

FIXED = {'tag/integration-spelling', 'variable/unused', 'metadata/undocumented'}


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def emission(folder, rule):
    samples = ((name, kind, tags) for name, (kind, tags) in rule.emission.items())
    series = [
        {'metric': name, 'type': found.type, 'tags': [*found.tags]}
        for name, found in Emission.of_samples(samples).metrics.items()
    ]
    path = folder / 'emission.json'
    path.write_text(json.dumps({'integration': 'acme', 'series': series}))
    return str(path)


def lint(folder, *options):
    return main(['lint', str(folder), '--fail-on', 'never', *options])


@pytest.mark.parametrize('rule', [pytest.param(rule, id=rule.id) for rule in all_rules().values() if not rule.file])
def test_the_fix_of_each_rule_is_complete_and_repeats_nothing(rule, tmp_path, capsys):
    folder = write(tmp_path, rule.bad)
    options = []
    if rule.emission:
        options = ['--emission', emission(tmp_path, rule)]
    before = files(folder)
    assert lint(folder, *options) == 0, capsys.readouterr()
    found = capsys.readouterr().out
    lint(folder, '--fix', *options)
    left, once = capsys.readouterr().out, files(folder)
    lint(folder, '--fix', *options)
    assert files(folder) == once
    assert rule.id not in FIXED or (rule.id in found and rule.id not in left)
    changed = {name for name in before if before[name] != once.get(name)}
    assert before.keys() == once.keys()
    assert len(changed) == (rule.id in FIXED and rule.id in found and rule.id not in left)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('{"a": 1, "a": 1}', '{"a": 1}'),
        ('{"a": 1,\n  "b": 2,\n  "a": 1\n}', '{"a": 1,\n  "b": 2\n}'),
        ('{"a": [1, 2] , "a" : [1,2], "b": 3}', '{"a": [1, 2], "b": 3}'),
        ('{"a": 1, "a": true}', None),
        ('{"a": 1, "a": 2, "a": 1}', None),
        ('{"a": 1, "a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        ('{"a": ",", "a": ","}', '{"a": ","}'),
    ],
)
def test_a_duplicate_key_with_an_equal_value_is_deleted(text, expected, tmp_path):
    problems = []
    parse_document(tmp_path / 'a.json', text, problems)
    fixes = [one.fix for one in problems if one.fix]
    if expected is None:
        assert not fixes
    else:
        (fix,) = fixes
        assert text[: fix.start].rstrip() + fix.text + text[fix.end :] == expected
        assert json.loads(expected) == json.loads(text)


@pytest.mark.parametrize('indent', [None, 1, '\t'])
def test_only_the_element_is_deleted_from_its_list(indent, tmp_path):
    """Property: for every element of every list, the changed text contains the data without it."""
    drawn = random.Random(scale.SEED)
    for _ in range(scale.runs(100)):
        data = {'x': [drawn.choice([1, 'a,]', [], [2, [3]], {'k': [4, '"']}]) for _ in range(drawn.randint(1, 4))]}
        text = json.dumps(data, indent=indent)
        at = drawn.randrange(len(data['x']))
        document = parse_document(tmp_path / 'a.json', text, [])
        edit = document.edit(('x', at), REMOVED)
        del data['x'][at]
        assert json.loads(text[: edit.start] + edit.text + text[edit.end :]) == data, text


def rendered(data, style):
    indent, ending, last, mark = style
    return mark + json.dumps(data, indent=indent, ensure_ascii=False).replace('\n', ending) + last


def styles(drawn):
    """Yield ways to write JSON: indentation, line ends, the end of the file, and a mark at its beginning."""
    while True:
        yield (
            drawn.choice([None, 1, 4, '\t']),
            drawn.choice(['\n', '\r\n']),
            drawn.choice(['', '\n']),
            drawn.choice(['', BOM]),
        )


BOM = '\ufeff'


@pytest.mark.parametrize('number', range(scale.runs(40)))
def test_fixing_a_planted_fault_restores_the_file(number, tmp_path, capsys):
    """Property: after --fix, at most twice, each file is byte for byte as it was before the fault."""
    drawn = random.Random(f'{scale.SEED} {number}')
    into = planting.integrations()[number % 20]
    style = styles(drawn)
    written, clean = {}, {}

    # Variables that nothing uses, at any place of the list; neighbours overlap.
    dashboard = {**into.files[planting.DETAILS], 'description': 'Größe 😀, "[,]"'}
    variables = list(dashboard['template_variables'])
    for extra in range(drawn.randint(1, 3)):
        variables.insert(drawn.randint(0, len(variables)), {'name': f'unused{extra}', 'prefix': 'zone'})
    chosen = next(style)
    clean[planting.DETAILS] = rendered(dashboard, chosen)
    written[planting.DETAILS] = rendered({**dashboard, 'template_variables': variables}, chosen)

    # Another spelling of the integration tag.
    monitor = copy.deepcopy(into.files[planting.WATERMARK])
    chosen = next(style)
    monitor['tags'] = drawn.sample(['team:größe', f'integration:{into.name}'], 2)
    clean[planting.WATERMARK] = rendered(monitor, chosen)
    monitor['tags'] = [tag.replace(into.name, into.name.title()) for tag in monitor['tags']]
    written[planting.WATERMARK] = rendered(monitor, chosen)

    # A key that is there twice.
    monitor = into.files[planting.SPIKES]
    indent, ending, last, mark = chosen = next(style)
    key = drawn.choice([*monitor])
    clean[planting.SPIKES] = rendered(monitor, chosen)
    value = json.dumps(monitor[key], ensure_ascii=False)
    inner = clean[planting.SPIKES].removesuffix(f'}}{last}')
    text = inner.rstrip()
    written[planting.SPIKES] = f'{text},{drawn.choice([" ", ending])}"{key}": {value}{inner[len(text) :]}}}{last}'

    folder = into.changed(written).write(tmp_path)
    before = files(folder)
    planted = {one.code for one in lint_paths([folder]).findings}
    assert {'variable/unused', 'tag/integration-spelling', 'file/duplicate-key'} <= planted
    assert lint(folder, '--fix') == 0, capsys.readouterr()
    once = files(folder)
    assert {name: once[name].decode() for name in clean} == clean
    assert {name for name in before if before[name] != once[name]} == clean.keys()
    lint(folder, '--fix')
    assert files(folder) == once
    left = {one.code for one in lint_paths([folder]).findings}
    assert left <= planted - {'variable/unused', 'tag/integration-spelling', 'file/duplicate-key'}


def test_a_row_is_added_with_the_type_that_was_emitted(tmp_path):
    rule = all_rules()['metadata/undocumented']
    folder = write(tmp_path, rule.bad)
    before = (folder / METADATA).read_text()
    lint(folder, '--fix', '--emission', emission(tmp_path, rule))
    after = (folder / METADATA).read_text()
    assert after.startswith(before)
    assert after.removeprefix(before).startswith('acme.queue.length,gauge,')
    assert 'metadata/undocumented' not in {one.code for one in lint_paths([folder]).findings}


def test_a_link_that_leads_out_of_the_checkout_is_not_followed(tmp_path):
    folder = write(tmp_path, all_rules()['tag/integration-spelling'].bad)
    outside = tmp_path / 'outside.json'
    (folder / MONITOR).rename(outside)
    (folder / MONITOR).symlink_to(outside)
    text = outside.read_text()
    lint(folder, '--fix')
    assert outside.read_text() == text


def test_a_file_that_cannot_be_written_is_an_error(tmp_path, capsys, monkeypatch):
    folder = write(tmp_path, all_rules()['tag/integration-spelling'].bad)

    def refuse(*_):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr('os.replace', refuse)
    before = files(folder)
    assert main(['lint', str(folder), '--fix']) == 2
    assert 'cannot be written: Permission denied' in capsys.readouterr().err
    assert files(folder) == before


HEADER = 'metric_name,metric_type,interval,unit_name,per_unit_name,description,orientation,integration,short_name'
ROW = 'acme.workers,gauge,,,,Workers.,0,acme,'


def added(name):
    return f'{name},gauge,,,,,0,acme,'


def emitting(folder, *names):
    path = folder / 'emission.json'
    series = [{'metric': name, 'type': 'gauge', 'tags': []} for name in names]
    path.write_text(json.dumps({'integration': 'acme', 'series': series}))
    return '--emission', str(path)


@pytest.mark.parametrize('ending', ['\n', '\r\n', '\r'])
@pytest.mark.parametrize('is_ended', [True, False])
def test_rows_are_added_in_order_without_blank_lines(ending, is_ended, tmp_path, capsys):
    lines = [HEADER, ROW]
    folder = write(tmp_path, {METADATA: ending.join([*lines, *([''] if is_ended else [])])})
    names = ['acme.a', 'acme.b', 'acme.c', 'acme.workers']
    lint(folder, '--fix', '--format', 'json', *emitting(tmp_path, *names))
    lines += [*map(added, names[:3]), *([''] if is_ended else [])]
    assert (folder / METADATA).read_bytes().decode() == ending.join(lines)
    found = json.loads(capsys.readouterr().out)['findings']
    assert [each['object'] for each in found if each['rule'] == 'metadata/description'] == names[:3]
    assert 'metadata/undocumented' not in {each['rule'] for each in found}


def test_the_integration_of_a_row_is_that_of_the_last_row(tmp_path):
    folder = write(tmp_path, {METADATA: f'{HEADER}\n{ROW}\n\n'})
    lint(folder, '--fix', *emitting(tmp_path, 'acme.a', 'acme.workers'))
    # A blank line at the end is no row.
    assert (folder / METADATA).read_text() == f'{HEADER}\n{ROW}\n\n{added("acme.a")}\n'


@pytest.mark.parametrize(
    'text',
    [
        pytest.param(f'{HEADER}\nacme.workers,gauge,,,,"{"x" * 140_000}",0,acme,\n', id='huge-field'),
        pytest.param(f'{HEADER}\nacme.workers,gauge,,,,"never closed,0,acme,\n', id='open-quotation-mark'),
        pytest.param(f'metric_name\n{ROW}\n', id='no-type'),
        pytest.param('', id='empty'),
    ],
)
def test_a_table_that_cannot_take_a_row_is_left_alone(text, tmp_path, capsys):
    folder = write(tmp_path, {METADATA: text})
    assert lint(folder, '--fix', *emitting(tmp_path, 'acme.a', 'acme.b')) == 0
    captured = capsys.readouterr()
    assert (folder / METADATA).read_text() == text
    assert 'the check submits acme.a, which is not listed' in ' '.join(captured.out.split())


def test_metadata_is_read_once_for_all_rows(tmp_path, monkeypatch):
    folder = write(tmp_path, {METADATA: f'{HEADER}\n{ROW}\n'})
    emitted = Emission.of_samples((f'acme.m{number}', 'gauge', ()) for number in range(50))
    read, paths = subject.read_text, []
    for module in (subject, catalog):
        monkeypatch.setattr(module, 'read_text', lambda path, problems: (paths.append(path), read(path, problems))[1])
    found = lint_paths([folder], {'acme': emitted}).findings
    assert sum(one.code == 'metadata/undocumented' and one.fix is not None for one in found) == 50
    # The catalog of the integrations reads it, too.
    assert paths == [folder / METADATA] * 2


@pytest.mark.parametrize(
    ('tags', 'expected'),
    [
        (['integration:ac_me', 'integration:ac-me', 'x'], ['integration:acme', 'x']),
        (['integration:ac_me', 'integration:ac_me'], ['integration:acme']),
        (['x', 'integration:ac_me', 'integration:acme'], ['x', 'integration:acme']),
    ],
)
def test_a_tag_is_not_duplicated(tags, expected, tmp_path):
    folder = write(tmp_path, {MONITOR: {'definition': {'tags': tags}}})
    lint(folder, '--fix')
    assert json.loads((folder / MONITOR).read_text())['definition']['tags'] == expected


def test_the_new_text_of_a_link_is_written_beside_its_target(tmp_path, monkeypatch):
    target = tmp_path / 'elsewhere' / 'target.json'
    target.parent.mkdir()
    target.write_text('old')
    link = tmp_path / 'link.json'
    link.symlink_to(target)
    make, folders = tempfile.mkstemp, []
    monkeypatch.setattr(tempfile, 'mkstemp', lambda **options: (folders.append(options['dir']), make(**options))[1])
    replace_text(link, 'new')
    assert folders == [target.parent]
    assert link.is_symlink() and target.read_text() == 'new'
