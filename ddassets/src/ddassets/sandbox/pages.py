"""The pages of the organisation: start, monitors, inbox, hosts, downtimes, and the dashboards as the report draws them.

Everything that a client sent is text here. The pages need no key: a browser on this machine has none.
"""

import html
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from ddassets.engine.state import State
from ddassets.sandbox.live import Live
from ddassets.sandbox.live_report import LiveReport
from ddassets.sandbox.mailbox import Mail
from ddassets.sandbox.organisation import Organisation
from ddassets.sandbox.request import Answer, Json, Refusal, Request
from ddassets.sandbox.routes import Route
from ddassets.sandbox.store import Store, host_tags
from ddassets.sandbox.watched import Watched

# Seconds between two loads of a page, and of history that a monitor's page shows.
_REFRESH, _SHOWN = 10, 24 * 3600
_MAX_MAILS = 200
_HTML = 'text/html; charset=utf-8'
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'"
_ORDER = [State.ALERT, State.WARN, State.NO_DATA, State.UNKNOWN, State.OK]
_LINKS = (('/', 'Start'), ('/monitors/manage', 'Monitors'), ('/dashboard/lists', 'Dashboards'))
_MORE = (('/sandbox/inbox', 'Inbox'), ('/infrastructure', 'Hosts'), ('/monitors/downtimes', 'Downtimes'))


@cache
def _style() -> str:
    return files('ddassets.sandbox').joinpath('pages.css').read_text(encoding='utf-8')


class Html(str):
    """Text that is HTML already."""


def escaped(value: object) -> Html:
    """Return a value as HTML: text is escaped, characters without a shape are left out."""
    if isinstance(value, Html):
        return value
    text = ''.join(one for one in str(value) if one.isprintable() or one == '\n')
    return Html(html.escape(text))


def link(address: str, text: object) -> Html:
    return Html(f'<a href="{html.escape(address)}">{escaped(text)}</a>')


def stated(state: State) -> Html:
    """Return a state with its colour."""
    return Html(f'<span class="{_class(state)}">{escaped(state)}</span>')


def _class(state: State) -> str:
    return str(state).replace(' ', '-')


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], nothing: str) -> Html:
    body = ''.join(f'<tr>{"".join(f"<td>{escaped(cell)}</td>" for cell in row)}</tr>' for row in rows)
    if not body:
        return Html(f'<p>{escaped(nothing)}</p>')
    head = ''.join(f'<th scope="col">{escaped(one)}</th>' for one in heads)
    return Html(f'<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def shown_time(instant: float) -> str:
    return f'{datetime.fromtimestamp(instant, UTC):%a %Y-%m-%d %H:%M:%S} UTC'


class Pages:
    def __init__(self, store: Store, organisation: Organisation, live: Live, now: Callable[[], float]) -> None:
        self._store = store
        self._organisation = organisation
        self._live = live
        self._now = now
        self._report = LiveReport(store, organisation, live)

    def routes(self) -> list[Route]:
        pages: list[tuple[str, str, Callable[[Request], Answer]]] = [
            ('/', 'Start', self.start),
            ('/monitors/manage', 'Monitors', self.monitors),
            ('/monitors/downtimes', 'Downtimes', self.downtimes),
            ('/monitors/settings/notifications', 'Rules', self.rules),
            ('/monitors/{number}', 'Monitor', self.monitor),
            ('/dashboard/lists', 'Dashboards', self.dashboards),
            ('/dashboard/{path}', 'Dashboard', self.dashboard),
            ('/sandbox/report', 'Report', self.report),
            ('/sandbox/inbox', 'Inbox', self.inbox),
            ('/infrastructure', 'Hosts', self.hosts),
            ('/event/event', 'Event', self.event),
        ]
        return [Route('GET', path, f'Page{name}', act, 'none') for path, name, act in pages]

    def _page(self, title: str, *parts: Html, refresh: bool = True) -> Answer:
        again = f'<meta http-equiv="refresh" content="{_REFRESH}">' if refresh else ''
        links = ''.join(link(address, text) for address, text in (*_LINKS, *_MORE))
        text = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escaped(title)}</title>{again}'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_POLICY)}">'
            f'<style>{_style()}</style></head>'
            f'<body><nav aria-label="Pages">{links}</nav><main><h1>{escaped(title)}</h1>{"".join(parts)}</main>'
            f'<footer><p class="muted">It is {shown_time(self._now())} here.</p></footer></body></html>'
        )
        return Answer(200, text.encode('utf-8', 'replace'), _HTML)

    # Monitors

    def start(self, request: Request) -> Answer:
        return self._page(
            'A Datadog organisation on this machine',
            Html('<h2>Monitors</h2>'),
            self._monitor_table(),
            Html('<h2>Newest messages</h2>'),
            self._mail_table(reversed(self._live.mailbox.mails(newest=10))),
            Html('<h2>Dashboards</h2>'),
            self._dashboard_table(),
            Html('<h2>Hosts</h2>'),
            self._host_table(),
        )

    def monitors(self, request: Request) -> Answer:
        return self._page('Monitors', self._monitor_table())

    def _monitor_table(self) -> Html:
        watched = sorted(self._live.watched().values(), key=lambda one: (_ORDER.index(one.overall), one.asset.name))
        rows = [
            (
                stated(one.overall) if not one.reason else 'not evaluated',
                link(f'/monitors/{one.id}', one.asset.name),
                one.reason or _counted(one),
            )
            for one in watched
        ]
        return table(('State', 'Monitor', 'Groups'), rows, 'There is no monitor yet: ddassets apply makes some.')

    def monitor(self, request: Request) -> Answer:
        watched = self._live.watched().get(int(request.id))
        if watched is None:
            raise Refusal(404, f'there is no monitor {request.id}')
        now = self._now()
        history = self._live.history(watched.id, now - _SHOWN, now)
        rows = [
            (stated(one.state), ','.join(group) or 'all', _number(one.value), _lane(history.get(group, []), now))
            for group, one in sorted(watched.shown.items(), key=lambda item: (_ORDER.index(item[1].state), item[0]))
        ]
        reason = Html(f'<p>It is not evaluated: {escaped(watched.reason)}</p>') if watched.reason else Html('')
        return self._page(
            watched.asset.name,
            reason,
            Html(
                f'<p>{stated(watched.overall)}</p><pre>{escaped(watched.asset.query)}</pre>'
                '<h2>Groups, and the last day</h2>'
            ),
            table(('State', 'Group', 'Value', 'The last 24 hours'), rows, 'No group has been evaluated yet.'),
            Html('<h2>Messages</h2>'),
            self._mail_table(reversed(self._live.mailbox.mails(watched.id, _MAX_MAILS))),
            Html(f'<h2>Its message</h2><pre>{escaped(watched.asset.message)}</pre>'),
        )

    # Messages

    def inbox(self, request: Request) -> Answer:
        mailbox = self._live.mailbox
        problem = Html(f'<p>{escaped(mailbox.problem)}</p>') if mailbox.problem else Html('')
        return self._page('Inbox', problem, self._mail_table(reversed(mailbox.mails(newest=_MAX_MAILS))))

    def _mail_table(self, mails: Iterable[Mail]) -> Html:
        rows = [
            (
                link(f'/event/event?mail={mail.id}', shown_time(mail.instant)),
                mail.title,
                f'muted by {", ".join(mail.muted_by)}' if mail.muted_by else ' '.join(mail.recipients) or 'nobody',
            )
            for mail in mails
        ]
        return table(('Time', 'Message', 'To'), rows, 'Nothing has been told yet.')

    def event(self, request: Request) -> Answer:
        """Show a message by its number, or an event by its id."""
        if number := request.one('mail'):
            mail = self._live.mailbox.mail(_id(number))
            if mail is None:
                raise Refusal(404, 'there is no such message')
            rows = [('Time', shown_time(mail.instant)), ('To', ' '.join(mail.recipients) or 'nobody')]
            if mail.muted_by:
                rows.append(('Muted by', ', '.join(mail.muted_by)))
            if mail.monitor:
                rows.append(('Monitor', link(f'/monitors/{mail.monitor}', mail.name)))
                rows.append(('Group', mail.group))
            text = Html(f'<pre>{escaped(mail.text)}</pre>')
            return self._page(mail.title, table(('', ''), rows, ''), text, refresh=False)
        event = self._store.event(_id(request.one('id')))
        if event is None:
            raise Refusal(404, 'there is no such event')
        text = Html(f'<p>{shown_time(event.instant)}</p><pre>{escaped(event.body.get("text", ""))}</pre>')
        return self._page(str(event.body.get('title', '')) or 'Event', text, refresh=False)

    # Dashboards

    def dashboards(self, request: Request) -> Answer:
        return self._page('Dashboards', self._dashboard_table())

    def _dashboard_table(self) -> Html:
        rows = [
            (link(f'/dashboard/{quote(id)}', body.get('title') or id), body.get('description') or '')
            for id, body in dict(self._organisation.dashboards).items()
        ]
        return table(('Dashboard', 'Description'), rows, 'There is no dashboard yet.')

    def dashboard(self, request: Request) -> Answer:
        """Lead to the report's page of the live data, at this dashboard."""
        id = request.id.partition('/')[0]
        dashboards = [*dict(self._organisation.dashboards)]
        if id not in dashboards:
            raise Refusal(404, f'there is no dashboard {id}')
        index = dashboards.index(id)
        hours = request.number('hours', 4)
        to = html.escape(f'/sandbox/report?hours={hours}#/dashboards/{index}')
        moved = f'<meta http-equiv="refresh" content="0; url={to}"><a href="{to}">The dashboard</a>'
        return Answer(200, f'<!doctype html><meta charset="utf-8">{moved}'.encode(), _HTML)

    def report(self, request: Request) -> Answer:
        """Show dashboards, monitors and messages of the last hours as the report does."""
        hours = request.number('hours', 4)
        if not 1 <= hours <= 168:
            raise Refusal(400, f'hours: found {hours}, expected 1 to 168')
        return Answer(200, self._report.page(int(self._now()), hours).encode('utf-8', 'replace'), _HTML)

    # Others

    def hosts(self, request: Request) -> Answer:
        return self._page('Hosts', self._host_table())

    def _host_table(self) -> Html:
        rows = [
            (name, ' '.join(sorted(host_tags(body))), shown_time(seen))
            for name, (seen, body) in self._store.hosts().items()
        ]
        return table(('Host', 'Tags', 'Last seen'), rows, 'No host has submitted anything yet.')

    def downtimes(self, request: Request) -> Answer:
        rows = []
        for id, body in dict(self._organisation.downtimes).items():
            fields: Mapping[str, Any] = body['attributes']
            problem = self._live.unread.get(id)
            state = f'mutes nothing: {problem}' if problem else fields.get('status', '')
            rows.append((state, fields.get('scope', ''), _what(fields), fields.get('message') or '', id))
        return self._page(
            'Downtimes', table(('State', 'Scope', 'Mutes', 'Message', 'Id'), rows, 'There is no downtime.')
        )

    def rules(self, request: Request) -> Answer:
        rows = []
        for body in dict(self._organisation.notification_rules).values():
            fields: Json = body['attributes']
            rows.append((fields.get('name', ''), fields.get('filter', ''), ' '.join(fields.get('recipients') or ())))
        return self._page('Notification rules', table(('Rule', 'Filter', 'Recipients'), rows, 'There is no rule.'))


def _what(fields: Mapping[str, Any]) -> str:
    which = fields.get('monitor_identifier') or {}
    return f'monitor {which["monitor_id"]}' if 'monitor_id' in which else ' '.join(which.get('monitor_tags') or ())


def _id(text: str) -> int:
    """Return a number that the store may know, otherwise one that it does not."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
    return number if number < 2**63 else -1


def _counted(watched: Watched) -> str:
    states = [one.state for one in watched.shown.values()]
    found = [(states.count(state), state) for state in _ORDER if state in states]
    return ', '.join(f'{number} {state}' for number, state in found) or 'no data yet'


def _number(value: float) -> str:
    return '' if math.isnan(value) else f'{value:.6g}'


def _lane(taken: Sequence[tuple[int, State]], now: float) -> Html:
    """Return the states of the last day as a strip, with words for those who cannot see it."""
    start = now - _SHOWN
    strips = ''.join(_strips(taken, start, now))
    changes = '; '.join(f'{shown_time(instant)} {state}' for instant, state in taken[-5:])
    return Html(
        f'<svg viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{html.escape(changes)}">'
        f'<title>{escaped(changes)}</title>{strips}</svg>'
    )


def _strips(taken: Sequence[tuple[int, State]], start: float, now: float) -> Iterator[str]:
    for row, (instant, state) in enumerate(taken):
        end = taken[row + 1][0] if row + 1 < len(taken) else now
        left, right = (max(0.0, (at - start) / _SHOWN * 1000) for at in (instant, end))
        if state is not State.ABSENT and right > left:
            yield f'<rect class="{_class(state)}" x="{left:.1f}" width="{right - left:.1f}" height="10"/>'
