"""The organisation as one object: a message in, an answer out. HTTP is the business of `server`."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ddassets.diagnostic import UnusableInputError
from ddassets.sandbox.clock import Clock
from ddassets.sandbox.event_search import list_events, search
from ddassets.sandbox.hosts import list_hosts, list_metrics, metric_metadata, metric_tags
from ddassets.sandbox.intake import Intake, ignored
from ddassets.sandbox.keys import Keys
from ddassets.sandbox.live import Live
from ddassets.sandbox.mailbox import Mailbox
from ddassets.sandbox.organisation import ADDRESSES, API_KEY_ALONE, Organisation
from ddassets.sandbox.pages import Pages
from ddassets.sandbox.payload import Place, parsed, unpacked
from ddassets.sandbox.queries import query_timeseries
from ddassets.sandbox.request import Answer, Refusal, Request
from ddassets.sandbox.routes import MAX_BODY, Route, Routes
from ddassets.sandbox.store import Store
from ddassets.sandbox.telemetry import picture
from ddassets.sandbox.traces import stats


@dataclass(frozen=True)
class Message:
    """A request as it came. Names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Sandbox:
    """`url` is set by the server once its port is known; links lead there.

    `lock` is held while an operation of the organisation runs; hold it to read or change its objects.
    """

    def __init__(
        self,
        store: Store,
        keys: Keys,
        clock: Clock | None = None,
        organisation: Organisation | None = None,
        mailbox: Mailbox | None = None,
    ) -> None:
        self.store = store
        self.keys = keys
        self.clock = clock or Clock(store)
        self.intake = Intake(store)
        self.lock = threading.RLock()
        if organisation is None:
            organisation = Organisation(store)
            organisation.load()
        self.organisation = organisation
        self.live = Live(store, organisation, self.lock, mailbox or Mailbox(store))
        organisation.groups_of = self.live.groups
        self.clock.followers.append(self.live.follow)
        pages = Pages(store, organisation, self.live, self.clock.now)
        self.routes = Routes([*self._operations(), *self._intake_routes(), *self._listings(), *self._own_routes()])
        self.routes.add(pages.routes())

    @property
    def url(self) -> str:
        return self.intake.url

    @url.setter
    def url(self, url: str) -> None:
        self.intake.url = self.organisation.url = url

    def _operations(self) -> list[Route]:
        return [
            Route(method, path, name, self._operation(name), 'api' if name in API_KEY_ALONE else 'app')
            for name, (method, path) in ADDRESSES.items()
        ]

    def _operation(self, name: str) -> Callable[[Request], Answer]:
        def act(request: Request) -> Answer:
            with self.lock:
                answer = self.organisation.act(name, request)
                # What is sent must not change under the feet of the thread that sends it.
                return replace(answer, body=encoded(answer)) if answer.body is not None else answer

        return act

    def _timeseries(self, request: Request) -> Answer:
        return query_timeseries(self.organisation, request)

    def _picture(self, request: Request) -> Answer:
        with self.lock:
            return picture(self.organisation, f'/s/{request.id}')

    def _intake_routes(self) -> list[Route]:
        intake = self.intake
        return [
            Route('GET', '/api/v2/validate', 'ValidateV2', lambda _: Answer(200, {'valid': True}), 'api'),
            Route('POST', '/api/v1/series', 'SubmitMetricsV1', intake.series_v1, 'api'),
            Route('POST', '/api/v2/series', 'SubmitMetrics', intake.series_v2, 'api', 512_000, 5_242_880),
            Route('POST', '/api/v1/check_run', 'SubmitServiceCheck', intake.check_runs, 'api'),
            Route('POST', '/intake/', 'Intake', intake.agent, 'api'),
            Route('POST', '/api/v2/events', 'CreateEventV2', intake.event_v2, 'api'),
            Route('POST', '/api/v2/query/timeseries', 'QueryTimeseriesData', self._timeseries),
            *(
                Route('POST', path, 'SubmitDistributions', _unless_probe(intake.distributions), 'api', raw=True)
                for path in ('/api/beta/sketches', '/api/v1/distribution_points')
            ),
            *(
                Route('POST', path, 'Ignored', ignored, 'api', raw=True)
                for path in ('/api/v1/metadata', '/api/v2/apmtelemetry', '/api/v0.2/traces')
            ),
            Route('POST', '/api/v0.2/stats', 'SubmitTraceStats', partial(stats, intake), 'api', raw=True),
            # The Agent's tests of its connection.
            Route('GET', '/_health', 'Health', lambda _: Answer(200, {}), 'none'),
            Route('HEAD', '/support/flare', 'Flare', lambda _: Answer(200), 'none'),
        ]

    def _listings(self) -> list[Route]:
        acts = [
            ('GET', '/api/v1/hosts', 'ListHosts', list_hosts),
            ('GET', '/api/v1/metrics/{id}', 'GetMetricMetadata', metric_metadata),
            ('GET', '/api/v2/metrics', 'ListTagConfigurations', list_metrics),
            ('GET', '/api/v2/metrics/{id}/all-tags', 'ListTagsByMetricName', metric_tags),
            ('GET', '/api/v2/events', 'ListEventsV2', list_events),
            ('POST', '/api/v2/events/search', 'SearchEvents', search),
        ]
        return [Route(method, path, name, partial(act, self.store)) for method, path, name, act in acts]

    def _own_routes(self) -> list[Route]:
        return [
            # No key: a picture is opened by its address, which is not to be guessed elsewhere either.
            Route('GET', '/s/{path}', 'Picture', self._picture, 'none'),
            Route('GET', '/sandbox/clock', 'GetClock', lambda _: self._told_clock(), 'api'),
            Route('PUT', '/sandbox/clock', 'DriveClock', self._drive_clock, 'api'),
        ]

    def _told_clock(self) -> Answer:
        now = self.clock.moment()
        return Answer(200, {'now': now.timestamp(), 'time': now.isoformat(), 'driven': self.clock.driven})

    def _drive_clock(self, request: Request) -> Answer:
        """Take one of `now` (seconds since the epoch), `advance` (seconds) and `driven: false`."""
        body = Place(request.body)
        try:
            match sorted(body.entries()):
                case ['now']:
                    self.clock.drive(body['now'].number())
                case ['advance']:
                    self.clock.drive(self.clock.now() + body['advance'].number())
                case ['driven'] if body['driven'].value is False:
                    self.clock.release()
                case _:
                    raise body.refuse('one of now, advance and "driven": false')
        except UnusableInputError as error:
            raise Refusal(400, str(error)) from None
        return self._told_clock()

    def max_body(self, method: str, target: str) -> int:
        """Return the most bytes that the body of a request may have."""
        found = self.routes.find(method, urlsplit(target).path)
        return found[0].max_body if found else MAX_BODY

    def answer(self, message: Message) -> Answer:
        """Act on a request. What a client did wrong is an answer, too."""
        try:
            return self._act(message)
        except Refusal as refusal:
            return refusal.answer

    def _act(self, message: Message) -> Answer:
        url = urlsplit(message.target)
        query = parse_qs(url.query, keep_blank_values=True)
        found = self.routes.find(message.method, url.path)
        if found is None:
            if allowed := self.routes.methods(url.path):
                raise Refusal(405, f'{message.method} {url.path}: the sandbox allows {", ".join(allowed)}')
            raise Refusal(404, f'{message.method} {url.path}: the sandbox has no such address')
        route, id = found
        self._check_keys(route, message, query)
        body: Any = message.body
        if not route.raw:
            content = unpacked(message.body, message.headers.get('content-encoding', ''), route.max_unpacked)
            body = parsed(content, message.headers.get('content-type', ''))
        return route.act(Request(query, body, id, self.clock.moment()))

    def _check_keys(self, route: Route, message: Message, query: Mapping[str, list[str]]) -> None:
        if route.need == 'none':
            return
        key = message.headers.get('dd-api-key') or query.get('api_key', [''])[0]
        if not key:
            raise Refusal(403, 'API key required')
        if not self.keys.allow_api(key):
            raise Refusal(403, 'Forbidden')
        if route.need == 'app':
            app = message.headers.get('dd-application-key') or query.get('application_key', [''])[0]
            if not self.keys.allow_app(app):
                raise Refusal(403, 'Forbidden')


def _unless_probe(act: Any) -> Any:
    # An Agent tests its connection with two bytes.
    return lambda request: ignored(request) if len(request.body) <= 2 else act(request)


def encoded(answer: Answer) -> bytes:
    if answer.body is None:
        return b''
    return answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
