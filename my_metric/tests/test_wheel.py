# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp('wheel')
    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--wheel-dir', str(folder), str(PACKAGE)],
        check=True,
        timeout=300,
    )
    [path] = folder.glob('*.whl')
    return zipfile.ZipFile(path)


def test_contains_only_the_package(wheel: zipfile.ZipFile) -> None:
    strangers = [
        name
        for name in wheel.namelist()
        if not name.startswith(('datadog_checks/my_metric/', 'datadog_my_metric-1.0.0.dist-info/'))
    ]
    assert strangers == []


def test_contains_the_configuration_that_the_agent_copies(wheel: zipfile.ZipFile) -> None:
    data = {Path(name).name for name in wheel.namelist() if name.startswith('datadog_checks/my_metric/data/')}
    # No conf.yaml, conf.yaml.default or auto_conf.yaml: the Agent would load those by itself.
    assert data == {'conf.yaml.example', 'mysql.yaml.example'}


def test_requires_only_the_base_package_with_a_version_that_the_agent_can_parse(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read('datadog_my_metric-1.0.0.dist-info/METADATA').decode()
    required = [line for line in metadata.splitlines() if line.startswith('Requires-Dist:')]
    assert len(required) == 1
    assert re.fullmatch(r'Requires-Dist: datadog-checks-base>=\d+\.\d+\.\d+', required[0])
