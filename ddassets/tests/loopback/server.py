"""The organisation behind HTTP/1.1 on loopback, with injected faults. Requests and responses are checked against the
OpenAPI documents; violations are stored in `violations`.
"""

import json
import re
import select
import socket
import ssl
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from loopback.organisation import Organisation
from loopback.specification import Specification
from loopback.stored import Answer

type FaultKind = Literal[
    'reset_before',
    'reset_after',
    'timeout',
    '429',
    '500',
    '502',
    '503',
    '504_after_success',
    'truncated',
    'wrong_content_type',
    'slow_loris',
]
type Moment = Literal['arrived', 'acted']
FAULTS: tuple[FaultKind, ...] = FaultKind.__value__.__args__
# The rest act on the request, and the client does not learn of it.
WITHOUT_EFFECT = {'reset_before', '429', '500', '502', '503'}
GATEWAY = '<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>'


@dataclass
class Exchange:
    """One request as the server met it. `number` counts from 1, `status` is None after a fault.

    `about` is what people call the object, or the page of a listing: the same request has the same name in two runs,
    whatever the order in which threads send it.
    """

    number: int
    method: str
    path: str
    query: dict[str, list[str]]
    body: Any = field(repr=False)
    operation: str
    about: str
    fault: FaultKind | None = None
    status: int | None = None

    @property
    def name(self) -> str:
        return f'{self.operation} {self.about}'.rstrip()


class FakeDatadog:
    """A context manager; `url` is there inside it.

    `inject` sets a fault for a request by its number, `always` one for every request, `fault_of` one by what it is. A
    fault that keeps the client waiting ends when the client hangs up, and after `patience` seconds at the latest.
    `watch` is told when a request has arrived and when it has been acted on, before the answer is sent. With a
    `certificate` it speaks TLS.
    """

    def __init__(
        self,
        specification: Specification,
        organisation: Organisation | None = None,
        certificate: ssl.SSLContext | None = None,
    ) -> None:
        self.specification = specification
        self.organisation = organisation or Organisation()
        self.exchanges: list[Exchange] = []
        self.violations: list[str] = []
        self.faults: dict[int, FaultKind] = {}
        self.always: FaultKind | None = None
        self.fault_of: Callable[[Exchange], FaultKind | None] = lambda exchange: self.faults.get(
            exchange.number, self.always
        )
        self.watch: Callable[[Exchange, Moment], None] = lambda exchange, moment: None
        self.under_way = 0
        self.patience = 10.0
        self.rate_limit_reset = 1
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = _Server(('127.0.0.1', 0), _Handler)
        self._http.fake = self
        self._scheme = 'https' if certificate else 'http'
        if certificate:
            # The handshake is left to the thread of the connection: a client that refuses it holds up no other.
            self._http.socket = certificate.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f'{self._scheme}://127.0.0.1:{self._http.server_port}'

    def inject(self, number: int, kind: FaultKind) -> None:
        """Let request number `number`, from 1, meet a fault."""
        self.faults[number] = kind

    def counts(self) -> Counter[str]:
        """Return the number of requests by operationId, such as `ListMonitors`; pictures count as `picture`."""
        return Counter(exchange.operation for exchange in self.exchanges)

    def __enter__(self) -> Self:
        self.organisation.pictures_url = self.url
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def begin(self, method: str, target: str, body: bytes) -> Exchange:
        url = urlsplit(target)
        with self._lock:
            number = len(self.exchanges) + 1
            operation = self.specification.operation(method, url.path)
            exchange = Exchange(
                number=number,
                method=method,
                path=url.path,
                query=parse_qs(url.query, keep_blank_values=True),
                body=_parsed(body),
                operation=operation.name if operation else 'picture' if url.path.startswith('/s/') else 'unknown',
                about=_about(self.organisation, url.path, url.query, _parsed(body)),
            )
            exchange.fault = self.fault_of(exchange)
            self.exchanges.append(exchange)
            self.under_way += 1
            return exchange

    def end(self) -> None:
        with self._lock:
            self.under_way -= 1

    def settle(self, seconds: float = 5.0) -> None:
        """Wait until all received requests are processed, for a client that has ended."""
        end = time.monotonic() + seconds
        quiet = 0
        while quiet < 3 and time.monotonic() < end:
            time.sleep(0.002)
            quiet = 0 if self.under_way else quiet + 1

    def act(self, exchange: Exchange, raw: bytes, api_key: str, app_key: str) -> Answer:
        """Check the request, execute it, check the response."""
        with self._lock:
            if exchange.operation == 'picture':
                return self._picture(exchange.path)
            operation = self.specification.operation(exchange.method, exchange.path)
            if operation is None:
                self._violated(exchange, 'no such operation in the OpenAPI documents')
                return Answer(404, {'errors': ['Not found']})
            faults = operation.request_faults(exchange.query, raw)
            for fault in faults:
                self._violated(exchange, str(fault))
            if faults:
                return Answer(400, {'errors': [fault.message for fault in faults]})
            match = operation.expression.fullmatch(exchange.path)
            id = (match and match.groupdict().get('id')) or ''
            try:
                answer = self.organisation.answer(operation.name, exchange.query, _parsed(raw), id, api_key, app_key)
                content = encoded(answer)
            except Exception as error:
                self._violated(exchange, f'the fake failed: {error!r}')
                return Answer(500, {'errors': ['Internal error']})
            for fault in operation.answer_faults(answer.status, content):
                self._violated(exchange, f'answer {answer.status}: {fault}')
            # What is sent must not change under the feet of the thread that sends it.
            return Answer(answer.status, content, answer.content_type)

    def _picture(self, path: str) -> Answer:
        pictures = self.organisation.pictures
        if path not in pictures:
            return Answer(404, b'no such picture', 'text/plain')
        pictures[path] += 1
        rendered = pictures[path] > self.organisation.renders_after
        return Answer(200, png(600, 200) if rendered else png(1, 1), 'image/png')

    def _violated(self, exchange: Exchange, text: str) -> None:
        self.violations.append(f'request {exchange.number}, {exchange.method} {exchange.path}: {text}')

    def wait(self, connection: socket.socket, seconds: float | None = None) -> bool:
        """Wait for the client to disconnect; False if it did, or if the server closes."""
        step = 0.02
        for _ in range(max(1, int((self.patience if seconds is None else seconds) / step))):
            if self._closing.is_set() or select.select([connection], [], [], step)[0]:
                return False
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    fake: FakeDatadog

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that disconnected."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 30
    disable_nagle_algorithm = True
    server: _Server

    def respond(self) -> None:
        fake = self.server.fake
        length = int(self.headers.get('Content-Length') or 0)
        raw = self.rfile.read(length)
        if len(raw) < length:
            # The client is gone in the middle of its request, and no server acts on half of one.
            self.close_connection = True
            return
        exchange = fake.begin(self.command, self.path, raw)
        try:
            self._meet(exchange, raw)
        finally:
            fake.end()

    def _meet(self, exchange: Exchange, raw: bytes) -> None:
        fake, kind = self.server.fake, exchange.fault
        fake.watch(exchange, 'arrived')
        if kind == 'reset_before':
            return self._reset()
        if kind in WITHOUT_EFFECT:
            return self._refuse(int(kind))
        answer = fake.act(exchange, raw, self.headers.get('DD-API-KEY', ''), self.headers.get('DD-APPLICATION-KEY', ''))
        fake.watch(exchange, 'acted')
        if kind is None:
            exchange.status = answer.status
            return self._send(answer)
        _AFTERWARDS[kind](self, answer)

    def _hang(self, _: Answer) -> None:
        self.server.fake.wait(self.connection)
        self._reset()

    def _truncate(self, answer: Answer) -> None:
        content = encoded(answer)
        self._head(answer.status, answer.content_type, len(content) + 1)
        self.wfile.write(content[: len(content) // 2])
        self.close_connection = True

    def _dribble(self, answer: Answer) -> None:
        content = encoded(answer)
        self._head(answer.status, answer.content_type, len(content) + 1)
        for i in range(min(len(content), 40)):
            self.wfile.write(content[i : i + 1])
            if not self.server.fake.wait(self.connection, self.server.fake.patience / 40):
                break
        self._reset()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond

    def _send(self, answer: Answer, headers: dict[str, str] | None = None) -> None:
        content = encoded(answer)
        self._head(answer.status, answer.content_type, None if answer.status == 204 else len(content), headers)
        self.wfile.write(content)

    def _head(self, status: int, content_type: str, length: int | None, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header('Content-Type', content_type)
            self.send_header('Content-Length', str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _refuse(self, status: int) -> None:
        if status == 429:
            reset = str(self.server.fake.rate_limit_reset)
            limits = {'Limit': '100', 'Period': '60', 'Remaining': '0', 'Reset': reset, 'Name': 'everything'}
            headers = {f'X-RateLimit-{name}': value for name, value in limits.items()}
            return self._send(Answer(429, {'errors': ['Rate limit of 100 requests in 60 seconds reached']}), headers)
        if status == 500:
            return self._send(Answer(500, {'errors': ['Internal error']}))
        self._send(Answer(status, GATEWAY.format(f'{status} by a gateway').encode(), 'text/html'))

    def _reset(self) -> None:
        # Lingering for no time sends RST in place of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close_connection = True
        for stream in (self.rfile, self.connection):
            stream.close()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(int(self.server.fake.organisation.clock().timestamp()))

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: `exchanges` is the log."""


_AFTERWARDS: dict[FaultKind, Callable[[_Handler, Answer], None]] = {
    'reset_after': lambda handler, _: handler._reset(),
    'timeout': _Handler._hang,
    '504_after_success': lambda handler, _: handler._refuse(504),
    'truncated': _Handler._truncate,
    'wrong_content_type': lambda handler, _: handler._send(Answer(200, GATEWAY.format('Hello').encode(), 'text/html')),
    'slow_loris': _Handler._dribble,
}


def _about(organisation: Organisation, path: str, query: str, body: Any) -> str:
    """Return the title in the request or of the stored object; the query if there is neither."""
    id = path.rpartition('/')[2]
    sent = body if isinstance(body, dict) else {}
    stored = organisation.dashboards.get(id) or organisation.downtimes.get(id)
    stored = stored or organisation.notification_rules.get(id)
    stored = stored or organisation.monitors.get(int(id) if id.isdigit() else -1) or {}
    for one in (sent, stored):
        attributes = one.get('attributes') or (one.get('data') or {}).get('attributes') or one
        if title := attributes.get('title') or attributes.get('name') or attributes.get('scope'):
            return str(title)
    # No instants and no random marks: they are others in each run.
    return '&'.join(part for part in query.split('&') if not re.search(r'=\d{9,}$|^tags=', part))


def encoded(answer: Answer) -> bytes:
    if answer.body is None:
        return b''
    return answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()


def png(width: int, height: int) -> bytes:
    """Return a white picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))

    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    rows = (b'\0' + b'\xff' * width) * height
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
