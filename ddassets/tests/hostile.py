"""Create checkouts that try to read, run, print or exhaust what they must not: `make(folder)` returns their names.

Each is a usual integration with one file replaced. Nothing here uses the network.
"""

import itertools
import json
import math
import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import scale

# A file outside all checkouts; its content must never be shown.
SECRET = 'opensesame-7f3a'
SCENARIO = """\
start: 2027-01-04T10:00:00
length: 1h
series:
  - metric: acme.jobs
    tags: [host:a]
    type: gauge
    interval: 60s
    values: 5x30 200x30
"""
MONITOR = {
    'version': 2,
    'created_at': '2026-11-24',
    'last_updated_at': '2026-11-24',
    'title': 'Full',
    'description': 'It is full.',
    'tags': ['integration:acme'],
    'definition': {
        'name': 'Full',
        'type': 'query alert',
        'query': 'avg(last_5m):avg:acme.jobs{*} by {host} > 80',
        'message': 'It is full. @ops@example.com',
        'tags': ['integration:acme'],
        'options': {'thresholds': {'critical': 80}},
    },
}
DASHBOARD = {
    'title': 'Acme',
    'layout_type': 'ordered',
    'widgets': [
        {'definition': {'type': 'timeseries', 'title': 'Jobs', 'requests': [{'q': 'avg:acme.jobs{*}'}]}},
    ],
}
DOWNTIME = {
    'data': {
        'type': 'downtime',
        'attributes': {'monitor_identifier': {'monitor_tags': ['integration:acme']}, 'scope': 'env:dev'},
    }
}
METADATA = 'metric_name,metric_type,interval,unit_name,per_unit_name,description,orientation,integration,short_name\n'
METADATA += 'acme.jobs,gauge,60,,,Jobs.,0,acme,jobs\n'
MANIFEST = {
    'manifest_version': '2.0.0',
    'app_id': 'acme',
    'assets': {
        'integration': {'metrics': {'prefix': 'acme.', 'check': 'acme.jobs', 'metadata_path': 'metadata.csv'}},
        'dashboards': {'Acme': 'assets/dashboards/acme.json'},
        'monitors': {'Full': 'assets/monitors/full.json'},
    },
}
FILES = {
    'manifest.json': json.dumps(MANIFEST),
    'metadata.csv': METADATA,
    'assets/monitors/full.json': json.dumps(MONITOR),
    'assets/dashboards/acme.json': json.dumps(DASHBOARD),
    'assets/downtimes/dev.json': json.dumps(DOWNTIME),
    'rehearsals/first.yaml': SCENARIO,
    '.ddassets.yaml': 'ignore: []\n',
}
CODE = 'import os, pathlib; pathlib.Path({!r}).write_text(os.environ.get("DD_API_KEY", "ran"))\n'

type Put = Callable[[Path, Path], None]


def write(folder: Path) -> Path:
    """Write the usual integration, which all commands accept."""
    for name, content in FILES.items():
        (path := folder / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def make(folder: Path, outside: Path, ran: Path, share: float = 1) -> list[Path]:
    """Write the checkouts below `folder`, or a seeded sample: a `share` of them.

    `outside` is a folder with secrets, `ran` a file that code from a checkout would write.
    """
    outside.mkdir(parents=True, exist_ok=True)
    for name in ('secret.json', 'secret.csv', 'secret.yaml', 'secret'):
        (outside / name).write_text(f'{SECRET}\n')
    cases = list(_cases(outside, ran))
    cases = random.Random(scale.SEED).sample(cases, math.ceil(share * len(cases)))
    found = []
    for name, put in cases:
        home = write(folder / name / 'acme')
        # A work tree of its own: the boundary of reading.
        (folder / name / '.git').mkdir()
        (folder / name / '.git' / 'config').write_text(f'token = {SECRET}\n')
        put(home, folder / name)
        found.append(home)
    return found


def _cases(outside: Path, ran: Path) -> Iterator[tuple[str, Put]]:
    names = list(FILES)
    for number, name in enumerate(names):
        for kind, put in _replacements(outside):
            yield f'{kind}-{number}', _replaced(name, put)
        for kind, content in _contents(name):
            yield f'{kind}-{number}', _written(name, content)
    yield from _paths(outside)
    yield from _scenarios(outside)
    yield from _code(ran)
    yield from _folders(outside)


def _replaced(name: str, put: Callable[[Path], None]) -> Put:
    def act(home: Path, _: Path) -> None:
        (home / name).unlink()
        put(home / name)

    return act


def _written(name: str, content: bytes | str) -> Put:
    def act(home: Path, _: Path) -> None:
        (path := home / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return act


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 10**12)


def _linked(target: str, path: Path) -> None:
    path.symlink_to(path.name if target == 'itself' else target)


def _replacements(outside: Path) -> Iterator[tuple[str, Callable[[Path], None]]]:
    yield 'pipe', os.mkfifo
    yield 'folder', Path.mkdir
    yield 'sparse', _sparse
    yield 'unreadable', lambda path: path.touch(0)
    targets = {
        'passwd': '/etc/passwd',
        'environ': '/proc/self/environ',
        'zero': '/dev/zero',
        'tty': '/dev/tty',
        'secret': str(outside / 'secret.json'),
        'git': '../../.git/config',
        'itself': 'itself',
        'climbing': '../' * 30 + 'etc/passwd',
    }
    for kind, target in targets.items():
        yield f'link-{kind}', partial(_linked, target)


def _contents(name: str) -> Iterator[tuple[str, bytes | str]]:
    """Contents of one file: depth, width, size, repetition, encodings and characters."""
    yield 'empty', ''
    yield 'nul', b'\0' * 1000
    yield 'latin', 'é'.encode('latin-1') * 100
    yield 'utf-16', FILES[name].encode('utf-16')
    yield 'surrogates', '{"a": "\\ud800\\udfff\\ud800"}'
    yield 'escapes', json.dumps('\x1b[2J\x1b]0;owned\x07\u202e') if name.endswith('.json') else '\x1b[2J: \u202e\n'
    if name.endswith('.json'):
        yield 'brackets', '[' * 100_000
        yield 'nested', '[' * 50_000 + ']' * 50_000
        yield 'objects', '{"a":' * 900 + '1' + '}' * 900
        yield 'duplicates', '{' + ','.join('"a": 1' for _ in range(100_000)) + '}'
        yield 'digits', '{"a": ' + '9' * 100_000 + '}'
        yield 'exponent', '{"version": 1e999999, "definition": {"options": {"thresholds": {"critical": 1e400}}}}'
        yield 'nan', '{"a": NaN, "b": -Infinity}'
        yield 'long-line', json.dumps({'x' * 1_000_000: 'y' * 1_000_000})
        yield 'types', json.dumps(dict.fromkeys(('version', 'definition', 'widgets', 'data', 'assets', 'title'), [1]))
    if name.endswith('.csv'):
        yield 'columns', ','.join(f'c{i}' for i in range(50_000)) + '\n'
        yield 'quotes', '"' + 'a\n' * 200_000
        yield 'rows', METADATA + 'acme.jobs,gauge\n' * 50_000
    if name.endswith('.yaml'):
        yield (
            'laughs',
            'a0: &a0 [x, x]\n' + ''.join(f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 9)}]\n' for i in range(1, 12)),
        )
        yield 'python', '!!python/object/apply:os.system ["touch /tmp/ddassets-owned"]\n'
        yield 'flow', '[' * 20_000
        yield 'indents', ''.join(' ' * i + 'a:\n' for i in range(1500))
        yield 'recursive', '&a [*a]\n'


def _paths(outside: Path) -> Iterator[tuple[str, Put]]:
    """Paths in the manifest."""
    targets = (
        '/etc/passwd',
        '/proc/self/environ',
        '/dev/zero',
        str(outside / 'secret.csv'),
        '../../../../../../../../../etc/passwd',
        '../.git/config',
        'a\0b',
        'x' * 10_000,
        '',
    )
    for number, target in enumerate(targets):
        for key in ('metadata_path', 'dashboards', 'monitors'):
            manifest = json.loads(FILES['manifest.json'])
            if key == 'metadata_path':
                manifest['assets']['integration']['metrics'][key] = target
            else:
                manifest['assets'][key] = {'Acme': target}
            yield f'manifest-{key}-{number}', _written('manifest.json', json.dumps(manifest))


def _scenarios(outside: Path) -> Iterator[tuple[str, Put]]:
    head, _, _ = SCENARIO.partition('    values')
    targets = ('/etc/passwd', '/proc/self/environ', '/dev/zero', '../../.git/config', str(outside / 'secret.csv'))
    for number, target in enumerate(targets):
        yield f'csv-{number}', _written('rehearsals/first.yaml', f'{head}    csv: {target}\n')
    values = {
        'many': '1x100000000',
        'sum': ' '.join(['1x90000000'] * 3),
        'gap': '_x99999999 1',
        'infinite': '1e308+1e308x50',
        'word': 'x' * 1_000_000,
    }
    for name, value in values.items():
        yield f'values-{name}', _written('rehearsals/first.yaml', f'{head}    values: "{value}"\n')
    replaced = {
        'length': SCENARIO.replace('length: 1h', 'length: 100000w'),
        'interval': SCENARIO.replace('60s', '1s').replace('length: 1h', 'length: 52w'),
        'series': SCENARIO + SCENARIO.partition('series:\n')[2].replace('host:a', 'host:b') * 3000,
        'start': SCENARIO.replace('2027-01-04T10:00:00', '0001-01-01T00:00:00'),
    }
    for name, content in replaced.items():
        yield f'scenario-{name}', _written('rehearsals/first.yaml', content)


def _code(ran: Path) -> Iterator[tuple[str, Put]]:
    """Return code that would run when it is imported."""
    scenario = 'start: 2027-01-04T10:00:00\nlength: 10m\nseries:\n  - check: {}\n'
    code = CODE.format(str(ran))

    def put(names: tuple[str, ...], home: Path, top: Path) -> None:
        for name in names:
            for path in (home / name, top / name):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(code)
        (home / 'pyproject.toml').write_text('[project]\nname = "datadog-acme"\nversion = "1.0.0"\n')
        (home / 'rehearsals' / 'first.yaml').write_text(scenario)

    for number, names in enumerate(
        (
            ('datadog_checks/acme/check.py', 'datadog_checks/acme/__init__.py', 'setup.py'),
            ('conftest.py', 'sitecustomize.py', 'usercustomize.py'),
            ('json.py', 'yaml.py', 'numpy.py', 'ddassets.py'),
        )
    ):
        yield f'code-{number}', partial(put, names)


def _folders(outside: Path) -> Iterator[tuple[str, Put]]:
    """Return folders that lead outside, and folders with too many files."""
    for kind, target in itertools.product(
        ('assets', 'assets/monitors', 'rehearsals', 'tests'), (outside, Path('/etc'))
    ):

        def link(home: Path, top: Path, kind: str = kind, target: Path = target) -> None:
            if (home / kind).exists():
                (home / kind).rename(top / 'moved')
            (home / kind).symlink_to(target)

        yield f'folder-{kind.replace("/", "-")}-{target.name}', link

    def many(home: Path, _: Path) -> None:
        for number in range(2000):
            (home / 'assets' / 'monitors' / f'{number}.json').write_text('{}')

    yield 'many-files', many

    def names(home: Path, _: Path) -> None:
        for name in ('\x1b[2J.json', '\u202ecod.json', '\udcff.json', 'a\nb.json', '-rf.json', 'x' * 200 + '.json'):
            (home / 'assets' / 'monitors' / name).write_text('{')

    yield 'odd-names', names
