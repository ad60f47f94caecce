"""A proxy on loopback, as in company networks: it opens tunnels and records the requests."""

import contextlib
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Proxy:
    """A context manager. Tunnels lead only to this machine; other hosts get the response 502. `asked` are the targets
    (`host:port`) in order, `authorisations` the credentials of each.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.authorisations: list[str | None] = []
        self._http = _Server(('127.0.0.1', 0), _Handler)
        self._http.proxy = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        return f'127.0.0.1:{self._http.server_port}'

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    proxy: Proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that disconnected."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 30
    server: _Server

    def do_CONNECT(self) -> None:
        self.server.proxy.asked.append(self.path)
        self.server.proxy.authorisations.append(self.headers.get('Proxy-Authorization'))
        host, _, port = self.path.rpartition(':')
        if host not in ('127.0.0.1', 'localhost'):
            self.send_error(502)
            return
        with socket.create_connection((host, int(port)), timeout=5) as far:
            self.send_response(200, 'Connection established')
            self.end_headers()
            self._pass_on(far)

    def _pass_on(self, far: socket.socket) -> None:
        ends = {self.connection: far, far: self.connection}
        with contextlib.suppress(OSError):
            while ready := select.select(list(ends), [], [], 30)[0]:
                for end in ready:
                    piece = end.recv(65536)
                    if not piece:
                        return
                    ends[end].sendall(piece)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: `asked` is the log."""
