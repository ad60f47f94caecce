"""Composite monitors: the algebra, No Data, common groups, downtimes, messages, and how members are found."""

import json
from random import Random

import pytest
from counting import steps
from estate import changes, monitor, points, rehearsed, runs, states, texts, told

from ddassets.assets import read
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.composite import common_groups
from ddassets.engine.evaluator import Evaluator
from ddassets.language.composite import parse, render
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.rehearsal import of_data, rehearse
from ddassets.sources import read_bundle

rule = pytest.mark.rule
SEVERITY = ('OK', 'No Data', 'Warn', 'Alert')
HANDLE = '@ops@example.com'
CHECK = '"acme.can_connect".over("*").by("host").last(2).count_by_status()'


def composite(query, notify=False, **more):
    return {'type': 'composite', 'query': query, 'message': HANDLE, 'options': {'notify_no_data': notify}, **more}


def word(state):
    return state.replace(' ', '')


@pytest.mark.parametrize('notify', [True, False])
@pytest.mark.parametrize('operator, choose', [('&&', min), ('||', max)])
@pytest.mark.parametrize('right', SEVERITY)
@pytest.mark.parametrize('left', SEVERITY)
@rule('13.5', '13.6', '13.7', '13.8', '13.9', '13.10', '13.19', 'V15')
def test_every_row_of_the_table(left, right, operator, choose, notify):
    result = choose(left, right, key=SEVERITY.index)
    before = 'Warn' if result != 'Warn' else 'Alert'
    lead = f'{before}x5'
    series = [states(1, f'{lead} {word(left)}'), states(2, f'{lead} {word(right)}')]
    rehearsal = rehearsed({'c': composite(f'1 {operator} 2', notify)}, series)
    kept = result == 'No Data' and not notify
    assert told(rehearsal, 'c') == [f'10:00 {before}'] + ([] if kept else [f'10:05 {result}'])


@pytest.mark.parametrize(
    'query, members, expected',
    [
        pytest.param('!(1 && 2)', ('Alert', 'OK'), ['10:00 Alert'], id='not of OK'),
        pytest.param('!1 || !2', ('Warn', 'Alert'), [], id='not of trouble is OK'),
        pytest.param('!1', ('NoData', 'OK'), [], id='not of No Data is No Data'),
        pytest.param('1 || 2 && 2', ('Alert', 'OK'), ['10:00 Alert'], id='&& binds before ||'),
        pytest.param('(1 || 2) && 2', ('Alert', 'OK'), [], id='parentheses'),
        pytest.param('!1 && 2', ('OK', 'Alert'), ['10:00 Alert'], id='! binds first'),
        pytest.param('"1"&&%{2}', ('Alert', 'Warn'), ['10:00 Warn'], id='marks around members'),
    ],
)
@rule('13.1', '13.2', '13.6', 'V18')
def test_operators(query, members, expected):
    series = [states(number, state) for number, state in enumerate(members, 1)]
    assert changes(rehearsed({'c': composite(query, True)}, series), 'c') == expected


@pytest.mark.parametrize(
    'text, printed',
    [
        pytest.param('1 && 2 || 3', '(1 && 2) || 3', id='mixed'),
        pytest.param('1||2||3', '1 || 2 || 3', id='or'),
        pytest.param('!(1||2)&&!!3', '!(1 || 2) && !!3', id='not'),
        pytest.param('"a b" && ${datadog_monitor.x.id}', '"a b" && datadog_monitor.x.id', id='names'),
        pytest.param('(((1)))', '1', id='parentheses around one'),
    ],
)
@rule('13.2', '13.4')
def test_printing(text, printed):
    query = parse(text)
    assert render(query.root) == printed
    assert render(parse(printed).root) == printed


def test_a_bare_mix_is_marked_where_it_is():
    assert parse('1 && 2 || 3').bare_mix is not None
    assert parse('1 || 2 && 3').bare_mix is not None
    assert [parse(text).bare_mix for text in ('(1 && 2) || 3', '1 && 2', '1 || (2 && !3)', '!(1 && 2)')] == [None] * 4


@pytest.mark.parametrize(
    'text, column, says',
    [
        pytest.param('1 & 2', 3, 'write &&', id='one &'),
        pytest.param('1 |', 3, r'write \|\|', id='one |'),
        pytest.param('1 2', 3, 'expected &&', id='no operator'),
        pytest.param('(1 && 2', 8, r"or \), found the end", id='open'),
        pytest.param('1 && ', 6, 'the end of the query', id='end'),
        pytest.param('1 - 2', 3, "found '-'", id='minus'),
        pytest.param('', 1, 'a monitor id', id='empty'),
        pytest.param('a1b-c2d-e3f || 4711', 1, 'public id of a synthetic test.*monitor_id', id='a public id'),
        pytest.param('(' * 200 + '1' + ')' * 200, 102, 'inside of each other', id='deep'),
    ],
)
@rule('13.1')
def test_invalid_queries(text, column, says):
    with pytest.raises(QuerySyntaxError, match=says) as caught:
        parse(text)
    assert caught.value.column == column


HOSTS = [(f'host:web0{number}',) for number in range(1, 10)]


@pytest.mark.parametrize(
    'members, expected',
    [
        pytest.param({'a': HOSTS[:5], 'b': HOSTS[3:]}, HOSTS[3:5], id='by host'),
        pytest.param({'a': HOSTS[:5], 'b': HOSTS[3:], 'c': [('service:web04',)]}, HOSTS[3:4], id='by value'),
        pytest.param({'a': [('device:d', 'host:h')], 'b': [('host:h',)]}, [('device:d', 'host:h')], id='larger'),
        pytest.param({'a': [('host:h',)], 'b': [('device:d', 'host:h')]}, [('device:d', 'host:h')], id='larger second'),
        pytest.param({'a': [('device:d', 'host:h')], 'b': [('host:h', 'url:u')]}, [], id='neither contains the other'),
        pytest.param({'a': [('host:h',)], 'b': [('service:s',)]}, [], id='none'),
        pytest.param({'a': HOSTS[:2]}, HOSTS[:2], id='one grouped member'),
        pytest.param({'a': [('x:1', 'y:2')], 'b': [('x:1',)], 'c': [('y:2',)]}, [], id='two that do not match'),
    ],
)
@rule('13.14', '13.15', '13.16', 'V16')
def test_common_groups(members, expected):
    assert list(common_groups(members)) == expected


def test_groups_of_many_tags_are_found_quickly():
    wide = tuple(f'k{number:02}:v{number}' for number in range(40))
    assert list(common_groups({'a': [wide], 'b': [wide[:3], ('k99:w',)]})) == [wide]


def test_many_groups_are_not_compared_each_with_each():
    hosts = [(f'env:e{number % 7}', f'host:h{number:05}') for number in range(10_000)]
    members = {'a': hosts, 'b': [(host,) for _, host in hosts[5_000:]], 'c': hosts}
    assert list(common_groups(members)) == sorted(hosts[5_000:])
    # Each with each would be 50 million.
    assert steps(lambda: list(common_groups(members))) < 1_000_000


def test_common_groups_agree_with_a_comparison_of_each_with_each():
    random = Random('groups')

    def inside(group, other):
        return {tag.partition(':')[2] for tag in group} <= {tag.partition(':')[2] for tag in other}

    sizes = set()
    for _ in range(300):
        members = {}
        for letter in 'abc'[: random.randint(2, 3)]:
            # A group without tags is that of a query without series.
            keys = sorted(random.sample('pqr', random.randint(0, 3)))
            drawn = {tuple(f'{key}:{key}{random.randint(1, 2)}' for key in keys) for _ in range(random.randint(1, 5))}
            members[letter] = sorted(drawn)
        expected = {}
        for group in sorted({group for groups in members.values() for group in groups}):
            largest = {
                letter: max((other for other in groups if inside(other, group)), key=len, default=None)
                for letter, groups in members.items()
            }
            parts = [*largest.values()]
            if None not in parts and group in parts:
                if all(inside(left, right) or inside(right, left) for left in parts for right in parts):
                    expected[group] = largest
        assert common_groups(members) == expected, members
        sizes.add(len(expected))
    assert len(sizes) > 3


@rule('13.14', '13.15', 'V19')
def test_simple_members_are_repeated_in_each_group():
    series = [states(1, 'Alert', 'host:a'), states(1, 'OK', 'host:b'), states(2, 'Warn'), states(3, 'Alert')]
    assert changes(rehearsed({'c': composite('1 && 2 && 3')}, series), 'c') == ['10:00 host:a Warn']


@rule('13.15', 'A39', '13.17')
@pytest.mark.parametrize('choice, after', [('kept, dropped by retention', []), ('OK', ['10:05 host:a OK'])])
def test_a_group_that_is_no_longer_common(choice, after):
    query = {'query': 'avg(last_1m):avg:acme.x{*} by {host} > 5', 'options': {'new_group_delay': 0}}
    series = [points('acme.x', '9x15', ['host:a']), states(2, 'Alert', 'host:a')]
    chosen = {'assumptions': {'A39': choice, 'A88': '1 h'}}
    rehearsal = rehearsed({'m': query, 'c': composite('m && 2')}, series, length='3h', **chosen)
    spans = [(one.start, str(one.state)) for one in monitor(rehearsal, 'c').timeline.groups['host:a',].spans]
    assert [state for _, state in spans] == ['Alert', 'OK'][: 1 + bool(after)]
    # An hour after the member lost the group, which it did an hour after its data.
    assert monitor(rehearsal, 'c').timeline.groups['host:a',].spans[-1].end == spans[0][0] + 2 * 3600 + 5 * 60


@pytest.mark.parametrize(
    'choice, expected',
    [
        pytest.param('at the evaluation', [], id='default'),
        pytest.param('the most severe of 5 minutes', ['10:01 Alert', '10:05 OK'], id='five minutes'),
    ],
)
@rule('13.11', '13.12', 'V17', 'A37')
def test_which_status_of_a_member_counts(choice, expected):
    series = [states(1, 'Alert OK OK'), states(2, 'OK Alert Alert')]
    assert changes(rehearsed({'c': composite('1 && 2')}, series, assumptions={'A37': choice}), 'c') == expected


@pytest.mark.parametrize('choice, at', [('after its members', '10:05'), ('before its members', '10:06')])
@rule('13.13', 'A38')
def test_when_a_composite_is_evaluated(choice, at):
    series = [states(1, 'OKx5 Alert')]
    rehearsal = rehearsed({'c': composite('1')}, series, assumptions={'A38': choice})
    assert changes(rehearsal, 'c') == [f'{at} Alert']


@rule('13.13', 'A38', 'A43')
def test_a_composite_before_its_members_sees_them_a_minute_earlier_to_the_second():
    one_second_late = [runs('OKx301 CRITICALx300', 'host:h', interval='1s')]
    monitors = {'m': {'type': 'service check', 'query': CHECK, 'options': {}}, 'c': composite('m')}
    choices = {'A38': 'before its members', 'A43': 'at each run too'}
    rehearsal = rehearsed(monitors, one_second_late, second=0, assumptions=choices)
    assert changes(rehearsal, 'm')[:1] == ['10:05 host:h Alert']
    assert changes(rehearsal, 'c')[:1] == ['10:07 host:h Alert']


SILENT = {'query': 'avg(last_1m):avg:acme.x{*} > 5', 'options': {'on_missing_data': 'show_no_data'}}


@pytest.mark.parametrize('choice, expected', [('all', []), ('any', ['10:05 No Data']), ('none', ['10:05 No Data'])])
@rule('13.10', 'A36')
def test_which_members_must_notify(choice, expected):
    series = [points('acme.x', '1x15'), states(2, 'OKx5 NoData')]
    rehearsal = rehearsed({'m': SILENT, 'c': composite('m && 2', True)}, series, assumptions={'A36': choice})
    assert changes(rehearsal, 'c') == ['10:05 No Data']
    assert told(rehearsal, 'c') == expected
    assert 'A36' in monitor(rehearsal, 'c').relied_on


@pytest.mark.parametrize('choice, expected', [('No Data', '10:05 No Data'), ('its last status', None)])
@rule('13.18', 'A40')
def test_a_member_in_unknown(choice, expected):
    series = [states(1, 'OKx5 Unknown')]
    rehearsal = rehearsed({'c': composite('1', True)}, series, assumptions={'A40': choice})
    assert changes(rehearsal, 'c') == list(filter(None, [expected]))


@rule('13.19', '3.19', '3.21')
def test_options_of_notification_hold_for_a_composite():
    options = {'notify_no_data': False, 'renotify_interval': 20, 'timeout_h': 1}
    series = [states(1, 'OKx5 Alertx50 NoData')]
    rehearsal = rehearsed({'c': composite('1', options=options)}, series, length='3h')
    assert changes(rehearsal, 'c') == ['10:05 Alert', '11:55 OK']
    assert told(rehearsal, 'c')[:3] == ['10:05 Alert', '10:25 Alert', '10:45 Alert']


@rule('13.20', 'V20')
def test_downtimes_of_members_and_of_the_composite():
    monitors = {
        'm': {'query': 'avg(last_1m):avg:acme.x{*} by {env} > 5', 'tags': ['of:m'], 'options': {'new_group_delay': 0}},
        'c': composite('m', tags=['of:c']),
    }
    for of, sent in (('m', ([], ['10:05 Alert'])), ('c', (['10:05 Alert'], []))):
        downtime = {'monitor_identifier': {'monitor_tags': [f'of:{of}']}, 'scope': 'env:staging'}
        rehearsal = rehearsed(monitors, [points('acme.x', '1x15 9x90', ['env:staging'])], downtimes=[downtime])
        assert (told(rehearsal, 'm'), told(rehearsal, 'c')) == sent


def names(rehearsal):
    return dict(monitor(rehearsal, 'c').monitor.member_names)


@rule('13.1', '13.3', '13.4')
def test_members_are_found_by_id_name_or_their_given_states():
    one = {'query': 'avg(last_1m):avg:acme.x{*} > 5', 'id': 4711}
    rehearsal = rehearsed({'Long queue': one, 'c': composite('9 || 4711 && "Long queue" || 9')}, [states(9, 'OK')])
    assert names(rehearsal) == {'a': '9', 'b': 'Long queue', 'c': 'Long queue'}
    assert any('read as 9 || (4711 &&' in warning for warning in rehearsal.warnings)


@pytest.mark.parametrize(
    'query, monitors, says',
    [
        pytest.param('4711', {}, r"no monitor '4711' \(an id\).*\n?", id='no such id'),
        pytest.param('lng', {'long': SILENT}, 'did you mean long', id='no such name'),
        pytest.param('inner', {'inner': composite('1')}, 'cannot be a member', id='a composite'),
        pytest.param(' || '.join(map(str, range(1, 12))), {}, 'at most 10 members, found 11', id='eleven'),
    ],
)
@rule('13.3')
def test_members_that_are_refused(query, monitors, says):
    with pytest.raises(UnusableInputError, match=says):
        rehearsed({**monitors, 'c': composite(query)}, [states(1, 'OK')])


def test_one_of_two_monitors_of_an_account_is_found_by_its_id():
    same = {'query': 'avg(last_1m):avg:acme.x{*} > 5'}
    rehearsal = rehearsed(
        {'x': {**same, 'id': 1}, 'y': {**same, 'id': 2}, 'c': composite('2')}, [points('acme.x', '1')]
    )
    assert names(rehearsal) == {'a': 'y'}


def test_members_are_found_by_the_ids_of_kennel(tmp_path):
    folder = tmp_path / 'generated' / 'shop'
    folder.mkdir(parents=True)
    for name in ('one', 'two'):
        body = {'name': f'Shop {name}', 'type': 'query alert', 'query': f'avg(last_1m):avg:acme.{name}{{*}} > 5'}
        (folder / f'{name}.json').write_text(json.dumps({'api_resource': 'monitor', 'message': '', **body}))
    both = {'api_resource': 'monitor', 'name': 'Both', **composite('%{shop:one} && !%{shop:two}')}
    (folder / 'both.json').write_text(json.dumps(both))
    series = [points('acme.one', '1x15 9x70'), points('acme.two', '1x85')]
    data = {'start': '2027-01-04T10:00:00', 'length': '1h', 'series': series, 'tick_second': 30}
    rehearsal = rehearse(of_data(data, tmp_path / 'a.yaml'), read_bundle(tmp_path / 'generated'))
    assert changes(rehearsal, 'Both') == ['10:05 Alert']


# Public surprises


QUEUE = {
    'long': {'query': 'max(last_15m):max:acme.queue.ready{*} > 100'},
    'stuck': {'query': 'max(last_15m):max:acme.queue.acked{*} <= 0'},
    'both': composite('long && stuck'),
}
READY = [points('acme.queue.ready', '20x15 150 20x80'), points('acme.queue.acked', '0x90')]


@rule('2.6', '13.6', '13.19')
def test_any_point_of_one_member_and_every_point_of_another():
    rehearsal = rehearsed(QUEUE, READY)
    assert changes(rehearsal, 'long') == ['10:05 Alert', '10:20 OK']
    assert told(rehearsal, 'both') == ['10:05 Alert', '10:20 OK']
    assert any('one point of the last 15m' in warning and '`min`' in warning for warning in rehearsal.warnings)
    every = {**QUEUE, 'long': {'query': 'min(last_15m):max:acme.queue.ready{*} > 100'}}
    rehearsal = rehearsed(every, READY)
    assert told(rehearsal, 'both') == []
    assert not any('one point' in warning for warning in rehearsal.warnings)


@pytest.mark.parametrize('members, expected', [(False, []), (True, ['10:30 No Data'])])
@rule('3.9', '13.10')
def test_no_data_has_to_be_set_on_members_too(members, expected):
    options = {'notify_no_data': members, 'no_data_timeframe': 10}
    monitors = {
        'a': {'query': 'avg(last_5m):avg:acme.up{*} < 1', 'options': options},
        'b': {'query': 'avg(last_5m):avg:acme.lag{*} > 9', 'options': options},
        'c': composite('a || b', True),
    }
    series = [points('acme.up', '1x31 _x70'), points('acme.lag', '2x31 _x70')]
    rehearsal = rehearsed(monitors, series, length='90m')
    assert told(rehearsal, 'c') == expected
    assert any('can never report No Data' in warning for warning in rehearsal.warnings) is not members


@rule('13.15')
def test_members_without_a_common_group():
    monitors = {
        'a': {'query': 'avg(last_5m):avg:acme.cpu{*} by {host} > 90', 'options': {'new_group_delay': 0}},
        'b': {'query': 'avg(last_5m):avg:acme.errors{*} by {service} > 5', 'options': {'new_group_delay': 0}},
        'c': composite('a && b'),
    }
    series = [points('acme.cpu', '99x80', [f'host:{one}']) for one in ('h1', 'h2')]
    series += [points('acme.errors', '50x80', [f'service:{one}']) for one in ('pay', 'cart')]
    rehearsal = rehearsed(monitors, series)
    assert len(changes(rehearsal, 'a')) == len(changes(rehearsal, 'b')) == 2
    assert monitor(rehearsal, 'c').results == {}
    assert any('no common group: a has h1, h2 against b has cart, pay' in warning for warning in rehearsal.warnings)


@rule('13.4', '13.21', 'A41')
def test_variables_of_members():
    text = '{{#is_alert}}now [{{value}}] lag [{{b.value}}] {{b.status}} {{a.status}}{{/is_alert}} ' + HANDLE
    monitors = {
        'a': {'query': 'avg(last_5m):avg:acme.lag{*} > 9'},
        'b': {'query': 'avg(last_5m):avg:acme.rate{*} > 1'},
        'c': composite('b && a', message=text),
    }
    series = [points('acme.rate', '3x90'), points('acme.lag', '5x20 20x70')]
    rehearsal = rehearsed(monitors, series)
    assert changes(rehearsal, 'a') == changes(rehearsal, 'c') == ['10:11 Alert']
    assert texts(rehearsal, 'c') == [f'now [] lag [11.0] Alert Alert {HANDLE}']
    assert {'A41', 'A38'} <= monitor(rehearsal, 'c').relied_on
    assert monitor(rehearsal, 'c').monitor.legend == 'a is b, b is a'


@rule('13.21')
def test_a_member_without_a_value_has_an_empty_one():
    monitors = {
        'a': {'query': 'avg(last_1m):avg:acme.lag{*} > 9'},
        'b': {'query': 'avg(last_1m):avg:acme.rate{*} > 1', 'options': {'on_missing_data': 'show_no_data'}},
        'c': composite('a || b', message='[{{b.value}}] {{b.status}} ' + HANDLE),
    }
    rehearsal = rehearsed(monitors, [points('acme.rate', '0x15'), points('acme.lag', '5x20 20x70')])
    assert texts(rehearsal, 'c') == [f'[] No Data {HANDLE}']


@rule('13.21')
def test_the_status_of_a_member_may_choose_the_recipient():
    text = '{{#is_match "a.status" "Warn"}}@warn@example.com{{else}}@page@example.com{{/is_match}}'
    series = [states(1, 'Warnx5 OKx5 Alertx5 OK')]
    rehearsal = rehearsed({'c': composite('1 || 1', message=text)}, series)
    result = monitor(rehearsal, 'c')
    (group,) = result.results
    due = result.notifications[group]
    assert [result.recipients(group, one)[0] for one in due if one.kind != 'recovery'] == [
        '@warn@example.com',
        '@page@example.com',
    ]


def test_messages_of_groups_in_turn_evaluate_each_member_once(monkeypatch):
    monitors = {
        name: {'query': f'avg(last_1m):avg:acme.{name}{{*}} by {{host}} > 5', 'options': {'new_group_delay': 0}}
        for name in 'ab'
    }
    series = [points(f'acme.{name}', '1x15 9x5 ' * 4, [f'host:{number}']) for name in 'ab' for number in range(30)]
    rehearsal = rehearsed({**monitors, 'c': composite('a && b', message='{{a.value}} ' + HANDLE)}, series)
    evaluated = []
    original = Evaluator.timeline
    monkeypatch.setattr(Evaluator, 'timeline', lambda self, group: evaluated.append(group) or original(self, group))
    assert len(texts(rehearsal, 'c')) > 100
    # Two members of thirty groups, for themselves and for the composite.
    assert len(evaluated) == 2 * 2 * 30


def test_an_explanation_names_the_members():
    rehearsal = rehearsed(QUEUE, READY)
    result = monitor(rehearsal, 'both')
    found = result.explain((), rehearsal.start + 360)
    assert found.reasons[:2] == ('a = long, *: Alert, value 150.0', 'b = stuck, *: Alert, value 0.0')
    assert 'a && b is Alert' in found.reasons


def test_a_composite_of_the_files_of_an_integration(tmp_path):
    folder = tmp_path / 'assets' / 'monitors'
    folder.mkdir(parents=True)
    for name, body in QUEUE.items():
        whole = {'name': f'Queue: {name}', 'type': 'query alert', 'message': '', **body}
        (folder / f'{name}.json').write_text(json.dumps(whole))
    data = {'start': '2027-01-04T10:00:00', 'length': '1h', 'series': READY, 'monitors': ['both']}
    rehearsal = rehearse(of_data(data, tmp_path / 'a.yaml'), read(tmp_path))
    assert [one.name for one in rehearsal.monitors] == ['Queue: both']
    assert changes(rehearsal, 'Queue: both') == ['10:05 Alert', '10:20 OK']
