"""`ddassets snapshot`: post a picture of a widget's graph as an event."""

import time
import uuid
from argparse import ArgumentParser, Namespace
from typing import Any

from ddassets.cli import option
from ddassets.cli.exit_code import FAILED, FINE
from ddassets.diagnostic import UnusableInputError
from ddassets.output.formats.json import dump
from ddassets.output.terminal import bounded, log, printable, write

HELP = "post a picture of a widget's graph, mentioning its recipients"
DESCRIPTION = 'Have Datadog draw the query of a widget, and post the picture as an event that mentions its recipients.'
EPILOG = f'{option.ENVIRONMENT} Exit codes: 0 posted; 1 the picture or the event failed; 2 unusable input'


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument('path', type=option.path, metavar='PATH', help='the folder of an integration')
    parser.add_argument(
        '--widget', metavar='TITLE', nargs='?', const='', help='the title of the widget; alone: list the titles'
    )
    parser.add_argument('--dashboard', metavar='NAME', help='the dashboard with the widget, by title or file name')
    parser.add_argument(
        '--last', type=option.length, default=300, metavar='LENGTH', help='such as 5m (default), 4h or 1d'
    )
    option.add_notify(parser, 'mention a recipient')
    option.add_narrowing(parser, "the widget's query")
    parser.add_argument(
        '--wait', type=option.seconds(3600), default=60.0, metavar='S', help='seconds to wait for the picture (60)'
    )
    option.add_dry_run(parser, 'query and event')
    option.add_json(parser)
    option.add_connection(parser)
    option.add_limits(parser)


def run(options: Namespace) -> int:
    """Return 1 if the picture or the event failed. Raises UnusableInputError."""
    from ddassets.cli.organisation import connection
    from ddassets.org.account import require_keys
    from ddassets.org.changes import Changes, check_handles
    from ddassets.org.client import ApiError
    from ddassets.org.desired import integration_name, read_assets
    from ddassets.org.snapshot import SNAPSHOT_TAG, await_picture, choose, list_widgets, make_event, post

    tags = option.narrowing_tags(options)
    check_handles(Changes(options.notify, tags=tags))
    assets = read_assets(options.path)
    integration = integration_name(assets)
    if options.widget == '':
        write(''.join(f'{printable(line)}\n' for line in list_widgets(assets, options.dashboard)))
        return FINE
    graph = choose(assets, options.widget, options.dashboard, tags)
    end = int(time.time())
    span = (end - options.last, end)
    if options.dry_run:
        event = make_event(graph, integration, options.notify, span, 'https://…', '…')
        _print(options, {'dry_run': True, 'query': graph.query, 'start': span[0], 'end': end, 'event': event})
        return FINE
    link = connection(options)
    account = link.account()
    require_keys(account)
    client = link.client(account)
    try:
        answer = client.get(
            '/api/v1/graph/snapshot',
            metric_query=graph.query,
            start=span[0],
            end=end,
            title=graph.title,
        )
    except ApiError as error:
        raise UnusableInputError(str(error)) from None
    url = answer.get('snapshot_url') if isinstance(answer, dict) else None
    if not isinstance(url, str) or not url:
        raise UnusableInputError('Datadog returned no snapshot_url')
    try:
        await_picture(client, url, options.wait)
        run_id = uuid.uuid4().hex[:12]
        event = make_event(graph, integration, options.notify, span, url, run_id)
        post(client, event, f'{SNAPSHOT_TAG}:{run_id}', end)
    except ApiError as error:
        log(str(error))
        _print(options, {'ok': False, 'error': str(error), 'picture': url}, text='')
        return FAILED
    mentioned = f', with {" ".join(options.notify)} mentioned' if options.notify else ''
    _print(
        options,
        {'ok': True, 'picture': url, 'query': graph.query, 'notify': list(options.notify)},
        text=f'{url}\nposted as an event{mentioned}: {account.app_url}/event/explorer\n',
    )
    return FINE


def _print(options: Namespace, document: dict[str, Any], text: str | None = None) -> None:
    if options.format == 'json':
        write(dump(document))
    elif text is None:
        event = document['event']
        lines = f'{document["query"]}\n\n{event["title"]}\n{event["text"]}'.split('\n')
        write(''.join(f'{printable(line)}\n' for line in lines))
    else:
        write(bounded(''.join(f'{printable(line)}\n' for line in text.splitlines())))
