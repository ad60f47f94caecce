"""A form of assets that is recognised and refused."""

from ddassets.diagnostic import Severity
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='source/refused',
    severity=Severity.ERROR,
    reason='A file has a form that is recognised and cannot be read.',
    explanation=('The hint says what to do instead: which command prints the assets in a form that is read.'),
    file='plan.json',
    bad={'plan.json': '{"@level": "info", "type": "version"}\n{"@level": "info", "type": "planned_change"}\n'},
    good={'plan.json': '{"format_version": "1.2", "planned_values": {"root_module": {}}}'},
    check=reported,
)
