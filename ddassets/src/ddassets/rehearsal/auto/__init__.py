"""Rehearse a monitor without a scenario: a signal made from its own query, and what the monitor does with it."""

from ddassets.rehearsal.auto.survey import Survey, Verdict, survey

__all__ = ['Survey', 'Verdict', 'survey']
