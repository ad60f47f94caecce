"""Sends requests to the Datadog API and retries those that are safe to repeat.

The official client is the transport, with plain JSON in and out. Its own retries are off, since they repeat a creation
after a gateway timeout; redirects are off, since they would carry the keys to another host.
"""

import json
import math
import ssl
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import certifi
import urllib3
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from urllib3 import exceptions

from ddassets.diagnostic import UnusableInputError
from ddassets.org.account import Account, is_loopback
from ddassets.org.deadline import deadline, enforce
from ddassets.org.permission import permission_for

# Seconds between the attempts of one request.
PAUSES: tuple[float, ...] = (0.5, 1.5, 4)
# How often one request waits for the rate limit, and for how many seconds in total.
MAX_WAITS = 10
MAX_WAIT = 120.0
# Seconds: a longer rate limit wait is taken for a broken header.
MAX_BELIEVED_WAIT = 86400.0
DEFAULT_WAIT = 5.0
# Concurrent requests.
CONNECTIONS = 8
# Redirects on the way to a picture.
MAX_REDIRECTS = 3
# Bytes of a response; the largest dashboards have some megabytes.
MAX_ANSWER = 64 * 1024 * 1024


class ApiError(Exception):
    """A request failed. The text says what to do and contains no key."""


class Refused(ApiError):
    """Datadog refused the request (HTTP `status`); a retry cannot help. `reason` is Datadog's own text."""

    def __init__(self, text: str, status: int, reason: str) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason


class Unreachable(ApiError):
    """Datadog could not be reached: name, certificate or connection."""


class Unavailable(ApiError):
    """Datadog or a gateway failed on every attempt."""


class Unclear(ApiError):
    """A request that must not be repeated blindly failed: Datadog may have carried it out."""


@dataclass(frozen=True)
class Answer:
    """`content` is the decoded JSON; `date` is the server's clock in Unix seconds, None without a Date header."""

    content: Any
    date: float | None


class Clock:
    """The real clock. Tests replace it, so that nothing is waited for."""

    def now(self) -> float:
        """Seconds of an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Client:
    """`timeout` in seconds bounds one attempt of a request, head included. `say` reports waits. Thread-safe."""

    def __init__(
        self,
        account: Account,
        timeout: float = 30,
        say: Callable[[str], None] = lambda _: None,
        log: Callable[[str], None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        self.account = account
        self.clock = clock or Clock()
        self.timeout = timeout
        self.say = say
        self.log = log
        configuration = Configuration(  # type: ignore[no-untyped-call]
            host=account.api_url, is_iac=True, ssl_ca_cert=_certificates()
        )
        # No retries and no redirects.
        configuration.retry_policy = urllib3.Retry(total=False, redirect=False)
        configuration.proxy, configuration.proxy_headers = _proxy(account.api_url)
        self._proxy = urlsplit(configuration.proxy or '').hostname or ''
        self._api = _Pooled(configuration)
        enforce(self._api.rest_client.pool_manager)
        self._said: set[str] = set()

    def get(self, path: str, **query: str | int) -> Any:
        return self.request('GET', path, query).content

    def put(self, path: str, body: Any) -> Any:
        return self.request('PUT', path, body=body).content

    def patch(self, path: str, body: Any) -> Any:
        return self.request('PATCH', path, body=body).content

    def delete(self, path: str) -> None:
        """Delete. An object that is gone already counts as deleted."""
        try:
            self.request('DELETE', path)
        except Refused as refused:
            if refused.status not in (404, 410):
                raise

    def ask(self, path: str, body: Any) -> Any:
        """POST a request that changes nothing."""
        return self.request('POST', path, body=body).content

    def create(self, path: str, body: Any) -> Any:
        """POST a request that must not be repeated. Raises Unclear when it may have been carried out."""
        return self.request('POST', path, body=body, repeat=False).content

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        *,
        repeat: bool = True,
        app_key: bool = True,
    ) -> Answer:
        """Raises ApiError: Refused, Unreachable, Unavailable, or Unclear (with `repeat` false)."""
        headers = {'Accept': 'application/json', 'DD-API-KEY': self.account.api_key}
        if app_key:
            headers['DD-APPLICATION-KEY'] = self.account.app_key
        pauses = iter(PAUSES)
        waits: list[float] = []
        while True:
            begun = time.monotonic()
            try:
                answer = self._once(method, path, query, body, headers, begun + self.timeout)
            except _Passing as failure:
                self.log(f'{method} {path}: {failure} ({time.monotonic() - begun:.2f} s)')
                if failure.wait is not None:
                    waits.append(failure.wait)
                    if len(waits) > MAX_WAITS or sum(waits) > MAX_WAIT:
                        text = f'{method} {path}: rate limit reached; Datadog asks to wait {failure.wait:.0f} s'
                        raise Unavailable(f'{text}: run the command again after that') from None
                    self._say_once(f'rate limit reached: waiting {failure.wait:.0f} s, as Datadog asks')
                    self.clock.sleep(failure.wait)
                    continue
                if not repeat and failure.sent:
                    raise Unclear(f'{method} {path}: {failure}') from None
                pause = next(pauses, None)
                # Without a connection, the request itself is not the cause.
                text = f'{method} {path}: {failure}' if failure.sent else str(failure)
                if pause is None:
                    kind = Unavailable if failure.sent else Unreachable
                    raise kind(f'{text}, {len(PAUSES) + 1} times in a row') from None
                self._say_once(f'{text}; trying again after {pause:g} s')
                self.clock.sleep(pause)
                continue
            self.log(f'{method} {path}: {time.monotonic() - begun:.2f} s')
            return answer

    def _say_once(self, text: str) -> None:
        """Report once what several concurrent requests meet."""
        if text not in self._said:
            self._said.add(text)
            self.say(text)

    def fetch(self, url: str) -> bytes:
        """GET a URL that Datadog returned, without keys. Empty when there is nothing yet.

        Raises Unreachable for a URL that is not https.
        """
        end = time.monotonic() + self.timeout
        pool = self._api.rest_client.pool_manager
        # Pictures may be on another host. No key is sent there, so redirects are harmless.
        for _ in range(MAX_REDIRECTS + 1):
            self._check_place(url)
            try:
                with deadline(end):
                    answer = pool.request('GET', url, preload_content=False, timeout=self.timeout)
                    content = _read(answer, end)
            except exceptions.HTTPError as error:
                self.log(f'GET {url}: {type(error).__name__}')
                return b''
            self.log(f'GET {url}: {answer.status}, {len(content)} bytes')
            place = answer.get_redirect_location()
            if not place:
                return content if answer.status == 200 else b''
            url = urljoin(url, place)
        return b''

    def _check_place(self, url: str) -> None:
        parts = urlsplit(url)
        here = is_loopback(urlsplit(self.account.api_url).hostname or '') and is_loopback(parts.hostname or '')
        if parts.scheme != 'https' and not (parts.scheme == 'http' and here):
            raise Unreachable(f'Datadog returned a picture at {self.account.redact(url)[:200]}; only https is allowed')

    def _once(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Any, headers: dict[str, str], end: float
    ) -> Answer:
        try:
            with deadline(end):
                answer = self._api.call_api(
                    path,
                    method,
                    query_params=list((query or {}).items()),
                    header_params=dict(headers),
                    body=body,
                    preload_content=False,
                    request_timeout=self.timeout,
                )
                content = _read(answer, end)
        except ApiException as error:
            raise self._failure(method, path, error) from None
        except exceptions.HTTPError as error:
            raise self._lost(error) from None
        except UnicodeDecodeError:
            # The client decodes an error's body as UTF-8; a gateway's page may have any encoding.
            raise _Passing('the response is not text') from None
        except (RecursionError, ValueError, TypeError, AttributeError):
            # The client decodes an error's JSON, which a server may nest or type as it likes.
            raise _Passing('the error response is not of the documented form') from None
        if answer.status == 204:
            return Answer(None, _date(answer.headers))
        try:
            # A key that the server echoes is never shown.
            text = self.account.redact(content.decode())
            return Answer(json.loads(text, parse_constant=_refuse_constant), _date(answer.headers))
        except (ValueError, RecursionError):
            kind = answer.headers.get('Content-Type', 'no content type').partition(';')[0]
            raise _Passing(f'the response is not JSON ({self.account.redact(kind)[:60]})') from None

    def _failure(self, method: str, path: str, error: ApiException) -> Exception:
        status = int(error.status or 0)
        if status == 0:
            # The client reports an invalid certificate so.
            return Unreachable(self._untrusted(str(error.reason)))
        if status == 429:
            return _Passing('429 Too Many Requests', wait=_wait(error.headers or {}))
        if status >= 500 or status == 408:
            return _Passing(f'{status} {_phrase(status)}'.strip())
        reason = self.account.redact(_words(error.body)) or _phrase(status)
        if 300 <= status < 400:
            return Unreachable(
                f'{method} {path}: {self.account.api_url} answers with a redirect ({status}): it is not the Datadog API'
            )
        if status in (401, 403):
            text = (
                f'{status}: {self.account.site} refuses the keys for {method} {path} ({reason}). '
                '`ddassets doctor` says which key, and whether the site is right'
            )
            if permission := permission_for(method, path):
                # Datadog answers the same for a wrong key and for a missing permission.
                text += f'; if doctor finds nothing, the application key lacks the permission {permission}'
            return Refused(text, status, reason)
        return Refused(f'{method} {path}: {status}: {reason}', status, reason)

    def _lost(self, error: Exception) -> Exception:
        host = urlsplit(self.account.api_url).hostname
        cause = error
        while isinstance(cause, exceptions.ProxyError | exceptions.MaxRetryError):
            inner = cause.original_error if isinstance(cause, exceptions.ProxyError) else cause.reason
            if inner is None:
                break
            cause = inner
        through = f' through the proxy {self._proxy}' if self._proxy else ''
        match cause:
            case exceptions.NameResolutionError():
                name = self._proxy or host
                return Unreachable(f'host {name} not found: is there a network? Behind a proxy, set HTTPS_PROXY')
            case exceptions.SSLError() | ssl.SSLError():
                return Unreachable(self._untrusted(str(cause)))
            case exceptions.NewConnectionError() | exceptions.ConnectTimeoutError():
                return _Passing(f'no connection to {host}{through}', sent=False)
            case exceptions.ReadTimeoutError() | _TooSlow():
                return _Passing(f'no response within {self.timeout:g} s')
            case exceptions.ProxyError() | OSError():
                return _Passing(f'no connection to {host}{through}', sent=not self._proxy)
            case exceptions.IncompleteRead() | exceptions.ProtocolError():
                return _Passing('the connection broke')
        return _Passing(f'the connection failed ({type(cause).__name__})')

    def _untrusted(self, reason: str) -> str:
        host = urlsplit(self.account.api_url).hostname
        found = self.account.redact(' '.join(reason.split()))[:200]
        return (
            f'the certificate of {host} is not valid ({found}). Behind a proxy that decrypts TLS, set SSL_CERT_FILE to '
            "the proxy's certificate"
        )


class _Passing(Exception):
    """A failure that a retry may cure. `wait`: seconds that Datadog asks for. `sent` is false if nothing was sent."""

    def __init__(self, text: str, wait: float | None = None, sent: bool = True) -> None:
        super().__init__(text)
        self.wait = wait
        self.sent = sent


class _TooSlow(exceptions.HTTPError):
    """The response exceeded its deadline or size limit."""


class _Pooled(ApiClient):
    """Keeps one connection for each concurrent request."""

    def _build_rest_client(self) -> Any:
        from datadog_api_client.rest import RESTClientObject

        return RESTClientObject(self.configuration, maxsize=CONNECTIONS)  # type: ignore[no-untyped-call]


def _read(answer: Any, end: float) -> bytes:
    """Read the body, until `end` (seconds of time.monotonic) at the latest."""
    pieces = []
    size = 0
    while piece := answer.read1(65536):
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > end or size > MAX_ANSWER:
            answer.close()
            raise _TooSlow
    answer.release_conn()
    return b''.join(pieces)


def _words(body: Any) -> str:
    """The text of an error response: `{"errors": [...]}`, strings or objects with `detail`; empty for other forms.

    The refusal to delete an SLO has its errors by the id of the SLO.
    """
    try:
        errors = body['errors'].values() if isinstance(body['errors'], dict) else body['errors']
        found = [one if isinstance(one, str) else str(one.get('detail') or one.get('title')) for one in errors]
    except (TypeError, KeyError, AttributeError):
        return ''
    return ' '.join('; '.join(found).split())[:1000]


def _phrase(status: int) -> str:
    """The standard reason phrase. The server's own may be anything, even one of our keys."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ''


def _wait(headers: Mapping[str, str], now: float | None = None) -> float:
    """Seconds that a 429 asks to wait: X-RateLimit-Reset, else Retry-After in seconds or as a date."""
    values = {name.lower(): value for name, value in headers.items()}
    for name in ('x-ratelimit-reset', 'retry-after'):
        try:
            wait = float(values[name])
        except KeyError:
            continue
        except ValueError:
            date = _date(values, name)
            if date is None:
                continue
            # By the server's own clock, where it sends it.
            wait = date - (_date(values, 'date') or (time.time() if now is None else now))
        if math.isfinite(wait) and wait <= MAX_BELIEVED_WAIT:
            return max(0.0, wait)
    return DEFAULT_WAIT


def _date(headers: Mapping[str, str], name: str = 'Date') -> float | None:
    """Unix seconds; None for a missing or malformed header."""
    try:
        return parsedate_to_datetime(headers[name]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _refuse_constant(name: str) -> Any:
    # Python reads NaN and Infinity, which JSON does not have.
    raise ValueError(name)


def _proxy(url: str) -> tuple[str | None, Any]:
    """The proxy of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY (either case) and its login header; none under NO_PROXY.

    Raises UnusableInputError for an unsupported proxy; the text contains no password.
    """
    target = urlsplit(url)
    proxies = urllib.request.getproxies()
    scheme = target.scheme if proxies.get(target.scheme) else 'all'
    proxy = proxies.get(scheme)
    if not proxy or urllib.request.proxy_bypass(target.hostname or ''):
        return None, None
    try:
        parts = urlsplit(proxy if '://' in proxy else f'http://{proxy}')
        usable = parts.scheme in ('http', 'https') and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise UnusableInputError(f'{scheme.upper()}_PROXY: expected an address such as http://proxy.example.com:3128')
    login, at, place = parts.netloc.rpartition('@')
    headers = urllib3.make_headers(proxy_basic_auth=unquote(login)) if at else None
    return f'{parts.scheme}://{place}', headers


def _certificates() -> str | None:
    """None for the system's certificates, which follow SSL_CERT_FILE; certifi's if the system has none."""
    paths = ssl.get_default_verify_paths()
    return None if paths.cafile or paths.capath else certifi.where()
