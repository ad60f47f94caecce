"""`--auto` takes SLO alerts through each state they allow, and says how fast they trigger."""

import json
from pathlib import Path

import pytest
from citing import rule
from made import MESSAGE

from ddassets import assets
from ddassets.assets import read_monitor, read_slo
from ddassets.assets.source import Unplaced
from ddassets.cli import main
from ddassets.engine import slo
from ddassets.rehearsal.auto.slo import survey_slo
from ddassets.rehearsal.starting import start

SOURCE = Unplaced(Path('acme.json'))
BURN = 'burn_rate("abc").over("30d").long_window("1h").short_window("5m") > 14.4'
BUDGET = 'error_budget("abc").over("7d") > 75'
SLICE = {
    'query': {
        'formulas': [{'formula': 'a'}],
        'queries': [{'data_source': 'metrics', 'name': 'a', 'query': 'avg:a{*}'}],
    },
    'comparator': '>',
    'threshold': 1,
}
PARTS = {
    'metric': {'query': {'numerator': 'sum:a{*} by {env}.as_count()', 'denominator': 'sum:b{*} by {env}.as_count()'}},
    'monitor': {'monitor_ids': [1]},
    'time_slice': {'sli_specification': {'time_slice': SLICE}},
}


def objective(type, target=99.9):
    thresholds = [{'timeframe': timeframe, 'target': target} for timeframe in ('7d', '30d')]
    return {'id': 'abc', 'name': 'Acme', 'type': type, 'thresholds': thresholds, **PARTS[type]}


def alert(query, warning=None, message=MESSAGE, **options):
    thresholds = {'critical': float(query.rpartition(' ')[2]), **({'warning': warning} if warning else {})}
    body = {'name': 'Burns', 'type': 'slo alert', 'query': query, 'message': message}
    return {**body, 'options': {'thresholds': thresholds, **options}}


def surveyed(query, type='metric', target=99.9, warning=None, **options):
    asset = read_monitor(SOURCE, alert(query, warning, **options))
    return survey_slo(asset, slo.of(asset), [read_slo(SOURCE, objective(type, target))])


def answers(found):
    """Alert, Warn, recovery and No Data as one word: Y yes, N no, - not set."""
    letters = {'yes': 'Y', 'no': 'N', 'not set': '-'}
    return ''.join(letters[one.answer] for one in (found.alert, found.warn, found.recovery, found.no_data))


@pytest.mark.parametrize(
    'query, type, options, expected, reason',
    [
        pytest.param(BURN, 'metric', {}, 'Y-Y-', '', id='metric'),
        pytest.param(BURN, 'metric', {'warning': 6}, 'YYY-', '', id='metric with a warning'),
        pytest.param(BURN, 'metric', {'warning': 6, 'evaluation_delay': 900}, 'YYY-', '', id='delay'),
        pytest.param(BURN, 'monitor', {}, 'Y-Y-', '', id='monitor'),
        pytest.param(
            BURN, 'monitor', {'warning': 6}, 'YNY-', 'a minute of downtime brings it', id='one minute is much'
        ),
        pytest.param(BURN.replace('14.4', '1.9'), 'monitor', {'target': 50, 'warning': 1}, 'YYY-', '', id='low target'),
        pytest.param(BURN, 'time_slice', {}, 'Y-Y-', '', id='slices'),
        pytest.param(BUDGET, 'metric', {'warning': 50}, 'YYY-', '', id='budget'),
        pytest.param(BUDGET, 'monitor', {'warning': 50}, 'YYY-', '', id='budget of monitors'),
        pytest.param(BUDGET, 'time_slice', {'warning': 40}, 'YYY-', '', id='budget of slices'),
        pytest.param(BUDGET, 'time_slice', {'warning': 50}, 'YNY-', 'a slice of downtime', id='one slice is much'),
        pytest.param(
            BUDGET.replace('75', '100000'), 'metric', {}, 'N-N-', 'is at most 100000 %', id='all is not enough'
        ),
        pytest.param(BURN.replace(' >', '.by("env") >'), 'metric', {}, 'Y-Y-', '', id='by group'),
    ],
)
@rule('18.6')
def test_every_state_is_reached_or_cannot_be(query, type, options, expected, reason):
    found = surveyed(query, type, **options)
    assert (answers(found), found.unsupported) == (expected, '')
    verdicts = (found.alert, found.warn, found.recovery)
    assert reason in ' '.join(one.reason for one in verdicts if one.answer == 'no')


@rule('18.7')
def test_a_burn_rate_that_the_target_excludes():
    with pytest.raises(slo.Unsupported, match='with the target of 50 % it is at most 2'):
        surveyed(BURN, target=50)


@rule('18.9')
def test_how_fast_it_triggers():
    found = surveyed(BURN)
    # All of a minute is 1/60 of the hour, a burn rate of 16.7; a tenth of nine minutes is one of 15.
    assert found.paces == {100.0: 60, 10.0: 540, 1.0: None, 0.1: None}
    assert found.error_share == pytest.approx(1.728)
    assert found.page_after == 60 * 51
    assert found.recovery_after == 60


def test_who_is_notified():
    found = surveyed(BURN, warning=6)
    assert found.notified['Alert'] == ('@pager', '@team-acme')
    assert found.notified['Warn'] == ('@team-acme',)
    assert found.unrendered == ('is_no_data',)
    assert found.pace == 'Alert after 1m at 100 % errors, 9m at 10 %, never at 1 % and 0.1 %'


def test_the_command(tmp_path, capsys):
    (tmp_path / 'slos.json').write_text(json.dumps([objective('metric')]))
    bodies = [alert(BURN), {**alert(BUDGET.replace('abc', 'abd')), 'name': 'Unknown'}]
    (tmp_path / 'monitors.json').write_text(json.dumps(bodies))
    main(['rehearse', '--auto', str(tmp_path)])
    shown = ' '.join(capsys.readouterr().out.split())
    assert '51m after the first bad minute, at 1.73 % errors' in shown
    assert 'Alert after 1m at 100 % errors, 9m at 10 %, never at 1 % and 0.1 %' in shown
    assert "no SLO 'abd'; did you mean abc?" in shown
    main(['rehearse', '--auto', '--format', 'json', str(tmp_path)])
    (burns, _) = json.loads(capsys.readouterr().out)['monitors']
    assert burns['paces'] == {'100': 60, '10': 540, '1': None, '0.1': None}


def started(query, body, tmp_path):
    (tmp_path / 'assets' / 'slos').mkdir(parents=True)
    (tmp_path / 'assets' / 'monitors').mkdir()
    (tmp_path / 'assets' / 'slos' / 'slo.json').write_text(json.dumps(body))
    (tmp_path / 'assets' / 'monitors' / 'burns.json').write_text(json.dumps(alert(query, 4)))
    bundle = assets.read(tmp_path)
    return start(bundle.monitors[0], bundle, tmp_path / 'rehearsals' / 'burns.yaml', 'schema.json')


GOOD_AND_BAD = {
    'good_events_formula': {'formula': 'good'},
    'bad_events_formula': {'formula': 'bad'},
    'queries': [
        {'data_source': 'metrics', 'name': name, 'query': f'sum:{name}{{*}} by {{env}}.as_count()'}
        for name in ('good', 'bad')
    ],
}


@pytest.mark.parametrize(
    'part',
    [
        pytest.param(
            {'query': {'numerator': 'sum:a{*}.as_count()', 'denominator': 'sum:b{*}.as_count()'}}, id='metrics'
        ),
        pytest.param(
            {'query': {'numerator': 'sum:a{status:ok}.as_count()', 'denominator': 'sum:a{*}.as_count()'}}, id='tags'
        ),
        pytest.param(
            {
                'query': {
                    'numerator': 'sum:a{*}.as_count() - sum:a{status:bad}.as_count()',
                    'denominator': 'sum:a{*}.as_count()',
                }
            },
            id='difference',
        ),
        pytest.param({'sli_specification': {'count': GOOD_AND_BAD}}, id='formulas'),
    ],
)
def test_init_writes_a_scenario(part, tmp_path):
    body = {**objective('metric'), 'query': None, **part}
    query = BURN.replace('30d', '7d').replace('14.4', '10')
    found = started(query, body, tmp_path)
    assert found.reason == ''
    assert '# Its errors: 0 % for OK, 0.7 % for Warn, 1.2 % for Alert.' in found.text
    assert 'to: Alert' in found.text and 'to: Warn' in found.text and 'to: OK' in found.text


def test_init_writes_a_scenario_of_a_budget(tmp_path):
    found = started(BUDGET, objective('metric'), tmp_path)
    assert [line.strip() for line in found.text.splitlines() if line.strip().startswith('to: ')] == [
        'to: Warn',
        'to: Alert',
        'to: Warn',
        'to: OK',
    ]


@pytest.mark.parametrize(
    'part, reason',
    [
        (PARTS['monitor'], 'for an SLO of type monitor'),
        (
            {'query': {'numerator': 'sum:a{*}.as_count()', 'denominator': 'sum:a{*}.as_count()'}},
            'no series of its queries counts as good or as bad alone',
        ),
    ],
)
def test_init_says_why_there_is_no_scenario(part, reason, tmp_path):
    kind = 'monitor' if 'monitor_ids' in part else 'metric'
    assert reason in started(BURN, {**objective(kind), **part}, tmp_path).reason
