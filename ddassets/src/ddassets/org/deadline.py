"""Bounds the whole of one HTTP exchange: a socket's own time limit starts anew with each piece that arrives."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_current = threading.local()


@contextmanager
def deadline(instant: float) -> Iterator[None]:
    """Fail reads of this thread's responses after `instant` (seconds of time.monotonic), status line included."""
    _current.instant = instant
    try:
        yield
    finally:
        del _current.instant


def enforce(manager: urllib3.PoolManager) -> None:
    """Let all connections of `manager` keep to the deadline of the thread that uses them."""
    manager.pool_classes_by_scheme = {'http': _Pool, 'https': _SecurePool}


class _Reader(io.RawIOBase):
    def __init__(self, connection: socket.socket, instant: float) -> None:
        self._connection = connection
        # Keeps the descriptor open until the response is closed, as the connection may be closed before.
        self._file = connection.makefile('rb', buffering=0)
        self._instant = instant

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._instant - time.monotonic()
        if left <= 0:
            raise TimeoutError('timed out')
        self._connection.settimeout(left)
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        instant = getattr(_current, 'instant', None)
        if instant is not None:
            self.fp.close()
            self.fp = io.BufferedReader(_Reader(sock, instant))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
