"""Count what Python executes: a limit on work that holds on every machine, without a clock."""

import sys
from collections.abc import Callable

_TOOL = 4
_EVENTS = sys.monitoring.events.PY_START | sys.monitoring.events.JUMP


def steps(function: Callable[[], object]) -> int:
    """Return the number of function calls and jumps (loop iterations) while `function` runs. What C code does in one
    call, such as a regular expression, does not count.
    """
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    sys.monitoring.use_tool_id(_TOOL, 'ddassets tests')
    try:
        for event in (sys.monitoring.events.PY_START, sys.monitoring.events.JUMP):
            sys.monitoring.register_callback(_TOOL, event, counted)
        sys.monitoring.set_events(_TOOL, _EVENTS)
        function()
    finally:
        sys.monitoring.set_events(_TOOL, 0)
        for event in (sys.monitoring.events.PY_START, sys.monitoring.events.JUMP):
            sys.monitoring.register_callback(_TOOL, event, None)
        sys.monitoring.free_tool_id(_TOOL)
    return count
