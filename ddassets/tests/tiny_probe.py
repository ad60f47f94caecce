"""A small integration with a check."""

from pathlib import Path

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "datadog-tiny-probe"
version = "1.2.3"
dependencies = ["{base}>={floor}"]

[tool.hatch.build.targets.wheel]
include = ["/datadog_checks/tiny_probe"]
"""

# The beginning of a check whose class has another class of its own between itself and AgentCheck.
CLASS = """\
from datadog_checks.base import AgentCheck, ConfigurationError


class Between(AgentCheck):
    pass


class TinyProbeCheck(Between):
    def __init__(self, name, init_config, instances):
        super().__init__(name, init_config, instances)
        self.runs = 0
        if self.instance.get('refuse'):
            raise ConfigurationError('refuse: found true, allowed is false')
"""
CHECK = f"""\
import os
import time

{CLASS}
    def check(self, _):
        self.runs += 1
        print('noise of print')
        os.system('echo noise of a child')
        mode = self.instance.get('mode')
        if mode == 'fail':
            raise ValueError('the probe broke')
        if mode == 'exit':
            os._exit(3)
        if mode == 'hang':
            time.sleep(600)
        self.gauge('tiny.level', 42, tags=['team:a', *self.instance.get('tags', [])])
        self.rate('tiny.turns', time.time())
        self.count('tiny.runs', self.runs)
        if mode == 'talk':
            self.event({{'msg_title': 'hello', 'msg_text': 'text', 'timestamp': 1}})
            self.service_check('tiny.up', AgentCheck.OK, tags=['host:generic'])
            self.warning('careful')
"""


def write_integration(
    folder: Path, floor: str = '38.0.0', check: str = CHECK, base: str = 'datadog-checks-base'
) -> Path:
    package = folder / 'datadog_checks' / 'tiny_probe'
    (package / 'data').mkdir(parents=True)
    (folder / 'pyproject.toml').write_text(PYPROJECT.format(base=base, floor=floor))
    (package / '__init__.py').write_text(
        "from .check import Between, TinyProbeCheck\n\n__version__ = '1.2.3'\n__all__ = ['Between', 'TinyProbeCheck']\n"
    )
    (package / 'check.py').write_text(check)
    (package / 'data' / 'conf.yaml.example').write_text(
        'init_config:\ninstances:\n  - tags: [env:test]\n    min_collection_interval: 45\n'
    )
    return folder
