"""The README's commands, run in an empty folder with the built wheel, print what it shows."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import uv
from installing import find_python, reached, uv_run
from missing import unavailable

from ddassets.lint.example import write

ROOT = Path(__file__).parents[2]
README = ROOT / 'README.md'
GUIDE = ROOT / 'ddassets' / 'README.md'
_BLOCK = re.compile(r'^```(\w+)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
#: An indented block that begins with an import.
_PYTHON = re.compile(r'^    (?:from|import) .*\n(?:    .*\n|\n)+', re.MULTILINE)
_INSTALL = re.compile(r'^    ((?:pip|uv tool|pipx) install .*)$', re.MULTILINE)
#: pipx does what `uv tool` does, and is not among the tools of the tests.
TRIED = ('pip ', 'uv ')


def blocks(language: str, text: str) -> list[str]:
    return [body for kind, body in _BLOCK.findall(text) if kind == language]


def sessions(text: str) -> list[tuple[str, str]]:
    """Return each command after a `$` in the console blocks, with its output."""
    found = []
    for block in blocks('console', text):
        for part in re.split(r'^\$ ', block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition('\n')
            found.append((command, shown))
    return found


def run(command: str, folder: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        'PATH': f'{programs}{os.pathsep}{Path(uv.find_uv_bin()).parent}{os.pathsep}{os.defpath}',
        'HOME': str(folder),
        'COLUMNS': '80',
        'LANG': 'C.UTF-8',
        'UV_TOOL_DIR': str(folder / 'tools'),
        'UV_TOOL_BIN_DIR': str(folder / 'bin'),
        'UV_PYTHON': str(programs / 'python'),
        **{
            name: value
            for name, value in os.environ.items()
            if name.startswith(('PIP_', 'UV_INDEX', 'UV_CACHE', 'SSL_'))
        },
    }
    return subprocess.run(
        ['bash', '-c', command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


class Aggregator:
    """The aggregator of datadog-checks-dev after a check that submitted one gauge."""

    METRIC_ENUM_MAP: ClassVar = {'gauge': 0}
    metric_names: ClassVar = ['acme.workers']

    def metrics(self, name):
        return [SimpleNamespace(name=name, type=0, tags=['host:a'])]


def test_the_python_examples_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {}).rename('my_integration')
    examples = [dedent(each) for each in _PYTHON.findall(GUIDE.read_text(encoding='utf-8'))]
    assert examples
    for example in examples:
        names: dict[str, Any] = {}
        exec(example, names)
        for name in [name for name in names if name.startswith('test_')]:
            names[name](lambda check: None, Aggregator(), None)


@pytest.mark.parametrize('version', [pytest.param('3.12', id='3.12'), pytest.param('3.13', id='3.13')])
def test_the_commands_work_and_print_what_is_shown(version, wheel, tmp_path):
    text = README.read_text(encoding='utf-8')
    made = uv_run('venv', '--seed', '--python', find_python(version), tmp_path / 'venv')
    if made.returncode:
        unavailable(f'no Python {version}: {made.stderr[-200:]}')
    folder, programs = tmp_path / 'empty', tmp_path / 'venv' / 'bin'
    (folder / 'dist').mkdir(parents=True)
    shutil.copy(wheel, folder / 'dist')
    commands = [command for command in _INSTALL.findall(text) if command.startswith(TRIED)]
    assert len(commands) == len(TRIED)
    for command in commands:
        begun = time.time()
        done = run(command, folder, programs)
        assert reached(done).returncode == 0, done.stderr
        print(f'{command}: {time.time() - begun:.1f} s on Python {version}')
    installed = subprocess.run([folder / 'bin' / 'ddassets', '--version'], capture_output=True, text=True, check=True)
    assert installed.stdout.startswith('ddassets ')
    [monitor] = blocks('json', text)
    (folder / 'exported.json').write_text(monitor)
    shown = sessions(text)
    assert [command.split()[0] for command, _ in shown].count('ddassets') >= 2
    for command, expected in shown:
        done = run(command, folder, programs)
        assert done.stderr == '' and done.stdout == expected, f'{command}\n{done.stdout}'


def test_the_first_screen_has_the_problem_and_the_answer():
    """Sixty lines are one screen on GitHub; the lines from `## Install` on may be below it."""
    first, install, _ = README.read_text(encoding='utf-8').partition('\n## Install\n')
    assert install and len(first.splitlines()) <= 60
    assert 'ddassets rehearse --auto exported.json' in first and '](my_metric/images/' in first


if __name__ == '__main__':
    # Write what the commands print into the README: `python ddassets/tests/test_readme.py .venv/bin`.
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else 'dist/readme')
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    text = README.read_text(encoding='utf-8')
    (folder / 'exported.json').write_text(blocks('json', text)[0])
    for block in blocks('console', text):
        fresh = ''.join(
            f'$ {command}\n{run(command, folder.absolute(), Path(sys.argv[1]).absolute()).stdout}'
            for command, _ in sessions(f'```console\n{block}```')
        )
        text = text.replace(f'```console\n{block}```', f'```console\n{fresh}```')
    README.write_text(text, encoding='utf-8')
