"""The README's commands, run in an empty folder with the built wheel, print what it shows."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
import uv
import yaml
from installing import find_python, reached, uv_run
from missing import unavailable

from ddassets.lint.example import write

ROOT = Path(__file__).parents[2]
README = ROOT / 'README.md'
GUIDE = ROOT / 'ddassets' / 'README.md'
DOCUMENT = ROOT / 'ddassets' / 'docs' / 'rehearsals.md'
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


# In the place of curl: records its arguments, and answers with a file.
_CURL = """\
#!/bin/bash
printf '%s\\n' "$@" >> asked
for each in "$@"; do case "$each" in https://*) cat "answers/${each##*/}";; esac; done
"""


def test_the_page_that_did_not_come_is_explained(tmp_path):
    """The commands of the document find last night's page, muted by a downtime, in a folder outside a Git work tree."""
    readme, document = README.read_text(encoding='utf-8'), DOCUMENT.read_text(encoding='utf-8')
    heading = '## The page did not come'
    assert f'docs/rehearsals.md#{heading[3:].lower().replace(" ", "-")})' in readme.partition('## Install')[0]
    part = document.partition(f'\n{heading}\n')[2]
    [fetch, look], [scenario] = blocks('bash', part), blocks('yaml', part)
    (tmp_path / 'bin').mkdir()
    (curl := tmp_path / 'bin' / 'curl').write_text(_CURL)
    curl.chmod(0o755)
    (tmp_path / 'answers').mkdir()
    [monitor] = blocks('json', readme)
    zone = ZoneInfo('Europe/Berlin')
    first, bad, last = (datetime(2027, 1, 11 + day, hour, 0, tzinfo=zone) for day, hour in ((0, 21), (1, 2), (1, 6)))
    times = range(int(first.timestamp()), int(last.timestamp()), 60)
    points = [[1000.0 * time, 20.5 if time < bad.timestamp() else 200.0] for time in times]
    points[7][1] = None
    attributes = {
        'scope': 'env:prod',
        'monitor_identifier': {'monitor_tags': ['*']},
        'schedule': {'start': '2027-01-12T00:00:00+00:00', 'end': '2027-01-12T03:00:00+00:00'},
    }
    answers = {
        '4711': {'id': 4711, **json.loads(monitor)},
        'downtime': {'data': [{'id': 'd1', 'type': 'downtime', 'attributes': attributes}]},
        'query': {'status': 'ok', 'series': [{'tag_set': ['host:web-1'], 'pointlist': points}]},
    }
    for name, answer in answers.items():
        (tmp_path / 'answers' / name).write_text(json.dumps(answer))
    programs = Path(sys.executable).parent
    prefix = 'set -e; export PATH="$PWD/bin:$PATH" DD_API_KEY=a DD_APP_KEY=b;'
    done = run(f'{prefix}\n{fetch}', tmp_path, programs)
    assert (done.returncode, done.stderr) == (0, '')
    asked = (tmp_path / 'asked').read_text().splitlines()
    assert {f'from={times[0]}', f'to={times[-1] + 60}', 'DD-API-KEY: a', 'DD-APPLICATION-KEY: b'} <= set(asked)
    assert 'https://api.datadoghq.com/api/v1/query' in asked
    (tmp_path / 'night.yaml').write_text(scenario)
    for command in look.splitlines():
        done = run(command, tmp_path, programs)
        assert (done.returncode, done.stderr) == (0, ''), command
        assert re.search(r'muted by |mutes until ', done.stdout), done.stdout
        assert 'Alert' in done.stdout and 'host:web-1' in done.stdout, done.stdout


_TERRAFORM = """\
resource "datadog_monitor" "lag" {
  name    = "Lag"
  type    = "query alert"
  query   = "avg(last_5m):avg:shop.lag{*} > 9"
  message = "Lag. @ops@example.com"
  flavour = "x"
}
"""


def test_a_repository_of_monitors_gets_scenarios_a_baseline_and_a_workflow(tmp_path):
    """The commands of the section, in a repository of Terraform, JSON and YAML with a finding of lint."""
    part = (
        GUIDE.read_text(encoding='utf-8').partition('\n## Monitors in your own repository\n')[2].partition('\n## ')[0]
    )
    (start, again), [job] = blocks('bash', part), blocks('yaml', part)
    (tmp_path / 'main.tf').write_text(_TERRAFORM)
    (tmp_path / 'exported.json').write_text(blocks('json', README.read_text(encoding='utf-8'))[0])
    monitor = {
        'name': 'Depth',
        'type': 'query alert',
        'query': 'avg(last_5m):avg:shop.depth{*} > 9',
        'message': 'Deep @a',
    }
    (tmp_path / 'monitors.yaml').write_text(yaml.safe_dump([monitor]))
    programs = Path(sys.executable).parent
    assert run('git init -q', tmp_path, programs).returncode == 0
    assert run('ddassets lint .', tmp_path, programs).returncode == 1
    done = run(f'set -e\n{start}', tmp_path, programs)
    assert (done.returncode, done.stderr) == (0, ''), done
    assert re.search(r'json: wrote \d+ findings', done.stdout) and len(list(tmp_path.glob('rehearsals/*.yaml'))) == 3
    workflow = yaml.safe_load((tmp_path / '.github' / 'workflows' / 'ddassets.yml').read_text())
    used = workflow['jobs']['ddassets']['steps'][-1]['with']
    assert used == {'paths': '.', 'rehearse': '.', 'baseline': '.ddassets-baseline.json'}
    assert run(f'set -e\n{again}', tmp_path, programs).returncode == 0
    clone, install, *script = yaml.safe_load(job)['ddassets']['script']
    assert clone.startswith('git clone ') and install.startswith('pip install ')
    assert [line.partition(' ||')[0] for line in script[1:-1]] == again.splitlines()
    for name in ('exported.json', 'main.tf'):
        assert run('set -e\n' + '\n'.join(script), tmp_path, programs).returncode == 0
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text.replace('"query"', '"querry"').replace('message', 'mesage'))
        done = run('set -e\n' + '\n'.join(script), tmp_path, programs)
        assert done.returncode == 1 and 'file/unknown-key' in done.stdout
        (tmp_path / name).write_text(text)


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
