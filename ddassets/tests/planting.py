"""Clean integrations with invented names, in every dialect of a check, and faults of every rule to plant in them.

A fault is planted in two ways. `transplants` moves the bad example of a rule from the example integration into another.
`FAULTS` damages a random asset of the integration's own, and knows nothing of the examples.
"""

import copy
import json
import random
import string
from collections.abc import Callable, Iterator
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
    files: Files = {_renamed(path, name): _renamed(content, name) for path, content in example.INTEGRATION.items()}
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


def _renamed(content: Any, name: str) -> Any:
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
        path, change = _renamed(path, into.name), _renamed(change, into.name)
        if isinstance(change, dict):
            files[path] = example.merge_patch(into.files.get(path) or {}, change)
        elif path == example.METADATA and isinstance(change, str) and change.count('\n') > 1:
            # The example's rows, and all of the integration's own.
            own = into.files[path].removeprefix(_renamed(example.INTEGRATION[path], into.name))
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
    samples = [(_renamed(name, into.name), kind, [*more]) for name, (kind, more) in rule.emission.items()]
    samples += ((name, 'gauge', tags) for name in into.gauges)
    samples += ((name, 'count', tags) for name in into.counts)
    return Emission.of_samples(samples)


def findings(folder: Path, planted: Integration, rule: Rule[Any] | None = None) -> tuple[Diagnostic, ...]:
    """Write an integration, and lint it as the rule needs."""
    path = planted.write(folder)
    bundle = sources.read_bundle(path / rule.file) if rule and rule.file else assets.read(path)
    return lint(bundle, emission(rule, planted) if rule else None, strict=bool(rule and rule.opinion))


# Faults in the integration's own assets.


@dataclass
class Damage:
    """What a fault may change: a copy of the files, and the choices of this planting."""

    name: str
    files: Files
    gauges: tuple[str, ...]
    choose: random.Random

    def monitor(self, path: str = WATERMARK) -> dict[str, Any]:
        found: dict[str, Any] = self.files[path]['definition']
        return found

    def options(self, path: str = WATERMARK) -> dict[str, Any]:
        found: dict[str, Any] = self.monitor(path)['options']
        return found

    def message(self, text: str, path: str = '') -> None:
        """Add a text to a message."""
        monitor = self.monitor(path or self.choose.choice((WATERMARK, REJECTIONS, SPIKES)))
        monitor['message'] = f'{text} {monitor["message"]}'

    @property
    def dashboard(self) -> dict[str, Any]:
        found: dict[str, Any] = self.files[DETAILS]
        return found

    def widgets(self) -> list[dict[str, Any]]:
        top = self.dashboard['widgets']
        return [one['definition'] for one in [*top[:2], *top[2]['definition']['widgets']]]

    def graph(self) -> dict[str, Any]:
        return self.choose.choice([one for one in self.widgets() if 'requests' in one])

    def widget_query(self, change: Callable[[str], str]) -> None:
        """Change the query of a random widget, in the new form or the old one."""
        for graph in self.choose.sample(self.widgets(), len(self.widgets())):
            for request in graph.get('requests', ()):
                holder, key = (request, 'q') if 'q' in request else (request['queries'][0], 'query')
                changed = change(holder[key])
                if changed != holder[key]:
                    holder[key] = changed
                    return
        raise AssertionError('no query is changed')

    def row(self, change: Callable[[list[str]], list[str]]) -> None:
        """Change a random row of the integration's own in metadata.csv."""
        lines = self.files[example.METADATA].splitlines()
        at = self.choose.randrange(5, len(lines))
        lines[at] = ','.join(change(lines[at].split(',')))
        self.files[example.METADATA] = '\n'.join(lines) + '\n'

    def replace(self, path: str, key: str, old: str, new: str) -> None:
        holder = self.monitor(path)
        assert old in holder[key], (path, key, old)
        holder[key] = holder[key].replace(old, new)


def misspelt(name: str, kind: str, choose: random.Random) -> str:
    """Return a name with one letter missing, added, replaced, or exchanged with the next."""
    places = [n for n, letter in enumerate(name) if letter.isalpha()]
    at = choose.choice(places)
    letter = choose.choice([one for one in string.ascii_lowercase if one != name[at]])
    if kind == 'swap':
        pairs = [n for n in places if n + 1 in places and name[n] != name[n + 1]]
        at = choose.choice(pairs)
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return name[:at] + {'delete': '', 'insert': letter + name[at], 'replace': letter}[kind] + name[at + 1 :]


KINDS = ('delete', 'insert', 'replace', 'swap')


def _misspell_metric(damage: Damage) -> None:
    metric = damage.choose.choice([metric for metric in damage.gauges[:4] if metric.count('.') == 2])
    wrong = misspelt(metric, damage.choose.choice(KINDS), damage.choose)
    for path in (DETAILS, WATERMARK, SPIKES):
        text = json.dumps(damage.files[path])
        if metric in text:
            damage.files[path] = json.loads(text.replace(metric, wrong))
            return


def _set(holder: dict[str, Any], **values: Any) -> None:
    holder.update(values)


def _cut(text: str, opening: str) -> str:
    return text.replace(opening, '', 1)


# By rule; a rule may have several.
FAULTS: dict[str, list[Callable[[Damage], Any]]] = {
    'metric/unknown': [_misspell_metric],
    'metric/percentile': [lambda d: d.widget_query(lambda q: q.replace('avg:', 'p95:').replace('max:', 'p99:'))],
    'metadata/unlisted': [lambda d: _drop_row(d)],
    'metadata/type': [
        lambda d: d.row(lambda row: [row[0], d.choose.choice(['guage', 'histogramm', '']), *row[2:]]),
    ],
    'metadata/columns': [lambda d: d.row(lambda row: [*row[:5], 'First, second', *row[6:]])],
    'metadata/duplicate': [lambda d: _repeat_row(d, str)],
    'metadata/case': [lambda d: _repeat_row(d, lambda name: name.title().replace(d.name.title(), d.name))],
    'metadata/value': [
        lambda d: d.row(lambda row: [*row[:6], d.choose.choice(['2', 'up', '-2']), *row[7:]]),
        lambda d: d.row(lambda row: [*row[:3], d.choose.choice(['bytez', 'secnd', 'requets']), *row[4:]]),
    ],
    'metadata/description': [lambda d: d.row(lambda row: [*row[:5], '', *row[6:]])],
    'service-check/unknown': [
        lambda d: _set(d.widgets()[-1], check=misspelt(f'{d.name}.can_connect', 'swap', d.choose)),
        lambda d: d.replace(CONNECTION, 'query', 'can_connect', d.choose.choice(['can_conect', 'connect', 'up'])),
    ],
    'query/syntax': [
        lambda d: d.widget_query(lambda q: _cut(q, '}')),
        lambda d: d.widget_query(lambda q: q.replace('avg:', 'agv:')),
        lambda d: d.replace(WATERMARK, 'query', '{*}', '{*'),
        lambda d: d.replace(REJECTIONS, 'query', ' > ', ' '),
    ],
    'query/argument': [
        lambda d: d.widget_query(lambda q: q.replace('.rollup(max, 60)', '.rollup(median, 60)')),
        lambda d: d.replace(SPIKES, 'query', "'agile'", "'superb'"),
        lambda d: d.widget_query(lambda q: q + '.fill(foo)' if q.endswith('}') else q),
    ],
    'query/undefined-reference': [
        lambda d: d.widgets()[2]['requests'][0]['formulas'].append({'formula': f'query{d.choose.randint(3, 9)} * 2'})
    ],
    'query/unused': [lambda d: _set(d.widgets()[2]['requests'][0], formulas=[{'formula': 'query2'}])],
    'query/filter': [lambda d: d.widget_query(lambda q: q.replace('{$host,$env}', '{}'))],
    'query/contradiction': [lambda d: d.widget_query(lambda q: q.replace('$env', 'env:prod,!env:prod'))],
    'variable/undefined': [
        lambda d: d.widget_query(lambda q: q.replace('$env', '$enviroment')),
        lambda d: _set(d.widgets()[6], content='The nodes of $cluster.value.'),
        lambda d: _set(d.graph(), title='Nodes of $region'),
    ],
    'variable/unused': [lambda d: d.dashboard['template_variables'].append({'name': 'zone', 'prefix': 'zone'})],
    'variable/duplicate': [lambda d: d.dashboard['template_variables'].append({'name': 'env', 'prefix': 'service'})],
    'variable/prefix': [lambda d: _set(d.dashboard['template_variables'][1], prefix='@env')],
    'widget/default-query': [lambda d: d.widget_query(lambda q: 'avg:system.cpu.user{*}')],
    'widget/ignores-variable': [lambda d: d.widget_query(lambda q: q.replace('{$host,$env}', '{*}'))],
    'widget/duplicate-id': [lambda d: _set(d.dashboard['widgets'][0], id=102)],
    'widget/duplicate-title': [lambda d: d.dashboard['widgets'].append(copy.deepcopy(d.dashboard['widgets'][0]))],
    'widget/no-query': [lambda d: _set(d.graph(), requests=[])],
    'widget/conditional-format': [
        lambda d: d.widgets()[4]['requests'][0]['conditional_formats'].append(
            {'comparator': '>', 'value': 95, 'palette': 'white_on_yellow'}
        )
    ],
    'dashboard/app-id': [lambda d: _set(d.graph(), type='timeseries', app_id='someone-else')],
    'dashboard/missing-key': [lambda d: d.dashboard.pop(d.choose.choice(['description', 'title']))],
    'dashboard/duplicate-title': [lambda d: _set(d.dashboard, title=f'{d.name.title()} Overview')],
    'manifest/missing-file': [
        lambda d: d.files[example.MANIFEST]['assets']['dashboards'].update(More='assets/dashboards/more.json')
    ],
    'manifest/unlisted-file': [lambda d: d.files[example.MANIFEST]['assets']['monitors'].pop('rejections')],
    'manifest/metrics': [lambda d: _set(d.files[example.MANIFEST]['assets']['integration']['metrics'], prefix='zz.')],
    'message/single-brace': [lambda d: d.message(d.choose.choice(['{host.name}', '{value}', '{threshold}']))],
    'message/unknown-variable': [lambda d: d.message(d.choose.choice(['{{vlaue}}', '{{hots.name}}', '{{treshold}}']))],
    'message/syntax': [
        lambda d: d.message(d.choose.choice(['{{#is_warning}}Nearly.', '{{/is_alert}}', '{{#is_alrt}}']))
    ],
    'message/notify-all': [lambda d: d.message('@all')],
    'message/dead-block': [lambda d: d.message('{{#is_warning}}Nearly.{{/is_warning}}', REJECTIONS)],
    'monitor/threshold-mismatch': [
        lambda d: d.options()['thresholds'].update(critical=d.choose.choice([91, 95, 100])),
        lambda d: d.replace(REJECTIONS, 'query', '> 40', f'> {d.choose.choice([4, 50, 400])}'),
    ],
    'monitor/warning-side': [lambda d: d.options()['thresholds'].update(warning=95, warning_recovery=75)],
    'monitor/recovery-side': [lambda d: d.options()['thresholds'].update(critical_recovery=d.choose.choice([91, 99]))],
    'monitor/recovery-equal': [lambda d: d.options()['thresholds'].update(critical_recovery=90)],
    'monitor/recovery-without-threshold': [lambda d: d.options()['thresholds'].pop('warning')],
    'monitor/critical-missing': [lambda d: _set(d.options(REJECTIONS), thresholds={'warning': 20})],
    'monitor/type': [lambda d: _set(d.monitor(d.choose.choice([WATERMARK, REJECTIONS])), type='event alert')],
    'monitor/option-type': [lambda d: _set(d.options(), groupby_simple_monitor=True)],
    'monitor/threshold-windows': [
        lambda d: _set(d.options(), threshold_windows={'trigger_window': 'last_15m', 'recovery_window': 'last_15m'}),
        lambda d: d.options(SPIKES)['threshold_windows'].update(trigger_window='last_30m'),
        lambda d: d.options(SPIKES)['threshold_windows'].pop('recovery_window'),
    ],
    'monitor/as-count-aggregator': [
        lambda d: d.replace(REJECTIONS, 'query', 'sum(last', d.choose.choice(['avg(last', 'max(last']))
    ],
    'monitor/percentile': [lambda d: d.replace(WATERMARK, 'query', 'avg(last', 'percentile(last')],
    'query/deprecated': [lambda d: d.widget_query(lambda q: f'{d.choose.choice(["day", "week"])}_before({q})')],
    'monitor/check-window': [lambda d: d.replace(CONNECTION, 'query', 'last(4)', 'last(2)')],
    'monitor/check-grouping': [lambda d: d.replace(CONNECTION, 'query', '.by("host")', '')],
    'monitor/template-variable': [lambda d: d.replace(WATERMARK, 'query', '{*}', '{$host}')],
    'monitor/title-variable': [lambda d: _set(d.files[WATERMARK], title='High on {{host.name}}')],
    'monitor/no-data-timeframe': [lambda d: _set(d.options(), no_data_timeframe=d.choose.choice([3, 10, 15]))],
    'monitor/no-data-conflict': [lambda d: _set(d.options(), on_missing_data='show_no_data')],
    'monitor/timeout': [lambda d: _set(d.options(), timeout_h=d.choose.choice([25, 48, -1]))],
    'monitor/notify-by': [lambda d: _set(d.options(), notify_by=['service'])],
    'monitor/group-delay': [lambda d: _delay_without_groups(d)],
    'monitor/muted': [lambda d: _set(d.options(), silenced={'*': None})],
    'monitor/duplicate-name': [lambda d: _set(d.monitor(REJECTIONS), name='Watermark is high')],
    'monitor/description-length': [lambda d: _set(d.files[SPIKES], description='Long. ' * 51)],
    'monitor/envelope': [lambda d: d.files[SPIKES].pop(d.choose.choice(['version', 'created_at', 'description']))],
    'monitor/rollup-window': [lambda d: d.replace(WATERMARK, 'query', 'by {host}', 'by {host}.rollup(avg, 3600)')],
    'tag/integration-missing': [lambda d: _tag_otherwise(d)],
    'tag/integration-spelling': [lambda d: _set(d.monitor(), tags=[f'integration:{d.name}-x'])],
    'file/value': [lambda d: _set(d.monitor(), priority=7), lambda d: _set(d.monitor(), type='qury alert')],
    'file/shape': [lambda d: _set(d.monitor(), tags='integration'), lambda d: _set(d.dashboard, widgets={})],
    'file/missing-key': [lambda d: d.monitor().pop('type'), lambda d: d.monitor().pop('query')],
    'file/unknown-key': [lambda d: _set(d.options(), notify_nodata=True)],
    'file/number-as-text': [lambda d: d.options()['thresholds'].update(critical='90')],
    'file/server-key': [lambda d: _set(d.monitor(), modified='2026-01-01T00:00:00Z')],
}


def _delay_without_groups(damage: Damage) -> None:
    damage.replace(WATERMARK, 'query', ' by {host}', '')
    damage.options()['new_group_delay'] = 60


def _tag_otherwise(damage: Damage) -> None:
    damage.files[WATERMARK]['tags'] = damage.monitor()['tags'] = ['team:x']


def _drop_row(damage: Damage) -> None:
    """Take the row of a metric out that an asset queries and the check submits."""
    lines = damage.files[example.METADATA].splitlines()
    wanted = damage.choose.choice(damage.gauges[:3])
    damage.files[example.METADATA] = ''.join(f'{line}\n' for line in lines if not line.startswith(f'{wanted},'))


def _repeat_row(damage: Damage, change: Callable[[str], str]) -> None:
    lines = damage.files[example.METADATA].splitlines()
    name, _, rest = damage.choose.choice(lines[5:]).partition(',')
    damage.files[example.METADATA] += f'{change(name)},{rest}\n'


def damaged(rule: str, into: Integration, seed: int) -> Iterator[Integration]:
    """Yield the integration once for each fault of the rule, with the fault planted."""
    for number, plant in enumerate(FAULTS.get(rule, ())):
        choose = random.Random(f'{rule} {into.name} {number} {seed}')
        damage = Damage(into.name, copy.deepcopy(into.files), into.gauges, choose)
        plant(damage)
        yield into.changed(damage.files)


def misspellings(into: Integration, seed: int) -> tuple[Integration, dict[str, str]]:
    """Return the integration with a dashboard that queries each metric misspelt in each way, and the names by title."""
    choose = random.Random(f'{into.name} {seed}')
    listed = {line.partition(',')[0] for line in into.files[example.METADATA].splitlines()}
    wrong = {}
    for metric in (*into.gauges, *into.counts):
        for kind in KINDS:
            name = misspelt(metric, kind, choose)
            if name not in listed:
                wrong[f'{metric} {kind}'] = name
    widgets = [example.widget(f'avg:{name}{{$host}}', title) for title, name in wrong.items()]
    path = _renamed(example.DASHBOARD, into.name)
    return into.changed({path: {**into.files[path], 'widgets': widgets}}), wrong


def is_serious(finding: Diagnostic) -> bool:
    return finding.severity >= Severity.WARNING
