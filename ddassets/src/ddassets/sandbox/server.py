"""The organisation behind HTTP/1.1, on loopback unless told otherwise.

The standard library's server is enough: an Agent sends a few large requests, and tests that break a connection need
its socket.
"""

import ipaddress
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from ddassets.diagnostic import UnusableInputError
from ddassets.sandbox.request import Answer
from ddassets.sandbox.sandbox import Message, Sandbox, encoded

LOOPBACK = '127.0.0.1'
#: Names of this machine in a Host header. Any other one may be a page of a browser that rebinds its own name.
LOCAL_NAMES = ('127.0.0.1', 'localhost', '::1')
_TICK = 1.0
_MAX_DISCARDED = 16_000_000
type Log = Callable[[str, str, Answer], None]


class Server:
    """Serves a sandbox inside `with`; `url` is where. `names` are further names that a Host header may have."""

    def __init__(
        self,
        sandbox: Sandbox,
        port: int = 0,
        address: str = LOOPBACK,
        names: Iterable[str] = (),
        log: Log = lambda method, path, answer: None,
        handler: type['Handler'] | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.names = {*LOCAL_NAMES, address.lower(), *(name.lower() for name in names)}
        self.log = log
        self._closing = threading.Event()
        try:
            self.http = _Http((address, port), handler or Handler)
        except OSError as error:
            raise UnusableInputError(f'port {port} of {address}: {error.strerror}; pass another --port') from None
        self.http.owner = self
        sandbox.url = self.url
        self._threads = [
            threading.Thread(target=self.http.serve_forever, args=(0.02,), name='sandbox-http', daemon=True),
            threading.Thread(target=self._tick, name='sandbox-clock', daemon=True),
        ]

    @property
    def port(self) -> int:
        return int(self.http.server_port)

    @property
    def url(self) -> str:
        host = str(self.http.server_address[0])
        return f'http://{f"[{host}]" if ":" in host else host}:{self.port}'

    def _tick(self) -> None:
        while not self._closing.wait(_TICK):
            try:
                self.sandbox.clock.tick()
            except Exception as error:
                # The next second comes whatever happened in this one.
                print(f'ddassets: error: {type(error).__name__}: {error}', file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self.http.shutdown()
        for thread in self._threads:
            thread.join()
        self.http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    owner: Server

    def __init__(self, address: tuple[str, int], handler: type['Handler']) -> None:
        self.address_family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # Without the look-up of this machine's name, which may ask the network.
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that disconnected."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server_version = 'ddassets-sandbox'
    sys_version = ''
    timeout = 30
    disable_nagle_algorithm = True
    server: _Http

    def respond(self) -> None:
        refusal = self._refused_before_reading()
        if refusal is not None:
            # A client reads the answer once its request is sent. The connection is not used again.
            self.close_connection = True
            self._discard()
            return self.send(refusal)
        length = int(self.headers.get('Content-Length') or 0)
        raw = self.rfile.read(length)
        if len(raw) < length:
            # The client is gone in the middle of its request, and no server acts on half of one.
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        message = Message(self.command, self.path, headers, raw)
        self.serve(message)

    def serve(self, message: Message) -> None:
        """Answer a request that has been read."""
        owner = self.server.owner
        try:
            answer = owner.sandbox.answer(message)
        except Exception as error:
            print(f'ddassets: error: {type(error).__name__}: {error}', file=sys.stderr, flush=True)
            answer = Answer(500, {'errors': ['Internal error of the sandbox']})
        owner.log(self.command, urlsplit(self.path).path, answer)
        self.send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = respond

    def _discard(self) -> None:
        """Read the body of a refused request, up to a limit."""
        length = self.headers.get('Content-Length', '0')
        left = min(int(length), _MAX_DISCARDED) if length.isascii() and length.isdigit() and len(length) < 12 else 0
        while left > 0 and (piece := self.rfile.read(min(left, 65536))):
            left -= len(piece)

    def _refused_before_reading(self) -> Answer | None:
        host = host_of(self.headers.get('Host', ''))
        if host not in self.server.owner.names:
            return Answer(403, {'errors': [f'Host: found {host[:80]!r}, which is no name of this sandbox']})
        length = self.headers.get('Content-Length', '0')
        if 'Transfer-Encoding' in self.headers:
            return Answer(411, {'errors': ['Transfer-Encoding is not supported; send Content-Length']})
        if not (length.isascii() and length.isdigit()) or len(length) > 12:
            return Answer(400, {'errors': [f'Content-Length: found {length[:40]!r}, expected a number of bytes']})
        limit = self.server.owner.sandbox.max_body(self.command, self.path)
        if int(length) > limit:
            return Answer(413, {'errors': [f'the body has {int(length):,} bytes, allowed are {limit:,}']})
        return None

    def send(self, answer: Answer, headers: Mapping[str, str] | None = None) -> None:
        content = encoded(answer)
        self.head(answer.status, answer.content_type, None if answer.status == 204 else len(content), headers)
        if self.command != 'HEAD':
            self.wfile.write(content)

    def head(
        self, status: int, content_type: str, length: int | None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header('Content-Type', content_type)
            self.send_header('Content-Length', str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header('Connection', 'close')
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(int(self.server.owner.sandbox.clock.now()))

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: `Server.log` does."""


def host_of(header: str) -> str:
    """Return the name in a Host header in lower case, without its port.

    >>> host_of('LocalHost:8126'), host_of('[::1]:8126')
    ('localhost', '::1')
    """
    try:
        return urlsplit(f'//{header.strip()}').hostname or ''
    except ValueError:
        return header.strip().lower()


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == 'localhost'
