"""The cases of `datadog-agent integration install`: each is judged by the rules, and where pip decides, by pip."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from install_command import judge_arguments, judge_versions, published_version

from ddassets.agent import conf_files
from ddassets.agent.environment import Environment, install_wheel
from ddassets.agent.wheel import distribution_name, integration_name, judge_named, judge_wheel, read_wheel
from ddassets.diagnostic import UnusableInputError

CASES = yaml.safe_load(Path(__file__).with_name('agent').joinpath('install.yaml').read_text('utf-8'))
BASE = '38.5.0'


def params(cases, *modes):
    """One test for each case, or for each of its modes."""
    return [
        pytest.param(case, mode, id=f'{case["id"]}-{mode}' if mode else case['id'])
        for case in cases
        for mode in [mode for mode in case.get('modes', modes) if mode in modes] or ['']
    ]


def test_all_cases_are_there():
    sections = [
        CASES['arguments'],
        CASES['versions_already_there'],
        CASES['pip']['cases'],
        CASES['requires_dist']['cases'],
        CASES['name']['cases'],
        CASES['files']['cases'],
        CASES['files']['folder'],
    ]
    assert sum(map(len, sections)) == 89


@pytest.mark.parametrize(('case', 'mode'), params(CASES['arguments'], 'wheel', 'named'))
def test_arguments(case, mode):
    if 'name' in case:
        # No name is reserved with -w.
        members = [('METADATA', f'Name: {case["name"]}\nRequires-Dist: datadog-checks-base\n'.encode())]
        assert judge_wheel(members).accepted
        return
    arguments = case.get('arguments', ['a.whl' if mode == 'wheel' else 'datadog-x==1.0.0'])
    verdict = judge_arguments(
        mode,
        arguments,
        exists=case['id'] != 'wheel_missing',
        root=case.get('user') == 'root',
        allow_root='-r' in case.get('options', []),
    )
    assert verdict.accepted == (case['result'] == 'accepted'), verdict
    assert bool(verdict.reason) is not verdict.accepted


@pytest.mark.parametrize(
    ('text', 'published'),
    [
        pytest.param('1.0.0', '1.0.0', id='plain'),
        pytest.param('1.0.0-beta.1', '1.0.0b1', id='beta'),
        pytest.param('1.0.0-alpha.2', '1.0.0a2', id='alpha'),
        pytest.param('1.0.0-preview.3', '1.0.0rc3', id='anything-else'),
        pytest.param('1.0', None, id='two-parts'),
        pytest.param('1.0.0b1', None, id='not-semantic'),
    ],
)
def test_published_version(text, published):
    assert published_version(text) == published


@pytest.mark.parametrize(('case', 'mode'), params(CASES['versions_already_there'], 'wheel', 'named'))
def test_versions_that_are_already_installed(case, mode):
    assert judge_versions(mode, case['wanted'], case.get('installed'), case.get('shipped')) == case['result']


def metadata(case):
    """The members of a wheel whose first line is the case's."""
    head = 'Name: datadog-x\n'
    if case['id'] == 'long_line':
        head += f'Summary: {"x" * 70000}\n'
        case = {**case, 'line': 'Requires-Dist: datadog-checks-base'}
    member = case.get('member', 'datadog_x-1.0.0.dist-info/METADATA')
    return [(member, f'{head}{case["line"] or ""}\nRequires-Dist: datadog-checks-bas\n'.encode())]


@pytest.mark.parametrize(('case', '_'), params(CASES['requires_dist']['cases']))
def test_required_base_package(case, _):
    members = metadata(case)
    judged = {'wheel': judge_wheel(members), 'named': judge_named(members, BASE)}
    for mode, verdict in judged.items():
        assert verdict.accepted == (case[mode] == 'accepted'), (mode, verdict)
        assert bool(verdict.reason) is not verdict.accepted


def test_only_the_first_line_about_the_base_package_counts():
    text = 'Name: datadog-x\nRequires-Dist: datadog-checks-base>=37.0.0\nRequires-Dist: datadog-checks-base>=99.0.0\n'
    assert judge_named([('METADATA', text.encode())], BASE).accepted


@pytest.mark.parametrize(('case', '_'), params(CASES['name']['cases']))
def test_name(case, _):
    members = [('METADATA', f'{case["line"] or ""}\nRequires-Dist: datadog-checks-base\n'.encode())]
    if case.get('result') == 'refused':
        assert not judge_wheel(members).accepted
        return
    assert judge_wheel(members).accepted
    assert integration_name(distribution_name(members)) == case['integration']


def data_folder(folder: Path, entry: str) -> Path:
    data = folder / 'probe' / 'data'
    path = data / entry
    if entry.endswith('/'):
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('instances: [{}]\n')
    return data


@pytest.mark.parametrize(('case', '_'), params(CASES['files']['cases']))
def test_files(case, _, tmp_path):
    data = data_folder(tmp_path, case['entry'])
    (data / 'z.yaml.example').touch()
    target = tmp_path / 'conf.d' / 'probe.d'
    if case['result'] == 'error':
        with pytest.raises(UnusableInputError, match='would install the wheel, and then fail'):
            conf_files.copy(data, target)
    else:
        planned = {file.path: file.action for file in conf_files.copy(data, target)}
        assert (
            planned.get(case['entry'], 'skip')
            == {'copied': 'bring', 'not_copied': 'skip', 'created': 'create'}[case['result']]
        )
    # What went wrong with one file does not keep the others back.
    assert (target / 'z.yaml.example').is_file()
    assert (target / case['entry']).exists() == (case['result'] in ('copied', 'created'))


FOLDER_CASES = {case['id']: case for case in CASES['files']['folder']}


def test_every_case_of_the_folder_has_a_test():
    names = {name.removeprefix('test_folder_') for name in globals() if name.startswith('test_folder_')}
    assert names == FOLDER_CASES.keys()


@pytest.fixture
def host(tmp_path):
    """A wheel's data folder and a host's conf.d, with one common file and one different file each."""
    data = data_folder(tmp_path, 'conf.yaml')
    target = tmp_path / 'conf.d' / 'probe.d'
    target.mkdir(parents=True)
    (target / 'conf.yaml').write_text('edited')
    (target / 'conf.yaml').chmod(0o640)
    (target / 'mine.yaml').write_text('mine')
    return data, target


def test_folder_data_missing(tmp_path):
    with pytest.raises(UnusableInputError, match='datadog_checks/probe/data; the Agent would install the wheel, and'):
        conf_files.plan(tmp_path / 'probe' / 'data', tmp_path / 'conf.d')


def test_folder_name_differs(tmp_path):
    """The folder is searched under the name in the Name line."""
    data_folder(tmp_path, 'conf.yaml')
    name = integration_name(distribution_name([('METADATA', b'Name: datadog-other\n')]))
    with pytest.raises(UnusableInputError, match='datadog_checks/other/data'):
        conf_files.plan(tmp_path / name / 'data', tmp_path / 'conf.d')


def test_folder_target_new(tmp_path):
    data = data_folder(tmp_path, 'conf.yaml.example')
    target = tmp_path / 'conf.d' / 'probe.d'
    before = os.umask(0o027)
    try:
        [file] = conf_files.copy(data, target)
    finally:
        os.umask(before)
    expected = FOLDER_CASES['target_new']['result']
    assert f'{file.mode:04o}' == expected['file_mode']
    modes = (target / 'conf.yaml.example').stat().st_mode & 0o777, target.stat().st_mode & 0o777
    assert modes == (int(expected['file_mode'], 8) & ~0o027, int(expected['folder_mode'], 8) & ~0o027)


def test_folder_target_exists(host):
    data, target = host
    planned = {file.path: file for file in conf_files.copy(data, target)}
    assert (planned['conf.yaml'].action, planned['conf.yaml'].mode) == ('overwrite', 0o640)
    assert (target / 'conf.yaml').read_text() == 'instances: [{}]\n'
    assert (target / 'conf.yaml').stat().st_mode & 0o777 == 0o640


def test_folder_target_more(host):
    data, target = host
    planned = {file.path: file.action for file in conf_files.copy(data, target)}
    assert planned['mine.yaml'] == 'leave'
    assert (target / 'mine.yaml').read_text() == 'mine'


def test_folder_one_error(host):
    data, target = host
    (target / 'other.yaml.example').mkdir()
    (data / 'other.yaml.example').touch()
    with pytest.raises(UnusableInputError, match='data/other.yaml.example: a folder with this name exists'):
        conf_files.copy(data, target)
    assert (target / 'conf.yaml').read_text() == 'instances: [{}]\n'


@pytest.mark.parametrize(
    ('name', 'text', 'note'),
    [
        pytest.param('conf.yaml', 'instances: [{}]', 'the Agent loads this file automatically', id='loads'),
        pytest.param('conf.yaml.default', 'instances: [{}]', 'ship conf.yaml.example', id='default'),
        pytest.param(
            'auto_conf.yaml', 'ad_identifiers: [web]\ninstances: [{}]', 'only with a matching container', id='template'
        ),
        pytest.param(
            'auto_conf.yaml', 'instances: [{}]', 'the Agent loads this file automatically', id='plain-auto_conf'
        ),
        pytest.param('metrics.yaml', 'jmx_metrics: []', 'belongs to a JMX check', id='jmx'),
        pytest.param('conf.yaml.example', 'instances: [{}]', '', id='example'),
        pytest.param('конф.yaml.example', '', 'ASCII letters', id='not-ascii'),
        pytest.param('conf.yml', '', 'ASCII letters', id='yml'),
        pytest.param('picture.png', '', '', id='picture'),
    ],
)
def test_notes(tmp_path, name, text, note):
    data = data_folder(tmp_path, name)
    (data / name).write_text(text)
    [file] = conf_files.plan(data, tmp_path / 'none')
    assert note in file.note
    assert bool(note) is bool(file.note)


@pytest.fixture(scope='module')
def environment(tmp_path_factory):
    """A Python with pip and nothing else."""
    import uv

    folder = tmp_path_factory.mktemp('pip') / 'environment'
    subprocess.run([uv.find_uv_bin(), 'venv', '--quiet', '--no-project', '--seed', '--python', sys.executable, folder])
    python = folder / ('Scripts/python.exe' if os.name == 'nt' else 'bin/python')
    [site_packages] = {path.parent for path in folder.rglob('site-packages/pip')}
    return Environment(python, site_packages)


def write_wheel(folder: Path, version: str, text: str, requires: str = 'datadog-checks-base') -> Path:
    folder.mkdir()
    path = folder / f'datadog_probe-{version}-py3-none-any.whl'
    info = f'datadog_probe-{version}.dist-info'
    metadata = f'Metadata-Version: 2.4\nName: datadog-probe\nVersion: {version}\nRequires-Dist: {requires}\n'
    files = {
        'datadog_checks/probe/__init__.py': text,
        f'{info}/METADATA': metadata,
        f'{info}/WHEEL': 'Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    }
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(f'{info}/RECORD', ''.join(f'{name},,\n' for name in [*files, f'{info}/RECORD']))
    return path


def test_pip(environment, tmp_path):
    """The cases that depend on pip, and two version cases: same and older."""
    package = environment.site_packages / 'datadog_checks' / 'probe' / '__init__.py'
    first = write_wheel(tmp_path / 'first', '1.0.0', 'first', 'requests\nRequires-Dist: datadog-checks-base')
    assert read_wheel(first, BASE).version == '1.0.0'
    install_wheel(environment, first)
    # Case dependencies.
    assert not (environment.site_packages / 'requests').exists()
    # Case wheel_same: pip succeeds, and the old code stays.
    again = write_wheel(tmp_path / 'again', '1.0.0', 'again')
    assert 'already installed with the same version' in install_wheel(environment, again)
    assert package.read_text() == 'first'
    # Case constraint_violated.
    constraints = tmp_path / 'constraints.txt'
    constraints.write_text('datadog-probe==9.0.0\n')
    newer = write_wheel(tmp_path / 'newer', '2.0.0', 'newer')
    with pytest.raises(UnusableInputError, match='pip refuses this wheel'):
        install_wheel(environment, newer, constraints)
    constraints.write_text('requests==2.0.0\n')
    install_wheel(environment, newer, constraints)
    # Case wheel_older: nothing compares versions.
    install_wheel(environment, write_wheel(tmp_path / 'older', '1.5.0', 'older'))
    assert package.read_text() == 'older'
    # Case pip_fails.
    broken = tmp_path / 'datadog_probe-3.0.0-py3-none-any.whl'
    broken.write_bytes(newer.read_bytes()[:100])
    with pytest.raises(UnusableInputError, match='pip refuses this wheel'):
        install_wheel(environment, broken)
    assert package.read_text() == 'older'
