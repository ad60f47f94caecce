"""Call a webhook on this machine: the only request that the sandbox sends."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from ddassets.diagnostic import UnusableInputError

_LOOPBACK = ('127.0.0.1', 'localhost', '::1')
# Seconds.
_TIMEOUT = 2.0


class Webhook:
    """An address on loopback. Raises UnusableInputError for another one."""

    def __init__(self, address: str) -> None:
        url = urlsplit(address)
        try:
            port = url.port or 80
        except ValueError:
            port = 0
        path = f'{url.path or "/"}{f"?{url.query}" if url.query else ""}'
        if not path.isascii() or ' ' in path:
            raise UnusableInputError(f'webhook: found {address!r}, expected an address without spaces and in ASCII')
        if url.scheme != 'http' or url.hostname not in _LOOPBACK or not port or url.username is not None:
            raise UnusableInputError(
                f'webhook: found {address!r}, expected an address on this machine, such as http://127.0.0.1:8080/'
            )
        self._host, self._port, self._path = url.hostname, port, path

    def call(self, payload: dict[str, Any]) -> None:
        """Send JSON. Raises OSError if nothing answers, or refuses."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT)
        try:
            connection.request('POST', self._path, json.dumps(payload), {'Content-Type': 'application/json'})
            answer = connection.getresponse()
            answer.read()
        except http.client.HTTPException as error:
            raise OSError(f'the webhook did not answer: {error}') from None
        finally:
            connection.close()
        if answer.status >= 300:
            raise OSError(f'the webhook answered {answer.status}')
