"""Rehearse monitors offline: from a scenario's signal to states, notifications and what was expected of them.

`read` reads a scenario file, `rehearse` runs it. Nothing here opens a socket, starts a process or reads a clock.
"""

from ddassets.rehearsal.run import Rehearsal, rehearse
from ddassets.rehearsal.scenario import Scenario, parse, read

__all__ = ['Rehearsal', 'Scenario', 'parse', 'read', 'rehearse']
