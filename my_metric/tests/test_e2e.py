# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check in the Agent's own image: `make e2e`, which needs Docker. Skipped otherwise."""

from collections.abc import Callable
from typing import Any

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub


@pytest.mark.e2e
def test_the_agent_runs_every_signal(dd_agent_check: Callable[..., AggregatorStub]) -> None:
    signals = ['uniform', 'constant', 'sine', 'sawtooth', 'pulse', 'noise']
    instances: list[dict[str, Any]] = [
        {'min_collection_interval': 45, 'signal': signal, 'minimum': 10, 'maximum': 20, 'tags': [f'signal:{signal}']}
        for signal in signals
    ]
    aggregator = dd_agent_check({'init_config': {}, 'instances': instances})
    for signal in signals:
        [sample] = [sample for sample in aggregator.metrics('my_metric') if f'signal:{signal}' in sample.tags]
        assert sample.type == aggregator.GAUGE
        assert 10 <= sample.value <= 20
    assert aggregator.metric_names == ['my_metric']
