"""What the public documentation leaves open, what is assumed instead, and which of it may be chosen otherwise.

`ASSUMPTIONS` is the whole table. A rehearsal reports those that it relied upon.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ddassets.diagnostic import UnusableInputError


@dataclass(frozen=True, slots=True)
class Assumption:
    """One open question. `alternatives` are the other choices; without any it cannot be switched."""

    id: str
    question: str
    default: str
    alternatives: tuple[str, ...] = ()


_TABLE = (
    Assumption(
        'A1',
        'the second of the minute of evaluations (chosen apart), and which ends belong to the window',
        '(from,to]',
        ('[from,to]', '[from,to)', '(from,to)'),
    ),
    Assumption('A2', 'the size of a bucket where the query has no rollup', 'native', ('10', '20', '60', '300')),
    Assumption('A3', 'a window that is not full, with require_full_window', 'skip', ('no data',)),
    Assumption('A4', 'a window with points of which none has a value (n/0, a missing operand)', 'no data', ('skip',)),
    Assumption('A5', 'no_data_timeframe is missing', '2x window', ('1x window', 'error')),
    Assumption('A6', 'when the no-data timer starts', 'last point', ('first empty evaluation',)),
    Assumption('A7', 'which query counts, for on_missing_data default', 'count', ('sum or count',)),
    Assumption('A8', 'recovery after a silent No Data notifies', 'after a trigger', ('always', 'never')),
    Assumption('A9', 'Alert to OK has to pass warning_recovery too', 'yes', ('no',)),
    Assumption(
        'A10', 'the renotification counter and the cap of 30 h', 'reset, no cap', ('keep, no cap', 'reset, cap')
    ),
    Assumption('A11', 'Alert to Warn sets is_warning', 'yes', ('no',)),
    Assumption('A12', 'No Data to Alert or Warn sets is_no_data_recovery', 'no', ('yes',)),
    Assumption('A13', 'what the duration of a downtime measures', 'elapsed', ('wall',)),
    Assumption('A14', 'how a recurrence of a downtime ends', 'expired', ('canceled',)),
    Assumption('A15', 'where escalation_message stands', 'append', ('replace',)),
    Assumption('A16', 'how numbers and times are written in a message', 'at most 3 decimals', ('raw',)),
    Assumption('A17', 'how a count or a rate without as_count is interpolated', 'linear', ('null',)),
    Assumption('A18', 'the sample that ends a gap has to be there before the gap is interpolated', 'yes'),
    Assumption('A19', 'the point that diff and the rates compare with lies before the window', 'yes'),
    Assumption('A20', 'a timeshift that is not a multiple of the bucket', 'bucket of the shifted start'),
    Assumption('A21', 'a group that has never reported is evaluated', 'no'),
    Assumption('A22', 'No Data after timeout_h has passed', 'stays', ('never',)),
    Assumption('A23', 'when a renotification is due that a downtime held back', 'next in its rhythm', ('at the end',)),
    Assumption('A24', 'how close two numbers are to be equal for == and !=', 'exactly'),
    Assumption('A25', 'a renotification sets the conditional of its state too', 'yes', ('no',)),
    Assumption('A26', 'title prefixes of No Data and of renotifications in Warn and No Data', 'No data', ('No Data',)),
    Assumption('A27', '{{else}} works in every conditional', 'yes'),
    Assumption('A28', 'what {{x}} escapes', '& < > " \''),
    Assumption('A29', 'is_match and is_exact_match mind upper and lower case', 'yes', ('no',)),
    Assumption('A30', 'what a value that is not there prints', 'nothing'),
    Assumption('A31', 'the order of operators in eval, and what dec, to_bool and humanize_… print', 'arithmetic'),
    Assumption('A32', 'a final . or , is part of a handle', 'no'),
    Assumption('A33', 'what the notification at the end of a downtime is told as', 'a trigger', ('a renotification',)),
    Assumption('A34', 'at which of two equal wall times an occurrence of a downtime begins', 'the first'),
)
ASSUMPTIONS: Mapping[str, Assumption] = {assumption.id: assumption for assumption in _TABLE}


def choose(choices: Mapping[str, str]) -> dict[str, str]:
    """Return the choice for every assumption: that of `choices`, or the default.

    Raises UnusableInputError for an id or a choice that is not in the table.
    """
    chosen = {assumption.id: assumption.default for assumption in _TABLE}
    for name, choice in choices.items():
        if name not in ASSUMPTIONS:
            raise UnusableInputError(f'assumption {name!r}: unknown; known are {_TABLE[0].id} to {_TABLE[-1].id}')
        allowed = (ASSUMPTIONS[name].default, *ASSUMPTIONS[name].alternatives)
        if choice not in allowed:
            raise UnusableInputError(
                f'assumption {name}: found {choice!r}, allowed are {", ".join(map(repr, allowed))}'
            )
        chosen[name] = choice
    return chosen
