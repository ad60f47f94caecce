"""Generated signals for monitors with a custom schedule: each level lasts until it has been evaluated."""

from dataclasses import replace
from typing import Any

from ddassets.diagnostic import Unsupported

#: Longer signals than for a yearly schedule are not generated, in seconds.
MAX_GAP = 367 * 86400


def begun[M: Any](monitor: M, start: int) -> M:
    """Return the monitor with its schedule from the day of a signal's start on, whatever its own start and end."""
    schedule = monitor.schedule
    return monitor if schedule is None else replace(monitor, schedule=schedule.anew(start))


def wait(monitor: Any, start: int) -> int:
    """Return the seconds in which a monitor is evaluated by its schedule at least once; 0 without a schedule.

    Raises Unsupported if that is more than a year.
    """
    gap = 0 if monitor.schedule is None else monitor.schedule.longest_gap(start)
    if gap > MAX_GAP:
        reason = 'evaluates less than once a year, which is longer than a generated signal'
        raise Unsupported('options.scheduling_options.custom_schedule', None, reason, monitor.name)
    return int(gap)
