"""Send what a check collects to an organisation, in the forms of the Agent."""

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ddassets.diagnostic import UnusableInputError
from ddassets.output.terminal import count, log

if TYPE_CHECKING:
    from ddassets.agent.collection import Run
    from ddassets.org.client import Client

# What an event of a check is called in the v1 API.
_EVENT = {'msg_title': 'title', 'msg_text': 'text', 'timestamp': 'date_happened'}
_EVENT_KEYS = ('host', 'tags', 'alert_type', 'aggregation_key', 'source_type_name', 'priority')


def sender_to(url: str | None) -> 'Sender | None':
    """Return a sender to `url`, or to DDASSETS_API_URL where that is empty; None for None.

    Raises UnusableInputError without an address or an API key, and for addresses that cannot be used.
    """
    if url is None:
        return None
    from ddassets.org.account import API_KEY, API_URL, WHERE
    from ddassets.org.connection import Connection

    if not url and not os.environ.get(API_URL):
        raise UnusableInputError(
            f'--send needs the address of an organisation: --send http://127.0.0.1:9700, or {API_URL}'
        )
    connection = Connection(api_url=url or None)
    account = connection.account()
    if not account.api_key:
        raise UnusableInputError(f'--send needs {API_KEY}, from {WHERE[API_KEY]} or the first start of the sandbox')
    return Sender(connection.client(account))


@dataclass
class Sender:
    """`failed`: something could not be sent."""

    client: 'Client'
    failed: bool = False
    _told: set[str] = field(default_factory=set)

    def send(self, runs: Iterable['Run'], now: int) -> None:
        """Send the runs of one instant, in seconds since the epoch. A failure is logged."""
        from ddassets.org.client import ApiError

        runs = list(runs)
        series = series_body(runs)
        checks = check_body(runs, now)
        sent = []
        try:
            if series['series']:
                self.client.request('POST', '/api/v1/series', body=series, app_key=False)
                sent.append(count(len(series['series']), 'point'))
            if checks:
                self.client.request('POST', '/api/v1/check_run', body=checks, app_key=False)
                sent.append(count(len(checks), 'service check'))
            for event in event_bodies(runs):
                self.client.request('POST', '/api/v1/events', body=event, repeat=False, app_key=False)
                sent.append('an event')
        except ApiError as error:
            self.failed = True
            log(f'not sent: {error}')
        if sent:
            log(f'sent {", ".join(sent)} to {self.client.account.site}')


def series_body(runs: Iterable['Run']) -> dict[str, Any]:
    """Return the body of `/api/v1/series`. A value that is not finite is left out."""
    return {
        'series': [
            {
                'metric': one.metric,
                'points': [[one.timestamp, one.value]],
                'tags': list(one.tags),
                'host': one.host,
                'type': one.type,
                'interval': 0,
            }
            for run in runs
            for one in run.series
            if math.isfinite(one.value)
        ]
    }


def check_body(runs: Iterable['Run'], now: int) -> list[dict[str, Any]]:
    return [
        {
            'check': item['check'],
            'host_name': item['host'],
            'timestamp': now,
            'status': item['status'],
            'message': item['message'],
            'tags': item['tags'],
        }
        for run in runs
        for item in run.service_checks
    ]


def event_bodies(runs: Iterable['Run']) -> list[dict[str, Any]]:
    bodies = []
    for event in (event for run in runs for event in run.events if isinstance(event, Mapping)):
        body = {name: event[key] for key, name in _EVENT.items() if event.get(key) is not None}
        body |= {key: event[key] for key in _EVENT_KEYS if event.get(key)}
        bodies.append({'title': '', 'text': '', **body})
    return bodies
