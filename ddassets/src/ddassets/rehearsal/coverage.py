"""The coverage of a monitor's states and message branches by rehearsals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ddassets.engine.message import CHECK_TRANSITIONS, FLAGS, Branch, Edge, Template, conditions
from ddassets.engine.monitor import AnyMonitor
from ddassets.engine.notification import REASONS
from ddassets.engine.state import State
from ddassets.rehearsal.result import MonitorResult
from ddassets.rehearsal.verdict import Verdict


def coverage(result: MonitorResult) -> list[tuple[str, bool]]:
    """Return the items of a monitor in a fixed order, and whether this rehearsal reached them.

    States are reached with or without a notification; a branch is reached if a sent or muted notification renders it.
    Items that the monitor's options exclude are not counted.
    """
    states, edges = _states(result), _edges(result)
    items = [(str(state), state in states) for state in result.monitor.states]
    recoveries = {edge.source for edge in edges if edge.target == State.OK}
    if not result.monitor.scheduled:
        items += [(f'recovery from {state}', state in recoveries) for state in result.monitor.states[1:]]
    if result.monitor.renotify_interval and not result.monitor.draft:
        again = REASONS.index('renotify')
        items.append(
            ('renotification', any((one.notifications.reasons == again).any() for one in result.results.values()))
        )
    possible = possible_branches(result.messages.body, result.monitor)
    return items + [(f'message: {branch}', branch in result.reached) for branch in possible]


def together(coverages: Iterable[Sequence[tuple[str, bool]]]) -> list[tuple[str, bool]]:
    """Return the coverage of one monitor by several rehearsals."""
    reached: dict[str, bool] = {}
    for items in coverages:
        for item, done in items:
            reached[item] = reached.get(item, False) or done
    return list(reached.items())


def percentage(monitors: Mapping[str, Sequence[tuple[str, bool]]]) -> float:
    """Return the share of reached items in per cent, 100 if there are no items."""
    every = [done for items in monitors.values() for _, done in items]
    return 100 * sum(every) / len(every) if every else 100.0


def possible_edges(monitor: AnyMonitor) -> Iterator[Edge]:
    """Return the transitions and renotifications that can notify with the monitor's options."""
    states = monitor.states
    for edge in CHECK_TRANSITIONS:
        if edge.source not in states or edge.target not in states:
            continue
        if edge.target == State.NO_DATA and monitor.silent_no_data:
            continue
        if monitor.scheduled and (edge.source != State.OK or edge.target == State.OK):
            # Each evaluation notifies by itself, and none recovers (rule 16.15).
            continue
        if edge.source == edge.target:
            if not monitor.renotify_interval or edge.target.kind not in monitor.renotify_statuses:
                continue
        yield edge


def _states(result: MonitorResult) -> set[State]:
    return set().union(*(group.visited for group in result.results.values()))


def _edges(result: MonitorResult) -> set[Edge]:
    """Return the transitions of the notifications; an absent group counts as OK."""
    due = (one.notifications[row] for one in result.results.values() for row in one.first_of_each_kind)
    edges = (result.messages.edge(notification) for notification in due)
    return {Edge(State.OK, edge.target) if edge.source == State.ABSENT else edge for edge in edges}


def possible_branches(template: Template, monitor: AnyMonitor) -> Iterator[Branch]:
    """Return the branches that a notification of the monitor can render."""
    flags = [conditions(edge) for edge in possible_edges(monitor)]
    for branch in template.branches():
        decided = [literal for literal in branch.path if literal.condition.name in FLAGS]
        if any(all((literal.condition.name in held) == literal.holds for literal in decided) for held in flags):
            yield branch


def judge(monitors: Mapping[str, Sequence[tuple[str, bool]]], least: float, line: int | None = None) -> Verdict:
    """Return a verdict on whether the coverage of monitors, by name, is at least `least` per cent."""
    found = percentage(monitors)
    missing = tuple(f'{name}: {item}' for name, items in monitors.items() for item, done in items if not done)
    details = (f'found {found:.4g} %; not reached: {"; ".join(missing)}',) if found < least else ()
    return Verdict(f'coverage of at least {least:g} %', found >= least, details, line)
