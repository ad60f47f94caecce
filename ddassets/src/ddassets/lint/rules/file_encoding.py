"""A file that is not UTF-8."""

from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR
from ddassets.lint.rule import Rule, reported

RULE = Rule(
    id='file/encoding',
    severity=Severity.ERROR,
    reason='An asset file is not encoded in UTF-8.',
    explanation='JSON and the API use UTF-8. The file is decoded as well as possible.',
    bad={MONITOR: b'{"name": "Gr\xfc\xdfe", "type": "log alert", "query": "x", "tags": ["integration:acme"]}'},
    good={MONITOR: '{"name": "Grüße", "type": "log alert", "query": "x", "tags": ["integration:acme"]}'},
    check=reported,
)
