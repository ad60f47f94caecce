"""A file whose form is recognised but not supported."""

from ddassets.diagnostic import Severity
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='source/refused',
    severity=Severity.ERROR,
    reason='The form of a file is recognised but not supported.',
    explanation=('The hint names the command that prints the assets in a supported form.'),
    file='plan.json',
    bad={'plan.json': '{"@level": "info", "type": "version"}\n{"@level": "info", "type": "planned_change"}\n'},
    good={'plan.json': '{"format_version": "1.2", "planned_values": {"root_module": {}}}'},
    check=reported,
)
