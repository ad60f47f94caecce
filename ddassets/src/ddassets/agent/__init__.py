"""Imitate the Agent: install rules, configuration files, loader, check sampler, real and simulated runs.

Only this package starts processes.
"""
