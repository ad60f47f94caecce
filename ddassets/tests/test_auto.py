"""`--auto` reaches every state that a monitor's options allow, by a signal made from its query, or says why not."""

import json
from dataclasses import replace

import pytest
from counting import steps
from made import MESSAGE, asset_of

from ddassets.cli import auto_output, main
from ddassets.engine import downtime as downtimes
from ddassets.engine import monitor as monitors
from ddassets.rehearsal.auto import survey
from ddassets.rehearsal.auto.answers import Survey
from ddassets.rehearsal.auto.estate import Estate, judge
from ddassets.report.surveyed import page as page_of_surveys

ANOMALIES = (
    "avg(last_4h):anomalies(avg:acme.q{*}, 'agile', 2, direction='both', alert_window='last_15m', interval=60) >= 0.8"
)
WARN = {'thresholds': {'warning': True}}
NO_DATA = {'notify_no_data': True, 'no_data_timeframe': 20}


def surveyed(asset, planned=(), **more):
    return survey(asset, monitors.of(asset), planned, **more)


def answers(found):
    """Alert, Warn, recovery and No Data as one word: Y yes, N no, - not set."""
    letters = {'yes': 'Y', 'no': 'N', 'not set': '-'}
    return ''.join(letters[one.answer] for one in (found.alert, found.warn, found.recovery, found.no_data))


@pytest.mark.parametrize(
    ('query', 'options', 'expected'),
    [
        # Comparators, thresholds and windows
        pytest.param('avg(last_5m):avg:acme.q{*} > 100', {}, 'Y-Y-', id='above'),
        pytest.param('avg(last_5m):avg:acme.q{*} >= 100', WARN, 'YYY-', id='at-least'),
        pytest.param('avg(last_5m):avg:acme.q{*} < 5', WARN | NO_DATA, 'YYYY', id='below'),
        pytest.param('avg(last_5m):avg:acme.q{*} <= -5', WARN, 'YYY-', id='below-zero'),
        pytest.param('avg(last_5m):avg:acme.up{*} == 0', {}, 'Y-Y-', id='equal'),
        pytest.param('avg(last_5m):avg:acme.up{*} != 1', {}, 'Y-Y-', id='unequal'),
        pytest.param('avg(last_5m):avg:acme.q{*} > 0', {}, 'Y-Y-', id='above-zero'),
        pytest.param('avg(last_5m):avg:acme.q{*} > 0.001', WARN, 'YYY-', id='small'),
        pytest.param('avg(last_5m):avg:acme.q{*} > 7500000000', WARN, 'YYY-', id='large'),
        pytest.param(
            'avg(last_10m):avg:acme.q{*} > 100',
            {'thresholds': {'warning': 80, 'critical_recovery': 70, 'warning_recovery': 60}},
            'YYY-',
            id='both-recovery-thresholds',
        ),
        pytest.param('avg(last_1m):avg:acme.q{*} > 100', NO_DATA, 'Y-YY', id='a-minute'),
        pytest.param('max(last_1h):max:acme.q{*} > 100', WARN, 'YYY-', id='max'),
        pytest.param('min(last_4h):min:acme.q{*} > 100', WARN, 'YYY-', id='min'),
        pytest.param('avg(last_1d):avg:acme.q{*} > 100', WARN | NO_DATA, 'YYYY', id='a-day'),
        pytest.param('avg(last_2d):avg:acme.q{*} > 100', {}, 'Y-Y-', id='two-days'),
        pytest.param('avg(last_1w):avg:acme.q{*} > 100', {}, 'Y-Y-', id='a-week'),
        pytest.param('avg(last_1mo):avg:acme.q{*} > 100', {}, 'Y-Y-', id='a-month'),
        pytest.param('avg(last_5m):avg:acme.q{*} > 100', {'evaluation_delay': 900, **NO_DATA}, 'Y-YY', id='delay'),
        pytest.param(
            'max(last_5m):100 - avg:acme.free{*} / avg:acme.total{*} * 100 >= 95',
            {'evaluation_delay': 900, 'thresholds': {'warning': 90}},
            'YYY-',
            id='delay-longer-than-the-window',
        ),
        pytest.param('avg(last_1h):avg:acme.q{*} > 100', {'require_full_window': True}, 'Y-Y-', id='full-window'),
        pytest.param('avg(last_5m):avg:acme.q{*} by {host} > 100', {'new_group_delay': 600}, 'Y-Y-', id='group-delay'),
        # Scopes and groups
        pytest.param('avg(last_5m):avg:acme.q{env:prod} by {host} > 100', {}, 'Y-Y-', id='tag-and-group'),
        pytest.param('avg(last_5m):avg:acme.q{env:prod,!role:db} by {host,env} > 100', {}, 'Y-Y-', id='negated-symbol'),
        pytest.param(
            'avg(last_5m):avg:acme.q{env:prod AND NOT role:db} by {role} > 100', {}, 'Y-Y-', id='negated-word'
        ),
        pytest.param('avg(last_5m):avg:acme.q{env IN (prod, stage)} by {env} > 100', {}, 'Y-Y-', id='in'),
        pytest.param('avg(last_5m):avg:acme.q{env NOT IN (prod, stage)} by {env} > 100', {}, 'Y-Y-', id='not-in'),
        pytest.param('avg(last_5m):avg:acme.q{env:prod OR role:web} by {host} > 100', {}, 'Y-Y-', id='or'),
        pytest.param('avg(last_5m):avg:acme.q{host:web-*} by {host} > 100', {}, 'Y-Y-', id='wildcard'),
        pytest.param('avg(last_5m):avg:acme.q{!host:host-1} by {host} > 100', {}, 'Y-Y-', id='not-the-usual-value'),
        pytest.param('avg(last_5m):avg:acme.q{prod} > 100', {}, 'Y-Y-', id='bare-tag'),
        pytest.param('avg(last_5m):acme.q{*} > 100', {}, 'Y-Y-', id='no-space-aggregator'),
        # Counts, rates and rollups
        pytest.param('sum(last_5m):sum:acme.jobs{*}.as_count() > 50', WARN, 'YYY-', id='count'),
        pytest.param('avg(last_5m):sum:acme.jobs{*}.as_rate() > 5', WARN, 'YYY-', id='rate'),
        pytest.param('sum(last_5m):count:acme.latency{*} > 50', WARN, 'YYY-', id='count-of-a-distribution'),
        pytest.param('percentile(last_5m):p95:acme.latency{*} > 2', WARN | NO_DATA, 'YYYY', id='percentile'),
        pytest.param('avg(last_5m):p95:acme.latency{*} by {host} < 2', WARN, 'YYY-', id='percentile-of-buckets'),
        pytest.param('avg(last_5m):p95:acme.latency{*} / count:acme.latency{*} > 2', {}, 'N-N-', id='share-of-a-count'),
        pytest.param('sum(last_2d):sum:acme.jobs{*}.rollup(sum, daily) > 50', {}, 'Y-Y-', id='rollup-of-a-day'),
        pytest.param('avg(last_1h):avg:acme.q{*}.rollup(max, 300) > 100', {}, 'Y-Y-', id='rollup'),
        pytest.param('sum(last_4h):sum:acme.q{*}.rollup(sum, 3600) > 100', {}, 'Y-Y-', id='rollup-sum'),
        pytest.param('avg(last_5m):avg:acme.q{*}.fill(zero) > 100', NO_DATA, 'Y-YY', id='fill'),
        # Arithmetic and functions
        pytest.param('avg(last_5m):avg:acme.used{*} / avg:acme.total{*} * 100 > 90', WARN, 'YYY-', id='share'),
        pytest.param('avg(last_5m):100 - avg:acme.idle{*} > 90', WARN, 'YYY-', id='complement'),
        pytest.param(
            'avg(last_5m):100 * avg:acme.u{*} / (avg:acme.u{*} + avg:acme.r{*}) > 95', {}, 'Y-Y-', id='share-of-sum'
        ),
        pytest.param('avg(last_5m):avg:acme.a{*} - avg:acme.b{*} < -10', {}, 'Y-Y-', id='difference'),
        pytest.param(
            'sum(last_1h):sum:acme.e{*}.as_count() / sum:acme.t{*}.as_count() > 0.5', WARN, 'YYY-', id='ratio'
        ),
        pytest.param('avg(last_5m):sum:acme.e{code:5xx} / sum:acme.e{*} > 0.1', {}, 'Y-Y-', id='part-of-the-same'),
        pytest.param('avg(last_5m):abs(avg:acme.skew{*}) > 3', WARN, 'YYY-', id='abs'),
        pytest.param('avg(last_5m):clamp_min(avg:acme.q{*}, 5) > 7', {}, 'Y-Y-', id='clamp'),
        pytest.param('avg(last_5m):default_zero(avg:acme.q{*}) > 7', {}, 'Y-Y-', id='default-zero'),
        pytest.param('max(last_5m):diff(avg:acme.q{*}) > 5', {}, 'Y-Y-', id='diff'),
        pytest.param('avg(last_10m):derivative(avg:acme.q{*}) > 5', {}, 'Y-Y-', id='derivative'),
        pytest.param('avg(last_5m):per_second(avg:acme.q{*}) > 5', {}, 'Y-Y-', id='per-second'),
        pytest.param('avg(last_5m):default(avg:acme.q{*}, 0) > 7', NO_DATA, 'Y-YN', id='default'),
        # Comparisons with the past
        pytest.param('pct_change(avg(last_5m),last_1h):avg:acme.q{*} > 50', WARN, 'YYY-', id='pct-change'),
        pytest.param('change(avg(last_5m),last_30m):avg:acme.q{*} by {host} < -10', {}, 'Y-Y-', id='fall'),
        pytest.param(
            'pct_change(sum(last_5m),last_5m):sum:acme.jobs{*}.as_count() > 60', {}, 'Y-Y-', id='change-of-counts'
        ),
        pytest.param('avg(last_5m):avg:acme.q{*} - week_before(avg:acme.q{*}) > 10', {}, 'Y-Y-', id='week-before'),
        pytest.param('avg(last_5m):avg:acme.q{*} / timeshift(avg:acme.q{*}, -3600) > 2', {}, 'Y-Y-', id='timeshift'),
        # Stubs
        pytest.param(
            ANOMALIES,
            {'threshold_windows': {'trigger_window': 'last_15m', 'recovery_window': 'last_15m'}},
            'Y-Y-',
            id='anomalies',
        ),
        pytest.param(
            ANOMALIES.replace('>= 0.8', '>= 1'),
            {
                'threshold_windows': {'trigger_window': 'last_15m', 'recovery_window': 'last_15m'},
                'thresholds': {'warning': 0.9, 'critical_recovery': 0},
            },
            'YYY-',
            id='no-anomaly-is-a-recovery',
            marks=pytest.mark.rule('6.3'),
        ),
        # Missing data
        pytest.param('avg(last_5m):avg:acme.q{*} > 9', {'on_missing_data': 'show_no_data'}, 'Y-YY', id='shown'),
        pytest.param('avg(last_5m):avg:acme.q{*} > 9', {'on_missing_data': 'resolve'}, 'Y-Y-', id='resolved'),
        pytest.param('avg(last_5m):avg:acme.q{*} > 9', {'notify_no_data': True}, 'Y-YY', id='no-timeframe'),
        pytest.param('avg(last_5m):avg:acme.q{*} > 9', {**NO_DATA, 'timeout_h': 1}, 'Y-YY', id='timeout'),
        # What can never be
        pytest.param(
            'avg(last_5m):100 * avg:acme.u{*} / (avg:acme.u{*} + avg:acme.r{*}) > 120', {}, 'N-N-', id='share-above-1'
        ),
        pytest.param('avg(last_5m):abs(avg:acme.q{*}) < 0', {}, 'N-N-', id='abs-below-zero'),
        pytest.param('avg(last_5m):clamp_max(avg:acme.q{*}, 50) > 60', WARN, 'NYY-', id='clamped'),
    ],
)
def test_every_state_is_reached_or_unreachable(query, options, expected):
    found = surveyed(asset_of(query, **options))
    assert not found.unsupported
    assert answers(found) == expected, found
    if expected[0] == 'N':
        assert 'never holds' in found.alert.reason


@pytest.mark.parametrize(
    ('query', 'options', 'expected', 'state', 'reason'),
    [
        pytest.param(
            'sum(last_5m):sum:acme.hit{*}.as_count() / (sum:acme.hit{*}.as_count() + sum:acme.miss{*}.as_count()) < 60',
            {'thresholds': {'warning': 80}},
            'YNN-',
            'warn',
            '< 80 without < 60 never holds: the query gave 0 to 1 for every signal tried',
            id='a-share-against-per-cent',
        ),
        pytest.param(
            'avg(last_2h):sum:acme.jobs{*}.rollup(sum, 3600) > 10',
            {'require_full_window': True},
            'N-N-',
            'alert',
            'require_full_window skips every evaluation: a window of the query has too few points',
            id='no-window-is-full',
            marks=pytest.mark.rule('2.8'),
        ),
    ],
)
def test_the_reason_is_that_of_the_state(query, options, expected, state, reason):
    found = surveyed(asset_of(query, **options))
    assert answers(found) == expected
    assert getattr(found, state).reason == reason


def test_the_declared_type_and_interval_are_used():
    asset = asset_of('sum(last_5m):sum:acme.jobs{*}.as_count() > 50')
    found = surveyed(asset, kinds={'acme.jobs': 'rate'}, intervals={'acme.jobs': 15})
    assert answers(found) == 'Y-Y-'


def test_the_delay_of_a_page_is_that_of_the_average():
    """The mean over 5 minutes passes 100 with the fifth bad point at most."""
    found = surveyed(asset_of('avg(last_5m):avg:acme.q{*} > 100'))
    assert 60 <= found.page_after <= 300
    slower = surveyed(asset_of('min(last_30m):avg:acme.q{*} > 100'))
    assert found.page_after < slower.page_after <= 1800 + 60


@pytest.mark.parametrize(
    ('message', 'options', 'codes'),
    [
        pytest.param(MESSAGE, WARN | NO_DATA, [], id='everything-is-told'),
        pytest.param('High.', {}, ['notifies-nobody'], id='no-handle'),
        pytest.param(
            '{{#is_warning}}@late{{/is_warning}} @team-acme',
            {},
            ['handle-never-notified', 'branch-never-rendered'],
            id='a-handle-for-a-state-that-is-not-there',
        ),
        pytest.param(
            '{{#is_no_data}}Silent.{{/is_no_data}} @team-acme',
            {'on_missing_data': 'show_no_data'},
            ['branch-never-rendered'],
            id='no-data-is-shown-only',
        ),
        pytest.param(
            '{{#is_alert}}{{#is_warning}}@both{{/is_warning}}{{/is_alert}} @team-acme',
            WARN,
            ['handle-never-notified', 'branch-never-rendered'],
            id='states-that-exclude-each-other',
        ),
        pytest.param('{{#is_match "host.name" "web"}}@web{{/is_match}} @team-acme', {}, [], id='decided-by-a-tag'),
    ],
)
def test_text_that_no_message_contains(message, options, codes):
    asset = asset_of('avg(last_5m):avg:acme.q{*} by {host} > 100', message, **options)
    assert [one.code.removeprefix('auto/') for one in judge(surveyed(asset))] == codes


def test_a_handle_that_no_notification_reaches_is_named():
    found = surveyed(asset_of('avg(last_5m):avg:acme.q{*} > 100', '{{#is_warning}}@late{{/is_warning}} @team-acme'))
    first, _ = judge(found)
    assert first.message == 'no notification reaches @late'
    assert found.never == {'@late': 'no notification reaches this handle'}


@pytest.mark.parametrize(
    ('scope', 'idle'),
    [
        pytest.param('*', False, id='all'),
        pytest.param('host:web-1', False, id='a-group-key'),
        pytest.param('host:(web-1 OR web-2)', False, id='a-choice'),
        pytest.param('env:prod', False, id='fixed-in-the-filter'),
        pytest.param('env:stage', True, id='excluded-by-the-filter'),
        pytest.param('region:eu', True, id='a-key-that-no-group-has'),
        pytest.param('host:web-1 AND region:eu', True, id='a-key-beside'),
    ],
)
def test_a_downtime_that_covers_no_group(scope, idle):
    body = {'monitor_identifier': {'monitor_tags': ['team:acme']}, 'scope': scope}
    planned = downtimes.parse({'data': {'type': 'downtime', 'attributes': body}}, 'night')
    found = surveyed(asset_of('avg(last_5m):avg:acme.q{env:prod} by {host} > 100'), [planned])
    assert found.idle_downtimes == (('night',) if idle else ())


def test_a_scope_that_no_series_can_match():
    found = surveyed(asset_of('avg(last_5m):avg:acme.q{env:prod AND NOT env:prod} > 1'))
    assert 'no series can match the filter' in found.unsupported


def exported(folder, *queries):
    bodies = [{**asset_of(query).body, 'id': number} for number, query in enumerate(queries, 1)]
    path = folder / 'exported.json'
    path.write_text(json.dumps(bodies))
    return path


def test_the_command_needs_only_an_export(tmp_path, capsys):
    path = exported(tmp_path, 'avg(last_5m):avg:acme.q{*} > 100', 'avg(last_5m):abs(avg:acme.q{*}) < 0')
    assert main(['rehearse', '--auto', str(path)]) == 1
    out = capsys.readouterr().out
    assert 'auto/never-alerts' in out and '< 0 never holds' in out
    assert out.endswith('2 monitors: 1 can reach every state that the options allow, 1 can never alert\n')
    assert main(['rehearse', '--auto', '--format', 'json', str(path)]) == 1
    first, second = json.loads(capsys.readouterr().out)['monitors']
    assert (first['alert']['answer'], second['alert']['answer']) == ('yes', 'no')
    assert first['notified']['Alert'] == ['@pager', '@team-acme']


HELM = 'kind: DatadogMonitor\nmetadata: {name: {{ .Release.Name }}}\n'


def test_a_refused_file_is_an_error(tmp_path, capsys):
    exported(tmp_path, 'avg(last_5m):avg:acme.q{*} > 100')
    (tmp_path / 'helm.yaml').write_text(HELM)
    for path, number in ((tmp_path, 1), (tmp_path / 'helm.yaml', 0)):
        assert main(['rehearse', '--auto', '--format', 'json', str(path)]) == 1
        found = json.loads(capsys.readouterr().out)
        assert len(found['monitors']) == number
        [fault] = [each for each in found['diagnostics'] if each['severity'] != 'note']
        assert (fault['rule'], fault['severity']) == ('source/refused', 'error')
        assert 'a Helm template' in fault['message']


def test_a_file_without_a_monitor_is_unusable(tmp_path, capsys):
    (tmp_path / 'x.yaml').write_text('a: 1\n')
    assert main(['rehearse', '--auto', str(tmp_path / 'x.yaml')]) == 2
    assert 'x.yaml: expected a monitor or a downtime in a supported form' in capsys.readouterr().err


@pytest.mark.parametrize(
    'made',
    [
        pytest.param(lambda estate: [*auto_output.report(estate).cases], id='report'),
        pytest.param(lambda estate: page_of_surveys(estate, 'x'), id='page'),
    ],
)
def test_the_work_for_a_monitor_does_not_grow_with_their_number(made):
    asset = asset_of('avg(last_5m):avg:acme.q{*} > 100')

    def work(number):
        found = [
            Survey(replace(asset, body={**asset.body, 'name': str(index)}), unsupported='x') for index in range(number)
        ]
        estate = Estate(found, [fault for each in found for fault in judge(each)])
        return steps(lambda: made(estate))

    assert work(400) < 5 * work(100)


def test_one_good_monitor_has_no_findings(tmp_path, capsys):
    assert main(['rehearse', '--auto', str(exported(tmp_path, 'avg(last_5m):avg:acme.q{*} > 100'))]) == 0


@pytest.mark.parametrize('option', [['--write'], ['--explain', '2027-01-04T10:00:00'], ['--min-coverage', '50']])
def test_options_that_need_a_scenario(tmp_path, capsys, option):
    path = exported(tmp_path, 'avg(last_5m):avg:acme.q{*} > 100')
    assert main(['rehearse', '--auto', *option, str(path)]) == 2
    assert '--auto has no scenario' in capsys.readouterr().err


QUEUE = {
    'name': 'Queue is full',
    'type': 'query alert',
    'query': 'avg(last_5m):avg:acme.queue{*} by {host} > 100',
    'message': '@slack-acme {{#is_alert}}@pagerduty-acme{{/is_alert}}'
    '{{#is_no_data_recovery}}@back{{/is_no_data_recovery}}',
    'tags': ['team:acme'],
    'options': {
        'thresholds': {'critical': 100, 'warning': 80},
        'notify_no_data': True,
        'no_data_timeframe': 10,
        'renotify_interval': 30,
        'renotify_occurrences': 2,
        'escalation_message': '{{#is_alert}}Still. @boss{{/is_alert}} {{#is_warning}}@late{{/is_warning}}',
    },
}
BLOCK = """\
Queue is full
  Alert     4m after the first bad point   @slack-acme @pagerduty-acme
  Warn                                     @slack-acme
  No Data   10m after the last point       @slack-acme
  Recovery  2m after the first good point  from Warn: @slack-acme; from No Data:
            @slack-acme @back
  Renotify  every 30m in Alert and No Data, 2 times at most  @slack-acme
            @pagerduty-acme @boss

1 monitor: 1 can reach every state that the options allow
"""
QUIET = """\
Queue is full
  Alert     2m after the first bad point   nobody
  Recovery  2m after the first good point  nobody
  not set   Warn, No Data, renotification
"""


def printed(capsys, *arguments):
    code = main(['rehearse', '--auto', *map(str, arguments)])
    return code, capsys.readouterr()


def test_a_few_monitors_have_a_block_each(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    (path := tmp_path / 'exported.json').write_text(json.dumps(QUEUE))
    code, (out, _) = printed(capsys, path)
    assert (code, out) == (0, BLOCK)
    monkeypatch.setenv('COLUMNS', '140')
    _, (wide, _) = printed(capsys, path)
    assert wide.splitlines()[4].endswith('from Warn: @slack-acme; from No Data: @slack-acme @back')
    _, (text, _) = printed(capsys, path, '--json')
    (found,) = json.loads(text)['monitors']
    assert (found['page_after'], found['recovery_after'], found['no_data_after']) == (240, 120, 600)
    assert found['renotified'] == {
        'interval': 1800,
        'states': ['Alert', 'No Data'],
        'occurrences': 2,
        'recipients': ['@slack-acme', '@pagerduty-acme', '@boss'],
    }


@pytest.mark.parametrize('change', [{}, {'renotify_interval': 30, 'renotify_occurrences': 0}], ids=['off', 'never'])
def test_a_block_says_what_is_not_set(change, tmp_path, capsys):
    body = {**QUEUE, 'message': 'Full.', 'options': {'thresholds': {'critical': 100}, **change}}
    (path := tmp_path / 'exported.json').write_text(json.dumps(body))
    code, (out, _) = printed(capsys, path)
    assert code == 1 and out.startswith(QUIET)


def test_a_block_of_a_state_that_is_never_reached_or_not_notified(tmp_path, capsys):
    options = {'thresholds': {'critical': -1}, 'on_missing_data': 'show_no_data'}
    queries = ['avg(last_5m):abs(avg:acme.q{*}) < -1', 'avg(last_5m):avg:acme.q{*} < -1']
    bodies = [{**QUEUE, 'name': query, 'query': query, 'options': options} for query in queries]
    (path := tmp_path / 'exported.json').write_text(json.dumps(bodies))
    _, (out, _) = printed(capsys, path)
    lines = [' '.join(line.split()) for line in out.splitlines()]
    no_data = 'No Data 5m after the last point shown, not notified'
    assert lines[1:4] == ['Alert NO', no_data, 'Recovery NO']
    assert no_data in lines[4:]


def test_many_monitors_are_a_table(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    path = exported(tmp_path, *['avg(last_5m):avg:acme.q{*} > 100'] * 4)
    _, (out, _) = printed(capsys, path)
    head, *rows = out.splitlines()
    assert head.split() == ['Alert', 'Warn', 'Recovery', 'No', 'Data', 'page', 'after'] and len(rows) > 4
    assert 'page after: from the first bad point to the notification of Alert' in rows
    assert 'Notified: @pager by 4 monitors, @team-acme by 4 monitors' in rows
    assert max(map(len, rows)) <= 80


@pytest.mark.parametrize(
    ('query', 'type', 'options', 'lines'),
    [
        pytest.param(
            '"acme.up".over("*").by("host").last(4).count_by_status()',
            'service check',
            {'thresholds': {'critical': 3, 'ok': 1, 'warning': 2}, 'notify_no_data': True, 'no_data_timeframe': 10},
            ['Alert 2m after the first bad run @x', 'No Data 10m after the last run @x'],
            id='runs',
        ),
        pytest.param(
            'logs("service:web").index("*").rollup("count").last("5m") > 10',
            'log alert',
            {'thresholds': {'critical': 10}, 'on_missing_data': 'show_and_notify_no_data'},
            ['Alert 30s after the first bad event @x', 'No Data'],
            id='events',
        ),
    ],
)
def test_a_block_names_what_the_monitor_observes(query, type, options, lines, tmp_path, capsys):
    body = {'name': 'Seen', 'type': type, 'query': query, 'message': '@x', 'options': options}
    (path := tmp_path / 'exported.json').write_text(json.dumps(body))
    _, (out, _) = printed(capsys, path)
    shown = [' '.join(line.split()) for line in out.splitlines()]
    for line in lines:
        assert any(each.startswith(line) for each in shown), out


DOWNTIME = {
    'id': 'd1',
    'type': 'downtime',
    'attributes': {
        'monitor_identifier': {'monitor_tags': ['team:acme']},
        'scope': 'region:eu',
        'schedule': {'start': '2027-01-04T00:00:00Z', 'end': '2027-01-05T00:00:00Z'},
    },
}
RULE = {
    'id': 'r1',
    'type': 'monitor-notification-rule',
    'attributes': {'name': 'Acme', 'filter': {'tags': ['team:acme']}, 'recipients': ['slack-rule']},
}


@pytest.mark.parametrize('order', [1, -1], ids=['monitor first', 'monitor last'])
def test_files_with_other_kinds_of_assets_are_taken_along(order, tmp_path, capsys):
    bodies = {'disk.json': QUEUE, 'downtimes.json': {'data': [DOWNTIME]}, 'rules.json': {'data': [RULE]}}
    for name, body in bodies.items():
        (tmp_path / name).write_text(json.dumps(body))
    paths = [tmp_path / name for name in bodies][::order]
    _, (out, _) = printed(capsys, *paths, '--json')
    (found,) = json.loads(out)['monitors']
    assert len(found['idle_downtimes']) == 1 and '@slack-rule' in found['notified']['Alert']
    for path in (tmp_path / 'downtimes.json', tmp_path / 'rules.json'):
        code, (_, err) = printed(capsys, path)
        assert code == 2 and f'{path.name}: no monitor found' in err


@pytest.mark.parametrize(('scope', 'found'), [('*', True), ('env:lab', False)])
def test_a_downtime_that_mutes_everything_is_reported(scope, found, tmp_path, capsys):
    attributes = {'scope': scope, 'monitor_identifier': {'monitor_tags': ['*']}}
    downtime = {'id': 'x', 'type': 'downtime', 'attributes': attributes}
    (tmp_path / 'disk.json').write_text(json.dumps(QUEUE))
    (tmp_path / 'all.json').write_text(json.dumps({'data': [downtime]}))
    _, (out, _) = printed(capsys, tmp_path / 'disk.json', tmp_path / 'all.json', '--json')
    codes = [each['rule'] for each in json.loads(out)['diagnostics']]
    assert ('auto/mutes-everything' in codes) == found


def test_a_downtime_with_an_unknown_end_may_end(tmp_path, capsys):
    (tmp_path / 'disk.json').write_text(json.dumps(QUEUE))
    (tmp_path / 'main.tf').write_text(
        'resource "datadog_downtime_schedule" "all" {\n  scope = "*"\n'
        '  monitor_identifier {\n    monitor_tags = ["*"]\n  }\n'
        '  one_time_schedule {\n    start = "2027-01-04T00:00:00Z"\n    end   = var.end\n  }\n}\n'
    )
    _, (out, _) = printed(capsys, tmp_path / 'disk.json', tmp_path / 'main.tf', '--json')
    assert 'auto/mutes-everything' not in [each['rule'] for each in json.loads(out)['diagnostics']]


def test_a_file_with_nothing_for_a_monitor_is_refused(tmp_path, capsys):
    (tmp_path / 'disk.json').write_text(json.dumps(QUEUE))
    (tmp_path / 'board.json').write_text(json.dumps({'title': 'D', 'layout_type': 'ordered', 'widgets': []}))
    code, (_, err) = printed(capsys, tmp_path / 'disk.json', tmp_path / 'board.json')
    assert code == 2 and 'board.json: no monitor found' in err
