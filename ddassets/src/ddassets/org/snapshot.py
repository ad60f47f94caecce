"""`ddassets snapshot`: a picture of a widget's graph, in an event that mentions whoever has to see it.

Rules 8.1 to 8.4. The picture is rendered after its address is told, so it is waited for.
"""

import json
import math
import struct
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ddassets import assets as bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.language.query import tree
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.printing import render
from ddassets.language.query.products import recognise
from ddassets.language.query.scope import narrow
from ddassets.language.query.syntax import parse_formula, parse_queries, parse_query
from ddassets.language.query.variables import select
from ddassets.nearest import did_you_mean
from ddassets.org import client as transport
from ddassets.org.account import require_keys
from ddassets.org.client import ApiError, Client, Unavailable, Unclear
from ddassets.org.command import FAILED, Connection, say
from ddassets.org.marker import owner_tag
from ddassets.org.wanted import Changes, check_handles, integration_name, read_assets
from ddassets.output.terminal import printable, write

# Seconds between two looks at a picture.
PICTURE_PAUSE = 1.0
# Pixels of a side: what is smaller is what stands there until the picture is rendered.
SMALLEST_PICTURE = 32
LONGEST_TEXT = 4000
SNAPSHOT_TAG = 'ddassets_snapshot'


@dataclass(frozen=True)
class SnapshotOptions:
    """`last` and `wait` are in seconds: what the picture shows, and how long it is waited for."""

    path: Path
    widget: str | None
    connection: Connection
    dashboard: str | None = None
    last: int = 300
    changes: Changes = Changes()
    wait: float = 60
    as_json: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Graph:
    """A widget that shows metrics, by the text of one query."""

    title: str
    dashboard: str
    query: str


def snapshot(options: SnapshotOptions) -> int:
    """Run the command. Returns 1 where the picture or the event did not come about. Raises UnusableInputError."""
    check_handles(options.changes)
    assets = read_assets(options.path)
    integration = integration_name(assets)
    graph = choose(assets, options.widget, options.dashboard, options.changes.tags)
    end = int(time.time())
    if options.dry_run:
        event = _event(graph, integration, options, end, 'https://…', '…')
        _tell(options, {'dry_run': True, 'query': graph.query, 'start': end - options.last, 'end': end, 'event': event})
        return 0
    account = options.connection.account()
    require_keys(account)
    client = options.connection.client(account)
    try:
        answer = client.get(
            '/api/v1/graph/snapshot',
            metric_query=graph.query,
            start=end - options.last,
            end=end,
            title=graph.title,
        )
    except ApiError as error:
        raise UnusableInputError(str(error)) from None
    url = answer.get('snapshot_url') if isinstance(answer, dict) else None
    if not isinstance(url, str) or not url:
        raise UnusableInputError('Datadog told no address of a picture')
    try:
        _await_picture(client, url, options.wait)
        run = uuid.uuid4().hex[:12]
        _post(client, _event(graph, integration, options, end, url, run), f'{SNAPSHOT_TAG}:{run}', end)
    except ApiError as error:
        say(str(error))
        _tell(options, {'ok': False, 'error': str(error), 'picture': url}, text='')
        return FAILED
    mentioned = f', with {" ".join(options.changes.notify)} mentioned' if options.changes.notify else ''
    _tell(
        options,
        {'ok': True, 'picture': url, 'query': graph.query, 'notify': list(options.changes.notify)},
        text=f'{url}\nposted as an event{mentioned}: {account.app_url}/event/explorer\n',
    )
    return 0


def choose(assets: bundle.Bundle, title: str | None, dashboard: str | None, tags: Sequence[str]) -> Graph:
    """The widget of this title, of the dashboard of that title or file name. The case of letters does not count.

    Raises UnusableInputError where there is none, or several that draw something else.
    """
    names = [name for one in assets.dashboards for name in (one.title, one.path.stem)]
    boards = [one for one in assets.dashboards if dashboard is None or _same(dashboard, one.title, one.path.stem)]
    if dashboard is not None and not boards:
        raise UnusableInputError(f'--dashboard: there is no {dashboard!r}{did_you_mean(dashboard, names)}')
    widgets = [(board, widget) for board in boards for widget in board.widgets]
    drawn = [(board, widget) for board, widget in widgets if any(map(_is_metric, widget.queries))]
    known = '\n'.join(f'{widget.title}  ({board.title})' for board, widget in drawn if widget.title)
    if title is None:
        raise UnusableInputError('--widget is missing: which one?', known)
    found = {_graph(board, widget, tags): None for board, widget in drawn if _same(title, widget.title)}
    if not found:
        if any(_same(title, widget.title) for _, widget in widgets):
            raise UnusableInputError(f'--widget: {title!r} shows no metric', known)
        hint = did_you_mean(title, {widget.title for _, widget in drawn})
        raise UnusableInputError(f'--widget: there is no {title!r}{hint}', known)
    if len({graph.query for graph in found}) > 1:
        raise UnusableInputError(f'--widget: there are several {title!r}: add --dashboard', known)
    return next(iter(found))


def _same(wanted: str, *names: str) -> bool:
    return wanted.casefold() in (name.casefold() for name in names)


def _graph(dashboard: bundle.Dashboard, widget: bundle.Widget, tags: Sequence[str]) -> Graph:
    try:
        query = ', '.join(render(narrow(one, tags)) for one in _expressions(dashboard, widget))
    except QuerySyntaxError as error:
        place = widget.position()
        where = f'{widget.path}:{place.line}:{place.column}'
        raise UnusableInputError(f'{where}: column {error.column}: {error.message}', error.caret()) from None
    return Graph(widget.title, dashboard.title, query)


def _is_metric(query: bundle.Query) -> bool:
    return query.role == 'query' and bool(query.text) and recognise(query.source, query.text) is None


def _expressions(dashboard: bundle.Dashboard, widget: bundle.Widget) -> Iterator[tree.Expression]:
    """What the widget draws, request by request, its formulas and template variables filled in."""
    prefixes = {variable.name: variable.prefix for variable in dashboard.variables}
    chosen = {variable.name: variable.defaults or ('*',) for variable in dashboard.variables}
    for request in dict.fromkeys(query.request for query in widget.queries):
        queries = [query for query in widget.queries if query.request == request]
        named = {query.name: parse_query(query.text) for query in queries if query.name and _is_metric(query)}
        formulas = [parse_formula(query.text) for query in queries if query.role == 'formula']
        plain = [one for query in queries if _is_metric(query) for one in parse_queries(query.text)]
        for expression in [_filled(formula, named) for formula in formulas] if named and formulas else plain:
            yield select(expression, prefixes, chosen)


def _filled(formula: tree.Expression, named: Mapping[str, tree.Expression]) -> tree.Expression:
    def change(node: tree.Node) -> tree.Node:
        return named.get(node.name, node) if isinstance(node, tree.Reference) else node

    return tree.rewrite(formula, change)


def is_picture(content: bytes) -> bool:
    """A PNG of some size: until it is rendered, a tiny one is served."""
    if content[:8] != b'\x89PNG\r\n\x1a\n' or len(content) < 24:
        return False
    width, height = struct.unpack('>II', content[16:24])
    return bool(min(width, height) >= SMALLEST_PICTURE)


def _await_picture(client: Client, url: str, wait: float) -> None:
    end = time.monotonic() + wait
    client.say(f'waiting for the picture, at most {wait:g} s')
    while not is_picture(client.fetch(url)):
        if time.monotonic() + PICTURE_PAUSE > end:
            raise Unavailable(f'the picture was not there after {wait:g} s, and no event was posted: {url}')
        time.sleep(PICTURE_PAUSE)


def _event(graph: Graph, integration: str, options: SnapshotOptions, end: int, url: str, run: str) -> dict[str, Any]:
    """Rule 8.3: Markdown stands between marks of its own, and 4000 characters are the most."""
    start, stop = (datetime.fromtimestamp(t, UTC) for t in (end - options.last, end))
    span = f'{start:%Y-%m-%d %H:%M:%S} to {stop:%H:%M:%S} UTC'
    head = f'%%% \n![{graph.title}]({url})\n\n{graph.title}, {span}, of the dashboard {graph.dashboard}\n\n`'
    tail = f'`\n\n{" ".join(options.changes.notify)}\n %%%'
    room = LONGEST_TEXT - len(head) - len(tail)
    query = graph.query if len(graph.query) <= room else graph.query[: max(0, room - 1)] + '…'
    return {
        'title': f'{graph.title}, the past {spelled(options.last)}',
        'text': head + query + tail,
        'tags': [f'integration:{integration}', owner_tag(integration), f'{SNAPSHOT_TAG}:{run}'],
        'alert_type': 'info',
    }


def _post(client: Client, event: Mapping[str, Any], tag: str, start: int) -> None:
    """Once: an event whose answer was lost is looked for at growing intervals before it is posted again."""
    failure: ApiError | None = None
    for _ in range(2):
        try:
            client.request('POST', '/api/v1/events', body=event, repeat=False, app_key=False)
            return
        except Unclear as unclear:
            failure = unclear
        for pause in transport.PAUSES:
            client.say(f'{failure}; looking whether the event is there')
            time.sleep(pause)
            if _posted(client, tag, start):
                return
    raise Unavailable(f'{failure}; the event could not be posted')


def _posted(client: Client, tag: str, start: int) -> bool:
    now = math.ceil(time.time())
    answer = client.get('/api/v1/events', start=start - 60, end=now + 60, tags=tag, unaggregated='true')
    return isinstance(answer, dict) and bool(answer.get('events'))


def spelled(seconds: int) -> str:
    """`5 minutes`."""
    for unit, size in (('day', 86400), ('hour', 3600), ('minute', 60), ('second', 1)):
        if seconds % size == 0:
            count = seconds // size
            return f'{count} {unit}s' if count != 1 else unit
    raise AssertionError


def _tell(options: SnapshotOptions, document: dict[str, Any], text: str | None = None) -> None:
    if options.as_json:
        write(json.dumps(document, indent=2, ensure_ascii=False) + '\n')
    elif text is None:
        event = document['event']
        write(f'{document["query"]}\n\n{event["title"]}\n{event["text"]}\n')
    else:
        write(''.join(f'{printable(line)}\n' for line in text.splitlines()))
