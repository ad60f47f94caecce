"""Imitates the Agent: install rules, configuration files, loader, check sampler, real and simulated runs.

The only package of ddassets that starts a process.
"""
