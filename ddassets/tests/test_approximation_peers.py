"""The algorithms of approximations give what scikit-learn and SciPy give, on random data."""

import numpy as np
import pytest
from scale import SEED, runs
from scipy import stats
from sklearn.cluster import DBSCAN
from sklearn.linear_model import HuberRegressor

from ddassets.engine.approximation.clusters import components, distances, mad
from ddassets.engine.approximation.lines import MAX_POINTS, huber, theil_sen, thinned

SEEDS = range(SEED, SEED + runs(30))


def points(seed):
    random = np.random.default_rng(seed)
    groups, size = random.integers(3, 25), random.integers(1, 40)
    centres = random.choice([0.0, 0.0, 0.0, 1.0, 5.0], groups)[:, None]
    return centres + random.choice([0.05, 0.5, 2]) * random.standard_normal((groups, size))


@pytest.mark.rule('19.6')
@pytest.mark.parametrize('seed', SEEDS)
def test_components_are_the_clusters_of_dbscan(seed):
    found = points(seed)
    _, between = distances(found)
    several = 0
    for quantile in (0.02, 0.1, 0.3, 0.6):
        # Between two distances: scikit-learn rounds them another way.
        ordered = np.unique(between)
        place = int(quantile * (ordered.size - 1))
        epsilon = (ordered[place] + ordered[min(place + 1, ordered.size - 1)]) / 2
        expected = DBSCAN(eps=max(epsilon, 1e-9), min_samples=1).fit(found).labels_
        labels = components(between <= epsilon)
        several += len(set(labels.tolist())) > 1
        pairs = {*zip(labels.tolist(), expected.tolist(), strict=True)}
        assert len(pairs) == len(set(labels.tolist())) == len(set(expected.tolist()))
    assert several


@pytest.mark.rule('19.7')
@pytest.mark.parametrize('seed', SEEDS)
def test_the_scale_of_mad(seed):
    found = points(seed)
    expected = stats.median_abs_deviation(found, axis=None)
    assert mad(found, 3, 1.4826, 0.2).scale == pytest.approx(1.4826 * expected)


def scattered(seed):
    """Points around a line, some of which lie far from it."""
    random = np.random.default_rng(seed)
    number = int(random.integers(6, 200))
    times = np.sort(random.choice(604800, number, replace=False)).astype(float)
    values = random.normal(0, 50) + times * random.normal(0, 1e-4) + random.normal(0, 2, number)
    far = random.random(number) < 0.15
    return times, values + far * random.normal(0, 60, number)


@pytest.mark.rule('19.17')
@pytest.mark.parametrize('seed', SEEDS)
def test_theil_sen(seed):
    times, values = scattered(seed)
    expected = stats.theilslopes(values, times, method='joint')
    assert theil_sen(times, values) == pytest.approx((expected.intercept, expected.slope), rel=1e-9, abs=1e-9)


@pytest.mark.rule('19.17')
@pytest.mark.parametrize('seed', SEEDS)
def test_huber(seed):
    """scikit-learn stops near the minimum; ours is as low or lower."""
    times, values = scattered(seed)
    column = ((times - times.mean()) / np.ptp(times))[:, None]
    peer = HuberRegressor(alpha=0, epsilon=1.35, max_iter=10000, tol=1e-10).fit(column, values)
    found = huber(times, values)
    assert found.at(times) == pytest.approx(peer.predict(column), rel=1e-3, abs=1e-2 * np.std(values))


def test_a_line_without_scatter_is_found_exactly():
    times = np.arange(0, 604800, 3600.0)
    for line in (theil_sen(times, 5 + times / 3600), huber(times, 5 + times / 3600), huber(times, 5 + 0 * times)):
        assert line.at(np.array([0.0]))[0] == pytest.approx(5)


def test_many_points_are_thinned_evenly():
    times = np.arange(10_000.0)
    found, _ = thinned(times, times)
    assert found.size == MAX_POINTS and found[0] == 0 and found[-1] == 9999
    assert set(np.diff(found).tolist()) == {25, 26}
