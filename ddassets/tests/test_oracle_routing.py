"""Recipients and their rules agree with a simple second implementation on random monitors and notification rules."""

import json
from pathlib import Path
from random import Random

import pytest
from oracle import routing
from scale import SEED, runs

from ddassets import assets as bundle
from ddassets.assets.source import Unplaced
from ddassets.engine.message.conditions import holds
from ddassets.rehearsal import parse, rehearse
from ddassets.rehearsal.inbox import inbox

CASES = runs(200)
BATCH = 50
FOLDER = Path('acme')
# By key, the values that tags have; a value with a space is quoted in a scope.
VALUES = {
    'team': ['harbor', 'kiosk', 'data platform'],
    'service': ['a', 'b', 'ab'],
    'env': ['prod', 'dev', 'staging'],
    'az': ['1', '2'],
}
HANDLES = ['slack-one', 'slack-two', 'jira-p', 'pagerduty-x', 'u@x.example', 'oncall-harbor']
TRANSITIONS = ['is_alert', 'is_warning', 'is_no_data', 'is_recovery', 'is_alert_recovery', 'is_warning_recovery']
LEVELS = ['1', '7', '20', '_']


def tag(random, keys=tuple(VALUES)):
    key = random.choice(keys)
    return key, random.choice(VALUES[key])


def scope(random, depth=0):
    """Return a random scope in the oracle's form and in Datadog's syntax."""
    kind = random.choices(
        ['tag', 'any', 'values', 'not', 'and', 'or'], [4, 1, 1, 1, 2, 2] if depth < 3 else [4, 1, 1, 0, 0, 0]
    )
    key, value = tag(random)
    match kind:
        case ['tag']:
            return ('tag', key, value), f'{key}:{quoted(random, value)}'
        case ['any']:
            return ('any', key), f'{key}:*'
        case ['values']:
            chosen = random.sample(VALUES[key], random.randint(1, 2))
            text = ' OR '.join(quoted(random, one) for one in chosen)
            return ('or', *(('tag', key, one) for one in chosen)), f'{key}:({text})'
        case ['not']:
            inner, text = scope(random, depth + 1)
            return ('not', inner), f'NOT {bracketed(random, inner, text, ("and", "or"))}'
    parts = [scope(random, depth + 1) for _ in range(random.randint(2, 3))]
    if kind == ['and']:
        text = random.choice([' AND ', ' ']).join(bracketed(random, *part, ('or',)) for part in parts)
    else:
        text = ' OR '.join(bracketed(random, *part, ()) for part in parts)
    return (kind[0], *(inner for inner, _ in parts)), text


def quoted(random, value):
    return f'"{value}"' if ' ' in value or random.random() < 0.2 else value


def bracketed(random, inner, text, looser):
    """Return the scope in parentheses if precedence requires them, and sometimes without need."""
    # `key:(a OR b)` is one term.
    whole = ':(' in text and text.index(':(') < text.find(' ') and text.count('(') == 1 and text.endswith(')')
    return f'({text})' if (inner[0] in looser and not whole) or random.random() < 0.15 else text


def rules_of(random):
    """Return random rules in the oracle's form and in the API's."""
    found = []
    for number in range(random.randint(1, 6)):
        name = f'r{number}'
        told = lambda: tuple(random.sample(HANDLES, random.randint(1, 3)))  # noqa: E731
        attributes, oracle = {'name': name}, {}
        if random.random() < 0.4:
            tags = tuple(dict.fromkeys(':'.join(tag(random)) for _ in range(random.randint(1, 3))))
            attributes['filter'], oracle['tags'] = {'tags': [*tags]}, tags
        else:
            oracle['scope'], text = scope(random)
            attributes['filter'] = {'scope': text}
        if random.random() < 0.5:
            oracle['recipients'] = told()
            attributes['recipients'] = [*oracle['recipients']]
        else:
            terms = [
                random.choice([f'transition_type:{random.choice(TRANSITIONS)}', None])
                for _ in range(random.randint(1, 4))
            ]
            oracle['conditions'] = tuple(
                (term or ':'.join(tag(random, ('env', 'service', 'az'))), told()) for term in terms
            )
            conditions = [{'scope': one, 'recipients': [*recipients]} for one, recipients in oracle['conditions']]
            attributes['conditional_recipients'] = {'conditions': conditions}
            if random.random() < 0.7:
                oracle['fallback'] = told()
                attributes['conditional_recipients']['fallback_recipients'] = [*oracle['fallback']]
        found.append((routing.Rule(name, **oracle), attributes))
    return found


def case(seed):
    """A monitor, the rules, and a scenario."""
    random = Random(f'routing {seed}')
    by = random.sample(['env', 'service', 'az'], random.randint(0, 2))
    own = [f'@{one}' for one in random.sample(HANDLES, random.randint(0, 2))]
    tags = [*dict.fromkeys(':'.join(tag(random)) for _ in range(random.randint(0, 4)))]
    options = {
        'thresholds': {'critical': 9, 'warning': 5},
        'notify_no_data': random.random() < 0.5,
        'no_data_timeframe': 10,
    }
    if random.random() < 0.4:
        options |= {'renotify_interval': random.choice([5, 10]), 'renotify_statuses': ['alert', 'warn']}
    grouped = f' by {{{",".join(by)}}}' if by else ''
    monitor = {
        'name': 'Lag',
        'type': 'query alert',
        # The filter's own tag is not part of what a rule matches.
        'query': f'avg(last_1m):avg:acme.lag{{team:harbor}}{grouped} > 9',
        'tags': tags,
        'message': ' '.join(['Lag.', *own]),
        'options': options | ({'new_group_delay': 0} if by else {}),
    }
    groups = [[]]
    for key in by:
        groups = [[*group, f'{key}:{value}'] for group in groups for value in random.sample(VALUES[key], 2)]
    series = [
        {
            'metric': 'acme.lag',
            'type': 'gauge',
            'interval': '60s',
            'tags': ['team:harbor', *group],
            'values': ' '.join(f'{random.choice(LEVELS)}x{random.choice([3, 8, 15])}' for _ in range(6)),
        }
        for group in groups
    ]
    scenario = {'start': '2027-01-05T10:00:00Z', 'length': '60m', 'series': series}
    return monitor, own, rules_of(random), scenario


def difference(seed, notified=None):
    monitor, own, rules, scenario = case(seed)
    assets = bundle.Bundle(
        folder=FOLDER,
        manifest=None,
        metrics={},
        assets=(
            bundle.read_monitor(Unplaced(FOLDER / 'lag.json'), monitor),
            *(bundle.read_notification_rule(Unplaced(FOLDER / 'r.json'), body) for _, body in rules),
        ),
        problems=(),
    )
    rehearsal = rehearse(parse(json.dumps(scenario), FOLDER / 'rehearsals' / 's.yaml'), assets)
    for mail in inbox(rehearsal):
        change = str(mail.notification.source), str(mail.notification.target)
        expected = routing.told(own, monitor['tags'], mail.group.group, *change, [one for one, _ in rules])
        message = mail.message
        found = [*message.recipients], {handle: [*names] for handle, names in message.routes.items()}
        if notified is not None:
            notified.append((change, bool(message.routes)))
        if found != expected:
            return (
                f'{[body for _, body in rules]} {monitor["tags"]} {mail.group.group} {change}: {found} and {expected}'
            )
    return None


@pytest.mark.parametrize('batch', range(SEED, SEED + CASES, BATCH))
@pytest.mark.rule('3.27')
def test_routing_agrees(batch):
    notified = []
    for seed in range(batch, batch + BATCH):
        assert difference(seed, notified) is None, seed
    # The cases say something: most are notified, by rules and without them, on each kind of transition.
    assert len(notified) > BATCH and {routed for _, routed in notified} == {True, False}
    assert {target for (_, target), _ in notified} == {'OK', 'Warn', 'Alert', 'No Data'}
    assert any(source == target for (source, target), _ in notified)


@pytest.mark.parametrize(
    'name, wrong',
    [
        pytest.param('_matches', lambda rule, tags: True, id='every-rule-matches'),
        pytest.param(
            '_holds',
            lambda term, tags, edge, assumptions: term[0] == 'transition_type' and holds(edge, term[1], assumptions),
            id='no-condition-on-a-tag',
        ),
        pytest.param('_recipients', lambda rule, *more: iter(rule.recipients[:1]), id='the-first-recipient-of-a-rule'),
    ],
)
def test_wrong_routing_is_found(monkeypatch, name, wrong):
    monkeypatch.setattr(f'ddassets.engine.routing.{name}', wrong)
    assert any(difference(seed) for seed in range(20))
