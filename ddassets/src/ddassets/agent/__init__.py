"""What the Agent does with a wheel: install rules, configuration files, loader, one run, or all of a simulated time.

The only package of ddassets that starts a process.
"""
