"""Any scenario, monitor or message gives a result in bounded time, or an error message of one sentence."""

import json
import random
import signal
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import pytest
from scale import runs

from ddassets import assets as bundle
from ddassets.cli import rehearse_text
from ddassets.cli.rehearse_output import report
from ddassets.diagnostic import UnusableInputError
from ddassets.output.formats import names, render
from ddassets.rehearsal import Judgement, expectation, parse, rehearse
from ddassets.rehearsal.outcome import Outcome, Run
from ddassets.rehearsal.writing import write

ACME = Path(__file__).parent / 'acme'
ASSETS = bundle.read(ACME)
ROUNDS = runs(150)
SECONDS = 20
SLO_ALERTS = """\
start: 2027-01-04T10:00:00
length: 30m
series:
  - {metric: acme.requests, type: count, interval: 60s, tags: [status:ok], from: 2027-01-04T08:00:00, values: 985x180}
  - {metric: acme.requests, type: count, interval: 60s, tags: [status:error], from: 2027-01-04T08:00:00, values: 15x180}
  - {monitor: 7, states: OKx100 Alertx20 OKx200, from: 2027-01-04T08:00:00}
slos:
  - id: a
    name: Requests
    type: metric
    query:
      numerator: 'sum:acme.requests{status:ok}.as_count()'
      denominator: 'sum:acme.requests{*}.as_count()'
    thresholds: [{timeframe: 7d, target: 99.9}]
  - {id: b, name: Uptime, type: monitor, monitor_ids: [7], thresholds: [{timeframe: 7d, target: 99}]}
corrections: [{slo: a, from: 2027-01-04T09:00:00, to: 2027-01-04T09:10:00}]
before: [{slo: b, good: 9990, total: 10000}]
monitors:
  - name: Burns
    type: slo alert
    query: burn_rate("a").over("7d").long_window("1h").short_window("5m") > 14.4
    message: '{{long_window_burn_rate}} @ops'
    options: {thresholds: {critical: 14.4, warning: 7}}
  - name: Budget
    type: slo alert
    query: error_budget("b").over("7d") > 20
    message: '{{value}} @ops'
    options: {thresholds: {critical: 20}}
"""
SCENARIOS = [*(path.read_text() for path in sorted((ACME / 'rehearsals').glob('*.yaml'))), SLO_ALERTS]
JUNK = [
    *('', '0', '-1', '1e400', 'nan', '.inf', 'null', '~', 'true', 'no', '{}', '[]', '[[]]', '{a: 1}', '""', '"\\0"'),
    *(
        '*',
        '&a',
        '*a',
        '!!python/name:os',
        '!x',
        '- ',
        '? ',
        ': ',
        '# ',
        '|',
        '>',
        '---',
        '...',
        '%YAML 9',
        '\t',
        '\x85',
    ),
    *('2027-01-11T10:00:00', '0000-00-00', '9999-12-31', '99999999999w', '1s', 'Alert', 'absent', 'all', 'Mon-Sun'),
    *('10x5', '_x9', '1+1x3', 'host:one', '@', '@a', '{{', '}}', '{{#is_alert}}', 'Ä', '\u202e', '\U0001f600', '𝟙'),
]
BODY_JUNK: list[object] = [
    None,
    True,
    0,
    -1,
    1e308,
    10**30,
    '',
    'x',
    '{{',
    '@',
    [],
    {},
    [[]],
    {'a': {}},
    'last_5m',
    '*',
    ['*'],
    '\0',
]
PIECES = [
    *('{{#is_alert}}', '{{/is_alert}}', '{{^is_warning}}', '{{/is_warning}}', '{{else}}', '{{value}}', '{{{value}}}'),
    *(
        '{{#is_match "host.name" "o"}}',
        '{{/is_match}}',
        '{{eval "value*2"}}',
        '{{eval "1/0"}}',
        '{{host.ip}}',
        '{{!-- --}}',
    ),
    *(
        "{{local_time 'first_triggered_at' 'Europe/Berlin'}}",
        '{{',
        '}}',
        '{',
        '}',
        ' @a ',
        '@{{host.name}}',
        '"',
        "'",
        '\n',
    ),
    *('{{{{raw}}}}', '{{{{/raw}}}}', '{{urlencode "host.name"}}', '{{[a.b].name}}', '<b>', '\u202e', 'text'),
]


@contextmanager
def bounded():
    """Fail if the function takes longer than a user would wait."""

    def give_up(*_):
        raise TimeoutError(f'more than {SECONDS} s')

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def answer(text: str) -> bool:
    """Return whether the scenario could be rehearsed; also creates all of its outputs."""
    try:
        with bounded():
            rehearsal = rehearse(parse(text, ACME / 'rehearsals' / 's.yaml'), ASSETS)
            judgement = Judgement(rehearsal)
            run = Run([Outcome(rehearsal.scenario.path, judgement)], 50)
            texts = [rehearse_text.text(judgement), *(render(name, report(run)) for name in names())]
            assert all(character.isprintable() or character == '\n' for text in texts for character in text)
            json.loads(render('json', report(run)))
            written, _ = write(rehearsal)
            # What is written is a scenario that holds.
            again = rehearse(parse(written, rehearsal.scenario.path), ASSETS)
            assert [verdict for verdict in expectation.judge(again) if not verdict.holds] == []
    except UnusableInputError as error:
        assert str(error)
        assert 'Traceback' not in str(error)
        return False
    return True


def damaged(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 2)):
        lines = text.splitlines(keepends=True)
        at = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, chance.choice(lines))
            case 2:
                place = chance.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:place] + chance.choice(JUNK) + lines[at][place:]
            case 3:
                head, colon, _ = lines[at].partition(': ')
                lines[at] = f'{head}{colon}{chance.choice(JUNK)}\n'
            case 4:
                words = lines[at].split(' ')
                words[chance.randrange(len(words))] = chance.choice(JUNK)
                lines[at] = ' '.join(words)
            case 5:
                start, end = sorted(chance.randrange(len(lines[at]) + 1) for _ in range(2))
                lines[at] = lines[at][:start] + lines[at][end:]
        text = ''.join(lines) or ' '
    return text


def test_damaged_scenarios():
    chance = random.Random(7)
    answers = [answer(damaged(chance.choice(SCENARIOS), chance)) for _ in range(ROUNDS)]
    # Neither is nothing refused, nor everything.
    assert 0.05 < sum(answers) / len(answers) < 0.9


HEAD = """\
start: 2027-01-11T18:30:00
timezone: Europe/Berlin
length: 1h
hosts: {one: {ip: 192.0.2.1, tags: [env:prod]}}
series:
  - {metric: acme.queue.length, tags: ['host:one'], values: 10x10 100x10 70x10 _x10 100x5 10x15}
  - {metric: acme.errors, values: 0x10 9x10 0x40}
"""


def with_monitor(body: object) -> str:
    return f'{HEAD}monitors: [{json.dumps(body)}]\n'


def damaged_body(body: dict, chance: random.Random) -> object:
    body = deepcopy(body)
    for _ in range(chance.randint(1, 3)):
        parent, key = body, chance.choice([*body])
        while isinstance(parent[key], dict) and parent[key] and chance.random() < 0.8:
            parent = parent[key]
            key = chance.choice([*parent])
        value = parent[key]
        if isinstance(value, str) and value and chance.random() < 0.5:
            place = chance.randrange(len(value))
            parent[key] = value[:place] + str(chance.choice(BODY_JUNK)) + value[place + chance.randrange(3) :]
        elif chance.random() < 0.2:
            del parent[key]
        else:
            parent[key] = deepcopy(chance.choice(BODY_JUNK))
        if not body:
            break
    return body


def test_damaged_monitors():
    chance = random.Random(8)
    bodies = [dict(monitor.body) for monitor in ASSETS.monitors]
    options = {
        **dict.fromkeys(('no_data_timeframe', 'timeout_h', 'evaluation_delay', 'new_group_delay', 'new_host_delay'), 1),
        **{
            'renotify_interval': 1,
            'renotify_occurrences': 2,
            'escalation_message': 'again {{value}} @b',
            'notify_by': [],
        },
    }
    for body in bodies:
        body['options'] = {**options, **body['options'], 'on_missing_data': None, 'notify_no_data': True}
    answers = [answer(with_monitor(damaged_body(chance.choice(bodies), chance))) for _ in range(ROUNDS)]
    assert 0.05 < sum(answers) / len(answers) < 0.9


def test_messages_of_random_pieces():
    chance = random.Random(9)
    body = dict(ASSETS.monitors[1].body)
    answers = []
    for _ in range(ROUNDS):
        message = ''.join(chance.choices(PIECES, k=chance.randint(1, 6)))
        title = ''.join(chance.choices(PIECES, k=1))
        answers.append(answer(with_monitor({**body, 'message': message, 'name': title})))
    assert 0.05 < sum(answers) / len(answers) < 0.9


@pytest.mark.parametrize(
    'text',
    [
        pytest.param('[' * 100_000, id='lists'),
        pytest.param('{a: ' * 100_000, id='mappings'),
        pytest.param('[' * 5_000 + ']' * 5_000, id='closed-lists'),
        pytest.param('- ' * 50_000, id='block-lists'),
        pytest.param('? ' * 20_000, id='keys'),
        pytest.param('&a ' * 10_000, id='anchors'),
        pytest.param('a: &a [x]\n' + ''.join(f'b{n}: &b{n} [{"*a, " * 9}]\n' for n in range(99)), id='aliases'),
        pytest.param(
            'x: &x [x]\n'
            + '\n'.join(f'k{n}: &k{n} [{", ".join([f"*k{n - 1}" if n else "*x"] * 9)}]' for n in range(30)),
            id='laughs',
        ),
        pytest.param(HEAD + 'description: "' + 'x' * 5_000_000 + '"', id='long-text'),
        pytest.param(HEAD.replace('10x10', '10x10 ' * 100_000), id='long-values'),
        pytest.param(with_monitor({'name': 'x', 'type': 'query alert', 'query': '(' * 50_000}), id='query'),
        pytest.param(with_monitor({**ASSETS.monitors[0].body, 'message': '{{#is_alert}}' * 9_000}), id='blocks'),
        pytest.param(with_monitor({**ASSETS.monitors[0].body, 'message': '@' * 100_000}), id='handles'),
    ],
)
def test_extremes(text):
    answer(text)
