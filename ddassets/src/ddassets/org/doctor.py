"""Diagnose the connection to Datadog: each link from the keys to the monitor's state, with what to do."""

import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ddassets import assets as bundle
from ddassets.language.query.printing import render
from ddassets.language.query.scope import narrow
from ddassets.language.query.syntax import parse_query
from ddassets.nearest import did_you_mean
from ddassets.org import account as accounts
from ddassets.org.account import API_KEY, APP_KEY, SITES, Account
from ddassets.org.client import ApiError, Client, Refused, Unavailable
from ddassets.org.concurrency import map_concurrently
from ddassets.org.connection import Connection
from ddassets.org.desired import integration_name
from ddassets.org.kind import Kind, Stored
from ddassets.org.kinds import MONITORS, NOTIFICATION_RULES, SLOS
from ddassets.org.listing import STRANGE
from ddassets.org.marker import tag_value
from ddassets.org.organisation import Organisation
from ddassets.org.permission import permission_for

# Maximum difference of this machine's clock, in seconds. Datadog drops points that are over ten minutes in the future.
CLOCK_WARNING, CLOCK_FAILURE = 30.0, 600.0
# Seconds after which a point is late, whatever the interval is. Graphs connect points about this far apart.
LATE = 300.0
_ADVICE = {
    'Alert': 'investigate: it is above its alert threshold',
    'Warn': 'investigate: it is above its warning threshold',
    'No Data': 'it is new, or its metric has stopped',
}


@dataclass(frozen=True)
class DoctorOptions:
    """`path` is the integration whose metric and applied objects are examined; None: only the account."""

    path: Path | None
    connection: Connection
    metric: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """`level` is ok, warn or fail; `advice` is what to do, empty for ok."""

    level: str
    subject: str
    text: str
    advice: str = ''


def examine(options: DoctorOptions, account: Account, assets: bundle.Bundle | None) -> Iterator[Finding]:
    client = options.connection.client(account)
    for name, key in ((API_KEY, account.api_key), (APP_KEY, account.app_key)):
        if not key:
            where = accounts.WHERE[name]
            yield Finding('fail', name, 'not set', f'create one in {where} of {account.app_url}, and export {name}')
    if not account.api_key:
        return
    begun = time.time()
    try:
        answer = client.request('GET', '/api/v1/validate', app_key=False)
    except Refused as refused:
        yield _wrong_key(options, account, refused)
        return
    except ApiError as error:
        yield Finding('fail', 'network', str(error), 'nothing else can be examined without a connection')
        return
    yield Finding('ok', 'API key', f'valid on {account.site}')
    yield _clock(answer.date, begun, time.time())
    if not account.app_key:
        return
    try:
        client.get('/api/v2/validate_keys')
    except Refused as refused:
        yield Finding(
            'fail',
            'application key',
            f'refused ({refused.status} {refused.reason})',
            f'create one in {accounts.WHERE[APP_KEY]} of {account.app_url}, in the same organisation as the API key',
        )
        return
    except ApiError as error:
        yield Finding('fail', 'application key', str(error), 'try again')
        return
    yield Finding('ok', 'application key', 'valid with this API key')
    if assets:
        now = time.time() if answer.date is None else answer.date + time.time() - begun
        yield from _metric(options, client, assets, now)
        yield from _applied(client, assets, MONITORS, assets.monitors, _monitor)
        yield from _applied(client, assets, NOTIFICATION_RULES, assets.rules, _present)
        yield from _applied(client, assets, SLOS, assets.slos, _present)


def _wrong_key(options: DoctorOptions, account: Account, refused: Refused) -> Finding:
    """Return why the API key is refused: it is wrong, or of another site. A site knows only its own keys."""
    if options.connection.api_url or os.environ.get(accounts.API_URL):
        others = []
    else:
        others = [site for site in SITES if site != account.site]
    answers = map_concurrently(lambda site: _holds(options, account, site), others)
    known = [site for site, holds in zip(others, answers, strict=True) if holds]
    if known:
        return Finding(
            'fail', 'site', f'{account.site} does not know the API key, {known[0]} does', f'DD_SITE={known[0]}'
        )
    advice = f'copy it again from {accounts.WHERE[API_KEY]} of {account.app_url}'
    elsewhere = ', nor on another site' if others else ''
    return Finding('fail', 'API key', f'not valid on {account.site} ({refused.reason}){elsewhere}', advice)


def _holds(options: DoctorOptions, account: Account, site: str) -> bool:
    other = replace(account, site=site, api_url=accounts.api_url_of(site), app_key='')
    try:
        Client(other, min(options.connection.timeout, 10)).request('GET', '/api/v1/validate', app_key=False)
    except ApiError:
        return False
    return True


def _clock(server: float | None, begun: float, ended: float) -> Finding:
    if server is None:
        return Finding('warn', 'clock', 'the server sent no Date header', 'compare this machine with a time server')
    # The server sends whole seconds.
    off = max(begun - server - 1, server - ended, 0.0)
    if off < CLOCK_WARNING:
        return Finding('ok', 'clock', 'in step with Datadog')
    level = 'fail' if off >= CLOCK_FAILURE else 'warn'
    direction = 'ahead' if begun > server else 'behind'
    return Finding(
        level,
        'clock',
        f'{off:.0f} s {direction} of Datadog',
        'synchronise it with NTP: points would have the wrong time',
    )


def _metric(options: DoctorOptions, client: Client, assets: bundle.Bundle, now: float) -> Iterator[Finding]:
    manifest = assets.manifest
    name = options.metric or (manifest.check if manifest else '') or next(iter(assets.metrics), '')
    if not name:
        yield Finding('warn', 'metric', 'neither manifest.json nor metadata.csv names a metric', 'pass --metric NAME')
        return
    known = assets.metrics.get(name)
    interval = known.interval if known and known.interval else 15
    query = render(narrow(parse_query(f'avg:{name}{{*}}'), options.tags))
    try:
        last = _last_point(client, query, now, 3600) or _last_point(client, query, now, 86400)
    except ApiError as error:
        yield _unanswered('metric', error, 'GET', '/api/v1/query')
        return
    if last is None:
        hint = '' if known else did_you_mean(name, assets.metrics)
        text = f'{query} has not arrived in the past day{hint}'
        advice = (
            f'start the Agent with conf.d/{assets.name}.d/conf.yaml; `datadog-agent check {assets.name}` shows whether '
            'it collects, `datadog-agent status` whether it sends, and to which site'
        )
        yield Finding('fail', 'metric', text, advice)
        return
    moment, value = last
    age = max(0.0, now - moment)
    text = f'{query} arrives: {value:g}, {_age(age)} ago'
    if age > max(LATE, 3 * interval):
        advice = f'the Agent collects it every {interval} s; has it stopped? `datadog-agent status`'
        yield Finding('fail', 'metric', f'{query} has stopped: {value:g}, {_age(age)} ago', advice)
    else:
        yield Finding('ok', 'metric', text)


def _last_point(client: Client, query: str, now: float, span: int) -> tuple[float, float] | None:
    """Return the newest point of all series, as (Unix seconds, value)."""
    question = {'from': int(now) - span, 'to': int(now) + 1, 'query': query}
    answer = client.request('GET', '/api/v1/query', question).content
    try:
        points = [
            (float(point[0]) / 1000, float(point[1]))
            for one in answer.get('series') or ()
            for point in one.get('pointlist') or ()
            if len(point) == 2 and point[1] is not None
        ]
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError):
        raise Unavailable(f'/api/v1/query: {STRANGE}') from None
    return max(points, default=None)


def _monitor(stored: Stored, link: str) -> Finding:
    state = str(stored.body.get('overall_state') or 'Unknown')
    if state == 'OK':
        return Finding('ok', stored.kind.label, f'{stored.title}: OK  {link}')
    return Finding(
        'warn', stored.kind.label, f'{stored.title}: {state}', f'{_ADVICE.get(state, "investigate")}: {link}'
    )


def _present(stored: Stored, link: str) -> Finding:
    return Finding('ok', stored.kind.label, f'{stored.title}: applied  {link}')


def _applied(
    client: Client,
    assets: bundle.Bundle,
    kind: Kind,
    files: Sequence[bundle.Asset],
    examined: Callable[[Stored, str], Finding],
) -> Iterator[Finding]:
    """Yield a finding for each asset of a kind; `examined` gives that of an applied one, from its object and link."""
    if not files:
        return
    organisation = Organisation(client, integration_name(assets))
    try:
        found = {one.marker.name: one for one in organisation.find([kind]).stored}
    except ApiError as error:
        yield _unanswered(kind.label, error, 'GET', kind.path)
        return
    for asset in files:
        stored = found.get(tag_value(asset.path.stem))
        if stored is None:
            yield Finding(
                'warn', kind.label, f'{asset.label} is not applied', f'ddassets apply {shlex.quote(str(assets.folder))}'
            )
        else:
            yield examined(stored, organisation.link(kind, stored.id))


def _unanswered(subject: str, error: ApiError, method: str, path: str) -> Finding:
    """Return the finding for a request that failed. The keys are valid, so 401 and 403 mean a missing permission."""
    if isinstance(error, Refused) and error.status in (401, 403):
        advice = f'grant the key, or its owner, the permission {permission_for(method, path)}'
        return Finding(
            'fail', subject, f'the application key has no permission ({error.status} {error.reason})', advice
        )
    return Finding('fail', subject, str(error), 'the keys are valid: try again')


def _age(seconds: float) -> str:
    for unit, size in (('h', 3600), ('min', 60)):
        if seconds >= 2 * size:
            return f'{seconds / size:.0f} {unit}'
    return f'{seconds:.0f} s'
