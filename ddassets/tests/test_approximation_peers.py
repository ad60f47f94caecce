"""The algorithms of approximations give what scikit-learn and SciPy give, on random data."""

import numpy as np
import pytest
from scale import SEED, runs
from scipy import stats
from sklearn.cluster import DBSCAN

from ddassets.engine.approximation.clusters import components, distances, mad

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
