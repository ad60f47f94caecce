# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from datadog_checks.base.types import InstanceType
from datadog_checks.my_metric import MyMetricCheck

# Also runs the scenarios in rehearsals/.
pytest_plugins = ['ddassets.pytest_plugin']

PACKAGE = Path(__file__).parent.parent


@pytest.fixture(scope='session')
def dd_environment() -> Any:
    yield {'instances': [{'min_collection_interval': 45}]}


@pytest.fixture
def instance() -> InstanceType:
    return {'tags': ['role:testing', 'home:desktop']}


@pytest.fixture
def build() -> Callable[..., MyMetricCheck]:
    """Build a check as the Agent does: one check object per instance."""
    return lambda instance, init_config=None: MyMetricCheck('my_metric', init_config or {}, [instance])


@pytest.fixture(scope='session')
def example() -> dict[str, Any]:
    """Return the content of conf.yaml.example, parsed as the Agent parses it."""
    path = PACKAGE / 'datadog_checks' / 'my_metric' / 'data' / 'conf.yaml.example'
    return yaml.safe_load(path.read_text(encoding='utf-8'))
