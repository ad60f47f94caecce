"""The API client: which requests are repeated, how long it waits, and what its errors say."""

import contextlib
import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from loopback.keys import API_KEY, APP_KEY

from ddassets.diagnostic import UnusableInputError
from ddassets.org import client as transport
from ddassets.org.account import Account
from ddassets.org.client import Client, Refused, Unavailable, Unclear, Unreachable
from ddassets.org.permission import permission_for
from ddassets.sandbox.request import Request

PATH = '/api/v1/monitor'
NOW = datetime(2027, 1, 4, 10, tzinfo=UTC)
LATER = NOW + timedelta(seconds=100)


def account(url):
    return Account('here', url, url, API_KEY, APP_KEY)


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    """The seconds of each wait; no test really waits."""
    found = []
    monkeypatch.setattr(transport.time, 'sleep', found.append)
    return found


@pytest.fixture
def answering():
    """A server with one response for every request: (status, headers, body). `asked` are the received headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append({name.lower(): value for name, value in self.headers.items()})
            status, headers, body = answers[0]
            self.send_response_only(status)
            for name, value in {'Content-Length': str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_):
            pass

    answers, asked = [], []
    server = HTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()

    def answer(status, headers=None, body=b'{}'):
        answers[:] = [(status, headers or {}, body)]
        return Client(account(f'http://127.0.0.1:{server.server_port}'), timeout=5)

    answer.asked = asked
    yield answer
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    'kind', ['500', '502', '503', 'reset_before', 'reset_after', 'truncated', 'wrong_content_type']
)
def test_a_failed_read_is_repeated(datadog, slept, kind):
    datadog.inject(1, kind)
    datadog.inject(2, kind)
    said = []
    assert Client(account(datadog.url), timeout=5, say=said.append).get(PATH) == []
    assert slept == list(transport.PAUSES[:2])
    assert len(said) == 2 and said[0].startswith(f'GET {PATH}: ') and said[0].endswith('; trying again after 0.5 s')


@pytest.mark.parametrize(
    'kind, words',
    [
        pytest.param('500', '500 Internal Server Error, 4 times in a row', id='500'),
        pytest.param('reset_before', 'the connection broke, 4 times in a row', id='reset'),
        pytest.param('truncated', 'the connection broke, 4 times in a row', id='truncated'),
        pytest.param('wrong_content_type', 'the response is not JSON (text/html), 4 times in a row', id='another-type'),
    ],
)
def test_retries_are_limited(datadog, slept, kind, words):
    datadog.always = kind
    with pytest.raises(Unavailable) as caught:
        Client(account(datadog.url), timeout=5).get(PATH)
    assert str(caught.value) == f'GET {PATH}: {words}' and slept == list(transport.PAUSES)


@pytest.mark.parametrize('kind', ['timeout', 'slow_loris'])
def test_a_request_has_a_time_limit(datadog, kind):
    datadog.inject(1, kind)
    with pytest.raises(Unclear, match=r'no response within 0\.3 s'):
        Client(account(datadog.url), timeout=0.3).create(
            PATH, {'type': 'query alert', 'query': 'avg(last_5m):avg:a{*} > 1'}
        )


@pytest.mark.parametrize(
    'kind', ['500', '504_after_success', 'reset_before', 'reset_after', 'truncated', 'wrong_content_type']
)
def test_a_failed_creation_is_not_repeated(datadog, slept, kind):
    datadog.inject(1, kind)
    body = {'type': 'query alert', 'query': 'avg(last_5m):avg:a{*} > 1'}
    with pytest.raises(Unclear):
        Client(account(datadog.url), timeout=5).create(PATH, body)
    assert len(datadog.exchanges) == 1 and slept == []


def test_a_creation_without_a_connection_is_repeated(slept):
    """No request can have been executed."""
    with socket.socket() as unheard:
        # Bound and not listened at: whoever connects is refused.
        unheard.bind(('127.0.0.1', 0))
        client = Client(account(f'http://127.0.0.1:{unheard.getsockname()[1]}'), timeout=5)
        with pytest.raises(Unreachable, match='no connection to 127.0.0.1, 4 times in a row'):
            client.create(PATH, {})
    assert slept == list(transport.PAUSES)


@pytest.mark.parametrize(
    'line', [b'HTTP/1.1 200 OK\r\nX-Padding: ' + b'a' * 4000, b'HTTP/1.1 100 Continue\r\n\r\n' * 1000]
)
def test_the_head_of_a_response_counts_towards_the_timeout(line):
    """It arrives in pieces, each well within the timeout."""
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        server.listen()
        stop = threading.Event()

        def drip():
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                for index in range(len(line)):
                    connection.sendall(line[index : index + 1])
                    if stop.wait(0.05):
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        client = Client(account(f'http://127.0.0.1:{server.getsockname()[1]}'), timeout=0.3)
        with pytest.raises(Unclear, match=r'no response within 0\.3 s'):
            client.create(PATH, {})
        stop.set()
        thread.join()


def test_a_request_that_arrived_too_slowly_is_repeated(answering, slept):
    with pytest.raises(Unavailable, match='408 Request Timeout, 4 times in a row'):
        answering(408).get(PATH)


def test_a_creation_refused_by_the_rate_limit_is_repeated(datadog, slept):
    """Datadog documents that it was not executed."""
    datadog.inject(1, '429')
    datadog.rate_limit_reset = 7
    body = {'type': 'query alert', 'query': 'avg(last_5m):avg:a{*} > 1'}
    said = []
    Client(account(datadog.url), say=said.append).create(PATH, body)
    assert slept == [7] and said == ['rate limit reached: waiting 7 s, as Datadog asks']
    assert len(datadog.organisation.monitors) == 1


@pytest.mark.parametrize(
    'headers, expected',
    [
        pytest.param({'X-RateLimit-Reset': '50'}, [50, 50], id='two-minutes-are-enough'),
        pytest.param({'X-RateLimit-Reset': '0'}, [0] * transport.MAX_WAITS, id='ten-times-are-enough'),
        pytest.param({'Retry-After': '100'}, [100], id='retry-after'),
        pytest.param({}, [5] * transport.MAX_WAITS, id='not-told'),
        pytest.param({'X-RateLimit-Reset': '3600'}, [], id='an-hour-is-not-waited'),
        pytest.param({'X-RateLimit-Reset': '1e308'}, [5] * transport.MAX_WAITS, id='not-believed'),
        pytest.param({'X-RateLimit-Reset': '1e308', 'Retry-After': '100'}, [100], id='the-other-header-is'),
        pytest.param({'Retry-After': format_datetime(LATER), 'Date': format_datetime(NOW)}, [100], id='a-date'),
        pytest.param({'Retry-After': 'Mon, 99 Foo'}, [5] * transport.MAX_WAITS, id='no-date'),
        pytest.param({'X-RateLimit-Reset': 'nan'}, [5] * transport.MAX_WAITS, id='no-number'),
    ],
)
def test_the_wait_for_the_rate_limit_is_limited(answering, slept, headers, expected):
    with pytest.raises(Unavailable, match='rate limit reached; .* run the command again after that'):
        answering(429, headers).get(PATH)
    assert slept == expected


def test_no_redirect_is_followed(answering, datadog):
    client = answering(302, {'Location': datadog.url + PATH})
    with pytest.raises(Unreachable, match=r'answers with a redirect \(302\): it is not the Datadog API'):
        client.get(PATH)
    assert datadog.exchanges == []


@pytest.mark.parametrize(
    'status, body, words',
    [
        pytest.param(400, {'errors': ['one', 'two']}, f'GET {PATH}: 400: one; two', id='texts'),
        pytest.param(400, {'errors': [{'detail': 'one', 'title': 't'}]}, f'GET {PATH}: 400: one', id='objects'),
        pytest.param(400, ['x'], f'GET {PATH}: 400: Bad Request', id='another-form'),
        pytest.param(403, {'errors': ['Forbidden']}, '403: here refuses the keys', id='keys'),
        pytest.param(403, {'errors': ['Forbidden']}, 'lacks the permission monitors_read', id='permission'),
        pytest.param(404, {'errors': ['Monitor not found']}, '404: Monitor not found', id='gone'),
    ],
)
def test_the_error_contains_the_response_of_datadog(answering, slept, status, body, words):
    with pytest.raises(Refused) as caught:
        answering(status, body=json.dumps(body).encode()).get(PATH)
    assert words in str(caught.value) and caught.value.status == status and slept == []


@pytest.mark.parametrize('status', [200, 400, 403, 500])
def test_a_key_in_an_answer_is_not_shown(answering, status):
    body = json.dumps({'errors': [f'your keys are {API_KEY} and {APP_KEY}']}).encode()
    said = []
    client = answering(status, body=body)
    client.say = client.log = said.append
    shown = ''
    with contextlib.suppress(Exception):
        shown = json.dumps(client.get(PATH))
    try:
        client.get(PATH)
    except Exception as error:
        shown += f'{error} {error!r} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ""}'
    assert shown and API_KEY not in shown + ''.join(said) and APP_KEY not in shown + ''.join(said)


def test_an_error_that_is_not_a_text(answering):
    with pytest.raises(Unavailable, match='the response is not text'):
        answering(400, body=b'\xff\xfe').get(PATH)


def test_a_missing_object_counts_as_deleted(answering):
    answering(404).delete(PATH + '/1')
    with pytest.raises(Refused):
        answering(409).delete(PATH + '/1')


def test_an_unknown_host(slept):
    with pytest.raises(Unreachable, match='host api.invalid not found: is there a network'):
        Client(account('https://api.invalid'), timeout=5).get(PATH)
    assert slept == []


def test_a_proxy_with_a_password(monkeypatch, answering):
    """Only the proxy receives its name and password, in a header."""
    client = answering(400)
    monkeypatch.setenv('HTTP_PROXY', client.account.api_url.replace('//', '//me:pass%40word@'))
    monkeypatch.setenv('NO_PROXY', '')
    client = Client(account('http://datadog.invalid'), timeout=5)
    with pytest.raises(Refused) as caught:
        client.get(PATH)
    (headers,) = answering.asked
    assert headers['proxy-authorization'] == 'Basic bWU6cGFzc0B3b3Jk' and headers['host'] == 'datadog.invalid'
    assert 'pass' not in str(caught.value)


@pytest.mark.parametrize('variable', ['HTTP_PROXY', 'ALL_PROXY'])
@pytest.mark.parametrize(
    'proxy',
    [
        pytest.param('socks5://me:opensesame@127.0.0.1:1080', id='another-sort'),
        pytest.param('http://me:opensesame@proxy.invalid:99999', id='no-such-port'),
        pytest.param('http://me:opensesame@', id='no-host'),
        pytest.param('http://[::1', id='no-address'),
    ],
)
def test_a_proxy_that_cannot_be_used(monkeypatch, variable, proxy):
    for name in ('HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, proxy)
    monkeypatch.setenv('NO_PROXY', '')
    with pytest.raises(UnusableInputError, match=f'{variable}: expected an address such as') as caught:
        Client(account('http://datadog.invalid'))
    assert 'opensesame' not in str(caught.value)


def test_a_proxy_for_all(monkeypatch, answering):
    url = answering(200).account.api_url
    for name in ('HTTP_PROXY', 'http_proxy'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('ALL_PROXY', url)
    monkeypatch.setenv('NO_PROXY', '')
    Client(account('http://datadog.invalid'), timeout=5).get(PATH)
    assert [headers['host'] for headers in answering.asked] == ['datadog.invalid']


def test_the_permissions_are_those_of_the_reference(specification):
    for operation in specification.operations:
        named = operation.definition.get('x-permission', {}).get('permissions', ())
        expected = next(iter(named), '')
        found = permission_for(operation.method.upper(), operation.path.replace('{monitor_id}', '1'))
        assert found == expected, operation.name


@pytest.mark.parametrize(
    'url', ['http://example.com/s/a', 'file:///etc/passwd', 'ftp://127.0.0.1/x', 'http://169.254.169.254/x']
)
def test_a_picture_is_requested_only_by_https(datadog, url):
    with pytest.raises(Unreachable, match='only https is allowed'):
        Client(account(datadog.url)).fetch(url)


def test_a_redirect_of_a_picture_is_followed_only_by_https(answering):
    """The number of redirects is limited."""
    client = answering(302, {'Location': '/s/b'})
    url = client.account.api_url
    assert client.fetch(url + '/s/a') == b'' and len(answering.asked) == transport.MAX_REDIRECTS + 1
    assert not any(name.startswith('dd-') for headers in answering.asked for name in headers)
    client = answering(302, {'Location': 'http://example.com/s/b'})
    with pytest.raises(Unreachable, match='at http://example.com/s/b; only https is allowed'):
        client.fetch(url + '/s/a')


def test_a_picture_on_another_host_is_shown(datadog, answering):
    request = Request({'metric_query': ['avg:acme.q{*}']}, None, '', datetime.now(UTC))
    answer = datadog.organisation.act('GetGraphSnapshot', request)
    client = answering(302, {'Location': answer.body['snapshot_url']})
    assert client.fetch(client.account.api_url + '/s/a').startswith(b'\x89PNG')


def test_a_picture_is_requested_without_keys(answering):
    client = answering(200, body=b'picture')
    assert client.fetch(client.account.api_url + '/s/a') == b'picture'
    assert not any(name.startswith('dd-') for name in answering.asked[0])
    assert answering(404, body=b'not yet').fetch(client.account.api_url + '/s/a') == b''


def test_verbose_logs_requests(datadog):
    told = []
    Client(account(datadog.url), log=told.append).get(PATH, page=0)
    assert len(told) == 1 and told[0].startswith(f'GET {PATH}: 0.')
