"""One reading of assets: lint, rehearse and apply report the same faults, at the same places, in the same words."""

import copy
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from ddassets.assets import read, read_monitor
from ddassets.assets.downtime import DowntimeFields, DowntimeRecurrence, DowntimeSchedule, MonitorIdentifier
from ddassets.assets.monitor_table import (
    CustomSchedule,
    EvaluationWindow,
    MonitorFields,
    MonitorOptions,
    SchedulingOptions,
    Thresholds,
    ThresholdWindows,
)
from ddassets.assets.option import Anything, Choice, Flag, ListOf, Number, Parsed, Part, Text, options_of
from ddassets.assets.source import Unplaced
from ddassets.assets.variable_table import Compute, EventVariable, GroupBy, MetricVariable, Search, Sort
from ddassets.diagnostic import Severity, UnusableInputError
from ddassets.lint import lint
from ddassets.lint.example import DASHBOARD, INTEGRATION, MONITOR, merge_patch, widget, write
from ddassets.lint.rules import all_rules
from ddassets.org.changes import Changes
from ddassets.org.desired import Selection, read_desired
from ddassets.rehearsal import parse, rehearse

SCENARIO = """\
start: 2027-01-04T10:00:00
length: 15m
series: [{metric: acme.queue.length, tags: ['host:a'], type: gauge, interval: 60s, values: 10x15}]
"""
GOOD = {
    'name': 'Good',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100',
    'message': 'Long. @team-acme',
    'tags': ['integration:acme'],
    'options': {'thresholds': {'critical': 100}},
}


def refusal(run):
    """Return the diagnostics of a refusal; none without one."""
    try:
        run()
    except UnusableInputError as error:
        return error.diagnostics
    return ()


def judge(folder, kind):
    """Return the errors about each file, as lint, rehearse and apply report them: code, place, key and text."""
    bundle = read(folder)
    monitors = 'downtimes: []\n' if kind == 'monitors' else f'monitors: [{json.dumps(GOOD)}]\n'
    scenario = parse(SCENARIO + monitors, folder / 'rehearsals' / 's.yaml')
    verdicts = []
    for found in (
        lint(bundle),
        refusal(lambda: rehearse(scenario, bundle)),
        refusal(lambda: read_desired(bundle, Selection(), Changes())),
    ):
        by_file = defaultdict(set)
        for one in found:
            if one.severity is Severity.ERROR and one.path.parent.name == kind:
                by_file[one.path.stem].add((one.code, one.position, one.key, one.message))
        verdicts.append(dict(by_file))
    return verdicts


# The matrix: every key of the tables times every kind of fault.

MONITOR_TABLES = {
    (): MonitorFields,
    ('options',): MonitorOptions,
    ('options', 'thresholds'): Thresholds,
    ('options', 'threshold_windows'): ThresholdWindows,
    ('options', 'scheduling_options'): SchedulingOptions,
    ('options', 'scheduling_options', 'evaluation_window'): EvaluationWindow,
    ('options', 'scheduling_options', 'custom_schedule'): CustomSchedule,
}
# Variables of a formula: a metric query, and a search for events.
VARIABLE_TABLES = {
    ('options', 'variables', 0): MetricVariable,
    ('options', 'variables', 1): EventVariable,
    ('options', 'variables', 1, 'compute'): Compute,
    ('options', 'variables', 1, 'search'): Search,
    ('options', 'variables', 1, 'group_by', 0): GroupBy,
    ('options', 'variables', 1, 'group_by', 0, 'sort'): Sort,
}
DOWNTIME_TABLES = {
    (): DowntimeFields,
    ('monitor_identifier',): MonitorIdentifier,
    ('schedule',): DowntimeSchedule,
    ('schedule', 'recurrences', 0): DowntimeRecurrence,
}
FORMULA = {
    **GOOD,
    'query': 'formula("a").last("5m") > 1',
    'options': {
        'variables': [
            {'data_source': 'metrics', 'name': 'a', 'query': 'avg:acme.queue.length{*}'},
            {
                'data_source': 'logs',
                'name': 'b',
                'compute': {'aggregation': 'count'},
                'group_by': [{'facet': 'service', 'sort': {'aggregation': 'count'}}],
            },
        ]
    },
}
DOWNTIME = INTEGRATION['assets/downtimes/maintenance.json']['data']['attributes']


JSON = {'text': 'x', 'number': 5, 'flag': True, 'list': [1], 'object': {'x': 1}}


def wrong_types(value):
    """Return a value of each JSON type that the key does not accept, by type."""
    match value:
        case Number():
            taken = 'number'
        case Flag():
            taken = 'flag'
        case ListOf():
            taken = 'list'
        case Part():
            taken = 'object'
        case Anything(types=types):
            taken = 'list' if types == (list,) else 'object'
        case Text() | Choice() | Parsed():
            taken = 'text'
    return {name: found for name, found in JSON.items() if name != taken}


def misspelt(text):
    return text[:-1] + text[-1] * 2


def bad_values(value):
    """Return values of the right type that are not allowed, by kind of fault."""
    match value:
        case Choice(allowed=allowed):
            return {'enumeration': misspelt(allowed[0])}
        case Number(least=least, greatest=greatest):
            return {
                **({} if least is None else {'below': least - 1}),
                **({} if greatest is None else {'above': greatest + 1}),
            }
        case Text(max_length=int(length)):
            return {'too-long': 'x' * (length + 1)}
        case Parsed():
            return {'grammar': '?'}
        case ListOf():
            return bad_lists(value)
    return {}


def bad_lists(value):
    items = {**bad_values(value.item), **wrong_types(value.item)}
    found = {f'item-{name}': [item] for name, item in items.items()}
    if value.greatest is not None:
        found['too-many'] = [{} if isinstance(value.item, Part) else 'x'] * (value.greatest + 1)
    return found


def faults(tables):
    """Yield the name of a cell, the place of its key, and the key and the value to put there."""
    for place, table in tables.items():
        for key, row in options_of(table).items():
            name = '-'.join(map(str, (*place, key)))
            yield f'{name}--misspelt', place, {misspelt(key): True}
            for kind, value in wrong_types(row.value).items():
                yield f'{name}--{kind}', place, {key: value}
            for kind, value in bad_values(row.value).items():
                yield f'{name}--{kind}', place, {key: value}
            if row.required:
                yield f'{name}--missing', place, {key: None}
            for exclusion in row.excludes:
                if exclusion.severity is Severity.ERROR:
                    yield f'{name}--excluded', place, PAIRS[key, exclusion.other]


RECURRENCES = DOWNTIME['schedule']['recurrences']
PAIRS = {
    ('timeout_h', 'on_missing_data'): {'timeout_h': 2, 'on_missing_data': 'resolve'},
    ('require_full_window', 'scheduling_options.custom_schedule'): {
        'require_full_window': True,
        'scheduling_options': {'custom_schedule': {'recurrences': [{'rrule': 'FREQ=DAILY'}]}},
    },
    ('monitor_id', 'monitor_tags'): {'monitor_id': 1, 'monitor_tags': ['a:b']},
    ('start', 'recurrences'): {'start': '2027-01-06T20:00:00Z', 'recurrences': RECURRENCES},
    ('end', 'recurrences'): {'end': '2027-01-06T20:00:00Z', 'recurrences': RECURRENCES},
}


def changed(body, place, values):
    body = copy.deepcopy(body)
    inner = body
    for step in place:
        inner = inner.setdefault(step, {}) if isinstance(inner, dict) else inner[step]
    inner.update(values)
    return body


@pytest.mark.parametrize(
    ('kind', 'tables', 'good', 'least'),
    [
        pytest.param('monitors', MONITOR_TABLES, GOOD, 300, id='monitors'),
        pytest.param('monitors', VARIABLE_TABLES, FORMULA, 90, id='variables'),
        pytest.param('downtimes', DOWNTIME_TABLES, DOWNTIME, 100, id='downtimes'),
    ],
)
def test_every_fault_is_reported_equally_by_all_commands(kind, tables, good, least, tmp_path, record_property):
    cells = {name: changed(good, place, values) for name, place, values in faults(tables)}
    folder = tmp_path / 'acme'
    (folder / 'assets' / kind).mkdir(parents=True)
    for name, body in cells.items():
        if kind == 'monitors' and body.get('name') == 'Good':
            body['name'] = name
        (folder / 'assets' / kind / f'{name}.json').write_text(json.dumps(body, indent=2))
    linted, rehearsed, applied = judge(folder, kind)
    print(f'{len(cells)} cells of {kind}')
    record_property('cells', len(cells))
    assert len(cells) > least
    assert {name for name in cells if not rehearsed.get(name)} == set()
    assert rehearsed == applied
    assert {name: found - linted.get(name, set()) for name, found in rehearsed.items()} == dict.fromkeys(cells, set())
    known = all_rules()
    for found in rehearsed.values():
        for code, position, key, message in found:
            assert code in known
            assert position is not None
            assert key or not message.startswith('options')


def test_canary_the_good_bodies_of_the_matrix_have_no_error(tmp_path):
    assert judge(write(tmp_path, {MONITOR: {'definition': GOOD, 'title': 'Good'}}), 'monitors') == [{}, {}, {}]


# What Datadog answers with 400, and what people really have.

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
Q = 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100'
ANOMALIES = "avg(last_1d):anomalies(max:acme.cpu{*} by {host}, 'agile', 2, alert_window='last_1h') > 0.5"


def options(query=Q, **changes):
    return {'query': query, 'options': {'thresholds': {'critical': 100}, **changes}}


def windows(trigger, recovery, query=ANOMALIES):
    return {
        'query': query,
        'options': {
            'thresholds': {'critical': 0.5},
            'threshold_windows': {'trigger_window': trigger, 'recovery_window': recovery},
        },
    }


CASES: dict[str, tuple[Any, ...]] = {
    'number-as-text': (options(renotify_interval='0'), 'file/number-as-text', NOTE, 'options.renotify_interval'),
    'number': (options(renotify_interval=0), None),
    'empty-text': (options(evaluation_delay=''), 'file/empty-value', NOTE, 'options.evaluation_delay'),
    'null': (options(evaluation_delay=None), None),
    'empty-message': ({'message': ''}, None),
    'duration-as-text': (options(evaluation_delay='5m'), 'file/shape', ERROR, 'options.evaluation_delay'),
    'negative': (options(evaluation_delay=-5), 'file/value', ERROR, 'options.evaluation_delay'),
    'enumeration': (options(on_missing_data='show_nodata'), 'file/value', ERROR, 'options.on_missing_data'),
    'status': (options(renotify_statuses=['allert']), 'file/value', ERROR, 'options.renotify_statuses[0]'),
    'flag-as-text': (options(notify_no_data='yes'), 'file/shape', ERROR, 'options.notify_no_data'),
    'misspelt-key': (options(notify_nodata=True), 'file/unknown-key', ERROR, 'options.notify_nodata'),
    'key-of-another-place': ({'renotify_interval': 60}, 'file/unknown-key', ERROR, 'renotify_interval'),
    'unknown-key': (options(something_else=1), 'file/unknown-key', WARNING, 'options.something_else'),
    'server-key': ({'creator': {}}, 'file/server-key', NOTE, 'creator'),
    'legacy-key': (options(avalanche_window=300), 'file/server-key', NOTE, 'options.avalanche_window'),
    'muted': (options(silenced={'*': None}), 'monitor/muted', WARNING, 'options.silenced'),
    'not-muted': (options(silenced={}), None),
    'priority': ({'priority': 7}, 'file/value', ERROR, 'priority'),
    'priority-5': ({'priority': 5}, None),
    'type-missing': ({'type': None}, 'file/missing-key', ERROR, 'type'),
    'type-misspelt': ({'type': 'qury alert'}, 'file/value', ERROR, 'type'),
    'type-of-tomorrow': ({'type': 'something-new alert', 'query': 'something-new("x")'}, 'file/value', NOTE, 'type'),
    'type-of-another-product': ({'type': 'event alert'}, 'monitor/type', ERROR, 'type'),
    'metric-alert': ({'type': 'metric alert'}, None),
    'template-variable': (
        {'query': 'avg(last_5m):avg:acme.queue.length{$host} > 100'},
        'monitor/template-variable',
        ERROR,
        'query',
    ),
    'group-delay-without-groups': (
        options('avg(last_5m):avg:acme.queue.length{*} > 100', new_group_delay=400),
        'monitor/group-delay',
        ERROR,
        'options.new_group_delay',
    ),
    'group-delay': (options(new_group_delay=400), None),
    'host-delay-of-pods': (
        options('avg(last_5m):avg:acme.queue.length{*} by {pod} > 100', new_host_delay=300),
        'monitor/host-delay',
        NOTE,
        'options.new_host_delay',
    ),
    'host-delay': (options(new_host_delay=300), None),
    'no-critical': (
        {'options': {'thresholds': {'warning': 50}}},
        'monitor/critical-missing',
        ERROR,
        'options.thresholds',
    ),
    'no-thresholds': ({'options': {'thresholds': {}}}, None),
    'default-zero': (
        options('sum(last_5m):default_zero(sum:acme.jobs{*}.as_count()) > 100', on_missing_data='resolve'),
        'monitor/no-data-conflict',
        ERROR,
        'options.on_missing_data',
    ),
    'default-zero-and-default': (
        options('sum(last_5m):default_zero(sum:acme.jobs{*}.as_count()) > 100', on_missing_data='default'),
        None,
    ),
    'recovery-window': (
        windows('last_1h', 'last_15m'),
        'monitor/threshold-windows',
        ERROR,
        'options.threshold_windows.recovery_window',
    ),
    'recovery-window-of-31-minutes': (windows('last_1h', 'last_31m'), None),
    'windows-that-differ': (
        windows('last_30m', 'last_30m'),
        'monitor/threshold-windows',
        ERROR,
        'options.threshold_windows.trigger_window',
    ),
    'windows-of-a-plain-query': (
        windows('last_1h', 'last_1h', 'avg(last_5m):avg:acme.queue.length{*} > 0.5'),
        'monitor/threshold-windows',
        WARNING,
        'options.threshold_windows',
    ),
    'recovery-equal': (
        options(thresholds={'critical': 100, 'critical_recovery': 100}),
        'monitor/recovery-equal',
        WARNING,
        'options.thresholds.critical_recovery',
    ),
    'more-than-all-points': (
        {**windows('last_1h', 'last_1h', ANOMALIES.replace('0.5', '1')), 'options': {'thresholds': {'critical': 1}}},
        'monitor/anomaly-share',
        WARNING,
        'query',
    ),
    'composite': ({'type': 'composite', 'query': '1 && !2', 'options': {}}, None),
    'composite-with-thresholds': (
        {'type': 'composite', 'query': '1 && !2'},
        'monitor/option-type',
        WARNING,
        'options.thresholds',
    ),
    'check': (
        {
            'type': 'service check',
            'query': '"acme.up".over("*").by("host").last(4).count_by_status()',
            'options': {'thresholds': {'warning': 1, 'ok': 1, 'critical': 3}},
        },
        None,
    ),
    'check-of-too-few-runs': (
        {
            'type': 'service check',
            'query': '"acme.up".over("*").by("host").last(2).count_by_status()',
            'options': {'thresholds': {'critical': 3}},
        },
        'monitor/check-window',
        ERROR,
        'options.thresholds.critical',
    ),
    'check-with-half-a-run': (
        {
            'type': 'service check',
            'query': '"acme.up".over("*").by("host").last(4).count_by_status()',
            'options': {'thresholds': {'critical': 1.5}},
        },
        'file/value',
        ERROR,
        'options.thresholds.critical',
    ),
    'slo': (
        {
            'type': 'slo alert',
            'query': 'burn_rate("x").over("30d").long_window("1h").short_window("5m") > 14.4',
            'options': {'thresholds': {'critical': 14.4, 'warning': 7.2}},
        },
        None,
    ),
    'slo-with-a-timeframe-of-no-slo': (
        {
            'type': 'slo alert',
            'query': 'error_budget("x").over("14d") > 75',
            'options': {'thresholds': {'critical': 75}},
        },
        'query/syntax',
        ERROR,
        'query',
    ),
    'slo-with-two-thresholds': (
        {
            'type': 'slo alert',
            'query': 'burn_rate("x").over("30d").long_window("1h").short_window("5m") > 14.4',
            'options': {'thresholds': {'critical': 6}},
        },
        'monitor/threshold-mismatch',
        ERROR,
        'query',
    ),
    'option-of-logs': (options(enable_logs_sample=True), 'monitor/option-type', WARNING, 'options.enable_logs_sample'),
    'option-of-logs-in-another-search': (
        {
            'type': 'database-monitoring alert',
            'query': 'database-queries("source:mongo").rollup("count").last("15m") > 100',
            'options': {'thresholds': {'critical': 100}, 'enable_logs_sample': True},
        },
        'monitor/option-type',
        NOTE,
        'options.enable_logs_sample',
    ),
    'older-form-of-an-integration': (
        {'recommended_monitor_metadata': {'description': 'Notify your team.'}},
        'file/server-key',
        NOTE,
        'recommended_monitor_metadata',
    ),
    'option-of-checks': (
        options(thresholds={'critical': 100, 'ok': 1}),
        'monitor/option-type',
        WARNING,
        'options.thresholds.ok',
    ),
}


@pytest.mark.parametrize('case', CASES.values(), ids=CASES.keys())
def test_a_monitor_has_only_this_fault(case):
    change, code, *more = case
    body = {**GOOD, **change}
    found = read_monitor(Unplaced(Path('m.json')), {key: value for key, value in body.items() if value is not None})
    expected = [(code, *more)] if code else []
    assert [(one.code, one.severity, one.key) for one in found.diagnostics] == expected, found.diagnostics


def test_all_faults_of_a_file_are_reported_together_with_hints(tmp_path):
    bad = {'on_missing_data': 'show_and_notify_nodata', 'renotify_statuses': ['allert'], 'evaluation_delay': '5m'}
    folder = write(tmp_path, {MONITOR: {'definition': {'options': {'notify_no_data': None, **bad}}}})
    with pytest.raises(UnusableInputError) as caught:
        rehearse(parse(SCENARIO, folder / 'rehearsals' / 's.yaml'), read(folder))
    lines = [str(caught.value), *caught.value.details.splitlines()]
    assert [line.partition('Queue is long: ')[2] for line in lines[:3]] == [
        'options.on_missing_data: expected show_no_data, show_and_notify_no_data, resolve or default, '
        "found 'show_and_notify_nodata'; did you mean show_and_notify_no_data? [file/value]",
        "options.evaluation_delay: expected a whole number of seconds from 0 to 86400, found '5m' "
        '(5m is 300 seconds) [file/shape]',
        "options.renotify_statuses[0]: expected alert, warn or no data, found 'allert'; did you mean alert? "
        '[file/value]',
    ]
    assert lines[3] == 'to exclude it: `monitors: {except: ["Queue is long"]}`'


def test_quoted_numbers_and_server_keys_are_corrected_before_sending(tmp_path):
    change = {'id': 5, 'creator': {}, 'options': {'renotify_interval': '60', 'evaluation_delay': '', 'locked': False}}
    folder = write(tmp_path, {MONITOR: {'definition': change}})
    (desired,) = read_desired(read(folder), Selection(('monitors',)), Changes())
    assert desired.body['options']['renotify_interval'] == 60
    assert not {'evaluation_delay', 'locked'} & desired.body['options'].keys()
    assert not {'id', 'creator'} & desired.body.keys()


# Dashboards, as far as a mistake leaves a widget empty.


def scalar(**query):
    request = {'queries': [{'data_source': 'metrics', 'name': 'a', 'query': 'avg:acme.workers{$host}', **query}]}
    return {'definition': {'type': 'query_value', 'requests': [{'response_format': 'scalar', **request}]}}


DASHBOARDS: dict[str, tuple[Any, ...]] = {
    'fine': ({'widgets': [scalar(aggregator='avg')]}, None),
    'layout': ({'layout_type': 'orderd'}, 'file/value', 'layout_type'),
    'type': ({'widgets': [widget('avg:acme.workers{$host}', type='timeserie')]}, 'file/value', 'type'),
    'no-type': ({'widgets': [{'definition': {'content': '$host'}}]}, 'file/missing-key', 'type'),
    'aggregator': (
        {'widgets': [scalar(aggregator='average')]},
        'file/value',
        'requests[0].queries[0].aggregator',
    ),
    'source': ({'widgets': [scalar(data_source='metric')]}, 'file/value', 'requests[0].queries[0].data_source'),
    'note-without-content': ({'widgets': [{'definition': {'type': 'note'}}]}, 'file/missing-key', 'content'),
    'two-defaults': (
        {'template_variables': [{'name': 'host', 'prefix': 'host', 'default': '*', 'defaults': ['*']}]},
        'file/value',
        'template_variables[0].default',
    ),
    'misspelt-key': ({'template_variabels': []}, 'file/unknown-key', 'template_variabels'),
}


@pytest.mark.parametrize('case', DASHBOARDS.values(), ids=DASHBOARDS.keys())
def test_a_dashboard_has_only_this_fault(case, tmp_path):
    change, code, *key = case
    bundle = read(write(tmp_path, {DASHBOARD: change}))
    found = [(one.code, one.key) for one in bundle.dashboards[0].diagnostics]
    assert found == ([(code, *key)] if code else [])
    refused = refusal(lambda: read_desired(bundle, Selection(('dashboards',)), Changes()))
    assert [(one.code, one.key) for one in refused] == found


VARIABLES = {
    'note': ([{'type': 'note', 'content': 'See https://example.com/?h=$nosuch.value'}], ['$nosuch']),
    'price': ([{'type': 'note', 'content': 'It costs $100, see $HOME and run $path'}], []),
    'title': ([{'type': 'note', 'content': '$host', 'title': 'Queue of $hots'}], ['$hots']),
    'link': (
        [{'type': 'note', 'content': '$host', 'custom_links': [{'label': 'a', 'link': '/x?$region.value'}]}],
        ['$region'],
    ),
    'defined': ([{'type': 'note', 'content': 'Of $host.value', 'title': '$host'}], []),
}


@pytest.mark.parametrize(('definitions', 'expected'), VARIABLES.values(), ids=VARIABLES.keys())
def test_variables_in_texts(definitions, expected, tmp_path):
    widgets = [widget('avg:acme.workers{$host}'), *({'definition': one} for one in definitions)]
    findings = lint(read(write(tmp_path, {DASHBOARD: {'widgets': widgets}})))
    found = [one for one in findings if one.code == 'variable/undefined']
    assert [one.excerpt.text[one.excerpt.start : one.excerpt.end] for one in found] == expected
    assert {one.severity for one in found} <= {WARNING}


def test_the_example_is_read_by_its_table():
    body = merge_patch(INTEGRATION[MONITOR], {})
    monitor = read_monitor(Unplaced(Path('m.json')), body)
    assert monitor.options.thresholds == Thresholds(critical=100.0)
    assert monitor.options.no_data_timeframe == 10
    assert monitor.diagnostics == ()
