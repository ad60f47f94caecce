"""An alert of an SLO that no source has."""

from collections.abc import Iterator

from ddassets.assets.slo_reference import named_slos, plain
from ddassets.diagnostic import Severity
from ddassets.lint.example import MONITOR, SLO, slo, slo_alert
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import did_you_mean


def check(subject: Subject) -> Iterator[Fault]:
    slos = subject.bundle.slos
    for alert in subject.slo_alerts if slos else ():
        if named_slos(alert.monitor, alert.query, slos):
            continue
        text = plain(alert.query.slo)
        near = did_you_mean(text, {name for one in slos for name in (one.id, one.name, one.path.stem) if name})
        yield alert.fault(
            f'no SLO here is called {text!r}, so that its target is not known{near}', alert.query.slo_span
        )


_QUERY = 'error_budget("{}").over("30d") > 80'
_THRESHOLD = {'timeframe': '30d', 'target': 99.9}
RULE = Rule(
    id='slo/unknown',
    severity=Severity.NOTE,
    reason='An alert is about an SLO that is not here, though others are.',
    explanation='The threshold and the timeframe of the alert cannot be compared with the target of the SLO.',
    bad={SLO: slo(_THRESHOLD), MONITOR: {'definition': slo_alert(_QUERY.format('request'), 80)}},
    good={SLO: slo(_THRESHOLD), MONITOR: {'definition': slo_alert(_QUERY.format('requests'), 80)}},
    check=check,
    semantics=('18.2',),
)
