"""The rules of states and transitions, one by one."""

import pytest
from citing import rule
from small import LETTERS, START, letters, run


@pytest.mark.parametrize(
    'options, points, expected',
    [
        pytest.param({}, '1 80 81 80', 'OOAO', id='> is strict', marks=rule('2.7', '3.3', '3.5')),
        pytest.param({'op': '>='}, '1 80 81 79', 'OAAO', id='>= is not', marks=rule('2.7')),
        pytest.param({'op': '<'}, '81 80 79 80', 'OOAO', id='<', marks=rule('2.7')),
        pytest.param({'op': '<='}, '81 80 79 81', 'OAAO', id='<=', marks=rule('2.7')),
        pytest.param({'op': '=='}, '81 80 79', 'OAO', id='==', marks=rule('2.7', 'A24')),
        pytest.param({'op': '!='}, '80 80.001 80', 'OAO', id='!=', marks=rule('2.7', 'A24')),
        pytest.param({'warning': 60}, '60 61 81 61 60', 'OWAWO', id='warning', marks=rule('3.1', '3.3', '3.5')),
        pytest.param({'critical_recovery': 70}, '81 75 70 75 81', 'AAOOA', id='V8', marks=rule('3.4', '3.6', 'V8')),
        pytest.param({'op': '<', 'critical_recovery': 90}, '79 85 90 85', 'AAOO', id='below', marks=rule('3.4')),
        pytest.param(
            {'op': '>=', 'critical_recovery': 70}, '80 70 69', 'AAO', id='>=: recovery is <', marks=rule('3.4')
        ),
        pytest.param(
            {'warning': 60, 'critical_recovery': 70}, '81 75 69 61 60', 'AAWWO', id='on to Warn', marks=rule('3.6')
        ),
        pytest.param(
            {'warning': 60, 'warning_recovery': 50},
            '61 55 81 55 50',
            'WWAWO',
            id='through Warn',
            marks=rule('3.6', 'A9'),
        ),
        pytest.param(
            {'warning': 60, 'critical_recovery': 70, 'warning_recovery': 50},
            '61 81 55 81 49',
            'WAWAO',
            id='worsening never waits',
            marks=rule('3.6'),
        ),
    ],
)
def test_thresholds(options, points, expected):
    thresholds = {'critical': 80, **options}
    operator = thresholds.pop('op', '>')
    timeline = run(f'avg(last_1m):avg:m{{*}} {operator} 80', {'m': points}, {'thresholds': thresholds})
    assert letters(timeline) == expected


@pytest.mark.rule('A9')
def test_directly_to_ok():
    options = {'thresholds': {'critical': 80, 'warning': 60, 'warning_recovery': 50}}
    timeline = run('avg(last_1m):avg:m{*} > 80', {'m': '81 55 50'}, options, choices={'A9': 'no'})
    assert letters(timeline) == 'AOO'
    assert 'A9' in timeline.relied_on


NO_DATA = {'notify_no_data': True, 'no_data_timeframe': 3}


@pytest.mark.parametrize(
    'options, points, minutes, choices, expected',
    [
        pytest.param({}, '9 _x4 1', 5, {}, 'AAAAAO', id='kept', marks=rule('3.9')),
        pytest.param(NO_DATA, '9 _x4 1', 5, {}, 'AAANNO', id='after the timeframe', marks=rule('3.10', '3.12', 'A6')),
        pytest.param(
            NO_DATA, '9 _x5 1', 6, {'A6': 'first empty evaluation'}, 'AAAANNO', id='timer', marks=rule('3.12', 'A6')
        ),
        pytest.param(
            {'notify_no_data': True}, '9 _x4', 4, {}, 'AANNN', id='twice the window', marks=rule('3.11', 'A5')
        ),
        pytest.param(
            {'notify_no_data': True, 'no_data_timeframe': 0}, '9 _ 1', 2, {}, 'ANO', id='at once', marks=rule('3.11')
        ),
        pytest.param(
            {'notify_no_data': True}, '9 _x4', 4, {'A5': '1x window'}, 'ANNNN', id='once', marks=rule('3.11', 'A5')
        ),
        pytest.param(
            {'on_missing_data': 'show_no_data'}, '9 _ 1', 2, {}, 'ANO', id='show', marks=rule('3.13', '3.14', '3.15')
        ),
        pytest.param(
            {'on_missing_data': 'show_and_notify_no_data'},
            '9 _ 1',
            2,
            {},
            'ANO',
            id='notify',
            marks=rule('3.14', '3.15'),
        ),
        pytest.param({'on_missing_data': 'resolve'}, '9 _ 9', 2, {}, 'AOA', id='resolve', marks=rule('3.15')),
        pytest.param(
            {**NO_DATA, 'on_missing_data': 'resolve'}, '9 _x4 1', 5, {}, 'AAANNO', id='both stored', marks=rule('3.14')
        ),
        pytest.param(
            {'notify_no_data': False, 'on_missing_data': 'resolve'}, '9 _', 1, {}, 'AO', id='false', marks=rule('3.14')
        ),
        pytest.param(
            {'on_missing_data': 'default'}, '9 _ 1', 2, {}, 'AAO', id='default: kept', marks=rule('3.15', '3.16')
        ),
        pytest.param({'timeout_h': 0.05}, '9 _x5 9', 6, {}, 'AAAAOOA', id='timeout', marks=rule('3.19')),
        pytest.param(
            {**NO_DATA, 'timeout_h': 0.1}, '9 _x8', 8, {}, 'AAANNNNOO', id='No Data times out', marks=rule('3.19')
        ),
        pytest.param(
            {**NO_DATA, 'timeout_h': 0.01667}, '9 _x5', 5, {}, 'AAONNN', id='No Data outlives', marks=rule('A22')
        ),
        pytest.param(
            {**NO_DATA, 'timeout_h': 0.01667}, '9 _x5', 5, {'A22': 'never'}, 'AAOOOO', id='or not', marks=rule('A22')
        ),
    ],
)
def test_missing_data(options, points, minutes, choices, expected):
    timeline = run('avg(last_1m):avg:m{*} > 5', {'m': points}, options, minutes, choices)
    assert letters(timeline) == expected


@pytest.mark.rule('3.15', '3.16', 'A7')
@pytest.mark.parametrize(
    'query, kind, choice, expected',
    [
        pytest.param('sum:m{*}.as_count()', 'count', 'count', 'AO', id='as_count'),
        pytest.param('sum:m{*}', 'count', 'count', 'AO', id='declared'),
        pytest.param('sum:m{*}', 'gauge', 'count', 'AA', id='a gauge'),
        pytest.param('sum:m{*}', 'gauge', 'sum or count', 'AO', id='summed'),
    ],
)
def test_which_query_counts(query, kind, choice, expected):
    series = {f'm {kind} 60': '9'}
    timeline = run(f'sum(last_1m):{query} > 5', series, {'on_missing_data': 'default'}, 1, {'A7': choice})
    assert letters(timeline) == expected
    assert 'A7' in timeline.relied_on


@pytest.mark.rule('3.6', '3.15')
def test_a_count_that_is_missing_recovers_as_zero():
    options = {'on_missing_data': 'default', 'thresholds': {'critical': 5, 'critical_recovery': 0.5}}
    assert letters(run('sum(last_1m):sum:m{*}.as_count() > 5', {'m count 60': '9'}, options, 1)) == 'AO'


@pytest.mark.rule('2.13', 'A4')
@pytest.mark.parametrize('choice, expected', [('no data', 'OON'), ('skip', 'OOO')])
def test_only_discarded_points(choice, expected):
    options = {'on_missing_data': 'show_no_data'}
    timeline = run('avg(last_1m):avg:a{*} / avg:b{*} > 5', {'a': '1x3', 'b': '1 1 0'}, options, choices={'A4': choice})
    assert letters(timeline) == expected
    assert 'A4' in timeline.relied_on


@pytest.mark.rule('2.13', '2.16', 'A4')
@pytest.mark.parametrize('choice, expected', [('no data', 'ONNN'), ('skip', 'OOOO')])
def test_a_point_that_a_fill_made_is_one_though_its_value_is_cut(choice, expected):
    series = {'m{host:a}': '9 0', 'm{host:b}': '9 0'}
    query = 'sum(last_1m):cutoff_min(count_nonzero(avg:m{*} by {host}.fill(last)), 1) > 5'
    timeline = run(query, series, {'on_missing_data': 'show_no_data'}, 3, choices={'A4': choice})
    assert letters(timeline) == expected


@pytest.mark.rule('3.12', 'A6')
@pytest.mark.parametrize(
    'query, choices, expected',
    [
        pytest.param(
            'default(sum:m{*}.as_count(), 9) + sum:n{*}', {}, 'OOONNN', id='what default() fills in is no point'
        ),
        pytest.param('cutoff_min(median_3(avg:o{*}), 5)', {}, 'OOOOONN', id='a cut median'),
        pytest.param('cutoff_min(median_3(avg:o{*}), 5)', {'A79': 'window only'}, 'OOOOONN', id='within the window'),
        pytest.param('cutoff_min(trend_line(avg:p{*}), 5)', {}, 'OONNNN', id='a cut line is one of points'),
        pytest.param(
            'cutoff_max(avg:q{*}.rollup(max, 300), 5)', {}, 'OONNN', id='as it was seen, not as it is cut later'
        ),
    ],
)
def test_the_last_point_is_one_of_the_data(query, choices, expected):
    series = {'m count 60': '1 1', 'n': '1 1', 'o': '9 9 9 1 1 1 1', 'p': '9 1x9', 'q': '1x4 9'}
    window = 2 if 'trend' in query else 1
    options = {'notify_no_data': True, 'no_data_timeframe': 2}
    assert letters(run(f'sum(last_{window}m):{query} > 50', series, options, len(expected) - 1, choices)) == expected


@pytest.mark.rule('3.7', '3.10', 'A21')
def test_a_group_that_never_reported_is_no_data_without_a_transition():
    options = {'notify_no_data': True, 'no_data_timeframe': 2}
    timeline = run('avg(last_1m):avg:m{*} > 5', {'other': '1'}, options, 9)
    assert letters(timeline) == 'N' * 10
    assert len(timeline.groups[()].transitions) == 0


@pytest.mark.rule('3.7', '3.15', 'A21')
@pytest.mark.parametrize(
    'option, assumed',
    [('default', True), ('show_and_notify_no_data', True), ('resolve', True), ('show_no_data', False)],
)
def test_a_group_that_has_not_reported_relies_on_its_assumption(option, assumed):
    timeline = run('avg(last_1m):avg:m{*} > 5', {'m': '_x2 1x2'}, {'on_missing_data': option})
    assert letters(timeline) == 'NNOO'
    assert ('A21' in timeline.relied_on) == assumed


@pytest.mark.rule('1.7', '2.19')
def test_groups():
    series = {'m{host:a,env:x}': '9 1', 'm{host:b,env:x}': '1 9', 'm{env:x}': '9 9', 'm{host:c}': '9'}
    timeline = run('avg(last_1m):avg:m{*} by {host,env} > 5', series, {'new_group_delay': 0})
    assert {group: letters(timeline, group) for group in timeline.groups} == {
        ('host:a', 'env:x'): 'AO',
        ('host:b', 'env:x'): 'OA',
    }


@pytest.mark.rule('2.21')
@pytest.mark.parametrize(
    'points, options, expected',
    [
        pytest.param('9x4', {}, '.AAA', id='a minute'),
        pytest.param('9x4', {'new_group_delay': 120}, '..AA', id='as said'),
        pytest.param('9x4', {'new_group_delay': 0}, 'AAAA', id='none'),
        pytest.param('9x4', {'new_host_delay': 120}, '..AA', id='the older option, for hosts'),
        pytest.param('9x4', {'new_host_delay': 120, 'new_group_delay': 60}, '.AAA', id='the newer one wins'),
        pytest.param('9x4', {'new_host_delay': 120, 'new_group_delay': 0}, '..AA', id='unless it is 0'),
        pytest.param('9x4', {'new_host_delay': 0}, 'AAAA', id='no delay for hosts'),
        pytest.param([(-7200, 1), (120, 9), (180, 9)], {}, '..AA', id='seen two hours ago: no news'),
        pytest.param([(-90000, 1), (120, 9), (180, 9)], {}, '...A', id='25 hours ago: news'),
    ],
)
def test_new_group(points, options, expected):
    timeline = run('avg(last_1m):avg:m{*} by {host} > 5', {'m{host:a}': points}, options, 3)
    assert letters(timeline, ('host:a',)) == expected


@pytest.mark.rule('3.9', '3.20')
@pytest.mark.parametrize('by, expected', [(' by {host}', '.'), ('', 'A')], ids=['a group', 'a simple alert'])
def test_a_group_is_dropped_after_a_day_without_data(by, expected):
    timeline = run(f'avg(last_1m):avg:m{{*}}{by} > 5', {'m{host:a}': '9x3'}, minutes=1450)
    (line,) = timeline.groups.values()
    # The last sample is that of minute 2; the first evaluation without is at minute 3.
    assert [LETTERS[line.state_at(START + 60 * (3 + minutes))] for minutes in (1439, 1440)] == ['A', expected]
    assert [str(one.target) for one in line.transitions] == ['Alert']


@pytest.mark.rule('4.7', 'V9')
def test_first_and_last_triggered():
    options = {'thresholds': {'critical': 80, 'warning': 60}, 'on_missing_data': 'show_and_notify_no_data'}
    timeline = run('avg(last_1m):avg:m{*} > 80', {'m': '1 61 61 81 81 _ 1'}, options)
    a, b, c, d = (START + 60 * minute for minute in (1, 3, 5, 6))
    assert [
        (one.instant, str(one.target), one.first_triggered_at, one.last_triggered_at, one.triggered_duration)
        for one in timeline.groups[()].transitions
    ] == [
        (a, 'Warn', a, a, 0),
        (b, 'Alert', a, b, b - a),
        (c, 'No Data', a, c, c - a),
        (d, 'OK', a, c, d - a),
    ]


@pytest.mark.rule('3.12', 'A6', 'A19')
def test_the_no_data_timer_of_a_difference_starts_at_its_last_point():
    options = {'notify_no_data': True, 'no_data_timeframe': 12}
    timeline = run('min(last_10m):diff(avg:m{*}) > 100', {'m': '5x3 _x6 5'}, options, minutes=24)
    # From minute 18 on the point at minute 9 has no point before it that is near enough.
    assert letters(timeline) == 'N' + 20 * 'O' + 4 * 'N'
