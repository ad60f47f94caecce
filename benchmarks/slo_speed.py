"""How long SLO alerts take over a year: a burn rate of two counts with a point a minute, evaluated every minute.

The series are made before the clock counts. The limit is 2 s of the processor. Half of the minutes meet the threshold
exactly, so nothing is decided by rounded numbers.

    python benchmarks/slo_speed.py [ROUNDS]
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np

from ddassets.assets import read_monitor, read_slo
from ddassets.assets.source import Unplaced
from ddassets.engine import slo
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.slo_account import Subject

START, DAY = 1_798_761_600, 86400
YEAR = 365 * DAY
MAX_SECONDS = 2.0
SOURCE = Unplaced(Path('slo'))
QUERY = 'burn_rate("a").over("30d").long_window("6h").short_window("30m") >= 14.4'


def signal() -> SeriesSet:
    """10,000 requests a minute; in every other half day 144 of them fail, else up to 30."""
    times = np.arange(START - DAY, START + YEAR, 60, dtype=np.float64)
    bad = np.random.default_rng(1).integers(0, 30, times.size).astype(np.float64)
    bad[times // 43200 % 2 == 0] = 144.0
    total = Series('acme.total', frozenset(), times, np.full(times.size, 10000.0), 'count', 60)
    return SeriesSet([total, Series('acme.good', frozenset(), times, 10000.0 - bad, 'count', 60)])


def seconds(series: SeriesSet) -> float:
    """What one evaluation costs the processor."""
    query = {'numerator': 'sum:acme.good{*}.as_count()', 'denominator': 'sum:acme.total{*}.as_count()'}
    body = {'id': 'a', 'name': 'A', 'type': 'metric', 'query': query}
    objective = read_slo(SOURCE, {**body, 'thresholds': [{'timeframe': '30d', 'target': 99.9}]})
    alert = read_monitor(SOURCE, {'name': 'Alert', 'type': 'slo alert', 'query': QUERY, 'message': ''})
    began = time.process_time()
    subject = Subject(objective, lambda start: ())
    evaluator = slo.SloEvaluator(slo.of(alert), subject, series, START, START + YEAR)
    timeline = evaluator.timeline(())
    assert len(timeline.transitions) > 700 and (timeline.values == 14.4).sum() > 100_000
    return time.process_time() - began


def main() -> int:
    series = signal()
    found = [seconds(series) for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5)]
    median = statistics.median(found)
    print(f'a burn-rate alert over a year: {median:.2f} s (median of {len(found)}; limit {MAX_SECONDS:g} s)')
    return 0 if median < MAX_SECONDS else 1


if __name__ == '__main__':
    sys.exit(main())
