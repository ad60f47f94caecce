"""What the my_metric check costs beside two peers, all in one run on one machine.

The peers are (a) the simplest possible check, without models, and (b) the scaffold that `ddev create check` writes,
with models and an empty `check`. Every figure is taken in turns, peer by peer, so that a machine that slows down slows
all three; a figure is the median of the rounds and a ratio is the median of the rounds' ratios.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

SIMPLEST = """
import random
from datadog_checks.base import AgentCheck

class SimplestCheck(AgentCheck):
    def check(self, _):
        self.gauge('my_metric', random.randint(0, 1000))
"""

# A process of its own per figure: {package} and {name} are the peer's, what it prints is JSON.
START = """
from datadog_checks.{package} import {name}
check = {name}('{package}', {{}}, [{{}}])
error = check.run()
assert not error, error
import json, resource
print(json.dumps({{'peak MiB': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""
RUNS = """
import json, time, timeit
from datadog_checks.base.stubs import aggregator
from datadog_checks.{package} import {name}
check = {name}('{package}', {{}}, [{instance}])
assert not check.run()
aggregator.reset()
once = lambda: check.check(None)
spent = timeit.timeit(once, number=20_000, timer=time.process_time)
print(json.dumps({{'check us': spent / 20_000 * 1e6}}))
"""
SHAPES = ('uniform', 'constant', 'sine', 'sawtooth', 'pulse', 'noise')
INSTANCES = """
import json, resource, time
from datadog_checks.{package} import {name}
{name}('{package}', {{}}, [{{}}]).run()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
checks = [{name}('{package}', {{}}, [{{}}]) for _ in range({count})]
for check in checks:
    check.run()
spent = time.perf_counter() - start
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({{'us per instance': spent / {count} * 1e6, 'KiB per instance': grown / {count}}}))
"""


def measure(program: str, peers: dict[str, tuple[str, ...]], path: str, rounds: int, **fields: int) -> dict:
    """Figures of each peer by name, one number a round; `wall s` is the whole process, from its start to its end."""
    figures: dict[str, dict[str, list[float]]] = {peer: {} for peer in peers}
    environment = {**os.environ, 'PYTHONPATH': path}
    for round_ in range(-1, rounds):  # the first, which fills the file cache, is not counted
        for peer, (package, name, *instance) in peers.items():
            code = program.format(package=package, name=name, instance=(instance or ['{}'])[0], **fields)
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, '-c', code], env=environment, capture_output=True, check=True, text=True
            )
            found = {'wall s': time.perf_counter() - start, **json.loads(done.stdout.splitlines()[-1])}
            if round_ >= 0:
                for figure, value in found.items():
                    figures[peer].setdefault(figure, []).append(value)
    return figures


def report(title: str, figures: dict, wanted: tuple[str, ...], against: str = '') -> None:
    """The peers' figures and the ratio of my_metric to each, or the ratio of each to the one it is held `against`."""
    print(f'\n{title}')
    for figure in wanted:
        for peer, values in figures.items():
            above, below = (values, figures[against]) if against else (figures['my_metric'], values)
            # A hundred checks may fit into memory that the process has already: nothing grows, and there is no ratio.
            ratios = [a / b for a, b in zip(above[figure], below[figure], strict=True) if b]
            ratio = f'{statistics.median(ratios):.2f}' if ratios else 'none'
            meaning = f'it / {against}' if against else 'my_metric / it'
            print(f'  {figure:<17} {peer:<22} {statistics.median(values[figure]):10.3f}   {meaning}: {ratio}')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--ddev', required=True, help='the command that calls ddev, to write the scaffold')
    parser.add_argument('--rounds', type=int, default=15)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        simplest = Path(scratch, 'datadog_checks', 'simplest')
        simplest.mkdir(parents=True)
        (simplest / '__init__.py').write_text(SIMPLEST)
        scaffold = [*shlex.split(options.ddev), 'create', 'check', 'Scaffold Peer', '--location', scratch]
        made = subprocess.run(
            scaffold, env={**os.environ, 'UV_PROJECT_ENVIRONMENT': '.venv-ddev'}, capture_output=True, text=True
        )
        if made.returncode:
            sys.exit(f'ddev could not write its scaffold:\n{made.stdout}{made.stderr}')
        path = os.pathsep.join([scratch, str(Path(scratch, 'scaffold_peer'))])
        peers = {
            'my_metric': ('my_metric', 'MyMetricCheck'),
            '(a) simplest': ('simplest', 'SimplestCheck'),
            "(b) ddev's scaffold": ('scaffold_peer', 'ScaffoldPeerCheck'),
        }
        print(
            f'Python {sys.version.split()[0]}, datadog-checks-base {version("datadog-checks-base")}, '
            f'{options.rounds} rounds'
        )
        report('Start to the end of the first run', measure(START, peers, path, options.rounds), ('wall s', 'peak MiB'))
        report('20,000 runs of check()', measure(RUNS, peers, path, options.rounds), ('check us',))
        ours = peers['my_metric']
        shapes = {f'{shape}, seeded': (*ours, repr({'signal': shape, 'seed': 7})) for shape in SHAPES}
        figures = measure(RUNS, {'plain random': ours, **shapes}, path, options.rounds)
        report('20,000 runs of check(), by shape', figures, ('check us',), against='plain random')
        for count in (100, 10_000):
            figures = measure(INSTANCES, peers, path, 3, count=count)
            report(f'{count} instances, built and run once', figures, ('us per instance', 'KiB per instance'))


if __name__ == '__main__':
    main()
