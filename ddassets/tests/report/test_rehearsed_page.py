"""The page of real rehearsals: my_metric's scenarios, from the command to the browser."""

import shutil
import webbrowser
from pathlib import Path

import pytest

from ddassets import assets as bundle
from ddassets import cli, report
from ddassets.agent.scenario_check import simulate
from ddassets.language.query.syntax import parse_query
from ddassets.rehearsal import Judgement, read, rehearse
from ddassets.rehearsal.coverage import coverage

INTEGRATION = Path(__file__).parents[3] / 'my_metric'
PARTS = ('#/dashboards/0', '#/dashboards/1', '#/monitors', '#/inbox', '#/basis')


@pytest.fixture(scope='module')
def rehearsed(tmp_path_factory):
    """The page of the working week, the busy afternoon and every state, and their rehearsals."""
    assets = bundle.read(INTEGRATION)
    names = ('working_week', 'busy_afternoon', 'every_state')
    found = [rehearse(read(INTEGRATION / 'rehearsals' / f'{name}.yaml'), assets, simulate) for name in names]
    return report.write(assets, map(Judgement, found), tmp_path_factory.mktemp('rehearsed')), *found


@pytest.fixture
def week(browser, rehearsed):
    path, result, *_ = rehearsed
    browser.open(path)
    return result


def text(browser, selector: str) -> str:
    return browser.run('return document.querySelector(arguments[0]).innerText', selector)


def test_loads_without_errors_and_requests(browser, rehearsed):
    path, *results = rehearsed
    assert path.stat().st_size <= 700_000
    browser.open(path)
    for index in range(len(results)):
        browser.set('#rehearsals select', str(index))
        assert text(browser, '#outcome') == '✓ Expectations held'
        for fragment in PARTS:
            browser.turn_to(fragment)
            assert browser.problems() == []
    assert {url.partition('#')[0] for url in browser.requests()} == {path.as_uri()}


@pytest.mark.parametrize('dashboard', [0, 1])
def test_every_widget_draws_the_busy_afternoon(browser, rehearsed, dashboard):
    path, _, afternoon, _ = rehearsed
    browser.open(path)
    browser.set('#rehearsals select', '1')
    browser.turn_to(f'#/dashboards/{dashboard}')
    found = [(kind, how, points, words) for _, kind, how, words, points in browser.widgets()]
    drawn = {'timeseries': 'chart', 'query_value': 'number', 'monitors': 'list', 'note': 'note'}
    # Distributions are not among what a scenario can give.
    rest = [one for one in found if 'trace.flask.request' not in one[3] or one[0] == 'note']
    assert len(found) - len(rest) == dashboard
    for kind, how, points, words in rest:
        assert how == drawn[kind], words
        assert points or kind != 'timeseries', words
        assert 'No data' not in words
    asset = next(one for one in afternoon.bundle.dashboards if one.title == text(browser, 'h1'))
    assert len(found) == sum(widget.type != 'group' for widget in asset.widgets)


def test_the_anomaly_is_outside_the_band(browser, rehearsed):
    path, *_ = rehearsed
    browser.open(path)
    browser.set('#rehearsals select', '1')
    outside = browser.run("""
        const lines = [...document.querySelectorAll('.chart')].flatMap((one) => one.lines);
        const {t, v} = lines.find(({role}) => role === 'outside');
        return t.filter((at, i) => v[i] !== null).map((at) => clock(at, true));""")
    # 118 rises by 0.6 every 15 seconds from 13:40 on, and 135 is the upper edge.
    assert outside[0] == 'Tue 5 Jan 2027, 13:46:00'


def test_the_past_five_minutes_change_the_axis(browser, week):
    shown = "const {min, max} = document.querySelector('.chart').chart.scales.x; return max - min"
    whole = browser.run(shown)
    browser.choose('5 min')
    assert [whole, browser.run(shown)] == [7 * 86400, 300]
    # Six or seven points of 45 seconds.
    assert len(browser.traces()[0]) in (6, 7)


@pytest.mark.parametrize('muted', [False, True], ids=['sent', 'muted'])
def test_the_mark_of_an_alert_opens_its_message(browser, rehearsed, muted):
    path, result, *_ = rehearsed
    (monitor,) = result.monitors
    ((_, notifications),) = monitor.notifications.items()
    alert = next(one for one in notifications if one.kind == 'alert' and bool(one.muted_by) is muted)
    browser.open(path, '#/monitors')
    browser.run('setFrame(arguments[0] - 60, arguments[0] + 60)', alert.instant)
    browser.settle()
    browser.run("document.querySelector('.mark[data-state=Alert]').click()")
    message = text(browser, '#reader')
    assert f'{alert.value:.6g}' in message
    assert 'alpha (192.0.2.11)' in message
    assert '[Triggered on {host:alpha}] My Metric is high' in message
    assert '@oncall@example.com' in message
    assert ('Not sent: muted by the downtime weeknights' in message) is muted


@pytest.mark.rule('3.28')
def test_a_message_is_shown_in_three_forms(browser, rehearsed):
    path, result, *_ = rehearsed
    (monitor,) = result.monitors
    ((group, notifications),) = monitor.notifications.items()
    recovery = next(one for one in notifications if one.kind == 'recovery' and one.sent)
    delivery = monitor.message(group, recovery).delivery
    browser.open(path, '#/inbox')
    browser.run("read([state.rehearsal.messages.find((one) => one.instant === arguments[0])])", recovery.instant)
    browser.settle()
    shown = text(browser, '#reader .arrival')
    subject, _ = delivery.email()
    for words in (
        subject,
        delivery.condition.replace('**', ''),
        delivery.last_triggered,
        'Monitor Status · Edit Monitor',
    ):
        assert words in shown
    addresses = browser.run(
        "return [...document.querySelectorAll('#reader .link[title^=https]')].map((one) => one.title)"
    )
    assert addresses == [link.address for link in delivery.links if link.address]
    browser.run("document.querySelector('#reader [data-choice=Slack]').click()")
    assert ', '.join(delivery.event_tags) in text(browser, '#reader .arrival')
    browser.run("document.querySelector('#reader [data-choice=Webhook]').click()")
    cells = browser.run("""
        return [...document.querySelectorAll('#reader .variables dt, #reader .variables dd')]
            .map((one) => one.textContent)""")
    variables = dict(zip(cells[::2], cells[1::2], strict=True))
    worded = {'$EVENT_MSG', '$TEXT_ONLY_MSG'}
    assert variables.keys() == delivery.webhook().keys()
    for name, value in delivery.webhook().items():
        assert name in worded or variables[name] == ('known to Datadog alone' if value is None else value)
    browser.run("document.querySelector('#reader [data-choice=E-mail]').click()")


def test_the_inbox_contains_all_due_messages(browser, rehearsed):
    path, result, *_ = rehearsed
    browser.open(path, '#/inbox')
    notifications = [one for some in result.monitors[0].notifications.values() for one in some]
    own = [message for downtime in result.downtimes for message in downtime.messages]
    muted = sum(bool(one.muted_by) for one in notifications)
    assert text(browser, '.filters [role=status]') == f'{len(notifications) - muted + len(own):,} sent, {muted:,} muted'
    browser.set('[data-filter=state] select', 'Downtime')
    assert text(browser, '.filters [role=status]') == f'{len(own)} sent, 0 muted'
    assert 'to @you@example.com' in text(browser, '.rows')


def test_the_numbers_equal_the_evaluation(browser, week):
    (line,) = week.lines(parse_query('avg:my_metric{*}.rollup(avg, 3600)'), week.start, week.end)
    assert browser.numbers() == {
        'Current value': pytest.approx(line.values[-1], rel=1e-5),
        'Average of the time frame': pytest.approx(line.values.mean(), rel=1e-5),
        'Hosts reporting': 1,
    }


SCENARIO = """
start: 2027-01-04T10:00:00
length: 1h
series:
  - {metric: my_metric, tags: [host:alpha], values: 200x80}
downtimes: []
expect: []
"""


def test_coverage_distinguishes_this_rehearsal_from_others(browser, rehearsed):
    path, _, afternoon, _ = rehearsed
    browser.open(path, '#/basis')
    browser.set('#rehearsals select', '1')
    rows = dict(
        browser.run("""
            return [...document.querySelectorAll('main table tbody tr')].map((row) =>
                [...row.cells].map((cell) => cell.textContent)).filter((cells) => cells.length === 2)""")
    )
    own = coverage(afternoon.monitors[0])
    assert rows == {what: '✓ reached' if yes else 'not reached, but in every_state' for what, yes in own}
    assert len(set(rows.values())) == 2


@pytest.fixture
def scenario(tmp_path):
    """A quiet hour, next to a copy of the integration's assets."""
    shutil.copytree(INTEGRATION / 'assets', tmp_path / 'quiet' / 'assets')
    shutil.copy(INTEGRATION / 'metadata.csv', tmp_path / 'quiet')
    path = tmp_path / 'quiet' / 'rehearsals' / 'hour.yaml'
    path.parent.mkdir()
    path.write_text(SCENARIO)
    return path


def test_the_command_writes_the_page_and_opens_it(scenario, tmp_path, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, 'open', opened.append)
    folder = tmp_path / 'made' / 'here'
    assert cli.main(['rehearse', str(scenario), '--report', str(folder), '--open']) == 0
    assert opened == [(folder / 'index.html').as_uri()]
    assert f'the page is {folder / "index.html"}' in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_refused(scenario, tmp_path, capsys):
    (tmp_path / 'taken').write_text('a file')
    assert cli.main(['rehearse', str(scenario), '--report', str(tmp_path / 'taken')]) == 2
    assert f'{tmp_path / "taken" / "index.html"}: cannot be written' in capsys.readouterr().err


def test_a_failed_rehearsal_has_a_page_too(browser, scenario, tmp_path):
    scenario.write_text(SCENARIO.replace('200x80', '600x80'))
    assert cli.main(['rehearse', str(scenario), '--report', str(tmp_path / 'page')]) == 1
    browser.open(tmp_path / 'page' / 'index.html', '#/basis')
    assert text(browser, '#outcome') == '✗ Expectations failed'


APPROXIMATED = """\
start: 2027-01-11T10:00:00Z
length: 3h
approximate: [outliers]
monitors:
  - name: Odd
    type: query alert
    query: "avg(last_30m):outliers(avg:acme.load{*} by {host}, 'dbscan', 3) > 0"
    message: Odd @a
series:
  - {metric: acme.load, type: gauge, interval: 60s, tags: ['host:a'], values: 10x180}
  - {metric: acme.load, type: gauge, interval: 60s, tags: ['host:b'], values: 11x180}
  - {metric: acme.load, type: gauge, interval: 60s, tags: ['host:c'], values: 10.5x180}
  - {metric: acme.load, type: gauge, interval: 60s, tags: ['host:e'], values: 10.4x180}
  - {metric: acme.load, type: gauge, interval: 60s, tags: ['host:d'], values: 10x60 12.8x60 10x60}
"""


@pytest.mark.rule('19.10')
def test_what_is_doubtful_of_an_approximation_is_shown(browser, scenario, tmp_path):
    scenario.write_text(APPROXIMATED)
    assert cli.main(['rehearse', str(scenario), '--report', str(tmp_path / 'page')]) == 0
    browser.open(tmp_path / 'page' / 'index.html', '#/monitors')
    assert browser.problems() == []
    shown = text(browser, '.verdict.sensitive')
    assert shown.startswith('approximate: constants unpublished. 2 parameter sets') and '2 of 2' in shown
    labels = browser.run(
        "return [...document.querySelectorAll('[aria-label^=doubtful], [aria-label=sure]')].map((one) => one.ariaLabel)"
    )
    assert sorted(labels) == ['doubtful for 1.2 hours', *['sure'] * 4]
    browser.open(tmp_path / 'page' / 'index.html', '#/inbox')
    assert '1 of 2 parameter sets, constant decides' in text(browser, '.pane .facts')
    assert browser.run("return document.querySelectorAll('.row .assumed[title^=doubtful]').length") == 2
    assert browser.problems() == []
