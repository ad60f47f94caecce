"""Assets without a manifest."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MANIFEST
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='manifest/missing',
    severity=Severity.NOTE,
    reason='The integration has assets and no manifest.json.',
    explanation=(
        'Datadog finds the assets that it ships through the manifest. Since version 14, ddev takes a folder without '
        'one for an integration, too; earlier versions do not.'
    ),
    bad={MANIFEST: None},
    good={},
    check=reported,
)
