"""What Datadog does not publish, approximated on request over a band of plausible parameters (section 19).

`variants` returns an evaluator for each set of parameters; `agreement` says what of their timelines is sure.
"""

from ddassets.engine.approximation.agreement import Agreement, Doubt, Event, Period, agreement
from ddassets.engine.approximation.evaluator import APPROXIMATED, MARK, Variant, approximated_call, variants
from ddassets.engine.approximation.parameters import ParameterSet, deciding, parameter_sets

__all__ = [
    'APPROXIMATED',
    'MARK',
    'Agreement',
    'Doubt',
    'Event',
    'ParameterSet',
    'Period',
    'Variant',
    'agreement',
    'approximated_call',
    'deciding',
    'parameter_sets',
    'variants',
]
