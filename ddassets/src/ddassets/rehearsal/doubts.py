"""What is sure and what is doubtful of an approximated monitor, in words (rule 19.10)."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from ddassets.engine.approximation import MARK, Doubt, Event
from ddassets.nearest import listed
from ddassets.output.terminal import count
from ddassets.rehearsal.result import Approximation, GroupResult, MonitorResult
from ddassets.rehearsal.times import shown_time

#: More parameter sets with the same state are counted, not listed.
MAX_SETS = 4


def parameters(names: tuple[str, ...]) -> str:
    """Return which parameters decide.

    >>> parameters(('constant',)), parameters(('width', 'lag'))
    ('constant decides', 'width and lag decide')
    """
    return f'{listed(names)} {"decides" if len(names) == 1 else "decide"}'


def doubt_words(doubt: Doubt, approximation: Approximation, zone: ZoneInfo) -> str:
    """Return why an event is doubtful: it is at other instants, or only some sets of parameters have it."""
    sets = len(approximation.sets)
    if doubt.without:
        return f'doubtful: {sets - doubt.without} of {sets} parameter sets, {parameters(doubt.parameters)}'
    earliest, latest = (shown_time(instant, zone) for instant in (doubt.earliest, doubt.latest))
    return f'doubtful: from {earliest} to {latest}, {parameters(doubt.parameters)}'


def summary(monitor: MonitorResult) -> str:
    """Return a line about an approximated monitor: its parameter sets, and how many notifications are doubtful."""
    assert monitor.approximation is not None
    groups = [one.agreement for one in monitor.results.values() if one.agreement]
    due = sum(len(one.notifications) for one in groups)
    doubtful = sum(one.doubts for one in groups)
    others = sum(len(one.others) for one in groups)
    sets = monitor.approximation.sets
    names: dict[str, dict[str, None]] = {}
    for one in sets:
        for name, choice in one.choices:
            names.setdefault(name, {})[choice] = None
    choices = '; '.join(f'{name} {", ".join(found)}' for name, found in names.items())
    more = f', {others} more only with other parameters' if others else ''
    return (
        f'{MARK}. {count(len(sets), "parameter set")} ({choices}): '
        f'{doubtful} of {count(due, "notification")} doubtful{more}'
    )


def others(monitor: MonitorResult) -> Iterator[tuple[GroupResult, Event, Doubt]]:
    """Yield the notifications that only other parameters have, in order of time."""
    found = [
        (result, event, doubt)
        for result in monitor.results.values()
        if result.agreement
        for event, doubt in result.agreement.others
    ]
    yield from sorted(found, key=lambda one: (one[1].instant, one[0].group))


def other_words(result: GroupResult, event: Event, doubt: Doubt, monitor: MonitorResult, zone: ZoneInfo) -> str:
    """Return a notification that only other parameters have as a clause."""
    assert monitor.approximation is not None
    sets = len(monitor.approximation.sets)
    muted = ', muted' if event.muted else ''
    return (
        f'{shown_time(event.instant, zone)} {result.name}: {event.source} to {event.target}{muted} in '
        f'{sets - doubt.without} of {sets} parameter sets ({parameters(doubt.parameters)})'
    )


def explained_sets(monitor: MonitorResult, result: GroupResult, tick: int) -> Iterator[str]:
    """Yield the states of a group at an evaluation under all parameter sets."""
    approximation = monitor.approximation
    if approximation is None or result.agreement is None:
        return
    states: dict[str, list[str]] = {}
    for one, evaluator in zip(approximation.sets, approximation.evaluators, strict=True):
        states.setdefault(str(evaluator.timeline(result.group).state_at(tick)), []).append(str(one))
    decides = result.agreement.parameters_at(tick)
    if len(states) == 1:
        yield f'{MARK}; sure: all {len(approximation.sets)} parameter sets give {next(iter(states))}'
    else:
        yield f'{MARK}; doubtful: {parameters(decides)}'
        for state, names in states.items():
            number = f'{len(names)} of {count(len(approximation.sets), "parameter set")}'
            shown = f': {"; ".join(names)}' if len(names) <= MAX_SETS else ''
            yield f'  {state} with {number}{shown}'
