"""The recipients of one transition, and the rules that add them: section C of inputs.md and rule 3.27.

A scope is a tree, not a text: `('tag', 'env', 'prod')`, `('any', 'env')` for `env:*`, `('not', part)`,
`('and', part, …)`, `('or', part, …)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

type Scope = tuple[Any, ...]

# Rule 4.3, as words of `transition_type`.
ENTERED = {'Alert': 'is_alert', 'Warn': 'is_warning', 'No Data': 'is_no_data'}
LEFT = {'Alert': 'is_alert_recovery', 'Warn': 'is_warning_recovery', 'No Data': 'is_no_data_recovery'}


@dataclass(frozen=True)
class Rule:
    """`tags` or `scope`; `recipients` or `conditions` with a `fallback`, each without @."""

    name: str
    tags: tuple[str, ...] = ()
    scope: Scope | None = None
    recipients: tuple[str, ...] = ()
    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fallback: tuple[str, ...] = ()


def words(source: str, target: str) -> list[str]:
    """Return the words of `transition_type` that hold between two states; a renotification keeps its state."""
    if target == 'OK':
        return ['is_recovery', *([LEFT[source]] if source in LEFT else [])]
    found = [ENTERED[target]]
    if source == target:
        found.append('is_renotify')
    if (source, target) == ('Alert', 'Warn'):
        found.append('is_alert_to_warning')
    return found


def covered(scope: Scope, tags: Sequence[str]) -> bool:
    """Return whether a term matches: any value of its key is the one that it names (C2.1 and C2.3)."""
    kind, *parts = scope
    if kind == 'not':
        return not covered(parts[0], tags)
    if kind == 'and':
        for part in parts:
            if not covered(part, tags):
                return False
        return True
    if kind == 'or':
        for part in parts:
            if covered(part, tags):
                return True
        return False
    key = parts[0]
    for tag in tags:
        if tag == f'{key}:{parts[1]}' if kind == 'tag' else tag.startswith(f'{key}:'):
            return True
    return False


def matches(rule: Rule, tags: Sequence[str]) -> bool:
    if rule.scope is not None:
        return covered(rule.scope, tags)
    for tag in rule.tags:
        if tag not in tags:
            return False
    return True


def added(rule: Rule, tags: Sequence[str], transition: Sequence[str]) -> list[str]:
    """Return the recipients of every condition that holds, or the fallback (C3.2)."""
    if rule.recipients:
        return list(rule.recipients)
    found: list[str] = []
    held = False
    for scope, recipients in rule.conditions:
        key, value = scope.split(':', 1)
        if (value in transition) if key == 'transition_type' else (scope in tags):
            held = True
            found.extend(recipients)
    return found if held else list(rule.fallback)


def told(
    own: Sequence[str],
    monitor_tags: Sequence[str],
    group_tags: Sequence[str],
    source: str,
    target: str,
    rules: Sequence[Rule],
) -> tuple[list[str], dict[str, list[str]]]:
    """Return all recipients in order, each once, and the names of the rules that notify each (C2.5)."""
    tags = [*monitor_tags, *group_tags]
    transition = words(source, target)
    recipients: list[str] = []
    routes: dict[str, list[str]] = {}
    for handle in own:
        if handle not in recipients:
            recipients.append(handle)
    for rule in rules:
        if not matches(rule, tags):
            continue
        for recipient in added(rule, tags, transition):
            handle = f'@{recipient}'
            if handle not in recipients:
                recipients.append(handle)
            names = routes.setdefault(handle, [])
            if rule.name not in names:
                names.append(rule.name)
    return recipients, routes
