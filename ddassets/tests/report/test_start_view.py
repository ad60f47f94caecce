"""The start view, the addresses that restore a view, and what the page says about assumptions and options."""

import json
from collections import Counter

import numpy as np
import pytest

from ddassets import cli, report
from ddassets.rehearsal.changes import Changes, GroupChanges, timing
from ddassets.rehearsal.verdict import Moment
from ddassets.rehearsal.what_if import Effect, WhatIf

MONITOR = 'My Metric is high'


@pytest.fixture(scope='module')
def failing(rehearsed, week, tmp_path_factory):
    """A page of two scenarios, of which the second fails on its second expectation, and the failure's moment."""
    folder = week[1].folder
    calm = rehearsed(folder, days=1, name='Calm', verdicts=(rehearsed.Verdict('calm', True),))
    moment = Moment(MONITOR, 'host:beta-2', calm.start + 86400 + 13 * 3600)
    verdicts = (rehearsed.Verdict('as expected', True), rehearsed.Verdict('too late: found 13:00', False, moment))
    loud = rehearsed(folder, days=3, name='Loud & "odd" = %?#$', verdicts=verdicts)
    what_if = _what_if(loud)
    loud = rehearsed(folder, days=3, name=loud.name, verdicts=verdicts, what_if=what_if)
    return report.write(calm.bundle, [calm, loud], tmp_path_factory.mktemp('failing')), loud, moment


def _what_if(result) -> WhatIf:
    """One assumption that removes the first notification of the first group, and one that changes nothing."""
    monitor = result.monitors[0]
    group, notifications = next(iter(monitor.notifications.items()))
    goes = timing(np.array([notifications[0].instant]), np.empty(0, dtype=np.int64), event=0, events=1)
    changes = Changes([GroupChanges(MONITOR, group[0], ['OK to Warn'], [goes])])
    return WhatIf((Effect('A1', '[from,to)', changes), Effect('A13', 'calendar')), (('A1', 'another'),))


def texts(browser, selector: str) -> list[str]:
    return browser.run('return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)', selector)


def test_a_failing_run_opens_on_its_first_failure(browser, failing):
    path, loud, moment = failing
    browser.open(path, '')
    assert browser.problems() == []
    assert texts(browser, 'h1') == ['1 of 2 scenarios failed']
    assert texts(browser, '#rehearsals option') == ['✓ Calm', f'✗ {loud.name}']
    name, start, end = browser.run('return [state.rehearsal.name, state.from, state.to]')
    assert name == loud.name and start < moment.at < end
    assert 'too late: found 13:00' in texts(browser, '#first-failure')[0]
    assert 'host:beta-2' in texts(browser, '#first-failure')[0]
    top, bottom = browser.run("""
        const {top, bottom} = document.querySelector('#first-failure .chart').getBoundingClientRect();
        return [top, bottom];""")
    assert 0 < top and bottom < 900
    # Failures first.
    assert [text.split(' ')[0] for text in texts(browser, '.scenario h2')] == ['Loud', 'Calm']


def test_a_failure_links_to_its_instant(browser, failing):
    path, _, moment = failing
    browser.open(path, '')
    browser.run("document.querySelector('.scenario .broken a').click()")
    browser.settle()
    assert texts(browser, 'h1') == ['Monitors']
    assert texts(browser, '.monitor-group h3') == ['host:beta-2']
    start, end = browser.run("const {from, to} = document.querySelector('.chart').dataset; return [+from, +to]")
    assert start < moment.at < end


def test_the_start_view_shows_recipients_and_times(browser, failing):
    path, loud, _ = failing
    browser.open(path, '')
    sent = [one for some in loud.monitors[0].notifications.values() for one in some if not one.muted_by]
    kinds = Counter(one.kind for one in sent)
    rows = browser.run("""
        const [table] = document.querySelectorAll('.scenario table');
        return [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent));""")
    oncall = dict(zip(rows[0], next(row for row in rows if row[0] == '@oncall@example.com'), strict=True))
    assert oncall['Alert'] == str(kinds['alert']) and oncall['Recovered'] == str(kinds['recovery'])
    first = min(one.instant for one in sent)
    assert oncall['First'].endswith(browser.run('return time(arguments[0])', first))


VIEW = """
    const reader = document.getElementById('reader');
    return [state.rehearsal.name, state.from, state.to, state.chosen, document.querySelector('h1').textContent,
        reader.open ? reader.innerText : '', document.querySelector('.row[aria-current]')?.textContent || '',
        document.querySelector('.filters [role=status]')?.textContent || '',
        [...document.querySelectorAll('.monitor-group h3')].map((one) => one.textContent)];"""
VIEWS = [
    pytest.param(0, '#/dashboards/1', 'setFrame(state.from + 7200, state.from + 9000)', id='frame'),
    pytest.param(
        1,
        '#/dashboards/0',
        "document.querySelector('.toolbar select').value = 'beta-2';"
        "document.querySelector('.toolbar select').dispatchEvent(new Event('change'))",
        id='variable',
    ),
    pytest.param(1, '#/monitors', "document.querySelectorAll('.mark')[2].click()", id='message in the chart'),
    pytest.param(
        1,
        '#/inbox',
        "document.querySelector('[data-choice=Muted]').click();document.querySelectorAll('.row')[3].click()",
        id='message in the inbox',
    ),
    pytest.param(1, '#/', 'setFrame(state.from, state.from + 3600)', id='start'),
]


@pytest.mark.parametrize(('scenario', 'part', 'act'), VIEWS)
def test_an_address_restores_the_view(browser, failing, scenario, part, act):
    path, *_ = failing
    browser.open(path, part)
    initial = browser.run(VIEW)
    browser.set('#rehearsals select', str(scenario))
    browser.run(act)
    browser.settle()
    left, address = browser.run(VIEW), browser.run('return location.hash')
    assert left != initial
    browser.open(path, address)
    assert browser.run(VIEW) == left
    browser.turn_to('#/basis')
    browser.driver.back()
    browser.settle()
    assert browser.run(VIEW) == left


@pytest.mark.parametrize(
    'address',
    [
        '#/inbox?message=99999',
        '#/monitors/7?from=x&to=y',
        '#/dashboards/9?$host=none',
        '#/constructor?scenario=none',
        '#/monitors?from=1&to=2',
    ],
)
def test_an_unknown_address_shows_the_start_view(browser, failing, address):
    browser.open(failing[0], address)
    assert browser.problems() == []
    start, end, first, last = browser.run('return [state.from, state.to, state.rehearsal.start, state.rehearsal.end]')
    assert first <= start < end <= last


def test_a_message_that_an_assumption_would_change_is_marked(browser, failing):
    path, loud, _ = failing
    instant = next(iter(loud.monitors[0].notifications.values()))[0].instant
    browser.open(path, '#/inbox')
    index = browser.run('return state.rehearsal.messages.find((one) => one.instant === arguments[0]).index', instant)
    marked = browser.run(
        'return state.rehearsal.messages.filter((one) => changesOf(one).length).map((one) => one.index)'
    )
    assert marked == [index]
    browser.open(path, f'#/inbox?message={index}')
    assert 'A1 as “[from,to)”: it would not come' in texts(browser, '.pane .sensitive')[0]
    browser.turn_to('#/basis')
    cells = texts(browser, 'table tr td:nth-child(4)')
    assert cells[:2] == ['“[from,to)”: 1 goes1 not tried', 'changes nothing']


def test_a_monitor_shows_its_options_and_its_template(browser, failing):
    path, loud, _ = failing
    browser.open(path, '#/monitors')
    shown = texts(browser, '.card .template')[0]
    body = loud.monitors[0].asset.body
    assert body['message'] in shown
    assert all(key in shown for key in body['options'])


def test_many_groups_can_be_searched_and_sorted(browser, rehearsed, week, tmp_path):
    hosts = {f'host-{index:02}': '' for index in range(20)}
    result = rehearsed(week[1].folder, days=1, hosts=hosts)
    browser.open(report.write(result.bundle, [result], tmp_path), '#/monitors')
    in_alert = {
        group[0]: int((timeline.states == 2).sum()) for group, timeline in result.monitors[0].timeline.groups.items()
    }
    assert len(set(in_alert.values())) > 3
    first = texts(browser, '.monitor-group h3')
    assert [in_alert[name] for name in first] == sorted(in_alert.values(), reverse=True)[:8]
    browser.set('main .filters select', 'name')
    assert texts(browser, '.monitor-group h3') == [f'host:host-{index:02}' for index in range(8)]
    browser.run("""const field = document.querySelector('main input');
        field.value = 'HOST-1'; field.dispatchEvent(new Event('input'))""")
    browser.settle()
    assert texts(browser, '.monitor-group h3') == [f'host:host-1{index}' for index in range(8)]
    assert texts(browser, 'main .filters [role=status]')[0].startswith('10 of 20 groups')


SURVEYED = {
    'High <b>': {'query': 'avg(last_5m):avg:odd.gauge{*} > 5', 'message': 'up @a@example.com'},
    'Never': {'query': 'avg(last_5m):100*avg:odd.u{*}/(avg:odd.u{*}+avg:odd.r{*}) > 120', 'message': '@b@example.com'},
    'Processes': {
        'query': 'processes("x").over("*").rollup("count").last("10m") > 5',
        'type': 'process alert',
        'message': '@c',
    },
}


def test_the_page_without_a_scenario_opens_with_a_row_for_each_monitor(browser, tmp_path, capsys):
    bodies = [{'name': name, 'type': 'query alert', 'options': {}, **body} for name, body in SURVEYED.items()]
    (tmp_path / 'monitors.json').write_text(json.dumps(bodies))
    folder = tmp_path / 'page'
    assert cli.main(['rehearse', '--auto', str(tmp_path / 'monitors.json'), '--report', str(folder)]) == 1
    assert f'the page is {folder / "index.html"}' in capsys.readouterr().err
    browser.open(folder / 'index.html', '')
    assert browser.problems() == []
    rows = browser.run("""
        return [...document.querySelectorAll('.surveys tbody tr')].map((row) => [
            row.dataset.verdict, row.querySelector('summary bdi').textContent,
            [...row.querySelectorAll('.answer')].map((one) => one.dataset.answer),
            row.cells[row.cells.length - 1].textContent]);""")
    assert rows == [
        ['failed', 'Never', ['no', 'not set', 'no', 'not set'], '–'],
        ['none', 'Processes', [], '–'],
        ['held', 'High <b>', ['yes', 'not set', 'yes', 'not set'], '@a@example.com'],
    ]
    browser.run("document.querySelector('summary').click()")
    assert '> 120 never holds' in browser.run("return document.querySelector('details[open]').innerText")


def test_all_charts_share_one_cursor(browser, failing):
    browser.open(failing[0], '#/dashboards/0')
    x, y = browser.run("""
        const over = document.querySelector('.chart .u-over');
        over.scrollIntoView({block: 'center'});
        const {left, top, width, height} = over.getBoundingClientRect();
        return [left + width / 2, top + height / 2];""")
    for step in (-4, 0):
        browser.command('Input.dispatchMouseEvent', type='mouseMoved', x=x + step, y=y)
    browser.run('return new Promise((done) => setTimeout(done, 100))')
    instant, under, own, tip = browser.run("""
        const charts = [...document.querySelectorAll('.chart')].map((one) => one.chart);
        return [+root.dataset.cursor, charts.map((u) => u.posToVal(u.cursor.left, 'x')),
            (state.from + state.to) / 2, document.querySelector('.tip:not([hidden])').textContent];""")
    assert len(under) > 1
    assert instant == pytest.approx(own, abs=60)
    assert under[0] == pytest.approx(instant, abs=1)
    # The second chart shows the past day alone: the instant is outside of it, and its cursor is hidden there.
    assert 'host:beta-2' in tip


SCREENS = [
    pytest.param('#/dashboards/0', 375, 667, id='dashboard, narrow'),
    pytest.param('#/dashboards/0', 1400, 900, id='dashboard'),
    pytest.param('#/monitors', 1400, 900, id='monitors'),
]


@pytest.mark.parametrize(('part', 'width', 'height'), SCREENS)
def test_a_chart_is_on_the_first_screen(browser, failing, part, width, height):
    browser.resize(width, height)
    try:
        browser.open(failing[0], part)
        tops = browser.run(
            "return [...document.querySelectorAll('.chart')].map((one) => one.getBoundingClientRect().top)"
        )
        assert min(tops) < height - 100
    finally:
        browser.resize(1400, 900)
