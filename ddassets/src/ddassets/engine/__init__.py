"""Evaluate monitors: series and a monitor in, states, transitions and notifications out. Pure: no clock, no I/O."""
