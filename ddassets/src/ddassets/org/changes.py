"""Change assets by the options of a command: recipients, restricting tags, time zone.

Each kind has a method `changed`; here is what several kinds use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ddassets import assets as bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import message
from ddassets.language.downtime_scope import Combination, ScopeFault, parse_scope
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.printing import render
from ddassets.language.query.scope import narrow
from ddassets.language.query.syntax import parse_monitor, parse_queries, parse_query
from ddassets.nearest import did_you_mean
from ddassets.zones import zone_names


@dataclass(frozen=True)
class Changes:
    """What the options change in the assets.

    `notify` are handles to add, `redirect` replaces all handles, `tags` (`key:value`) restrict queries and scopes, and
    `timezone` is that of every downtime.
    """

    notify: Sequence[str] = ()
    redirect: str | None = None
    tags: Sequence[str] = ()
    timezone: str | None = None


class ChangeError(Exception):
    """An asset to which the options cannot be applied."""

    def __init__(self, asset: bundle.Asset, place: Sequence[str | int], reason: str) -> None:
        self.text = f'{asset.where(*place)}: {reason}'
        super().__init__(self.text)


def addressed(asset: bundle.Asset, place: Sequence[str | int], text: str, changes: Changes) -> str:
    try:
        if changes.redirect:
            text = message.redirect(text, changes.redirect)
        for handle in changes.notify:
            text = message.notify(text, handle)
    except message.MessageSyntaxError as error:
        raise ChangeError(asset, place, str(error)) from None
    return text


def narrowed(
    asset: bundle.Asset, place: Sequence[str | int], query: str, tags: Sequence[str], monitor: bool = False
) -> str:
    try:
        if monitor:
            return render(narrow(parse_monitor(query), tags))
        return ', '.join(render(narrow(expression, tags)) for expression in parse_queries(query))
    except QuerySyntaxError as error:
        raise ChangeError(asset, place, f'column {error.column}: {error.message}') from None


def narrowed_scope(asset: bundle.Downtime, tags: Sequence[str]) -> str:
    try:
        scope = parse_scope(asset.scope)
        parts = list(tags)
        if scope.root is not None:
            several = isinstance(scope.root, Combination) and not scope.root.every
            parts.insert(0, f'({scope.text.strip()})' if several else scope.text.strip())
        text = ' AND '.join(parts)
        parse_scope(text)
    except ScopeFault as fault:
        raise ChangeError(asset, ('scope',), str(fault)) from None
    return text


def put(body: Any, place: Sequence[str | int], value: str) -> None:
    for step in place[:-1]:
        body = body[step]
    body[place[-1]] = value


def check_handles(changes: Changes) -> None:
    """Raise UnusableInputError for an invalid handle, tag or time zone."""
    for handle in (*changes.notify, *filter(None, [changes.redirect])):
        message.notify('', handle)
    for tag in changes.tags:
        try:
            narrow(parse_query('avg:metric{*}'), [tag])
        except ValueError as error:
            raise UnusableInputError(f'--tag: {error}') from None
    if changes.timezone is not None and changes.timezone not in zone_names():
        raise UnusableInputError(
            f'--timezone: expected a time zone such as Europe/Berlin, found {changes.timezone!r}'
            f'{did_you_mean(changes.timezone, zone_names())}'
        )
