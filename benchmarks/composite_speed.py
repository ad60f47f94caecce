"""How long a composite of ten members takes over a year: ten series with a sample every 45 s, evaluated every minute.

The series are made before the clock counts. The limit is 2 s of the processor, members included.

    python benchmarks/composite_speed.py [ROUNDS]
"""

import statistics
import sys
import time

import numpy as np

from ddassets.engine.assumptions import Assumptions
from ddassets.engine.composite import Composite, CompositeEvaluator, Source
from ddassets.engine.evaluator import Evaluator
from ddassets.engine.examples import monitor
from ddassets.engine.series import Series, SeriesSet
from ddassets.language.composite import LETTERS, MAX_MEMBERS, parse

START, YEAR, EVERY = 1_798_761_600, 365 * 86400, 45
MAX_SECONDS = 2.0


def signal() -> SeriesSet:
    """Ten random walks over a year."""
    random = np.random.default_rng(1)
    times = np.arange(START, START + YEAR, EVERY, dtype=np.float64)
    walks = (np.cumsum(random.normal(size=times.size)) for _ in range(MAX_MEMBERS))
    return SeriesSet(
        Series(f'acme.m{number}', frozenset(), times, walk, 'gauge', EVERY) for number, walk in enumerate(walks)
    )


def seconds(series: SeriesSet) -> float:
    """What one evaluation costs the processor."""
    began = time.process_time()
    members = {}
    for number, letter in enumerate(LETTERS[:MAX_MEMBERS]):
        member = monitor(f'avg(last_5m):avg:acme.m{number}{{*}} > 5')
        members[letter] = Source(letter, member, Evaluator(member, series, START, START + YEAR))
    query = parse(' || '.join(f'(m{number} && !m{number + 1})' for number in range(MAX_MEMBERS - 1)))
    composite = Composite('Composite', query=query, member_names={})
    timeline = CompositeEvaluator(composite, members, START, START + YEAR, 0, Assumptions()).timeline(())
    assert len(timeline.transitions) > 100
    return time.process_time() - began


def main() -> int:
    series = signal()
    found = [seconds(series) for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5)]
    median = statistics.median(found)
    about = f'median of {len(found)}; limit {MAX_SECONDS:g} s'
    print(f'a composite of {MAX_MEMBERS} members over a year: {median:.2f} s ({about})')
    return 0 if median < MAX_SECONDS else 1


if __name__ == '__main__':
    sys.exit(main())
