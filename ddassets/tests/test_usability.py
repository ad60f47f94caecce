"""Messages about common mistakes on the command line: `usability.yaml` has the cases."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from ddassets.cli import main

DATA = yaml.safe_load((Path(__file__).parent / 'usability.yaml').read_text(encoding='utf-8'))


def write_integration(folder: Path, changes: dict[str, Any]) -> None:
    for name, content in {**DATA['base'], **changes}.items():
        base = DATA['base'].get(name)
        if isinstance(content, dict):
            content = json.dumps({**(base if isinstance(base, dict) else {}), **content}, indent=2)
        if content is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding='utf-8')


@pytest.mark.parametrize('case', [pytest.param(case, id=case['id']) for case in DATA['cases']])
def test_command_line(case, tmp_path, monkeypatch, capsys):
    folder = tmp_path / 'acme'
    write_integration(folder, case.get('files', {}))
    monkeypatch.chdir(folder)
    try:
        code = main(shlex.split(case['run']))
    except SystemExit as left:
        code = left.code
    out, err = capsys.readouterr()
    assert code == case['exit'], (out, err)
    assert [text for text in case.get('out', ()) if text not in out] == [], out
    assert [text for text in case.get('err', ()) if text not in err] == [], err
    assert [text for text in case.get('not', ()) if text in out + err] == [], out + err
