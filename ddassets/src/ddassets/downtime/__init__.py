"""Downtimes: when, and for which groups of which monitors, notifications are silenced. Section 5 of the semantics.

`parse` reads the body that the v2 API takes; `Downtime.intervals` says when it is active. Instants are Unix seconds.
Nothing here reads a clock.
"""

from ddassets.downtime.active import Clock, Downtime, Interval, Once, Recurring, clock_differences, merge
from ddassets.downtime.body import DowntimeError, Fault, parse
from ddassets.downtime.recurrence import Occurrence, Recurrence, Rule
from ddassets.downtime.scope import Scope
from ddassets.downtime.week import Opening, odd_openings, openings

__all__ = [
    'Clock',
    'Downtime',
    'DowntimeError',
    'Fault',
    'Interval',
    'Occurrence',
    'Once',
    'Opening',
    'Recurrence',
    'Recurring',
    'Rule',
    'Scope',
    'clock_differences',
    'merge',
    'odd_openings',
    'openings',
    'parse',
]
