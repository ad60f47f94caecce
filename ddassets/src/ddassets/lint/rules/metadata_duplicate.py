"""A duplicate metric in metadata.csv."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import METADATA, metadata
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='metadata/duplicate',
    severity=Severity.ERROR,
    reason='A metric has two rows in metadata.csv.',
    explanation='Only one of the two rows can be right, and it is undefined which row is used.',
    bad={METADATA: metadata('acme.queue.length,gauge', 'acme.queue.length,count')},
    good={METADATA: metadata('acme.queue.length,gauge', 'acme.workers,gauge')},
    check=reported,
)
