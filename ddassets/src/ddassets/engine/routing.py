"""The recipients that notification rules add. Rule 3.27.

>>> from pathlib import Path
>>> from ddassets.assets.notification_rule import read_notification_rule
>>> from ddassets.assets.source import Unplaced
>>> body = {'name': 'harbor', 'filter': {'tags': ['team:harbor']}, 'recipients': ['oncall-harbor']}
>>> rule = read_notification_rule(Unplaced(Path('harbor.json')), body)
>>> from ddassets.engine.message import Edge
>>> from ddassets.engine.state import State
>>> route([rule], ['team:harbor', 'host:a'], Edge(State.OK, State.ALERT))
{'@oncall-harbor': ('harbor',)}
"""

from collections.abc import Collection, Iterable, Iterator

from ddassets.assets.notification_rule import TRANSITION, NotificationRule
from ddassets.engine.assumptions import Assumptions
from ddassets.engine.message.conditions import Edge, holds


def route(
    rules: Iterable[NotificationRule], tags: Collection[str], edge: Edge, assumptions: Assumptions | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the recipients of a notification, and the names of the rules that notify each.

    `tags` are those of the monitor and of the firing group together; `edge` is the transition, on which the conditions
    of a rule may depend. All rules that match contribute, and a recipient is notified once. `assumptions` records those
    that decided whether a condition holds.
    """
    assumptions = Assumptions() if assumptions is None else assumptions
    found: dict[str, list[str]] = {}
    for rule in rules:
        if _matches(rule, tags):
            for recipient in dict.fromkeys(_recipients(rule, tags, edge, assumptions)):
                found.setdefault(f'@{recipient}', []).append(rule.name)
    return {recipient: tuple(names) for recipient, names in found.items()}


def may_route(
    rules: Iterable[NotificationRule],
    tags: Collection[str],
    by: Collection[str],
    edge: Edge | None = None,
    assumptions: Assumptions | None = None,
) -> set[str]:
    """Return every recipient that a rule may add for a group with these tags and keys, whatever their values are.

    With `edge`, only those that are notified of this transition. `assumptions` as for `route`.
    """
    assumptions = Assumptions() if assumptions is None else assumptions
    return {
        f'@{recipient}'
        for rule in rules
        if _matches(rule, tags, by)
        for recipient in (rule.recipients if edge is None else _recipients(rule, tags, edge, assumptions, by))
    }


def _matches(rule: NotificationRule, tags: Collection[str], by: Collection[str] = ()) -> bool:
    """Whether a rule covers these tags; with `by`, whether it may cover them for some values of these keys."""
    wanted = rule.fields.filter
    if wanted.scope is not None:
        return wanted.scope.matches(tags, by)
    return bool(wanted.tags) and all(tag in tags or tag.partition(':')[0] in by for tag in wanted.tags)


def _recipients(
    rule: NotificationRule, tags: Collection[str], edge: Edge, assumptions: Assumptions, by: Collection[str] = ()
) -> Iterator[str]:
    """Yield the recipients of one rule: those of each condition that holds, else those of the fallback.

    With `by`, those that are possible for some values of these keys.
    """
    conditional = rule.fields.conditional_recipients
    if conditional is None:
        yield from rule.fields.recipients
        return
    certain = False
    for condition in conditional.conditions:
        if condition.scope is None:
            continue
        holds_always = _holds(condition.scope, tags, edge, assumptions)
        certain |= holds_always
        if holds_always or condition.scope[0] in by:
            yield from condition.recipients
    if not certain:
        yield from conditional.fallback_recipients


def _holds(term: tuple[str, str], tags: Collection[str], edge: Edge, assumptions: Assumptions) -> bool:
    key, value = term
    return holds(edge, value, assumptions) if key == TRANSITION else f'{key}:{value}' in tags
