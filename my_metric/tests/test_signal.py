# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Properties of the signal, tested with the public `series` and with the check under a fake clock."""

import math
import random
import statistics
from collections import Counter
from datetime import datetime
from typing import Any, get_args
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from datadog_checks.base.stubs import aggregator as stub
from datadog_checks.base.utils.tagging import GENERIC_TAGS
from datadog_checks.my_metric import MyMetricCheck, series
from datadog_checks.my_metric.config_models import InstanceConfig
from datadog_checks.my_metric.signal import SHAPES

LARGEST = 2**53
LAW = settings(max_examples=200, deadline=None, derandomize=True, database=None)

# Years 1 to 9999; the years around the bounds of the 32-bit clock are drawn as often as all others.
INSTANTS = st.one_of(
    st.floats(-62_135_596_800, 253_402_300_799),
    st.integers(-62_135_596_800, 253_402_300_799),
    st.sampled_from([-2_208_988_800.5, -1, -1e-9, -0.0, 0, 2**31 - 0.5, 2**31, 2**32 + 0.25]),
)
# The base package's stub refuses tag keys that are reserved by Datadog, such as host.
TAGS = st.lists(st.text(max_size=8).filter(lambda tag: tag.partition(':')[0] not in GENERIC_TAGS), max_size=4)
WHOLE = st.integers(-LARGEST, LARGEST)


@st.composite
def instances(draw: st.DrawFn, shapes: tuple[str, ...] = SHAPES) -> dict[str, Any]:
    """Return instances with a seed, whose values depend only on the instant."""
    lowest, highest = sorted([draw(WHOLE), draw(WHOLE)])
    instance = {
        'signal': draw(st.sampled_from(shapes)),
        'seed': draw(WHOLE),
        'tags': draw(TAGS),
        'minimum': lowest,
        'maximum': highest,
        'decimals': draw(st.integers(0, 6)),
        'period': draw(st.one_of(st.integers(1, 10**7), st.floats(1, 1e7))),
        'min_collection_interval': draw(st.integers(1, 3600)),
    }
    if draw(st.booleans()):
        instance['phase'] = draw(st.floats(0, instance['period'], exclude_max=True))
    return instance


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def run_at(check: MyMetricCheck, instant: float) -> float | None:
    """Return the value of one run of the check at `instant`."""
    stub.reset()
    with patch('time.time', lambda: instant):
        assert check.run() == ''
    samples = stub.metrics('my_metric')
    return samples[0].value if samples else None


@LAW
@given(instances(), st.lists(INSTANTS, max_size=20))
def test_values_stay_in_the_range_and_on_its_decimals(instance: dict[str, Any], instants: list[float]) -> None:
    for value in series(instance, instants):
        assert instance['minimum'] <= value <= instance['maximum']
        if instance['decimals']:
            assert type(value) is float and value == round(value, instance['decimals'])
        else:
            assert type(value) is int


@pytest.mark.parametrize('highest', range(LARGEST - 9, LARGEST + 1))
def test_the_largest_value_is_exact_beyond_float_precision(highest: int) -> None:
    instance = {'signal': 'constant', 'minimum': -LARGEST, 'maximum': highest, 'decimals': 6}
    assert series(instance, [0]) == [highest]


@pytest.mark.parametrize('shape', SHAPES)
def test_zero_has_no_sign(shape: str) -> None:
    instance = {'signal': shape, 'seed': 1, 'phase': 0}
    assert series(instance, [-0.0]) == series(instance, [0.0]) == series(instance, [0])


@LAW
@given(instances(), st.lists(INSTANTS, max_size=20), st.randoms())
def test_order_and_repetition_of_the_samples_change_nothing(
    instance: dict[str, Any], instants: list[float], dice: random.Random
) -> None:
    once = dict(zip(instants, series(instance, instants), strict=True))
    again = [*instants, *instants]
    dice.shuffle(again)
    assert series(instance, again) == [once[instant] for instant in again]
    # Each instant separately, as after a restart.
    assert [series(instance, [instant])[0] for instant in again] == [once[instant] for instant in again]


@LAW
@given(instances(), INSTANTS, st.lists(st.floats(0, 100), max_size=10))
def test_a_jittered_live_check_is_the_offline_series(
    instance: dict[str, Any], first: float, pauses: list[float]
) -> None:
    check = MyMetricCheck('my_metric', {}, [instance])
    instants = [first]
    for pause in pauses:
        instants.append(instants[-1] + pause)
    live = [run_at(check, instant) for instant in instants]
    assert live == series(instance, instants)
    restarted = MyMetricCheck('my_metric', {}, [instance])
    assert run_at(restarted, instants[-1]) == live[-1]


@LAW
@given(instances(), INSTANTS, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=10))
def test_late_and_early_runs_within_an_interval_get_the_same_draw(
    instance: dict[str, Any], instant: float, lags: list[float]
) -> None:
    instance['signal'] = 'uniform'
    interval = instance['min_collection_interval']
    begin = instant // interval * interval
    late = [begin + lag * interval for lag in lags]
    assume(all(each // interval == begin // interval for each in late))
    assert set(series(instance, late)) == set(series(instance, [begin]))


@LAW
@given(instances(), TAGS, TAGS)
def test_the_series_depends_on_the_set_of_tags(instance: dict[str, Any], some: list[str], others: list[str]) -> None:
    assume(instance['signal'] != 'constant')
    instance.pop('phase', None)
    instants = [instance['period'] * step / 16 for step in range(64)]
    shuffled = instance | {'tags': [*reversed(some), *some]}
    assert series(shuffled, instants) == series(instance | {'tags': some}, instants)
    # A wide range and close samples, so that two series differ.
    instance |= {'minimum': 0, 'maximum': LARGEST, 'min_collection_interval': 1}
    one = series(instance | {'tags': some}, instants)
    two = series(instance | {'tags': others}, instants)
    if instance['signal'] == 'pulse':
        # Two pulses agree if their phases are between the same two samples: compare the edges.
        one, two = ([edge(instance | {'tags': tags})] for tags in (some, others))
    assert (one == two) == (set(some) == set(others))


def edge(instance: dict[str, Any]) -> float:
    """Return the second of the period at which a pulse rises, by bisection."""
    period = instance['period']
    up, down = (
        next(step for step in range(4) if series(instance, [step * period / 4])[0] == level)
        for level in (instance.get('maximum', 1000), 0)
    )
    low, high = down * period / 4, (up if up > down else up + 4) * period / 4
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if series(instance, [middle])[0] else (middle, high)
    return high


@pytest.mark.parametrize('shape', [shape for shape in SHAPES if shape != 'constant'])
def test_the_series_depends_on_the_seed(shape: str) -> None:
    options = [{'signal': shape, 'seed': seed, 'period': 3600} for seed in range(-50, 50)]
    found = {edge(each) if shape == 'pulse' else tuple(series(each, range(0, 3600, 60))) for each in options}
    assert len(found) == 100


@pytest.mark.parametrize(
    'options, expected',
    [
        # Fixed values: they must be the same on every machine and in every version, or an update breaks the series.
        pytest.param({}, [328, 669, 831, 907, 70, 749, 145, 384], id='uniform'),
        pytest.param(
            {'tags': ['role:testing', 'home:desktop']}, [767, 457, 711, 597, 918, 961, 26, 978], id='uniform with tags'
        ),
        pytest.param({'signal': 'noise'}, [333, 778, 778, 781, 234, 227, 592, 644], id='noise'),
        pytest.param({'signal': 'sine'}, [82, 157, 157, 129, 157, 129, 107, 3], id='sine'),
        pytest.param(
            {'signal': 'sawtooth', 'decimals': 3},
            [842.688, 620.326, 620.465, 632.965, 620.465, 633.035, 856.021, 731.576],
            id='sawtooth',
        ),
    ],
)
def test_known_values_of_seed_42(options: dict[str, Any], expected: list[float]) -> None:
    instants = [-1e9, -0.5, 0, 45, 1_800_000_000, 1_800_000_045.25, 2**31, 4e9]
    assert series({'seed': 42, 'min_collection_interval': 45, **options}, instants) == expected


@pytest.mark.parametrize(
    'shape, values',
    [
        # At each eighth of a cycle, and at the start of the next.
        pytest.param('constant', [8] * 9, id='constant'),
        pytest.param('sine', [4, 7, 8, 7, 4, 1, 0, 1, 4], id='sine'),
        pytest.param('sawtooth', [0, 1, 2, 3, 4, 5, 6, 7, 0], id='sawtooth'),
        pytest.param('pulse', [8, 8, 8, 8, 0, 0, 0, 0, 8], id='pulse'),
    ],
)
@pytest.mark.parametrize(
    'begin',
    [
        pytest.param('1904-02-29T00:00:00Z', id='before 1970'),
        pytest.param('2027-01-11T00:00:00Z', id='plain'),
        pytest.param('2027-03-28T01:00:00Z', id='clocks go forward in Berlin'),
        pytest.param('2027-10-31T01:00:00Z', id='clocks go back in Berlin'),
        pytest.param('2026-12-31T23:00:00Z', id='end of a year'),
        pytest.param('2016-12-31T23:00:00Z', id='leap second'),
        pytest.param('2028-02-28T23:00:00Z', id='leap day'),
        pytest.param('2106-02-07T06:00:00Z', id='after 32 bits'),
    ],
)
def test_a_cycle_begins_at_each_whole_hour_plus_phase(shape: str, values: list[int], begin: str) -> None:
    instance = {'signal': shape, 'maximum': 8}
    eighths = [at(begin) + 450 * step for step in range(9)]
    assert series(instance, eighths) == values
    for phase in (450, 900, 3599.5):
        assert series(instance | {'phase': phase}, [instant + phase for instant in eighths]) == values
    # An explicit phase is the same for all tags and seeds.
    shifted = instance | {'phase': 0, 'seed': 5, 'tags': ['a:1']}
    assert series(shifted, eighths) == values


@LAW
@given(
    instances(('constant', 'sine', 'sawtooth', 'pulse')),
    st.integers(1, 10**6),
    st.integers(-(10**9), 10**10),
    st.integers(-1000, 1000),
)
def test_periods_are_equal(instance: dict[str, Any], period: int, instant: int, cycles: int) -> None:
    instance |= {'period': period, 'phase': period // 3}
    one, other = series(instance, [instant, instant + cycles * period])
    assert one == other


@pytest.mark.parametrize('period', [60, 3600, 86400])
def test_noise_is_smooth_and_takes_new_levels(period: int) -> None:
    instance = {'signal': 'noise', 'seed': 1, 'phase': 0, 'period': period, 'decimals': 6, 'maximum': 1}
    step = period / 200
    walk = series(instance, [1e9 // period * period + step * count for count in range(40_000)])
    slopes = [(after - before) / step * period for before, after in zip(walk, walk[1:], strict=False)]
    # The curve between two levels is 3x^2 - 2x^3, whose slope is 1.5 at the most and 0 at both ends.
    assert max(map(abs, slopes)) <= 1.5
    assert max(abs(slope) for slope in slopes[::200]) < 0.02
    bends = [abs(after - before) for before, after in zip(slopes, slopes[1:], strict=False)]
    assert max(bends) < 0.08
    # The levels are uniform: 200 levels, 20 for each tenth.
    assert chi_square(Counter(int(level * 10) for level in walk[::200]), 10) < 27.9


def chi_square(seen: Counter, kinds: int) -> float:
    """Pearson's statistic against equal shares. With 9 degrees of freedom it passes 27.9 in one case of a thousand."""
    assert set(seen) <= set(range(kinds))
    share = seen.total() / kinds
    return sum((seen[kind] - share) ** 2 / share for kind in range(kinds))


@pytest.mark.parametrize(
    'options',
    [
        pytest.param({}, id='no seed'),
        *(pytest.param({'seed': seed}, id=f'seed {seed}') for seed in (-1, 0, 1, 2**53)),
        pytest.param({'seed': 1, 'tags': ['a:1']}, id='tags'),
        pytest.param({'seed': 1, 'min_collection_interval': 1}, id='every second'),
        pytest.param({'seed': 1, 'decimals': 3}, id='decimals'),
    ],
)
def test_uniform_is_uniform(options: dict[str, Any]) -> None:
    random.seed(20261124)
    instance = {'maximum': 9, 'min_collection_interval': 45, **options}
    interval = instance['min_collection_interval']
    if instance.get('decimals'):
        # 0 to 9.000 has 9,001 steps: the last one is left out of the tenths.
        found = series(instance, [interval * step for step in range(100_000)])
        tenths = Counter(int(value / 0.9) for value in found if value < 9)
        assert len(set(found)) == 9001
    else:
        found = series(instance, [interval * step for step in range(100_000)])
        tenths = Counter(found)
    assert chi_square(tenths, 10) < 27.9
    # Values are independent, near and far.
    for lag in (1, 2, 80, 1920):
        assert abs(statistics.correlation(found[:-lag], found[lag:])) < 4 / math.sqrt(len(found))


def test_series_of_different_tags_or_seeds_are_independent() -> None:
    instants = range(0, 45 * 20_000, 45)
    options = [{'tags': [f'host:{name}']} for name in 'abc'] + [{'seed': seed} for seed in (2, 3)]
    found = [series({'seed': 1, 'min_collection_interval': 45, **each}, instants) for each in options]
    for index, one in enumerate(found):
        for other in found[:index]:
            assert abs(statistics.correlation(one, other)) < 4 / math.sqrt(len(instants))


def test_without_a_seed_uniform_is_random_and_the_others_are_not() -> None:
    for shape in SHAPES:
        instance = {'signal': shape, 'maximum': LARGEST}
        same = series(instance, [1_800_000_000.5] * 5) + series(instance, [1_800_000_000.5])
        assert len(set(same)) == (6 if shape == 'uniform' else 1), shape


def test_the_model_has_the_shapes_of_the_signal() -> None:
    [literal, _] = get_args(InstanceConfig.model_fields['signal'].annotation)
    assert get_args(literal) == SHAPES
