"""Formula monitors: variables of metrics and events, groups, dynamic thresholds, and refusals."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from citing import rule

from ddassets.assets import read
from ddassets.assets.monitor import read_monitor
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import Severity, UnusableInputError
from ddassets.language.search import parse_search
from ddassets.lint import lint
from ddassets.rehearsal import parse, rehearse
from ddassets.rehearsal.auto.estate import _survey
from ddassets.rehearsal.inbox import inbox
from ddassets.rehearsal.starting import start

ACME = Path(__file__).parent / 'acme'
ASSETS = read(ACME)
DAY = '2027-01-04T'


def metric(name, query, aggregator=None):
    found = {'data_source': 'metrics', 'name': name, 'query': query}
    return found if aggregator is None else {**found, 'aggregator': aggregator}


def body_of(query, variables, type='query alert', message='@ops@example.com', **options):
    limit = query.rpartition(' ')[2]
    thresholds = {} if limit == 'threshold' else {'critical': float(limit)}
    options = {'thresholds': thresholds, 'variables': variables, **options}
    return {'name': 'Acme', 'type': type, 'query': query, 'message': message, 'options': options}


def rehearsed(body, series, length='20m', assumptions=None):
    scenario = {
        'start': f'{DAY}10:00:00',
        'length': length,
        'tick_second': 30,
        'series': series,
        'monitors': [body],
        'downtimes': [],
        'assumptions': assumptions or {},
    }
    return rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS, keep=True)


def changes(rehearsal):
    (monitor,) = rehearsal.monitors
    found = [
        (change.instant, ','.join(group) or '*', str(change.source), str(change.target), change.value)
        for group, result in monitor.results.items()
        for change in result.transitions
    ]
    return [
        f'{datetime.fromtimestamp(at, rehearsal.zone):%H:%M:%S} {group} {source} to {target} at {value:g}'
        for at, group, source, target, value in sorted(found)
    ]


def gauge(name, values, *tags, **more):
    return {'metric': name, 'type': 'gauge', 'interval': '60s', 'values': values, 'tags': [*tags], **more}


def count(name, values, *tags, **more):
    return {**gauge(name, values, *tags), 'type': 'count', **more}


A = metric('a', 'avg:acme.a{*}', 'sum')
B = metric('b', 'avg:acme.b{*}', 'max')
SERIES = [gauge('acme.a', '1x10 5x10'), gauge('acme.b', '2x20')]
COUNTS = [metric('a', 'sum:acme.a{*}.as_count()', 'sum'), metric('b', 'sum:acme.b{*}.as_count()', 'sum')]
FEW = [count('acme.a', '10 30 10 30 10 10'), count('acme.b', '100 100 100 10 100 100')]


@pytest.mark.parametrize(
    'query, variables, series, options, expected',
    [
        pytest.param(
            'formula("a / b").last("5m") > 5',
            [A, B],
            SERIES,
            {},
            ['10:11:30 * OK to Alert at 6.5'],
            id='each variable by its aggregator, then the formula',
            marks=rule('1.11', '17.1', '17.2', '17.6', 'A60'),
        ),
        pytest.param(
            'formula("a / b").last("5m") > 1',
            [A, B],
            SERIES,
            {'assumptions': {'A60': 'per point, then avg'}},
            ['10:11:30 * OK to Alert at 1.3'],
            id='the formula at each point',
            marks=rule('17.6', 'A60'),
        ),
        pytest.param(
            'formula("a / b").rollup("max").last(5m) >= 2.5',
            [A, B],
            SERIES,
            {},
            ['10:10:30 * OK to Alert at 2.5'],
            id='a rollup',
            marks=rule('17.1', '17.6'),
        ),
        pytest.param(
            'formula("a / b * 100").rollup("sum").last("5m") > 25',
            COUNTS,
            FEW,
            {},
            # 80 of 310; the sum of the quotients is 350.
            ['10:03:30 * OK to Alert at 25.8065', '10:04:30 * Alert to OK at 21.9512'],
            id='counts are summed first',
            marks=rule('17.8', '2.11'),
        ),
        pytest.param(
            'formula("a / b * 100").last("5m") > 25',
            COUNTS,
            FEW,
            {},
            ['10:03:30 * OK to Alert at 25.8065', '10:04:30 * Alert to OK at 21.9512'],
            id='counts without a rollup',
            marks=rule('17.6', 'A60'),
        ),
        pytest.param(
            'formula("q").last("5m") > 25',
            [metric('q', 'sum:acme.a{*}.as_count() / sum:acme.b{*}.as_count() * 100', 'sum')],
            FEW,
            {},
            ['10:03:30 * OK to Alert at 25.8065', '10:04:30 * Alert to OK at 21.9512'],
            id='arithmetic on counts within a variable',
            marks=rule('2.11', '17.6'),
        ),
        pytest.param(
            'formula("q").last("5m") > 3',
            [metric('q', 'avg:acme.a{*} / avg:acme.b{*}', 'sum')],
            SERIES,
            {},
            ['10:10:30 * OK to Alert at 4.5'],
            id='arithmetic within a variable is pointwise',
            marks=rule('17.6'),
        ),
        pytest.param(
            'formula("a").last("5m") > 4',
            [metric('a', 'avg:acme.a{*}', 'last')],
            SERIES,
            {},
            ['10:10:30 * OK to Alert at 5'],
            id='last',
            marks=rule('17.2'),
        ),
        pytest.param(
            'formula("a").last("5m") > 2',
            [metric('a', 'avg:acme.a{*}')],
            SERIES,
            {},
            ['10:11:30 * OK to Alert at 2.6'],
            id='avg by default',
            marks=rule('17.2', '17.6'),
        ),
        pytest.param(
            'formula("a").rollup("l2norm").last("5m") > 7',
            [metric('a', 'avg:acme.a{*}')],
            SERIES,
            {},
            ['10:11:30 * OK to Alert at 7.28011'],
            id='a rollup by the norm',
            marks=rule('17.2'),
        ),
        pytest.param(
            'formula("a + b").last("5m") > 6',
            [metric('a', 'avg:acme.a{*} by {host}'), metric('b', 'avg:acme.b{*}')],
            [
                gauge('acme.a', '1x5 5x9', 'host:x'),
                gauge('acme.a', '1x14', 'host:y'),
                gauge('acme.b', '2x14', 'host:z'),
            ],
            {'new_group_delay': 0},
            ['10:08:30 host:x OK to Alert at 6.2'],
            id='a variable without groups is used for each group',
            marks=rule('17.9'),
        ),
        pytest.param(
            'formula("a + b").by("env,host").last("5m") > 6',
            [metric('a', 'avg:acme.a{*} by {host,env}'), metric('b', 'avg:acme.b{*} by {env,host}')],
            [gauge('acme.a', '5x9', 'host:x', 'env:p'), gauge('acme.b', '2x9', 'host:x', 'env:p')],
            {'new_group_delay': 0},
            ['10:00:30 host:x,env:p absent to Alert at 7'],
            id='groups are joined by their values',
            marks=rule('17.1', '17.9'),
        ),
        pytest.param(
            'formula("a + b").last("5m") > 0',
            [metric('a', 'avg:acme.a{*} by {host}'), metric('b', 'avg:acme.b{*} by {host}')],
            [gauge('acme.a', '1x9', 'host:x'), gauge('acme.b', '2x9', 'host:y')],
            {'new_group_delay': 0},
            [],
            id='a missing operand gives no result',
            marks=rule('17.10'),
        ),
        pytest.param(
            'formula("a + default_zero(b)").last("5m") > 0',
            [metric('a', 'avg:acme.a{*} by {host}'), metric('b', 'avg:acme.b{*} by {host}')],
            [gauge('acme.a', '1x9', 'host:x'), gauge('acme.b', '2x9', 'host:y')],
            {'new_group_delay': 0},
            ['10:00:30 host:x absent to Alert at 1', '10:13:30 host:x Alert to OK at 0'],
            id='or 0 by default_zero',
            marks=rule('17.5', '17.10'),
        ),
        pytest.param(
            'formula("a + b").last("5m") > 0',
            [metric(name, f'sum:acme.{name}{{*}} by {{host}}.as_count()', 'sum') for name in 'ab'],
            [count('acme.a', '1x4', 'host:x')],
            {'new_group_delay': 0},
            ['10:00:30 host:x absent to Alert at 1'],
            id='a missing count is 0',
            marks=rule('2.13', '17.10'),
        ),
        pytest.param(
            'formula("derivative(a) * 60").last("5m") > 1',
            [A],
            SERIES,
            {},
            ['10:11:30 * OK to Alert at 1.6', '10:18:30 * Alert to OK at 0.8'],
            id='a function of windows',
            marks=rule('17.5'),
        ),
    ],
)
def test_changes(query, variables, series, options, expected):
    assumptions = options.pop('assumptions', None)
    assert changes(rehearsed(body_of(query, variables, **options), series, assumptions=assumptions)) == expected


@pytest.mark.rule('17.6')
def test_an_explanation_says_what_each_variable_is():
    (monitor,) = rehearsed(body_of('formula("a / b").last("5m") > 5', [A, B]), SERIES).monitors
    at = monitor.results[()].transitions[0].instant
    found = monitor.evaluator.explain((), at)
    assert found.reasons[:3] == ('a is 13.0: sum of avg:acme.a{*}', 'b is 2.0: max of avg:acme.b{*}', 'a / b is 6.5')
    assert {name for name, _, _ in found.points} == {'a', 'b'}


@pytest.mark.rule('17.6')
def test_an_explanation_of_a_rollup():
    (monitor,) = rehearsed(body_of('formula("a / b").rollup("max").last("5m") > 2', [A, B]), SERIES).monitors
    found = monitor.evaluator.explain((), monitor.results[()].transitions[0].instant)
    assert found.reasons[:3] == (
        'a is avg:acme.a{*} at each point',
        'b is avg:acme.b{*} at each point',
        'the max of a / b is 2.5',
    )


@pytest.mark.parametrize(
    'query, variables, expected',
    [
        pytest.param(
            'formula("a").by("env").last("5m") > 1',
            [metric('a', 'avg:m{*} by {host}')],
            '.by(): names other keys than the variables, which are by host',
            id='other keys',
            marks=rule('17.9'),
        ),
        pytest.param(
            'formula("a + b").last("5m") > 1',
            [metric('a', 'avg:m{*} by {host}'), metric('b', 'avg:m{*} by {env}')],
            'column 14: by {env}: beside a query by {host}',
            id='different keys',
            marks=rule('17.9'),
        ),
        pytest.param(
            'formula("a").last("5m") > 1',
            [metric('a', 'avg:m{*}', 'percentile')],
            'percentile: as an aggregator of a variable is not evaluated',
            id='an aggregator without a definition',
            marks=rule('17.2'),
        ),
        pytest.param(
            'formula("a").rollup("stddev").last("5m") > 1',
            [metric('a', 'avg:m{*}')],
            'stddev: as a time aggregator is not evaluated',
            id='a rollup without a definition',
            marks=rule('17.2'),
        ),
        pytest.param(
            'formula("q").last("5m") > 1',
            [metric('q', 'sum:a{*}.as_count() / sum:b{*}.as_count()')],
            'avg: of q: only sum may aggregate arithmetic on as_count()',
            id='an average of counts',
            marks=rule('2.12'),
        ),
        pytest.param(
            'formula("a").rollup("avg").last("5m") > 1',
            [metric('a', 'sum:a{*}.as_count()')],
            'only sum may aggregate it over the window',
            id='a rollup of counts',
            marks=rule('2.12'),
        ),
        pytest.param(
            'formula("a.fill(zero)").last("5m") > 1',
            [metric('a', 'avg:m{*}')],
            '.fill: after the name of a variable is not evaluated; write it into the query of a',
            id='a modifier after a name',
            marks=rule('17.5'),
        ),
        pytest.param(
            'formula("cumsum(a)").last("5m") > 1',
            [metric('a', 'avg:m{*}')],
            'column 10: cumsum(): ',
            id='a function that is refused',
            marks=rule('17.5'),
        ),
        pytest.param(
            'formula("a").last("5m") > 1',
            [metric('a', 'avg:m{*} by host}')],
            'options.variables[0].query: column 17: expected',
            id='the query of a variable',
            marks=rule('17.2'),
        ),
        *(
            pytest.param(
                'formula("a").last("5m") > 1',
                [{'data_source': source, 'name': 'a', **cast(dict[str, Any], more)}],
                f'{source}: is the data source of a',
                id=source,
                marks=rule('17.4'),
            )
            for source, more in {
                'cloud_cost': {'query': 'sum:aws.cost.net.amortized{*}', 'aggregator': 'sum'},
                'datadog_usage': {'query': 'sum:x{*}'},
                'data_quality_metrics': {'measure': 'freshness', 'filter': 'x'},
                'aggregate_augmented_query': {'base_query': {}, 'compute': []},
                'aggregate_filtered_query': {'base_query': {}},
                'reference_table': {'table_name': 'x', 'columns': []},
                'data_jobs': {'query_dialect': 'DATADOG'},
            }.items()
        ),
    ],
)
def test_refusals(query, variables, expected):
    body = body_of(query, variables)
    with pytest.raises(UnusableInputError) as caught:
        rehearsed(body, SERIES)
    assert expected in str(caught.value)


def faults(body):
    return [
        (str(one.severity), one.code, one.message)
        for one in read_monitor(Unplaced(Path('m')), body).diagnostics
        if one.severity is not Severity.NOTE or one.code == 'query/unused'
    ]


@pytest.mark.parametrize(
    'body, expected',
    [
        pytest.param(
            body_of('formula("al / b").last("5m") > 1', [metric('all', 'avg:m{*}'), B]),
            [
                ('error', 'query/undefined-reference', 'no variable is named al; did you mean all?'),
                ('note', 'query/unused', 'the formula does not use the variable all'),
            ],
            id='an unknown name',
            marks=rule('17.5'),
        ),
        pytest.param(
            body_of('formula("a + avg:m{*}").last("5m") > 1', [A]),
            [('error', 'query/syntax', 'formula("…") contains names of variables, found a metric query: m')],
            id='a metric within the formula',
            marks=rule('17.5'),
        ),
        pytest.param(
            body_of('avg(last_5m):avg:m{*} > 1', [A]),
            [
                (
                    'warning',
                    'monitor/variables',
                    'options.variables: no formula uses them: the query of such a monitor is '
                    'formula("…").last("…") > n',
                )
            ],
            id='no formula',
            marks=rule('17.1'),
        ),
        pytest.param(
            body_of('formula("a").last("5m") > 1', [{'data_source': 'metric', 'name': 'a', 'query': 'avg:m{*}'}]),
            [
                (
                    'error',
                    'file/value',
                    "options.variables[0].data_source: found 'metric'; did you mean metrics?; allowed: metrics, "
                    'cloud_cost, datadog_usage, logs, rum, spans, events, audit, ci_pipelines, ci_tests, '
                    'database_queries, network, network_path, aggregate_augmented_query, aggregate_filtered_query, '
                    'data_jobs, data_quality_metrics, reference_table',
                ),
                ('error', 'query/undefined-reference', 'no variable is named a'),
            ],
            id='a misspelt source',
            marks=rule('17.2', '17.4'),
        ),
        pytest.param(
            body_of('avg(last_5m):avg:m{*} > 1', [], thresholds={'critical_query': 'formula("a").last("1w")'}),
            [
                (
                    'error',
                    'monitor/dynamic-threshold',
                    'options.thresholds.critical_query: the query does not compare with `threshold`, as in '
                    'formula("a").last("5m") > threshold',
                )
            ],
            id='a dynamic threshold without a formula',
            marks=rule('1.11', '17.14'),
        ),
        pytest.param(
            body_of('formula("a").last("5m") > threshold', [A]),
            [
                (
                    'error',
                    'monitor/dynamic-threshold',
                    'compares with `threshold`, but options.thresholds.critical_query is missing',
                )
            ],
            id='no dynamic threshold',
            marks=rule('17.14'),
        ),
        pytest.param(
            body_of(
                'formula("a").last("5m") > threshold',
                [A],
                thresholds={'critical_query': 'formula("2 * a").rollup("avg").last("1w")', 'critical': 3, 'warning': 2},
            ),
            [
                (
                    'error',
                    'monitor/dynamic-threshold',
                    'options.thresholds: a dynamic threshold excludes critical and warning',
                )
            ],
            id='both kinds of thresholds',
            marks=rule('17.14'),
        ),
        pytest.param(
            body_of(
                'formula("a").last("5m") > threshold',
                [A],
                thresholds={'critical_query': 'formula("2 * b").rollup("avg").last("1w")'},
            ),
            [('error', 'query/undefined-reference', 'no variable is named b; variables: a')],
            id='an unknown name in a dynamic threshold',
            marks=rule('17.14'),
        ),
        pytest.param(
            body_of('formula("a").last("5m") > 1', [{**A, 'agregator': 'sum'}]),
            [('error', 'file/unknown-key', 'options.variables[0].agregator: unknown key; did you mean aggregator?')],
            id='a misspelt key',
            marks=rule('17.2'),
        ),
        pytest.param(
            body_of('formula("a").last("5m") > 1', [A], type='log alert'),
            [
                (
                    'error',
                    'monitor/variables',
                    'options.variables[0].data_source: metrics does not fit a log alert monitor, whose variables are '
                    'queries of events',
                )
            ],
            id='a metric in a log monitor',
            marks=rule('17.3'),
        ),
        pytest.param(
            body_of('formula("a").lst("5m") > 1', [A]),
            [('error', 'query/syntax', "expected a window such as .last(\"5m\"), found 'lst'")],
            id='the outer form',
            marks=rule('17.1'),
        ),
        pytest.param(
            body_of('formula("a").rollup("summ").last("5m") > 1', [A]),
            [
                (
                    'error',
                    'query/syntax',
                    '.rollup(): expected one of avg, sum, min, max, last, area, l2norm, percentile, stddev, mean, '
                    "count_unique, found 'summ'; did you mean 'sum'?",
                )
            ],
            id='an unknown rollup',
            marks=rule('17.1'),
        ),
        pytest.param(
            body_of('formula("a").last("5m") > 1', [metric('a', 'avg:m{*} by {host}')], notify_by=['hots']),
            [
                (
                    'error',
                    'monitor/notify-by',
                    'options.notify_by[0]: the query does not group by hots; did you mean host?',
                )
            ],
            id='notify_by',
            marks=rule('2.20'),
        ),
        pytest.param(
            body_of('formula("a").last("5m") > 1', [metric('a', 'avg:m{*} by {host}')], notify_by=['host']),
            [],
            id='notify_by of the key of a variable',
            marks=rule('2.20'),
        ),
    ],
)
def test_faults(body, expected):
    assert faults(body) == expected


# Variables of events


def found(name, search='', *keys, source='logs', aggregation='count', measure=None, **limits):
    compute = {'aggregation': aggregation, **({} if measure is None else {'metric': measure})}
    variable = {'data_source': source, 'name': name, 'search': {'query': search}, 'compute': compute}
    return {**variable, 'group_by': [{'facet': key, **limits} for key in keys]} if keys else variable


def at(*times):
    return [DAY + time for time in times]


def events(product, times, **attributes):
    tags = attributes.pop('tags', [])
    return {'events': product, 'at': times, 'attributes': attributes, 'tags': tags}


FAILED = found('failed', '@ci.status:error', source='ci_pipelines')
ALL = found('all', source='ci_pipelines')
RUNS = [
    events('ci-pipelines', at(*['10:01:10'] * 4), **{'ci.status': 'error'}),
    events('ci-pipelines', at('10:01:10', *['10:40:10'] * 10), **{'ci.status': 'success'}),
]
LOGS = [
    events('logs', at(*['10:02:10'] * 3), status='error', tags=['service:pay']),
    events('logs', at('10:02:40', '10:03:10', '10:04:10'), status='ok', tags=['service:pay']),
    events('logs', at('10:02:20'), status='ok', tags=['service:web']),
]
ERRORS = found('a', 'status:error', 'service')
EVERY = found('b', '*', 'service')


@pytest.mark.parametrize(
    'query, variables, series, options, expected',
    [
        pytest.param(
            'formula("failed / all * 100").last("5m") > 50',
            [FAILED, ALL],
            RUNS,
            {'type': 'ci-pipelines alert', 'on_missing_data': 'default'},
            ['10:01:30 * absent to Alert at 80', '10:40:30 * Alert to OK at 0'],
            id='a ratio keeps its state when nothing runs',
            marks=rule('17.3', '17.7', '17.11', 'A61'),
        ),
        pytest.param(
            'formula("failed / all * 100").last("5m") > 50',
            [FAILED, ALL],
            RUNS,
            {'type': 'ci-pipelines alert', 'assumptions': {'A61': '0'}},
            ['10:01:30 * OK to Alert at 80', '10:06:30 * Alert to OK at 0'],
            id='or is 0',
            marks=rule('17.11', 'A61'),
        ),
        pytest.param(
            'formula("failed").last("5m") > 3',
            [FAILED, ALL],
            RUNS,
            {'type': 'ci-pipelines alert'},
            ['10:01:30 * OK to Alert at 4', '10:06:30 * Alert to OK at 0'],
            id='a plain count is 0 and recovers',
            marks=rule('17.11'),
        ),
        pytest.param(
            'formula("failed / all * 100").last("5m") > 50',
            [FAILED, ALL],
            RUNS,
            {'type': 'ci-pipelines alert', 'on_missing_data': 'show_no_data'},
            [
                '10:01:30 * absent to Alert at 80',
                '10:06:30 * Alert to No Data at nan',
                '10:40:30 * No Data to OK at 0',
                '10:45:30 * OK to No Data at nan',
            ],
            id='no data is shown',
            marks=rule('15.7', '17.7'),
        ),
        pytest.param(
            'formula("a").last("5m") > 5',
            [found('a', 'status:error', 'service', 'host', limit=10)],
            [events('logs', at(*['10:02:10'] * 10), tags=['service:pay', f'host:{host}']) for host in ('h1', 'h2')],
            {'type': 'log alert', 'notify_by': ['service']},
            ['10:02:30 service:pay absent to Alert at 10', '10:07:30 service:pay Alert to OK at 0'],
            id='the grouping is that of the variables',
            marks=rule('2.20', '17.9'),
        ),
        pytest.param(
            'formula("a / b").last("5m") > 0.7',
            [ERRORS, EVERY],
            LOGS,
            {'type': 'log alert'},
            ['10:02:30 service:pay absent to Alert at 1', '10:03:30 service:pay Alert to OK at 0.6'],
            id='a group that one variable lacks has no result',
            marks=rule('17.9', '17.10'),
        ),
        pytest.param(
            'formula("default_zero(a) / b").last("5m") < 0.1',
            [ERRORS, EVERY],
            LOGS,
            {'type': 'log alert'},
            ['10:02:30 service:web absent to Alert at 0', '10:07:30 service:pay OK to Alert at 0'],
            id='or 0 by default_zero',
            marks=rule('17.5', '17.10'),
        ),
        pytest.param(
            'formula("a / b").by("service").last("5m") > 0.7',
            [found('a', 'status:error'), found('b', '*')],
            LOGS,
            {'type': 'log alert'},
            ['10:02:30 service:pay absent to Alert at 1', '10:03:30 service:pay Alert to OK at 0.6'],
            id='by keys of the formula',
            marks=rule('17.1', '17.9'),
        ),
        pytest.param(
            'formula("a / b").last("5m") > 0.4',
            [ERRORS, found('b', '*')],
            LOGS,
            {'type': 'log alert'},
            ['10:02:30 service:pay absent to Alert at 0.75', '10:07:30 service:pay Alert to OK at 0'],
            id='a variable without groups is used for each group',
            marks=rule('17.9'),
        ),
        pytest.param(
            'formula("a").last("5m") > 0',
            [found('a', '*', 'service', limit=2)],
            [
                events('logs', at(*['10:02:10'] * number), tags=[f'service:{name}'])
                for number, name in enumerate('pqrs')
            ],
            {'type': 'log alert'},
            [
                '10:02:30 service:r absent to Alert at 2',
                '10:02:30 service:s absent to Alert at 3',
                '10:07:30 service:r Alert to OK at 0',
                '10:07:30 service:s Alert to OK at 0',
            ],
            id='the limit keeps the largest groups',
            marks=rule('15.6', '17.12', 'A48'),
        ),
        pytest.param(
            'formula("a").last("5m") > 0',
            [found('a', '*', 'service', limit=1, sort={'aggregation': 'max', 'metric': '@t', 'order': 'asc'})],
            [
                events('logs', at('10:02:10'), t=number, tags=[f'service:{name}'])
                for number, name in ((2, 'p'), (1, 'q'))
            ],
            {'type': 'log alert'},
            ['10:02:30 service:q absent to Alert at 1', '10:07:30 service:q Alert to OK at 0'],
            id='the smallest by a measure',
            marks=rule('17.12'),
        ),
        pytest.param(
            'formula("slow - quick").last("5m") > 4',
            [
                found('slow', aggregation='max', measure='@t', source='spans'),
                found('quick', aggregation='min', measure='@t', source='spans'),
            ],
            [events('spans', at('10:02:10'), t=number) for number in (1, 3, 7)],
            {'type': 'trace-analytics alert'},
            ['10:02:30 * absent to Alert at 6'],
            id='measures',
            marks=rule('17.3', '17.7'),
        ),
        pytest.param(
            'formula("a + b").last("5m") > 3',
            [found('a', 'timeout'), found('b', 'refused')],
            [{**events('logs', at(*['10:02:10'] * 2)), 'variables': [name]} for name in ('a', 'b')],
            {'type': 'log alert'},
            ['10:02:30 * OK to Alert at 4', '10:07:30 * Alert to OK at 0'],
            id='an entry names its variables',
            marks=rule('15.17', '17.3'),
        ),
    ],
)
def test_changes_of_events(query, variables, series, options, expected):
    assumptions = options.pop('assumptions', None)
    rehearsal = rehearsed(body_of(query, variables, **options), series, '50m', assumptions)
    assert changes(rehearsal) == expected
    assert 'A7' not in rehearsal.assumptions


@pytest.mark.rule('15.12', '17.13')
def test_the_first_variable_of_the_list_fills_the_variables_of_a_message():
    message = '{{log.attributes.code}} @ops@example.com'
    body = body_of(
        'formula("b").last("5m") > 0', [found('a', 'status:error'), found('b', 'status:ok')], 'log alert', message
    )
    series = [
        events('logs', at('10:02:10'), status='error', code='500'),
        events('logs', at('10:02:20'), status='ok', code='200'),
    ]
    (mail, *_) = inbox(rehearsed(body, series))
    assert mail.message.text == '500 @ops@example.com'


@pytest.mark.rule('17.7')
def test_an_explanation_of_events():
    body = body_of('formula("failed / all * 100").last("5m") > 50', [FAILED, ALL], 'ci-pipelines alert')
    (monitor,) = rehearsed(body, RUNS).monitors
    found = monitor.evaluator.explain((), monitor.results[()].transitions[0].instant)
    assert found.reasons[:3] == (
        "failed is 4.0: count of ci-pipelines found by '@ci.status:error'",
        "all is 5.0: count of ci-pipelines found by ''",
        'failed / all * 100 is 80.0',
    )
    assert [(name, number) for name, _, number in found.points] == [('all', 4), ('all', 1), ('failed', 4)]


@pytest.mark.rule('17.1')
def test_the_text_that_the_page_displays():
    query = 'ci-pipelines("(count[ci_level:job @ci.status:error] / count[ci_level:job]) * 100").last("5m") > 5'
    with pytest.raises(UnusableInputError) as caught:
        rehearsed(body_of(query, [], 'ci-pipelines alert'), RUNS)
    assert (
        'this is the text that the page of a monitor displays, not the query that the API takes: '
        'formula("a / b * 100").last("5m") > 5 with the variables a and b in options.variables'
    ) in str(caught.value)


@pytest.mark.parametrize(
    'query, variables, expected',
    [
        pytest.param(
            'formula("a").rollup("sum").last("5m") > 1',
            [found('a')],
            '.rollup("sum"): over events is not evaluated',
            id='a rollup',
            marks=rule('17.7'),
        ),
        pytest.param(
            'formula("derivative(a)").last("5m") > 1',
            [found('a')],
            'column 10: derivative(): over events is not evaluated, only abs,',
            id='a function of points',
            marks=rule('17.5', '17.7'),
        ),
        pytest.param(
            'formula("a / b").last("5m") > 1',
            [found('a', '', 'service'), found('b', '', 'host')],
            'b: is grouped by host, beside a by service: use the same keys',
            id='different keys',
            marks=rule('17.9'),
        ),
        pytest.param(
            'formula("a").last("3d") > 1',
            [found('a')],
            '.last(): over events takes 1m to 48h',
            id='a long window',
            marks=rule('15.3'),
        ),
        pytest.param(
            'formula("a").last("5m") > 1',
            [found('a', aggregation='max')],
            'options.variables[0].compute.metric: is missing: max takes a measure or facet',
            id='a measure',
            marks=rule('15.2'),
        ),
        pytest.param(
            'formula("a / b").last("5m") > 1',
            [found('a', 'timeout'), found('b')],
            "the search 'timeout' of a cannot be run: name the variables of each entry of events in the scenario, as "
            'in `variables: [a]`',
            id='a search that cannot be run',
            marks=rule('15.17'),
        ),
        *(
            pytest.param(
                'formula("a").last("5m") > 1',
                [found('a', source=source)],
                f'{source}: is the data source of a',
                id=source,
                marks=rule('17.4'),
            )
            for source in ('database_queries', 'network', 'network_path')
        ),
    ],
)
def test_refusals_of_events(query, variables, expected):
    with pytest.raises(UnusableInputError) as caught:
        rehearsed(body_of(query, variables, 'log alert'), LOGS)
    assert expected in str(caught.value)


EVENT = {'service': ['pay', 'web'], '@http.status_code': ['503'], 'host': ['a b']}


@pytest.mark.parametrize(
    'search, expected',
    [
        ('', True),
        ('*', True),
        ('*:*', True),
        ('service:pay', True),
        ('service:shop', False),
        ('service:w*', True),
        ('-service:pay', False),
        ('NOT service:shop', True),
        ('service:shop OR service:web', True),
        ('service:pay AND @http.status_code:5*', True),
        ('service:pay @http.status_code:4*', False),
        ('-(service:shop OR service:web)', False),
        ('host:"a b"', True),
        ('host:a*b', True),
        ('env:*', False),
        ('timeout', None),
        ('@duration:>5', None),
        ('@duration:[1 TO 3]', None),
        ('(service:pay', None),
        ('service:pay OR', None),
        ('AND', None),
    ],
)
@pytest.mark.rule('15.17')
def test_a_search(search, expected):
    found = parse_search(search)
    assert (None if found is None else found.matches(lambda key: EVENT.get(key, []))) is expected


# Dynamic thresholds

HOURS = {'from': f'{DAY}09:00:00'}
X = gauge('acme.a', '10x60 30x10 10x20', 'host:x', **HOURS)
Y = gauge('acme.a', '20x90', 'host:y', **HOURS)
COMPARED = 'formula("a").rollup("avg").last("5m") > threshold'


def dynamic(window, recovery=None, **options):
    thresholds = {'critical_query': f'formula("2 * a").rollup("avg").last("{window}")'}
    if recovery:
        thresholds['critical_recovery_query'] = recovery
    variables = [metric('a', 'avg:acme.a{*} by {host}')]
    message = '{{value}} above {{threshold}} @ops@example.com'
    return body_of(COMPARED, variables, message=message, thresholds=thresholds, new_group_delay=0, **options)


@pytest.mark.rule('1.11', '17.14', '17.15')
def test_a_dynamic_threshold_is_evaluated_at_the_same_instants():
    body = dynamic('30m', 'formula("1.5 * a").rollup("avg").last("30m")')
    rehearsal = rehearsed(body, [X, Y])
    assert changes(rehearsal) == ['10:03:30 host:x OK to Alert at 26', '10:11:30 host:x Alert to OK at 22']
    # 26 of 10 and four of 30, twice the mean.
    assert [one.message.text for one in inbox(rehearsal)] == [
        '26.0 above 25.333333333333332 @ops@example.com',
        '22.0 above 33.333333333333336 @ops@example.com',
    ]
    (monitor,) = rehearsal.monitors
    found = monitor.evaluator.explain(('host:x',), monitor.results['host:x',].transitions[0].instant)
    assert found.reasons[2:6] == (
        'critical_query is 25.333333333333332: avg of 2 * a over 30m',
        'critical_recovery_query is 19.0: avg of 1.5 * a over 30m',
        'critical: 26.0 > 25.333333333333332 holds',
        'critical_recovery: 26.0 <= 19.0 does not hold',
    )


@pytest.mark.rule('17.16')
def test_a_dynamic_threshold_needs_its_history():
    with pytest.raises(UnusableInputError) as caught:
        rehearsed(dynamic('1w'), [X, Y])
    assert (
        'options.thresholds.critical_query: reads the last 1w, and the data of acme.a begin 7 days too late: give '
        'earlier points (`from`), or the threshold itself under `series`: `threshold_values: 100` (rule 17.16)'
    ) in str(caught.value)


@pytest.mark.rule('17.15', '17.16')
def test_given_thresholds_hold_until_the_next_one():
    given = [
        {'threshold_values': '30 15', 'interval': '5m', 'tags': ['host:y'], 'monitor': 'Acme'},
        {'threshold_values': 20},
        {'threshold_values': 5, 'monitor': 'Another'},
    ]
    assert changes(rehearsed(dynamic('1w'), [X, Y, *given])) == [
        '10:02:30 host:x OK to Alert at 22',
        '10:05:30 host:y OK to Alert at 20',
        '10:12:30 host:x Alert to OK at 18',
    ]


@pytest.mark.rule('17.15', 'A62')
@pytest.mark.parametrize(
    'choice, expected',
    [
        pytest.param('not evaluated', [], id='not evaluated'),
        pytest.param('no data', ['10:09:30 host:x Alert to No Data at nan'], id='no data'),
    ],
)
def test_a_group_without_a_threshold(choice, expected):
    body = dynamic('5m', on_missing_data='show_no_data')
    body['options']['thresholds']['critical_query'] = 'formula("10 / a").rollup("avg").last("5m")'
    zero = gauge('acme.a', '10x65 0x20', 'host:x', **HOURS)
    rehearsal = rehearsed(body, [zero], assumptions={'A62': choice})
    assert changes(rehearsal) == ['10:00:30 host:x absent to Alert at 10', *expected]
    assert 'A62' in rehearsal.assumptions


@pytest.mark.rule('17.16')
def test_one_kind_of_threshold_in_an_entry():
    with pytest.raises(UnusableInputError, match='expected one of threshold_values, recovery_threshold_values, found'):
        rehearsed(dynamic('1w'), [X, {'threshold_values': 1, 'recovery_threshold_values': 2}])


@pytest.mark.rule('16.12', '16.15', '17.7')
def test_a_formula_over_events_on_a_schedule():
    schedule = {'recurrences': [{'rrule': 'FREQ=DAILY;INTERVAL=1', 'start': '2027-01-04T10:03:00', 'timezone': 'UTC'}]}
    variables = [found('a', 'status:error'), found('b', '*')]
    body = body_of('formula("a / b").last("5m") > 0.4', variables, 'log alert', on_missing_data='default')
    body['options']['scheduling_options'] = {'custom_schedule': schedule}
    rehearsal = rehearsed(body, LOGS, '49h')
    (monitor,) = rehearsal.monitors
    assert [datetime.fromtimestamp(at, rehearsal.zone).isoformat()[:16] for at in monitor.evaluator.ticks] == [
        f'2027-01-0{day}T10:03' for day in (4, 5, 6)
    ]
    # 3 of 6 events; then none, which keeps the last status and tells it again (16.18).
    assert changes(rehearsal) == [
        '10:03:30 * OK to Alert at 0.5',
        '10:03:30 * OK to Alert at nan',
        '10:03:30 * OK to Alert at nan',
    ]


# Lint


@pytest.mark.rule('15.11', '17.13')
def test_lint_knows_the_groups_and_searches_of_variables(tmp_path):
    message = '{{service.name}} {{env.name}} {{log.attributes.code}} {{pod.name}} {{log.code.x}} @ops@example.com'
    variables = [found('a', 'env:prod', 'service'), found('b', '-env:dev', 'service')]
    body = body_of('formula("a / b").last("5m") > 1', variables, 'log alert', message)
    folder = tmp_path / 'assets' / 'monitors'
    folder.mkdir(parents=True)
    (folder / 'm.json').write_text(json.dumps(body))
    findings = [(one.code, one.message) for one in lint(read(tmp_path)) if one.code.startswith('message/')]
    assert findings == [
        ('message/unknown-variable', '{{pod.name}} is empty: the query neither groups nor filters by pod'),
        (
            'message/event-variable',
            '{{log.code.x}} is empty: there is no such variable; write {{log.attributes.code.x}}',
        ),
    ]


@pytest.mark.rule('2.12', '17.8')
def test_lint_knows_that_only_a_sum_rolls_up_counts(tmp_path):
    folder = tmp_path / 'assets' / 'monitors'
    folder.mkdir(parents=True)
    for rollup in ('avg', 'sum'):
        body = body_of(f'formula("a / b").rollup("{rollup}").last("5m") > 1', COUNTS)
        (folder / f'{rollup}.json').write_text(json.dumps({**body, 'name': rollup}))
    code = 'monitor/as-count-aggregator'
    assert [(one.object, one.key) for one in lint(read(tmp_path)) if one.code == code] == [
        ('avg', f'options.variables[{index}].query') for index in (0, 1)
    ]


@pytest.mark.parametrize(
    'body, series, expected',
    [
        pytest.param(
            body_of('formula("a / b").last("5m") > 5', [A, B]),
            SERIES,
            'a is sum of avg:acme.a{*}, b is max of avg:acme.b{*}',
            id='reduced',
        ),
        pytest.param(
            body_of('formula("a / a").rollup("max").last("5m") > 5', [A]), SERIES, 'a is avg:acme.a{*}', id='rollup'
        ),
        pytest.param(
            body_of('formula("failed").last("5m") > 5', [FAILED, ALL], 'ci-pipelines alert'),
            RUNS,
            "failed is count of ci-pipelines found by '@ci.status:error'",
            id='events',
        ),
        pytest.param(body_of('avg(last_5m):avg:acme.a{*} > 5', []), SERIES, '', id='no formula'),
    ],
)
def test_a_legend_says_what_the_variables_are(body, series, expected):
    (monitor,) = rehearsed(body, series).monitors
    assert monitor.monitor.legend == expected


@pytest.mark.rule('15.17')
def test_the_search_of_a_variable_that_is_not_used_is_not_asked_for():
    variables = [found('a', 'status:error'), found('b', 'free text')]
    body = body_of('formula("a").last("5m") > 5', variables, 'log alert')
    assert changes(rehearsed(body, LOGS)) == []


@pytest.mark.rule('2.11', '17.8')
def test_a_constant_is_added_once_to_the_sums():
    query = 'sum(last_5m):(sum:acme.ok{*}.as_count() + 5) / (sum:acme.all{*}.as_count() + 5) < 0.9'
    body = body_of(query, [])
    early = {'from': f'{DAY}09:50:00'}
    series = [count('acme.all', '2x40', **early), count('acme.ok', '2x11 1 2x3 1 2x20', **early)]
    assert changes(rehearsed(body, series)) == [
        '10:05:30 * OK to Alert at 0.866667',
        '10:06:30 * Alert to OK at 0.933333',
    ]


# --auto and init

PERCENT = 'formula("a / b * 100").last("5m") > 50'


@pytest.mark.parametrize(
    'body, expected',
    [
        pytest.param(
            body_of(PERCENT, [found('a', '@x:1'), found('b')], 'log alert'),
            ('yes', 'yes', 'not set'),
            id='a ratio',
            marks=rule('17.7', '17.11'),
        ),
        pytest.param(
            body_of(
                PERCENT,
                [found('a', '@x:1', 'service'), found('b', '', 'service')],
                'log alert',
                on_missing_data='show_and_notify_no_data',
            ),
            ('yes', 'yes', 'yes'),
            id='groups and no data',
            marks=rule('17.9', '15.7'),
        ),
        pytest.param(
            body_of('formula("a / 1000").last("5m") > 30', [found('a', aggregation='pc95', measure='@t')], 'log alert'),
            ('yes', 'yes', 'not set'),
            id='a measure',
            marks=rule('17.7'),
        ),
        pytest.param(
            body_of(
                'formula("a - b").last("5m") < -2',
                [found('a', aggregation='cardinality', measure='@u'), found('b')],
                'log alert',
            ),
            ('yes', 'yes', 'not set'),
            id='distinct values',
            marks=rule('17.7'),
        ),
        pytest.param(
            body_of('formula("a / b").last("5m") > 5', [A, B]),
            ('yes', 'yes', 'not set'),
            id='metrics',
            marks=rule('17.6'),
        ),
    ],
)
def test_auto_reaches_the_states(body, expected):
    one = surveyed(body)
    assert (one.alert.answer, one.recovery.answer, one.no_data.answer) == expected, one.unsupported
    assert one.notified


@pytest.mark.parametrize(
    'body, expected',
    [
        pytest.param(
            body_of('formula("a - a").last("5m") > 9', [found('a')], 'log alert'),
            'none of the numbers of events tried makes it alert: rehearse a scenario',
            id='events',
        ),
        pytest.param(
            body_of(COMPARED, [A], thresholds={'critical_query': 'formula("2 * a").rollup("avg").last("1w")'}),
            'no signal is generated for a dynamic threshold, which reads a long history',
            id='a dynamic threshold',
            marks=rule('17.16'),
        ),
    ],
)
def test_auto_says_what_is_not_rehearsed(body, expected):
    assert surveyed(body).unsupported == expected


def surveyed(body):
    monitor = read_monitor(Unplaced(Path('m')), body)
    return _survey(monitor, ASSETS, (), ())


@pytest.mark.parametrize(
    'body, expected',
    [
        pytest.param(body_of('formula("a / b").last("5m") > 5', [A, B]), '', id='metrics'),
        pytest.param(body_of(PERCENT, [found('a'), found('b')], 'log alert'), 'a formula over events', id='events'),
        pytest.param(
            body_of(COMPARED, [A], thresholds={'critical_query': 'formula("2 * a").rollup("avg").last("1w")'}),
            'a dynamic threshold',
            id='a dynamic threshold',
        ),
    ],
)
def test_init_writes_a_scenario_or_says_why_not(body, expected, tmp_path):
    path = tmp_path / 'assets' / 'monitors' / 'm.json'
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(body))
    bundle = read(tmp_path)
    made = start(bundle.monitors[0], bundle, tmp_path / 'rehearsals' / 'm.yaml', 's.json')
    assert made.reason == (expected and f'no signal is generated for {expected}: docs/rehearsals.md has an example')
    assert bool(made.text) is not bool(expected)
