"""The keys and the password of a proxy are in no output, log or exception, whatever fails."""

import json
import logging
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from loopback import integration
from loopback.server import FAULTS, FakeDatadog
from loopback.trial import SHORT, run

from ddassets.org import client as transport
from ddassets.org.account import Account
from ddassets.org.client import Client

# Unlike anything else that is printed, and with characters that some quoting would change.
API_KEY, APP_KEY = 'sesame0api/key+0123456789abcdef', 'sesame0app=key%2F0123456789abcdefghij'
SECRET = 'sesame0'
KEYS = {'DD_API_KEY': API_KEY, 'DD_APP_KEY': APP_KEY}
COMMANDS = {
    'plan': (),
    'apply': ('--yes',),
    'destroy': ('--yes',),
    'snapshot': ('--widget', 'Jobs', '--wait', '0.2'),
    'doctor': (),
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return integration.write(tmp_path_factory.mktemp('secrets'), integration.ASSETS)


@pytest.fixture
def logged(caplog):
    """Return everything that any library logs, at every level."""
    caplog.set_level(logging.NOTSET)
    for name in ('urllib3', 'datadog_api_client', 'asyncio', ''):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


class Echo:
    """A server that returns the request with its keys in every part of the response. A context manager."""

    def __init__(self, status: int, form: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.rfile.read(int(self.headers.get('Content-Length') or 0))
                heard.append(dict(self.headers))
                keys = ' and '.join(self.headers.get(name, '') for name in ('DD-API-KEY', 'DD-APPLICATION-KEY'))
                body = FORMS[form](keys, dict(self.headers)).encode()
                # The reason, too; and the name of a header is no place for `=`.
                self.send_response(status, f'your keys are {keys}')
                self.send_header('Content-Type', f'text/{keys}' if form == 'html' else 'application/json')
                self.send_header('X-Keys', keys)
                self.send_header('Location', f'http://127.0.0.1:1/{keys}')
                self.send_header('Retry-After', keys)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        heard: list[Any] = []
        self.heard = heard
        self._http = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._http.daemon_threads = True
        self.url = f'http://127.0.0.1:{self._http.server_port}'

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()


FORMS = {
    'errors': lambda keys, headers: json.dumps({'errors': [f'bad keys: {keys}', headers]}),
    'detail': lambda keys, headers: json.dumps({'errors': [{'detail': keys, 'title': keys, 'headers': headers}]}),
    'listing': lambda keys, headers: json.dumps([{'id': keys, 'name': keys, 'tags': [keys], 'keys': headers}]),
    'snapshot': lambda keys, headers: json.dumps({'snapshot_url': f'http://127.0.0.1:1/{keys}', 'id': keys}),
    'html': lambda keys, headers: f'<html><body>{keys} {headers}</body></html>',
    'text': lambda keys, headers: keys,
}


def secrets_in(outcome, logged):
    """Return the places where a secret can be read."""
    places = {'standard output': outcome.out, 'standard error': outcome.err, 'the log': logged.text}
    return [place for place, text in places.items() if SECRET in text]


@pytest.mark.parametrize('verbosity', [(), ('--verbose',), ('--json', '--verbose')], ids=['plain', 'verbose', 'json'])
@pytest.mark.parametrize('command', COMMANDS)
def test_no_key_is_shown_after_any_fault(specification, folder, logged, cases, command, verbosity):
    with FakeDatadog(specification) as fake:
        fake.organisation.api_keys, fake.organisation.app_keys = {API_KEY}, {APP_KEY}
        fake.rate_limit_reset = 0
        for kind in (None, *FAULTS):
            fake.always = kind
            patience = SHORT if kind in ('timeout', 'slow_loris') else 5
            outcome = run(
                *(fake, command, folder, *COMMANDS[command], *verbosity),
                timeout=patience,
                attempts=2,
                environment=KEYS,
            )
            assert outcome.code in (0, 1, 2) and 'Traceback' not in outcome.said
            assert secrets_in(outcome, logged) == [], kind
            cases['runs under faults showed no key'] += 1
        assert fake.exchanges


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize('form', FORMS)
def test_no_key_is_shown_if_the_server_echoes_it(folder, logged, cases, form, command):
    for status in (200, 202, 204, 302, 400, 401, 403, 404, 409, 429, 500, 502):
        with Echo(status, form) as echo:
            outcome = run(
                *(echo, command, folder, *COMMANDS[command], '--verbose'),
                timeout=5,
                attempts=1,
                environment=KEYS,
            )
        assert echo.heard and 'Traceback' not in outcome.said
        assert secrets_in(outcome, logged) == [], status
        cases['runs against a server that says the keys back showed no key'] += 1


@pytest.mark.parametrize(
    'name, value',
    [
        pytest.param('DD_API_KEY', 'sesame0\x00key', id='nul'),
        pytest.param('DD_API_KEY', 'sesame0 key', id='space'),
        pytest.param('DD_APP_KEY', 'sesame0\nkey', id='line-break'),
        pytest.param('DD_APP_KEY', 'sesame0ключ', id='letters'),
        pytest.param('DD_SITE', 'sesame0.example.com', id='site'),
    ],
)
def test_a_bad_key_is_not_repeated(tmp_path, folder, logged, name, value):
    path = tmp_path / 'keys'
    path.write_text(f'{name}={value}\n')
    path.chmod(0o600)
    environment = {'DD_API_KEY': 'a', 'DD_APP_KEY': 'b', 'DDASSETS_API_URL': None}
    outcome = run(Nowhere, 'plan', folder, '--keys-from', path, environment=environment)
    assert outcome.code == 2 and outcome.err
    # A site is no secret: it is shown, and what might have been meant.
    assert (SECRET in outcome.said) == (name == 'DD_SITE')


class Nowhere:
    url = 'http://127.0.0.1:1'


@pytest.mark.parametrize('line', ['sesame0key', 'DD_APIKEY=sesame0key', 'DD_API_KEY: sesame0key', '[sesame0key]'])
def test_a_file_of_another_form_is_not_repeated(tmp_path, folder, logged, line):
    path = tmp_path / 'keys'
    path.write_text(f'# mine\n{line}\n')
    path.chmod(0o600)
    outcome = run(Nowhere, 'plan', folder, '--keys-from', path)
    assert outcome.code == 2 and 'line 2' in outcome.err
    assert secrets_in(outcome, logged) == []


@pytest.mark.parametrize('mode', [0o644, 0o640, 0o604, 0o620, 0o602, 0o660, 0o666, 0o755])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path, folder, logged, mode):
    path = tmp_path / 'keys'
    path.write_text(f'DD_API_KEY={API_KEY}\nDD_APP_KEY={APP_KEY}\n')
    path.chmod(mode)
    outcome = run(Nowhere, 'plan', folder, '--keys-from', path)
    assert outcome.code == 2 and f'mode {mode:04o}' in outcome.err and f'chmod 600 {path}' in outcome.err
    assert secrets_in(outcome, logged) == []


@pytest.mark.parametrize('mode', [0o600, 0o400])
def test_a_private_file_is_used(datadog, tmp_path, folder, mode):
    datadog.organisation.api_keys, datadog.organisation.app_keys = {API_KEY}, {APP_KEY}
    path = tmp_path / 'keys'
    path.write_text(f'export DD_API_KEY="{API_KEY}"\nDD_APP_KEY={APP_KEY}\n')
    path.chmod(mode)
    # The environment's keys are other ones: the file goes before them.
    assert run(datadog, 'apply', folder, '--yes', '--keys-from', path).code == 0
    assert run(datadog, 'plan', folder).code == 2


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('status', [200, 302, 400, 403, 404, 429, 500])
def test_no_key_is_in_an_exception_or_behind_it(monkeypatch, form, status):
    """Neither in the traceback of the exception chain, nor in the objects that a debugger shows."""
    monkeypatch.setattr(transport, 'PAUSES', ())
    monkeypatch.setattr(transport, 'MAX_WAITS', 0)
    with Echo(status, form) as echo:
        account = Account('here', echo.url, echo.url, API_KEY, APP_KEY)
        client = Client(account, timeout=5)
        for ask in (client.get, lambda path: client.create(path, {}), client.delete):
            try:
                ask('/api/v1/monitor')
            except Exception as error:
                chain, one = [], error
                while one is not None:
                    chain.append(one)
                    one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
                shown = [''.join(traceback.format_exception(error)), *map(repr, chain), *(repr(e.args) for e in chain)]
                assert SECRET not in '\n'.join(shown)
    assert SECRET not in f'{account!r} {client!r} {account}'


def test_canary_a_key_in_the_output_is_found(folder, logged, monkeypatch):
    def careless(self, text):
        return text

    monkeypatch.setattr(Account, 'redact', careless)
    with Echo(400, 'errors') as echo:
        outcome = run(echo, 'plan', folder, environment=KEYS)
    assert secrets_in(outcome, logged) == ['standard error']


def test_canary_a_key_in_the_log_is_found(logged):
    logging.getLogger('anything.at.all').debug('the key is %s', API_KEY)
    assert SECRET in logged.text
