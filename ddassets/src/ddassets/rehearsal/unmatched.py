"""Say why a monitor has no group: which metrics its query asks for, and which the scenario has."""

from ddassets.language.query.tree import metrics
from ddassets.nearest import did_you_mean
from ddassets.rehearsal.entry import listed
from ddassets.rehearsal.result import MonitorResult, Rehearsal


def no_series(rehearsal: Rehearsal, monitor: MonitorResult) -> str:
    """Return a clause such as `its query asks for a.b; the scenario has series of a.c`."""
    known = rehearsal.signal.store(monitor.name).metrics
    asked = sorted({metric.name for metric in metrics(monitor.monitor.query.expression)})
    absent = [name for name in asked if name not in known]
    if not absent:
        return f'no series of {listed(asked)} matches the scope of its query: {monitor.asset.query}'
    close = did_you_mean(absent[0], known)
    return f'its query asks for {listed(absent)}; the scenario has series of {listed(known)}{close}'
