"""Assets from public repositories: no false alarms, and no traceback for damaged ones."""

import copy
import json
import random
from pathlib import Path

import pytest

from ddassets.assets import read
from ddassets.cli import main
from ddassets.lint import Emission, Severity, lint
from ddassets.lint.example import (
    DASHBOARD,
    DOWNTIME,
    INTEGRATION,
    MANIFEST,
    METADATA,
    MONITOR,
    merge_patch,
    metadata,
    widget,
    write,
)

WILD = Path(__file__).parent / 'wild'
DASHBOARDS, MONITORS = (sorted((WILD / kind).glob('*.json')) for kind in ('dashboards', 'monitors'))


def found(folder):
    return [(finding.severity, finding.code, finding.message) for finding in lint(read(folder))]


@pytest.mark.parametrize('path', DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_without_fault(tmp_path, path):
    assert found(write(tmp_path, {DASHBOARD: path.read_text()})) == []


@pytest.mark.parametrize('path', MONITORS, ids=lambda path: path.stem)
def test_monitors_without_fault(tmp_path, path):
    alarms = found(write(tmp_path, {MONITOR: path.read_text()}))
    # What no rule is sure of may be noted.
    assert [alarm for alarm in alarms if alarm[0] > Severity.NOTE] == []


def test_metric_names_that_are_not_misspelt(tmp_path):
    """Derived names, shared prefixes, prefixes of several parts, integrations named like the metrics of others."""
    names = (
        'acme.latency.avg acme.latency.95percentile acme.latency.count acme.sizes.sum acme.sizes.bucket acme.x'.split()
    )
    rows = metadata('acme.latency.avg,gauge', 'acme.sizes,histogram', 'acme.x,gauge')
    folder = write(tmp_path, {METADATA: rows, DASHBOARD: {'widgets': [widget(f'avg:{n}{{$host}}', n) for n in names]}})
    assert [alarm for alarm in found(folder) if 'unknown' in alarm[1] and 'queue' not in alarm[2]] == []


# Damage

VALUES: list[object] = [
    None, True, False, 0, -1, 1e308, 10**400, '', 'x', '$', '{{', '\ud800', '\x00\x1b[31m\n', '@all', '*' * 300,
    [], [[]], [None], {}, {'': {}},
]  # fmt: skip
PIECES = ['', '{', '}', '"', ',', '$', '{{', '{{/', '@', ':', '\n', '9']


def wrap_in_list(holder, step, choose):
    holder[step] = [holder[step]]


def wrap_in_object(holder, step, choose):
    holder[step] = {'definition': holder[step], 'widgets': holder[step]}


def delete(holder, step, choose):
    del holder[step]


def replace(holder, step, choose):
    holder[step] = copy.deepcopy(choose.choice(VALUES))


def add(holder, step, choose):
    if isinstance(holder, dict):
        holder[choose.choice(['type', 'name', 'query', 'schedule', 'options', 'x'])] = choose.choice(VALUES)
    else:
        holder.append(holder[step])


def edit(holder, step, choose):
    if isinstance(holder[step], str):
        cut = choose.randrange(len(holder[step]) + 1)
        holder[step] = holder[step][:cut] + choose.choice(PIECES) + holder[step][cut + choose.randrange(2) :]


def mutate(value, choose):
    """Change one part of a JSON value: its type, its nesting, its text, or remove it."""
    spots = []
    pending = [value]
    while pending:
        item = pending.pop()
        for step in list(item) if isinstance(item, dict) else range(len(item)):
            spots.append((item, step))
            if isinstance(item[step], dict | list):
                pending.append(item[step])
    if spots:
        choose.choice([wrap_in_list, wrap_in_object, delete, replace, add, edit, edit])(*choose.choice(spots), choose)


EMISSION = Emission.of_samples(
    [('acme.queue.length', 'gauge', ['host:a', 'queue:in', 'bare']), ('acme.requests', 'monotonic_count', [])]
)
BODIES = {
    MANIFEST: [INTEGRATION[MANIFEST]],
    DASHBOARD: [INTEGRATION[DASHBOARD], *(json.loads(path.read_text()) for path in DASHBOARDS)],
    MONITOR: [INTEGRATION[MONITOR], *(json.loads(path.read_text()) for path in MONITORS)],
    DOWNTIME: [INTEGRATION[DOWNTIME]],
}


@pytest.mark.parametrize('seed', range(10))
def test_damaged_assets_never_raise(tmp_path, seed):
    """2,000 files in 500 integrations: damage is reported or has no effect."""
    choose = random.Random(seed)
    for number in range(50):
        files = {}
        for path, bodies in BODIES.items():
            body = copy.deepcopy(choose.choice(bodies))
            for _ in range(choose.randrange(4)):
                mutate(body, choose)
            # As text: a dictionary would be merged with the example.
            files[path] = json.dumps(body)
        folder = write(tmp_path / str(number), files)
        for emission in (None, EMISSION):
            for finding in lint(read(folder), emission):
                assert finding.position is None or (finding.position.line > 0 and finding.position.column > 0)


@pytest.mark.parametrize('format_', ['text', 'json', 'github', 'sarif', 'junit'])
def test_damaged_assets_are_printed(tmp_path, capsys, format_):
    choose = random.Random(1)
    for number in range(15):
        body = copy.deepcopy(choose.choice(BODIES[MONITOR]))
        for _ in range(5):
            mutate(body, choose)
        write(tmp_path / str(number), {MONITOR: json.dumps(body)}).rename(tmp_path / f'acme_{number}')
    main(['lint', '--format', format_, str(tmp_path)])
    out = capsys.readouterr().out
    assert out.encode()
    assert not {character for character in out if not character.isprintable()} - {'\n'}


@pytest.mark.parametrize('path', [MANIFEST, METADATA, DASHBOARD, MONITOR, DOWNTIME])
def test_damaged_bytes_never_raise(tmp_path, path):
    choose = random.Random(path)
    content = bytearray((write(tmp_path / 'whole', {}) / path).read_bytes())
    for number in range(100):
        damaged = bytearray(content)
        for _ in range(choose.randrange(1, 4)):
            at = choose.randrange(len(damaged))
            damaged[at : at + choose.randrange(3)] = choose.randbytes(choose.randrange(3))
        lint(read(write(tmp_path / str(number), {path: bytes(damaged)})))


def test_deeply_nested_widgets(tmp_path):
    inner = json.dumps(widget('avg:acme.queue.length{$host}'))
    nested = '{"definition": {"type": "group", "widgets": [' * 2000 + inner + ']}}' * 2000
    body = json.dumps({**INTEGRATION[DASHBOARD], 'widgets': ['HERE']}).replace('"HERE"', nested)
    assert found(write(tmp_path, {DASHBOARD: body})) == []


def test_merge_patch():
    """The examples depend on it; the cases are those of RFC 7396's appendix."""
    cases = [
        ({'a': 'b'}, {'a': 'c'}, {'a': 'c'}), ({'a': 'b'}, {'b': 'c'}, {'a': 'b', 'b': 'c'}),
        ({'a': 'b'}, {'a': None}, {}),
        ({'a': ['b']}, {'a': 'c'}, {'a': 'c'}), ({'a': {'b': 'c'}}, {'a': {'b': 'd', 'c': None}}, {'a': {'b': 'd'}}),
        (['a'], ['c'], ['c']), ({'a': 'b'}, None, None),
        ([1], {'a': 'b', 'c': None}, {'a': 'b'}),
        ({}, {'a': {'bb': {'ccc': None}}}, {'a': {'bb': {}}}),
    ]  # fmt: skip
    for body, patch, merged in cases:
        assert merge_patch(body, patch) == merged
