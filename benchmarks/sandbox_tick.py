"""Measure one tick of the sandbox: the evaluation of monitors when a minute has passed.

The monitors are multi alerts over hosts. All read one metric, or each a metric of its own.
"""

import argparse
import cProfile
import os
import platform
import pstats
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from ddassets.sandbox.keys import Keys
from ddassets.sandbox.request import Request
from ddassets.sandbox.sandbox import Sandbox
from ddassets.sandbox.store import Source, Store

START = 1_799_049_600
HISTORY = 10


def made(store: Store, monitors: int, metrics: int) -> Sandbox:
    """Return a sandbox with monitors that take turns in metrics."""
    sandbox = Sandbox(store, Keys.of(['a' * 32], ['b' * 40]))
    sandbox.clock.drive(START - 1)
    for number in range(monitors):
        body = {
            'name': f'Queue {number}',
            'type': 'query alert',
            'query': f'avg(last_5m):avg:acme.queue_{number % metrics}{{*}} by {{host}} > {60 + number % 40}',
            'message': '{{value}} on {{host.name}} @ops@example.com',
            'options': {
                'thresholds': {'critical': 60 + number % 40},
                'notify_no_data': True,
                'no_data_timeframe': 10,
                'new_group_delay': 0,
            },
        }
        request = Request({}, body, '', datetime.fromtimestamp(START, UTC))
        sandbox.organisation.act('CreateMonitor', request)
    return sandbox


def submit(store: Store, metrics: int, hosts: int, instant: int, noise: random.Random) -> None:
    """Add a point of each series, near the middle of the range: few monitors change."""
    rows = [
        (Source(f'acme.queue_{metric}', (), f'host{host}', 'gauge', 60), [(instant, noise.gauss(50, 5))])
        for metric in range(metrics)
        for host in range(hosts)
    ]
    store.write(lambda change: change.add_points(rows))


def measure(folder: Path, monitors: int, metrics: int, hosts: int, rounds: int) -> tuple[float, float]:
    """Return wall and processor milliseconds per tick: medians after a warm-up."""
    noise, walls, processors = random.Random(1), [], []
    with Store(folder) as store:
        sandbox = made(store, monitors, metrics)
        for minute in range(HISTORY + rounds):
            instant = START + 60 * minute
            submit(store, metrics, hosts, instant, noise)
            wall, processor = time.perf_counter(), time.process_time()
            sandbox.clock.drive(instant + 1)
            walls.append(time.perf_counter() - wall)
            processors.append(time.process_time() - processor)
        refused = [one.reason for one in sandbox.live.watched().values() if one.reason or len(one.shown) != hosts]
        assert not refused, refused[0]
    return tuple(1000 * statistics.median(times[HISTORY:]) for times in (walls, processors))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--monitors', type=int, default=1000)
    parser.add_argument('--groups', type=int, default=10)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--profile', action='store_true', help='print where the time is spent')
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f'{platform.platform()}, Python {platform.python_version()}, one core\n')
    print('| monitors | groups | metrics | ms per tick | of the processor |\n|---|---|---|---|---|')
    for metrics in (10, options.monitors):
        profile = cProfile.Profile()
        with tempfile.TemporaryDirectory() as scratch:
            if options.profile:
                profile.enable()
            wall, processor = measure(Path(scratch) / 'data', options.monitors, metrics, options.groups, options.rounds)
            profile.disable()
        counts = f'{options.monitors:,} | {options.groups} | {metrics:,}'
        print(f'| {counts} | {wall:,.0f} | {processor:,.0f} |', flush=True)
        if options.profile:
            pstats.Stats(profile).sort_stats('cumulative').print_stats(45)


if __name__ == '__main__':
    main()
