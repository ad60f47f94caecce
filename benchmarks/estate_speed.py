"""How long an estate of 800 monitors takes over a day of signal each: thresholds, functions, checks, logs, composites.

The monitors are made here, each with a metric, a check or a search of its own, and a signal of its own: a point or a
run a minute, or a hundred events. What counts is `ddassets rehearse` on one core, from the start of Python to the last
line of the terminal's tables. The limit is 20 s of the processor with the defaults, which rehearse the day again for
assumptions that a result relies on. Beside it stand the same with `--what-if off`, and both with three hosts for each
monitor, so that most have three groups.

    python benchmarks/estate_speed.py [--monitors 800] [--rounds 3]
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

DAY = 86400
START = '2027-01-04T00:00:00Z'
MAX_SECONDS = 20.0
HOSTS = ('a', 'b', 'c')

type Json = dict[str, Any]


def levels(generator: random.Random, words: tuple[str, ...]) -> str:
    """A day in stretches of minutes at one level each, as `values` and `statuses` are written."""
    found, left = [], DAY // 60
    while left > 0:
        length = min(left, generator.choice([1, 3, 10, 30, 90, 240]))
        found.append(f'{generator.choice(words)}x{length}')
        left -= length
    return ' '.join(found)


def points(metric: str, hosts: Sequence[str], generator: random.Random) -> list[Json]:
    return [
        {
            'metric': metric,
            'type': 'gauge',
            'interval': '60s',
            'tags': [f'host:{host}', 'env:prod'],
            'values': levels(generator, ('5', '20', '50', '75', '95', '_')),
        }
        for host in hosts
    ]


def runs(check: str, hosts: Sequence[str], generator: random.Random) -> list[Json]:
    words = ('OK', 'OK', 'WARNING', 'CRITICAL', 'UNKNOWN', '_')
    return [
        {'service_check': check, 'interval': '60s', 'tags': [f'host:{host}'], 'statuses': levels(generator, words)}
        for host in hosts
    ]


def events(name: str, generator: random.Random) -> list[Json]:
    minutes = sorted(generator.sample(range(DAY // 60), 100))
    at = [f'2027-01-04T{minute // 60:02}:{minute % 60:02}:10' for minute in minutes]
    return [{'events': 'logs', 'monitor': name, 'at': at, 'attributes': {'service': 'web'}}]


QUERIES = (
    'avg(last_5m):avg:{metric}{{env:prod}} by {{host}} > 80',
    'max(last_15m):sum:{metric}{{*}} > 150',
    'avg(last_10m):ewma_5(avg:{metric}{{*}} by {{host}}) > 80',
    'avg(last_1h):default_zero(avg:{metric}{{*}}.rollup(avg, 300)) > 60',
    'min(last_5m):100 * avg:{metric}{{*}} by {{host}} / (avg:{metric}{{*}} by {{host}} + 10) > 85',
    'change(avg(last_10m),last_15m):avg:{metric}{{*}} by {{host}} > 40',
    'sum(last_30m):diff(avg:{metric}{{*}}) > 50',
)


def metric_monitor(number: int, hosts: Sequence[str], generator: random.Random) -> tuple[Json, list[Json]]:
    query = generator.choice(QUERIES).format(metric=f'acme.m{number}')
    critical = float(query.rpartition(' ')[2])
    options = {
        'thresholds': {'critical': critical, 'warning': critical * 0.8},
        'notify_no_data': generator.random() < 0.5,
        'no_data_timeframe': 20,
        'renotify_interval': generator.choice([0, 60]),
    }
    return {'type': 'query alert', 'query': query, 'options': options}, points(f'acme.m{number}', hosts, generator)


def check_monitor(number: int, hosts: Sequence[str], generator: random.Random) -> tuple[Json, list[Json]]:
    query = f'"acme.c{number}".over("*").by("host").last(4).count_by_status()'
    options = {'thresholds': {'critical': 3, 'warning': 2, 'ok': 1}, 'notify_no_data': True, 'no_data_timeframe': 10}
    return {'type': 'service check', 'query': query, 'options': options}, runs(f'acme.c{number}', hosts, generator)


def log_monitor(number: int, hosts: Sequence[str], generator: random.Random) -> tuple[Json, list[Json]]:
    query = f'logs("service:s{number}").index("*").rollup("count").last("15m") > 2'
    return {'type': 'log alert', 'query': query, 'options': {'thresholds': {'critical': 2}}}, events(
        f'm{number}', generator
    )


def composite(number: int, hosts: Sequence[str], generator: random.Random) -> tuple[Json, list[Json]]:
    # Every twentieth monitor, over some of the metric monitors before it.
    one, other = generator.sample(range(number - 15, number - 5), 2)
    return {'type': 'composite', 'query': f'm{one} && !m{other}', 'options': {}}, []


def build(folder: Path, count: int, hosts: Sequence[str]) -> Path:
    """Write an integration of `count` monitors and its scenario; returns its folder."""
    generator = random.Random('estate')
    monitors = folder / 'assets' / 'monitors'
    monitors.mkdir(parents=True)
    series: list[Json] = []
    kinds: list[Callable[[int, Sequence[str], random.Random], tuple[Json, list[Json]]]]
    kinds = [*[metric_monitor] * 15, check_monitor, check_monitor, log_monitor, log_monitor, composite]
    for number in range(count):
        body, signal = kinds[number % len(kinds)](number, hosts, generator)
        message = '{{#is_alert}}Too much. @oncall{{/is_alert}}{{#is_recovery}}Over. @oncall{{/is_recovery}} @slack-all'
        body = {'name': f'm{number}', 'message': message, 'tags': ['team:acme'], **body}
        (monitors / f'm{number}.json').write_text(json.dumps(body))
        series += signal
    (folder / 'rehearsals').mkdir()
    scenario = {'start': START, 'length': '24h', 'series': series}
    (folder / 'rehearsals' / 'day.yaml').write_text(json.dumps(scenario))
    return folder


def seconds(folder: Path, what_if: str) -> tuple[float, float]:
    """What one rehearsal costs, printed as on a terminal: seconds of the processor, MiB at the peak of all so far."""
    environment = {**os.environ, 'PYTHONPYCACHEPREFIX': str(folder.parent / 'bytecode')}
    environment.pop('PYTHONDONTWRITEBYTECODE', None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    core = min(os.sched_getaffinity(0))
    command = [Path(sys.executable).with_name('ddassets'), 'rehearse', folder, '--what-if', what_if]
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f'ddassets rehearse failed ({done.returncode}):\n{done.stderr[:2000]}\n{done.stdout[:2000]}')
    if not done.stdout.rstrip().endswith('1 rehearsed: 1 passed'):
        raise SystemExit(f'ddassets rehearse did not rehearse the day:\n{done.stdout[-2000:]}')
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, after.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--monitors', type=int, default=800)
    parser.add_argument('--rounds', type=int, default=3)
    options = parser.parse_args()
    medians = []
    for hosts in (HOSTS[:1], HOSTS):
        with tempfile.TemporaryDirectory() as temporary:
            folder = build(Path(temporary) / 'estate', options.monitors, hosts)
            seconds(build(Path(temporary) / 'first', 20, hosts), 'auto')  # compiles the bytecode
            found = [seconds(folder, 'auto') for _ in range(options.rounds)]
            without = [seconds(folder, 'off') for _ in range(options.rounds)]
        medians.append(statistics.median(spent for spent, _ in found))
        plain = statistics.median(spent for spent, _ in without)
        about = f'median of {len(found)}, {found[-1][1]:.0f} MiB; --what-if off: {plain:.1f} s'
        head = f'{options.monitors} monitors over a day, hosts of each: {len(hosts)}'
        print(f'{head}: {medians[-1]:.1f} s of one core ({about})')
    print(f'limit: {MAX_SECONDS:g} s')
    return 0 if max(medians) < MAX_SECONDS else 1


if __name__ == '__main__':
    sys.exit(main())
