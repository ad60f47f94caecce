"""Downtimes: when they mute notifications, and of which groups of which monitors. Section 5 of the semantics.

`parse` reads the body of the v2 API; `Downtime.intervals` returns when it is active. Instants are Unix seconds. Nothing
here reads a clock.
"""

from ddassets.engine.downtime.intervals import (
    Clock,
    Downtime,
    Interval,
    Once,
    Recurring,
    clock_differences,
    merge,
    touching,
)
from ddassets.engine.downtime.parsing import parse, read
from ddassets.engine.downtime.week import Opening, odd_openings, openings
from ddassets.engine.recurrence import Calendar, Occurrence, Recurrence
from ddassets.language.downtime_scope import Scope
from ddassets.language.recurrence import Rule

__all__ = [
    'Calendar',
    'Clock',
    'Downtime',
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
    'read',
    'touching',
]
