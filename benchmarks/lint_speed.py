"""What `ddassets lint` costs from a cold start, over made-up checkouts of 10, 100 and 1000 integrations.

Each integration has a manifest, 40 metrics, one dashboard of ten queries and two monitors: twelve queries, of which one
in eight is misspelt, so that the search for near names is part of the figure. So are the sources, tests and fixture of
its check, which are searched for a name that metadata.csv lacks. Names differ between integrations, hence no query is
parsed twice. A figure is the median over the rounds of a whole process; the sizes are taken in turns. Then `--since`
and `--baseline` are tried in a checkout of 260.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from unittest import mock

from ddassets.lint.evidence import Evidence
from ddassets.lint.run import lint_paths

WORDS = 'queue request worker cache disk page lock thread session job retry batch token shard index'.split()
PARTS = 'count length age errors size hits misses rate active waiting total used free limit usage'.split()
SHAPES = (
    'avg:{}{{$host}}',
    'sum:{}{{$host,env:prod}} by {{host}}.as_count()',
    'max:{}{{$host AND (env:prod OR env:staging)}} by {{service}}.rollup(max, 60)',
    'top(avg:{}{{$host}} by {{pod_name}}, 10, \'mean\', \'desc\')',
    '100 * sum:{}{{$host}} / (sum:{}{{$host}} + 1)',
)
MESSAGE = (
    '{{#is_alert}}{{host.name}} is at {{value}}, above {{threshold}}.{{/is_alert}}\n'
    '{{#is_no_data}}{{host.name}} is silent.{{/is_no_data}}\n{{#is_recovery}}{{host.name}} is well.{{/is_recovery}}\n'
)


def write_integration(folder: Path, number: int) -> int:
    """Write one integration, the same for the same number, and return how many queries it has."""
    choose = random.Random(number)
    name = f'product_{number:04}'
    metrics = sorted({f'{name}.{choose.choice(WORDS)}.{choose.choice(PARTS)}.{n}' for n in range(40)})

    def metric() -> str:
        found = choose.choice(metrics)
        return found[:-3] + found[-2:] if choose.random() < 1 / 8 else found

    widgets = []
    for index in range(10):
        shape = SHAPES[index % len(SHAPES)]
        query = {'data_source': 'metrics', 'name': 'q', 'query': shape.format(metric(), metric())}
        request = {'queries': [query], 'formulas': [{'formula': 'q'}], 'response_format': 'timeseries'}
        definition = {'type': 'timeseries', 'title': f'Graph {index}', 'requests': [request]}
        widgets.append({'id': index, 'definition': definition, 'layout': {'x': 0, 'y': index, 'width': 4, 'height': 2}})
    dashboard = {
        'title': name,
        'description': name,
        'layout_type': 'ordered',
        'template_variables': [{'name': 'host', 'prefix': 'host', 'defaults': ['*']}],
        'widgets': widgets,
    }
    tags = [f'integration:{name}']
    files: dict[str, object] = {'assets/dashboards/overview.json': dashboard}
    for index in range(2):
        options = {'thresholds': {'critical': 90, 'warning': 80}, 'notify_no_data': True, 'no_data_timeframe': 10}
        definition = {
            'name': f'{name} {index}',
            'type': 'query alert',
            'query': f'avg(last_5m):avg:{metric()}{{*}} by {{host}} > 90',
            'message': MESSAGE,
            'tags': tags,
            'options': options,
        }
        files[f'assets/monitors/monitor_{index}.json'] = {
            'version': 2,
            'created_at': '2026-01-05',
            'last_updated_at': '2026-01-05',
            'title': f'{name} {index}',
            'description': 'A made-up monitor.',
            'tags': tags,
            'definition': definition,
        }
    listed = {'dashboards': {'Overview': 'assets/dashboards/overview.json'}}
    listed['monitors'] = {f'Monitor {index}': f'assets/monitors/monitor_{index}.json' for index in range(2)}
    metadata = {'prefix': f'{name}.', 'check': metrics[0], 'metadata_path': 'metadata.csv'}
    files['manifest.json'] = {
        'app_id': name,
        'app_uuid': name,
        'assets': {'integration': {'metrics': metadata}, **listed},
    }
    for path, body in files.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(json.dumps(body, indent=2))
    # One metric has no row, so its name is searched for in the check.
    rows = ''.join(f'{found},gauge,,,,A made-up metric.,0,{name},\n' for found in metrics[1:])
    for path, text in check_files(name, metrics).items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(text)
    header = 'metric_name,metric_type,interval,unit_name,per_unit_name,description,orientation,integration,short_name\n'
    (folder / name / 'metadata.csv').write_text(header + rows)
    return 12


def check_files(name: str, metrics: list[str]) -> dict[str, str]:
    """Return the sources, tests and fixture of a check, of the size that is usual in integrations-extras."""
    raw = {metric: metric.replace('.', '_') for metric in metrics}
    code = ''.join(f'    def collect_{n}(self):\n        return self.get({n}, "part {n}")\n\n' for n in range(120))
    package = f'datadog_checks/{name}'
    return {
        f'{package}/__init__.py': '',
        f'{package}/metrics.py': f'METRICS = { ({value: key for key, value in raw.items()})!r}\n',
        f'{package}/check.py': f'class Check(AgentCheck):\n{code}',
        f'{package}/data/conf.yaml.example': 'instances:\n' + '  # - an option\n' * 400,
        'tests/common.py': f'EXPECTED = {metrics!r}\n',
        'tests/test_unit.py': f'class TestCheck:\n{code}',
        'tests/fixtures/metrics.txt': ''.join(f'# TYPE {text} gauge\n{text} 1\n' for text in raw.values()) * 5,
        'README.md': 'How to install it.\n' * 100,
    }


def count_sources(path: Path) -> tuple[int, int]:
    """Return how many files of checks lint reads in a checkout, and how many it parses, in this process."""
    read: list[Evidence] = []

    def evidence(folder: Path, doubted: Collection[str], prefixes: Collection[str]) -> Evidence:
        read.append(Evidence(folder, doubted, prefixes))
        return read[-1]

    with mock.patch('ddassets.lint.subject.Evidence', evidence):
        lint_paths([path])
    return sum(found.files for found in read), sum(found.parsed for found in read)


def try_adoption(folder: Path, core: int) -> None:
    """Print what `--since` costs, and what one new fault beside a baseline shows."""
    checkout, baseline = folder / 'adopted', folder / 'baseline.json'
    for number in range(260):
        write_integration(checkout, number)
    git = ['git', '-C', str(checkout), '-c', 'user.name=a', '-c', 'user.email=a@example.com']
    for arguments in (['init', '-q'], ['add', '-A'], ['commit', '-q', '-m', 'Start']):
        subprocess.run([*git, *arguments], check=True)
    lint = [sys.executable, '-m', 'ddassets', 'lint', '--format', 'json']
    pinned = {'stdout': subprocess.PIPE, 'preexec_fn': lambda: os.sched_setaffinity(0, {core})}
    subprocess.run([*lint, '--write-baseline', str(baseline), str(checkout)], check=True, **pinned)
    clean = subprocess.run([*lint, '--baseline', str(baseline), str(checkout)], check=False, **pinned)
    known = json.loads(clean.stdout)
    dashboard = checkout / 'product_0100' / 'assets' / 'dashboards' / 'overview.json'
    metric = next(iter(re.findall(r'product_0100\.[\w.]+', dashboard.read_text())))
    dashboard.write_text(dashboard.read_text().replace(metric, metric[:-1] + 'zz', 1))
    broken = json.loads(subprocess.run([*lint, '--baseline', str(baseline), str(checkout)], **pinned).stdout)
    print(
        f'\n260 integrations with a baseline of {known["known"]} findings: exit {clean.returncode}, '
        f'{len(known["findings"])} shown; one new fault: {len(broken["findings"])} shown, {broken["known"]} known'
    )
    times = []
    for _ in range(5):
        start = time.perf_counter()
        since = subprocess.run([*lint, '--since', 'HEAD', str(checkout)], **pinned)
        times.append(time.perf_counter() - start)
    assert json.loads(since.stdout)['integrations'] == 1
    print(f'--since with one changed folder of 260: {statistics.median(times):.2f} s')


def seconds(path: Path, core: int) -> tuple[float, float, float]:
    """Wall time (s), processor time (s) and peak memory (MiB) of one process that lints the path on one core.

    Where the machine is shared, the second tells what the work cost, and the first what it had to wait for besides.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, '-m', 'ddassets', 'lint', '--format', 'json', str(path)],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    assert process.stdout
    with process.stdout:
        printed = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    spent = time.perf_counter() - start
    # The exit code does not tell: it is 1 with findings, and 1 where Python itself fails.
    if not printed or json.loads(printed)['integrations'] != len(list(path.iterdir())):
        raise SystemExit(f'ddassets lint {path} failed')
    return spent, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def fit(sizes: list[int], times: list[float]) -> tuple[float, float, float]:
    """Least squares of time over size: start (s), slope (s), and the share of the variance that the line explains."""
    slope, start = statistics.linear_regression(sizes, times)
    return start, slope, statistics.correlation(sizes, times) ** 2


def main() -> None:
    """Print a table, and the line through it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sizes', type=int, nargs='+', default=[1, 10, 100, 250, 1000])
    parser.add_argument('--rounds', type=int, default=5)
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    print(f'Python {sys.version.split()[0]}, ddassets {version("ddassets")}; one core;')
    print(f'median of {options.rounds} rounds, load {os.getloadavg()[0]:.1f}')
    with tempfile.TemporaryDirectory() as scratch:
        paths, queries = {}, {}
        for size in options.sizes:
            paths[size] = Path(scratch) / str(size)
            queries[size] = sum(write_integration(paths[size], number) for number in range(size))
        for path in paths.values():
            seconds(path, core)  # fills the file cache; not counted
        read = {size: count_sources(path) for size, path in paths.items()}
        rounds = [{size: seconds(path, core) for size, path in paths.items()} for _ in range(options.rounds)]
        try_adoption(Path(scratch), core)
    columns = 'integrations, queries, files of checks read, parsed, seconds, of them computing, ms per query, peak MiB'
    print('\n|', columns.replace(', ', ' | '), '|')
    print('|' + '---|' * 8)
    times = []
    for size in options.sizes:
        wall, spent, memory = (statistics.median(found[size][figure] for found in rounds) for figure in range(3))
        times.append(spent)
        each = spent / queries[size] * 1000
        figures = f'{wall:.2f} | {spent:.2f} | {each:.2f} | {memory:.0f}'
        print('|', ' | '.join(map(str, (size, queries[size], *read[size]))), '|', figures, '|')
    start, slope, share = fit(options.sizes, times)
    print(f'\n{start:.2f} s + {slope * 1000:.1f} ms per integration, r² {share:.4f}')


if __name__ == '__main__':
    main()
