"""The snapshot of a widget, the wait for it, and the event that contains it."""

import copy
import json
from pathlib import Path

import pytest
from loopback import integration
from loopback.trial import run

from ddassets import assets as bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.org import snapshot
from ddassets.org.snapshot import choose, is_picture, spelled
from ddassets.sandbox.telemetry import png

MY_METRIC = Path(__file__).parents[2] / 'my_metric'
JOBS = ('--widget', 'Jobs', '--dashboard', 'jobs')


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(snapshot, 'PICTURE_PAUSE', 0.01)


@pytest.fixture
def spool(tmp_path):
    return integration.write(tmp_path, integration.ASSETS)


@pytest.mark.rule('8.1', '8.2', '8.3')
def test_a_picture_is_posted_once_it_exists(datadog, spool):
    datadog.organisation.renders_after = 3
    outcome = run(datadog, 'snapshot', spool, *JOBS, '--last', '4h', '--notify', '@a@example.com', '--notify', '@b')
    assert outcome.code == 0, outcome.said
    asked = datadog.exchanges[0].query
    assert asked['metric_query'] == ['avg:acme.spool.jobs{*} by {host}'] and asked['title'] == ['Jobs']
    assert int(asked['end'][0]) - int(asked['start'][0]) == 4 * 3600
    (event,) = datadog.organisation.events
    (path,) = datadog.organisation.pictures
    assert event['title'] == 'Jobs, the past 4 hours'
    assert event['text'].startswith(f'%%% \n![Jobs]({datadog.url}{path})\n') and event['text'].endswith('\n %%%')
    assert '@a@example.com @b' in event['text'] and 'avg:acme.spool.jobs{*} by {host}' in event['text']
    assert {'integration:acme-spool', 'ddassets:acme-spool'} < set(event['tags'])
    # The event comes after the last of the looks, at which the picture was there.
    assert [e.operation for e in datadog.exchanges] == ['GetGraphSnapshot', *['picture'] * 4, 'CreateEvent']
    assert f'{datadog.url}{path}' in outcome.out


def test_without_a_picture_there_is_no_event(datadog, spool):
    datadog.organisation.renders_after = 10**6
    outcome = run(datadog, 'snapshot', spool, *JOBS, '--wait', '0.1', '--json')
    assert outcome.code == 1 and 'the picture was not there after 0.1 s' in outcome.err
    assert json.loads(outcome.out)['ok'] is False
    assert datadog.organisation.events == []


def test_an_event_with_a_lost_response_is_not_posted_twice(datadog, spool):
    number = 5
    datadog.inject(number, '504_after_success')
    outcome = run(datadog, 'snapshot', spool, *JOBS)
    assert outcome.code == 0 and 's whether the event is there' in outcome.err
    assert [e.operation for e in datadog.exchanges][number - 1 :] == ['CreateEvent', 'ListEvents']
    assert len(datadog.organisation.events) == 1


def test_a_refused_event_is_posted_again(datadog, spool):
    datadog.inject(5, '503')
    assert run(datadog, 'snapshot', spool, *JOBS).code == 0
    assert datadog.counts()['CreateEvent'] == 2 and len(datadog.organisation.events) == 1


def test_a_long_query_is_cut_and_the_mention_kept(datadog, tmp_path):
    assets = {'dashboards/jobs.json': copy.deepcopy(integration.ASSETS['dashboards/jobs.json'])}
    query = assets['dashboards/jobs.json']['widgets'][1]['definition']['requests'][0]['queries'][0]
    query['query'] = f'avg:acme.spool.jobs{{{",".join(f"tag_{i}:value" for i in range(400))}}}'
    folder = integration.write(tmp_path, assets)
    assert run(datadog, 'snapshot', folder, '--widget', 'jobs', '--notify', '@me').code == 0
    (event,) = datadog.organisation.events
    assert len(event['text']) == 4000 and event['text'].endswith('…`\n\n@me\n %%%')


def test_dry_run_shows_query_and_event(datadog, spool):
    outcome = run(datadog, 'snapshot', spool, *JOBS, '--host', 'alpha', '--notify', '@me', '--dry-run')
    assert outcome.code == 0 and outcome.out.startswith('avg:acme.spool.jobs{host:alpha} by {host}\n')
    assert '@me\n %%%' in outcome.out and datadog.exchanges == []


@pytest.mark.parametrize(
    'options, words',
    [
        pytest.param((), ('--widget is missing', 'Jobs  (Acme Spool Jobs)'), id='no-widget'),
        pytest.param(('--widget', 'Job'), ("there is no 'Job'; did you mean Jobs?",), id='misspelt'),
        pytest.param(('--widget', 'About', '--dashboard', 'x'), ("--dashboard: there is no 'x'",), id='no-dashboard'),
        pytest.param(('--widget', 'Jobs', '--notify', 'me'), ('expected a handle',), id='no-handle'),
        pytest.param(('--widget', 'Jobs', '--last', '5'), ('expected a length such as 45s, 5m',), id='no-length'),
    ],
)
def test_queries_that_cannot_be_drawn(datadog, spool, options, words):
    outcome = run(datadog, 'snapshot', spool, *options)
    assert outcome.code == 2 and all(word in outcome.err for word in words), outcome.err
    assert datadog.exchanges == []


@pytest.mark.parametrize(
    'title, tags, query',
    [
        pytest.param('Current value', (), 'avg:my_metric{*}', id='variable'),
        pytest.param('current VALUE', ('host:a',), 'avg:my_metric{host:a}', id='tag'),
        pytest.param(
            'MySQL queries per second, with the anomaly band',
            (),
            "anomalies(avg:mysql.performance.queries{*}, 'basic', 2)",
            id='formula',
        ),
        pytest.param('my_metric: sum of all points per hour', (), 'sum:my_metric{*}.rollup(sum, 3600)', id='rollup'),
    ],
)
def test_the_query_of_a_widget(title, tags, query):
    assert choose(bundle.read(MY_METRIC), title, None, tags).query == query


def test_invalid_or_ambiguous_widgets():
    assets = bundle.read(MY_METRIC)
    with pytest.raises(UnusableInputError, match="'Monitor status' shows no metric"):
        choose(assets, 'Monitor status', None, ())
    both = [one for one in assets.dashboards for widget in one.widgets if widget.title == 'my_metric by host']
    assert len(both) == 2
    assert choose(assets, 'my_metric by host', 'My Metric Overview', ()).dashboard == 'My Metric Overview'


@pytest.mark.parametrize(
    'content, expected',
    [
        pytest.param(png(600, 200), True, id='picture'),
        pytest.param(png(1, 1), False, id='placeholder'),
        pytest.param(png(31, 31), False, id='larger-placeholder'),
        pytest.param(png(32, 32), True, id='small-picture'),
        pytest.param(png(600, 1), False, id='line'),
        pytest.param(b'<html>', False, id='page'),
        pytest.param(b'\x89PNG\r\n\x1a\n', False, id='truncated'),
        pytest.param(b'', False, id='nothing'),
    ],
)
def test_which_responses_are_pictures(content, expected):
    assert is_picture(content) == expected


@pytest.mark.parametrize(
    'seconds, words',
    [(1, 'second'), (45, '45 seconds'), (60, 'minute'), (300, '5 minutes'), (5400, '90 minutes'), (172800, '2 days')],
)
def test_lengths_in_words(seconds, words):
    assert spelled(seconds) == words
