"""The sandbox behind HTTP/1.1 on loopback, with injected faults. Requests and responses are checked against the
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
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from ddassets.sandbox import server
from ddassets.sandbox.clock import Clock
from ddassets.sandbox.keys import Keys
from ddassets.sandbox.request import Answer
from ddassets.sandbox.sandbox import Message, Sandbox, encoded
from ddassets.sandbox.store import Store
from loopback.organisation import Organisation
from loopback.specification import Specification

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


class _Clock(Clock):
    """The clock of the organisation that is there at the moment."""

    def __init__(self, store: Store, fake: 'FakeDatadog') -> None:
        super().__init__(store)
        self._fake = fake

    def now(self) -> float:
        return self.moment().timestamp()

    def moment(self) -> datetime:
        return self._fake.organisation.clock()


class _Keys(Keys):
    """The keys of the organisation that is there at the moment."""

    def __init__(self, fake: 'FakeDatadog') -> None:
        super().__init__(frozenset(), frozenset())
        object.__setattr__(self, '_fake', fake)

    def allow_api(self, key: str) -> bool:
        return key in self._fake.organisation.api_keys  # type: ignore[attr-defined]

    def allow_app(self, key: str) -> bool:
        return key in self._fake.organisation.app_keys  # type: ignore[attr-defined]


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
        self._organisation = organisation or Organisation()
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
        self.closing = threading.Event()
        self._lock = threading.Lock()
        store = self._organisation.store
        self._sandbox = Sandbox(store, _Keys(self), _Clock(store, self), self._organisation)
        # No live evaluation: it would change monitors whenever a second passes, and cannot be copied.
        self._sandbox.clock.followers.clear()
        self._organisation.groups_of = lambda id: {}
        self._server = _Server(self._sandbox, self, certificate)
        self._organisation.url = self.url

    @property
    def organisation(self) -> Organisation:
        return self._organisation

    @organisation.setter
    def organisation(self, organisation: Organisation) -> None:
        self._organisation = self._sandbox.organisation = organisation

    @property
    def url(self) -> str:
        return self._server.url

    def inject(self, number: int, kind: FaultKind) -> None:
        """Let request number `number`, from 1, meet a fault."""
        self.faults[number] = kind

    def counts(self) -> Counter[str]:
        """Return the number of requests by operationId, such as `ListMonitors`; pictures count as `picture`."""
        return Counter(exchange.operation for exchange in self.exchanges)

    def __enter__(self) -> Self:
        self.organisation.url = self.url
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.__exit__(kind, error, trace)

    def begin(self, message: Message) -> Exchange:
        url = urlsplit(message.target)
        with self._lock:
            number = len(self.exchanges) + 1
            operation = self.specification.operation(message.method, url.path)
            exchange = Exchange(
                number=number,
                method=message.method,
                path=url.path,
                query=parse_qs(url.query, keep_blank_values=True),
                body=_parsed(message.body),
                operation=operation.name if operation else 'picture' if url.path.startswith('/s/') else 'unknown',
                about=_about(self.organisation, url.path, url.query, _parsed(message.body)),
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

    def act(self, exchange: Exchange, message: Message) -> Answer:
        """Check the request, execute it, check the response."""
        with self._lock:
            if exchange.operation == 'picture':
                return self._sandbox.answer(message)
            operation = self.specification.operation(exchange.method, exchange.path)
            if operation is None:
                self._violated(exchange, 'no such operation in the OpenAPI documents')
                return Answer(404, {'errors': ['Not found']})
            faults = operation.request_faults(exchange.query, message.body)
            for fault in faults:
                self._violated(exchange, str(fault))
            if faults:
                return Answer(400, {'errors': [fault.message for fault in faults]})
            try:
                answer = self._sandbox.answer(message)
                content = encoded(answer)
            except Exception as error:
                self._violated(exchange, f'the sandbox failed: {error!r}')
                return Answer(500, {'errors': ['Internal error']})
            for fault in operation.answer_faults(answer.status, content):
                self._violated(exchange, f'answer {answer.status}: {fault}')
            return answer

    def _violated(self, exchange: Exchange, text: str) -> None:
        self.violations.append(f'request {exchange.number}, {exchange.method} {exchange.path}: {text}')

    def wait(self, connection: socket.socket, seconds: float | None = None) -> bool:
        """Wait for the client to disconnect; False if it did, or if the server closes."""
        step = 0.02
        for _ in range(max(1, int((self.patience if seconds is None else seconds) / step))):
            if self.closing.is_set() or select.select([connection], [], [], step)[0]:
                return False
        return True


class _Server(server.Server):
    def __init__(self, sandbox: Sandbox, fake: FakeDatadog, certificate: ssl.SSLContext | None) -> None:
        self.fake = fake
        self._scheme = 'https' if certificate else 'http'
        super().__init__(sandbox, handler=_Handler)
        if certificate:
            # The handshake is left to the thread of the connection: a client that refuses it holds up no other.
            self.http.socket = certificate.wrap_socket(
                self.http.socket, server_side=True, do_handshake_on_connect=False
            )

    @property
    def url(self) -> str:
        return super().url.replace('http:', f'{self._scheme}:')


class _Handler(server.Handler):
    @property
    def fake(self) -> FakeDatadog:
        owner = self.server.owner
        assert isinstance(owner, _Server)
        return owner.fake

    def serve(self, message: Message) -> None:
        exchange = self.fake.begin(message)
        try:
            self._meet(exchange, message)
        finally:
            self.fake.end()

    def _meet(self, exchange: Exchange, message: Message) -> None:
        fake, kind = self.fake, exchange.fault
        fake.watch(exchange, 'arrived')
        if kind == 'reset_before':
            return self._reset()
        if kind in WITHOUT_EFFECT:
            return self._refuse(int(kind))
        answer = fake.act(exchange, message)
        fake.watch(exchange, 'acted')
        if kind is None:
            exchange.status = answer.status
            return self.send(answer)
        _AFTERWARDS[kind](self, answer)

    def _hang(self, _: Answer) -> None:
        self.fake.wait(self.connection)
        self._reset()

    def _truncate(self, answer: Answer) -> None:
        content = encoded(answer)
        self.head(answer.status, answer.content_type, len(content) + 1)
        self.wfile.write(content[: len(content) // 2])
        self.close_connection = True

    def _dribble(self, answer: Answer) -> None:
        content = encoded(answer)
        self.head(answer.status, answer.content_type, len(content) + 1)
        for i in range(min(len(content), 40)):
            self.wfile.write(content[i : i + 1])
            if not self.fake.wait(self.connection, self.fake.patience / 40):
                break
        self._reset()

    def _refuse(self, status: int) -> None:
        if status == 429:
            reset = str(self.fake.rate_limit_reset)
            limits = {'Limit': '100', 'Period': '60', 'Remaining': '0', 'Reset': reset, 'Name': 'everything'}
            headers = {f'X-RateLimit-{name}': value for name, value in limits.items()}
            return self.send(Answer(429, {'errors': ['Rate limit of 100 requests in 60 seconds reached']}), headers)
        if status == 500:
            return self.send(Answer(500, {'errors': ['Internal error']}))
        self.send(Answer(status, GATEWAY.format(f'{status} by a gateway').encode(), 'text/html'))

    def _reset(self) -> None:
        # Lingering for no time sends RST in place of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close_connection = True
        for stream in (self.rfile, self.connection):
            stream.close()


_AFTERWARDS: dict[FaultKind, Callable[[_Handler, Answer], None]] = {
    'reset_after': lambda handler, _: handler._reset(),
    'timeout': _Handler._hang,
    '504_after_success': lambda handler, _: handler._refuse(504),
    'truncated': _Handler._truncate,
    'wrong_content_type': lambda handler, _: handler.send(Answer(200, GATEWAY.format('Hello').encode(), 'text/html')),
    'slow_loris': _Handler._dribble,
}


def _about(organisation: Organisation, path: str, query: str, body: Any) -> str:
    """Return the title in the request or of the stored object; the query if there is neither."""
    id = path.rpartition('/')[2]
    sent = body if isinstance(body, dict) else {}
    stored = organisation.dashboards.get(id) or organisation.downtimes.get(id)
    stored = stored or organisation.notification_rules.get(id) or organisation.slos.get(id)
    stored = stored or organisation.monitors.get(int(id) if id.isdigit() else -1) or {}
    for one in (sent, stored):
        attributes = one.get('attributes') or (one.get('data') or {}).get('attributes') or one
        if title := attributes.get('title') or attributes.get('name') or attributes.get('scope'):
            return str(title)
    # No instants and no random marks: they are others in each run.
    return '&'.join(part for part in query.split('&') if not re.search(r'=\d{9,}$|^tags=', part))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
