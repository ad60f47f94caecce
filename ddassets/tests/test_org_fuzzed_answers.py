"""Odd server responses: every command ends in a documented exit code, without a traceback and without keys."""

import copy
import json
import random
import re

import pytest
import scale
from loopback import integration
from loopback.keys import API_KEY, APP_KEY
from loopback.organisation import Organisation
from loopback.server import FakeDatadog
from loopback.trial import run

from ddassets.sandbox.request import Answer

COUNT = scale.runs(500)
COMMANDS = (
    ('plan', '{folder}'),
    ('apply', '{folder}', '--yes'),
    ('destroy', '{folder}', '--yes'),
    ('snapshot', '{folder}', '--widget', 'Jobs', '--wait', '5'),
    ('doctor', '{folder}'),
)
VALUES: tuple[object, ...] = (
    *(None, True, 0, -1, 1e308, 10**400, '', 'x', [], {}, [1], [[]], [None], {'a': 1}, {'errors': [1]}, [{'id': 1}]),
    *('\x1b[2J\x1b]0;owned\x07', '\u202egnp', '\ud800', '../../v1/monitor/1', 'x' * 100_000, [{}] * 1000),
)
BODIES = (
    *(b'', b'[' * 100_000, b'{"a":' * 50_000, b'\xff\xfe', b'NaN', b'[Infinity]', b'9' * 10_000, b'<html>', b'null'),
    *(b'"\\ud800"', b'\x00', b'{"errors": [[[[1]]]]}', b'{"errors": {"a": 1}}', b'{"errors": "\x1b[2J"}'),
)
STATUSES = (200, 200, 200, 201, 204, 206, 302, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503, 599)


def mutated(value, random):
    """Return a JSON value with one part replaced, removed or duplicated."""
    value = copy.deepcopy(value)
    places = list(_places(value))
    if not places:
        return random.choice(VALUES)
    parent, key = random.choice(places)
    match random.randrange(4):
        case 0 if isinstance(parent, dict):
            del parent[key]
        case 1 if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        case _:
            parent[key] = copy.deepcopy(random.choice(VALUES))
    return value


def _places(value):
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


class Fuzzing(FakeDatadog):
    """Replaces some of its responses, after it has executed the request."""

    random = random.Random(0)
    rate = 0.0
    fuzzed = 0

    def act(self, exchange, message):
        answer = super().act(exchange, message)
        if self.random.random() >= self.rate:
            return answer
        self.fuzzed += 1
        if self.random.random() < 0.3:
            return Answer(self.random.choice(STATUSES), self.random.choice(BODIES))
        body = json.loads(answer.body) if isinstance(answer.body, bytes) and answer.body[:1] in b'{[' else answer.body
        status = answer.status if self.random.random() < 0.8 else self.random.choice(STATUSES)
        try:
            return Answer(status, json.dumps(mutated(body, self.random)).encode())
        except (TypeError, ValueError):
            return answer


def said_well(outcome):
    assert outcome.code in (0, 1, 2), outcome.said[-3000:]
    for forbidden in ('Traceback', 'unexpected', API_KEY, APP_KEY):
        assert forbidden not in outcome.said, outcome.said[-3000:]
    assert not re.search('[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]', outcome.said)
    assert max(map(len, outcome.said.split('\n'))) <= 2500


def test_fuzzed_answers(specification, cases, tmp_path):
    folder = integration.write(tmp_path, integration.mixed())
    with Fuzzing(specification) as fake:
        fake.rate_limit_reset = 0
        fake.organisation.seed_foreign(2)
        assert run(fake, 'apply', integration.write(tmp_path / 'before', integration.ASSETS), '--yes').code == 0
        start = copy.deepcopy(fake.organisation)
        seed = 0
        while fake.fuzzed < COUNT:
            command = COMMANDS[seed % len(COMMANDS)]
            fake.organisation = copy.deepcopy(start)
            fake.random, fake.rate = random.Random(seed), (0.05, 0.2, 1.0)[seed // len(COMMANDS) % 3]
            outcome = run(fake, *(word.format(folder=folder) for word in command), attempts=2)
            said_well(outcome)
            assert fake.organisation.foreign_changes() == [], f'seed {seed}'
            fake.exchanges.clear()
            seed += 1
        cases['fuzzed server responses: documented exit codes, no traceback'] += fake.fuzzed


@pytest.mark.parametrize(
    'operation, change',
    [
        pytest.param('ListMonitors', lambda body: body[0].update(tags=[1]), id='tags-of-a-number'),
        pytest.param('ListMonitors', lambda body: body[0].update(options=[]), id='options-as-a-list'),
        pytest.param('ListMonitors', lambda body: body[0].update(name={'a': 1}), id='name-as-an-object'),
        pytest.param('GetDashboard', lambda body: body.update(widgets=3), id='widgets-as-a-number'),
        pytest.param('ListDowntimes', lambda body: body['data'][0].update(attributes=7), id='attributes-as-a-number'),
        pytest.param(
            'ListDowntimes', lambda body: body['data'][0]['attributes'].update(schedule=[]), id='schedule-as-a-list'
        ),
    ],
)
def test_a_stored_object_of_another_form(specification, tmp_path, operation, change):
    class Odd(FakeDatadog):
        odd = False

        def act(self, exchange, *arguments):
            answer = super().act(exchange, *arguments)
            if not self.odd or exchange.operation != operation:
                return answer
            body = json.loads(answer.body)
            change(body)
            return Answer(200, body)

    folder = integration.write(tmp_path, integration.ASSETS)
    with Odd(specification) as fake:
        assert run(fake, 'apply', folder, '--yes').code == 0
        fake.odd = True
        said_well(run(fake, 'plan', folder))


def test_deeply_nested_json_causes_no_traceback(specification, tmp_path):
    class Deep(FakeDatadog):
        def act(self, exchange, *arguments):
            super().act(exchange, *arguments)
            return Answer(200, b'[' * 100_000)

    folder = integration.write(tmp_path, integration.ASSETS)
    with Deep(specification, Organisation()) as fake:
        outcome = run(fake, 'plan', folder)
    assert outcome.code == 2 and 'the response is not JSON' in outcome.err
    said_well(outcome)
