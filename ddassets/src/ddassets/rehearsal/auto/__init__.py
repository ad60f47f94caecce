"""Rehearse a monitor without a scenario: a signal made from its own query, and what the monitor does with it."""

from ddassets.rehearsal.auto.survey import START, MadeSignal, Survey, Verdict, make_signal, survey

__all__ = ['START', 'MadeSignal', 'Survey', 'Verdict', 'make_signal', 'survey']
