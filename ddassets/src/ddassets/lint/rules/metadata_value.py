"""An invalid value in metadata.csv."""

from collections.abc import Iterator

from ddassets.assets import MetricMetadata
from ddassets.diagnostic import Position, Severity
from ddassets.lint.example import METADATA, METADATA_HEADER
from ddassets.lint.known_units import UNITS
from ddassets.lint.rule import Fault, Rule, Spot
from ddassets.lint.subject import Subject
from ddassets.nearest import closest

_ORIENTATIONS = ('', '-1', '0', '1')


def check(subject: Subject) -> Iterator[Fault]:
    for metric in subject.bundle.metrics.values():
        # metadata/columns reports a row with shifted columns.
        for message in () if metric.surplus else _wrong(metric):
            yield Fault(
                where=Spot(subject.bundle.metadata_path, Position(metric.line, 1)), message=message, object=metric.name
            )


def _wrong(metric: MetricMetadata) -> Iterator[str]:
    orientation = metric.row.get('orientation', '').strip()
    if orientation not in _ORIENTATIONS:
        yield f'orientation of {metric.name}: expected -1, 0, 1 or nothing, found {orientation!r}'
    for column in ('unit_name', 'per_unit_name'):
        unit = metric.row.get(column, '').strip()
        # Datadog adds units, so an unknown unit that resembles no known unit may be new.
        near = closest(unit, UNITS) if unit and unit not in UNITS else None
        if near and len(unit) > 3:
            yield f'{column} of {metric.name}: {unit!r} is not a known unit; did you mean {near!r}?'


RULE = Rule(
    id='metadata/value',
    severity=Severity.WARNING,
    reason='Datadog does not know an orientation or a unit in metadata.csv.',
    explanation=(
        'The orientation says whether more is better: -1, 0, 1 or empty. Units come from a list, in the singular: '
        '`byte`, `millisecond`, `request`. Only a unit that resembles a known unit is reported.'
    ),
    bad={METADATA: f'{METADATA_HEADER}\nacme.queue.length,gauge,,itme,,Length.,0,acme,length\n'},
    good={METADATA: f'{METADATA_HEADER}\nacme.queue.length,gauge,,item,,Length.,0,acme,length\n'},
    check=check,
)
