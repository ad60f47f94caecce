"""The page of composites, checks and counted events: the lanes of members, the state Unknown, and samples."""

import re
from importlib.resources import files
from pathlib import Path

import constructs
import numpy as np
import pytest

from ddassets import report
from ddassets.rehearsal import Judgement

BY_NAME = {construct.name: construct for construct in constructs.constructs()['monitors']}


@pytest.fixture(scope='module')
def page(browser, tmp_path_factory):
    """Opens the page of a monitor's rehearsal, with others beside it, at a part; each page is written once."""
    folder = tmp_path_factory.mktemp('acme')
    bundle = constructs.write(folder)
    written: dict[tuple[str, ...], Path] = {}

    def open_(*names, part='#/monitors'):
        if names not in written:
            rehearsal = constructs.run(BY_NAME[names[0]], bundle, names)
            written[names] = report.write(bundle, [Judgement(rehearsal)], tmp_path_factory.mktemp('page'))
        browser.open(written[names], part)
        assert browser.problems() == []
        return browser

    return open_


LANES = """
return [...document.querySelectorAll('.monitor-group')].map((group) => [
    group.querySelector('h3')?.textContent || '*',
    Object.fromEntries([...group.querySelectorAll('.lane')].filter((lane) => lane.querySelector('i')).map((lane) => [
        lane.querySelector('span').textContent, [...lane.querySelectorAll('i')].map((one) => one.dataset.state)]))])"""


@pytest.mark.rule('13.4', '13.6', '13.14')
def test_a_composite_shows_the_states_of_its_members_as_lanes(page):
    browser = page('Database and its disk')
    assert browser.run("return document.querySelectorAll('.chart').length") == 0
    alert = ['OK', 'Alert']
    assert dict(browser.run(LANES)) == {
        'host:a,device:sda': {'a': alert, 'b': alert, 'c': alert, 'state': ['OK', 'Alert', 'OK']},
        'host:a,device:sdb': {'a': alert, 'b': ['OK'], 'c': alert, 'state': ['OK']},
        'host:b,device:sda': {'a': ['OK'], 'b': ['Alert'], 'c': alert, 'state': ['OK']},
    }
    lines = browser.run("return document.querySelector('.members').innerText").split('\n')
    assert lines == ['a', 'Database answers', 'b', 'Disk waits', 'c', '1003', 'state', 'a && b && !c']


CHANGES = """
return [...document.querySelectorAll('.changes tr')].map((row) => [...row.cells].map((one) => one.innerText.trim()))"""


@pytest.mark.rule('13.21')
def test_the_changes_of_a_composite_name_the_states_and_values_of_its_members(page):
    browser = page('Backlog without workers', 'Backlog is held')
    assert browser.run(CHANGES) == [
        ['When', 'State', 'a', 'b'],
        ['10:00', 'OK', 'OK 0', 'OK 2'],
        ['10:08', 'Alert', 'Alert 2', 'Alert 1'],
        ['10:13', 'OK', 'Alert 2', 'OK 2'],
    ]
    # One of the members is on the page.
    links = "return [...document.querySelectorAll('.members a')].map((one) => [one.textContent, one.hash])"
    assert browser.run(links) == [['Backlog is held', '#/monitors/1']]
    browser.run('setFrame(...arguments)', *(1799056800 + 60 * minute for minute in (10, 30)))
    browser.settle()
    assert [row[0] for row in browser.run(CHANGES)] == ['When', '10:13']


def test_the_lanes_have_the_axis_of_the_frame(page):
    browser = page('Backlog without workers')
    shown = "return [...document.querySelectorAll('.axis span')].map((one) => [one.textContent, one.style.left])"
    labels, places = zip(*browser.run(shown), strict=True)
    assert labels == ('10:00\n4 Jan', '10:05', '10:10', '10:15', '10:20', '10:25', '10:30')
    assert [float(one.removesuffix('%')) for one in places] == pytest.approx(
        [100 / 6 * at for at in range(7)], abs=1e-3
    )


@pytest.mark.rule('14.10')
def test_unknown_has_its_own_lane_mark_legend_and_filter(page):
    browser = page('Probe that cannot tell', 'Probe can tell')
    found = browser.run(LANES)
    assert found[0][1] == {
        'a': ['OK', 'Unknown', 'Alert', 'OK'],
        'state': ['OK', 'No Data', 'Alert', 'OK'],
    }
    assert found[1][1]['state'] == ['OK', 'Unknown', 'Alert', 'OK']
    marks = "return [...document.querySelectorAll('.mark')].map((one) => [one.dataset.state, one.textContent])"
    assert ['Unknown', 'U'] in browser.run(marks)
    key = "return [...document.querySelectorAll('.key [data-state]')].map((one) => one.textContent)"
    assert browser.run(key) == ['OK', 'No Data', 'Unknown', 'Warn', 'Alert']
    browser.turn_to('#/inbox')
    browser.set('[data-filter=state] select', 'Unknown')
    rows = "return [...document.querySelectorAll('.row .title')].map((one) => one.textContent)"
    assert browser.run(rows) == ['[Unknown on {host:a}] Probe can tell']
    browser.turn_to('#/')
    heads = "return [...document.querySelectorAll('.scenario th')].map((one) => one.textContent)"
    assert 'Unknown' in browser.run(heads)


def test_pages_without_checks_do_not_explain_unknown(page):
    browser = page('Temperature peaks')
    key = "return [...document.querySelectorAll('.key [data-state]')].map((one) => one.textContent)"
    assert browser.run(key) == ['OK', 'No Data', 'Warn', 'Alert']
    browser.turn_to('#/inbox')
    assert 'Unknown' not in browser.run("return document.querySelector('[data-filter=state] select').innerText")


@pytest.mark.rule('15.14')
def test_samples_are_said_to_be_left_out_but_not_of_a_recovery(page):
    browser = page('Errors by service', part='#/inbox')
    note = '[up to 10 samples of the events: not shown]'
    for form in ('E-mail', 'Slack'):
        said = []
        for row in range(3):
            browser.run("document.querySelectorAll('.row')[arguments[0]].click()", row)
            browser.run("document.querySelector(`.pane [data-choice='${arguments[0]}']`).click()", form)
            said.append(note in browser.run("return document.querySelector('.arrival').innerText"))
        assert said == [True, True, False], form
    browser = page('Temperature peaks', part='#/inbox')
    assert note not in browser.run("return document.querySelector('.arrival').innerText")


def test_groups_that_notify_by_combines_have_no_lanes_of_members(browser, tmp_path):
    bundle = constructs.write(tmp_path)
    source = BY_NAME['Database and its disk']
    body = {**source.body, 'options': {'notify_by': ['host']}}
    rehearsal = constructs.run(source, bundle, [body])
    browser.open(report.write(bundle, [Judgement(rehearsal)], tmp_path / 'page'), '#/monitors')
    assert browser.problems() == []
    assert [group for group, _ in browser.run(LANES)] == ['host:a', 'host:b']
    assert 'notify_by combines groups' in browser.run("return document.querySelector('.absent').textContent")


def test_lanes_mark_the_moment_of_a_failure(page):
    browser = page('Backlog without workers')
    place = browser.run("""
        const {monitors: [monitor], start, end} = state.rehearsal;
        const box = monitorGroup(monitor, monitor.groups[0], [], (start + end) / 2);
        document.querySelector('main').append(box);
        layTracks();
        return box.querySelector('.axis b').style.left;""")
    assert place == '50%'


@pytest.mark.parametrize('theme', ['light', 'dark'])
@pytest.mark.parametrize('name', ['Database and its disk', 'Probe can tell'])
def test_fits_a_narrow_window_and_stands_out_in_both_themes(browser, page, theme, name):
    browser.theme(theme)
    try:
        for width in (1400, 375):
            browser.resize(width, 900)
            page(name)
            assert browser.faint() == []
            assert browser.run('return document.documentElement.scrollWidth') <= width
    finally:
        browser.resize(1400, 900)
        browser.theme('light')


# What the colour-blind see, as linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
SEEN = {
    'anyone': np.eye(3),
    'without red': np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    'without green': np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    'without blue': np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour, seen):
    channels = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(seen @ linear, 0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = np.cbrt(xyz)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize('theme', [0, 1], ids=['light', 'dark'])
@pytest.mark.parametrize('seen', SEEN.values(), ids=SEEN)
def test_unknown_is_apart_from_every_other_state_for_the_colour_blind(theme, seen):
    style = files('ddassets.report').joinpath('page.css').read_text()
    fills = dict(re.findall(r'--(\w+)-fill: (#\w{6})', style.split("[data-theme='dark']")[theme]))
    assert fills.keys() == {'ok', 'warn', 'alert', 'nodata', 'unknown'}
    own = lab(fills.pop('unknown'), seen)
    # A difference of 2 is just seen, one of 10 at a glance.
    apart = {state: float(np.linalg.norm(own - lab(colour, seen))) for state, colour in fills.items()}
    assert min(apart.values()) > 15, apart
