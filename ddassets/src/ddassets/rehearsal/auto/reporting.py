"""The part of a survey about messages, downtimes and delays, for monitors of every type."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

import numpy as np

from ddassets.assets import Monitor as MonitorAsset
from ddassets.assets import NotificationRule
from ddassets.engine import message as messages
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.downtime import Downtime
from ddassets.engine.message import CHECK_TRANSITIONS, Edge
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.routing import may_route
from ddassets.engine.state import State
from ddassets.engine.timeline import GroupTimeline
from ddassets.language.downtime_scope import Scope
from ddassets.regex import regex
from ddassets.rehearsal.coverage import possible_branches, possible_edges


@dataclass(frozen=True)
class Renotified:
    """When a monitor notifies again, every `interval` seconds and at most `occurrences` times, and whom."""

    interval: int
    states: tuple[str, ...]
    occurrences: int | None
    recipients: tuple[str, ...]


@dataclass
class Reporter:
    """`keys` are the monitor's group keys. `fixed` returns the tags that its query fixes for every group.

    `rules` are the notification rules, which add recipients to those of the message.
    """

    asset: MonitorAsset
    monitor: AnyMonitor
    keys: Collection[str]
    fixed: Callable[[], frozenset[str]]
    rules: Sequence[NotificationRule] = ()
    assumptions: Assumptions = field(default_factory=Assumptions)

    def notified(self, edges: set[Edge]) -> dict[str, tuple[str, ...]]:
        """Return the handles notified by each kind of notification that the signal causes.

        A rule counts if it matches some group: the values of the generated groups are invented.
        """
        template = self._template()
        if template is None:
            return {}
        found: dict[str, dict[str, None]] = {}
        reached = messages.reach(template, self.assumptions, CHECK_TRANSITIONS)
        for edge in sorted(edges & set(possible_edges(self.monitor))):
            kind = str(edge.target) if edge.target is not State.OK else f'recovery from {edge.source}'
            names = found.setdefault(kind, {})
            names.update((one.handle, None) for one in reached if edge in one.always | one.sometimes)
            routed = may_route(self.rules, self.asset.tags, self.keys, edge, self.assumptions)
            names.update(dict.fromkeys(sorted(routed)))
        return {kind: tuple(names) for kind, names in found.items()}

    def renotified(self, visited: Collection[State]) -> Renotified | None:
        """Return the renotifications in the states that the signal reaches, including the escalation's recipients."""
        monitor = self.monitor
        found = [edge for edge in possible_edges(monitor) if edge.source is edge.target and edge.target in visited]
        if not found or monitor.renotify_occurrences == 0:
            return None
        names: dict[str, None] = {}
        for template in (self._template(), self._template(self.asset.options.escalation_message)):
            if template is not None:
                reached = messages.reach(template, self.assumptions, found)
                names.update((one.handle, None) for one in reached if one.always | one.sometimes)
        for edge in found:
            routed = may_route(self.rules, self.asset.tags, self.keys, edge, self.assumptions)
            names.update(dict.fromkeys(sorted(routed)))
        states = tuple(str(edge.target) for edge in found)
        return Renotified(monitor.renotify_interval, states, monitor.renotify_occurrences, tuple(names))

    def never(self) -> dict[str, str]:
        """Return the handles that no notification of this monitor can reach."""
        template = self._template()
        if template is None:
            return {}
        possible = set(possible_edges(self.monitor))
        return {
            one.handle: 'no notification reaches this handle'
            for one in messages.reach(template, None, CHECK_TRANSITIONS)
            if not possible & (one.always | one.sometimes)
        }

    def unrendered(self) -> Iterator[str]:
        """Return the branches whose state conditionals hold on no transition of this monitor's notifications."""
        template = self._template()
        if template is None:
            return
        possible = set(possible_branches(template, self.monitor))
        yield from (str(branch) for branch in template.branches() if branch not in possible)

    def idle(self, downtimes: Sequence[Downtime]) -> Iterator[str]:
        """Return the downtimes of this monitor whose scope matches none of its groups."""
        number = self.asset.body.get('id')
        for downtime in downtimes:
            if not downtime.matches_monitor(number if isinstance(number, int) else None, self.asset.tags):
                continue
            if not _can_match(downtime.scope, set(self.keys), self.fixed()):
                yield downtime.name

    def _template(self, text: str | None = None) -> messages.Template | None:
        try:
            return messages.parse(self.asset.message if text is None else text)
        except messages.MessageSyntaxError:
            return None


def edges(timeline: GroupTimeline) -> set[Edge]:
    """Return the transitions; an absent group counts as OK."""
    found = timeline.transitions
    pairs = {(State(source), State(target)) for source, target in zip(found.sources, found.targets, strict=True)}
    return {Edge(State.OK if source is State.ABSENT else source, target) for source, target in pairs}


def delay(timeline: GroupTimeline, since: int | None, target: State) -> int | None:
    """Return the seconds from an instant to the next transition to a state."""
    if since is None:
        return None
    found = timeline.transitions
    rows = np.flatnonzero((found.instants >= since) & (found.targets == target))
    return int(found.instants[rows[0]]) - since if rows.size else None


_TERM = regex(r'([A-Za-z_][\w./-]*):(?:\(([^()]*)\)|("[^"]*"|[^\s()"]+))')


def _can_match(scope: Scope, keys: set[str], fixed: frozenset[str]) -> bool:
    """Whether a group with these keys and fixed tags can match a downtime's scope (rule 5.15)."""
    values: dict[str, list[str]] = {key: ['another'] for key in sorted(keys)}
    for term in _TERM.finditer(scope.text):
        if term[1] in values:
            words = re.findall(r'"[^"]*"|[^\s"]+', term[2] or term[3])
            values[term[1]] += [word.strip('-"').replace('*', '1') for word in words if word not in ('OR', 'AND')]
    groups = islice(product(*([f'{key}:{value}' for value in found] for key, found in values.items())), 512)
    return any(scope.matches(fixed | frozenset(group)) for group in groups)
