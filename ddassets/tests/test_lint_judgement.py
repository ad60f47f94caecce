"""Rules that distinguish several cases: message, severity and caret of each."""

import json
from difflib import SequenceMatcher, get_close_matches
from unittest import mock

import pytest

from ddassets.assets import read
from ddassets.lint import Emission, Severity, lint
from ddassets.lint.example import (
    DASHBOARD,
    DOWNTIME,
    INTEGRATION,
    MANIFEST,
    METADATA,
    MONITOR,
    message,
    metadata,
    widget,
    write,
)
from ddassets.lint.nearest import nearest

NOTE, WARNING, ERROR = Severity


def judge(folder, files, rule, emission=None):
    found = lint(read(write(folder, files)), emission, strict=True)
    marked = [f for f in found if f.code == rule]
    return [
        (f.severity, f.message, f.excerpt.text[f.excerpt.start : f.excerpt.end] if f.excerpt else '') for f in marked
    ]


def dashboard(*texts, **more):
    return {DASHBOARD: {'widgets': [widget(text, f'{n}') for n, text in enumerate(texts)], **more}}


def monitor(query, options=None, text=None):
    definition = {'query': query, 'options': options or {}}
    return {MONITOR: {'definition': definition | ({'message': text} if text is not None else {})}}


def up(*checks):
    """Return a dashboard with the status of each check; the integration lists acme.can_connect."""
    shown = [
        {'definition': {'type': 'check_status', 'check': name, 'grouping': 'check', 'tags': []}} for name in checks
    ]
    listed = [{'check': 'acme.can_connect', 'statuses': ['ok'], 'groups': [], 'name': 'Up'}]
    return {DASHBOARD: {'widgets': shown}, 'assets/service_checks.json': json.dumps(listed)}


def prefix(text):
    return {MANIFEST: {'assets': {'integration': {'metrics': {'prefix': text}}}}}


QUERY = 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100'


def counted(query, options=None, text='Errors. @team-acme', type='log alert'):
    definition = {'type': type, 'query': query, 'options': options or {}, 'message': text}
    return {MONITOR: {'definition': definition}}


LOGS = 'logs("service:web @code:5*").index("*").rollup("count").by("service,@http.route").last("5m") > 100'
LISTED = metadata('kafka.lag,gauge', 'kafka.offset,gauge')
HISTOGRAM = {
    METADATA: metadata(
        'acme.queue.length,gauge', 'acme.wait.bucket,count', 'acme.wait.sum,count', 'acme.wait.count,count'
    ),
    **dashboard('p95:acme.wait{$host}'),
}
COUNTER = {
    METADATA: metadata('acme.queue.length,gauge', 'acme.waits.count,count'),
    **dashboard('sum:acme.waits{$host}.as_count()'),
}
SCHEDULE = {'custom_schedule': {'recurrences': [{'rrule': 'FREQ=DAILY;INTERVAL=1', 'timezone': 'Europe/Berlin'}]}}
EXPORTED = {'scheduling_options': SCHEDULE, 'notify_no_data': None, 'no_data_timeframe': None}
KAFKA = {
    METADATA: LISTED,
    MONITOR: None,
    MANIFEST: {'assets': {'monitors': None, 'integration': {'metrics': {'prefix': 'kafka.'}}}},
}
NO_HANDLE = [(WARNING, '@pager is not notified of the recovery', '@pager')]


@pytest.mark.parametrize(
    ('files', 'rule', 'findings'),
    [
        # Whose metric it is
        pytest.param(
            dashboard('avg:acme.queue.lenght{$host}'),
            'metric/unknown',
            [(ERROR, 'acme.queue.lenght is not in metadata.csv', 'acme.queue.lenght')],
            id='near',
        ),
        pytest.param(
            dashboard('avg:acme.Queue.length{$host}'),
            'metric/unknown',
            [(ERROR, 'acme.Queue.length is not in metadata.csv', 'acme.Queue.length')],
            id='case',
        ),
        pytest.param(
            dashboard('avg:acme.something.quite.different{$host}'),
            'metric/unknown',
            [(WARNING, 'acme.something.quite.different is not in metadata.csv', 'acme.something.quite.different')],
            id='own-and-not-near',
        ),
        pytest.param(
            dashboard('avg:acmee.queue.length{$host}'),
            'metric/unknown',
            [(ERROR, 'acmee.queue.length is not in metadata.csv', 'acmee.queue.length')],
            id='own-prefix-misspelt',
        ),
        pytest.param(
            dashboard('avg:sistem.cpu.user{$host}'),
            'metric/unknown',
            [
                (
                    NOTE,
                    'sistem.cpu.user is not in metadata.csv, and sistem is not a known prefix',
                    'sistem.cpu.user',
                )
            ],
            id='known-prefix-misspelt',
        ),
        pytest.param(dashboard('avg:mysql.performance.queries{$host}'), 'metric/unknown', [], id='another-integration'),
        # The whole of an OpenMetrics histogram is there if its buckets are sent as distributions; a counter's never is.
        pytest.param(
            HISTOGRAM, 'metric/unknown', [(NOTE, 'acme.wait is not in metadata.csv', 'acme.wait')], id='histogram'
        ),
        pytest.param(
            COUNTER, 'metric/unknown', [(ERROR, 'acme.waits is not in metadata.csv', 'acme.waits')], id='counter'
        ),
        # Several prefixes, and the key that the first form of the manifest had.
        pytest.param(
            {**prefix(['apache.', 'acme.']), **dashboard('avg:apache.scoreboard{$host}')},
            'metric/unknown',
            [(WARNING, 'apache.scoreboard is not in metadata.csv', 'apache.scoreboard')],
            id='prefixes',
        ),
        pytest.param(
            {
                MANIFEST: {'metric_prefix': 'apache.', 'assets': {'integration': None}},
                **dashboard('avg:apache.scoreboard{$host}'),
            },
            'metric/unknown',
            [(WARNING, 'apache.scoreboard is not in metadata.csv', 'apache.scoreboard')],
            id='prefix-of-an-old-manifest',
        ),
        # What a maker's other products submit is not this integration's.
        pytest.param(
            {
                **prefix('acme.queue.'),
                METADATA: metadata('acme.queue.length,gauge'),
                **dashboard('avg:acme.lenght{$host}', 'avg:acme.queue.lenght{$host}'),
            },
            'metric/unknown',
            [
                (NOTE, 'acme.lenght is not in metadata.csv, and acme is not a known prefix', 'acme.lenght'),
                (ERROR, 'acme.queue.lenght is not in metadata.csv', 'acme.queue.lenght'),
            ],
            id='prefix-of-two-parts',
        ),
        pytest.param(
            monitor(QUERY, EXPORTED),
            'monitor/custom-schedule',
            [(ERROR, 'on_missing_data is required with a custom schedule (400 since spring 2026)', '')],
            id='custom-schedule-as-exported',
        ),
        pytest.param(
            {**KAFKA, **dashboard('avg:kafka.logg{$host}')},
            'metric/unknown',
            [(NOTE, 'kafka.logg is not in metadata.csv', 'kafka.logg')],
            id='shared-prefix',
        ),
        pytest.param(
            {
                **prefix('aws.acme'),
                METADATA: metadata('aws.acme.x,gauge'),
                MONITOR: None,
                **dashboard('avg:aws.ec2.cpu{$host}', 'avg:aws.acme.y{$host}'),
            },
            'metric/unknown',
            [(NOTE, 'aws.acme.y is not in metadata.csv', 'aws.acme.y')],
            id='prefix-of-two-parts',
        ),
        pytest.param(
            dashboard('avg:acme.a{$host} + avg:acme.a{*} + avg:acme.b{$host}'),
            'metric/unknown',
            [
                (WARNING, 'acme.a is not in metadata.csv', 'acme.a'),
                (WARNING, 'acme.b is not in metadata.csv', 'acme.b'),
            ],
            id='each-name-once-a-query',
        ),
        pytest.param(
            monitor(
                'formula("a").last("5m") > 100',
                {'variables': [{'data_source': 'metrics', 'name': 'a', 'query': 'avg:acme.wokers{*}'}]},
            ),
            'metric/unknown',
            [(ERROR, 'acme.wokers is not in metadata.csv', 'acme.wokers')],
            id='in-a-formula-monitor',
        ),
        pytest.param(
            monitor(
                'formula("a").last("5m") > 100',
                {
                    'variables': [
                        {
                            'data_source': 'aggregate_filtered_query',
                            'base_query': {'data_source': 'metrics', 'name': 'a', 'query': 'avg:acme.wokers{*}'},
                        }
                    ]
                },
            ),
            'metric/unknown',
            [(ERROR, 'acme.wokers is not in metadata.csv', 'acme.wokers')],
            id='in-a-query-that-a-table-filters',
        ),
        pytest.param(
            dashboard('avg:zebra.queue.length{$host}'),
            'metric/unknown',
            [
                (
                    NOTE,
                    'zebra.queue.length is not in metadata.csv, and zebra is not a known prefix',
                    'zebra.queue.length',
                )
            ],
            id='another-prefix-and-a-near-name',
        ),
        # Template variables
        pytest.param(
            dashboard('avg:acme.workers{$hosts}'),
            'variable/undefined',
            [(ERROR, 'the dashboard has no template variable $hosts; did you mean host?', '$hosts')],
            id='variable-longer-than-a-known-one',
        ),
        pytest.param(
            dashboard('avg:acme.workers{host:$host.value} by {$host.key}'),
            'variable/undefined',
            [],
            id='variable-value',
        ),
        pytest.param(
            dashboard('avg:acme.workers{*}', links='see $host'), 'variable/unused', [], id='variable-in-a-link'
        ),
        pytest.param(
            dashboard('avg:acme.workers{$hosts}', template_variables=[{'name': 'host'}, {'name': 'hosts'}]),
            'variable/unused',
            [(WARNING, 'nothing on the dashboard uses $host', '')],
            id='variable-in-the-name-of-another',
        ),
        # Contradictions
        pytest.param(
            dashboard('avg:acme.workers{host:a AND NOT host:a}'),
            'query/contradiction',
            [(WARNING, 'no series can match: host:a is both required and excluded', 'host:a AND NOT host:a')],
            id='asked-and-refused',
        ),
        pytest.param(
            dashboard('avg:acme.workers{host:a*,host:*b,queue:a,queue:b}'), 'query/contradiction', [], id='may-pass'
        ),
        # Thresholds
        pytest.param(
            monitor(QUERY.replace('>', '<'), {'thresholds': {'warning': 90}}),
            'monitor/warning-side',
            [(ERROR, 'options.thresholds.warning: with < the warning must be above the critical 100, found 90', '')],
            id='warning-below',
        ),
        pytest.param(
            monitor(QUERY.replace('>', '<'), {'thresholds': {'warning': 110}}),
            'monitor/warning-side',
            [],
            id='warning-above',
        ),
        pytest.param(
            monitor(QUERY, {'thresholds': {'warning': 100}}),
            'monitor/warning-side',
            [(ERROR, 'options.thresholds.warning: with > the warning must be below the critical 100, found 100', '')],
            id='warning-equal',
        ),
        pytest.param(
            monitor(QUERY, {'thresholds': {'critical_recovery': 100}}), 'monitor/recovery-side', [], id='recovery-equal'
        ),
        pytest.param(
            monitor(QUERY.replace('>', '<='), {'thresholds': {'critical_recovery': 99}}),
            'monitor/recovery-side',
            [(ERROR, 'options.thresholds.critical_recovery: 99 is in the range that triggers (<= 100)', '')],
            id='recovery-below',
        ),
        pytest.param(
            monitor(QUERY, {'thresholds': {'warning': 80, 'warning_recovery': 81}}),
            'monitor/recovery-side',
            [(ERROR, 'options.thresholds.warning_recovery: 81 is in the range that triggers (> 80)', '')],
            id='warning-recovery',
        ),
        pytest.param(
            monitor(QUERY, {'thresholds': {'critical': 100.00000000001}}),
            'monitor/threshold-mismatch',
            [],
            id='rounding',
        ),
        # Counts and rollups
        pytest.param(
            monitor('max(last_5m):sum:acme.requests{*}.as_count() / sum:acme.requests{*}.as_count() > 100'),
            'monitor/as-count-aggregator',
            [
                (
                    ERROR,
                    'max over the window of a count; only sum may be used with .as_count()',
                    'sum:acme.requests{*}.as_count()',
                )
            ],
            id='as-count-once',
        ),
        pytest.param(
            monitor('change(avg(last_5m),last_5m):sum:acme.requests{*}.as_count() > 100'),
            'monitor/as-count-aggregator',
            [
                (
                    NOTE,
                    'avg over the window of a count; only sum may be used with .as_count()',
                    'sum:acme.requests{*}.as_count()',
                )
            ],
            id='as-count-of-a-change',
        ),
        pytest.param(
            monitor('avg(last_1h):avg:acme.queue.length{*}.rollup(avg, 3600) > 100'),
            'monitor/rollup-window',
            [(WARNING, 'a bucket of 3600 s in a window of 3600 s', '.rollup(avg, 3600)')],
            id='rollup-as-long-as-the-window',
        ),
        pytest.param(
            monitor('avg(last_1h):avg:acme.queue.length{*}.rollup(avg, 3599) > 100'),
            'monitor/rollup-window',
            [],
            id='rollup-shorter',
        ),
        pytest.param(
            monitor("sum(last_1d):sum:acme.requests{*}.rollup(sum, daily, 12am, 'Europe/Berlin') > 100"),
            'monitor/rollup-window',
            [
                (
                    WARNING,
                    'a bucket of 86400 s in a window of 86400 s',
                    ".rollup(sum, daily, 12am, 'Europe/Berlin')",
                )
            ],
            id='rollup-of-a-day',
        ),
        pytest.param(
            monitor('sum(last_2d):sum:acme.requests{*}.rollup(sum, daily) > 100'),
            'monitor/rollup-window',
            [],
            id='rollup-of-a-day-in-two',
        ),
        pytest.param(
            monitor('sum(last_2d):sum:acme.requests{*}.rollup(sum, daily) > 100'),
            'monitor/rollup-delay',
            [(NOTE, 'the newest bucket of 86400 s is incomplete when it is evaluated', '.rollup(sum, daily)')],
            id='rollup-of-a-day-that-goes-on',
        ),
        pytest.param(
            monitor('sum(last_2d):sum:acme.requests{*}.rollup(sum, daily) > 100', {'evaluation_delay': 86400}),
            'monitor/rollup-delay',
            [],
            id='rollup-of-a-day-that-is-over',
        ),
        pytest.param(
            monitor('avg(current_1h):avg:acme.queue.length{*}.rollup(avg, 3600) > 100'),
            'monitor/rollup-window',
            [],
            id='rollup-in-a-cumulative-window',
        ),
        # Monitors of counted events
        *(
            pytest.param(counted(query), rule, findings, id=f'counted-{name}')
            for name, query, rule, findings in (
                ('fine', LOGS, 'query/syntax', []),
                (
                    'without-a-rollup',
                    'logs("x").last("5m") > 1',
                    'query/syntax',
                    [(ERROR, 'expected .rollup("…") before the comparison', ' ')],
                ),
                (
                    'misspelt-function',
                    'logs("x").rolup("count").last("5m") > 1',
                    'query/syntax',
                    [(ERROR, '.rolup() is not known here; did you mean rollup?', 'r')],
                ),
                (
                    'function-of-a-later-version',
                    'logs("x").sampled("y").rollup("count").last("5m") > 1',
                    'query/syntax',
                    [],
                ),
                (
                    'without-a-number',
                    'rum("x").rollup("count").last("5m") >',
                    'query/syntax',
                    [(ERROR, 'expected a comparison with a number, such as > 10', ' ')],
                ),
                ('method', LOGS, 'query/argument', []),
                (
                    'unknown-method',
                    'logs("x").rollup("p95", "@d").last("5m") > 1',
                    'query/argument',
                    [
                        (
                            WARNING,
                            ".rollup(): found 'p95'; did you mean pc95?; allowed: count, cardinality, avg, sum, min, "
                            'max, median, pc75, pc90, pc95, pc98, pc99',
                            'r',
                        )
                    ],
                ),
                (
                    'without-a-measure',
                    'trace-analytics("x").rollup("avg").last("5m") > 1',
                    'query/argument',
                    [(WARNING, '.rollup(): avg takes one measure or facet', 'r')],
                ),
                (
                    'five-keys',
                    'logs("x").rollup("count").by("a,b,c,d,e").last("5m") > 1',
                    'query/argument',
                    [(WARNING, '.by(): 5 keys, allowed are 4 (rule 15.6)', 'b')],
                ),
                (
                    'long-window',
                    'logs("x").rollup("count").last("3d") > 1',
                    'monitor/window',
                    [(WARNING, ".last(): expected 1m to 48h (rule 15.3), found '3d'", 'l')],
                ),
                ('longest-window', 'logs("x").rollup("count").last("48h") > 1', 'monitor/window', []),
                ('current-hour', 'logs("x").rollup("count").current("1h") > 1', 'monitor/window', []),
                ('current-hour-as-last', 'logs("x").rollup("count").last("current_1h") > 1', 'monitor/window', []),
                ('terraform', 'logs("x").rollup("count").last("${var.window}") > 1', 'monitor/window', []),
            )
        ),
        pytest.param(
            counted('logs("-service:web").rollup("count").last("5m") > 1', text='{{servic.name}} @team-acme'),
            'message/unknown-variable',
            [(WARNING, '{{servic.name}} is empty: the query neither groups nor filters by servic', '{')],
            id='counted-an-excluded-value',
        ),
        *(
            pytest.param(
                counted(LOGS, text=f'{text} @team-acme'), 'message/unknown-variable', findings, id=f'counted-{name}'
            )
            for name, text, findings in (
                ('group', '{{service.name}} {{[@http.route].name}} {{value}}', []),
                ('searched', '{{@code.name}}', []),
                ('of-an-event', '{{log.service}} {{log.attributes.host.name}} {{log.tags.env}}', []),
                (
                    'not-a-group',
                    '{{host.name}}',
                    [(WARNING, '{{host.name}} is empty: the query neither groups nor filters by host', '{')],
                ),
                (
                    'group-without-brackets',
                    '{{@http.route.name}}',
                    [
                        (
                            WARNING,
                            '{{@http.route.name}} is empty: a key with dots needs brackets, {{[@http.route].name}}',
                            '{',
                        )
                    ],
                ),
                (
                    'misspelt',
                    '{{valeu}}',
                    [(WARNING, '{{valeu}} is empty: there is no such variable; did you mean value?', '{')],
                ),
            )
        ),
        pytest.param(
            counted(LOGS, {'notify_by': ['service', 'host']}),
            'monitor/notify-by',
            [(ERROR, 'options.notify_by[1]: the query does not group by host', '')],
            id='counted-notify-by',
        ),
        pytest.param(counted(LOGS, {'notify_by': ['*']}), 'monitor/notify-by', [], id='counted-notify-once'),
        pytest.param(
            counted(LOGS, {'escalation_message': 'Still.'}),
            'monitor/renotify-idle',
            [(NOTE, 'escalation_message has no effect: renotify_interval is not set', '')],
            id='counted-renotify-idle',
        ),
        pytest.param(
            counted(LOGS, {'renotify_interval': 60, 'thresholds': {'critical': 100, 'warning': 50}}),
            'monitor/renotify-warn',
            [
                (
                    NOTE,
                    'a warning is never repeated: renotify_statuses is not set, and its default is alert and no data',
                    '',
                )
            ],
            id='counted-renotify-warn',
        ),
        pytest.param(
            counted(LOGS, {'thresholds': {'critical': 100}}, '{{#is_warning}}Some.{{/is_warning}} @team-acme'),
            'message/dead-block',
            [(NOTE, 'is_warning never holds: the monitor has no warning threshold', '{')],
            id='counted-dead-block',
        ),
        pytest.param(
            counted(LOGS, {'thresholds': {'critical': 50}}),
            'monitor/threshold-mismatch',
            [(ERROR, 'the query compares with 100, thresholds.critical is 50', '100')],
            id='counted-threshold-mismatch',
        ),
        pytest.param(
            counted(LOGS.replace('>', '<')),
            'monitor/silent-group',
            [(NOTE, 'a service, @http.route without any event does not alert while another has events', '')],
            id='counted-silent-group',
        ),
        pytest.param(counted(LOGS), 'monitor/silent-group', [], id='counted-above'),
        pytest.param(
            counted('logs("x").rollup("avg", "@d").by("service").last("5m") < 1'),
            'monitor/silent-group',
            [],
            id='counted-measure-below',
        ),
        # Missing data
        pytest.param(
            monitor('sum(last_5m):sum:acme.requests{*}.as_count() > 100', {'notify_no_data': False}),
            'monitor/no-data-silent',
            [],
            id='no-events-are-zero-events',
        ),
        pytest.param(
            monitor('avg(last_5m):default_zero(avg:acme.workers{*}) > 100', {'notify_no_data': False}),
            'monitor/no-data-silent',
            [],
            id='no-data-are-zero',
        ),
        pytest.param(
            monitor(QUERY, {'no_data_timeframe': 1500}),
            'monitor/no-data-timeframe',
            [
                (
                    ERROR,
                    'options.no_data_timeframe: expected at most 1440 minutes, after which groups disappear; '
                    'found 1500',
                    '',
                )
            ],
            id='timeframe-too-long',
        ),
        pytest.param(
            monitor(QUERY, {'no_data_timeframe': None}),
            'monitor/no-data-timeframe',
            [(NOTE, 'notify_no_data without no_data_timeframe: the documentation states two different defaults', '')],
            id='timeframe-missing',
        ),
        pytest.param(
            monitor(QUERY, {'renotify_interval': 30, 'renotify_occurrences': 0}),
            'monitor/renotify-idle',
            [(NOTE, 'renotify_occurrences is 0, so nothing is repeated in spite of renotify_interval', '')],
            id='no-occurrences',
        ),
        pytest.param(
            monitor(QUERY, {'renotify_interval': 30, 'renotify_occurrences': 1}),
            'monitor/renotify-idle',
            [],
            id='an-occurrence',
        ),
        pytest.param(
            monitor('pct_change(avg(last_5m),1h_ago):avg:acme.queue.length{*} by {host}.as_count() > 100'),
            'metric/as-count-of-gauge',
            [],
            id='as-count-of-a-change',
        ),
        pytest.param(
            monitor('sum(last_5m):sum:acme.queue.length{*} by {host}.as_count() > 100'),
            'metric/as-count-of-gauge',
            [(NOTE, '.as_count() has no effect: acme.queue.length is a gauge', '.as_count()')],
            id='as-count-of-points',
        ),
        pytest.param(
            monitor(QUERY, {'notify_no_data': None, 'on_missing_data': 'resolve', 'timeout_h': 2}),
            'monitor/no-data-conflict',
            [(ERROR, 'options.timeout_h: must be 0 with on_missing_data resolve', '')],
            id='resolve-and-timeout',
        ),
        pytest.param(
            monitor(
                'avg(last_5m):default_zero(avg:acme.workers{*}) > 100',
                {'notify_no_data': None, 'on_missing_data': 'resolve'},
            ),
            'monitor/no-data-conflict',
            [
                (
                    ERROR,
                    'options.on_missing_data: expected default, because default_zero() in the query fills all '
                    "gaps; found 'resolve'",
                    '',
                )
            ],
            id='default-zero',
        ),
        pytest.param(
            monitor(QUERY, {'notify_no_data': False, 'on_missing_data': 'default'}),
            'monitor/no-data-conflict',
            [],
            id='both-and-one-off',
        ),
        pytest.param(
            monitor(QUERY, {'notify_no_data': None, 'on_missing_data': 'show_no_data'}),
            'monitor/no-data-silent',
            [(NOTE, "no notification when data stops: on_missing_data is 'show_no_data'", '')],
            id='shown-and-not-told',
        ),
        pytest.param(
            up('acme.can_connect', 'amce.can_connect', 'acme.can_conect', 'amc.up', 'other.can_connect'),
            'service-check/unknown',
            [
                (WARNING, 'amce.can_connect is not in assets/service_checks.json', ''),
                (WARNING, 'acme.can_conect is not in assets/service_checks.json', ''),
            ],
            id='a-service-check-and-its-prefix-misspelt',
        ),
        # Messages
        pytest.param(
            monitor(QUERY.replace(' by {host}', ''), text=message(alert='{{host.name}} {{host.ip}}')),
            'message/unknown-variable',
            [(WARNING, '{{host.name}} is empty: the query neither groups nor filters by host', '{')],
            id='a-simple-alert-has-no-host',
        ),
        pytest.param(
            monitor(QUERY.replace(' by {host}', ''), text=message(alert='{{host.ip}}')),
            'message/host-variable',
            [(WARNING, '{{host.ip}} is empty: the query does not group by host', '{')],
            id='host-ip-of-a-simple-alert',
        ),
        pytest.param(
            monitor(QUERY, text=message(alert='{{valu}}')),
            'message/unknown-variable',
            [(WARNING, '{{valu}} is empty: there is no such variable; did you mean value?', '{')],
            id='a-value-misspelt',
        ),
        pytest.param(
            monitor(QUERY, text=message(alert='{{hots.name}} {{team.name}}')),
            'message/unknown-variable',
            [
                (
                    WARNING,
                    '{{hots.name}} is empty: the query neither groups nor filters by hots; did you mean host?',
                    '{',
                ),
            ],
            id='a-tag-of-the-host-or-a-key-misspelt',
        ),
        pytest.param(
            monitor(QUERY.replace('{host}', '{a.b}'), text=message(alert='{{a.b.name}} {{[a.b].name}}')),
            'message/unknown-variable',
            [(WARNING, '{{a.b.name}} is empty: a key with dots needs brackets, {{[a.b].name}}', '{')],
            id='a-dotted-key',
        ),
        pytest.param(
            monitor(QUERY.replace('{*}', '{queue:in}').replace('host', 'node'), text=message(alert='{{queue.name}}')),
            'message/unknown-variable',
            [],
            id='a-key-of-the-filter',
        ),
        pytest.param(
            monitor(QUERY, text='{{#is_alert}}Long @pager{{/is_alert}} @team'),
            'message/no-recovery-handle',
            NO_HANDLE,
            id='alert-alone',
        ),
        pytest.param(
            monitor(QUERY, text='{{^is_recovery}}Long @pager{{/is_recovery}}'),
            'message/no-recovery-handle',
            NO_HANDLE,
            id='not-recovery',
        ),
        pytest.param(
            monitor(
                QUERY, text='{{#is_alert}}a @pager{{/is_alert}}{{#is_alert_recovery}}b @pager{{/is_alert_recovery}}'
            ),
            'message/no-recovery-handle',
            [],
            id='both',
        ),
        pytest.param(
            monitor(QUERY, text='{{#is_renotify}}Still. @pager{{/is_renotify}}'),
            'message/no-recovery-handle',
            [],
            id='escalation',
        ),
        pytest.param(
            monitor(QUERY, text='{{#is_match "host.name" "a"}}a @pager{{/is_match}}'),
            'message/no-recovery-handle',
            [],
            id='match',
        ),
        pytest.param(
            monitor(QUERY, text='The queue is long. @team'),
            'message/no-recovery-text',
            [(NOTE, 'the recovery sends the text of the alert: there is no {{#is_recovery}}', '')],
            id='one-text-for-all',
        ),
        pytest.param(monitor(QUERY, text='@team'), 'message/no-recovery-text', [], id='nothing-but-a-handle'),
        # Behind `else`, or where the state is denied, the recovery has words of its own.
        pytest.param(
            monitor(QUERY, text='{{#is_alert}}Long.{{else}}Short.{{/is_alert}} @team'),
            'message/no-recovery-text',
            [],
            id='recovery-behind-else',
        ),
        pytest.param(
            monitor(QUERY, text='{{#is_alert}}Long.{{/is_alert}}{{^is_alert}}Short.{{/is_alert}} @team'),
            'message/no-recovery-text',
            [],
            id='recovery-where-alert-is-denied',
        ),
        pytest.param(
            monitor(QUERY, text='{{#is_alert}}Long.{{else}}@team{{/is_alert}} Read on.'),
            'message/no-recovery-text',
            [(NOTE, 'the recovery sends the text of the alert: there is no {{#is_recovery}}', '')],
            id='only-a-handle-behind-else',
        ),
        pytest.param(
            monitor(QUERY, text='{{#is_alert}}Long.{{else}}Short, or silent.{{/is_alert}}'),
            'message/no-data-text',
            [],
            id='no-data-behind-else',
        ),
        pytest.param(
            monitor(QUERY, text='{{#is_alert}}Long.{{/is_alert}} @team'),
            'message/no-recovery-text',
            [(WARNING, 'the notification of a recovery is empty: there is no {{#is_recovery}}', '')],
            id='a-handle-is-no-text',
        ),
        pytest.param(
            monitor(QUERY, {'notify_no_data': False}, text=message()),
            'message/dead-block',
            [(NOTE, 'is_no_data never holds: No Data does not notify', '{')],
            id='no-data-block',
        ),
        pytest.param(
            monitor(QUERY, text=message(more='{{^is_warning}}x{{/is_warning}}')),
            'message/dead-block',
            [],
            id='inverted-block',
        ),
        # Manifest
        pytest.param(
            {MANIFEST: {'assets': {'monitors': {'Outside': '../other.json', 'Everywhere': '/dev/null'}}}},
            'manifest/missing-file',
            [
                (ERROR, '../other.json is outside the integration', ''),
                (ERROR, '/dev/null is outside the integration', ''),
            ],
            id='outside',
        ),
        pytest.param(
            {MANIFEST: {'assets': {'monitors': {'Queue is long': 'assets/monitors/queue_is_lng.json'}}}},
            'manifest/missing-file',
            [(ERROR, 'there is no file assets/monitors/queue_is_lng.json', '')],
            id='path-misspelt',
        ),
        pytest.param(
            {MANIFEST: {'assets': {'monitors': {'Queue is long': f'./{MONITOR}'}}}},
            'manifest/unlisted-file',
            [],
            id='path-with-a-dot',
        ),
        pytest.param(
            {MANIFEST: {'assets': {'saved_views': {'x': 'assets/logs/x.json'}}}},
            'manifest/missing-file',
            [(ERROR, 'there is no file assets/logs/x.json', '')],
            id='saved-view',
        ),
        # Tags
        pytest.param(
            {MONITOR: {'tags': ['integration:Acme', 'integration:other']}},
            'tag/integration-spelling',
            [(WARNING, 'integration:Acme is spelled integration:acme elsewhere', '')],
            id='capital',
        ),
        pytest.param(
            {
                MANIFEST: {'app_id': None},
                MONITOR: {'tags': ['integration:ac-me'], 'definition': {'tags': ['integration:ac_me']}},
            },
            'tag/integration-spelling',
            [(WARNING, 'integration:ac_me is spelled integration:ac-me elsewhere', '')],
            id='without-app-id',
        ),
        # Arguments, filters and windows of queries
        *(
            pytest.param(dashboard(f'{query}'), 'query/argument', findings, id=f'argument-{name}')
            for name, query, findings in (
                (
                    'rollup-method',
                    'avg:acme.workers{$host}.rollup(median, 60)',
                    [(WARNING, ".rollup(): 'median' is not a method, expected avg, sum, min, max, count", 'median')],
                ),
                (
                    'rollup-zero',
                    'avg:acme.workers{$host}.rollup(avg, 0)',
                    [(WARNING, '.rollup(): the interval is 0; expected seconds above 0', '0')],
                ),
                ('rollup-daily', 'avg:acme.workers{$host}.rollup(avg, daily)', []),
                ('rollup-12am', "avg:acme.workers{$host}.rollup(avg, daily, 12am, 'Europe/Berlin')", []),
                ('rollup-zone', "avg:acme.workers{$host}.rollup(avg, weekly, 'UTC')", []),
                ('rollup-monday', 'avg:acme.workers{$host}.rollup(avg, weekly, monday)', []),
                ('rollup-month', "avg:acme.workers{$host}.rollup(avg, monthly, 15th, 'UTC')", []),
                (
                    'rollup-day',
                    'avg:acme.workers{$host}.rollup(avg, weekly, mondy)',
                    [
                        (
                            WARNING,
                            ".rollup(): 'mondy' is not where weekly buckets begin; expected a day such as monday",
                            'mondy',
                        )
                    ],
                ),
                (
                    'rollup-hour',
                    'avg:acme.workers{$host}.rollup(avg, daily, 24h)',
                    [
                        (
                            WARNING,
                            ".rollup(): '24h' is not where daily buckets begin; expected a time such as 12am",
                            '24h',
                        )
                    ],
                ),
                (
                    'rollup-no-zone',
                    "avg:acme.workers{$host}.rollup(avg, daily, 12am, 'Berlin')",
                    [(WARNING, ".rollup(): 'Berlin' is not a time zone", "'Berlin'")],
                ),
                ('rollup-interval', 'avg:acme.workers{$host}.rollup(60)', []),
                (
                    'fill',
                    'avg:acme.workers{$host}.fill(foo)',
                    [(WARNING, ".fill(): 'foo' is not a method, expected linear, last, zero, null", 'foo')],
                ),
                ('fill-last', 'avg:acme.workers{$host}.fill(last, 60)', []),
                ('abs-of-nothing', 'abs()', [(WARNING, 'abs() takes a query as its first argument', 'abs()')]),
                (
                    'clamp-without-limit',
                    'clamp_min(avg:acme.workers{$host})',
                    [(WARNING, 'clamp_min() lacks argument 2: a number', 'clamp_min(avg:acme.workers{$host})')],
                ),
                ('clamp', 'clamp_min(avg:acme.workers{$host}, 0)', []),
                (
                    'algorithm',
                    "anomalies(avg:acme.workers{$host}, 'agil', 2)",
                    [
                        (
                            WARNING,
                            "anomalies(): 'agil' is not allowed, expected basic, agile, robust, adaptive",
                            "'agil'",
                        )
                    ],
                ),
                ('algorithm-well-spelt', "anomalies(avg:acme.workers{$host}, 'agile', 2, direction='above')", []),
                ('outliers', "outliers(avg:acme.workers{$host} by {host}, 'DBSCAN', 3)", []),
            )
        ),
        *(
            pytest.param(monitor(f'avg(last_30m):{query}'), 'query/outliers', findings, id=f'outliers-{name}')
            for name, query, findings in (
                (
                    'compared-with-1',
                    "outliers(avg:acme.queue.length{*} by {host}, 'dbscan', 3) >= 1",
                    [
                        (
                            Severity.NOTE,
                            '>= 1: outliers() is 1 for an outlier and 0 for another group, and only > 0 is documented',
                            '1',
                        )
                    ],
                ),
                ('as-documented', "outliers(avg:acme.queue.length{*} by {host}, 'mad', 3, 20) > 0", []),
            )
        ),
        *(
            pytest.param(monitor(query), 'query/nesting', findings, id=f'nesting-{name}')
            for name, query, findings in (
                (
                    'anomalies',
                    "avg(last_1h):anomalies(1 + integral(avg:acme.queue.length{*}), 'basic', 2) >= 1",
                    [(Severity.ERROR, 'anomalies() cannot contain integral()', 'integral(avg:acme.queue.length{*})')],
                ),
                (
                    'forecast',
                    "max(next_12h):forecast(trend_line(avg:acme.queue.length{*}), 'linear', 2) >= 1",
                    [
                        (
                            Severity.ERROR,
                            'forecast() cannot contain trend_line()',
                            'trend_line(avg:acme.queue.length{*})',
                        )
                    ],
                ),
                ('beside', "avg(last_1h):anomalies(ewma_3(avg:acme.queue.length{*}), 'basic', 2) >= 1", []),
            )
        ),
        *(
            pytest.param(monitor(query), 'query/filter', findings, id=f'filter-{name}')
            for name, query, findings in (
                (
                    'empty',
                    'avg(last_5m):avg:acme.queue.length{} by {host} > 100',
                    [(WARNING, 'the filter {} is empty', '{}')],
                ),
                (
                    'no-value',
                    'avg(last_5m):avg:acme.queue.length{env:} by {host} > 100',
                    [(WARNING, 'the filter env: has no value', 'env:')],
                ),
                (
                    'star-key',
                    'avg(last_5m):avg:acme.queue.length{*:x} by {host} > 100',
                    [(WARNING, '* is not a tag key; a filter is key:value or *', '*:x')],
                ),
                (
                    'no-group-key',
                    'avg(last_5m):avg:acme.queue.length{*} by {} > 100',
                    [(WARNING, 'by {} names no group key', 'by {}')],
                ),
                (
                    'none',
                    'avg(last_5m):avg:acme.queue.length > 100',
                    [
                        (
                            WARNING,
                            'acme.queue.length has no filter; a monitor query needs one, at least {*}',
                            'acme.queue.length',
                        )
                    ],
                ),
                ('all', 'avg(last_5m):avg:acme.queue.length{*} by {host} > 100', []),
            )
        ),
        # State conditionals inside one another
        *(
            pytest.param(monitor(QUERY, {'thresholds': {'warning': 80}}, text), 'message/dead-block', findings, id=name)
            for name, text, findings in (
                (
                    'states-exclude',
                    '{{#is_alert}}a{{#is_warning}}b{{/is_warning}}{{/is_alert}} @x@example.com',
                    [(NOTE, 'is_warning never holds here: is_alert and is_warning exclude each other', '{')],
                ),
                (
                    'states-together',
                    '{{#is_recovery}}{{#is_alert_recovery}}a{{/is_alert_recovery}}{{/is_recovery}}',
                    [],
                ),
                (
                    'state-and-match',
                    '{{#is_alert}}{{#is_match "host.name" "web"}}b{{/is_match}}{{/is_alert}} @x@example.com',
                    [],
                ),
            )
        ),
        *(
            pytest.param(monitor(QUERY, text=text), 'message/single-brace', findings, id=f'brace-{name}')
            for name, text, findings in (
                (
                    'single',
                    'At {host.name}',
                    [(WARNING, '{host.name} has single braces, so it is printed unchanged', '{host.name}')],
                ),
                (
                    'bare',
                    'Is {value}',
                    [(WARNING, '{value} has single braces, so it is printed unchanged', '{value}')],
                ),
                ('double', 'At {{host.name}} and {{{value}}}', []),
                ('json', 'Send {"a": 1} or ${value} or {other}', []),
            )
        ),
        # Units
        *(
            pytest.param(
                {METADATA: metadata(f'acme.queue.length,gauge,,{unit}')},
                'metadata/value',
                [(WARNING, f'unit_name of acme.queue.length: {unit!r} is not a known unit{more}', '')] if found else [],
                id=f'unit-{unit}',
            )
            for unit, more, found in (
                ('bytez', "; did you mean 'byte'?", True),
                ('queries', "; did you mean 'query'?", True),
                ('gauge', '', True),
                ('query', '', False),
                ('xyzzy', '', False),
            )
        ),
        # Widgets
        pytest.param(dashboard('avg:acme.workers{$host}') | {}, 'widget/duplicate-title', [], id='one-title'),
    ],
)
def test_judgement(tmp_path, files, rule, findings):
    assert judge(tmp_path, files, rule) == findings


@pytest.mark.parametrize('key', ['metric', 'timeframe'])
def test_a_conditional_format_covers_those_of_its_own_metric_and_time_frame(tmp_path, key):
    def formats(*values):
        limits = [{'comparator': '<=', 'value': 270 - 90 * index} for index in range(len(values))]
        found = [{**limit, key: value} if value else limit for limit, value in zip(limits, values, strict=True)]
        request = {'q': 'avg:acme.workers{$host}', 'conditional_formats': found}
        return {DASHBOARD: {'widgets': [widget('', type='query_value', requests=[request])]}}

    def judged(*values):
        return [found[1] for found in judge(tmp_path / str(values), formats(*values), 'widget/conditional-format')]

    assert judged('a', 'b') == judged('a', '') == judged('', 'a') == []
    assert judged('a', 'b', 'a') == ['the conditional format <= 90 never applies: <= 270 comes first']
    assert judged('', '') == ['the conditional format <= 180 never applies: <= 270 comes first']


def test_the_place_of_a_tag_after_an_invalid_tag(tmp_path):
    folder = write(tmp_path, {MONITOR: {'definition': {'tags': [7, 'team:a', 'integration:other']}}})
    (found,) = [each for each in lint(read(folder)) if each.code == 'tag/integration-spelling']
    assert found.key == 'tags[2]'


def test_the_suffix_of_a_counter_is_suggested(tmp_path):
    [found] = [f for f in lint(read(write(tmp_path, COUNTER))) if f.code == 'metric/unknown']
    assert found.hint == 'nearest: acme.waits.count'


def recurrences(*pairs, zone='Europe/Berlin'):
    listed = [{'start': start, 'duration': duration, 'rrule': rule} for start, duration, rule in pairs]
    return {'data': {'attributes': {'display_timezone': zone, 'schedule': {'timezone': zone, 'recurrences': listed}}}}


NIGHTS = ('2027-01-04T19:00:00', '14h', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR')
SUNDAY_NIGHTS = ('2027-01-03T19:00:00', '14h', 'FREQ=WEEKLY;BYDAY=SU,MO,TU,WE,TH,FR')
WEEKENDS = ('2027-01-09T00:00:00', '1d', 'FREQ=WEEKLY;BYDAY=SA,SU')
OPEN = [(WARNING, 'Monday 00:00 to Monday 09:00 is not muted, but Sunday and the other nights are', '')]


@pytest.mark.parametrize(
    ('files', 'rule', 'findings'),
    [
        pytest.param({DOWNTIME: recurrences(NIGHTS, WEEKENDS)}, 'downtime/monday', OPEN, id='in-one-file'),
        pytest.param({DOWNTIME: recurrences(SUNDAY_NIGHTS, WEEKENDS)}, 'downtime/monday', [], id='sunday-night-too'),
        pytest.param(
            {DOWNTIME: recurrences((*NIGHTS[:2], f'{NIGHTS[2]};BYMONTH=1'), WEEKENDS)},
            'downtime/monday',
            [],
            id='in-january-alone',
        ),
        pytest.param({DOWNTIME: recurrences(NIGHTS)}, 'downtime/monday', [], id='nights-alone'),
        pytest.param({DOWNTIME: recurrences(WEEKENDS)}, 'downtime/monday', [], id='weekends-alone'),
        pytest.param(
            {DOWNTIME: recurrences(NIGHTS, (WEEKENDS[0], '1d', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU'))},
            'downtime/monday',
            [],
            id='every-other-weekend',
        ),
        pytest.param(
            {DOWNTIME: recurrences(SUNDAY_NIGHTS, WEEKENDS)}, 'downtime/clock-change', [], id='covered-at-the-change'
        ),
    ],
)
def test_downtimes(tmp_path, files, rule, findings):
    assert judge(tmp_path, files, rule) == findings


def mutes(schedule, tags=('*',), scope='*', zone='Europe/Berlin'):
    identifier = {'monitor_tags': list(tags)}
    more = {'monitor_identifier': identifier, 'scope': scope, 'display_timezone': zone, 'schedule': schedule}
    return {DOWNTIME: {'data': {'attributes': {**INTEGRATION[DOWNTIME]['data']['attributes'], **more}}}}


def one_time(start='2027-01-04T10:00:00+00:00', end=None):
    # The null removes a key of the example.
    return {'start': start, 'end': end, 'timezone': None, 'recurrences': None}


def recurring(*pairs):
    return recurrences(*pairs)['data']['attributes']['schedule']


DAILY = ('2027-01-04T00:00:00', '24h', 'FREQ=DAILY;INTERVAL=1')


@pytest.mark.parametrize(
    ('files', 'found'),
    [
        pytest.param(mutes(one_time()), True, id='no-end'),
        pytest.param(mutes(one_time(start=None)), True, id='neither-start-nor-end'),
        pytest.param(mutes(recurring(DAILY)), True, id='whole-days'),
        pytest.param(mutes(recurring((None, *DAILY[1:]))), True, id='whole-days-from-now-on'),
        pytest.param(mutes(recurring((*DAILY[:2], 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU'))), True, id='weekdays'),
        pytest.param(mutes(recurring((DAILY[0], '7d', 'FREQ=WEEKLY;BYDAY=MO'))), True, id='whole-weeks'),
        pytest.param(
            mutes(recurring((DAILY[0], '5d', 'FREQ=WEEKLY;BYDAY=MO'), (WEEKENDS[0], '2d', 'FREQ=WEEKLY;BYDAY=SA'))),
            True,
            id='two-that-cover-the-week',
        ),
        pytest.param(mutes(one_time(end='2027-01-05T10:00:00+00:00')), False, id='an-end'),
        pytest.param(mutes(one_time(), scope='env:lab'), False, id='a-scope'),
        pytest.param(mutes(one_time(), tags=['integration:acme']), False, id='tags'),
        pytest.param(mutes(recurring((DAILY[0], '23h', DAILY[2]))), False, id='a-gap-in-each-day'),
        pytest.param(mutes(recurring((*DAILY[:2], f'{DAILY[2]};COUNT=3'))), False, id='three-days'),
        pytest.param(mutes(recurring((*DAILY[:2], f'{DAILY[2]};UNTIL=20270110T000000'))), False, id='until'),
        pytest.param(mutes(recurring((*DAILY[:2], 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA'))), False, id='no-sunday'),
    ],
)
def test_a_downtime_that_mutes_everything(tmp_path, files, found):
    message = 'the downtime mutes every monitor of the organisation at every time, without end'
    assert judge(tmp_path, files, 'downtime/mutes-everything') == ([(WARNING, message, '')] if found else [])


def test_downtimes_for_the_same_monitors_are_taken_together(tmp_path):
    other = INTEGRATION[DOWNTIME]['data']['attributes'] | recurrences(WEEKENDS)['data']['attributes']
    both = {
        DOWNTIME: recurrences(NIGHTS),
        'assets/downtimes/z.json': {'data': {'type': 'downtime', 'attributes': other}},
    }
    assert judge(tmp_path / '1', both, 'downtime/monday') == OPEN
    both['assets/downtimes/z.json']['data']['attributes']['scope'] = 'host:a'
    assert judge(tmp_path / '2', both, 'downtime/monday') == []


def test_the_first_change_of_the_clocks_is_named(tmp_path):
    [(severity, text, _)] = judge(tmp_path, {DOWNTIME: recurrences(WEEKENDS)}, 'downtime/clock-change')
    # Rule 5.12: Sunday 2027-03-28 has 23 hours.
    assert (severity, text) == (
        NOTE,
        '2027-03-29 from 00:00 to 01:00: muted or not, depending on how the duration counts',
    )


EMISSION = Emission.of_samples(
    [
        ('acme.queue.length', 'gauge', ['queue:in', 'plain']),
        ('acme.requests', 'monotonic_count', []),
        ('acme.request.duration', 'distribution', []),
        ('acme.workers', 'gauge', []),
    ]
)


@pytest.mark.parametrize(
    ('text', 'rule', 'findings'),
    [
        pytest.param(
            'avg:acme.queue.length{$host,queue:in,env:a} by {kube_node}', 'tag/unknown', [], id='keys-of-hosts'
        ),
        pytest.param(
            'avg:acme.queue.length{$host,colour:red}',
            'tag/unknown',
            [(NOTE, 'no series of acme.queue.length has the tag key colour', 'colour:red')],
            id='like-none',
        ),
        pytest.param(
            'avg:acme.queue.length{$host AND que IN (a)}',
            'tag/unknown',
            [(WARNING, 'no series of acme.queue.length has the tag key que', 'que IN (a)')],
            id='like-one',
        ),
        pytest.param('avg:acme.queue.length{$host,queue:in*}', 'tag/unknown-value', [], id='wildcard'),
        pytest.param(
            'avg:acme.queue.length{$host,queue:out}',
            'tag/unknown-value',
            [(NOTE, 'no submitted series of acme.queue.length has queue:out', 'queue:out')],
            id='value',
        ),
        pytest.param(
            'avg:acme.other{$host}',
            'metric/unknown',
            [(WARNING, 'acme.other is not in metadata.csv', 'acme.other')],
            id='neither',
        ),
    ],
)
def test_emission(tmp_path, text, rule, findings):
    assert judge(tmp_path, dashboard(text), rule, EMISSION) == findings


def test_a_variable_stands_for_its_tag_key(tmp_path):
    variables = [{'name': 'q', 'prefix': 'queu', 'defaults': ['*']}]
    found = judge(
        tmp_path, dashboard('avg:acme.queue.length{$q}', template_variables=variables), 'tag/unknown', EMISSION
    )
    assert found == [(WARNING, 'no series of acme.queue.length has the tag key queu', '$q')]


def test_emitted_metrics_are_known(tmp_path):
    files = {METADATA: metadata('acme.queue.length,gauge'), **dashboard('avg:acme.workers{$host}')}
    assert [f[1] for f in judge(tmp_path, files, 'metric/unknown')] == ['acme.workers is not in metadata.csv']
    assert judge(tmp_path, files, 'metric/unknown', EMISSION) == []


@pytest.mark.parametrize(
    ('kind', 'emitted'),
    [
        pytest.param('gauge', {'a': 'gauge'}, id='gauge'),
        pytest.param('rate', {'a': 'gauge'}, id='rate'),
        pytest.param('monotonic_count', {'a': 'count'}, id='monotonic-count'),
        pytest.param(
            'histogram',
            {'a.avg': 'gauge', 'a.median': 'gauge', 'a.max': 'gauge', 'a.95percentile': 'gauge', 'a.count': 'rate'},
            id='histogram',
        ),
    ],
)
def test_emission_of_samples(kind, emitted):
    found = Emission.of_samples([('a', kind, ['x:1', 'y']), ('a', kind, ['x:2'])])
    assert {name: metric.type for name, metric in found.metrics.items()} == emitted
    assert all(metric.tags == {'x:1', 'x:2', 'y'} and metric.keys == {'x', 'y'} for metric in found.metrics.values())


def test_emission_of_an_unknown_kind():
    with pytest.raises(ValueError, match="a: expected one of gauge, .* found 'gage'"):
        Emission.of_samples([('a', 'gage', [])])


def test_nearest_agrees_with_a_full_comparison():
    """The candidates that are skipped for speed would not have been chosen."""
    words = 'queue worker cache disk page lock'.split()
    parts = 'count length age errors size hits misses'.split()
    known = [f'acme.{word}.{part}' for word in words for part in parts]
    for name in known:
        for damaged in (name[:-2] + name[-1], name[:6] + name[5] + name[7:], name + 's', name.replace('e', 'ee', 1)):
            assert nearest(damaged, known, 1) == get_close_matches(damaged, known, 1, 0.75), damaged


def test_many_misspelt_names_are_searched_in_time(tmp_path):
    """200 misspelt names among 2,000: only the candidates that share most words are compared letter by letter."""
    known = [f'acme.part{number}.value' for number in range(2000)]
    files = {
        METADATA: metadata(*(f'{name},gauge' for name in known)),
        **dashboard(*(f'avg:acme.part{number}.vlaue{{$host}}' for number in range(200))),
    }
    folder = write(tmp_path, files)
    bundle = read(folder)
    with mock.patch.object(
        SequenceMatcher, 'set_seq1', autospec=True, side_effect=SequenceMatcher.set_seq1
    ) as compared:
        found = lint(bundle)
    assert sum(finding.code == 'metric/unknown' for finding in found) >= 200
    # 40 candidates for each name, at each of the few rules that look for one.
    assert 200 * 10 < compared.call_count <= 200 * 40 * 3
