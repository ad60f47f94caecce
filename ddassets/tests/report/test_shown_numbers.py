"""The numbers on the page, for signals so simple that they are known in advance."""

import json

import numpy as np
import pytest

from ddassets import assets as bundle
from ddassets import report
from ddassets.rehearsal import Judgement, read, rehearse

RED = 'rgb(200, 50, 60)'
BY_HOST = 'avg:odd.gauge{*} by {host}'
GAUGE = 'avg:odd.gauge{*}'


def request(query: str, aggregator: str = 'avg', **more: object) -> dict[str, object]:
    queries = [{'data_source': 'metrics', 'name': 'q', 'query': query, 'aggregator': aggregator}]
    return {'queries': queries, 'formulas': [{'formula': 'q'}], 'response_format': 'scalar'} | more


def value(query: str, aggregator: str = 'avg', **more: object) -> dict[str, object]:
    return {'type': 'query_value', 'requests': [request(query, aggregator, **more)], 'autoscale': False}


def ratio(part: str, whole: str) -> dict[str, object]:
    queries = [
        {'data_source': 'metrics', 'name': name, 'query': f'{query}.as_count()', 'aggregator': 'sum'}
        for name, query in (('part', part), ('whole', whole))
    ]
    formulas = [{'formula': 'part / whole * 100'}]
    return {'type': 'query_value', 'requests': [{'queries': queries, 'formulas': formulas}], 'autoscale': False}


def compared(comparator: str) -> dict[str, object]:
    # A comparator and a palette by the names of things that JavaScript knows are none.
    formats = [
        {'comparator': 'constructor', 'value': 0, 'palette': 'constructor_on_constructor'},
        {'comparator': comparator, 'value': 0.7, 'palette': 'white_on_red'},
    ]
    return value('max:odd.fixed{*}', 'last', conditional_formats=formats)


def top(query: dict[str, object]) -> dict[str, object]:
    return {'type': 'toplist', 'requests': [query]}


ORDER = {'count': 2, 'order_by': [{'type': 'formula', 'index': 0, 'order': 'asc'}]}
LIMIT = [{'formula': 'q', 'limit': {'count': 1, 'order': 'desc'}}]
WIDGETS = {
    # One minute's average over the hosts is 80/3 for two hours, then 30. In five minutes, 5 buckets of 20 s have a
    # value: hosts are joined where one of them has a sample.
    'last': (value(GAUGE, 'last'), 30, 30),
    'avg': (value(GAUGE, 'avg'), (80 / 3 + 30) / 2, 30),
    'sum': (value(GAUGE, 'sum'), 120 * (80 / 3 + 30), 5 * 30),
    'min': (value(GAUGE, 'min'), 80 / 3, 30),
    'max': (value(GAUGE, 'max'), 30, 30),
    # Four in ten seconds, one of them an error.
    'count': (value('sum:odd.count{*}.as_count()', 'sum'), 4 * 1440, 4 * 30),
    'rate': (value('sum:odd.count{*}.as_rate()'), 0.4, 0.4),
    'percentage': (ratio('sum:odd.count{result:error}', 'sum:odd.count{*}'), 25, 25),
    'per second': (value('per_second(avg:odd.ramp{*})'), 1, 1),
    'above': (compared('>'), 0.7, 0.7),
    'at least': (compared('>='), 0.7, 0.7),
    'below': (compared('<'), 0.7, 0.7),
    'at most': (compared('<='), 0.7, 0.7),
    'the greatest first': (top(request(BY_HOST)), [('host:b', 40), ('host:c', 30), ('host:a', 15)], None),
    'the least first': (top(request(BY_HOST, sort=ORDER)), [('host:a', 15), ('host:c', 30)], None),
    'limited': (top(request(BY_HOST, formulas=LIMIT)), [('host:b', 40)], None),
    'older': (top({'q': f"top({BY_HOST}, 2, 'max', 'desc')"}), [('host:b', 40), ('host:c', 30)], None),
    'older, least': (top({'q': f"top({BY_HOST}, 1, 'min', 'asc')"}), [('host:a', 10)], None),
    'chosen': (top(request('avg:odd.gauge{$host} by {host}')), [('host:b', 40), ('host:a', 15)], None),
}
PER_HOUR = {
    'type': 'timeseries',
    'requests': [{'q': 'sum:odd.gauge{host:a}.rollup(sum, 3600)', 'style': {'palette': 'constructor'}}],
    'markers': [{'value': 'y = 5', 'display_type': 'constructor'}],
}
SIGNALS = """
timezone: Europe/Berlin
series:
  - {metric: odd.gauge, tags: [host:a], type: gauge, interval: 60s, values: 10x120 20x120}
  - {metric: odd.gauge, tags: [host:b], type: gauge, interval: 60s, values: 40x240}
  - {metric: odd.gauge, tags: [host:c], type: gauge, interval: 60s, values: 30x240}
  - {metric: odd.fixed, tags: [host:a], type: gauge, interval: 60s, values: 0.7x240}
  - {metric: odd.ramp, tags: [host:a], type: gauge, interval: 60s, values: 0+60x239}
  - {metric: odd.count, tags: [host:a, result:error], type: count, interval: 10s, values: 1x1440}
  - {metric: odd.count, tags: [host:a, result:fine], type: count, interval: 10s, values: 3x1440}
"""


def page_of(folder, scenario: str, dashboards=(), name: str = 'High'):
    assets = folder / 'odd' / 'assets'
    for kind in ('dashboards', 'monitors', 'downtimes'):
        (assets / kind).mkdir(parents=True)
    for index, body in enumerate(dashboards):
        (assets / 'dashboards' / f'{index}.json').write_text(json.dumps(body))
    query = 'avg(last_5m):avg:odd.gauge{*} by {host} > 60'
    monitor = {'name': name, 'type': 'query alert', 'query': query, 'message': '{{value}}', 'options': {}}
    (assets / 'monitors' / 'high.json').write_text(json.dumps(monitor))
    (folder / 'scenario.yaml').write_text(scenario)
    read_assets = bundle.read(folder / 'odd')
    result = rehearse(read(folder / 'scenario.yaml'), read_assets)
    return report.write(read_assets, [Judgement(result)], folder / 'page')


@pytest.fixture(scope='module')
def afternoon(tmp_path_factory):
    widgets = [{'definition': {**body, 'title': title}} for title, (body, *_) in WIDGETS.items()]
    widgets.append({'definition': {**PER_HOUR, 'title': 'per hour'}})
    variables = [{'name': 'host', 'prefix': 'host', 'defaults': ['a', 'b']}]
    dashboard = {'title': 'Numbers', 'layout_type': 'ordered', 'widgets': widgets, 'template_variables': variables}
    other = {'title': 'Other', 'widgets': [], 'template_variables': [{'name': 'host', 'prefix': 'host'}]}
    scenario = f'start: 2027-01-05T12:00:00\nlength: 4h\n{SIGNALS}'
    return page_of(tmp_path_factory.mktemp('afternoon'), scenario, [dashboard, other])


def lists(browser) -> dict[str, list[tuple[str, float]]]:
    found = browser.run("""
        const entry = (bar) => [bar.querySelector('bdi').textContent, +bar.dataset.value];
        return [...document.querySelectorAll('[data-widget=toplist]')].map((one) => [
            one.querySelector('h3').textContent, [...one.querySelectorAll('.bar')].map(entry)]);""")
    return {title: [tuple(entry) for entry in entries] for title, entries in found}


def test_numbers_lists_and_sums_equal_the_expected_ones(browser, afternoon):
    browser.open(afternoon)
    assert browser.problems() == []
    for choice, index in (('Whole', 1), ('5 min', 2)):
        browser.choose(choice)
        numbers = {title: told[index] for title, told in WIDGETS.items() if not isinstance(told[1], list)}
        # The page holds points of 32 bits.
        assert browser.numbers() == pytest.approx(numbers, rel=2**-24)
    browser.choose('Whole')
    assert lists(browser) == {title: told[1] for title, told in WIDGETS.items() if isinstance(told[1], list)}
    assert browser.traces() == [[600, 600, 1200, 1200]]


def test_a_bound_includes_only_its_own_value(browser, afternoon):
    browser.open(afternoon)
    colours = dict(
        browser.run("""
            return [...document.querySelectorAll('[data-widget=query_value]')].map((one) => [
                one.querySelector('h3').textContent,
                getComputedStyle(one.querySelector('.figure')).backgroundColor]);""")
    )
    assert {title for title, colour in colours.items() if colour == RED} == {'at least', 'at most'}


def test_a_dashboard_keeps_its_own_selection(browser, afternoon):
    browser.open(afternoon)
    options = browser.run("return [...document.querySelectorAll('.toolbar option')].map((one) => one.textContent)")
    assert options == ['*', 'a or b', 'a', 'b', 'c']
    browser.set('.toolbar select', 'c')
    assert lists(browser)['chosen'] == [('host:c', 30)]
    browser.turn_to('#/dashboards/1')
    assert browser.run("return document.querySelector('.toolbar select').value") == '*'
    assert 'No widget' in browser.run("return document.querySelector('main').textContent")
    browser.turn_to('#/dashboards/0')
    assert browser.run("return document.querySelector('.toolbar select').value") == 'c'


def test_a_time_frame_without_a_bucket_is_reported(browser, afternoon):
    browser.open(afternoon)
    browser.choose('5 min')
    assert 'No bucket of 1 hour begins in this frame' in browser.run("return document.querySelector('main').innerText")


def test_a_chart_shrinks_with_its_row(browser, tmp_path):
    layouts = [{'x': place * 30, 'y': 0, 'width': 28, 'height': 18} for place in range(4)]
    graph = {'type': 'timeseries', 'title': 'by host', 'requests': [{'q': BY_HOST}]}
    widgets = [{'definition': graph, 'layout': layout} for layout in layouts]
    dashboard = {'title': 'Free', 'layout_type': 'free', 'widgets': widgets}
    browser.open(page_of(tmp_path, f'start: 2027-01-05T12:00:00\nlength: 4h\n{SIGNALS}', [dashboard]))
    heights = browser.run("return [...document.querySelectorAll('.chart')].map((one) => one.clientHeight)")
    assert len(heights) == 4
    assert all(180 <= height < 300 for height in heights), heights
    drawn = browser.run("return [...document.querySelectorAll('.chart')].map((one) => one.chart.height)")
    assert drawn == heights


CHANGES = [
    # The minutes until 01:00 UTC, when the clocks change, and the tick at six in the morning in hours from the start.
    pytest.param('2027-03-27T12:00:00', 840, 17, id='an hour left out'),
    pytest.param('2027-10-30T12:00:00', 900, 19, id='an hour twice'),
]


@pytest.mark.parametrize(('start', 'minutes', 'six'), CHANGES)
def test_a_chart_and_its_lanes_agree_where_the_clocks_change(browser, tmp_path, start, minutes, six):
    signal = f'{{metric: odd.gauge, tags: [host:a], type: gauge, interval: 60s, values: 10x{minutes} 90x60 10x1920}}'
    scenario = f'start: {start}\nlength: 2d\ntimezone: Europe/Berlin\nseries:\n  - {signal}\n'
    browser.open(page_of(tmp_path, scenario), '#/monitors')
    assert browser.problems() == []
    times, values, axis, ticks, bar, width = browser.run("""
        const {lines, ticks, chart: {scales: {x}}} = document.querySelector('.chart');
        const {t, v} = lines.find(({role}) => role === 'value');
        const {left, width} = document.querySelector('.band [data-state=Alert]').style;
        return [t, v, [x.min, x.max], ticks, parseFloat(left) / 100, parseFloat(width) / 100];""")
    begin, end = axis
    assert end - begin == 48 * 3600
    shares = (np.array(times) - begin) / (end - begin)
    assert (np.diff(shares) > 0).all()
    above = shares[np.array(values) > 60]
    # Its points stand for ten minutes, from their instant on.
    bucket = 600 / (end - begin)
    assert bar == pytest.approx(above[0], abs=bucket)
    assert bar + width == pytest.approx(above[-1] + bucket, abs=bucket)
    # Four of five points are above after three minutes, and three are not after 62. A lane has a column per pixel.
    assert bar == pytest.approx((minutes + 3) / 2880, abs=1 / 1000)
    assert bar + width == pytest.approx((minutes + 62) / 2880, abs=1 / 1000)
    (at,) = [at for at, text in ticks if text == '06:00' and at < begin + 24 * 3600]
    assert at - begin == six * 3600


@pytest.mark.parametrize('name', ['High', 'High at {{value}}'])
def test_a_message_without_its_text_keeps_its_title_and_value(browser, tmp_path, monkeypatch, name):
    monkeypatch.setattr('ddassets.report.inbox.MAX_TEXTS', 1)
    signal = '{metric: odd.gauge, tags: [host:a], type: gauge, interval: 60s, values: 10x10 90x10 10x10 95x10 10x20}'
    scenario = f'start: 2027-01-05T12:00:00\nlength: 1h\nnotify: "@a@example.com"\nseries:\n  - {signal}\n'
    browser.open(page_of(tmp_path, scenario, name=name), '#/inbox')
    messages = browser.run('return state.rehearsal.messages')
    assert [(one['state'], one['recipients']) for one in messages] == [
        (state, ['@a@example.com']) for state in ('Alert', 'OK', 'Alert', 'OK')
    ]
    # Of five points four times 90, three times; three times 95, twice; the rest 10.
    assert [one['value'] for one in messages] == ['74', '58', '61', '44']
    for one in messages:
        assert one['title'].endswith(f'] High at {one["value"]}.0' if 'value' in name else '] High')
    assert len({one['title'] for one in messages}) == (4 if 'value' in name else 2)
    assert [one['prose'] is not None for one in messages] == [False, False, False, True]
    browser.run("document.querySelector('.row').click()")
    assert 'The text is left out' in browser.run("return document.querySelector('.message').innerText")
