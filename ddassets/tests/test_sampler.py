"""The check sampler, compared with the submissions of a real Agent, and unmeasured cases."""

import math
from collections import defaultdict

import pytest
import time_machine
from agent import probes

from ddassets.agent import collector
from ddassets.agent.collector import Recorder
from ddassets.agent.recording import Source, join, to_series
from ddassets.agent.sampler import Sample, Sampler
from ddassets.agent.simulator import Tape
from ddassets.cli.check_output import series_documents
from ddassets.diagnostic import UnusableInputError

PROBES = [pytest.param(probe, id=f'{probes.VERSION}-{probe["id"]}') for probe in probes.PROBES]


def sent(probe):
    """Return the result of the sampler for the probe, run by run, in the format of `ddassets check`."""
    recorder = Recorder(probes.KINDS)
    sampler = Sampler(probes.HOST, probes.SETTINGS[probe['agent_config']])
    points = defaultdict(list)
    warnings = []
    for run in probe['runs']:
        recorder.clear()
        for call in run['calls']:
            probes.submit(recorder, call)
        samples = [Sample(**{**one, 'tags': tuple(one['tags'])}) for one in recorder.samples]
        series, said = sampler.commit(samples, probes.ENDS[probe['agent_config'], run['run']])
        warnings += said
        for document in series_documents(series):
            [[instant, value]] = document['points']
            points[probes.key(document)].append([run['run'], instant - probes.ZERO, value])
    return dict(points), warnings


@pytest.mark.parametrize('probe', PROBES)
def test_the_sampler_sends_what_the_agent_sent(probe, cases):
    found, _ = sent(probe)
    assert probes.same(found, probes.expected(probe), probes.has_rates(probe)), (found, probe['agent'])
    cases[f'probes of Agent {probes.AGENT_VERSION}, equal'] += 1


# One series is of one type in a rehearsal.
TWO_TYPES = {'type_changes_after_pause'}


@pytest.mark.parametrize('probe', PROBES)
def test_the_simulated_clock_gives_what_the_agent_sent(probe):
    """The same in columns, as rehearsals collect them: points that overflowed are left out, a device is a tag."""
    tape = Tape(probes.KINDS)
    for run in probe['runs']:
        for call in run['calls']:
            probes.submit(tape, call)
        tape.commit(probes.ENDS[probe['agent_config'], run['run']])
    columns, runs = join([bytes(column) for column in tape.columns()])
    sources = [Source(*context[:5], context[5] or probes.HOST) for context in tape.contexts]
    arguments = sources, columns, runs, [5], lambda one: (*one.tags, f'host:{one.host}')
    settings = probes.SETTINGS[probe['agent_config']]
    if probe['id'] in TWO_TYPES:
        with pytest.raises(UnusableInputError, match='submitted as count and as gauge'):
            to_series(*arguments, settings)
        return
    series, _ = to_series(*arguments, settings)
    found = {
        (one.metric, one.kind, one.tags): [
            [int(time) - probes.ZERO, value]
            for time, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
        ]
        for one in series
    }
    wanted = {}
    for (metric, kind, _, tags, host, device), points in probes.expected(probe).items():
        all_tags = tags | {f'host:{host}'} | ({f'device:{device}'} if device else set())
        if kept := [point[1:] for point in points if point[2] is not None]:
            wanted[metric, kind, all_tags] = kept
    assert probes.same(found, wanted, probes.has_rates(probe)), (found, wanted)


def sample(kind, value, at=100.0, tags=(), host='', first=False, name='m'):
    return Sample(name, kind, value, tags, host, at, first)


def test_the_probes_are_all_there():
    assert len(PROBES) == 72
    # The comparison itself can fail.
    probe = next(probe for probe in probes.PROBES if probe['id'] == 'gauge_last')
    found, _ = sent(probe)
    wrong = {key: [[run, second, value + 1] for run, second, value in points] for key, points in found.items()}
    assert not probes.same(wrong, probes.expected(probe), rates=True)
    assert not probes.same({}, probes.expected(probe), rates=True)


@pytest.mark.parametrize(
    ('identifier', 'message'),
    [
        pytest.param(
            'two_types_gauge_count',
            'p.two_types_gauge_count: submitted as gauge and as count with the same tags and host; the first type',
            id='two-types',
        ),
        pytest.param('overflow', 'p.overflow.histogram.avg: the value overflows to inf', id='overflow'),
        pytest.param('rate_negative', 'p.rate_negative: the Agent drops a negative rate', id='negative-rate'),
        pytest.param('nan_inf', 'p.nan_inf: the Agent drops the value nan', id='nan'),
        pytest.param('two_types_by_tags', None, id='two-types-by-tags'),
        pytest.param('historate_negative', None, id='historate-keeps-negative-rates'),
    ],
)
def test_dropped_and_changed_samples_are_reported(identifier, message):
    probe = next(probe for probe in probes.PROBES if probe['id'] == identifier)
    _, warnings = sent(probe)
    assert (warnings == []) if message is None else any(said.startswith(message) for said in warnings), warnings


def commit(*runs):
    """The (metric, type, value) of the last run, and its warnings."""
    sampler = Sampler('here')
    for run in runs:
        series, warnings = sampler.commit(run, 100.0)
    return [(item.metric, item.type, item.value) for item in series], warnings


def test_a_rate_without_time_is_dropped():
    series, [warning] = commit([sample('rate', 1), sample('rate', 2)])
    assert series == []
    assert 'twice at the same time' in warning


def test_a_historate_without_time_divides_by_zero_as_go_does():
    series, warnings = commit([sample('historate', 1), sample('historate', 2)])
    assert ('m.max', 'gauge', math.inf) in series
    assert any(warning.startswith('m.max: the value overflows') for warning in warnings)


def test_a_value_that_is_dropped_repeats_nothing():
    """A run with only NaN sends no point, but keeps the context alive."""
    assert commit([sample('gauge', 1)], [sample('gauge', math.nan)])[0] == []
    assert commit([sample('gauge', 1)], [], [sample('gauge', math.nan)], [], [sample('count', 2)])[0] == [
        ('m', 'gauge', 2)
    ]


def test_a_count_is_added_up_without_compensation():
    # Ten times 0.1 is 1 with compensation.
    assert commit([sample('count', 0.1)] * 10)[0] == [('m', 'count', 0.9999999999999999)]


def test_idle_runs_are_those_without_samples():
    """Many runs at once give the same result as one by one."""
    ends = [100.0 + 10 * number for number in range(40)]
    for gap in range(1, 39):
        together, apart = (Sampler('here', probes.SETTINGS['aggregates']) for _ in range(2))
        for sampler in (together, apart):
            sampler.commit([sample('monotonic_count', 5)], ends[0])
        together.idle(ends[1 : gap + 1])
        for end in ends[1 : gap + 1]:
            apart.commit([], end)
        results = [sampler.commit([sample('monotonic_count', 7)], ends[gap + 1])[0] for sampler in (together, apart)]
        assert results[0] == results[1]
        # It expires after two runs without a sample, and is forgotten at the first run more than 11 s later.
        assert bool(results[0]) is (gap < 4)


@pytest.mark.parametrize(('gap', 'points'), [(24, 1), (26, 0)])
def test_a_rate_is_remembered_for_25_hours(gap, points):
    """The default of check_sampler_stateful_metric_expiration_time."""
    sampler = Sampler('h')
    sampler.commit([sample('rate', 1, at=0.0)], 0.0)
    sampler.idle([900.0 * run for run in range(1, gap * 4)])
    series, _ = sampler.commit([sample('rate', 5, at=gap * 3600.0)], gap * 3600.0)
    assert len(series) == points


def test_unknown_type():
    with pytest.raises(UnusableInputError, match="'sketch'"):
        commit([sample('sketch', 1)])


def test_a_run_is_committed_when_it_has_ended():
    """A count bears the instant of the end, as the Agent commits it."""

    class Check:
        def run(self):
            clock.shift(3)
            return ''

        def get_warnings(self):
            return []

    with time_machine.travel(1000, tick=False) as clock:
        assert collector.run(Check(), Recorder(probes.KINDS))['timestamp'] == 1003
