"""A check on a simulated clock, in a scratch environment. (my_metric's tests run one in their own process.)"""

import importlib
import random
import sys
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_probe import CLASS, write_integration

from ddassets import boundary
from ddassets.agent import cache
from ddassets.agent.recording import Source, join, to_series
from ddassets.agent.sampler import Sample, Sampler, Settings
from ddassets.agent.simulation import Conditions, SimulationError, is_importable, simulate
from ddassets.agent.simulator import Tape, instants, periods
from ddassets.diagnostic import UnusableInputError

CHECK = f"""\
import os
import queue
import random
import socket
import threading
import time
import uuid
from datetime import datetime, timezone
from time import monotonic, sleep

{CLASS}
    def check(self, _):
        self.runs += 1
        print('noise of print')
        mode = self.instance.get('mode', 'clocks')
        if self.runs == self.instance.get('at', 1):
            getattr(self, mode)()
        elif mode in ('numbers', 'nap', 'chance', 'memory'):
            getattr(self, mode)()

    def clocks(self):
        begin = time.time()
        self.gauge('clock.time', begin, tags=['b:2', 'a:1'])
        self.gauge('clock.now', datetime.now().replace(tzinfo=timezone.utc).timestamp() - begin)
        self.gauge('clock.utc', datetime.now(timezone.utc).timestamp() - begin)
        before = monotonic(), time.monotonic(), time.perf_counter(), time.perf_counter_ns() / 1e9
        sleep(1)
        time.sleep(0.5)
        after = monotonic(), time.monotonic(), time.perf_counter(), time.perf_counter_ns() / 1e9
        self.gauge('clock.slept', sum(after) - sum(before))
        self.gauge('clock.uuid', (uuid.uuid1().time - 0x01B21DD213814000) / 1e7 - begin)

    def numbers(self):
        self.count('n.count', 1)
        self.count('n.count', self.runs)
        self.rate('n.rate', time.time() * 2)
        self.monotonic_count('n.total', self.runs * 10)
        self.histogram('n.size', self.runs)
        self.gauge('n.bad', float('nan') if self.runs == 2 else 1)
        self.gauge('n.elsewhere', 1, hostname='other')

    def nap(self):
        self.gauge('nap', self.runs)
        time.sleep(100)

    def chance(self):
        self.gauge('chance', random.random())

    def memory(self):
        seen = int(self.read_persistent_cache('seen') or 0) + 1
        self.write_persistent_cache('seen', str(seen))
        self.gauge('seen', seen)
        self.gauge('runs', self.runs)
        self.rate('turns', seen)

    def fail(self):
        raise ValueError('the probe broke')

    def connect(self):
        try:
            socket.create_connection(('192.0.2.1', 80))
        except Exception:
            pass

    def look_up(self):
        socket.getaddrinfo('example.com', 80)

    def thread(self):
        def ask():
            try:
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))
            except BaseException:
                pass

        worker = threading.Thread(target=ask)
        worker.start()
        worker.join()

    def end(self):
        os._exit(3)

    def leave(self):
        raise SystemExit(0)

    def wait(self):
        threading.Event().wait()

    def spin(self):
        while time.time() < 1e12:
            pass
"""

START = datetime(2027, 1, 4, 8, tzinfo=UTC).timestamp()


@pytest.fixture(scope='module')
def probe(tmp_path_factory):
    folder = write_integration(tmp_path_factory.mktemp('integrations') / 'tiny_probe', check=CHECK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        # Not where the simulated Agent is.
        patch.setenv('TZ', 'Asia/Tokyo')
        cache._place.cache_clear()
        yield folder
    cache._place.cache_clear()


def run(probe: Path, instances: list[object], length: float, time_limit: float = 60, **conditions: Any):
    """The series by metric, and the warnings."""
    during = Conditions(START, START + length, **conditions)
    simulated = simulate(probe, during, {'instances': instances}, time_limit=time_limit)
    return {one.metric: one for one in simulated.series}, simulated.warnings


def points(series):
    return [(time - START, value) for time, value in zip(series.times.tolist(), series.values.tolist(), strict=True)]


def test_the_installed_example_is_read_although_it_is_outside_the_checkout(probe):
    with boundary.within([probe]):
        found = simulate(probe, Conditions(START, START + 60))
    assert 'clock.time' in {one.metric for one in found.series}


def test_every_clock_is_the_simulated_one(probe):
    series, warnings = run(probe, [None], 15, host='alpha')
    assert warnings == ()
    assert points(series['clock.time']) == [(1, START)]
    assert series['clock.time'].tags == {'a:1', 'b:2', 'host:alpha'}
    assert {name: one.values[0] for name, one in series.items()} == pytest.approx(
        {'clock.time': START, 'clock.now': 0, 'clock.utc': 0, 'clock.slept': 4 * 1.5, 'clock.uuid': 1.5}, abs=1e-6
    )


def test_what_is_submitted_becomes_what_the_agent_sends(probe):
    series, warnings = run(
        probe,
        [{'mode': 'numbers', 'min_collection_interval': 10, 'service': 'web'}],
        30,
        host='alpha',
    )
    assert {name: (one.kind, one.interval, points(one)) for name, one in series.items()} == {
        'n.count': ('count', 10, [(0, 2), (10, 3), (20, 4)]),
        'n.rate': ('gauge', 10, [(10, 2), (20, 2)]),
        'n.total': ('count', 10, [(10, 10), (20, 10)]),
        **{
            f'n.size.{part}': ('gauge', 10, [(0, 1), (10, 2), (20, 3)])
            for part in ('max', 'median', 'avg', '95percentile')
        },
        'n.size.count': ('rate', 1, [(0, 1), (10, 1), (20, 1)]),
        'n.bad': ('gauge', 10, [(0, 1), (20, 1)]),
        'n.elsewhere': ('gauge', 10, [(0, 1), (10, 1), (20, 1)]),
    }
    assert warnings == ('n.bad: the Agent drops the value nan',)
    assert series['n.elsewhere'].tags == {'host:other', 'service:web'}
    assert series['n.count'].tags == {'host:alpha', 'service:web'}


def test_a_run_that_sleeps_takes_the_place_of_the_next(probe):
    """Runs at 0, 120, 240…; a run that has not ended when the Agent stops submits nothing."""
    series, _ = run(probe, [{'mode': 'nap', 'min_collection_interval': 60}], 300)
    assert points(series['nap']) == [(100, 1), (220, 2)]


def test_random_draws_are_seeded_and_instances_are_apart(probe):
    instances = [{'mode': 'chance', 'min_collection_interval': 15}, {'mode': 'chance', 'empty_default_hostname': True}]
    state = random.getstate()
    conditions = Conditions(START, START + 600, 'alpha')
    first, second = (simulate(probe, conditions, {'instances': instances}).series for _ in range(2))
    assert random.getstate() == state
    assert [one.tags for one in first] == [{'host:alpha'}, set()]
    assert [one.values.tolist() for one in first] == [one.values.tolist() for one in second]
    assert len({*first[0].values, *first[1].values}) == 80


def test_a_stopped_agent_starts_with_new_checks(probe):
    series, _ = run(
        probe,
        [{'mode': 'memory', 'min_collection_interval': 10}],
        60,
        host='a',
        down=((START + 15, START + 33), (START + 20, START + 25)),
    )
    assert points(series['seen']) == [(0, 1), (10, 2), (33, 3), (43, 4), (53, 5)]
    assert points(series['runs']) == [(0, 1), (10, 2), (33, 1), (43, 2), (53, 3)]
    # The first run after the start has nothing to compare with.
    assert [instant for instant, _ in points(series['turns'])] == [10, 43, 53]


def test_points_arrive_late(probe):
    series, _ = run(probe, [{'mode': 'chance'}], 75, late=5, cut_off=((START + 18, START + 40),))
    assert (series['chance'].arrivals - START).tolist() == [5, 40, 40, 50, 65]
    assert series['chance'].times[1] == START + 15


@pytest.mark.parametrize(
    ('instance', 'message'),
    [
        pytest.param(
            {'mode': 'fail', 'at': 3, 'min_collection_interval': 45},
            'instance 2, run 3 at 2027-01-04T08:01:30+00:00: the probe broke',
            id='fails',
        ),
        pytest.param(
            {'mode': 'connect'},
            "instance 2, run 1 at 2027-01-04T08:00:00+00:00: the check used the network: socket.getaddrinfo("
            "'192.0.2.1', 80",
            id='connects',
        ),
        pytest.param({'mode': 'look_up', 'at': 2}, 'run 2 at 2027-01-04T08:00:15+00:00: the check', id='looks-up'),
        pytest.param({'mode': 'thread'}, "socket.sendto(('192.0.2.1', 53))", id='in-a-thread'),
        pytest.param(
            {'mode': 'wait', 'at': 2}, 'run 2 at 2027-01-04T08:00:15+00:00: not finished within 3 s', id='waits'
        ),
        pytest.param({'mode': 'spin'}, 'run 1 at 2027-01-04T08:00:00+00:00: not finished within 3 s', id='spins'),
        pytest.param({'mode': 'leave', 'at': 2}, 'run 2 at 2027-01-04T08:00:15+00:00: SystemExit: 0', id='leaves'),
        pytest.param({'mode': 'end'}, 'tiny_probe: the process of the check ended with exit code 3', id='ends'),
    ],
)
def test_a_check_at_fault(probe, instance, message):
    with pytest.raises(SimulationError) as caught:
        run(probe, [None, instance], 3600, time_limit=3)
    assert message in str(caught.value)
    assert str(caught.value).startswith('tiny_probe: ')


def test_the_last_output_of_a_check_is_shown(probe):
    with pytest.raises(SimulationError) as caught:
        run(probe, [{'mode': 'end', 'at': 5}], 3600)
    assert caught.value.details.count('noise of print') == 5


def test_the_environment_is_cached_by_the_content_of_the_wheel(probe, tmp_path):
    place = cache._place()
    kept = cache.installed(probe, '38.5.0')
    before = {entry.name for entry in place.iterdir()}
    cache.installed.cache_clear()
    assert cache.installed(probe, '38.5.0') == kept
    assert {entry.name for entry in place.iterdir()} == before
    changed = write_integration(tmp_path / 'tiny_probe', check=CHECK.replace('noise', 'NOISE'))
    other = cache.installed(changed, '38.5.0')
    assert other.environment != kept.environment
    assert 'NOISE' in (other.data.parent / 'check.py').read_text()
    assert {entry.name for entry in place.iterdir()} == before | {other.clock.parent.name}


@pytest.mark.parametrize(
    ('conditions', 'message'),
    [
        pytest.param({'start': 5, 'end': 5}, 'start, end: found 5 to 5', id='nothing'),
        pytest.param({'start': 0, 'end': 5, 'jitter': -1}, 'jitter: found -1, expected seconds', id='jitter'),
        pytest.param({'start': 0, 'end': 5, 'late': float('nan')}, 'late: found nan', id='late'),
        pytest.param({'start': 0, 'end': 5, 'down': ((3, 1),)}, 'down: found 3 to 1', id='down'),
    ],
)
def test_unusable_conditions(conditions, message):
    with pytest.raises(UnusableInputError, match=message):
        Conditions(**conditions)


def test_a_base_package_without_its_dependencies_is_not_used(tmp_path, monkeypatch):
    package = write_integration(tmp_path / 'probe') / 'datadog_checks'
    # Whatever else is installed, the packages of this folder come first.
    (package / '__init__.py').write_text('')
    (package / 'base').mkdir()
    (package / 'base' / '__init__.py').write_text('import what_the_extra_deps_would_bring\n')
    monkeypatch.syspath_prepend(str(package.parent))
    for name in [name for name in sys.modules if name.partition('.')[0] == 'datadog_checks']:
        monkeypatch.delitem(sys.modules, name)
    assert not is_importable('tiny_probe', package.parent)
    (package / 'base' / '__init__.py').write_text('')
    importlib.invalidate_caches()
    assert is_importable('tiny_probe', package.parent)
    monkeypatch.delitem(sys.modules, 'datadog_checks')
    monkeypatch.delitem(sys.modules, 'datadog_checks.base')


@pytest.mark.parametrize(
    ('configuration', 'message'),
    [
        pytest.param({'instances': []}, 'the configuration: instances: expected a list', id='empty'),
        pytest.param({'instances': [{'min_collection_interval': '15'}]}, "found '15'", id='interval'),
        pytest.param(Path('none.yaml'), 'none.yaml: cannot be read', id='file'),
    ],
)
def test_unusable_configuration(probe, configuration, message):
    with pytest.raises(UnusableInputError, match=message):
        simulate(probe, Conditions(0, 60), configuration)


@given(
    st.integers(1, 100),
    st.integers(-(10**9), 2 * 10**9),
    st.floats(0, 5000),
    st.floats(0, 300),
    st.text(max_size=3),
)
@settings(max_examples=200)
def test_instants_are_planned_ones_up_to_the_jitter_late(interval, begin, length, jitter, seed):
    period = (float(begin), begin + length)
    found = list(instants(interval, period, jitter, seed))
    assert found == list(instants(interval, period, jitter, seed))
    assert all(period[0] <= instant < period[1] for instant in found)
    seconds = [instant // 1 for instant in found]
    assert seconds == sorted(set(seconds))
    planned = np.arange(begin, period[1], interval)
    for instant in found:
        assert ((planned <= instant) & (instant <= planned + jitter + 0.001)).any()
    if jitter == 0:
        assert found == planned.tolist()
    elif jitter < interval - 1:
        # None overtakes another; only the last may fall behind the end.
        assert len(planned) - 1 <= len(found) <= len(planned) or not len(planned)


@given(
    st.integers(0, 20),
    st.integers(21, 40),
    st.lists(st.tuples(st.integers(-5, 45), st.integers(1, 10)).map(lambda pair: (pair[0], sum(pair))), max_size=5),
)
@settings(max_examples=200)
def test_periods_are_those_in_which_the_agent_runs(start, end, down):
    found = list(periods(start, end, down))
    for second in range(start - 2, end + 2):
        on = start <= second < end and not any(off <= second < again for off, again in down)
        assert sum(begin <= second < stop for begin, stop in found) == on


KINDS = dict(enumerate(['gauge', 'count', 'rate', 'monotonic_count', 'counter', 'histogram', 'historate']))
NUMBERS = {kind: number for number, kind in KINDS.items()}
SAMPLES = st.tuples(
    st.sampled_from(sorted(NUMBERS)),
    st.booleans(),
    st.sampled_from([('a:1', 'b:2'), ('b:2', 'a:1'), ()]),
    st.one_of(st.integers(-3, 5), st.just(float('nan')), st.just(float('inf'))).map(float),
    st.booleans(),
)


EXPIRING = Settings(stateful_expiry=150)


@given(st.lists(st.lists(SAMPLES, max_size=5), max_size=12), st.lists(st.booleans(), min_size=12, max_size=12))
@settings(max_examples=300)
def test_columns_are_the_sampler_run_by_run(runs, restarts):
    """The oracle is the sampler, which receives each run and restarts with the Agent."""
    expected: dict[tuple[str, str, frozenset[str]], dict[int, float]] = {}
    warnings: set[str] = set()
    tape = Tape(KINDS)
    sampler = Sampler('here', EXPIRING)
    for number, (samples, restart) in enumerate(zip(runs, restarts, strict=False)):
        if restart:
            sampler = Sampler('here', EXPIRING)
            tape.period += 1
        begin = 100.25 * (number + 1)
        submitted = []
        for place, (kind, shared, tags, value, first) in enumerate(samples):
            name = 'm.shared' if shared else f'm.{kind}'
            submitted.append(Sample(name, kind, value, tags, '', begin + 0.1 * place, first))
            with time_machine.travel(begin + 0.1 * place, tick=False):
                tape.metric(None, '', NUMBERS[kind], name, value, tags, 'here' if shared else '', first)
        tape.commit(begin + 3)
        series, said = sampler.commit(submitted, begin + 3)
        warnings |= set(said)
        for one in series:
            points = expected.setdefault((one.metric, one.type, frozenset(one.tags)), {})
            if isfinite(one.value):
                points[one.timestamp] = one.value
    sources = [Source(*context[:5], context[5] or 'here') for context in tape.contexts]
    columns, ends = join([bytes(column) for column in tape.columns()])
    arguments = sources, columns, ends, [15], lambda source: source.tags, EXPIRING
    names = [(metric, tags) for metric, _, tags in expected]
    if len(set(names)) < len(names):
        with pytest.raises(UnusableInputError, match='submitted as'):
            to_series(*arguments)
        return
    series, said = to_series(*arguments)
    found = {
        (one.metric, one.kind, one.tags): dict(zip(one.times.tolist(), one.values.tolist(), strict=True))
        for one in series
    }
    assert found == {key: points for key, points in expected.items() if points}
    assert {sentence for sentence in said if 'are left out' not in sentence} == warnings
