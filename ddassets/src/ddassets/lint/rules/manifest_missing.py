"""Assets without a manifest."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MANIFEST
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='manifest/missing',
    severity=Severity.NOTE,
    reason='The integration has assets but no manifest.json.',
    explanation=(
        'Datadog finds the assets to ship through the manifest. Since version 14, ddev also accepts a folder without '
        'a manifest as an integration; earlier versions do not.'
    ),
    bad={MANIFEST: None},
    good={},
    check=reported,
)
