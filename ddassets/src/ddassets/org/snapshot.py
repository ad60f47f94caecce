"""A picture of a widget's graph, in an event that mentions its recipients.

Rules 8.1 to 8.4. Datadog returns the address before it renders the picture, so the picture is waited for.
"""

import math
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ddassets import assets as bundle
from ddassets import duration
from ddassets.diagnostic import UnusableInputError
from ddassets.language.query import tree
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.printing import render
from ddassets.language.query.products import recognise
from ddassets.language.query.scope import narrow
from ddassets.language.query.syntax import parse_formula, parse_queries, parse_query
from ddassets.language.query.variables import select
from ddassets.nearest import did_you_mean
from ddassets.org.client import ApiError, Client, Unavailable, Unclear
from ddassets.org.marker import owner_tag
from ddassets.org.organisation import LOOKS
from ddassets.output.terminal import count

# Seconds between two looks at a picture.
PICTURE_PAUSE = 1.0
# Pixels of a side: what is smaller is what stands there until the picture is rendered.
SMALLEST_PICTURE = 32
MAX_TEXT = 4000
SNAPSHOT_TAG = 'ddassets_snapshot'


@dataclass(frozen=True)
class Graph:
    """A widget that shows metrics, by the text of one query."""

    title: str
    dashboard: str
    query: str


def choose(assets: bundle.Bundle, title: str | None, dashboard: str | None, tags: Sequence[str]) -> Graph:
    """Return the widget of this title, on the dashboard of that title or file name; letter case does not matter.

    Raises UnusableInputError where there is none, or several that draw different queries.
    """
    widgets = [(board, widget) for board in _dashboards(assets, dashboard) for widget in board.widgets]
    drawn = _drawn(assets, dashboard)
    known = '\n'.join(list_widgets(assets, dashboard))
    if title is None:
        raise UnusableInputError('--widget is missing; the widgets that show metrics:', known)
    graphs = {_graph(board, widget, tags): None for board, widget in drawn if _same(title, widget.title)}
    if not graphs:
        if any(_same(title, widget.title) for _, widget in widgets):
            raise UnusableInputError(f'--widget: {title!r} shows no metric', known)
        hint = did_you_mean(title, {widget.title for _, widget in drawn})
        raise UnusableInputError(f'--widget: there is no {title!r}{hint}', known)
    if len({graph.query for graph in graphs}) > 1:
        raise UnusableInputError(f'--widget: there are several {title!r}: add --dashboard', known)
    return next(iter(graphs))


def list_widgets(assets: bundle.Bundle, dashboard: str | None) -> list[str]:
    """Return a line for each widget that shows metrics: its title and its dashboard's."""
    return [f'{widget.title}  ({board.title})' for board, widget in _drawn(assets, dashboard) if widget.title]


def _drawn(assets: bundle.Bundle, dashboard: str | None) -> list[tuple[bundle.Dashboard, bundle.Widget]]:
    boards = _dashboards(assets, dashboard)
    return [(board, widget) for board in boards for widget in board.widgets if any(map(_is_metric, widget.queries))]


def _dashboards(assets: bundle.Bundle, dashboard: str | None) -> list[bundle.Dashboard]:
    boards = [
        board for board in assets.dashboards if dashboard is None or _same(dashboard, board.title, board.path.stem)
    ]
    if dashboard is not None and not boards:
        names = [name for board in assets.dashboards for name in (board.title, board.path.stem)]
        raise UnusableInputError(f'--dashboard: there is no {dashboard!r}{did_you_mean(dashboard, names)}')
    return boards


def _same(wanted: str, *names: str) -> bool:
    return wanted.casefold() in (name.casefold() for name in names)


def _graph(dashboard: bundle.Dashboard, widget: bundle.Widget, tags: Sequence[str]) -> Graph:
    try:
        query = ', '.join(render(narrow(one, tags)) for one in _expressions(dashboard, widget))
    except QuerySyntaxError as error:
        raise UnusableInputError(f'{widget.where()}: column {error.column}: {error.message}', error.caret()) from None
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


def await_picture(client: Client, url: str, wait: float) -> None:
    end = client.clock.now() + wait
    client.say(f'waiting for the picture, at most {wait:g} s')
    while not is_picture(client.fetch(url)):
        if client.clock.now() + PICTURE_PAUSE > end:
            raise Unavailable(f'the picture was not there after {wait:g} s, and no event was posted: {url}')
        client.clock.sleep(PICTURE_PAUSE)


def make_event(
    graph: Graph, integration: str, notify: Sequence[str], span: tuple[int, int], url: str, run: str
) -> dict[str, Any]:
    """Rule 8.3: Markdown stands between marks of its own, and 4000 characters are the most."""
    start, stop = (datetime.fromtimestamp(instant, UTC) for instant in span)
    shown = f'{start:%Y-%m-%d %H:%M:%S} to {stop:%H:%M:%S} UTC'
    head = f'%%% \n![{graph.title}]({url})\n\n{graph.title}, {shown}, of the dashboard {graph.dashboard}\n\n`'
    tail = f'`\n\n{" ".join(notify)}\n %%%'
    room = MAX_TEXT - len(head) - len(tail)
    query = graph.query if len(graph.query) <= room else graph.query[: max(0, room - 1)] + '…'
    return {
        'title': f'{graph.title}, the past {spelled(span[1] - span[0])}',
        'text': head + query + tail,
        'tags': [f'integration:{integration}', owner_tag(integration), f'{SNAPSHOT_TAG}:{run}'],
        'alert_type': 'info',
    }


def post(client: Client, event: Mapping[str, Any], tag: str, start: int) -> None:
    """Post an event once: when the response is lost, look for the event before another attempt. Raises ApiError."""
    failure: ApiError | None = None
    for _ in range(2):
        try:
            client.request('POST', '/api/v1/events', body=event, repeat=False, app_key=False)
            return
        except Unclear as unclear:
            failure = unclear
        client.say(f'{failure}; looking for up to {sum(LOOKS):g} s whether the event is there')
        for pause in LOOKS:
            client.clock.sleep(pause)
            if _posted(client, tag, start):
                return
    raise Unavailable(f'{failure}; the event could not be posted')


def _posted(client: Client, tag: str, start: int) -> bool:
    now = math.ceil(time.time())
    answer = client.get('/api/v1/events', start=start - 60, end=now + 60, tags=tag, unaggregated='true')
    return isinstance(answer, dict) and bool(answer.get('events'))


def spelled(seconds: int) -> str:
    """`5 minutes`."""
    number, unit = duration.in_one_unit(seconds, ('d', 'h', 'm', 's'))
    return duration.NAMES[unit] if number == 1 else count(number, duration.NAMES[unit])
