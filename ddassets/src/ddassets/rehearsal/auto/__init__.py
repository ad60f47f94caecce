"""Rehearse a monitor without a scenario, with a signal generated from its own query."""

from ddassets.rehearsal.auto.answers import Survey, Verdict
from ddassets.rehearsal.auto.survey import START, MadeSignal, make_signal, survey

__all__ = ['START', 'MadeSignal', 'Survey', 'Verdict', 'make_signal', 'survey']
