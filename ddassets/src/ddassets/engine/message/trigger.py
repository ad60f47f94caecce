"""The sentence of a notification about its condition. Rule 3.28."""

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from ddassets.engine.message.conditions import NO_DATA, OK, WARN, Edge
from ddassets.language.query.printing import render
from ddassets.language.query.tree import And, Comparator, Everything, Metric, Scope, TagFilter

if TYPE_CHECKING:
    from ddassets.engine.monitor import AnyMonitor

_COMPLEMENTS: dict[Comparator, Comparator] = {'>': '<=', '>=': '<', '<': '>=', '<=': '>', '==': '!=', '!=': '=='}
_UPWARD = ('>', '>=')
_DOWNWARD = ('<', '<=')
_HOW = {
    ('avg', _UPWARD): 'on average',
    ('avg', _DOWNWARD): 'on average',
    ('max', _UPWARD): 'at least once',
    ('max', _DOWNWARD): 'at all times',
    ('min', _UPWARD): 'at all times',
    ('min', _DOWNWARD): 'at least once',
}
# A guess, and marked as one.
_GUESSED = {'sum': 'in total'}


@dataclass(frozen=True)
class Trigger:
    """The condition that a notification reports.

    `sentence` is Markdown: the sentence, or the query in backticks. `plain` is the sentence in `$ALERT_STATUS`. `brief`
    is `> 60.0`. Texts are empty if the transition has no condition. `documented`: the wording has a source, and no
    source contradicts it.
    """

    sentence: str
    plain: str
    brief: str
    documented: bool = True


def trigger(
    monitor: 'AnyMonitor', text: str, edge: Edge, group: tuple[str, ...], threshold: float | None = None
) -> Trigger:
    """Return the condition that a transition of a group met; `text` is the query as written.

    `threshold` is the number that a dynamic threshold had (rule 17.15).

    On a trigger, it is the operator of the query with the crossed threshold; on a recovery, the complement with the
    threshold of the previous state. The sentence of No Data is not documented.
    """
    # On first use, because lint imports this package without numpy.
    from ddassets.engine.monitor import Monitor, ThresholdMonitor
    from ddassets.engine.slo import SloMonitor

    if edge.target == NO_DATA:
        return Trigger('(wording not known)', '', '', documented=False)
    if not isinstance(monitor, ThresholdMonitor):
        return Trigger(f'`{text}`', text, '')
    thresholds, limit = monitor.thresholds, monitor.thresholds.critical
    if WARN in (edge.target, edge.source if edge.target == OK else None) and thresholds.warning is not None:
        limit = thresholds.warning
    comparator = _COMPLEMENTS[monitor.comparator] if edge.target == OK else monitor.comparator
    brief = f'{comparator} {_number(limit, threshold)}'
    if isinstance(monitor, SloMonitor):
        if monitor.burns and edge.target == OK:
            # One of the two is enough for a recovery (rule 18.6).
            brief = f'(not both {monitor.comparator} {float(limit)})'
        return Trigger(f'`{text}`', text, brief)
    if not isinstance(monitor, Monitor):
        return Trigger(f'`{text}`', text, brief)
    query, metric = monitor.query, monitor.query.expression
    if not isinstance(metric, Metric) or query.change is not None:
        return Trigger(f'`{text}`', text, brief)
    side = _UPWARD if query.comparator in _UPWARD else _DOWNWARD
    documented = (query.aggregator, side) in _HOW and query.comparator in (*_UPWARD, *_DOWNWARD)
    how = _HOW[query.aggregator, side] if documented else _GUESSED.get(query.aggregator, '')
    how = how if documented else f'{how} (wording not known)'.lstrip()
    fixed = filter_tags(metric.scope)
    window = query.window.words
    over = ','.join(sorted({*fixed, *group}, key=_key)) or '*'
    sentence = f'**{metric.name}** over **{over}** was **{brief}** {how} during the **{window}**.'
    # Stray asterisks stay where the filter is `*`: the markup of the sentence is taken out by a simple search.
    plain = (
        f'{metric.name} over {",".join(sorted(fixed, key=_key))} was {brief} {how} during the {window}.'
        if fixed
        else f'{metric.name} over *** was {brief} {how} during the {window}**.'
    )
    return Trigger(sentence, plain, brief, documented)


def _number(limit: float, threshold: float | None) -> str:
    if not isnan(limit):
        return str(float(limit))
    return 'threshold' if threshold is None else f'{threshold:.6g}'


def filter_tags(scope: Scope | None) -> tuple[str, ...]:
    """Return the tags of a filter; a filter other than tags joined by AND is a single text."""
    match scope:
        case None | Everything():
            return ()
        case And(scopes=scopes) if all(isinstance(part, TagFilter) for part in scopes):
            return tuple(map(render, scopes))
    return (render(scope),)


def _key(tag: str) -> tuple[str, str]:
    key, _, value = tag.partition(':')
    return key, value
