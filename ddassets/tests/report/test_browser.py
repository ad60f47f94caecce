"""The page in a real browser."""

import json
import statistics
from itertools import cycle, starmap

import numpy as np
import pytest

from ddassets import report
from ddassets.report.model import Page, Pool
from ddassets.report.page import write


@pytest.fixture
def page(browser, week):
    """The page of the week at its dashboard of `my_metric`, freshly loaded."""
    path, _ = week
    browser.open(path)
    return browser


def texts(browser, selector: str) -> list[str]:
    return browser.run('return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)', selector)


PARTS = ('#/dashboards/0', '#/dashboards/1', '#/monitors', '#/inbox', '#/basis')


@pytest.mark.parametrize('fragment', ['', *PARTS])
def test_loads_without_errors_and_without_external_requests(browser, week, fragment):
    path, _ = week
    browser.open(path, fragment)
    assert browser.problems() == []
    assert {url.partition('#')[0] for url in browser.requests()} == {path.as_uri()}


def test_reports_a_request_and_an_error(browser, tmp_path):
    """Canary of the two tests above."""
    script = '<script>library = 1; queue = []; drawings = new Map()</script>'
    (tmp_path / 'bad.html').write_text(f"{script}<img src='x.png'>")
    browser.open(tmp_path / 'bad.html')
    assert any(url.endswith('x.png') for url in browser.requests())
    assert browser.problems()


@pytest.mark.parametrize(
    ('dashboard', 'drawn'),
    [
        pytest.param(
            0,
            {
                'Current value': 'number',
                'Monitor status': 'list',
                'Average of the time frame': 'number',
                'Hosts reporting': 'number',
                'my_metric by host': 'chart',
                'my_metric: sum of all points per hour': 'chart',
                'MySQL queries per second, with the anomaly band': 'mysql.performance.queries',
            },
            id='overview',
        ),
        pytest.param(
            1,
            {
                'my_metric': 'number',
                'CPU in use (%)': 'system.cpu.idle',
                'Requests in the time frame': 'trace.flask.request.hits',
                'Error rate (%)': 'trace.flask.request.errors',
                'CPU (%)': 'system.cpu.user',
                'Memory (bytes)': 'system.mem.total',
                'Load per core': 'system.load.norm.15',
                'Disk I/O (KiB per second)': 'system.io.rkb_s',
                'Requests by resource': 'trace.flask.request.hits',
                'Errors by resource': 'trace.flask.request.errors',
                'Latency percentiles (seconds)': 'trace.flask.request',
                'MySQL queries per second': 'mysql.performance.queries',
                'my_metric by host': 'chart',
            },
            id='infrastructure',
        ),
    ],
)
def test_every_widget_is_drawn_or_names_missing_data(browser, week, dashboard, drawn):
    browser.open(week[0], f'#/dashboards/{dashboard}')
    widgets = {title: (kind, text, points) for title, _, kind, text, points in browser.widgets()}
    assert widgets.pop('note')[0] == 'note'
    assert widgets.keys() == drawn.keys()
    for title, expected in drawn.items():
        kind, text, points = widgets[title]
        assert kind == (expected if expected in ('number', 'list', 'chart') else 'empty'), title
        assert points or kind != 'chart', title
        if kind == 'empty':
            assert 'No data in this rehearsal' in text and expected in text


def test_notes_are_rendered_from_markdown(page):
    assert page.run("return document.querySelector('.note h2').textContent") == 'My Metric'
    assert 'The past 5 minutes.' in texts(page, '.note strong')
    assert not any('**' in text for text in texts(page, '.note'))


@pytest.mark.parametrize(
    ('choice', 'seconds'), [('Whole', 7 * 86400), ('1 d', 86400), ('4 h', 14400), ('1 h', 3600), ('5 min', 300)]
)
def test_a_time_frame_sets_the_axis(page, week, choice, seconds):
    _, result = week
    page.choose('4 h' if choice == '1 h' else '1 h')
    if choice == 'Whole':
        assert page.run("return +document.querySelector('.chart').dataset.from") != result.start
    page.choose(choice)
    frame = page.run("const {from, to} = document.querySelector('.chart').dataset; return [+from, +to]")
    assert frame == [result.end - seconds, result.end]
    shown = page.run("const {min, max} = document.querySelector('.chart').chart.scales.x; return [min, max]")
    assert shown == frame


def test_a_widget_keeps_its_own_time_frame(page, week):
    page.choose('5 min')
    charts = page.run("return [...document.querySelectorAll('.chart')].map((one) => one.dataset.to - one.dataset.from)")
    assert charts == [300, 86400]


def test_five_minutes_show_every_point_of_every_host(page, week):
    _, result = week
    page.choose('5 min')
    expected = [int((series.times // 20 * 20 >= result.end - 300).sum()) for series in result.series]
    assert [len(points) for points in page.traces()] == expected


def test_dragging_across_a_chart_zooms_every_chart(page, week):
    _, result = week
    left, y, width = page.run("""
        const plot = document.querySelector('.chart .u-over');
        plot.scrollIntoView({block: 'center'});
        const {left, top, width, height} = plot.getBoundingClientRect();
        return [left, top + height / 2, width];""")
    for kind, x in (('mousePressed', 0.25), ('mouseMoved', 0.4), ('mouseMoved', 0.5), ('mouseReleased', 0.5)):
        button = {'button': 'left', 'buttons': 1, 'clickCount': 1}
        page.command('Input.dispatchMouseEvent', type=kind, x=left + width * x, y=y, **button)
    page.settle()
    frame = page.run('return [state.from, state.to]')
    assert np.allclose((np.array(frame) - result.start) / (7 * 86400), [0.25, 0.5], atol=0.01)


def lines_of(result, query: str, bucket: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    from ddassets.language.query.syntax import parse_query

    expression = parse_query(f'{query}.rollup(avg, {bucket})')
    return {line.name: (line.times, line.values) for line in result.lines(expression, result.start, result.end)}


FRAMES = [('Whole', 7 * 86400, 3600), ('1 d', 86400, 300), ('4 h', 14400, 60), ('1 h', 3600, 20)]


@pytest.mark.parametrize(('choice', 'seconds', 'bucket'), FRAMES)
@pytest.mark.parametrize('host', ['*', 'beta-2'])
def test_numbers_equal_those_of_the_evaluation(page, week, choice, seconds, bucket, host):
    _, result = week
    page.set('.toolbar select', host)
    page.choose(choice)
    scope = '*' if host == '*' else f'host:{host}'
    times, values = lines_of(result, f'avg:my_metric{{{scope}}}', bucket)['*']
    inside = values[(times >= result.end - seconds) & (times < result.end)]
    by_host = lines_of(result, f'avg:my_metric{{{scope}}} by {{host}}', bucket)
    assert page.numbers() == {
        'Average of the time frame': pytest.approx(inside.mean(), rel=1e-5),
        'Current value': pytest.approx(inside[-1], rel=1e-5),
        'Hosts reporting': len(by_host),
    }
    for points, (times, values) in zip(page.traces(), by_host.values(), strict=True):
        assert points == pytest.approx(values[(times >= result.end - seconds) & (times < result.end)], rel=1e-5)


def test_a_long_frame_keeps_the_extremes(page, week):
    for series, edge in zip(week[1].series, page.traces(shading=True), strict=True):
        assert (min(edge), max(edge)) == (series.values.min(), series.values.max())


@pytest.mark.parametrize('banded', [pytest.param(False, id='none given'), pytest.param(True, id='given')])
def test_a_band_is_drawn_where_the_rehearsal_gives_one(browser, rehearsed, tmp_path, banded):
    request = _request('avg:my_metric{*} by {host}', formula="anomalies(query1, 'basic', 2)")
    _dashboard(tmp_path / 'int', [{'type': 'timeseries', 'title': 'Band', 'requests': [request]}])
    result = rehearsed(tmp_path / 'int', days=1, hosts={'alpha-1': '192.0.2.11'}, banded=banded)
    browser.open(report.write(result.bundle, [result], tmp_path / 'page'))
    drawn = browser.run("""
        const others = document.querySelector('.chart').lines.filter(({role}) => ['band', 'outside'].includes(role));
        const found = others.flatMap(({role, t, v}) => t.filter((at, i) => v[i] !== null).map((at) => [role, at]));
        return Object.groupBy(found, ([role]) => role);""")
    drawn = {role: [at for _, at in points] for role, points in drawn.items()}
    remark = browser.run("return document.querySelector('.remark:last-child').textContent")
    if not banded:
        assert drawn == {} and 'the rehearsal gives none' in remark
        return
    assert len(drawn['band']) == 2 * 288
    # In its last six hours the signal is below what the band expects; one point before joins the line.
    hours = 3600 * np.array([17 + 55 / 60, 23 + 55 / 60])
    assert [min(drawn['outside']), max(drawn['outside'])] == (result.start + hours).tolist()
    assert 'the one that the rehearsal gives' in remark


def _request(query: str, formula: str = 'query1', **more: object) -> dict[str, object]:
    queries = [{'data_source': 'metrics', 'name': 'query1', 'query': query, 'aggregator': 'avg'}]
    return {'queries': queries, 'formulas': [{'formula': formula}], 'response_format': 'timeseries', **more}


def _dashboard(folder, definitions) -> None:
    (folder / 'assets' / 'dashboards').mkdir(parents=True)
    widgets = [{'id': index, 'definition': definition} for index, definition in enumerate(definitions)]
    body = {'title': 'Every kind', 'layout_type': 'ordered', 'widgets': widgets}
    (folder / 'assets' / 'dashboards' / 'every_kind.json').write_text(json.dumps(body))


BY_HOST = 'avg:my_metric{*} by {host}'
KINDS = [
    ('lines', {'type': 'timeseries', 'requests': [_request(BY_HOST)]}, 'chart', ''),
    ('area', {'type': 'timeseries', 'requests': [_request(BY_HOST, display_type='area')]}, 'chart', ''),
    ('bars', {'type': 'timeseries', 'requests': [_request(BY_HOST, display_type='bars')]}, 'chart', ''),
    ('old query', {'type': 'timeseries', 'requests': [{'q': BY_HOST}]}, 'chart', ''),
    (
        'value',
        {'type': 'query_value', 'requests': [_request('avg:my_metric{*}')], 'custom_unit': 'apples'},
        'number',
        'apples',
    ),
    ('top list', {'type': 'toplist', 'requests': [_request(BY_HOST)]}, 'list', 'host:gamma-3'),
    ('note', {'type': 'note', 'content': 'a **bold** word'}, 'note', 'a bold word'),
    ('no monitor', {'type': 'manage_status', 'query': 'tag:"team:none"'}, 'empty', 'No monitor'),
    ('unknown metric', {'type': 'timeseries', 'requests': [_request('avg:spool.used{*}')]}, 'empty', 'spool.used'),
    ('image', {'type': 'image', 'url': 'https://example.com/x.png'}, 'placeholder', 'over the network'),
    ('logs', {'type': 'log_stream', 'query': 'service:web'}, 'placeholder', 'Logs are not rehearsed'),
    (
        'distribution',
        {'type': 'distribution', 'requests': [_request(BY_HOST)]},
        'placeholder',
        'type \u2068distribution',
    ),
    ('misspelt', {'type': 'timeserie', 'requests': []}, 'placeholder', 'type \u2068timeserie'),
    (
        'outside',
        {'type': 'timeseries', 'requests': [_request(BY_HOST, formula='abs(query1)')]},
        'placeholder',
        'Call is outside',
    ),
    ('search', {'type': 'manage_status', 'query': 'muted:true'}, 'placeholder', 'muted:'),
    (
        'formula',
        {'type': 'query_value', 'requests': [_request(BY_HOST, formula='top(query1, 1)')]},
        'placeholder',
        'uses top',
    ),
    (
        'events',
        {'type': 'timeseries', 'requests': [{'queries': [{'data_source': 'events'}]}]},
        'placeholder',
        'reads events',
    ),
    ('no request', {'type': 'toplist', 'requests': []}, 'placeholder', 'has no request'),
]


def test_every_widget_type_is_shown_or_names_missing_data(browser, rehearsed, tmp_path):
    _dashboard(tmp_path / 'int', [{**definition, 'title': title} for title, definition, *_ in KINDS])
    result = rehearsed(tmp_path / 'int', days=1)
    browser.open(report.write(result.bundle, [result], tmp_path / 'page'))
    assert browser.problems() == []
    found = browser.widgets()
    assert [title for title, *_ in found] == [title for title, *_ in KINDS]
    for (title, _, kind, text, points), (_, _, expected, words) in zip(found, KINDS, strict=True):
        assert (kind, words in text) == (expected, True), (title, text)
        assert (points > 0) is (kind == 'chart'), title


def test_conditional_formats_colour_a_number(page):
    value = page.numbers()['Current value']
    colour = page.run("return getComputedStyle(document.querySelector('.figure')).backgroundColor")
    red, yellow, green = 'rgb(200, 50, 60)', 'rgb(231, 179, 44)', 'rgb(44, 138, 83)'
    assert colour == (red if value > 800 else yellow if value > 500 else green)


def first_mark(browser, result, muted: bool):
    """Zoom to the first Alert that was muted, or was not; return its notification and open its mark."""
    monitor = result.monitors[0]
    group, found = next(
        (group, one)
        for group, all_of_them in monitor.notifications.items()
        for one in all_of_them
        if one.kind == 'alert' and bool(one.muted_by) is muted
    )
    browser.run('setFrame(arguments[0] - 120, arguments[0] + 120)', found.instant)
    browser.settle()
    index = list(monitor.notifications).index(group)
    browser.run(
        "document.querySelectorAll('.monitor-group')[arguments[0]].querySelector('.mark[data-state=Alert]').click()",
        index,
    )
    return found, group[0].removeprefix('host:')


def opened(browser) -> str:
    return browser.run("const reader = document.getElementById('reader'); return reader.open ? reader.innerText : ''")


def test_an_alert_mark_opens_its_message(browser, week):
    path, result = week
    browser.open(path, '#/monitors')
    notification, host = first_mark(browser, result, muted=False)
    message = opened(browser)
    assert f'{notification.value:.6g}' in message
    assert result.hosts[host] in message
    assert '[Triggered on' in message and '@oncall@example.com' in message
    assert 'Not sent' not in message


def test_a_muted_message_names_its_downtime(browser, week):
    path, result = week
    browser.open(path, '#/monitors')
    notification, _ = first_mark(browser, result, muted=True)
    message = opened(browser)
    assert 'Not sent: muted by the downtime' in message
    for name in notification.muted_by:
        assert name in message


def test_inbox_filters(browser, week):
    path, result = week
    browser.open(path, '#/inbox')
    notifications = [one for some in result.monitors[0].notifications.values() for one in some]
    own = sum(len(downtime.messages) for downtime in result.downtimes)
    muted = sum(bool(one.muted_by) for one in notifications)
    assert texts(browser, '.filters [role=status]') == [f'{len(notifications) - muted + own} sent, {muted} muted']

    def choose(key: str, value: str) -> str:
        browser.set(f'[data-filter={key}] select', value)
        return texts(browser, '.filters [role=status]')[0]

    assert choose('state', 'Downtime') == f'{own} sent, 0 muted'
    assert all('Downtime started' in text for text in texts(browser, '.row .title'))
    choose('state', '')
    assert choose('recipient', '@oncall@example.com') == f'{len(notifications) - muted} sent, {muted} muted'
    assert choose('recipient', '-') == '0 sent, 0 muted'
    choose('recipient', '')
    browser.run("document.querySelector('[data-filter=delivery] [data-choice=Muted]').click()")
    assert texts(browser, '.filters [role=status]') == [f'0 sent, {muted} muted']
    alerts = sum(one.kind == 'alert' and bool(one.muted_by) for one in notifications)
    assert choose('state', 'Alert') == f'0 sent, {alerts} muted'


def test_assumptions_and_coverage(browser, week):
    path, _ = week
    browser.open(path, '#/basis')
    text = browser.run("return document.querySelector('main').innerText")
    assert 'A13' in text and 'elapsed' in text
    assert '3 of 4 reached' in text and 'never reached' in text
    assert 'Rehearsal, not Datadog' in browser.run('return document.body.innerText')


OUTCOMES = [
    ((), 'Nothing expected', 'nothing is judged'),
    ((('calm', True),), '✓ Expectations held', 'The one expectation held'),
    ((('calm', True), ('loud: was calm', False)), '✗ Expectations failed', '1 of 2'),
]


def test_each_rehearsal_shows_its_verdicts(browser, rehearsed, tmp_path, week):
    results = [
        rehearsed(
            week[1].folder, days=1 + index, hosts={'alpha-1': ''}, verdicts=tuple(starmap(rehearsed.Verdict, verdicts))
        )
        for index, (verdicts, *_) in enumerate(OUTCOMES)
    ]
    browser.open(report.write(results[0].bundle, results, tmp_path), '#/basis')
    for index, (verdicts, chip, sentence) in enumerate(OUTCOMES):
        browser.set('#rehearsals select', str(index))
        assert browser.run('return [state.from, state.to]') == [results[index].start, results[index].end]
        assert texts(browser, '#outcome') == [chip]
        assert sentence in texts(browser, 'main section')[0]
        # What failed comes first.
        assert texts(browser, '.held li') == [text for text, _ in sorted(verdicts, key=lambda one: one[1])]


def test_arrow_keys_move_in_the_inbox(browser, week):
    path, _ = week
    browser.open(path, '#/inbox')
    browser.run("document.querySelector('.row').focus()")
    browser.press('ArrowDown', 40)
    browser.press('ArrowDown', 40)
    browser.press('ArrowUp', 38)
    assert browser.run("return [...document.querySelectorAll('.row')].indexOf(document.activeElement)") == 1
    browser.press('Enter', 13)
    rows = texts(browser, '.row[aria-current] .title')
    assert rows == texts(browser, '.pane h2') == [texts(browser, '.row .title')[1]]


def test_the_keyboard_opens_and_closes_a_message(browser, week):
    path, result = week
    browser.open(path, '#/monitors')
    reached = []
    while len(reached) < 60 and not (reached and reached[-1].startswith('mark')):
        browser.press('Tab', 9)
        reached.append(browser.run('return document.activeElement.className'))
    assert reached[0] == 'skip' and reached[-1].startswith('mark')
    browser.press('Enter', 13)
    assert 'averaged' in opened(browser)
    browser.press('Escape', 27)
    assert not opened(browser)
    assert browser.run('return document.activeElement.className').startswith('mark')


@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_fits_a_narrow_window_in_both_themes(browser, week, theme):
    path, _ = week
    browser.resize(375, 700)
    browser.theme(theme)
    try:
        browser.open(path)
        background = browser.run('return getComputedStyle(document.body).backgroundColor')
        assert background == {'light': 'rgb(245, 246, 248)', 'dark': 'rgb(20, 23, 29)'}[theme]
        for fragment in PARTS:
            browser.turn_to(fragment)
            assert browser.run('return document.documentElement.scrollWidth') <= 375, fragment
        assert browser.problems() == []
    finally:
        browser.resize(1400, 900)
        browser.theme('light')


@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_every_text_has_enough_contrast(browser, week, theme):
    """WCAG 2.2, level AA: 4.5 to 1, and 3 to 1 for large text."""
    path, _ = week
    browser.theme(theme)
    try:
        browser.open(path)
        for fragment in PARTS:
            browser.turn_to(fragment)
            assert browser.faint() == [], fragment
        browser.run("document.querySelector('h1').style.color = '#777'")
        assert len(browser.faint()) == 1
    finally:
        browser.theme('light')


@pytest.mark.parametrize('fragment', PARTS)
def test_fits_paper_and_keeps_its_colours(browser, week, fragment):
    path, _ = week
    browser.open(path, fragment)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.command('Emulation.setEmulatedMedia', media='print')
    try:
        edge, furthest, adjusted = browser.run("""
            const right = (one) => one.getBoundingClientRect().right;
            const parts = [...document.querySelectorAll('main .widget, main .card, main svg, main .track i, main tr')];
            return [right(document.querySelector('main')), Math.max(0, ...parts.map(right)),
                getComputedStyle(document.body).printColorAdjust];""")
        assert furthest <= edge + 1
        assert adjusted == 'exact'
        hidden = '#pages, #theme, .filters, .segments, .moves, .pane'
        assert (
            browser.run('return [...document.querySelectorAll(arguments[0])].filter((one) => one.offsetHeight)', hidden)
            == []
        )
        assert 'Rehearsal, not Datadog' in browser.run('return document.body.innerText')
    finally:
        browser.command('Emulation.setEmulatedMedia', media='')
        browser.run("dispatchEvent(new Event('afterprint'))")


def test_prints(browser, week):
    path, _ = week
    browser.open(path)
    assert len(browser.command('Page.printToPDF', landscape=True)['data']) > 50_000
    assert browser.problems() == []


def test_a_week_is_small_and_loads_quickly(browser, week):
    path, _ = week
    assert path.stat().st_size <= 1_200_000
    drawn = []
    for _ in range(3):
        browser.open(path)
        drawn.append(int(browser.run('return document.documentElement.dataset.firstChart')))
    assert statistics.median(drawn) < 2000, drawn


def test_a_year_stays_usable(browser, rehearsed, week, tmp_path):
    year = rehearsed(week[1].folder, days=365, hosts={'alpha-1': '192.0.2.11'})
    path = report.write(year.bundle, [year], tmp_path)
    assert path.stat().st_size <= 3_000_000
    browser.open(path)
    assert browser.problems() == []
    for choice in ('1 d', '1 h', 'Whole'):
        blocked = browser.driver.execute_async_script(
            """const [choice, done] = arguments; const from = performance.now();
               document.querySelector(`[data-choice='${choice}']`).click();
               requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - from)));""",
            choice,
        )
        assert blocked < 1500, choice
        browser.settle()
    points = browser.run("return document.querySelector('.chart').chart.data[0].length")
    assert points < 5000


COLUMNS = [
    pytest.param('numbers', [0, 1000, -5], 'i2', id='whole'),
    pytest.param('numbers', [0.7, None, 43.25, -0.01], 'i2', id='decimals'),
    pytest.param('numbers', [0.7, None, 123456.5], 'i4', id='more digits'),
    pytest.param('numbers', [80 / 3, None, 1 / 7], 'f4', id='averages'),
    pytest.param('numbers', [0.123456789, 1e300, None], 'f8', id='exact'),
    pytest.param('integers', [1_798_999_200, 60, 0, 600], 'i4', id='minutes'),
    pytest.param('integers', [7, 255, 0], 'u1', id='small'),
    pytest.param('integers', [-1, 300], 'i2', id='negative'),
    pytest.param('numbers', [], 'i2', id='empty'),
]


@pytest.mark.parametrize(('kind', 'values', 'type_'), COLUMNS)
def test_a_column_is_packed_and_unpacked(browser, tmp_path, kind, values, type_):
    pool = Pool()
    pool.numbers([3.5])
    column = np.array([np.nan if value is None else value for value in values], dtype=float)
    index = getattr(pool, kind)(column)
    assert pool.columns[index].type == type_
    browser.open(write(Page('columns', '0', [], pool), tmp_path), '')
    assert browser.problems() == []
    found = browser.run('return Array.from(column(arguments[0]))', index)
    exact = type_ != 'f4'
    assert found == [None if one is None else one if exact else pytest.approx(one, rel=1e-7) for one in values]


HOSTILE = {
    'markup': '<img src=x onerror="window.struck=1">',
    'script': '</script><script>window.struck=1</script>',
    'comment': '<!--<script>',
    'entity': '&lt;b&gt;&amp;',
    'chart': '<b>bold</b><a href="javascript:window.struck=1">go</a> %{x} $x$',
    'long': 'w' * 400,
    'right-to-left': '\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627',
    'line-ends': 'a\u2028b\u2029c',
}


def test_hostile_text_is_text(browser, rehearsed, week, tmp_path):
    folder = tmp_path / 'hostile'
    source = week[1].folder
    texts = cycle(HOSTILE.values())
    for kind in ('dashboards', 'monitors', 'downtimes'):
        (folder / 'assets' / kind).mkdir(parents=True)
        for file in (source / 'assets' / kind).glob('*.json'):
            body = json.loads(file.read_text())
            _spoil(body, texts)
            (folder / 'assets' / kind / file.name).write_text(json.dumps(body))
    every = ' '.join(HOSTILE.values())
    hosts = {text: text for text in HOSTILE.values()}
    result = rehearsed(folder, days=1, hosts=hosts, name=every, description=every, warnings=tuple(HOSTILE.values()))
    path = report.write(result.bundle, [result], tmp_path / 'page')
    browser.open(path)
    for fragment in PARTS:
        browser.turn_to(fragment)
        assert browser.run('return window.struck') is None
        assert browser.problems() == []
        assert browser.run('return document.documentElement.scrollWidth') <= 1400
        shown = browser.run("return document.querySelector('main').textContent")
        # The dashboard of the host and its service has no line to name a host by.
        expected = HOSTILE if fragment != '#/dashboards/1' else {}
        assert [name for name, text in expected.items() if text not in shown] == [], fragment
        assert browser.run("return document.querySelectorAll('main img, main script').length") == 0


def _spoil(body, texts) -> None:
    """Put a text into every place that a reader sees."""
    if isinstance(body, list):
        for item in body:
            _spoil(item, texts)
    elif isinstance(body, dict):
        for key, value in body.items():
            if key in _READ or (key == 'name' and 'message' in body):
                body[key] = next(texts)
            else:
                _spoil(value, texts)


_READ = ('title', 'alias', 'content', 'label', 'description', 'custom_unit')
