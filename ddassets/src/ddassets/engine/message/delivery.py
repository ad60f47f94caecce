"""A delivered notification: the message with its condition, last trigger and links, in three forms. Rules 3.24, 3.26
and 3.28.

Numbers that only Datadog knows are placeholders in capitals, such as MONITOR_ID.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from ddassets.engine.message.conditions import NO_DATA, Edge
from ddassets.engine.message.handles import find_handles
from ddassets.engine.message.trigger import Trigger
from ddassets.engine.state import State

SITE = 'app.datadoghq.com'
MONITOR_ID, EVENT_ID = 'MONITOR_ID', 'EVENT_ID'

# Seconds before and after the event that the link to the monitor shows, whatever the window.
_BEFORE, _AFTER = 900, 300
_DAYS = ('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')
_MONTHS = ('Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec')
# What notification_preset_name hides (rule 3.26).
_HIDDEN: Mapping[str, frozenset[str]] = {
    'hide_query': frozenset({'query'}),
    'hide_handles': frozenset({'handles'}),
    'hide_query_and_handles': frozenset({'query', 'handles'}),
    'hide_handles_and_footer': frozenset({'handles', 'footer'}),
    'show_only_snapshot': frozenset({'query', 'handles', 'footer'}),
    'hide_all': frozenset({'query', 'handles', 'footer', 'snapshot'}),
}
_TRANSITIONS = {
    State.OK: 'Recovered',
    State.WARN: 'Warn',
    State.ALERT: 'Triggered',
    State.NO_DATA: 'No Data',
    State.UNKNOWN: 'Unknown',
}
# That of No Data is not known.
_TYPES = {State.OK: 'success', State.WARN: 'warning', State.ALERT: 'error'}


class Link(NamedTuple):
    """`address` is empty if no source documents its form."""

    label: str
    address: str


@dataclass(frozen=True)
class Sender:
    """The monitor that notifies. `metric` is empty if its query is not a single metric, `preset` if it is not set.

    `snapshot`: whether a picture of the graph is attached; a query with a percentile has none (rule 17.22).
    """

    query: str
    metric: str
    monitor_id: int | None = None
    preset: str = ''
    snapshot: bool = True


@dataclass(frozen=True)
class Delivery:
    """A delivered notification.

    `instant` and `last_triggered_at` are Unix seconds. `group` are the tags of the group, `event_tags` those of the
    event: of the group, the filter, the host and the monitor.
    """

    sender: Sender
    title: str
    message: str
    recipients: tuple[str, ...]
    trigger: Trigger
    edge: Edge
    group: tuple[str, ...]
    event_tags: tuple[str, ...]
    priority: int | None
    instant: int
    last_triggered_at: int | None

    @property
    def hidden(self) -> frozenset[str]:
        """The parts that the preset hides: query, handles, footer, snapshot; the snapshot too if there is none."""
        hidden = _HIDDEN.get(self.sender.preset, frozenset())
        return hidden if self.sender.snapshot else hidden | {'snapshot'}

    @cached_property
    def text(self) -> str:
        """The message, without its handles if the preset hides them."""
        text = self.message.strip()
        for handle in reversed(find_handles(text)) if 'handles' in self.hidden else ():
            text = text[: handle.start] + text[handle.end :]
        return text.strip()

    @property
    def condition(self) -> str:
        """The sentence or the query, in Markdown; empty if it is hidden or unknown."""
        return '' if 'query' in self.hidden else self.trigger.sentence

    @cached_property
    def last_triggered(self) -> str:
        """The sentence about the last trigger: of the event itself or, on a recovery, of the earlier one."""
        if self.last_triggered_at is None or 'footer' in self.hidden:
            return ''
        return f'The monitor was last triggered at {_shown(self.last_triggered_at)} UTC.'

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The links of the footer."""
        return self.links_between(*self._frame)

    def links_between(self, start: str, end: str) -> tuple[Link, ...]:
        """Return the links of the footer, for the time from `start` to `end` in milliseconds.

        Groups by host have links to the host, events with tags a link to logs.
        """
        if 'footer' in self.hidden:
            return ()
        edit = f'https://{SITE}/monitors/{self._monitor}/edit?link_source=monitor_notif'
        links = [Link('Monitor Status', self._status(start, end)), Link('Edit Monitor', edit)]
        if host := self.host:
            links += [Link(f'View {host}', ''), Link('Show Processes', '')]
        if self.event_tags != ('monitor',):
            links.append(Link('Related Logs', ''))
        return tuple(links)

    @cached_property
    def status_address(self) -> str:
        """The address of the monitor at the time of the event."""
        return self._status(*self._frame)

    @property
    def _frame(self) -> tuple[str, str]:
        return f'{self.instant - _BEFORE}000', f'{self.instant + _AFTER}000'

    def _status(self, start: str, end: str) -> str:
        from urllib.parse import quote

        group = f'group={quote(",".join(self.group), safe="")}&' if self.group else ''
        return (
            f'https://{SITE}/monitors/{self._monitor}?{group}from_ts={start}&to_ts={end}&event_id={EVENT_ID}'
            '&link_source=monitor_notif'
        )

    @property
    def _monitor(self) -> str:
        return MONITOR_ID if self.sender.monitor_id is None else str(self.sender.monitor_id)

    @property
    def host(self) -> str:
        """The host of the group, or an empty text."""
        return next((tag.removeprefix('host:') for tag in self.group if tag.startswith('host:')), '')

    @cached_property
    def event_message(self) -> str:
        """The body of the event, as in `$EVENT_MSG`."""
        graph = f'[![Metric Graph](SNAPSHOT)]({self.status_address})' if 'snapshot' not in self.hidden else ''
        parts = [self.text, graph, self.condition, self.last_triggered]
        if links := ' · '.join(f'[[{label}]({address})]' if address else f'[{label}]' for label, address in self.links):
            parts += ['- - -', links]
        return '\n\n'.join(['%%%\n' + parts[0], *filter(None, parts[1:])]) + '\n%%%'

    def email(self) -> tuple[str, str]:
        """The subject and the text of the e-mail. Its layout is not documented: the subject is the title."""
        parts = [self.text, _plain(self.condition), self.last_triggered]
        parts += ['\n'.join(f'{label}: {address}' for label, address in self.links if address)]
        return self.title, '\n\n'.join(filter(None, parts))

    def slack(self) -> dict[str, str]:
        """The parts of a message to a Slack channel, which can hide each; its layout is not documented."""
        return {
            'title': f'<{self.status_address}|{self.title}>',
            'message': '\n\n'.join(filter(None, (self.text, self.condition.replace('**', '*')))),
            'tags': ', '.join(self.event_tags),
            'notified': '' if 'handles' in self.hidden else ', '.join(self.recipients),
            'snapshot': '' if 'snapshot' in self.hidden else 'SNAPSHOT',
            'mute': 'Mute this monitor',
        }

    def webhook(self) -> dict[str, str | None]:
        """The variables of a webhook's payload, by name. None: only Datadog knows the value, or it is not
        documented.
        """
        variables = self.lasting_variables()
        variables |= dict.fromkeys(('$DATE', '$LAST_UPDATED'), f'{self.instant}000')
        variables |= {'$EVENT_MSG': self.event_message, '$TEXT_ONLY_MSG': self.text}
        return dict(sorted(variables.items()))

    def lasting_variables(self) -> dict[str, str | None]:
        """Return the variables that depend neither on the instant nor on the text."""
        again = 'Re-' if self.edge.source == self.edge.target else ''
        return {
            '$AGGREG_KEY': None,
            '$ALERT_CYCLE_KEY': None,
            '$ALERT_ID': None if self.sender.monitor_id is None else str(self.sender.monitor_id),
            '$ALERT_METRIC': self.sender.metric,
            '$ALERT_PRIORITY': '' if self.priority is None else f'P{self.priority}',
            '$ALERT_QUERY': self.sender.query,
            '$ALERT_SCOPE': ','.join(self.group),
            '$ALERT_STATUS': self.trigger.plain if self.edge.target != NO_DATA else None,
            '$ALERT_TITLE': self.title,
            '$ALERT_TRANSITION': again + _TRANSITIONS[self.edge.target],
            '$ALERT_TYPE': _TYPES.get(self.edge.target),
            '$EVENT_TITLE': self.title,
            '$EVENT_TYPE': 'query_alert_monitor',
            '$HOSTNAME': self.host,
            '$ID': None,
            '$LINK': f'https://{SITE}/event/event?id={EVENT_ID}',
            '$ORG_ID': None,
            '$ORG_NAME': None,
            '$PRIORITY': 'normal',
            '$SNAPSHOT': None if self.sender.snapshot else '',
            '$TAGS': ','.join(self.event_tags),
        }


def _plain(markdown: str) -> str:
    return markdown.replace('*****', '*').replace('**', '').strip('`')


def _shown(instant: int) -> str:
    """`Fri Jun 27 2025 06:50:29`."""
    moment = datetime.fromtimestamp(instant, UTC)
    return f'{_DAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment:%d %Y %H:%M:%S}'
