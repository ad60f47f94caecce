"""Clean integrations with invented names, in every dialect of a check, and the examples of rules to plant in them.

`transplants` moves the bad example of a rule from the example integration into another; `faults` damages the
integration's own assets.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddassets import assets, sources
from ddassets.diagnostic import Diagnostic, Severity
from ddassets.lint import Emission, example, lint
from ddassets.lint.rule import Rule

type Files = dict[str, Any]

NAMES = (
    'brineworks quillon tarnhelm wickerly oxbowdb lanternq mossgate fennelcache gristmill ploverd '
    'sundrift cobaltry hexwell junipax kestrelmq larkspool nimbuscast orrery pinnace saltern'
).split()
DIALECTS = ('openmetrics_v1', 'openmetrics_v2', 'jmx', 'snmp', 'plain')
THINGS = (
    'queue request worker cache session batch journal replica segment tenant compaction handshake cpu io gc vm.net'
).split()
GAUGES = 'depth active pending usage capacity backlog latency temperature max pct rx io2'.split()
COUNTS = 'accepted rejected evicted flushed retried expired'.split()
SERVICE_CHECKS, DETAILS = 'assets/service_checks.json', 'assets/dashboards/details.json'
WATERMARK, REJECTIONS, CONNECTION, SPIKES = (
    f'assets/monitors/{name}.json' for name in ('watermark', 'rejections', 'connection', 'spikes')
)


@dataclass(frozen=True)
class Integration:
    """The files of an integration, JSON as data, and the names of its metrics by type."""

    name: str
    dialect: str
    files: Files
    gauges: tuple[str, ...]
    counts: tuple[str, ...]

    def write(self, folder: Path) -> Path:
        """Write the files to `folder` / `name`, and return that path."""
        for name, content in self.files.items():
            if content is None:
                continue
            path = folder / self.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(content, indent=2) if isinstance(content, dict | list) else content
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder / self.name

    def changed(self, files: Files) -> 'Integration':
        return Integration(self.name, self.dialect, {**self.files, **files}, self.gauges, self.counts)


def integrations() -> list[Integration]:
    """Return the twenty integrations, each dialect four times."""
    return [integration(name, DIALECTS[number % len(DIALECTS)]) for number, name in enumerate(NAMES)]


def integration(name: str, dialect: str) -> Integration:
    """Return a clean integration, the same for the same name."""
    choose = random.Random(name)
    things = choose.sample(THINGS, 6)
    gauges = tuple(f'{name}.{thing}.{choose.choice(GAUGES)}' for thing in things)
    counts = tuple(f'{name}.{thing}.{choose.choice(COUNTS)}' for thing in things[:3])
    if dialect == 'openmetrics_v2':
        counts = tuple(f'{metric}.count' for metric in counts)
    files: Files = {renamed(path, name): renamed(content, name) for path, content in example.INTEGRATION.items()}
    rows = [_row(metric, 'gauge', name) for metric in gauges] + [_row(metric, 'count', name) for metric in counts]
    rows.append(_row(f'{name}.{things[0]}.elapsed', 'distribution', name))
    files[example.METADATA] += ''.join(rows)
    files[DETAILS] = _dashboard(name, gauges, counts)
    files |= _monitors(name, gauges, counts)
    files[SERVICE_CHECKS] = [_service_check(name)]
    listed = files[example.MANIFEST]['assets']
    listed['integration']['metrics']['check'] = gauges[0]
    listed['dashboards']['Details'] = DETAILS
    listed['monitors'] |= {Path(path).stem: path for path in (WATERMARK, REJECTIONS, CONNECTION, SPIKES)}
    listed['service_checks'] = {'metadata_path': SERVICE_CHECKS}
    files |= _sources(name, dialect, gauges, counts)
    files['README.md'] = f'# {name.title()}\n\nCollects `{gauges[0]}` and others.\n'
    return Integration(name, dialect, files, gauges, counts)


def renamed(content: Any, name: str) -> Any:
    """Return the content of a file of the example integration for another integration."""
    if content is None:
        return None
    if isinstance(content, bytes):
        return content.replace(b'acme', name.encode())
    text = content if isinstance(content, str) else json.dumps(content)
    text = text.replace('acme', name).replace('Acme', name.title())
    return text if isinstance(content, str) else json.loads(text)


def _row(metric: str, type_: str, name: str) -> str:
    words = metric.split('.')[1:]
    return f'{metric},{type_},,,,The {" ".join(words)} of a node.,0,{name},{" ".join(words)}\n'


def _service_check(name: str) -> dict[str, Any]:
    return {
        'agent_version': '7.40.0',
        'integration': name,
        'check': f'{name}.can_connect',
        'statuses': ['ok', 'critical'],
        'groups': ['host'],
        'name': 'Can connect',
        'description': 'Whether the Agent can connect.',
    }


def _queries(*queries: str, formula: str = '') -> dict[str, Any]:
    named = [{'data_source': 'metrics', 'name': f'query{n}', 'query': text} for n, text in enumerate(queries, 1)]
    return {'queries': named, 'formulas': [{'formula': formula or 'query1'}], 'response_format': 'timeseries'}


def _dashboard(name: str, gauges: tuple[str, ...], counts: tuple[str, ...]) -> dict[str, Any]:
    def graph(title: str, *requests: dict[str, Any], type_: str = 'timeseries', **more: Any) -> dict[str, Any]:
        return {'type': type_, 'title': title, 'requests': list(requests), **more}

    formats = [{'comparator': '>', 'value': 90, 'palette': 'white_on_red'}]
    formats.append({'comparator': '<=', 'value': 90, 'palette': 'white_on_green'})
    scalar = {'queries': _queries(f'avg:{gauges[3]}{{$host,$env}}')['queries'], 'formulas': [{'formula': 'query1'}]}
    scalar['queries'][0]['aggregator'] = 'avg'
    value = {**scalar, 'response_format': 'scalar', 'conditional_formats': formats}
    content = [
        graph('First', _queries(f'avg:{gauges[0]}{{$host,$env}} by {{host}}')),
        graph('Second', {'q': f'max:{gauges[1]}{{$host,$env}}.rollup(max, 60)', 'display_type': 'line'}),
        graph('Share', _queries(*(f'sum:{metric}{{$host,$env}}.as_count()' for metric in counts[:2]), formula=FORMULA)),
        graph('Top', {'q': f"top(avg:{gauges[2]}{{$host,$env}} by {{host}}, 10, 'mean', 'desc')"}, type_='toplist'),
        graph('Now', value, type_='query_value', precision=2),
        graph('Slow', _queries(f'p95:{gauges[0].rpartition(".")[0]}.elapsed{{$host,$env}}')),
        {'type': 'note', 'content': 'The nodes of $host.', 'background_color': 'white'},
        {
            'type': 'check_status',
            'title': 'Up',
            'check': f'{name}.can_connect',
            'grouping': 'cluster',
            'tags': ['$host', '$env'],
        },
    ]
    widgets = [
        {'id': n, 'definition': one, 'layout': {'x': 0, 'y': n, 'width': 4, 'height': 1}}
        for n, one in enumerate(content, 101)
    ]
    group = {'type': 'group', 'title': 'All', 'layout_type': 'ordered', 'widgets': widgets[2:]}
    layout = {'x': 0, 'y': 9, 'width': 12, 'height': 9}
    return {
        'title': f'{name.title()} Details',
        'description': f'The nodes of {name.title()}.',
        'layout_type': 'ordered',
        'template_variables': [
            {'name': key, 'prefix': key, 'available_values': [], 'defaults': ['*']} for key in ('host', 'env')
        ],
        'widgets': [*widgets[:2], {'id': 100, 'definition': group, 'layout': layout}],
    }


FORMULA = 'query1 / (query1 + query2) * 100'


def _monitors(name: str, gauges: tuple[str, ...], counts: tuple[str, ...]) -> Files:
    def monitor(title: str, type_: str, query: str, options: dict[str, Any]) -> dict[str, Any]:
        text = example.message(
            alert='{{host.name}} is at {{value}}.',
            no_data='{{host.name}} is silent.',
            recovery='{{host.name}} is well.',
            handle=f'@team-{name}',
        )
        tags = [f'integration:{name}']
        definition = {
            'name': title,
            'type': type_,
            'query': query,
            'message': text,
            'tags': tags,
            'options': {'notify_no_data': True, 'no_data_timeframe': 20, **options},
        }
        return {
            'version': 2,
            'created_at': '2026-01-05',
            'last_updated_at': '2026-01-05',
            'title': title,
            'description': f'A node of {name.title()} needs attention.',
            'tags': tags,
            'definition': definition,
        }

    limits = {'critical': 90, 'critical_recovery': 70, 'warning': 80, 'warning_recovery': 60}
    band = {'trigger_window': 'last_15m', 'recovery_window': 'last_15m'}
    query = f"avg(last_4h):anomalies(avg:{gauges[2]}{{*}} by {{host}}, 'agile', 2, direction='both', interval=60, "
    query += "alert_window='last_15m', count_default_zero='true') >= 1"
    shape = {'thresholds': {'critical': 1}, 'threshold_windows': band, 'no_data_timeframe': 480}
    rejected = f'sum(last_10m):sum:{counts[0]}{{*}} by {{host}}.as_count() > 40'
    connect = f'"{name}.can_connect".over("*").by("host").last(4).count_by_status()'
    runs = {'thresholds': {'critical': 3, 'warning': 1, 'ok': 1}}
    high = f'avg(last_10m):avg:{gauges[1]}{{*}} by {{host}} > 90'
    return {
        WATERMARK: monitor('Watermark is high', 'query alert', high, {'thresholds': limits}),
        REJECTIONS: monitor('Rejections', 'query alert', rejected, {'thresholds': {'critical': 40}}),
        CONNECTION: monitor('Connection', 'service check', connect, runs),
        SPIKES: monitor('Spikes', 'query alert', query, shape),
    }


def _sources(name: str, dialect: str, gauges: tuple[str, ...], counts: tuple[str, ...]) -> Files:
    """Return the sources, configuration and fixtures of a check."""
    package = f'datadog_checks/{name}'
    metrics = [*gauges, *counts]
    own = {metric: metric.removeprefix(f'{name}.').removesuffix('.count') for metric in metrics}
    raw = {metric: f'{name}_{text.replace(".", "_")}' for metric, text in own.items()}
    connected = "        self.service_check('can_connect', self.OK)\n"
    head = f'class Check({{}}):\n    __NAMESPACE__ = {name!r}\n\n'
    files: Files = {f'{package}/__init__.py': '', f'{package}/data/conf.yaml.example': 'instances:\n  - {}\n'}
    names = {text: own[metric] for metric, text in raw.items()}
    scraped = ''.join(f'# TYPE {text} gauge\n{text} 1\n' for text in raw.values())
    if dialect == 'openmetrics_v1':
        files[f'{package}/metrics.py'] = f'METRIC_MAP = {names!r}\n'
        check = 'from datadog_checks.base import OpenMetricsBaseCheck\n\n' + head.format('OpenMetricsBaseCheck')
        check += '    def check(self, instance):\n        self.process(instance)\n' + connected
        files['tests/fixtures/metrics.txt'] = scraped
    elif dialect == 'openmetrics_v2':
        files[f'{package}/metrics.py'] = f'METRICS = [{names!r}]\n'
        check = 'from datadog_checks.base import OpenMetricsBaseCheckV2\n\n' + head.format('OpenMetricsBaseCheckV2')
        check += "    def get_default_config(self):\n        return {'metrics': METRICS}\n"
        files['tests/fixtures/metrics.txt'] = scraped
    elif dialect == 'jmx':
        beans = [
            f'  - include:\n      domain: org.{name}\n      attribute:\n        Value{n}:\n'
            f'          alias: {metric}\n          metric_type: gauge\n'
            for n, metric in enumerate(metrics)
        ]
        files[f'{package}/data/metrics.yaml'] = 'jmx_metrics:\n' + ''.join(beans)
        check = ''
    elif dialect == 'snmp':
        symbols = [
            f'  - MIB: {name.upper()}-MIB\n    symbol:\n      OID: 1.3.6.1.4.1.99999.{n}\n      name: {text}\n'
            for n, text in enumerate(own.values())
        ]
        files[f'{package}/data/profile.yaml'] = 'metrics:\n' + ''.join(symbols)
        check = 'from datadog_checks.base import AgentCheck\n\n' + head.format('AgentCheck')
        check += '    def check(self, _):\n        self.walk()\n' + connected
    else:
        check = (
            'from datadog_checks.base import AgentCheck\n\n' + head.format('AgentCheck') + '    def check(self, _):\n'
        )
        check += ''.join(f'        self.gauge({text!r}, 1)\n' for text in own.values()) + connected
        files['tests/test_check.py'] = f'METRICS = {metrics[:4]!r}\n'
    if check:
        files[f'{package}/check.py'] = check
    return files


# Examples of rules.


def transplants(rule: Rule[Any], good: bool, into: Integration) -> Integration:
    """Return the integration with the bad or good example of a rule instead of its own files of these names."""
    files: Files = {}
    for path, change in (rule.good if good else rule.bad).items():
        path, change = renamed(path, into.name), renamed(change, into.name)
        if isinstance(change, dict):
            files[path] = example.merge_patch(into.files.get(path) or {}, change)
        elif path == example.METADATA and isinstance(change, str) and change.count('\n') > 1:
            # The example's rows, and all of the integration's own.
            own = into.files[path].removeprefix(renamed(example.INTEGRATION[path], into.name))
            files[path] = change + own
        else:
            files[path] = change
    if rule.id == 'manifest/no-integration' and not good:
        return Integration(into.name, into.dialect, files, into.gauges, into.counts)
    return into.changed(files)


def emission(rule: Rule[Any], into: Integration) -> Emission | None:
    """Return what the check submits: the example's, and the integration's own metrics with every tag that it uses."""
    if rule.emission is None:
        return None
    tags = ['host:a', 'env:prod']
    samples = [(renamed(name, into.name), kind, [*more]) for name, (kind, more) in rule.emission.items()]
    samples += ((name, 'gauge', tags) for name in into.gauges)
    samples += ((name, 'count', tags) for name in into.counts)
    return Emission.of_samples(samples)


def findings(folder: Path, planted: Integration, rule: Rule[Any] | None = None) -> tuple[Diagnostic, ...]:
    """Write an integration, and lint it as the rule needs."""
    path = planted.write(folder)
    bundle = sources.read_bundle(path / rule.file) if rule and rule.file else assets.read(path)
    return lint(bundle, emission(rule, planted) if rule else None, strict=bool(rule and rule.opinion))


def is_serious(finding: Diagnostic) -> bool:
    return finding.severity >= Severity.WARNING
