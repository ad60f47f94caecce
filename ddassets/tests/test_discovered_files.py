"""Every place where a command finds a file by itself: links out of the checkout, pipes and devices are not opened."""

import contextlib
import errno
import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import forms
import hostile
import pytest
import scale

from ddassets import boundary
from ddassets.agent.configuration import read_document
from ddassets.agent.environment import project_name
from ddassets.agent.settings import read_settings
from ddassets.cli import main
from ddassets.diagnostic import UnusableInputError

pytestmark = pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no named pipes here')

BODY = hostile.MONITOR['definition']
RULE = {'name': 'Route', 'filter': {'tags': ['a:b']}, 'recipients': ['x@example.com']}
USING = """\
monitors: [monitor.json]
series:
  - metric: acme.jobs
    tags: [host:a]
    type: gauge
    interval: 60s
    csv: signal.csv
"""
# Files and folders of an integration in a checkout, most of them beside those of `hostile.FILES`.
MORE = {
    'assets/monitors/more.json': json.dumps(hostile.MONITOR).replace('Full', 'More'),
    'assets/dashboards/more.json': json.dumps(hostile.DASHBOARD),
    'assets/downtimes/more.json': json.dumps(hostile.DOWNTIME).replace('dev', 'test'),
    'assets/notification_rules/more.json': json.dumps(RULE),
    'assets/service_checks.json': '[]',
    'assets/monitors/full.ddassets.yaml': 'ignore: []\n',
    'assets/dashboards/.ddassets.yaml': 'ignore: []\n',
    'assets/logs/more.ddassets.yaml': 'ignore: []\n',
    'rehearsals/more.yaml': hostile.SCENARIO,
    'rehearsals/more.yml': json.dumps(BODY),
    'rehearsals/using.yaml': 'start: 2027-01-04T10:00:00\nlength: 1h\n' + USING,
    'rehearsals/signal.csv': 'time,value\n2027-01-04T10:00:00Z,5\n',
    'rehearsals/monitor.json': json.dumps(BODY),
    'rehearsals/full.yaml': hostile.SCENARIO,
    'README.md': 'acme.jobs\n',
    'pyproject.toml': '[project]\nname = "datadog-acme"\n',
    'tests/test_more.py': 'NAME = "acme.jobs"\n',
    'tests/more.txt': 'acme.jobs\n',
    'datadog_checks/acme/check.py': 'NAME = "acme.jobs"\n',
    'datadog_checks/acme/data/conf.yaml.example': 'instances: [{}]\n',
    '.ddassets/scenario.schema.json': '{}',
    '../.ddassets.yaml': 'ignore: []\n',
    '../other/manifest.json': hostile.FILES['manifest.json'],
    '../other/metadata.csv': hostile.METADATA,
}
# The same monitor in several forms, beside scenarios.
SOURCES = {
    'first.yaml': hostile.SCENARIO,
    'second.yml': hostile.SCENARIO,
    'monitors.yaml': forms.custom_resource(BODY)[1],
    'main.tf': forms.hcl(BODY)[1],
    'plan.json': forms.plan(BODY)[1],
    'terraform.tfstate': forms.state(BODY)[1],
    'module/main.tf': forms.hcl(BODY)[1],
    'module/plan.json': forms.plan(BODY)[1],
}
LAYOUTS = {'integration': {**hostile.FILES, **MORE}, 'sources': SOURCES}
COMMANDS = {
    'lint': 'lint --profile strict {}',
    'rehearse': 'rehearse --no-code {}',
    # Scenarios and sources are in one folder, and further sources below it.
    'rehearse-sources': 'rehearse --no-code {} {}/module',
    'auto': 'rehearse --auto --no-code {}',
    'plan': 'plan --dry-run {}',
    'init': 'init {}',
}
# Scenarios without sources and `plan --dry-run` of a source are refused.
USES = [
    ('integration', 'lint'),
    ('integration', 'rehearse'),
    ('integration', 'auto'),
    ('integration', 'plan'),
    ('integration', 'init'),
    ('sources', 'lint'),
    ('sources', 'rehearse-sources'),
    ('sources', 'auto'),
    ('sources', 'init'),
]


def run(command: str, home: Path) -> int:
    return main([word.format(home) for word in COMMANDS[command].split()])


def replaced(layout: str, command: str) -> Iterator[tuple[str, str]]:
    """The files of a layout and their folders, each with what it is replaced by: two kinds, or all in the long run."""
    files = LAYOUTS[layout]
    folders = sorted({str(parent) for file in files for parent in Path(file).parents} - {'.', '..'})
    number = scale.SEED
    for place in (*files, *folders):
        # Paths on the command line are not restricted.
        if f'{{}}/{place}' not in COMMANDS[command].split():
            number += 1
            for kind in ('pipe', *(LINKS if scale.MANY else LINKS[number % len(LINKS) :][:1])):
                yield place, kind


class Watch:
    """Records the paths that must not be opened or listed, and refuses them, or a pipe would hang."""

    def __init__(self) -> None:
        self.checkout: Path | None = None
        self.seen: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.checkout is None or event not in ('open', 'os.listdir', 'os.scandir', 'subprocess.Popen'):
            return
        if event == 'subprocess.Popen':
            self.seen.append(f'{event} {arguments[0]}')
        elif isinstance(arguments[0], str | bytes | os.PathLike):
            path = Path(os.path.abspath(os.fsdecode(arguments[0])))
            # A new file is not made through a link.
            is_new = event == 'open' and arguments[2] & os.O_EXCL
            real = Path(os.path.realpath(path.parent), path.name) if is_new else Path(os.path.realpath(path))
            # A pipe cannot be listed, which does not wait.
            is_pipe = event == 'open' and not is_new and real.is_fifo()
            if is_pipe or self._is_outside(real):
                self.seen.append(f'{event} {real}')
                raise PermissionError(errno.EACCES, 'must not be opened', str(path))

    def _is_outside(self, real: Path) -> bool:
        assert self.checkout is not None
        if real.is_relative_to(self.checkout):
            return '.git' in real.parts
        return real.is_relative_to(self.checkout.parent) or str(real) in ('/etc/passwd', '/dev/zero')

    @contextlib.contextmanager
    def only(self, checkout: Path):
        self.checkout, self.seen = checkout, []
        try:
            yield self.seen
        finally:
            self.checkout = None


@pytest.fixture(scope='session')
def watch():
    return Watch()


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / 'outside'
    folder.mkdir()
    # Whatever is looked for in a folder is there.
    for name in ('secret.json', 'secret.csv', 'secret.yaml', 'secret.ddassets.yaml', 'secret.tf', 'secret.py'):
        (folder / name).write_text(hostile.SECRET)
    os.mkfifo(folder / 'pipe')
    return folder


def write(folder: Path, layout: str) -> Path:
    """Create a checkout with the files of a layout; return the folder that the command receives."""
    home = folder / 'acme'
    for name, content in LAYOUTS[layout].items():
        (path := home / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (folder / '.git').mkdir()
    (folder / '.git' / 'config').write_text(hostile.SECRET)
    return home


LINKS = ('secret', 'folder', 'linked pipe', 'passwd', 'device', 'git')


def put(path: Path, kind: str, checkout: Path, outside: Path) -> None:
    """Replace a file or a folder by a pipe or a link."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    targets = {
        'secret': outside / 'secret.json',
        'folder': outside,
        'linked pipe': outside / 'pipe',
        'passwd': Path('/etc/passwd'),
        'device': Path('/dev/zero'),
        'git': checkout / '.git' / 'config',
    }
    os.mkfifo(path) if kind == 'pipe' else path.symlink_to(targets[kind])


@pytest.mark.parametrize('layout, command', USES)
def test_only_files_of_the_checkout_are_opened(tmp_path, outside, watch, capsys, cases, layout, command):
    write(tmp_path / 'usual', layout)
    before = sorted(outside.iterdir())
    for place, kind in replaced(layout, command):
        checkout = tmp_path / 'checkout'
        shutil.copytree(tmp_path / 'usual', checkout)
        home = checkout / 'acme'
        put(home / place, kind, checkout, outside)
        with watch.only(checkout) as seen:
            code = run(command, home)
        said = ''.join(capsys.readouterr())
        about = f'{place} as {kind}: {said[-2000:]}'
        assert seen == [], about
        assert code in (0, 1, 2), about
        assert sorted(outside.iterdir()) == before, about
        for forbidden in ('unexpected', hostile.SECRET, 'root:x:0'):
            assert forbidden not in said, about
        shutil.rmtree(checkout)
        cases[f'pipes and links in a checkout ({layout}) x {command}: not opened'] += 1


@pytest.mark.parametrize('layout, command', USES)
def test_canary_the_checkout_itself_is_accepted(tmp_path, capsys, watch, layout, command):
    home = write(tmp_path / 'checkout', layout)
    with watch.only(tmp_path / 'checkout') as seen:
        code = run(command, home)
    assert code in (0, 1), ''.join(capsys.readouterr())
    assert seen == []


def test_canary_opening_a_file_outside_is_detected(tmp_path, watch, outside, capsys):
    home = write(tmp_path / 'checkout', 'integration')
    (path := home / 'assets/monitors/full.json').unlink()
    path.symlink_to(outside / 'secret.json')
    with watch.only(tmp_path / 'checkout') as seen:
        main(['lint', '--allow-outside', str(home)])
    assert seen == [f'open {outside}/secret.json']


@pytest.mark.parametrize('kind', ['pipe', *LINKS])
@pytest.mark.parametrize('read', [lambda path: read_document(path, 'it'), lambda path: project_name(path.parent)])
def test_files_of_a_check_are_read_within_the_checkout(tmp_path, outside, watch, kind, read):
    checkout = tmp_path / 'checkout'
    path = write(checkout, 'integration') / 'pyproject.toml'
    put(path, kind, checkout, outside)
    with boundary.within([checkout]), watch.only(checkout) as seen, pytest.raises(UnusableInputError, match='be read'):
        read(path)
    assert seen == []


def test_settings_may_come_from_a_pipe(tmp_path):
    os.mkfifo(path := tmp_path / 'datadog.yaml')
    writer = threading.Thread(target=path.write_text, args=('histogram_aggregates: [max]\n',))
    writer.start()
    assert read_settings(path)[0].aggregates == ('max',)
    writer.join()
