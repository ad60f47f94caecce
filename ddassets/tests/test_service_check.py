"""Service-check and host monitors: runs in a row, No Data, groups, cluster alerts, messages, and the query's form."""

import pytest
from estate import changes, final, monitor, rehearsed, runs, texts, told

from ddassets.diagnostic import UnusableInputError
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.service_check import parse

rule = pytest.mark.rule
HANDLE = '@ops@example.com'
WORDS = {'O': 'OK', 'W': 'WARNING', 'C': 'CRITICAL', 'U': 'UNKNOWN', '_': '_'}


def check(query='.over("*").by("host").last(6).count_by_status()', name='acme.can_connect', message=HANDLE, **options):
    return {'type': 'service check', 'query': f'"{name}"{query}', 'message': message, 'options': options}


def short(letters):
    return ' '.join(WORDS[letter] for letter in letters)


def walked(letters, length=None, second=0, **options):
    """Return the changes of one host whose previous run is OK."""
    series = [runs('OK ' + short(letters), 'host:h', **{'from': '2027-01-04T09:59:00'})]
    chosen = options.pop('assumptions', {})
    minutes = length or len(letters)
    start = {'start': '2027-01-04T09:59:00', 'assumptions': chosen}
    rehearsal = rehearsed({'m': check(**options)}, series, length=f'{minutes + 1}m', second=second, **start)
    return [change.replace('host:h ', '') for change in changes(rehearsal, 'm')]


@pytest.mark.parametrize(
    'letters, thresholds, expected',
    [
        pytest.param('COOOO', {'critical': 1, 'ok': 4}, ['10:00 Alert', '10:04 OK'], id='V22'),
        pytest.param('OCO', {'critical': 2}, [], id='V23: one'),
        pytest.param('OCC', {'critical': 2}, ['10:02 Alert'], id='V23: two'),
        pytest.param('COC', {'critical': 2}, [], id='V21'),
        pytest.param('W', {}, ['10:00 Warn'], id='defaults are 1'),
        pytest.param('WCW', {'warning': 2, 'critical': 2}, [], id='statuses are counted apart'),
        pytest.param('CWW', {'critical': 1, 'warning': 2}, ['10:00 Alert', '10:02 Warn'], id='Alert to Warn'),
        pytest.param('CWO', {'critical': 1, 'warning': 2, 'ok': 2}, ['10:00 Alert'], id='kept in between'),
        pytest.param('UUU', {'critical': 1}, [], id='UNKNOWN without a threshold'),
        pytest.param('UUO', {'unknown': 2}, ['10:01 Unknown', '10:02 OK'], id='UNKNOWN with a threshold'),
        pytest.param('CUC', {'critical': 2}, [], id='UNKNOWN breaks a run'),
        pytest.param('CUUC', {'unknown': 1}, ['10:00 Alert', '10:01 Unknown', '10:03 Alert'], id='Unknown to Alert'),
    ],
)
@rule('14.6', '14.7', '14.8', '14.9', '14.10', 'V21', 'V22', 'V23')
def test_runs_in_a_row(letters, thresholds, expected):
    assert walked(letters, thresholds=thresholds) == expected


@pytest.mark.parametrize('choice, expected', [('in a row with the newest', []), ('among the last n', ['10:02 Alert'])])
@rule('14.8', 'A42', 'V21')
def test_runs_that_are_not_in_a_row(choice, expected):
    assert walked('COC', thresholds={'critical': 2}, assumptions={'A42': choice}) == expected


@rule('14.1', '14.5')
def test_runs_beyond_the_last_do_not_count():
    query = '.over("*").by("host").last(3).count_by_status()'
    rehearsal = rehearsed(
        {'m': check(query, thresholds={'critical': 2})},
        [runs('OK CRITICAL OK OK CRITICAL', 'host:h')],
        assumptions={'A42': 'among the last n'},
    )
    assert changes(rehearsal, 'm') == []


@pytest.mark.parametrize(
    'options, expected',
    [
        pytest.param({'notify_no_data': True, 'no_data_timeframe': 5}, ['10:05 No Data', '10:10 OK'], id='told'),
        pytest.param({'notify_no_data': False, 'no_data_timeframe': 5}, [], id='not asked for'),
        pytest.param({'notify_no_data': True}, [], id='a day by default'),
        pytest.param({'timeout_h': 1}, [], id='resolved when it was OK'),
    ],
)
@rule('14.12', '14.13', '3.10')
def test_silence(options, expected):
    # The last run before the silence is at 10:00.
    assert walked('O_________OO', **options) == expected


@rule('14.13')
def test_no_data_restarts_the_count():
    options = {'notify_no_data': True, 'no_data_timeframe': 3}
    # With ok 2, one OK after No Data is not enough, though OK runs came before.
    assert walked('OO____OO', thresholds={'ok': 2}, **options) == ['10:04 No Data', '10:07 OK']
    assert walked('CC____CC', thresholds={'critical': 3}, **options) == ['10:04 No Data']


@rule('3.19', '14.12')
def test_timeout_resolves_a_check():
    assert walked('C' + '_' * 70, length=70, timeout_h=1) == ['10:00 Alert', '11:00 OK']


@pytest.mark.parametrize('notify, hours', [(True, 48), (False, 24)])
@rule('14.12', '3.20')
def test_a_silent_group_is_dropped(notify, hours):
    body = check(notify_no_data=notify, no_data_timeframe=10)
    rehearsal = rehearsed({'m': body}, [runs('OKx2', 'host:h')], length='60h', second=0)
    spans = monitor(rehearsal, 'm').timeline.groups['host:h',].spans
    assert spans[-1].end - rehearsal.start == hours * 3600 + 60


@rule('14.11', 'A43')
@pytest.mark.parametrize('choice, expected', [('every minute', []), ('at each run too', ['Alert', 'OK'])])
def test_when_a_check_monitor_is_evaluated(choice, expected):
    series = [runs('OKx5 CRITICAL OKx9', 'host:h', interval='10s')]
    rehearsal = rehearsed({'m': check()}, series, length='10m', second=0, assumptions={'A43': choice})
    assert [change.split()[-1] for change in changes(rehearsal, 'm')] == expected


AT_FIVE = 'OKx5 CRITICAL'


@pytest.mark.parametrize(
    'query, expected',
    [
        pytest.param('.over("*").by("host")', ['host:a', 'host:b'], id='by host'),
        pytest.param('.over("env:prod").by("host")', ['host:a'], id='over a tag'),
        pytest.param('.over("env:prod","host:b").by("host")', [], id='over all of them'),
        pytest.param('.over("b").by("host")', ['host:b'], id='over a host name'),
        pytest.param('.over("*").exclude("env:prod","x:y").by("host")', ['host:b'], id='exclude any of them'),
        pytest.param('.by("host")', ['host:a', 'host:b'], id='no over'),
        pytest.param('.over("*").by("*")', ['env:dev,host:b', 'env:prod,host:a'], id='every combination'),
        pytest.param('.over("*").by("host","env")', ['host:a,env:prod', 'host:b,env:dev'], id='two keys'),
        pytest.param('.over("*").by("role")', [], id='a key that no run has'),
        pytest.param('.over("*")', ['host:a', 'host:b'], id='no by'),
    ],
)
@rule('14.2', '14.3', '14.4')
def test_groups(query, expected):
    series = [runs(AT_FIVE, 'host:a', 'env:prod'), runs(AT_FIVE, 'host:b', 'env:dev')]
    rehearsal = rehearsed({'m': check(f'{query}.last(2).count_by_status()')}, series)
    assert changes(rehearsal, 'm') == [f'10:05 {group} Alert' for group in expected]


@rule('14.4', '14.7', '14.9')
def test_a_check_that_is_tagged_with_its_own_outcome():
    job, success, failure = 'job:nightly', 'result:success', 'result:failure'
    name = {'check': 'acme.job.status'}
    series = [runs('OKx5 _x2 OKx50', job, success, **name), runs('_x5 CRITICALx2', job, failure, **name)]
    bodies = {
        key: check(f'.over("*").by("{by}").last(2).count_by_status()', 'acme.job.status', notify_no_data=False)
        for key, by in (('all', '*'), ('job', 'job'))
    }
    rehearsal = rehearsed(bodies, series)
    assert changes(rehearsal, 'all') == ['10:05 job:nightly,result:failure Alert']
    assert changes(rehearsal, 'job') == ['10:05 job:nightly Alert', '10:07 job:nightly OK']
    assert any('combinations of tags, which count together' in warning for warning in rehearsal.warnings)


# Cluster alerts


def hosts(bad, of=10, status='CRITICAL'):
    return [
        runs(f'OKx10 {status if number < bad else "OK"} OKx9', f'host:h{number}', 'env:prod') for number in range(of)
    ]


@pytest.mark.parametrize(
    'bad, by, thresholds, expected',
    [
        pytest.param(8, '*', {'critical': 70}, ['10:10 Alert', '10:11 OK'], id='V24: eight'),
        pytest.param(7, '*', {'critical': 70}, [], id='V24: seven'),
        pytest.param(6, 'env', {'critical': 50}, ['10:10 env:prod Alert', '10:11 env:prod OK'], id='by a key'),
        pytest.param(6, '*', {'warning': 20}, [], id='a warning counts WARNING alone'),
        pytest.param(1, '*', {'critical': 5}, ['10:10 Alert', '10:11 OK'], id='one of ten'),
    ],
)
@rule('14.15', '14.16', 'V24')
def test_cluster_alerts(bad, by, thresholds, expected):
    body = check(f'.over("*").by("{by}").last(4).pct_by_status()', thresholds=thresholds)
    rehearsal = rehearsed({'m': body}, hosts(bad))
    assert changes(rehearsal, 'm') == expected
    assert any('.last(4) has no effect' in warning for warning in rehearsal.warnings)


@rule('14.15')
def test_a_warning_of_a_cluster():
    body = check('.over("*").by("*").last(1).pct_by_status()', thresholds={'critical': 70, 'warning': 20})
    rehearsal = rehearsed({'m': body}, hosts(3, status='WARNING'))
    assert changes(rehearsal, 'm') == ['10:10 Warn', '10:11 OK']
    result = monitor(rehearsal, 'm')
    assert [change.value for change in result.results[()].transitions] == [30, 0]
    said = [result.explain((), rehearsal.start + 60 * minute + 30).reasons[2] for minute in (10, 11)]
    assert said == [
        f'{share} of 10 combinations of tags are {status}; thresholds: critical 70, warning 20'
        for share, status in (('30 %', 'WARNING'), ('0 %', 'CRITICAL'))
    ]


@pytest.mark.parametrize('choice, expected', [('>', []), ('>=', ['10:10 Alert', '10:11 OK'])])
@rule('14.16', 'A45')
def test_a_percentage_that_is_reached(choice, expected):
    body = check('.over("*").by("*").last(1).pct_by_status()', thresholds={'critical': 70})
    rehearsal = rehearsed({'m': body}, hosts(7), assumptions={'A45': choice})
    assert changes(rehearsal, 'm') == expected


@pytest.mark.parametrize('choice, expected', [('until its group is dropped', 50.0), ('until no_data_timeframe', 100.0)])
@rule('14.17', 'A46')
def test_a_silent_combination(choice, expected):
    body = check('.over("*").by("*").last(1).pct_by_status()', thresholds={'critical': 90}, no_data_timeframe=10)
    series = [runs('OKx5', 'host:a'), runs('CRITICALx59', 'host:b')]
    rehearsal = rehearsed({'m': body}, series, length='59m', assumptions={'A46': choice})
    assert final(rehearsal, 'm')['*'][1] == expected


# Hosts

UP = 'datadog.agent.up'


@pytest.mark.parametrize(
    'notify, expected', [pytest.param(True, ['10:03 No Data'], id='told'), pytest.param(False, [], id='never')]
)
@rule('14.18', '14.20', 'V25')
def test_a_silent_host(notify, expected):
    body = check('.over("*").by("host").last(2).count_by_status()', UP, notify_no_data=notify, no_data_timeframe=2)
    series = [runs('OKx11', 'host:h1', check=UP, **{'from': '2027-01-04T09:50:00'})]
    rehearsal = rehearsed({'m': body}, series, second=0)
    assert told(rehearsal, 'm') == expected
    assert any('can never trigger' in warning for warning in rehearsal.warnings) is not notify
    states = [str(state) for state in monitor(rehearsal, 'm').monitor.states]
    assert states == (['OK', 'No Data'] if notify else ['OK'])


@rule('14.17', '14.19')
def test_a_share_of_hosts_that_are_silent():
    body = check('.over("*").by("*").last(1).pct_by_status()', UP, thresholds={'critical': 50}, no_data_timeframe=5)
    series = [runs(f'OKx{10 if number < 6 else 59}', f'host:h{number}', check=UP) for number in range(10)]
    rehearsal = rehearsed({'m': body}, series, second=0)
    # The last run of six hosts is at 10:09, and more than five minutes are needed.
    assert changes(rehearsal, 'm') == ['10:15 Alert']


# Messages


@rule('14.6', '14.14')
def test_the_default_thresholds_are_printed():
    text = f'{HANDLE} [{{{{ok_threshold}}}}] [{{{{threshold}}}}] [{{{{warn_threshold}}}}]'
    rehearsal = rehearsed({'m': check(message=text)}, [runs('OK CRITICAL', 'host:h')])
    (alert,) = texts(rehearsal, 'm')
    assert alert == f'{HANDLE} [1] [1] [1]'


@rule('14.10', '14.14', 'A44')
def test_variables_of_a_check():
    text = (
        '{{#is_alert}}A [{{check_message}}] [{{{check_message}}}] '
        '{{ok_threshold}} {{threshold}} [{{value}}]{{/is_alert}}'
        '{{#is_unknown}}U{{/is_unknown}}{{#is_recovery}}R{{/is_recovery}}'
    )
    said = {'CRITICAL': ['refused', 'time < 5 & lost'], 'OK': 'fine'}
    thresholds = {'critical': 2, 'ok': 2, 'unknown': 1}
    series = [runs('OK CRITICALx2 UNKNOWN OKx3', 'host:h', messages=said)]
    rehearsal = rehearsed({'m': check(message=text, thresholds=thresholds)}, series)
    assert told(rehearsal, 'm') == ['10:02 Alert', '10:03 Unknown', '10:05 OK']
    assert texts(rehearsal, 'm') == ['A [time &lt; 5 &amp; lost] [time < 5 & lost] 2 2 []', 'U', 'R']
    assert 'A44' in monitor(rehearsal, 'm').relied_on
    chosen = rehearsed(
        {'m': check(message='[{{value}}]', thresholds=thresholds)}, series, assumptions={'A44': 'the runs that decided'}
    )
    assert texts(chosen, 'm')[0] == '[2.0]'


@rule('14.10')
def test_unknown_is_a_separate_state():
    rehearsal = rehearsed({'m': check(thresholds={'unknown': 1})}, [runs('OK UNKNOWN OK', 'host:h')])
    result = monitor(rehearsal, 'm')
    assert [str(state) for state in result.monitor.states] == ['OK', 'Warn', 'Alert', 'Unknown']
    title = result.message(('host:h',), result.notifications['host:h',][0]).title
    assert title.startswith('[Unknown on {host:h}]')


def test_an_explanation_shows_the_newest_runs():
    rehearsal = rehearsed({'m': check(thresholds={'critical': 2})}, [runs('OK CRITICALx2 OK', 'host:h')])
    found = monitor(rehearsal, 'm').explain(('host:h',), rehearsal.start + 170)
    assert found.reasons[0] == 'the newest runs: OK CRITICAL CRITICAL'
    assert str(found.state) == 'Alert'
    assert any('2 runs of CRITICAL count; thresholds: critical 2' in reason for reason in found.reasons)


# The form of the query and of the signal


@pytest.mark.parametrize(
    'text, loose',
    [
        pytest.param('"a.b".over("*").by("*").last(2).count_by_status()', 0, id='as stored'),
        pytest.param('"a.b".over("x:y").last(2).by("host").count_by_status()', 0, id='last before by'),
        pytest.param("'a.b'.over('x:y', 'z').by('host').last(2).count_by_status()", 4, id='single quotes'),
        pytest.param('a.b.over(x:y).by(host).last(2).count_by_status()', 3, id='no quotes'),
        pytest.param('"a.b" . over( "*" ).by("host").last( 100 ).pct_by_status()', 0, id='spaces'),
    ],
)
@rule('14.1', '14.2')
def test_forms_of_a_query(text, loose):
    query = parse(text)
    assert (query.check, len(query.loose)) == ('a.b', loose)


@pytest.mark.parametrize(
    'text, column, says',
    [
        pytest.param('', 1, 'name of a check', id='empty'),
        pytest.param('"a.b"', 6, 'count_by_status', id='no steps'),
        pytest.param('"a.b".ovr("*")', 7, 'did you mean over', id='misspelt'),
        pytest.param('"a.b".over()', 12, 'over needs an argument', id='no argument'),
        pytest.param('"a.b".over("*").by("x").last(0).count_by_status()', 30, '1 to 100', id='last 0'),
        pytest.param('"a.b".over("*").by("x").last(101).count_by_status()', 30, '1 to 100', id='last 101'),
        pytest.param('"a.b".over("*").by("x").last("5m").count_by_status()', 30, 'whole number', id='last 5m'),
        pytest.param('"a.b".over("*").over("*").count_by_status()', 17, 'twice', id='twice'),
        pytest.param('"a.b".count_by_status().by("x")', 25, 'after the last step', id='after the end'),
        pytest.param('"a.b".over("*" "x")', 16, "expected , or ", id='no comma'),
        pytest.param('"a.b', 1, 'name of a check', id='open quote'),
    ],
)
@rule('14.1', '14.5')
def test_invalid_queries(text, column, says):
    with pytest.raises(QuerySyntaxError, match=says) as caught:
        parse(text)
    assert caught.value.column == column


@pytest.mark.parametrize(
    'series, says',
    [
        pytest.param(runs('OKx3 CRITCALx2'), 'column 6.*did you mean CRITICAL', id='a misspelt status'),
        pytest.param(runs('OKx0'), '1 to', id='none'),
        pytest.param(runs('OK', messages={'BAD': 'x'}), "found 'BAD'", id='a message of no status'),
        pytest.param({'service_check': 'a.b'}, 'statuses is missing', id='no statuses'),
        pytest.param({'monitor': '1', 'states': 'Okx2'}, 'did you mean OK', id='a misspelt state'),
        pytest.param({'states': 'OK'}, 'monitor is missing', id='states of nothing'),
    ],
)
def test_signals_that_are_refused(series, says):
    with pytest.raises(UnusableInputError, match=says):
        rehearsed({'m': check()}, [series])


def test_a_wildcard_is_refused_by_name():
    with pytest.raises(UnusableInputError, match=r"'host:w\*'.*wildcard in over"):
        rehearsed({'m': check('.over("host:w*").by("host").last(2).count_by_status()')}, [runs('OK', 'host:w1')])


def test_a_check_without_runs_says_which_there_are():
    rehearsal = rehearsed({'m': check(name='acme.can_conect')}, [runs('OK', 'host:h')])
    assert monitor(rehearsal, 'm').evaluator.absence == (
        'its query asks for runs of acme.can_conect; the scenario has runs of acme.can_connect; '
        'did you mean acme.can_connect?'
    )
