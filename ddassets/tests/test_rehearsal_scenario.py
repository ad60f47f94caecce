"""The content of a scenario file: times, strictness, and every error with its line."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddassets import assets as bundle
from ddassets import duration
from ddassets.diagnostic import UnusableInputError
from ddassets.rehearsal import Judgement, keys, parse, read, rehearse, signal
from ddassets.rehearsal.times import (
    DAYS,
    TimeFault,
    read_instant,
    read_length,
    read_week,
    write_instant,
)

ACME = Path(__file__).parent / 'acme'
BERLIN = ZoneInfo('Europe/Berlin')
HEAD = 'start: 2027-01-11T10:00:00\nlength: 1h\n'
SERIES = "series: [{metric: acme.queue.length, tags: ['host:one', 'env:prod'], values: 10x60}]\n"
BASE = f'{HEAD}{SERIES}monitors: [queue_full]\n'


TEN_INSTANTS = [f'2027-01-11T10:{minute:02}:00' for minute in range(10)]


def judged(text: str) -> Judgement:
    return Judgement(rehearse(parse(text, ACME / 'rehearsals' / 's.yaml'), bundle.read(ACME)))


def refusal(text: str) -> str:
    """Return the error of a scenario that is read, run and judged; empty without one."""
    try:
        assert judged(text).verdicts is not None
    except UnusableInputError as error:
        return str(error).replace(str(ACME / 'rehearsals' / 's.yaml'), 's.yaml').replace(str(ACME), 'acme')
    return ''


def expect(entry: str) -> str:
    return f'{BASE}expect: [{{{entry}}}]\n'


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        pytest.param('', 's.yaml: the file is empty', id='empty'),
        pytest.param('- 1', 's.yaml:1:1: expected keys and values, found a list', id='list'),
        pytest.param('start: [', 's.yaml:2:1: not YAML: did not find expected node content', id='no-yaml'),
        pytest.param('a: &a [*a]', '1:8: found the alias *a, expected a complete anchor above it', id='endless-alias'),
        pytest.param('a: *b', '1:4: found the alias *b', id='unknown-alias'),
        pytest.param('a: 1\n--- \nb: 1', '3:1: found a second document, expected only one', id='two-documents'),
        pytest.param(f"a: {'[' * 60}{']' * 60}", '1:53: found more than 50 levels', id='deep'),
        pytest.param(HEAD, 's.yaml:1:1: series is missing', id='missing-key'),
        pytest.param(f'{BASE}lenght: 2h\n', "5:1: unknown key 'lenght'; did you mean length?; known: desc", id='key'),
        pytest.param(f'{BASE}length: 2h\n', "5:1: the key 'length' is duplicated, see line 2", id='key-twice'),
        pytest.param(f'{BASE}? [a]\n: 1\n', 'expected the name of a key, found a list', id='key-no-text'),
        pytest.param(
            BASE.replace('10:00:00', '25:00:00'),
            "1:8: start: expected a time such as 2027-01-04T08:00:00, found '2027-01-11T25:00:00'",
            id='instant',
        ),
        pytest.param(BASE.replace('2027', '9999'), "1:8: start: expected a year from 1970 to 2099", id='year'),
        pytest.param(BASE.replace('1h', '1x'), "2:9: length: expected a length such as 45s, 10m", id='length'),
        pytest.param(BASE.replace('1h', '59s'), "2:9: length: expected 1m to 3660d, found '59s'", id='too-short'),
        pytest.param(f'{BASE}timezone: Europe/Berln', 'did you mean Europe/Berlin?', id='zone'),
        pytest.param(
            f'{BASE}timezone: Europe/Berlin'.replace('2027-01-11T10', '2027-03-28T02'),
            'this time does not exist in Europe/Berlin',
            id='no-such-wall-time',
        ),
        pytest.param(
            f'{BASE}timezone: Europe/Berlin'.replace('2027-01-11T10', '2027-10-31T02'),
            'this time occurs twice in Europe/Berlin: append +02:00 or +01:00',
            id='wall-time-twice',
        ),
        pytest.param(f'{BASE}tick_second: 60', '5:14: tick_second: expected a whole number from 0 to 59', id='tick'),
        pytest.param(f'{BASE}notify: you', "notify: expected a handle such as @you@example.com", id='notify'),
        pytest.param(f"{BASE}notify: '@a'\nredirect: '@b'", '6:11: redirect: notify and redirect exclude', id='both'),
        pytest.param(f'{BASE}min_coverage: 101', 'expected a number from 0 to 100', id='coverage'),
        pytest.param(f'{BASE}hosts: {{one: {{ips: x}}}}', "hosts.one: unknown key 'ips'; did you mean ip?", id='host'),
        pytest.param(f'{BASE}hosts: {{one: {{tags: [a b]}}}}', "such as env:prod, found 'a b'", id='tag'),
        pytest.param(f'{BASE}assumptions: {{A99: x}}', "assumptions.A99: assumption 'A99': unknown", id='assumption'),
        pytest.param(f'{BASE}assumptions: {{A13: w}}', "found 'w', allowed are 'elapsed', 'wall'", id='choice'),
    ],
)
def test_file_is_refused(text, message):
    assert message in refusal(text)


def series(entry: str) -> str:
    return f'{HEAD}series: [{{{entry}}}]\n'


@pytest.mark.rule('2.15')
@pytest.mark.parametrize(
    ('entry', 'message'),
    [
        pytest.param('metric: acme.queue.length', 'series[0]: expected either values or csv', id='nothing'),
        pytest.param(
            'values: 1',
            'expected one of metric, check, events, service_check, states, stub and band, found values',
            id='no-metric',
        ),
        pytest.param('metric: acme.queue.length, values: 1y', "series[0].values: column 1: found '1y'", id='values'),
        pytest.param('metric: other, values: 1', 'type and interval of other is required', id='undeclared'),
        pytest.param('metric: other, values: 1, interval: 1m', 'type of other is required', id='no-type'),
        pytest.param('metric: acme.queue.length, csv: no.csv', 'no.csv: No such file or directory', id='no-file'),
        pytest.param('metric: acme.queue.length, csv: /dev/zero', 'csv: /dev/zero: Not a file', id='endless-file'),
        pytest.param('metric: a, csv: no.csv, from: 2027-01-01', 'from: has no meaning for csv', id='from-of-csv'),
        pytest.param('metric: a, values: 1, until: 2027-01-12', 'until: has no meaning for values', id='until'),
        pytest.param('metric: a, values: 1, monitor: x', 'monitor: has no meaning for a metric', id='monitor'),
        pytest.param(
            'stub: anomaly, values: 1',
            "found 'anomaly'; allowed: anomalies, forecast, outliers; did you mean anomalies?",
            id='stub',
        ),
        pytest.param('band: acme.queue.length', 'series[0]: expected lower, upper or both', id='band'),
        pytest.param('check: {hosts: one}', "series[0].check: unknown key 'hosts'; did you mean host?", id='check'),
        pytest.param('check: {}', 'no simulator was given, so `check` cannot be used here', id='no-simulation'),
        pytest.param(
            'check: {down: [{from: 2027-01-11T10:20:00, to: 2027-01-11T10:10:00}]}',
            'series[0].check.down[0].to: expected a time after from',
            id='stretch',
        ),
        pytest.param(
            'check: {uncomment: [a], instances: [{}]}',
            'series[0].check.uncomment: has no meaning for instances in the scenario',
            id='uncomment',
        ),
        pytest.param('check: {config: a, instances: []}', 'config and instances exclude each other', id='config'),
    ],
)
def test_series_is_refused(entry, message):
    assert message in refusal(series(entry))


# Ten points each, of which the second exceeds the limit of the test.
@pytest.mark.parametrize(
    'entry',
    [
        pytest.param('metric: acme.queue.length, values: 1x10, tags: [{}]', id='values'),
        pytest.param('metric: acme.queue.length, csv: points.csv, tags: [{}]', id='csv'),
        pytest.param('service_check: acme.up, statuses: OKx10, interval: 1m, tags: [{}]', id='statuses'),
        pytest.param('band: acme.queue.length, lower: 1x10, tags: [{}]', id='band'),
        pytest.param('events: logs, counts: 1x10, interval: 1m, tags: [{}]', id='counts'),
        pytest.param(f'events: logs, at: {json.dumps(TEN_INSTANTS)}, tags: [{{}}]', id='instants'),
    ],
)
def test_the_points_of_all_series_are_limited_together(tmp_path, monkeypatch, entry):
    (tmp_path / 'points.csv').write_text('time,value\n' + ''.join(f'{index * 60},1\n' for index in range(10)))
    text = f'{HEAD}series: [{{{entry.format("a")}}}, {{{entry.format("b")}}}]\n'
    scenario = parse(text, tmp_path / 's.yaml')
    monkeypatch.setattr(signal, 'MAX_POINTS', 20)
    signal.signal(scenario, bundle.read(ACME))
    monkeypatch.setattr(signal, 'MAX_POINTS', 19)
    with pytest.raises(UnusableInputError, match=r'series\[1\].*: all series together have more than 19 points'):
        signal.signal(scenario, bundle.read(ACME))


def test_the_same_series_twice_is_refused():
    entry = '{metric: acme.queue.length, values: 1}'
    assert 'series: series acme.queue.length{}: given twice' in refusal(f'{HEAD}series: [{entry}, {entry}]')


@pytest.mark.parametrize(
    ('choice', 'message'),
    [
        pytest.param('monitors: none', "monitors: found 'none'; allowed: all, a list, except with a list", id='word'),
        pytest.param('monitors: []', 'monitors: no monitor to rehearse', id='none-left'),
        pytest.param('monitors: [Queue is ful]', 'did you mean Queue is full?; available: Errors pile up', id='name'),
        pytest.param('monitors: {except: [queue]}', "no monitor 'queue'", id='except'),
        pytest.param('monitors: [./no.json]', 'no.json: No such file or directory', id='file'),
        pytest.param('monitors: [queue_full, Queue is full]', "two monitors have the name 'Queue is full'", id='twice'),
        pytest.param('downtimes: [night]', "no downtime 'night'; did you mean nights?", id='downtime'),
        pytest.param('downtimes: [{scope: "*"}]', 's.yaml:4:13: monitor_identifier is missing', id='body'),
        pytest.param('monitors: [{name: x, tags: 5}]', 'x: type is missing; expected the type', id='shape'),
        pytest.param(
            'monitors: [{name: x, priority: 0x_}]',
            "s.yaml:4:32: monitors[0].priority: expected a number, found '0x_'",
            id='no-number',
        ),
        pytest.param(
            'monitors: [{name: x, type: query alert, query: "avg(last_5m):avg:acme.queue.length{*} >"}]',
            's.yaml:4:88: x: column 40: expected a number to compare with',
            id='query',
        ),
        pytest.param(
            'monitors: [{name: x, type: query alert, query: "avg(last_5m):avg:a{*} > 1", message: "{{#is_alert}}"}]',
            's.yaml: x: message: line 1, column 1: {{#is_alert}} is not closed',
            id='message',
        ),
        pytest.param(
            'monitors: [{name: x, type: query alert, query: "avg(last_5m):mavg(avg:a{*}, 5) > 1"}]',
            's.yaml: x: column 14: mavg(): has no public description',
            id='outside-the-subset',
        ),
        pytest.param(
            'monitors: [{name: x, type: cost alert, query: "cost(1) > 1"}]',
            "s.yaml: x: type 'cost alert': monitors of this type are not evaluated",
            id='another-product',
        ),
    ],
)
def test_choice_is_refused(choice, message):
    assert message in refusal(f'{HEAD}{SERIES}{choice}\n')


def test_a_monitor_outside_the_subset_says_how_to_leave_it_out(tmp_path):
    monitors = tmp_path / 'assets' / 'monitors'
    monitors.mkdir(parents=True)
    (monitors / 'top.json').write_text(
        '{"name": "Top", "type": "query alert", "query": "avg(last_5m):top(avg:a{*}, 5) > 1"}'
    )
    scenario = parse(f'{HEAD}series: []\n', tmp_path / 's.yaml')
    with pytest.raises(UnusableInputError) as raised:
        rehearse(scenario, bundle.read(tmp_path))
    assert str(raised.value).startswith(f'{monitors / "top.json"}: Top: column 14: top()')
    assert '\n             ^\nto exclude it: `monitors: {except: ["Top"]}`' in raised.value.details


@pytest.mark.parametrize(
    ('kind', 'choice', 'message'),
    [
        pytest.param('monitors', '', r'broken.json:1:2: not JSON', id='a-monitor'),
        pytest.param('downtimes', '', r'broken.json:1:2: not JSON', id='a-downtime'),
        pytest.param('notification_rules', '', r'broken.json:1:2: not JSON', id='a-notification-rule'),
        pytest.param(
            'notification_rules',
            'notification_rules: [broken]',
            r"no notification rule 'broken'; available: .*broken.json:1:2: not JSON",
            id='a-notification-rule-by-name',
        ),
    ],
)
def test_an_asset_that_cannot_be_read_is_refused(kind, choice, message, tmp_path):
    folder = tmp_path / 'assets' / kind
    folder.mkdir(parents=True)
    (folder / 'broken.json').write_text('{')
    with pytest.raises(UnusableInputError, match=message):
        rehearse(parse(f'{HEAD}series: []\n{choice}\n', tmp_path / 's.yaml'), bundle.read(tmp_path))


@pytest.mark.parametrize(
    ('entry', 'message'),
    [
        pytest.param('to: Warn', 'expect[0]: at is missing', id='no-instant'),
        pytest.param(
            'at: 2027-01-11T10:20:00, to: Warm',
            "expect[0].to: found 'Warm'; allowed: absent, OK, Warn, Alert, No Data, Unknown; did you mean Warn?",
            id='state',
        ),
        pytest.param('at: 2027-01-11T11:00:00', 'outside the rehearsal: Mon 2027-01-11 10:00:00', id='outside'),
        pytest.param(
            'at: 2027-01-11T10:20:10',
            'is not evaluated; the nearest evaluations: 2027-01-11T10:20:00 and',
            id='no-tick',
        ),
        pytest.param('at: 2027-01-11T10:20:00, group: "host:two,env:prod"', "has no group 'host:two,env:p", id='group'),
        pytest.param('at: 2027-01-11T10:20:00, monitor: Queue', "no monitor 'Queue' is rehearsed", id='monitor'),
        pytest.param('at: 2027-01-11T10:20:00, from: OK, to: OK', 'not a transition', id='no-transition'),
        pytest.param('at: 2027-01-11T10:20:00, to: absent', 'is never in absent', id='dropped'),
        pytest.param('at: 2027-01-11T10:20:00, from: absent, to: OK', 'starts in OK has no transition', id='born-ok'),
        pytest.param("at: 2027-01-11T10:20:00, recipients: ['@slack-acm']", 'mean @slack-acme?', id='recipient'),
        pytest.param('at: 2027-01-11T10:20:00, muted_by: [night]', 'did you mean nights?', id='muted-by'),
        pytest.param('at: 2027-01-11T10:20:00, notification: sent, muted_by: [nights]', 'not muted', id='sent-muted'),
        pytest.param('at: 2027-01-11T10:20:00, notification: none, message: [a]', 'no notification', id='none'),
        pytest.param('at: 2027-01-11T10:20:00, reason: renotify, to: Warn', 'does not renotify Warn', id='renotify'),
        pytest.param('at: 2027-01-11T10:20:00, reason: downtime end', 'no downtime of host:one', id='downtime-end'),
        pytest.param('at: 2027-01-11T10:20:00, reason: renotify, from: OK, to: Alert', 'changes no state', id='reason'),
    ],
)
def test_expectation_that_nothing_could_meet_is_refused(entry, message):
    assert message in refusal(expect(entry))


def test_expectation_of_a_state_that_the_options_rule_out_is_refused():
    body = '{name: x, type: query alert, query: "avg(last_5m):avg:acme.queue.length{*} > 1"}'
    text = f'{HEAD}{SERIES}monitors: [{body}]\nexpect: [{{at: 2027-01-11T10:20:00, to: STATE}}]'
    assert 'x is never in Warn: it has no warning threshold' in refusal(text.replace('STATE', 'Warn'))
    assert 'x is never in No Data: its options never show it' in refusal(text.replace('STATE', 'No Data'))


def test_expecting_the_same_twice_is_refused():
    entry = '{at: 2027-01-11T10:20:00, to: Warn}'
    assert 'already expected in line 5' in refusal(f'{BASE}expect: [{entry}, {entry}]')


@pytest.mark.parametrize(
    ('told', 'entry', 'message'),
    [
        pytest.param('10x20', 'expect: [{at: 2027-01-11T10:21:00}]', 'end at Mon 2027-01-11 10:20:00', id='end'),
        pytest.param('10x20 _', 'expect: [{at: 2027-01-11T10:21:00}]', '', id='a-silence-that-is-told'),
        pytest.param('10x59', 'expect: []', 'before the end of the rehearsal, until which no event', id='nothing'),
        pytest.param('10x60', 'expect: []', '', id='nothing-to-the-end'),
        pytest.param('10x59', 'properties: [{notifications: none}]', 'before the end of the rehearsal', id='property'),
        pytest.param('10x60', 'properties: [{notifications: none}]', '', id='property-to-the-end'),
    ],
)
def test_data_that_ends_early_is_refused(told, entry, message):
    assert message in (found := refusal(BASE.replace('10x60', told) + entry))
    assert bool(found) == bool(message)


def test_expecting_nothing_of_unused_series_is_refused():
    text = f"{HEAD}series: [{{metric: other, type: gauge, interval: 1m, values: 1x60}}]\nexpect: []\n"
    assert (
        'expect: nothing can ever happen: Errors pile up: its query asks for acme.errors; '
        'the scenario has series of other' in refusal(text)
    )


@pytest.mark.parametrize(
    ('entry', 'message'),
    [
        pytest.param('state: Warn', 'expected either notifications or time_in', id='neither'),
        pytest.param(
            'notifications: nonee',
            "found 'nonee'; allowed: none, or exactly, at_least, at_most with a number; did you mean none?",
            id='word',
        ),
        pytest.param('notifications: {exactly: -1}', 'expected a whole number of at least 0', id='negative'),
        pytest.param('notifications: {at_least: 0}', 'expected a whole number of at least 1', id='always-holds'),
        pytest.param('notifications: {at_least: 3, at_most: 2}', 'cannot be met', id='contradiction'),
        pytest.param('notifications: {exactly: 1, at_most: 2}', 'expected exactly, or at_least', id='too-much'),
        pytest.param('notifications: none, at_most: 3', 'belongs under notifications', id='misplaced'),
        pytest.param('notifications: none, inside: Mo-Fr', 'such as Mon-Fri 09:00-19:00', id='week'),
        pytest.param('notifications: none, reason: downtime end, downtime: nights', 'has no meaning', id='downtime'),
        pytest.param("notifications: none, recipient: '@nobody'", "never notifies '@nobody'", id='recipient'),
        pytest.param('notifications: none, downtime: night', 'did you mean nights?', id='no-downtime'),
        pytest.param('time_in: Warn', 'expected at_least, at_most or both', id='no-bound'),
        pytest.param('time_in: Warn, at_most: 1h', 'it always holds', id='at-most-everything'),
        pytest.param('time_in: Warn, at_least: 0s', 'always holds', id='at-least-nothing'),
        pytest.param('time_in: Warn, at_least: 2h', 'longer than the rehearsal', id='at-least-too-much'),
        pytest.param('time_in: Warn, at_least: 3m, recipient: x', 'has no meaning for time_in', id='filter-of-time'),
    ],
)
def test_property_that_always_or_never_holds_is_refused(entry, message):
    assert message in refusal(f'{BASE}properties: [{{{entry}}}]')


def test_property_about_what_the_monitor_never_does_is_refused():
    body = '{name: x, type: query alert, query: "avg(last_5m):avg:acme.queue.length{*} > 1", message: "@a"}'
    text = f'{HEAD}{SERIES}monitors: [{body}]\ndowntimes: []\nproperties: [{{notifications: none, KEY}}]'
    assert 'no notification about Warn is possible' in refusal(text.replace('KEY', 'state: Warn'))
    assert 'no rehearsed monitor renotifies' in refusal(text.replace('KEY', 'reason: renotify'))
    some = text.replace('notifications: none', 'notifications: {at_least: 1}')
    for key in ('muted: true', 'reason: downtime end'):
        assert 'no rehearsed downtime covers the monitor' in refusal(some.replace('KEY', key))


@pytest.mark.parametrize('key', ['muted: true', 'muted: true, reason: downtime end', 'reason: downtime end'])
@pytest.mark.parametrize('bounds', ['none', '{at_most: 3}', '{exactly: 0}'])
def test_a_property_guards_against_a_later_downtime(key, bounds):
    body = '{name: x, type: query alert, query: "avg(last_5m):avg:acme.queue.length{*} > 1", message: "@a"}'
    text = f'{HEAD}{SERIES}monitors: [{body}]\ndowntimes: []\nproperties: [{{notifications: {bounds}, {key}}}]'
    assert [verdict.holds for verdict in judged(text).verdicts] == [True]


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(UnusableInputError, match=r'no.yaml: No such file'):
        read(tmp_path / 'no.yaml')
    (tmp_path / 'latin.yaml').write_bytes(b'description: \xe4')
    with pytest.raises(UnusableInputError, match=r'latin.yaml: not UTF-8'):
        read(tmp_path / 'latin.yaml')
    os.mkfifo(tmp_path / 'pipe.yaml')
    with pytest.raises(UnusableInputError, match=r'pipe.yaml: Not a file, but a pipe'):
        read(tmp_path / 'pipe.yaml')


# The documentation

DOCUMENT = Path(__file__).parents[1] / 'docs' / 'rehearsals.md'


def test_the_example_of_the_documentation_holds():
    # test_readme.py runs the other part.
    keys_of_scenarios = DOCUMENT.read_text().partition('## The page did not come\n')[0]
    example, *series, properties = re.findall(r'```yaml\n(.*?)```', keys_of_scenarios, re.DOTALL)
    start = 'start: 2027-01-04T10:00:00\nlength: 1h\n'
    assert [len(parse(start + one, Path('s.yaml')).sources) for one in series] == [1, 1, 1, 2]
    expected = judged(example)
    assert expected.failures == []
    assert len(expected.verdicts) == 5
    stated = judged(example.partition('expect:')[0] + properties)
    assert [verdict.holds for verdict in stated.verdicts] == [True, True, True, True]


def test_every_key_is_documented():
    names = {
        *keys.SCENARIO.names,
        *keys.POINTS.names,
        *keys.CHECK.names,
        *keys.RUNS.names,
        *keys.GIVEN.names,
        *keys.LIMITS.names,
        *keys.EXPECTED.names,
        *keys.PROPERTY.names,
        *keys.BOUNDS.names,
        *keys.FILE.names,
        *('check', 'band', 'lower', 'upper', 'ip', 'metadata', 'except', 'notifications', 'time_in'),
    }
    text = DOCUMENT.read_text()
    assert [key for key in sorted(names) if f'`{key}`' not in text and f'{key}: ' not in text] == []


# Words for time

INSTANTS = st.integers(86400, 2_500_000_000)
ZONES = st.sampled_from(['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe'])


@given(INSTANTS, ZONES)
def test_a_written_instant_is_read_back(instant, name):
    zone = ZoneInfo(name)
    assert read_instant(write_instant(instant, zone), zone) == instant


@given(st.integers(0, 10**9))
def test_a_written_length_is_read_back(seconds):
    assert read_length(duration.write(seconds)) == seconds


@pytest.mark.parametrize('text', ['', '1', 'h', '1h 2m', '2m1h', '-1h', '1.5h', '1h\n'])
def test_invalid_lengths(text):
    with pytest.raises(TimeFault):
        read_length(text)


# A Tuesday, 07:00: the hours that began on Monday.
@example(1799737200, 'UTC', 'Fri-Mon 20:00-08:00')
@given(INSTANTS, ZONES, st.sampled_from(['Mon-Fri 09:00-19:00', 'Sat,Sun', '22:00-06:00', 'Fri-Mon 20:00-08:00']))
def test_hours_of_the_week_are_those_of_the_wall_clock(instant, name, text):
    zone = ZoneInfo(name)
    local = datetime.fromtimestamp(instant, UTC).astimezone(zone)
    day, minute = DAYS[local.weekday()], f'{local:%H:%M}'
    before = DAYS[local.weekday() - 1]
    expected = {
        'Mon-Fri 09:00-19:00': day not in ('Sat', 'Sun') and '09:00' <= minute < '19:00',
        'Sat,Sun': day in ('Sat', 'Sun'),
        '22:00-06:00': minute >= '22:00' or minute < '06:00',
        'Fri-Mon 20:00-08:00': (day in ('Fri', 'Sat', 'Sun', 'Mon') and minute >= '20:00')
        or (before in ('Fri', 'Sat', 'Sun', 'Mon') and minute < '08:00'),
    }[text]
    assert read_week(text).covers(np.array([instant]), zone).tolist() == [expected]


@pytest.mark.parametrize(
    'text', ['', 'Monday', 'Mon-', '9:00-19:00', '09:00-09:00', '09:00-24:30', '09:00-10:00 Mon', 'a b c']
)
def test_invalid_hours_of_the_week(text):
    with pytest.raises(TimeFault):
        read_week(text)
