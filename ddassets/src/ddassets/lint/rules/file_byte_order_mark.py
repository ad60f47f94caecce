"""A UTF-8 file that begins with a byte order mark."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import METADATA, metadata
from ddassets.lint.rule import Rule, reported

_ROWS = metadata('acme.queue.length,gauge')

RULE = Rule(
    id='file/byte-order-mark',
    severity=Severity.WARNING,
    reason='A file begins with a byte order mark.',
    explanation='Many JSON parsers refuse the mark, and CSV parsers read it as part of the first column name.',
    bad={METADATA: '\ufeff' + _ROWS},
    good={METADATA: _ROWS},
    check=reported,
)
