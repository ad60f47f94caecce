"""The way to the Datadog API: one request, repeated only where that does no harm.

The official client carries it, with plain JSON in and out. Its own repetition is off, since it repeats a creation that
a gateway timed out on; and so are redirects, which would carry the keys elsewhere.
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
from ddassets.org.permission import permission_for

# Seconds between the attempts at one request.
PAUSES: tuple[float, ...] = (0.5, 1.5, 4)
# How often one request waits for the rate limit, and for how many seconds in all.
MOST_WAITS = 10
LONGEST_WAIT = 120.0
# How many requests are under way at once.
CONNECTIONS = 8
# How often one is sent on to where a picture is.
MOST_REDIRECTS = 3
# Bytes of an answer; the largest dashboards have some megabytes.
LARGEST_ANSWER = 256 * 1024 * 1024


class ApiError(Exception):
    """A request without success. The text tells what to do, and holds no key."""


class Refused(ApiError):
    """Datadog said no, and will do so again. `status` is that of HTTP, `reason` are Datadog's own words."""

    def __init__(self, text: str, status: int, reason: str) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason


class Unreachable(ApiError):
    """There was no way to Datadog: no name, no certificate, no connection."""


class Unavailable(ApiError):
    """Datadog, or what lies before it, failed each time."""


class Unclear(ApiError):
    """A request that must not be repeated blindly failed on the way: it may have been carried out."""


@dataclass(frozen=True)
class Answer:
    """`date` is the server's clock in Unix seconds, None where it said nothing."""

    content: Any
    date: float | None


class Client:
    """`timeout` is in seconds, for one request. `say` is told of what takes long. Threads may share one."""

    def __init__(
        self,
        account: Account,
        timeout: float = 30,
        say: Callable[[str], None] = lambda _: None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.account = account
        self.timeout = timeout
        self.say = say
        self.log = log
        configuration = Configuration(  # type: ignore[no-untyped-call]
            host=account.api_url, is_iac=True, ssl_ca_cert=_certificates()
        )
        # No repetition and no redirect.
        configuration.retry_policy = urllib3.Retry(total=False, redirect=False)
        configuration.proxy, configuration.proxy_headers = _proxy(account.api_url)
        self._proxy = urlsplit(configuration.proxy or '').hostname or ''
        self._api = _Pooled(configuration)
        self._said: set[str] = set()

    def get(self, path: str, **query: str | int) -> Any:
        return self.request('GET', path, query).content

    def put(self, path: str, body: Any) -> Any:
        return self.request('PUT', path, body=body).content

    def patch(self, path: str, body: Any) -> Any:
        return self.request('PATCH', path, body=body).content

    def delete(self, path: str) -> None:
        """What is gone already is fine."""
        try:
            self.request('DELETE', path)
        except Refused as refused:
            if refused.status not in (404, 410):
                raise

    def ask(self, path: str, body: Any) -> Any:
        """POST what changes nothing."""
        return self.request('POST', path, body=body).content

    def create(self, path: str, body: Any) -> Any:
        """POST what must not be done twice. Raises Unclear where it may have been done."""
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
        """Raises ApiError: Refused, Unreachable, Unavailable, or Unclear where not to `repeat` was asked."""
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
                    if len(waits) > MOST_WAITS or sum(waits) > LONGEST_WAIT:
                        text = f'{method} {path}: the rate limit is reached; Datadog asks to wait {failure.wait:.0f} s'
                        raise Unavailable(f'{text}: run the command again then') from None
                    self._say_once(f'the rate limit is reached: waiting {failure.wait:.0f} s, as Datadog asks')
                    time.sleep(failure.wait)
                    continue
                if not repeat and failure.sent:
                    raise Unclear(f'{method} {path}: {failure}') from None
                pause = next(pauses, None)
                # Where there is no connection, it is none of this request's business.
                text = f'{method} {path}: {failure}' if failure.sent else str(failure)
                if pause is None:
                    kind = Unavailable if failure.sent else Unreachable
                    raise kind(f'{text}, {len(PAUSES) + 1} times in a row') from None
                self._say_once(f'{text}; trying again after {pause:g} s')
                time.sleep(pause)
                continue
            self.log(f'{method} {path}: {time.monotonic() - begun:.2f} s')
            return answer

    def _say_once(self, text: str) -> None:
        """Several requests at once meet the same."""
        if text not in self._said:
            self._said.add(text)
            self.say(text)

    def fetch(self, url: str) -> bytes:
        """What is at an address that Datadog told, asked without keys; empty where it is not there yet.

        Raises Unreachable for an address that is not asked.
        """
        begun = time.monotonic()
        pool = self._api.rest_client.pool_manager
        # Pictures may lie with another host. No key goes there, so being sent on does no harm.
        for _ in range(MOST_REDIRECTS + 1):
            self._check_place(url)
            try:
                answer = pool.request('GET', url, preload_content=False, timeout=self.timeout)
                content = _read(answer, begun + self.timeout)
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
            raise Unreachable(f'Datadog told a picture at {self.account.veiled(url)[:200]}, where only https is asked')

    def _once(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Any, headers: dict[str, str], end: float
    ) -> Answer:
        try:
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
            # The client reads an error's body as UTF-8; a gateway's page may be in anything.
            raise _Passing('the answer is no text') from None
        if answer.status == 204:
            return Answer(None, _date(answer.headers))
        try:
            # Nobody has to be shown a key because an answer holds it.
            text = self.account.veiled(content.decode())
            return Answer(json.loads(text), _date(answer.headers))
        except ValueError:
            kind = answer.headers.get('Content-Type', 'no content type').partition(';')[0]
            raise _Passing(f'the answer is no JSON ({self.account.veiled(kind)[:60]})') from None

    def _failure(self, method: str, path: str, error: ApiException) -> Exception:
        status = int(error.status or 0)
        if status == 0:
            # The client's form of a certificate that does not hold.
            return Unreachable(self._untrusted(str(error.reason)))
        if status == 429:
            return _Passing('429 Too Many Requests', wait=_told_wait(error.headers or {}))
        if status >= 500 or status == 408:
            return _Passing(f'{status} {_phrase(status)}'.strip())
        reason = self.account.veiled(_words(error.body)) or _phrase(status)
        if 300 <= status < 400:
            return Unreachable(
                f'{method} {path}: {self.account.api_url} answers with a redirect ({status}): not the API'
            )
        if status in (401, 403):
            text = (
                f'{status}: {self.account.site} refuses the keys for {method} {path} ({reason}). '
                '`ddassets doctor` tells which one, and whether the site is right'
            )
            if permission := permission_for(method, path):
                # The answer is the same for a key that is wrong and for one that may not do this.
                text += f'; if all is well there, the application key lacks the permission {permission}'
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
                return Unreachable(f'there is no host {name}: is there a network? Behind a proxy, set HTTPS_PROXY')
            case exceptions.SSLError() | ssl.SSLError():
                return Unreachable(self._untrusted(str(cause)))
            case exceptions.NewConnectionError() | exceptions.ConnectTimeoutError():
                return _Passing(f'no connection to {host}{through}', sent=False)
            case exceptions.ReadTimeoutError() | _TooSlow():
                return _Passing(f'no answer within {self.timeout:g} s')
            case exceptions.ProxyError() | OSError():
                return _Passing(f'no connection to {host}{through}', sent=not self._proxy)
            case exceptions.IncompleteRead() | exceptions.ProtocolError():
                return _Passing('the connection broke')
        return _Passing(f'the connection failed ({type(cause).__name__})')

    def _untrusted(self, reason: str) -> str:
        host = urlsplit(self.account.api_url).hostname
        found = self.account.veiled(' '.join(reason.split()))[:200]
        return (
            f'the certificate of {host} does not hold ({found}). Where a proxy opens the traffic, let SSL_CERT_FILE '
            'name its certificate'
        )


class _Passing(Exception):
    """May be over at the next attempt. `wait` are the seconds that Datadog asked for. Not `sent`: nothing arrived."""

    def __init__(self, text: str, wait: float | None = None, sent: bool = True) -> None:
        super().__init__(text)
        self.wait = wait
        self.sent = sent


class _TooSlow(exceptions.HTTPError):
    """The answer drips."""


class _Pooled(ApiClient):
    """Keeps as many connections as there are requests at once."""

    def _build_rest_client(self) -> Any:
        from datadog_api_client.rest import RESTClientObject

        return RESTClientObject(self.configuration, maxsize=CONNECTIONS)  # type: ignore[no-untyped-call]


def _read(answer: Any, end: float) -> bytes:
    """The body, by `end` of the monotonic clock: a time limit on each piece alone lets an answer drip for ever."""
    pieces = []
    size = 0
    while piece := answer.read1(65536):
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > end or size > LARGEST_ANSWER:
            answer.close()
            raise _TooSlow
    answer.release_conn()
    return b''.join(pieces)


def _words(body: Any) -> str:
    """What an error says: `{"errors": [...]}`, of texts or of objects with a `detail`; else nothing."""
    try:
        errors = body['errors']
        found = [one if isinstance(one, str) else str(one.get('detail') or one.get('title')) for one in errors]
    except (TypeError, KeyError, AttributeError):
        return ''
    return ' '.join('; '.join(found).split())[:1000]


def _phrase(status: int) -> str:
    """The standard's words. A server may write anything in their place, our keys included."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ''


def _told_wait(headers: Mapping[str, str]) -> float:
    told = {name.lower(): value for name, value in headers.items()}
    for name in ('x-ratelimit-reset', 'retry-after'):
        try:
            wait = float(told[name])
        except (KeyError, ValueError):
            continue
        if math.isfinite(wait):
            return max(0.0, wait)
    return 5.0


def _date(headers: Mapping[str, str]) -> float | None:
    try:
        return parsedate_to_datetime(headers['Date']).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def _proxy(url: str) -> tuple[str | None, Any]:
    """HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in either case; the header that a name and a password make.

    Raises UnusableInputError for a proxy of another sort, without its password.
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
    """None for those of the system, which heed SSL_CERT_FILE; certifi's where the system has none."""
    paths = ssl.get_default_verify_paths()
    return None if paths.cafile or paths.capath else certifi.where()
