"""What the simulated clock costs: `my_metric` every 45 seconds for a week, a month, a year, in a scratch environment.

A figure is the median over the rounds of one simulation, the start of the process and the loading of the check
included; the lengths are taken in turns. The first simulation, which makes the environment, is told apart.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from ddassets.agent.simulation import Conditions, simulate

INTERVAL = 45
START = 1_800_000_000
CONFIGURATION = {'instances': [{'min_collection_interval': INTERVAL}]}


def measure(integration: Path, days: int) -> tuple[float, float]:
    """Seconds of one simulation: on the wall, and of the processor, in the check's process."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    [series] = simulate(integration, Conditions(START, START + days * 86400, 'a'), CONFIGURATION).series
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert len(series) == days * 86400 // INTERVAL
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--days', type=int, nargs='+', default=[7, 30, 365])
    options = parser.parse_args()
    integration = Path(__file__).parent.parent / 'my_metric'
    with tempfile.TemporaryDirectory() as cache:
        os.environ['XDG_CACHE_HOME'] = cache
        first, _ = measure(integration, 1)
        figures = [[measure(integration, days) for days in options.days] for _ in range(options.rounds)]
    print(f'time-machine {version("time-machine")}, the first simulation, its environment made: {first:.1f} s')
    print('| days | runs | seconds | of the processor | us per run |\n|---|---|---|---|---|')
    for days, rounds in zip(options.days, zip(*figures, strict=True), strict=True):
        wall, processor = (statistics.median(column) for column in zip(*rounds, strict=True))
        runs = days * 86400 // INTERVAL
        print(f'| {days} | {runs:,} | {wall:.2f} | {processor:.2f} | {processor / runs * 1e6:.1f} |')


if __name__ == '__main__':
    main()
