# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The check on ddassets' simulated clock, in this process, submits the series that `series()` computes."""

import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.base.stubs.datadog_agent import DatadogAgentStub
from datadog_checks.my_metric import series
from ddassets.agent.simulation import Conditions, SimulationError, simulate
from ddassets.agent.simulator import instants

PACKAGE = Path(__file__).parent.parent
START = 1_799_000_000

DRILL = st.builds(
    lambda offset, phases: {
        'start': datetime.fromtimestamp(START + offset, UTC).isoformat(),
        'phases': [
            {'minutes': minutes, 'silent': True} if value is None else {'minutes': minutes, 'value': value}
            for minutes, value in phases
        ],
    },
    st.integers(-3600, 3600),
    st.lists(st.tuples(st.integers(1, 30), st.one_of(st.none(), st.integers(-10, 2000))), min_size=1, max_size=4),
)
INSTANCE = st.fixed_dictionaries(
    {
        'signal': st.sampled_from(['uniform', 'sine', 'sawtooth', 'pulse', 'noise', 'constant']),
        'seed': st.integers(0, 2**53),
    },
    optional={
        'min_collection_interval': st.integers(1, 300),
        'tags': st.lists(st.sampled_from(['role:testing', 'home:desktop', 'role:other'])),
        'period': st.integers(1, 10_000),
        'decimals': st.integers(0, 3),
        'drill': DRILL,
    },
)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(INSTANCE, st.floats(0, 400), st.integers(0, 5), st.integers(1, 7200))
def test_the_simulated_check_submits_the_series(
    instance: dict[str, Any], jitter: float, seed: int, length: int
) -> None:
    conditions = Conditions(START, START + length, 'alpha', jitter=jitter, seed=seed)
    simulated = simulate(PACKAGE, conditions, {'instances': [instance]})
    # The simulation chooses when runs start; the values depend only on the instant.
    interval = instance.get('min_collection_interval', 15)
    moments = list(instants(interval, (START, START + length), jitter, f'{seed} alpha 0 0'))
    expected = [
        (moment // 1, value)
        for moment, value in zip(moments, series(instance, moments), strict=True)
        if value is not None
    ]
    found = [pair for one in simulated.series for pair in zip(one.times.tolist(), one.values.tolist(), strict=True)]
    assert found == expected
    for one in simulated.series:
        assert (one.metric, one.kind, one.interval) == ('my_metric', 'gauge', interval)
        assert one.tags == {'host:alpha', *instance.get('tags', ())}


def test_the_simulation_leaves_no_state(aggregator: AggregatorStub, datadog_agent: DatadogAgentStub) -> None:
    before = time.time(), time.monotonic()
    # The check writes to the Agent's persistent cache once per drill.
    drill = {'start': datetime.fromtimestamp(START, UTC).isoformat(), 'phases': [{'minutes': 5, 'value': 1}]}
    simulate(PACKAGE, Conditions(START, START + 86400, 'alpha'), {'instances': [{'drill': drill}]})
    assert datadog_agent._cache == {}
    after = time.time(), time.monotonic()
    assert all(0 <= later - earlier < 60 for earlier, later in zip(before, after, strict=True))
    assert aggregator.metric_names == []
    aggregator.submit_metric(None, 'x', aggregator.GAUGE, 'still.there', 1, [], 'host', False)
    aggregator.assert_metric('still.there', 1)


def test_a_refused_instance_is_an_error_of_the_first_run() -> None:
    with pytest.raises(
        SimulationError, match=r'^my_metric: instance 1, run 1 at 2027-01-03T18:13:20\+00:00: .*maximum'
    ):
        simulate(PACKAGE, Conditions(START, START + 60), {'instances': [{'minimum': 2, 'maximum': 1}]})


SLOW = """\
import socket
from time import monotonic, sleep

from datadog_checks.base import AgentCheck


class SlowProbeCheck(AgentCheck):
    def check(self, _):
        before = monotonic()
        sleep(100)
        self.gauge('slept', monotonic() - before)
        if self.instance.get('network'):
            socket.getaddrinfo('localhost', 80)
"""


@pytest.fixture
def slow_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An importable integration that imported the clock functions before any simulation."""
    package = tmp_path / 'datadog_checks' / 'slow_probe'
    package.mkdir(parents=True)
    (tmp_path / 'pyproject.toml').write_text('[project]\nname = "datadog-slow-probe"\n')
    (package / '__init__.py').write_text(SLOW)
    # From the loaded modules: ddev's validator mistakes a plain import for the deprecated package.
    namespace = sys.modules['datadog_checks']
    monkeypatch.setattr(namespace, '__path__', [*namespace.__path__, str(package.parent)])
    yield tmp_path
    sys.modules.pop('datadog_checks.slow_probe', None)


def test_clock_functions_imported_by_a_module_are_replaced_and_restored(slow_probe: Path) -> None:
    [slept] = simulate(slow_probe, Conditions(START, START + 600), {'instances': [None]}).series
    assert slept.values.tolist() == [100] * 5
    module = sys.modules['datadog_checks.slow_probe']
    assert (module.sleep, module.monotonic) == (time.sleep, time.monotonic)


def test_the_network_is_blocked_only_during_the_simulation(slow_probe: Path) -> None:
    with pytest.raises(SimulationError, match=r"the check used the network: socket.getaddrinfo\('localhost', 80"):
        simulate(slow_probe, Conditions(START, START + 600), {'instances': [{'network': True}]})
    assert socket.getaddrinfo('localhost', 80)
