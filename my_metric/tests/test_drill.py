# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Drills, from before the start to after the end, in the series and in a live check."""

import json
import logging
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.base.stubs.datadog_agent import DatadogAgentStub
from datadog_checks.my_metric import MyMetricCheck, series

from .test_options import commented_out

START = '2027-01-11T10:00:00+01:00'
BEGIN = datetime.fromisoformat(START).timestamp()
MINUTE = 60
DRILL = {
    'start': START,
    'phases': [{'minutes': 2, 'value': 600}, {'minutes': 3, 'silent': True}, {'minutes': 1, 'value': -5}],
}
INSTANCE = {'signal': 'constant', 'maximum': 400, 'tags': ['role:testing'], 'drill': DRILL}


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.lists(st.tuples(st.integers(1, 1440), st.one_of(st.none(), st.integers(-1000, 1000))), min_size=1, max_size=7),
    st.lists(st.floats(-0.2, 1.2), max_size=20),
)
def test_each_instant_has_the_value_of_its_phase(
    start: datetime, offset: int, phases: list[tuple[int, int | None]], parts: list[float]
) -> None:
    zone = f'{"-" if offset < 0 else "+"}{abs(offset) // 60:02}:{abs(offset) % 60:02}'
    instance = {
        'signal': 'noise',
        'seed': 1,
        'drill': {
            'start': f'{start.isoformat()}{zone}',
            'phases': [
                {'minutes': minutes, 'silent': True} if value is None else {'minutes': minutes, 'value': value}
                for minutes, value in phases
            ],
        },
    }
    begin = (start - timedelta(minutes=offset) - datetime(1970, 1, 1)) / timedelta(seconds=1)
    length = 60 * sum(minutes for minutes, _ in phases)
    # The bounds, the instants next to them, and arbitrary others.
    edges = [begin + 60 * sum(minutes for minutes, _ in phases[:count]) for count in range(len(phases) + 1)]
    instants = [edge + beside for edge in edges for beside in (-1e-3, 0, 1e-3)]
    instants += [begin + part * length for part in parts]

    def expected(instant: float) -> float | None:
        left = begin
        for minutes, value in phases:
            if left <= instant < left + 60 * minutes:
                return value
            left += 60 * minutes
        return series(instance | {'drill': {**DRILL, 'start': '1990-01-01T00:00:00Z'}}, [instant])[0]

    assert series(instance, instants) == [expected(instant) for instant in instants]


class Agent:
    """Runs of a check object at chosen instants, on one aggregator and one persistent cache."""

    def __init__(self, aggregator: AggregatorStub, instance: dict[str, Any] = INSTANCE) -> None:
        self.aggregator, self.instance = aggregator, instance
        self.restart()

    def restart(self) -> None:
        self.check = MyMetricCheck('my_metric', {}, [self.instance])
        # Like the Agent: a digest of the configuration, the same after a restart.
        self.check.check_id = f'my_metric:{zlib.crc32(json.dumps(self.instance).encode()):x}'

    def run(self, instants: Iterable[float]) -> list[str]:
        """Return `started` or `ended` for each event that the runs sent."""
        before = len(self.aggregator.events)
        for instant in instants:
            with patch('time.time', lambda instant=instant: instant):
                assert self.check.run() == ''
        return [event['msg_title'].split()[-1] for event in self.aggregator.events[before:]]


@pytest.fixture
def agent(aggregator: AggregatorStub, datadog_agent: DatadogAgentStub) -> Agent:
    return Agent(aggregator)


def every(seconds: float, first: float, last: float) -> list[float]:
    return [BEGIN + first * MINUTE + seconds * count for count in range(int((last - first) * MINUTE / seconds) + 1)]


def test_a_silent_phase_submits_nothing_and_the_others_their_value(aggregator: AggregatorStub, agent: Agent) -> None:
    agent.run(every(30, -1, 7))
    values = [sample.value for sample in aggregator.metrics('my_metric')]
    assert values == [400] * 2 + [600] * 4 + [-5] * 2 + [400] * 3
    assert all(sample.tags == ['role:testing'] for sample in aggregator.metrics('my_metric'))


def test_two_events_describe_the_drill(aggregator: AggregatorStub, agent: Agent) -> None:
    assert agent.run(every(45, -3, 20)) == ['started', 'ended']
    started, ended = aggregator.events
    assert started == {
        'event_type': 'my_metric.drill',
        'timestamp': int(BEGIN),
        'msg_title': 'The drill of my_metric started',
        'msg_text': f'It starts at {START}:\n'
        'phase 1 of 3: 600 for 2 min\nphase 2 of 3: silent for 3 min\nphase 3 of 3: -5 for 1 min',
        'aggregation_key': f'drill {START}',
        'source_type_name': 'my_metric',
        'alert_type': 'info',
        'tags': ['role:testing'],
    }
    assert ended == started | {'timestamp': int(BEGIN + 6 * MINUTE), 'msg_title': 'The drill of my_metric ended'}


def test_an_event_of_a_long_drill_stays_below_the_length_limit(aggregator: AggregatorStub) -> None:
    phases = [{'minutes': 1, 'value': 2**53}] * 10_080
    agent = Agent(aggregator, {'drill': {'start': '2027-01-11T10:00:01+01:00', 'phases': phases}})
    assert agent.run([BEGIN + 1]) == ['started']
    [event] = aggregator.events
    assert len(event['msg_text']) < 4000 and event['msg_text'].endswith('\nand so on')


def test_each_phase_is_logged_once_at_info(caplog: pytest.LogCaptureFixture, agent: Agent) -> None:
    caplog.set_level(logging.INFO)
    agent.run(every(10, -3, 20))
    said = [(record.levelname, record.getMessage()) for record in caplog.records if 'rill' in record.getMessage()]
    assert [level for level, _ in said] == ['INFO'] * 3
    assert [text.split('phase ')[1] for _, text in said] == [
        '1 of 3: 600 for 2 min',
        '2 of 3: silent for 3 min',
        '3 of 3: -5 for 1 min',
    ]


def test_a_past_drill_does_nothing(aggregator: AggregatorStub, agent: Agent, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert agent.run(every(45, 6, 60)) == []
    assert {sample.value for sample in aggregator.metrics('my_metric')} == {400}
    assert not [record for record in caplog.records if 'rill' in record.getMessage()]


def test_a_future_drill_does_nothing(aggregator: AggregatorStub, agent: Agent) -> None:
    assert agent.run(every(45, -60, -1)) == []
    assert {sample.value for sample in aggregator.metrics('my_metric')} == {400}


@pytest.mark.parametrize(
    'before, after, events',
    [
        # Runs before and after a restart of the Agent, in minutes from the start of the drill.
        pytest.param((-5, 1), (2, 9), ['started', 'ended'], id='restart in a drill'),
        pytest.param((-5, -1), (1, 9), ['started', 'ended'], id='restart over the start'),
        pytest.param((-5, 4), (7, 9), ['started', 'ended'], id='restart over the end'),
        pytest.param((-5, -1), (7, 9), [], id='down from before the start to after the end'),
        pytest.param((-5, 9), (10, 11), ['started', 'ended'], id='restart after the end'),
    ],
)
def test_a_restart_repeats_no_event_and_loses_none(
    agent: Agent, before: tuple[int, int], after: tuple[int, int], events: list[str]
) -> None:
    sent = agent.run(every(30, *before))
    agent.restart()
    sent += agent.run(every(30, *after))
    agent.restart()
    assert sent + agent.run(every(30, 12, 13)) == events


def test_a_clock_set_back_repeats_no_event(agent: Agent) -> None:
    assert agent.run([*every(30, -1, 4), *every(30, -2, 9), *every(30, 3, 9)]) == ['started', 'ended']


def test_each_instance_and_each_drill_sends_its_own_events(aggregator: AggregatorStub, agent: Agent) -> None:
    other = Agent(aggregator, INSTANCE | {'tags': ['role:other']})
    assert agent.run(every(30, 0, 1)) == other.run(every(30, 0, 1)) == ['started']
    later = Agent(aggregator, INSTANCE | {'drill': DRILL | {'start': '2027-01-11T10:03:00+01:00'}})
    assert later.run(every(30, 2, 10)) == ['started', 'ended']


def test_late_and_skipped_runs_follow_the_clock(agent: Agent) -> None:
    # From the first phase into the third.
    assert agent.run([BEGIN + 119, BEGIN + 5 * MINUTE + 1, BEGIN + 1e6]) == ['started', 'ended']
    assert [sample.value for sample in agent.aggregator.metrics('my_metric')] == [600, -5, 400]


def test_canary_a_clock_change_does_not_move_a_drill() -> None:
    # Over the start of summer time in Berlin: elapsed time counts.
    drill = {'start': '2027-03-28T01:30:00+01:00', 'phases': [{'minutes': 60, 'value': 1}]}
    begin = datetime.fromisoformat('2027-03-28T00:30:00Z').timestamp()
    instance = {'signal': 'constant', 'maximum': 0, 'drill': drill}
    assert series(instance, [begin - 1, begin, begin + 3599, begin + 3600]) == [0, 1, 1, 0]


# The example's drill with the monitor's own thresholds.

MONITOR = json.loads((Path(__file__).parents[1] / 'assets' / 'monitors' / 'my_metric_high.json').read_text())


def states(samples: list[tuple[float, float]], begin: float, end: float, tick: float) -> list[tuple[float, str]]:
    """Return each change of state as (minutes since `begin`, state), with the monitor's own thresholds and time frame.

    Written only for this query: the average over 5 minutes, and No Data by the age of the last point.
    """
    options = MONITOR['definition']['options']
    found: list[tuple[float, str]] = []
    now = begin + tick
    while now < end:
        window = [value for instant, value in samples if now - 300 < instant <= now]
        last = max((instant for instant, _ in samples if instant <= now), default=now)
        state = found[-1][1] if found else 'OK'
        if window:
            average = sum(window) / len(window)
            limits = options['thresholds']
            state = 'Alert' if average > limits['critical'] else 'Warn' if average > limits['warning'] else 'OK'
        elif now - last >= options['no_data_timeframe'] * 60:
            state = 'No Data'
        if not found or found[-1][1] != state:
            found.append(((now - begin) / 60, state))
        now += 60
    return found


@pytest.mark.parametrize('tick', [0, 17, 59])
@pytest.mark.parametrize('offset', [0, 0.4, 22, 44.9])
@pytest.mark.parametrize('interval', [15, 45])
def test_the_example_takes_the_monitor_through_its_states(tick: float, offset: float, interval: int) -> None:
    drill = commented_out('drill')
    begin = datetime.fromisoformat(drill['start']).timestamp()
    instance = {'maximum': commented_out('maximum'), 'seed': 1, 'drill': drill}
    end = begin + 60 * (30 + sum(phase['minutes'] for phase in drill['phases']))
    instants = [begin - 1800 + offset + interval * count for count in range(int((end - begin + 1800) / interval))]
    samples = [
        (instant, value)
        for instant, value in zip(instants, series(instance, instants), strict=True)
        if value is not None
    ]
    changes = states(samples, begin, end, tick)
    assert [state for _, state in changes] == ['OK', 'Warn', 'Alert', 'No Data', 'OK']
    # As the example explains: 4 of 5 minutes, 3 minutes 20 seconds, 10 minutes, 0; plus a collection and a tick.
    late = [minutes - since for (minutes, _), since in zip(changes[1:], [15, 30, 45, 65], strict=True)]
    slack = interval / 60 + 1
    for minutes, least in zip(late, [4, 3 + 1 / 3, 10, 0], strict=True):
        assert least - slack <= minutes <= least + slack


def test_the_example_leaves_each_state_long_enough_and_is_not_muted() -> None:
    drill = commented_out('drill')
    assert sum(phase['minutes'] for phase in drill['phases']) == 80
    assert [phase['minutes'] for phase in drill['phases']] == [15, 15, 15, 20, 15]
    # The whole drill is within the hours that the downtimes do not cover.
    start = datetime.fromisoformat(drill['start'])
    assert start.weekday() < 5 and 9 <= start.hour and (start + timedelta(minutes=80)).hour < 19
    assert MONITOR['definition']['options']['renotify_interval'] == 60
