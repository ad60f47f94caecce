"""Rehearse monitors offline: from the signal of a scenario to states, notifications and verdicts.

`read` reads a scenario file, `rehearse` runs it, and a `Judgement` compares the result with the expectations. Nothing
here opens a socket, starts a process or reads a clock.
"""

from ddassets.rehearsal.judgement import Judgement
from ddassets.rehearsal.parsing import of_data, parse, read
from ddassets.rehearsal.result import Rehearsal
from ddassets.rehearsal.run import rehearse
from ddassets.rehearsal.scenario import Scenario

__all__ = ['Judgement', 'Rehearsal', 'Scenario', 'of_data', 'parse', 'read', 'rehearse']
