"""Faults to plant in a random asset of an integration of `planting`, by rule, and misspelt names of metrics.

They know nothing of the examples of the rules.
"""

import copy
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from planting import (
    CONNECTION,
    DETAILS,
    REJECTIONS,
    SPIKES,
    WATERMARK,
    Files,
    Integration,
    renamed,
)

from ddassets.lint import example


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
    path = renamed(example.DASHBOARD, into.name)
    return into.changed({path: {**into.files[path], 'widgets': widgets}}), wrong
