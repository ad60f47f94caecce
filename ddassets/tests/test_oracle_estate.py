"""The evaluators of composites and service checks agree with simple second evaluators on random monitors."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from oracle import checks, composites
from scale import SEED, runs

from ddassets.engine.assumptions import ASSUMPTIONS, Assumptions
from ddassets.engine.composite import Composite, CompositeEvaluator, Source
from ddassets.engine.given import PREFIX, GivenStates
from ddassets.engine.series import Series, SeriesSet
from ddassets.engine.service_check import HOST_CHECK, STATUSES, CheckEvaluator, CheckMonitor
from ddassets.engine.service_check import PREFIX as CHECK
from ddassets.engine.state import State
from ddassets.language import composite as language
from ddassets.language import service_check as check_language

CASES = runs(200)
BATCH = 50
START = 1_800_000_000
STATES = {str(state): state for state in State}
LETTERS = 'abcd'


def chosen(random, names):
    """A choice for each assumption, the default three times of four."""
    return {
        name: ASSUMPTIONS[name].default if random.random() < 0.75 else random.choice(ASSUMPTIONS[name].choices)
        for name in names
    }


def shown(timeline):
    """Return the states and changes of a timeline in the oracle's form."""
    states = [str(State(code)) for code in timeline.states]
    changes = [(one.instant, str(one.source), str(one.target), one.notify, one.cause) for one in timeline.transitions]
    return states, changes


# Composites

GROUPS = {
    'host': [('host:a',), ('host:b',), ('host:c',)],
    'service': [('service:a',), ('service:d',)],
    'pair': [('host:a', 'zone:x'), ('host:b', 'zone:x'), ('host:c', 'zone:y')],
    'zone': [('zone:x',), ('zone:y',)],
}


def column(random, minutes, grouped):
    """A member's state in each minute, in stretches."""
    words = ['OK', 'OK', 'Warn', 'Alert', 'No Data', 'Unknown', *(['absent'] if grouped else [])]
    found = []
    while len(found) < minutes:
        found += [random.choice(words)] * random.choice([1, 2, 3, 5, 20, 70])
    return found[:minutes]


def tree(random, letters, depth=0):
    """Return a random query in the forms of the oracle and of Datadog."""
    kind = random.choice(['member', 'and', 'or', 'not'] if depth < 3 else ['member'])
    if kind == 'member':
        letter = random.choice(letters)
        return ('member', letter), f'm_{letter}'
    if kind == 'not':
        inner, text = tree(random, letters, depth + 1)
        return ('not', inner), f'!({text})'
    (left, one), (right, other) = (tree(random, letters, depth + 1) for _ in range(2))
    return (kind, left, right), f'({one}) {"&&" if kind == "and" else "||"} ({other})'


def composite_case(seed):
    random = Random(f'composite {seed}')
    minutes = random.choice([30, 90, 200])
    query, text = tree(random, LETTERS[: random.randint(1, 4)])
    members = {}
    for letter in (name.text.removeprefix('m_') for name in language.parse(text).members.values()):
        kind = random.choice(['simple', 'simple', *GROUPS])
        names = [()] if kind == 'simple' else random.sample(GROUPS[kind], random.randint(1, len(GROUPS[kind])))
        states = {name: column(random, minutes, bool(name)) for name in names}
        members[letter] = composites.Member(states, random.random() < 0.7)
    return text, composites.Composite(
        tree=query,
        members=members,
        minutes=minutes,
        notify_no_data=random.random() < 0.6,
        timeout=random.choice([None, None, 1, 10]),
        choices=chosen(random, ['A8', 'A36', 'A37', 'A38', 'A39', 'A40', 'A88']),
    )


def composite_difference(seed):
    text, case = composite_case(seed)
    query = language.parse(text)
    end = START + 60 * case.minutes
    assumptions = Assumptions(case.choices)
    sources = {}
    for letter, member in query.members.items():
        one = case.members[member.text.removeprefix('m_')]
        series = tuple(
            Series(
                PREFIX + member.text,
                frozenset(group),
                START + 60.0 * np.arange(case.minutes),
                np.array([float(STATES[state]) for state in states]),
                'gauge',
                60,
            )
            for group, states in one.states.items()
        )
        held = GivenStates(member.text, series, START, end, 0, Assumptions())
        sources[letter] = Source(member.text, replace(held.monitor, notify_no_data=one.notifies, given=(*State,)), held)
    monitor = Composite(
        'c',
        query=query,
        member_names={},
        notify_no_data=case.notify_no_data,
        timeout=60 * (case.timeout or 0),
    )
    evaluator = CompositeEvaluator(monitor, sources, START, end, 0, assumptions)
    expected = {tuple(sorted(group)): case.run(group, own) for group, own in case.groups().items()}
    found = {group: shown(evaluator.timeline(group)) for group in evaluator.groups}
    if sorted(found) != sorted(expected):
        return f'{text}: groups {sorted(found)} and {sorted(expected)}'
    for group, (states, changes) in expected.items():
        changes = [(START + 60 * minute, *rest) for minute, *rest in changes]
        if found[group] != (states, changes):
            return f'{text} {case} {group}: {found[group]} and {(states, changes)}'
    return None


@pytest.mark.parametrize('batch', range(SEED, SEED + CASES, BATCH))
@pytest.mark.rule('13.6', '13.8', '13.10', '13.16')
def test_composites_agree(batch):
    for seed in range(batch, batch + BATCH):
        assert composite_difference(seed) is None, seed


# Service checks


def check_case(seed):
    random = Random(f'check {seed}')
    host, cluster = random.random() < 0.25, random.random() < 0.35
    end = START + random.choice([20, 60, 150]) * 60
    interval, spread = random.choice([15, 60, 60, 90]), random.choice([0, 0, 7])
    weights = [6, 2, 3, 1, 3]
    tags = [('host:a', 'zone:x'), ('host:b', 'zone:x'), ('host:c', 'zone:y')][: random.randint(1, 3)]
    found = {}
    for number, combination in enumerate(tags):
        at, runs = START - 300 + number, []
        while at < end:
            word = random.choices(['OK', 'WARNING', 'CRITICAL', 'UNKNOWN', '_'], weights)[0]
            for _ in range(random.choice([1, 1, 2, 4, 8, 60])):
                if word != '_' and at < end:
                    runs.append((at, 'OK' if host else word))
                at += interval + random.randint(0, spread)
        found[combination] = runs or [(START, 'OK')]
    last = random.randint(1, 6)
    if cluster:
        limits = {word: random.choice([0, 33, 50, 60]) for word in ('CRITICAL', 'WARNING') if random.random() < 0.8}
    else:
        limits = {word: random.randint(1, last) for word in ('OK', 'WARNING', 'CRITICAL')}
        limits |= {'UNKNOWN': random.randint(1, last)} if random.random() < 0.5 else {}
    return (
        cluster,
        random.choice(['*', 'host', 'zone']),
        checks.Check(
            runs=found,
            thresholds=limits,
            last=last,
            start=START,
            end=end,
            second=random.choice([0, 30, 59]),
            host=host,
            grouped=True,
            notify_no_data=random.random() < 0.6,
            timeframe=random.choice([None, 120, 300, 600]),
            timeout=random.choice([None, None, 240, 900]),
            choices=chosen(random, ['A22', 'A42', 'A43', 'A45', 'A46', 'A88']),
        ),
    )


def check_difference(seed):
    cluster, by, case = check_case(seed)
    name = HOST_CHECK if case.host else 'acme.can_connect'
    how = 'pct' if cluster else 'count'
    text = f'"{name}".over("*").by("{by}").last({case.last}).{how}_by_status()'
    series = SeriesSet(
        Series(
            CHECK + name,
            frozenset(tags),
            np.array([float(at) for at, _ in runs]),
            np.array([float(STATUSES.index(word)) for _, word in runs]),
            'gauge',
            60,
        )
        for tags, runs in case.runs.items()
    )
    given = {word.lower(): limit for word, limit in case.thresholds.items()}
    limits = {'ok': 1, 'warning': None, 'critical': None, 'unknown': None, **given}
    monitor = CheckMonitor(
        'm',
        query=check_language.parse(text),
        notify_no_data=case.notify_no_data,
        no_data_timeframe=case.timeframe,
        timeout=case.timeout or 0,
        **limits,
    )
    assumptions = Assumptions(case.choices)
    evaluator = CheckEvaluator(monitor, series, case.start, case.end, case.second, assumptions)
    grouped = {}
    for tags, each in case.runs.items():
        key = tags if by == '*' else tuple(tag for tag in tags if tag.startswith(by))
        grouped.setdefault(() if cluster and by == '*' else key, {})[tags] = each
    for group, sources in grouped.items():
        # The instants of A43 are those of all groups.
        one = replace(case, runs=sources, grouped=bool(group), instants=tuple(map(int, evaluator.ticks)))
        expected = one.run(cluster)
        found = shown(evaluator.timeline(group))
        if found != expected:
            return f'{text} {one} {group}: {found[1][:6]} and {expected[1][:6]}'
    return None


@pytest.mark.parametrize('batch', range(SEED, SEED + CASES, BATCH))
@pytest.mark.rule('14.7', '14.10', '14.12', '14.13', '14.15')
def test_checks_agree(batch):
    for seed in range(batch, batch + BATCH):
        assert check_difference(seed) is None, seed


@pytest.mark.parametrize(
    'name, wrong',
    [
        pytest.param(
            'combine', lambda node, severities: np.full_like(next(iter(severities.values())), 4), id='algebra'
        ),
        pytest.param('common_groups', lambda members: {}, id='groups'),
    ],
)
def test_a_wrong_composite_is_found(monkeypatch, name, wrong):
    monkeypatch.setattr(f'ddassets.engine.composite.{name}', wrong)
    assert any(composite_difference(seed) for seed in range(40))


def test_a_wrong_check_is_found(monkeypatch):
    monkeypatch.setattr(CheckEvaluator, '_gaps', lambda self, times: np.zeros(times.size - 1, dtype=bool))
    assert any(check_difference(seed) for seed in range(200))
