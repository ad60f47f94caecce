"""The engine and the slow oracle agree on random monitors of distributions."""

import numpy as np
import pytest
import test_oracle
from oracle import distributions
from oracle.cases import Case
from scale import SEED, runs
from test_oracle import BATCH, compared, first, judged, second

from ddassets.engine.series import Series, SeriesSet

CASES = runs(200)


def binned(one: Series) -> Series:
    """The series with equal values of an instant as one value with a number, as a sketch has them."""
    if one.kind != 'distribution':
        return one
    rows = list(zip(one.times, one.values, one.times if one.arrivals is None else one.arrivals, strict=True))
    counted = {row: float(rows.count(row)) for row in rows}
    times, values, arrivals = np.array([*counted]).reshape(-1, 3).T
    numbers = np.array([*counted.values()])
    late = None if one.arrivals is None else arrivals
    return Series(one.metric, one.tags, times, values, one.kind, one.interval, late, numbers)


def difference(case: Case) -> str | None:
    return compared(first(case)[0], second(case))


@pytest.mark.rule('17.17', '17.18', '17.19', '17.20', '17.21', '17.22')
@pytest.mark.parametrize('batch', range(SEED, SEED + CASES, BATCH))
def test_both_evaluators_agree_on_distributions(batch):
    for found in judged(range(batch, batch + BATCH), difference, distributions.make):
        assert found is None


def test_both_evaluators_agree_on_bins(monkeypatch):
    plain = test_oracle.store
    monkeypatch.setattr(test_oracle, 'store', lambda case: SeriesSet(map(binned, plain(case))))
    for found in judged(range(SEED, SEED + CASES // 4), difference, distributions.make):
        assert found is None


def switched(case: Case) -> str | None:
    """Return the first choice that matters although the result was not recorded to rely on its assumption."""
    return test_oracle.switched(case, distributions.SWITCHED)


@pytest.mark.parametrize('batch', range(SEED, SEED + CASES // 4, 50))
def test_assumptions_of_distributions_not_relied_on_do_not_matter(batch):
    for found in judged(range(batch, batch + 50), switched, distributions.make):
        assert found is None


def test_canary_another_percentile_is_detected(monkeypatch):
    everything = [found for found in judged(range(40), difference, distributions.make) if found]
    assert not everything
    monkeypatch.setattr('oracle.arithmetic.floor', lambda value: int(value) and int(value) - 1)
    assert any(judged(range(40), difference, distributions.make))
