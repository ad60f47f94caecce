"""Monitors of logs, events and similar data, with given search results: states, messages and refusals."""

import re
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from citing import rule

from ddassets.assets import read
from ddassets.assets.monitor import read_monitor
from ddassets.assets.source import Unplaced
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import counted
from ddassets.language.counted import MAX_KEYS, METHODS, PRODUCTS, parse_counted
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.rehearsal import parse, rehearse
from ddassets.rehearsal.inbox import inbox

ACME = Path(__file__).parent / 'acme'
ASSETS = read(ACME)
_TYPES = {'logs': 'log alert', 'events': 'event-v2 alert', 'ci-tests': 'ci-tests alert', 'rum': 'rum alert'}
DAY = '2027-01-04T'


def rehearsed(query, series, message='@ops@example.com', length='20m', assumptions=None, name='Acme', **options):
    product = query.partition('(')[0]
    critical = float(query.rpartition(' ')[2])
    body = {'name': name, 'type': _TYPES.get(product, f'{product} alert'), 'query': query, 'message': message}
    body['options'] = {'thresholds': {'critical': critical}, **options}
    scenario = {
        'start': f'{DAY}10:00:00',
        'length': length,
        'tick_second': 30,
        'series': [{'events': product, **one} for one in series],
        'monitors': [body],
        'downtimes': [],
        'assumptions': assumptions or {},
    }
    return rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS, keep=True)


def changes(rehearsal):
    (monitor,) = rehearsal.monitors
    zone = rehearsal.zone
    found = [
        (change.instant, ','.join(group) or '*', str(change.source), str(change.target), change.value)
        for group, result in monitor.results.items()
        for change in result.transitions
    ]
    return [
        f'{datetime.fromtimestamp(at, zone):%H:%M:%S} {group} {source} to {target} at {value:g}'
        for at, group, source, target, value in sorted(found)
    ]


def at(*times):
    return [DAY + time for time in times]


ONE = [{'at': at('10:02:10')}]


@pytest.mark.parametrize(
    'query, series, options, expected',
    [
        pytest.param(
            'events("source:acme quota reached").rollup("count").last("5m") > 0',
            ONE,
            {'on_missing_data': 'default'},
            ['10:02:30 * OK to Alert at 1', '10:07:30 * Alert to OK at 0'],
            id='a count recovers with the window',
            marks=rule('15.5', '15.7'),
        ),
        pytest.param(
            'logs("x").index("*").rollup("count").last("5m") < 1',
            [],
            {},
            ['10:00:30 * absent to Alert at 0'],
            id='no log at all',
            marks=rule('15.7', 'V26'),
        ),
        pytest.param(
            'logs("x").rollup("count").last("5m") > 0',
            ONE,
            {'on_missing_data': 'show_no_data'},
            ['10:02:30 * absent to Alert at 1', '10:07:30 * Alert to No Data at nan'],
            id='no data is shown',
            marks=rule('15.7'),
        ),
        pytest.param(
            'logs("x").rollup("avg", "@duration").last("5m") > 2',
            [{'at': at('10:02:10', '10:03:10'), 'attributes': {'@duration': 3}}],
            {},
            ['10:02:30 * absent to Alert at 3'],
            id='a measure keeps its status',
            marks=rule('15.2', '15.7'),
        ),
        pytest.param(
            'logs("x").rollup("cardinality", "@user").last("5m") > 1',
            [{'at': at('10:02:10'), 'attributes': {'user': name}} for name in 'aab'],
            {},
            ['10:02:30 * absent to Alert at 2'],
            id='distinct values',
            marks=rule('15.2', 'A49'),
        ),
        pytest.param(
            'logs("x").rollup("cardinality", "@user").last("5m") > 0',
            [{'at': at('10:02:10'), 'attributes': {'user': 'a'}}],
            {'assumptions': {'A49': 'yes'}},
            ['10:02:30 * OK to Alert at 1', '10:07:30 * Alert to OK at 0'],
            id='no distinct values are 0',
            marks=rule('A49'),
        ),
        pytest.param(
            'rum("x").rollup("pc90", "@t").last("5m") > 8',
            [{'at': at('10:02:10'), 'attributes': {'t': number}} for number in range(1, 11)],
            {'on_missing_data': 'resolve'},
            ['10:02:30 * absent to Alert at 9', '10:07:30 * Alert to OK at nan'],
            id='a percentile',
            marks=rule('15.2', '15.16'),
        ),
        pytest.param(
            'rum("x").rollup("pc90", "@t").last("5m") > 4',
            [{'at': at('10:02:10'), 'attributes': {'t': number}} for number in range(1, 8)],
            {'on_missing_data': 'resolve'},
            ['10:02:30 * absent to Alert at 6', '10:07:30 * Alert to OK at nan'],
            id='the lower of two ranks',
            marks=rule('15.2', '17.20'),
        ),
        pytest.param(
            'logs("x").rollup("count").by("service").last("5m") > 3',
            [{'at': at(*['10:01:10'] * 2, *['10:02:10'] * 4), 'tags': ['service:a']}, {'at': at('10:02:10')}],
            {},
            ['10:02:30 service:a OK to Alert at 6', '10:07:30 service:a Alert to OK at 0'],
            id='groups',
            marks=rule('15.4', '15.6'),
        ),
    ],
)
def test_changes(query, series, options, expected):
    assert changes(rehearsed(query, series, **options)) == expected


@pytest.mark.rule('15.7', '3.16')
def test_which_metrics_count_does_not_matter_for_events():
    rehearsal = rehearsed('logs("x").index("*").rollup("count").last("5m") < 1', [], on_missing_data='default')
    assert changes(rehearsal) and 'A7' not in rehearsal.assumptions


@pytest.mark.parametrize('end', [-60, 0])
def test_a_rehearsal_has_a_length(end):
    body = {'name': 'm', 'type': 'log alert', 'query': 'logs("x").index("*").rollup("count").last("5m") < 1'}
    monitor = counted.of(read_monitor(Unplaced(Path('m')), body))
    with pytest.raises(UnusableInputError, match='expected one after the start'):
        counted.CountedEvaluator(monitor, [], 0, end)


BELOW = 'logs("env:prod").index("*").rollup("count").by("service").last("10m") < 10'


@pytest.mark.rule('15.8', '15.9', 'A50', 'V26')
def test_a_silent_group_is_not_evaluated_while_another_has_events():
    series = [
        {'counts': '6 0x4 6 0x4 6 0x4 6 0x4 6 0x4 6 0x4', 'from': f'{DAY}09:50:00', 'tags': ['service:pay']},
        {'counts': '4 0x9 4 0x9 4 0x9', 'from': f'{DAY}09:50:00', 'tags': ['service:cart']},
        {'counts': '1 0x40', 'from': f'{DAY}09:40:00', 'tags': ['service:mail']},
    ]
    assert changes(rehearsed(BELOW, series, new_group_delay=0)) == ['10:00:30 service:cart absent to Alert at 4']


@pytest.mark.rule('15.8', 'A50')
@pytest.mark.parametrize(
    'choice, expected',
    [
        pytest.param('not evaluated', [], id='not evaluated'),
        pytest.param('0 is compared', ['10:19:30 service:cart OK to Alert at 0'], id='0 is compared'),
    ],
)
def test_the_value_of_a_silent_group_is_an_assumption(choice, expected):
    series = [
        {'counts': '6x60', 'from': f'{DAY}09:50:00', 'tags': ['service:pay']},
        {'counts': '20x20 0x40', 'from': f'{DAY}09:50:00', 'tags': ['service:cart']},
    ]
    found = rehearsed(BELOW, series, length='40m', assumptions={'A50': choice}, new_group_delay=0)
    assert changes(found) == expected
    assert 'A50' in found.assumptions


@pytest.mark.rule('15.9', 'A50')
def test_each_known_group_alerts_when_all_are_silent():
    series = [{'counts': '20 0x30', 'tags': [f'service:{name}']} for name in 'ab']
    found = changes(rehearsed(BELOW, series))
    assert [one.split()[:2] for one in found] == [['10:10:30', 'service:a'], ['10:10:30', 'service:b']]


@pytest.mark.rule('15.9', '2.21')
@pytest.mark.parametrize('earlier, expected', [('2026-12-29T10:00:00', 'later'), ('2027-01-03T20:00:00', 'at once')])
def test_after_a_day_of_silence_a_group_is_new(earlier, expected):
    query = 'logs("*").index("*").rollup("count").by("service").last("5m") > 0'
    series = [{'at': [earlier, *at(*(f'10:{minute:02}:10' for minute in range(20)))], 'tags': ['service:a']}]
    found = changes(rehearsed(query, series, new_group_delay=600))
    assert [one.split()[0] for one in found][:1] == [{'at once': '10:00:30', 'later': '10:10:30'}[expected]]


@pytest.mark.rule('15.18')
def test_groups_make_one_alert():
    query = 'logs("status:error").index("*").rollup("count").by("service").last("5m") > 5'
    series = [
        {'at': at(*['10:02:10'] * 10), 'tags': ['service:pay']},
        {'at': at(*['10:03:10'] * 10), 'tags': ['service:cart']},
    ]
    found = rehearsed(query, series, name='Errors', groupby_simple_monitor=True)
    assert changes(found) == ['10:02:30 * OK to Alert at 10', '10:08:30 * Alert to OK at 0']
    assert [mail.title for mail in inbox(found)] == ['[Triggered] Errors', '[Recovered] Errors']
    each = changes(rehearsed(query, series))
    assert len(each) == 4


@pytest.mark.rule('15.11', '15.12', 'A51')
def test_the_newest_event_fills_the_variables():
    message = (
        '[{{citest.error.message}}] [{{citest.attributes.error.message}}] {{[@test.full_name].name}} @ops@example.com'
    )
    query = 'ci-tests("@test.status:fail").rollup("count").by("@test.full_name").last("5m") > 0'
    attributes = {'test.full_name': 'S.t', 'error.message': 'boom'}
    series = [{'at': at('10:01:10'), 'attributes': attributes}]
    series.append({'at': at('10:02:10'), 'attributes': attributes | {'error.message': 'bang'}})
    found = rehearsed(query, series, message)
    texts = [mail.text.partition('@')[0].strip() for mail in inbox(found)]
    assert texts == ['[] [boom] S.t', '[] [] S.t']
    near = rehearsed(query, series[1:], message)
    assert '[bang]' in next(iter(inbox(near))).text


@pytest.mark.rule('15.13')
def test_the_variables_of_an_event():
    message = '{{event.title}}: {{event.text}} {{event.tags.env}} @ops@example.com'
    series = [{'at': at('10:02:10'), 'fields': {'title': 'Quota', 'text': 'is reached'}, 'tags': ['env:prod']}]
    found = rehearsed('events("x").rollup("count").last("5m") > 0', series, message)
    assert next(iter(inbox(found))).text.startswith('Quota: is reached prod')


@pytest.mark.rule('13.21', '15.11', '15.12')
def test_a_composite_prints_the_event_of_its_member():
    logs = {
        'id': 1,
        'name': 'Errors',
        'type': 'log alert',
        'query': 'logs("x").rollup("count").last("5m") > 0',
        'message': '',
        'options': {'thresholds': {'critical': 0}},
    }
    body = {
        'id': 2,
        'name': 'Both',
        'type': 'composite',
        'query': '1 && !1 || 1',
        'message': '{{a.log.message}} of {{a.log.my_facet}}, {{a.value}} [{{b.log.message}}] @ops@example.com',
        'options': {},
    }
    entry = {'events': 'logs', 'at': at('10:02:10'), 'fields': {'message': 'boom'}, 'attributes': {'my_facet': 'web'}}
    scenario = {
        'start': f'{DAY}10:00:00',
        'length': '20m',
        'series': [entry],
        'monitors': [logs, body],
        'downtimes': [],
    }
    found = rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS, keep=True)
    texts = [mail.text.partition('@')[0].strip() for mail in inbox(found) if mail.title.endswith('Both')]
    # On the recovery no event is in the window (rule 15.12).
    assert texts == ['boom of web, 1.0 []', 'of , 0.0 []']


@pytest.mark.rule('15.10')
def test_a_group_is_dropped_after_its_retention():
    query = 'logs("x").rollup("count").by("service").last("5m") > 3'
    series = [{'at': at('10:02:10'), 'tags': ['service:a']}]
    states = rehearsed(query, series, length='3h', group_retention_duration='1h').monitors[0]
    (line,) = states.timeline.groups.values()
    (span,) = line.spans
    assert span.end - span.start == 65 * 60


@pytest.mark.rule('15.5', 'A47')
@pytest.mark.parametrize('choice, first', [({}, '10:03:30'), ({'A47': 'as A1'}, '10:02:30')])
def test_the_ends_of_a_window(choice, first):
    found = changes(rehearsed('logs("x").rollup("count").last("5m") > 0', [{'at': at('10:02:30')}], assumptions=choice))
    assert found[0].split()[0] == first


@pytest.mark.rule('15.6', 'A48')
@pytest.mark.parametrize('number, warned', [(30, False), (31, True)])
def test_too_many_groups(number, warned):
    query = 'logs("x").rollup("count").by("service,env").last("5m") > 3'
    series = [{'at': at('10:02:10'), 'tags': [f'service:{index}', 'env:prod']} for index in range(number)]
    (monitor,) = rehearsed(query, series).monitors
    assert any('15.6, A48' in warning for warning in monitor.warnings) is warned


@pytest.mark.rule('15.17')
def test_the_search_is_shown():
    (monitor,) = rehearsed('logs("service:(a OR b) -@x:1").rollup("count").last("5m") > 0', ONE).monitors
    assert any("'service:(a OR b) -@x:1' is not run" in warning for warning in monitor.warnings)


@pytest.mark.rule('15.1', '15.15')
@pytest.mark.parametrize('product', PRODUCTS)
def test_every_product(product):
    query = parse_counted(f'{product}("a:b").rollup("count").by("@x, y").last("1h") >= -1.5')
    assert (query.by, query.window, query.comparator, query.threshold) == (('@x', 'y'), 3600, '>=', -1.5)


@pytest.mark.rule('15.15')
def test_error_tracking():
    text = 'error-tracking("service:a").source("backend").new().rollup("count").by("@issue.id").last("1d") > 0'
    query = parse_counted(text)
    assert query.modifiers == (('source', ('backend',)), ('new', ()))
    assert text[query.search_span.start : query.search_span.end] == query.search


@pytest.mark.rule('15.2')
def test_every_method():
    for method in METHODS:
        measure = '' if method == 'count' else ', "@m"'
        assert parse_counted(f'logs("").rollup("{method}"{measure}).last("5m") > 1').method == method


@pytest.mark.parametrize(
    'query, column, words',
    [
        pytest.param('logs("x").rollup("cuont").last("5m") > 1', 11, "did you mean count?", marks=rule('15.2')),
        pytest.param('logs("x").rollup("avg").last("5m") > 1', 11, 'avg takes one measure', marks=rule('15.2')),
        pytest.param('logs("x").rollup("count").last("3d") > 1', 27, '1m to 48h', marks=rule('15.3')),
        pytest.param('logs("x").rollup("count") > 1', 26, 'expected .last("…")', marks=rule('15.3')),
        pytest.param('logs("x").rolup("count").last("5m") > 1', 11, "did you mean rollup?", marks=rule('15.1')),
        pytest.param('logs("x").rollup("count").last("5m") > n', 37, 'a comparison with a number', marks=rule('15.1')),
        pytest.param('logs(x).rollup("count").last("5m") > 1', 6, 'one quoted search', marks=rule('15.1')),
        pytest.param(
            f'logs("x").rollup("count").by("{",".join("abcde")}").last("5m") > 1', 27, f'{MAX_KEYS}', marks=rule('15.6')
        ),
        pytest.param('logs("x").rollup("count").last("5m").last("5m") > 1', 38, 'is repeated', marks=rule('15.1')),
    ],
)
def test_an_invalid_query(query, column, words):
    with pytest.raises(QuerySyntaxError, match=re.escape(words)) as caught:
        parse_counted(query)
    assert caught.value.column == column


@pytest.mark.rule('15.16')
@pytest.mark.parametrize(
    'type, query',
    [
        ('process alert', 'processes("x").over("*").rollup("count").last("10m") > 1'),
        ('cost alert', 'cost("x").last("1d") > 1'),
        ('synthetics alert', 'synthetics("x").last("1d") > 1'),
    ],
)
def test_undocumented_constructs_are_refused_by_name(type, query):
    scenario = {'start': f'{DAY}10:00:00', 'length': '5m', 'series': [], 'downtimes': []}
    scenario['monitors'] = [{'name': 'm', 'type': type, 'query': query, 'message': '', 'options': {}}]
    with pytest.raises(UnusableInputError, match=type):
        rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS)


@pytest.mark.parametrize(
    'entry, words',
    [
        ({'events': 'log', 'counts': '1'}, 'did you mean logs?'),
        ({'events': 'logs'}, 'expected either counts or at'),
        ({'events': 'logs', 'counts': '-1'}, 'one below 0'),
        ({'events': 'logs', 'at': f'{DAY}10:00:00', 'interval': '1m'}, 'has no meaning with at'),
        ({'events': 'logs', 'count': '1'}, 'did you mean counts?'),
    ],
)
def test_an_invalid_entry(entry, words):
    scenario = {'start': f'{DAY}10:00:00', 'length': '5m', 'series': [entry], 'downtimes': []}
    with pytest.raises(UnusableInputError, match=re.escape(words)):
        rehearse(parse(yaml.safe_dump(scenario), ACME / 'rehearsals' / 's.yaml'), ASSETS)
