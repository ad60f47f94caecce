"""How long small commands take from a cold start, beside Python importing the same third-party modules.

Each round runs every command and its floor once, in turn, so that other work on the machine slows both. Bytecode is
compiled in a first round that does not count. The ratio of the medians is what to compare between machines.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

FLOOR = 'import yaml, dateutil.rrule, json, argparse'
MONITOR = {
    'name': 'Acme queue is long on {{host.name}}',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100',
    'message': '{{#is_alert}}The queue holds {{value}}.{{/is_alert}} @ops@example.com',
    'tags': ['integration:acme'],
    'options': {'thresholds': {'critical': 100}},
}
SCENARIO = """\
start: 2027-01-04T10:00:00
length: 1h
series:
  - {metric: acme.queue.length, type: gauge, interval: 60s, tags: [host:a], values: 5x30 200x30}
monitors: [exported.json]
properties:
  - {time_in: Alert, at_least: 10m}
"""


def measure(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command. Return the seconds on the wall and those of the processor."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        sys.exit(f'{command}: exit {done.returncode}: {done.stderr}')
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a table: each command, its floor, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=20)
    parser.add_argument('--integration', type=Path, default=Path(__file__).parents[1] / 'my_metric')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        exported = Path(scratch) / 'exported.json'
        exported.write_text(json.dumps(MONITOR))
        scenario = Path(scratch) / 'queue.yaml'
        scenario.write_text(SCENARIO)
        environment = {**os.environ, 'PYTHONPYCACHEPREFIX': str(Path(scratch) / 'bytecode'), 'PYTHONHASHSEED': '0'}
        environment.pop('PYTHONDONTWRITEBYTECODE', None)
        ddassets = [sys.executable, '-m', 'ddassets']
        commands = {
            'floor': [sys.executable, '-c', FLOOR],
            'lint exported.json': [*ddassets, 'lint', str(exported)],
            f'lint {options.integration.name}': [*ddassets, 'lint', str(options.integration)],
            'floor with numpy': [sys.executable, '-c', f'import numpy; {FLOOR}'],
            'rehearse --auto exported.json': [*ddassets, 'rehearse', '--auto', str(exported)],
            'rehearse queue.yaml': [*ddassets, 'rehearse', str(scenario)],
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for number in range(options.rounds + 1):
            for name, command in commands.items():
                measured = measure(command, environment)
                if number:
                    times[name].append(measured)
    print(f'Python {platform.python_version()}, numpy {version("numpy")}, {os.cpu_count()} processors,')
    print(f'medians of {options.rounds} alternating rounds, load {os.getloadavg()[0]:.1f}\n')
    print('| command | wall s | processor s | ratio of wall | ratio of processor |')
    print('|---|---|---|---|---|')
    floor = (1.0, 1.0)
    for name, measurements in times.items():
        medians = tuple(statistics.median(values) for values in zip(*measurements, strict=True))
        if name.startswith('floor'):
            floor = medians
        ratios = ' | '.join(f'{mine / least:.2f}' for mine, least in zip(medians, floor, strict=True))
        print(f'| {name} | {medians[0]:.3f} | {medians[1]:.3f} | {ratios} |')


if __name__ == '__main__':
    main()
