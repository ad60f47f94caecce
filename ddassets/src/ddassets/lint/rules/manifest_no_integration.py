"""A folder without an integration."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import INTEGRATION
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='manifest/no-integration',
    severity=Severity.ERROR,
    reason='No integration found in this folder.',
    explanation='An integration has a `manifest.json`, or an `assets` folder with dashboards, monitors or downtimes.',
    bad={**dict.fromkeys(INTEGRATION), 'README.md': 'Nothing here.'},
    good={},
    check=reported,
)
