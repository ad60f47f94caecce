"""The stats of a trace-agent as metrics: `trace.NAME.hits` and `trace.NAME.errors`, which are counts.

The names of metrics and tags are documented; the form of the payload is that of the Agent's public source. Latencies
are distributions (`trace.NAME`), which the sandbox does not have.
"""

from collections import defaultdict
from collections.abc import Iterator

from ddassets.sandbox import msgpack
from ddassets.sandbox.intake import Intake, Points, metric_name, normal_tags
from ddassets.sandbox.payload import Place, unpacked
from ddassets.sandbox.request import Answer, Refusal, Request
from ddassets.sandbox.store import Source

_MAX_STATS = 32_000_000


def stats(intake: Intake, request: Request) -> Answer:
    """Answer `POST /api/v0.2/stats`: gzip and MessagePack, in buckets of 10 s. The body is the message's bytes."""
    encoding = 'gzip' if request.body[:2] == b'\x1f\x8b' else 'identity'
    content = unpacked(request.body, encoding, _MAX_STATS)
    try:
        body = Place(msgpack.read(content))
    except ValueError as error:
        raise Refusal(400, f'the body is not MessagePack: {error}') from None
    totals: defaultdict[Source, defaultdict[float, float]] = defaultdict(lambda: defaultdict(float))
    for source, instant, value in _counts(body):
        totals[source][instant] += value
    found: list[tuple[Source, Points]] = [(source, sorted(points.items())) for source, points in totals.items()]
    return intake.store_points(found, request.now, {'status': 'ok'}, 'application/json')


def _counts(body: Place) -> Iterator[tuple[Source, float, float]]:
    """Yield the hits and errors of each group in each bucket: the source, the bucket's start, the number."""
    for client in _items(body['Stats']):
        host = client['Hostname'].text('') or body['AgentHostname'].text('')
        common = {'env': client['Env'].text('') or body['AgentEnv'].text(''), 'version': client['Version'].text('')}
        for bucket in _items(client['Stats']):
            instant, interval = bucket['Start'].whole() // 10**9, bucket['Duration'].whole() // 10**9
            for group in _items(bucket['Stats']):
                code = group['HTTPStatusCode'].whole(0)
                tags = {
                    **common,
                    'service': group['Service'].text(''),
                    'resource_name': group['Resource'].text(''),
                    'http.status_code': str(code) if code else '',
                }
                own = normal_tags(f'{key}:{value}' for key, value in tags.items() if value)
                for suffix, key in (('hits', 'Hits'), ('errors', 'Errors')):
                    number = group[key].whole(0)
                    if number:
                        name = metric_name(Place(f'trace.{group["Name"].text()}.{suffix}', group.path))
                        yield Source(name, own, host, 'count', interval), float(instant), float(number)


def _items(place: Place) -> Iterator[Place]:
    return iter(()) if place.value is None else place.items()
