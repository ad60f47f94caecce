"""The instance of each deployment file passes the integration's configuration model and collects once."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from datadog_checks.base import ConfigurationError
from datadog_checks.base.stubs import aggregator
from datadog_checks.my_metric import MyMetricCheck

FOLDER = Path(__file__).parents[1]


def load(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def annotated() -> Any:
    pod = load('kubernetes/pod.yaml')
    containers = [container['name'] for container in pod['spec']['containers']]
    [(name, value)] = pod['metadata']['annotations'].items()
    assert name in [f'ad.datadoghq.com/{container}.checks' for container in containers]
    return json.loads(value)['my_metric']


def cluster_check() -> Any:
    config = yaml.safe_load(load('kubernetes/cluster-check.yaml')['clusterAgent']['confd']['my_metric.yaml'])
    assert config.pop('cluster_check') is True
    return config


CONFIGURATIONS = [
    pytest.param(lambda: load('conf.yaml'), id='docker'),
    pytest.param(annotated, id='autodiscovery'),
    pytest.param(cluster_check, id='cluster-check'),
    pytest.param(lambda: load('ansible/play.yml')[0]['vars']['my_metric_config'], id='ansible'),
]


def check_of(instance: dict[str, Any]) -> MyMetricCheck:
    check = MyMetricCheck('my_metric', {}, [instance])
    check.load_configuration_models()
    return check


@pytest.mark.parametrize('configuration', CONFIGURATIONS)
def test_instance_fits_the_model_and_collects(configuration: Callable[[], Any]):
    config = configuration()
    assert set(config) == {'init_config', 'instances'}
    [instance] = config['instances']
    check = check_of(instance)
    # The model may ignore an unknown key; the fleet would then run without the option.
    assert set(instance) <= set(type(check.config).model_fields)
    assert check.config.min_collection_interval == 45
    aggregator.reset()
    assert check.run() == ''
    aggregator.assert_metric('my_metric', tags=instance['tags'], count=1)


def test_a_wrong_option_is_refused():
    with pytest.raises(ConfigurationError):
        check_of({'minimum': 'low', 'min_collection_interval': 45})


def test_dockerfile_takes_what_the_wheel_is_called_and_the_configuration():
    lines = [line for line in (FOLDER / 'Dockerfile').read_text().splitlines() if line and not line.startswith('#')]
    assert lines[0] == 'FROM gcr.io/datadoghq/agent:7'
    assert {line.split()[0] for line in lines} == {'FROM', 'COPY', 'RUN'}
    [(source, target)] = re.findall(r'^COPY (conf\.yaml) (\S+)$', '\n'.join(lines), re.M)
    assert (FOLDER / source).is_file()
    assert target == '/etc/datadog-agent/conf.d/my_metric.d/conf.yaml'
    assert 'agent integration install -r -w /tmp/datadog_my_metric-*.whl' in '\n'.join(lines)


def test_every_command_of_the_readme_runs(commands, tmp_path):
    [line] = commands('fleet')
    env = os.environ | {'PATH': f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}', 'HOME': str(tmp_path)}
    env |= {'LC_ALL': 'C.UTF-8'}
    done = subprocess.run(line, shell=True, cwd=FOLDER, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_play_restarts_the_agent_after_each_change():
    [play] = load('ansible/play.yml')
    handlers = {handler['name'] for handler in play['handlers']}
    notified = [task.get('notify') for task in play['tasks'] if task['name'].startswith(('Install', 'Enable'))]
    assert notified == ['Restart the Agent'] * 2
    assert handlers == {'Restart the Agent'}


def test_the_play_removes_another_build_of_the_same_version_before_it_installs():
    [play] = load('ansible/play.yml')
    names = [task['name'] for task in play['tasks']]
    remove = next(task for task in play['tasks'] if task['name'].startswith('Remove'))
    assert remove['ansible.builtin.command'] == 'datadog-agent integration remove -r datadog-my_metric'
    assert remove['when'] == 'my_metric_copied is changed and my_metric_version in my_metric_installed.stdout'
    assert names.index('Read the installed version') < names.index(remove['name']) < names.index('Install the wheel')
