"""Fill in the expectations of a scenario from what happened, for review."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import yaml

from ddassets.assets.writing import replace_text
from ddassets.diagnostic import UnusableInputError
from ddassets.output.terminal import count
from ddassets.rehearsal.expectation import Event, Key, events, judge, keyed
from ddassets.rehearsal.one_line import flow_list, scalar
from ddassets.rehearsal.parsing import parse
from ddassets.rehearsal.result import Rehearsal
from ddassets.rehearsal.times import shown_time, write_instant

# More cannot be reviewed; use properties for such a signal.
MAX_EVENTS = 2000


def write(rehearsal: Rehearsal) -> tuple[str, int]:
    """Return the scenario's text with its `expect` block replaced, or added at the end, and its number of entries.

    Everything else is kept, including comments, and fragments of messages whose event still happens. Raises
    UnusableInputError if too much happened for a review.
    """
    scenario = rehearsal.scenario
    happened = sorted(events(rehearsal), key=lambda event: event.at)
    if len(happened) > MAX_EVENTS:
        raise UnusableInputError(
            f'{scenario.path}: {len(happened):,} events happened, too many to review (at most {MAX_EVENTS:,}); '
            'state properties of the whole timeline instead'
        )
    block = '\n'.join(['expect:' if happened else 'expect: []', *_entries(rehearsal, happened)]) + '\n'
    text = _replaced(scenario.text, rehearsal, block)
    try:
        # The result must be usable: no event may be expected after the end of the data.
        for _ in judge(replace(rehearsal, scenario=parse(text, scenario.path))):
            pass
    except UnusableInputError as error:
        raise UnusableInputError(f'{error}; nothing was written', error.details) from None
    return text, len(happened)


def warnings(rehearsal: Rehearsal) -> list[str]:
    """Return warnings about the written expectations: doubtful ones, and the end of the data before the rehearsal's."""
    return [*_doubtful(rehearsal), *_uncovered(rehearsal)]


def _doubtful(rehearsal: Rehearsal) -> Iterator[str]:
    for monitor in rehearsal.monitors:
        agreed = [group.agreement for group in monitor.results.values() if group.agreement]
        number = sum(doubt is not None for one in agreed for doubt in one.transitions)
        if number:
            changes = count(number, 'change')
            yield f'{monitor.name}: {changes} of state doubtful: other parameters of its approximation have others'


def _uncovered(rehearsal: Rehearsal) -> list[str]:
    ends = [group.data_end for monitor in rehearsal.monitors for group in monitor.results.values()]
    if not ends or max(ends) >= rehearsal.end or math.isinf(max(ends)):
        return []
    end, last = (shown_time(instant, rehearsal.zone) for instant in (max(ends), rehearsal.end))
    return [f'the data ends at {end}, the rehearsal at {last}; the expectations cover only the time before']


def save(rehearsal: Rehearsal, text: str) -> None:
    """Replace the scenario's file by the text atomically."""
    replace_text(rehearsal.scenario.path, text)


def _replaced(text: str, rehearsal: Rehearsal, block: str) -> str:
    """Return the text with the block replaced."""
    ending = '\r\n' if '\r\n' in text else '\n'
    block = block.replace('\n', ending)
    top = rehearsal.scenario.top.node
    assert isinstance(top, yaml.MappingNode)
    place = next(((key, value) for key, value in top.value if key.value == 'expect'), None)
    lines = text.splitlines(keepends=True)
    if top.flow_style:
        rehearsal.scenario.top.refuse(
            'written in braces: expectations can be filled in only if each key has its own line'
        )
    if place is None:
        gap = '' if not lines or lines[-1].endswith('\n') else ending
        return f'{text}{gap}{ending}{block}'
    key, value = place
    first, last = key.start_mark.line, _last_line(value)
    return ''.join([*lines[:first], block, *lines[last + 1 :]])


def _last_line(node: yaml.Node) -> int:
    """Return the line, from 0, in which a value ends, without the blank lines and comments after it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    # A block text or an empty value ends at the start of the next line.
    return mark.line - 1 if mark.column == 0 and mark.line > node.start_mark.line else mark.line


def _entries(rehearsal: Rehearsal, happened: Sequence[Event]) -> Iterator[str]:
    fragments: dict[Key, tuple[str, ...]] = {}
    with contextlib.suppress(UnusableInputError):
        # If the old expectations could not be met, there is nothing to keep.
        fragments = {key: one.message for key, one in keyed(rehearsal).items()}
    for event in happened:
        yield f'  - at: {write_instant(event.at, rehearsal.zone)}'
        for key, value in _values(rehearsal, event, fragments.get(event.key, ())):
            yield f'    {key}: {value}'


def _values(rehearsal: Rehearsal, event: Event, fragments: Sequence[str]) -> Iterator[tuple[str, str]]:
    if event.reason != 'transition':
        yield 'reason', scalar(event.reason)
    if len(rehearsal.monitors) > 1:
        yield 'monitor', scalar(event.monitor.name)
    if event.group.group:
        yield 'group', scalar(event.group.name)
    if event.reason == 'transition':
        yield 'from', str(event.source)
    yield 'to', str(event.target)
    if not math.isnan(event.value):
        yield 'value', f'{event.value:.6g}'
    yield 'notification', event.fate
    if event.notification and event.notification.muted_by:
        yield 'muted_by', flow_list(event.notification.muted_by)
    if event.message is not None:
        yield 'recipients', flow_list(event.message.recipients)
        if fragments:
            yield 'message', flow_list(fragments)
