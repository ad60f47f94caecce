"""Warnings about a result: what a monitor cannot do with these series."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ddassets import duration
from ddassets.engine.bounds import bounds
from ddassets.engine.column import Indices
from ddassets.engine.monitor import Monitor
from ddassets.engine.plan import Leaf, Plan
from ddassets.engine.series import Series, SeriesSet

# Rule 1.3.
MONTH = 30 * 86400


def warnings(
    monitor: Monitor,
    plan: Plan,
    store: SeriesSet,
    groups: Mapping[tuple[str, ...], Mapping[Leaf, Sequence[Series]]],
    ticks: Indices,
    computed: bool = False,
) -> Iterator[str]:
    """Yield the warnings about a monitor that is evaluated from these series, given by group and query.

    `ticks` are its evaluations. `computed`: an approximation computes what is compared with the
    thresholds.
    """
    if monitor.schedule is not None:
        yield from monitor.schedule.warnings(ticks)
    if plan.stub and not computed:
        yield f'{plan.stub}() is not computed: a series of the scenario replaces its result'
    if plan.window > MONTH and monitor.cumulative is None:
        yield f'the window of {plan.window} s is longer than a month (rule 1.3)'
    for name in sorted({leaf.metric.name for leaf in plan.leaves} - {plan.stub} - store.metrics):
        yield f'there is no series of the metric {name}'
    timeframe = monitor.no_data_timeframe
    if monitor.notify_no_data and timeframe is not None and timeframe < plan.window:
        yield (
            f'no_data_timeframe ({duration.write(timeframe)}) is shorter than the window '
            f'({duration.write(plan.window)}): No Data starts with the first empty window (A6)'
        )
    if monitor.renotify_interval and monitor.renotify_occurrences == 0:
        yield 'renotify_occurrences is 0, so no renotification is sent in spite of renotify_interval (rule 1.15)'
    if not computed or plan.stub:
        yield from _impossible(monitor, plan, groups.values())


def _impossible(monitor: Monitor, plan: Plan, groups: Iterable[Mapping[Leaf, Sequence[Series]]]) -> Iterator[str]:
    """Return the conditions that no value of the query can meet."""
    negative = {
        leaf
        for sources in groups
        for leaf, each in sources.items()
        if any(series.values.size and series.values.min() < 0 for series in each)
    }
    value = bounds(plan, negative)
    operator = monitor.query.comparator
    # Without a dynamic threshold, which is not known beforehand (rule 17.14).
    for name in ('critical', 'warning'):
        limit = monitor.limits.get(name)
        if limit is not None and not value.can_be(operator, limit):
            yield f'the {name} condition {operator} {limit:g} can never hold: the query is {value}'
