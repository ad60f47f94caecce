"""How fast `ddassets rehearse` is: beside `promtool test rules`, and with a hundred hosts over a year.

Four figures, each of whole processes, start-up included:

1. One series, a sample every 45 s, the average of 5 minutes above 800 and above 500, evaluated every minute: the same
   samples and rules for promtool (Debian: `apt-get install prometheus`) and for ddassets, one after the other in each
   round, so that both meet the same load of the machine. promtool is asked for the alerts at many instants, as they
   follow from ddassets' states: that it succeeds shows that both computed the same. The ratio is the median of the
   rounds' own; the limits are 8 over 30 days and 50 over 365.
2. my_metric's monitor and both of its downtimes over hosts that each report a random number from 0 to 1000 every 45 s
   for a year, read from one CSV file per host, pinned to one core: states, muting, and of the inbox the messages that
   are shown. 100 hosts are 70 million points; the limits are 30 s and 2 GB at the peak.
3. The line through the times for several numbers of hosts.
4. `ddassets --help`; the limit is 0.25 s.

Bytecode is compiled before (an installed package has it), and each process runs once before the clock counts. The times
are those of the wall; beside them stands what the processors did, which other work on the machine disturbs less.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

INTEGRATION = Path(__file__).parents[1] / 'my_metric'
EVERY = 45
DAY = 86400
START = '2027-01-04T00:00:00'
START_INSTANT = 1799020800
# Instants of each comparison at which promtool has to find the alerts that ddassets found.
CHECKED = 50
# How many times as fast as promtool, by days.
RATIOS = {30: 8, 365: 50}
MOST_SECONDS, MOST_MIB, MOST_HELP = 30, 2000, 0.25
RULES = """\
groups:
  - name: my_metric
    rules:
      - {alert: High, expr: 'avg_over_time(my_metric[5m]) > 800'}
      - {alert: Elevated, expr: 'avg_over_time(my_metric[5m]) > 500'}
"""
MONITOR = {
    'name': 'My Metric is high',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:my_metric{*} by {host} > 800',
    'message': '',
    'tags': [],
    'options': {'thresholds': {'critical': 800, 'warning': 500}, 'new_group_delay': 0},
}


@dataclass(frozen=True)
class Cost:
    """What one process took: seconds of the wall and of the processors, and MiB at the peak."""

    wall: float
    processor: float
    memory: float


def cost(command: Sequence[str | Path], core: int | None = None) -> Cost:
    """Run a command, on one core if one is given. Ends the benchmark where the command fails."""
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'}
    pin = None if core is None else lambda: os.sched_setaffinity(0, {core})
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, preexec_fn=pin)
        _, status, usage = os.wait4(process.pid, 0)
        spent = time.perf_counter() - start
        if os.waitstatus_to_exitcode(status):
            output.seek(0)
            raise SystemExit(f'{" ".join(map(str, command))} failed:\n{output.read().decode()[:2000]}')
    return Cost(spent, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def ddassets(*arguments: str | Path) -> list[str | Path]:
    return [Path(sys.executable).with_name('ddassets'), *arguments]


def samples(number: int, seed: int) -> list[int]:
    """Random whole numbers from 0 to 1000, as my_metric has them."""
    return random.Random(seed).choices(range(1001), k=number)


def write_comparison(folder: Path, days: int) -> tuple[Path, Path]:
    """Write the same samples and rules for both; return promtool's test and the scenario."""
    values = samples(days * DAY // EVERY, days)
    text = ' '.join(map(str, values))
    integration = folder / f'compared-{days}'
    for part in ('assets/monitors', 'rehearsals'):
        (integration / part).mkdir(parents=True)
    (integration / 'assets/monitors/high.json').write_text(json.dumps(MONITOR))
    scenario = integration / 'rehearsals' / 'compared.yaml'
    # promtool's windows hold both of their bounds.
    scenario.write_text(
        f"start: {START}\nlength: {days}d\nassumptions: {{A1: '[from,to]'}}\n"
        f'series:\n  - {{metric: my_metric, type: gauge, interval: {EVERY}s, tags: [host:alpha], values: {text}}}\n'
    )
    (folder / 'rules.yml').write_text(RULES)
    tests = []
    for minute, alerts in expected_alerts(text, days):
        for name in ('High', 'Elevated'):
            labels = '[{exp_labels: {host: alpha}}]' if name in alerts else '[]'
            tests.append(f'      - {{eval_time: {minute}m, alertname: {name}, exp_alerts: {labels}}}\n')
    test = folder / f'compared-{days}.yml'
    test.write_text(
        f'rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n  - interval: {EVERY}s\n    input_series:\n'
        f'      - {{series: \'my_metric{{host="alpha"}}\', values: \'{text}\'}}\n'
        f'    alert_rule_test:\n{"".join(tests)}'
    )
    return test, scenario


def expected_alerts(values: str, days: int) -> list[tuple[int, tuple[str, ...]]]:
    """Minutes, the last one among them, and which alerts ddassets' states stand for then."""
    from ddassets.engine.evaluator import evaluate
    from ddassets.engine.monitor import read
    from ddassets.engine.series import SeriesSet, from_compact
    from ddassets.engine.state import State

    series = from_compact(values, 'my_metric', ['host:alpha'], START_INSTANT, 'gauge', EVERY)
    end = START_INSTANT + days * DAY
    timeline = evaluate(read(MONITOR), SeriesSet([series]), START_INSTANT, end, choices={'A1': '[from,to]'})
    states = timeline.groups['host:alpha',].states
    minutes = sorted({*range(1, len(states), len(states) // CHECKED), len(states) - 1})
    found = {State.ALERT: ('High', 'Elevated'), State.WARN: ('Elevated',)}
    return [(minute, found.get(State(states[minute]), ())) for minute in minutes]


def compare(folder: Path, days: int, rounds: int) -> bool:
    """Print both sides over so many days; return whether the limit holds."""
    test, scenario = write_comparison(folder, days)
    sides: dict[str, Callable[[], Cost]] = {
        'promtool test rules': lambda: cost(['promtool', 'test', 'rules', test]),
        'ddassets rehearse': lambda: cost(ddassets('rehearse', scenario)),
    }
    sides['ddassets rehearse']()  # fills the file cache; not counted
    found = [{name: run() for name, run in sides.items()} for _ in range(rounds)]
    print(f'\n{days} days, {days * DAY // EVERY:,} samples, {rounds} rounds, load {load()}\n')
    print(f'| | wall s, median (least) | processor s | peak MiB |\n|{"---|" * 4}')
    for name in sides:
        walls = [one[name].wall for one in found]
        processor, memory = (
            statistics.median(getattr(one[name], of) for one in found) for of in ('processor', 'memory')
        )
        print(f'| {name} | {statistics.median(walls):.2f} ({min(walls):.2f}) | {processor:.2f} | {memory:.0f} |')
    theirs, ours = sides
    ratios = sorted(one[theirs].wall / one[ours].wall for one in found)
    work = statistics.median(one[theirs].processor / one[ours].processor for one in found)
    ratio, limit = statistics.median(ratios), RATIOS.get(days)
    print(
        f'\nratio of the wall {ratio:.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}), of the processors {work:.1f}', end=''
    )
    return verdict(ratio >= limit, f'at least {limit}') if limit else verdict(True, 'none')


def verdict(holds: bool, limit: str) -> bool:
    print(f'; limit {limit}: {"holds" if holds else "MISSED"}')
    return holds


def write_hosts(folder: Path, hosts: int) -> Path:
    """Write a year of so many hosts, each a CSV file, and return the integration around them."""
    integration = folder / 'hosts'
    for part in ('assets', 'manifest.json', 'metadata.csv'):
        source = INTEGRATION / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, integration / part)
        (integration / 'rehearsals').mkdir(exist_ok=True)
    number = 365 * DAY // EVERY
    # Midnight in Berlin.
    times = [f'{START_INSTANT - 3600 + EVERY * index},' for index in range(number)]
    words = [f'{value}\n' for value in range(1001)]
    for host in range(hosts):
        rows = map(str.__add__, times, map(words.__getitem__, samples(number, host)))
        (integration / 'rehearsals' / f'host-{host:03}.csv').write_text('time,value\n' + ''.join(rows))
    return integration


def year(integration: Path, hosts: int, core: int) -> Cost:
    """Rehearse a year of the first so many hosts, on one core."""
    path = integration / 'rehearsals' / f'year-of-{hosts}.yaml'
    names = [f'host-{host:03}' for host in range(hosts)]
    path.write_text(
        f"start: {START}\nlength: 365d\ntimezone: Europe/Berlin\nnotify: '@oncall@example.com'\nseries:\n"
        + ''.join(f'  - {{metric: my_metric, tags: [host:{name}], csv: {name}.csv}}\n' for name in names)
    )
    return cost(ddassets('rehearse', path), core)


def scale(folder: Path, sizes: Sequence[int], rounds: int, core: int) -> bool:
    """Print a table of numbers of hosts, and the line through it; return whether the limits hold."""
    integration = write_hosts(folder, max(sizes))
    year(integration, 1, core)  # fills the file cache; not counted
    found = [{size: year(integration, size, core) for size in sizes} for _ in range(rounds)]
    per_host = 365 * DAY // EVERY
    print(f'\n365 days by number of hosts, both downtimes, one core, {rounds} rounds, load {load()}\n')
    print(f'| hosts | points | wall s, median (least) | processor s | peak MiB |\n|{"---|" * 5}')
    median: dict[int, Cost] = {}
    for size in sizes:
        walls, processors, memories = zip(
            *((one[size].wall, one[size].processor, one[size].memory) for one in found), strict=True
        )
        median[size] = Cost(*map(statistics.median, (walls, processors, memories)))
        print(
            f'| {size} | {size * per_host:,} | {median[size].wall:.2f} ({min(walls):.2f}) '
            f'| {median[size].processor:.2f} | {median[size].memory:.0f} |'
        )
    points = [size * per_host / 1e6 for size in sizes]
    for name in ('processor', 'wall'):
        times = [getattr(median[size], name) for size in sizes]
        slope, start = statistics.linear_regression(points, times)
        share = statistics.correlation(points, times) ** 2
        print(f'\n{name}: {start:.2f} s + {slope:.3f} s per million points, r² {share:.4f}', end='')
    largest = median[max(sizes)]
    print(
        f'\n\n{max(sizes)} hosts: {largest.wall:.1f} s, the processor {largest.processor:.1f} s of it, '
        f'{largest.memory:.0f} MiB',
        end='',
    )
    if max(sizes) != 100:
        return verdict(True, 'none')
    holds = largest.wall < MOST_SECONDS and largest.memory < MOST_MIB
    return verdict(holds, f'{MOST_SECONDS} s and {MOST_MIB} MiB')


def load() -> str:
    """How many processes wanted a core over the last minute."""
    return f'{os.getloadavg()[0]:.1f}'


def help_time(rounds: int) -> bool:
    cost(ddassets('--help'))
    found = [cost(ddassets('--help')) for _ in range(rounds)]
    median = statistics.median(one.wall for one in found)
    print(
        f'\nddassets --help, {rounds} rounds: {median:.3f} s, least {min(one.wall for one in found):.3f} s, '
        f'processor {statistics.median(one.processor for one in found):.3f} s',
        end='',
    )
    return verdict(median <= MOST_HELP, f'{MOST_HELP} s')


def main() -> int:
    """Print the figures. Returns 1 where a limit is missed, 2 where there is no promtool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--days', type=int, nargs='*', default=list(RATIOS), help='of the comparison')
    parser.add_argument('--hosts', type=int, nargs='*', default=[1, 10, 25, 50, 100], help='of the year')
    parser.add_argument('--rounds', type=int, default=6, help='of short processes; long ones run a third as often')
    options = parser.parse_args()
    if options.days and not shutil.which('promtool'):
        print('promtool is not there: apt-get install prometheus', file=sys.stderr)
        return 2
    promtool = ''
    if options.days:
        told = subprocess.run(['promtool', '--version'], capture_output=True, text=True, check=True)
        promtool = (told.stdout or told.stderr).splitlines()[0].split(' (')[0]
    subprocess.run([sys.executable, '-m', 'compileall', '-q', *_sources()], check=False, capture_output=True)
    print(
        f'Python {sys.version.split()[0]}, ddassets {version("ddassets")}, numpy {version("numpy")}, {promtool}; '
        f'{len(os.sched_getaffinity(0))} cores, load {load()}'
    )
    long_rounds = max(options.rounds // 3, 1)
    with tempfile.TemporaryDirectory() as scratch:
        held = [help_time(options.rounds * 3)]
        held += [compare(Path(scratch), days, options.rounds if days < 100 else long_rounds) for days in options.days]
        if options.hosts:
            held.append(scale(Path(scratch), options.hosts, long_rounds, min(os.sched_getaffinity(0))))
    return 0 if all(held) else 1


def _sources() -> list[str]:
    """Where the modules of a rehearsal lie."""
    import ddassets as package

    return [str(Path(package.__file__).parent), *(path for path in sys.path if path.endswith('site-packages'))]


if __name__ == '__main__':
    sys.exit(main())
