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

# Runs the scenarios in rehearsals/ too.
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
    """A check as the Agent builds it: one instance a check object."""
    return lambda instance, init_config=None: MyMetricCheck('my_metric', init_config or {}, [instance])


@pytest.fixture(scope='session')
def example() -> dict[str, Any]:
    """What conf.yaml.example holds, read as the Agent reads it."""
    path = PACKAGE / 'datadog_checks' / 'my_metric' / 'data' / 'conf.yaml.example'
    return yaml.safe_load(path.read_text(encoding='utf-8'))
