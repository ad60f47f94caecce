"""The messages of a monitor, rendered on first use."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets.notification_rule import NotificationRule
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import message as messages
from ddassets.engine.assumptions import Assumption, Assumptions
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.notification import Notification
from ddassets.engine.protocol import Evaluator
from ddassets.engine.routing import may_route, route
from ddassets.engine.state import State
from ddassets.engine.timeline import Group
from ddassets.language.message.vocabulary import MATCHES
from ddassets.regex import regex

_VARIABLE = regex(r'(\{\{.*?\}\})')


@dataclass(frozen=True)
class Message:
    """A notification as its recipients receive it. `problems` are sentences about variables without a value."""

    title: str
    text: str
    recipients: tuple[str, ...]
    host: str
    ip: str
    reached: frozenset[messages.Branch]
    problems: tuple[str, ...]
    # Recipients that receive an empty text (rule 4.3b).
    textless: tuple[str, ...]
    delivery: messages.Delivery
    # The names of the notification rules that notify each recipient (rule 3.27).
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _About:
    """What the messages about one group have in common. `context` lacks everything that a notification adds."""

    context: messages.Context
    event_tags: tuple[str, ...]


class Surroundings(Protocol):
    """What messages can print beyond their monitor, and what is done to the text of each: a scenario, for example."""

    @property
    def hosts(self) -> Mapping[str, messages.Host]: ...
    @property
    def entities(self) -> Mapping[str, Mapping[str, messages.Attributes]]: ...
    @property
    def notification_rules(self) -> Sequence[NotificationRule]: ...
    def addressed(self, text: str) -> str: ...
    def redirected(self, text: str) -> str: ...


class Messages:
    """Renders the messages of a monitor (section 4 of the semantics).

    `evaluator` has the monitor's group keys. `assumptions` records those that a message relied on.
    """

    def __init__(
        self,
        asset: MonitorAsset,
        monitor: AnyMonitor,
        evaluator: Evaluator,
        scenario: Surroundings,
        assumptions: Assumptions,
    ) -> None:
        self.asset = asset
        self.monitor = monitor
        self.evaluator = evaluator
        self.by = frozenset(evaluator.by)
        self.hosts = scenario.hosts
        self.entities = scenario.entities
        self.rules = scenario.notification_rules
        self.assumptions = assumptions
        # Sentences about variables without a value, in the order of rendering.
        self.problems: dict[str, None] = {}
        # Cached, because thousands of messages use the same few templates.
        self._triggers: dict[tuple[messages.Edge, Group, float | None], messages.Trigger] = {}
        self._groups: dict[Group, _About] = {}
        self._texts: dict[tuple[messages.Edge, Group], tuple[messages.Rendered, messages.Rendered]] = {}
        self.body = self._template('message', asset.message, scenario.addressed)
        self.title = self._template('name', asset.name)
        escalation = asset.options.escalation_message
        self.escalation = self._template('options.escalation_message', escalation, scenario.redirected)

    def _template(self, place: str, text: str, change: Callable[[str], str] = lambda text: text) -> messages.Template:
        try:
            return messages.parse(change(text), self.assumptions.peek(Assumptions.comment_end))
        except messages.MessageSyntaxError as error:
            raise UnusableInputError(f'{self.asset.name}: {place}: {error}', error.details) from None

    @property
    def templates(self) -> tuple[messages.Template, ...]:
        """All templates that may contain a recipient."""
        return self.body, self.escalation

    def render(self, group: Group, tags: frozenset[str], notification: Notification) -> Message:
        """Render a notification; `tags` are those of the group and those fixed by the query's filter (rule 5.15)."""
        if group not in self._groups:
            self._groups[group] = self._about(group, tags)
        about, edge = self._groups[group], self.edge(notification)
        # Asked for each notification, because it records assumptions.
        variables = self.evaluator.variables(group, notification.instant)
        title, body = self._texts.get((edge, group)) or self._rendered(about.context, edge, notification, variables)
        if self.lasting:
            self._texts[edge, group] = title, body
        problems = dict.fromkeys(fault.message for fault in (*title.problems, *body.problems))
        routes = self._routes(group, edge)
        recipients = tuple(dict.fromkeys((*body.handles, *routes)))
        host = about.context.host
        delivery = messages.Delivery(
            sender=self._sender,
            title=title.text,
            message=body.text,
            recipients=recipients,
            trigger=self._trigger(edge, group, variables.get('threshold')),
            edge=edge,
            group=group,
            event_tags=about.event_tags,
            priority=body.priority,
            instant=notification.instant,
            last_triggered_at=notification.last_triggered_at,
        )
        return Message(
            title=title.text,
            text=body.text,
            recipients=recipients,
            host=delivery.host,
            ip=host.ip if host else '',
            reached=body.reached,
            problems=tuple(problems),
            textless=body.textless,
            delivery=delivery,
            routes=routes,
        )

    def _rendered(
        self,
        about: messages.Context,
        edge: messages.Edge,
        notification: Notification,
        variables: Mapping[str, float | str | None],
    ) -> tuple[messages.Rendered, messages.Rendered]:
        """Return title and text. `variables` are those that only this type of monitor has."""
        context = _context(about, edge, notification, variables)
        body = messages.render(self.body, context, self._escalated)
        context = replace(context, priority=body.priority)
        title = messages.render_title(self.title, context, self.asset.options.include_tags)
        self.assumptions.relied_on.update(body.assumptions, title.assumptions)
        self.problems.update(dict.fromkeys(fault.message for fault in (*title.problems, *body.problems)))
        return title, body

    @property
    def _escalated(self) -> messages.Template | None:
        return self.escalation if self.escalation.text else None

    def unheard(self, group: Group, tags: frozenset[str], notification: Notification) -> Sequence[messages.Unheard]:
        """Return the handles that a notification does not reach, and why; the arguments are those of `render`."""
        recipients = self.render(group, tags, notification).recipients
        variables = self.evaluator.variables(group, notification.instant)
        context = _context(self._groups[group].context, self.edge(notification), notification, variables)
        return messages.unheard(self.body, context, recipients, self._escalated)

    def _routes(self, group: Group, edge: messages.Edge) -> Mapping[str, tuple[str, ...]]:
        if not self.rules:
            return {}
        # Without the tags that the query's filter fixes, unlike the scope of a downtime (rule 5.15).
        return route(self.rules, {*self.asset.tags, *group}, edge, self.assumptions)

    @cached_property
    def _sender(self) -> messages.Sender:
        return messages.Sender(
            query=self.asset.query,
            metric=self.monitor.metric,
            monitor_id=self.asset.fields.id,
            preset=self.asset.options.notification_preset_name,
            snapshot=not self.monitor.has_percentile,
        )

    def _trigger(self, edge: messages.Edge, group: Group, threshold: float | str | None) -> messages.Trigger:
        # A dynamic threshold differs from one notification to the next.
        number = threshold if isinstance(threshold, float) else None
        met = self._triggers.get((edge, group, number))
        if met is None:
            met = messages.trigger(self.monitor, self.asset.query, edge, group, number)
            self._triggers[edge, group, number] = met
        if not met.documented and self.assumptions.unknown_wording == 'left out':
            return messages.Trigger('', '', met.brief, documented=False)
        return met

    def _event_tags(self, group: Group, host: messages.Host | None) -> tuple[str, ...]:
        """Return the tags of the event: those of the group, the filter, the host and the monitor, and `monitor`."""
        fixed = messages.filter_tags(self.monitor.scope)
        known = (f'{key}:{value}' for key, values in (host.tags if host else {}).items() for value in values)
        tags = {'monitor', *self.asset.tags, *group, *fixed, *known}
        return tuple(sorted(map(_lower_key, tags)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about parts with a surprising meaning, then about variables without a value."""
        surprises = (warning.message for template in self.templates for warning in template.warnings)
        return (*dict.fromkeys(surprises), *self.problems)

    @cached_property
    def varies(self) -> bool:
        """Whether branches or recipients may differ between two notifications of the same transition and group."""
        tests = (literal.condition for one in self.templates for branch in one.branches() for literal in branch.path)
        # The result of an expression may differ each time.
        tested = ('' if test.expression else test.arguments[0] for test in tests if test.name in MATCHES)
        written = (mention.name for one in self.templates for mention in messages.mentions(one))
        return any(self.monitor.varies(name) for name in tested) or any(map(self._prints_varying, written))

    @cached_property
    def titled_apart(self) -> bool:
        """Whether titles may differ between two notifications of the same transition and group."""
        return self._uses_varying(self.title)

    @cached_property
    def lasting(self) -> bool:
        """Whether title and text are the same for all notifications of the same transition and group."""
        return not any(map(self._uses_varying, (self.title, *self.templates)))

    def _uses_varying(self, template: messages.Template) -> bool:
        return any(self.monitor.varies('.'.join(use.parts)) for use in template.variables())

    def _prints_varying(self, text: str) -> bool:
        return any(self.monitor.varies(part.strip('{}')) for part in _VARIABLE.findall(text))

    def edge(self, notification: Notification) -> messages.Edge:
        """Return the transition; at the end of a downtime the state counts as new (rule 5.21, A33)."""
        if notification.reason == 'downtime end':
            if self.assumptions.downtime_end_kind == 'a trigger':
                return messages.Edge(State.OK, notification.target)
        return messages.Edge(notification.source, notification.target)

    def may_reach(self, handle: str) -> bool:
        """Whether a message may notify this recipient; a handle with variables may match any recipient."""
        names = {mention.name for one in self.templates for mention in messages.mentions(one)}
        if handle in may_route(self.rules, self.asset.tags, self.by):
            return True
        return any(re.fullmatch(''.join(map(_fitting, _VARIABLE.split(name))), handle) for name in names)

    def _about(self, group: Group, tags: frozenset[str]) -> _About:
        values: dict[str, list[str]] = {}
        for tag in sorted(tags):
            key, colon, value = tag.partition(':')
            if colon:
                values.setdefault(key, []).append(value)
        priority = self.asset.body.get('priority')
        host = self.hosts.get(','.join(values.get('host', ())), messages.Host()) if 'host' in self.by else None
        context = messages.Context(
            transition=messages.Edge(State.ABSENT, State.ABSENT),
            values={
                **self.monitor.variables,
                **{name: None for name, one in self._empty if self.assumptions.peek(one) == one.default},
            },
            empty=dict(self._empty),
            tags=values,
            group=group,
            host=host,
            entities=self._entities(values),
            priority=priority if isinstance(priority, int) else None,
            assumptions=self.assumptions,
        )
        return _About(context, self._event_tags(group, host))

    @property
    def _empty(self) -> Iterable[tuple[str, Assumption]]:
        return self.monitor.empty_variables.items()

    def _entities(self, tags: Mapping[str, Sequence[str]]) -> dict[str, messages.Attributes]:
        """Return the attributes of the service, namespace, pod or device of a group with these tags (rule 4.9)."""
        found = {}
        for first, (key, group_keys) in messages.ENTITIES.items():
            if self.by.issuperset(group_keys):
                names = [','.join(tags.get(name, ())) for name in group_keys]
                known = self.entities.get(key, {})
                found[first] = known.get('/'.join(names)) or known.get(names[-1]) or {}
        return found


def _context(
    about: messages.Context,
    edge: messages.Edge,
    notification: Notification,
    variables: Mapping[str, float | str | None],
) -> messages.Context:
    """Return what a notification adds to the context of its group."""
    value = None if math.isnan(notification.value) else notification.value
    return replace(
        about,
        transition=edge,
        values={'value': value, **about.values, **variables},
        now=notification.instant,
        first_triggered_at=notification.first_triggered_at,
        last_triggered_at=notification.last_triggered_at,
    )


def _lower_key(tag: str) -> str:
    key, colon, value = tag.partition(':')
    return f'{key.lower().removeprefix("@")}{colon}{value}'


def _fitting(part: str) -> str:
    """Return a regular expression for a part of a handle; a variable matches any text."""
    return '.*' if part.startswith('{{') else re.escape(part)
