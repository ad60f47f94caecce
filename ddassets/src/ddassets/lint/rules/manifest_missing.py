"""Assets without a manifest."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MANIFEST
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='manifest/missing',
    severity=Severity.ERROR,
    reason='The integration has assets and no manifest.json.',
    explanation='Datadog finds the assets through the manifest alone: without it they are not shipped.',
    bad={MANIFEST: None},
    good={},
    check=reported,
)
