import zipfile

import pytest

from ddassets.agent.wheel import distribution_name, integration_name, judge_named, parse_version, read_wheel
from ddassets.diagnostic import UnusableInputError

HEAD = 'Metadata-Version: 2.4\nName: datadog-probe\nVersion: 1.0.0\n'


def judge(text):
    """Return the verdict on a published integration whose METADATA ends with this text."""
    return judge_named([('METADATA', (HEAD + text).encode())], '38.5.0')


@pytest.mark.parametrize(
    'requirement',
    [
        pytest.param('datadog-checks-base', id='unpinned'),
        pytest.param('datadog-checks-base>=38.0.0', id='floor'),
        pytest.param('datadog-checks-base>=38.5.0', id='floor-equal'),
        pytest.param('datadog-checks-base<39.0.0,>=37.36.0', id='range'),
        pytest.param('datadog-checks-base==38.5.0', id='exact'),
        pytest.param('datadog-checks-base!=38.4.0', id='excluded-other'),
        pytest.param('datadog-checks-base<=38.5.0', id='ceiling-equal'),
        pytest.param('datadog-checks-base>9.9.9', id='numbers-not-texts'),
        pytest.param('datadog-checks-base>=37.0.0\nRequires-Dist: datadog-checks-base>=99.0.0', id='first-line-only'),
    ],
)
def test_accepted(requirement):
    assert judge(f'Requires-Dist: requests>=2\nRequires-Dist: {requirement}\n') == (True, '')


@pytest.mark.parametrize(
    ('requirement', 'reason'),
    [
        pytest.param('datadog-checks-base>=38.0', 'write >=38.0.0', id='two-numbers'),
        pytest.param('datadog-checks-base>=38', 'write >=38.0.0', id='one-number'),
        pytest.param('datadog-checks-base>=38.0.0.1', 'write >=38.0.0', id='four-numbers'),
        pytest.param('datadog-checks-base>= 38.0.0', "'' after '>=' is not x.y.z", id='space'),
        pytest.param("datadog-checks-base; extra == 'deps'", "'' after '==' is not x.y.z", id='marker'),
        pytest.param('datadog-checks-base~=38.0.0', "operator '='", id='compatible-release'),
        pytest.param('datadog-checks-base><38.0.0', "operator '><'", id='no-operator'),
        pytest.param('datadog-checks-base>=38.5.1', 'the Agent ships 38.5.0', id='newer'),
        pytest.param('datadog-checks-base>38.5.0', 'the Agent ships 38.5.0', id='above'),
        pytest.param('datadog-checks-base<38.5.0', 'the Agent ships 38.5.0', id='below'),
        pytest.param('datadog-checks-base<=38.4.9', 'the Agent ships 38.5.0', id='ceiling'),
        pytest.param('datadog-checks-base==38.4.0', 'the Agent ships 38.5.0', id='other'),
        pytest.param('datadog-checks-base!=38.5.0', 'the Agent ships 38.5.0', id='excluded'),
        pytest.param('datadog-checks-base<39.0.0,>=38.9.0', '>=38.9.0, and', id='second-specifier'),
        pytest.param('requests', 'no METADATA with a line "Requires-Dist: datadog-checks-base"', id='not-required'),
    ],
)
def test_refused(requirement, reason):
    verdict = judge(f'Requires-Dist: {requirement}\n')
    assert not verdict.accepted
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ('text', 'version'),
    [
        pytest.param('38.5.0', (38, 5, 0), id='plain'),
        pytest.param('0.0.0', (0, 0, 0), id='zero'),
        pytest.param('38.5', None, id='short'),
        pytest.param('01.0.0', (1, 0, 0), id='leading-zero'),
        pytest.param('1.0.0.', None, id='trailing-dot'),
        pytest.param('', None, id='empty'),
    ],
)
def test_parse_version(text, version):
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ('distribution', 'name'),
    [
        pytest.param('datadog-my-check', 'my_check', id='dashes'),
        pytest.param('datadog-nginx', 'nginx', id='one-word'),
        pytest.param('my-datadog-check', 'my_datadog_check', id='prefix-only-in-front'),
    ],
)
def test_integration_name(distribution, name):
    assert integration_name(distribution) == name


def test_name_may_be_anywhere_in_a_line():
    assert distribution_name([('METADATA', b'Version: 1\n\nThe Name: of-the-game is\n')]) == 'of-the-game'


def write_wheel(path, files):
    with zipfile.ZipFile(path, 'w') as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_wheel_is_read(tmp_path):
    metadata = f'{HEAD}Requires-Dist: datadog-checks-base>=38.0.0\n'
    path = write_wheel(tmp_path / 'probe.whl', {'datadog_probe-1.0.0.dist-info/METADATA': metadata})
    wheel = read_wheel(path, '38.5.0')
    assert (wheel.distribution, wheel.integration, wheel.version) == ('datadog-probe', 'probe', '1.0.0')
    assert wheel.named.accepted


def test_any_member_that_ends_in_metadata_counts(tmp_path):
    files = {'docs/METADATA': f'{HEAD}Requires-Dist: datadog-checks-base\n', 'METADATA.txt': 'Name: datadog-other\n'}
    assert read_wheel(write_wheel(tmp_path / 'docs.whl', files), '38.5.0').distribution == 'datadog-probe'


def test_missing_wheel(tmp_path):
    with pytest.raises(UnusableInputError, match='no such wheel'):
        read_wheel(tmp_path / 'none.whl', '38.5.0')


def test_wheel_that_is_not_a_zip_file(tmp_path):
    path = tmp_path / 'text.whl'
    path.write_text('text')
    with pytest.raises(UnusableInputError, match='not a zip file'):
        read_wheel(path, '38.5.0')


def test_wheel_without_metadata(tmp_path):
    with pytest.raises(UnusableInputError, match='it has no METADATA with a line'):
        read_wheel(write_wheel(tmp_path / 'bare.whl', {'a.py': ''}), '38.5.0')


def test_wheel_without_name(tmp_path):
    with pytest.raises(UnusableInputError, match='no line "Name: '):
        read_wheel(
            write_wheel(
                tmp_path / 'n.whl', {'n-1.dist-info/METADATA': 'Version: 1\nRequires-Dist: datadog-checks-base\n'}
            ),
            '38.5.0',
        )
