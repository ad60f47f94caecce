"""An invalid value in metadata.csv."""

from collections.abc import Iterator
from difflib import get_close_matches

from ddassets.assets import MetricMetadata
from ddassets.diagnostic import Severity
from ddassets.lint.example import METADATA, METADATA_HEADER
from ddassets.lint.known_units import UNITS
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject
from ddassets.nearest import closest

_ORIENTATIONS = ('', '-1', '0', '1')


def check(subject: Subject) -> Iterator[Fault]:
    for metric in subject.bundle.metrics.values():
        # metadata/columns reports a row with shifted columns.
        for message, hint in () if metric.surplus else _wrong(metric):
            yield subject.row_fault(metric, message, hint)


def _wrong(metric: MetricMetadata) -> Iterator[tuple[str, str]]:
    orientation = metric.row.get('orientation', '').strip()
    if orientation not in _ORIENTATIONS:
        yield f'orientation of {metric.name}: expected -1, 0, 1 or nothing, found {orientation!r}', ''
    for column in ('unit_name', 'per_unit_name'):
        unit = metric.row.get(column, '').strip()
        # Datadog adds units, so an unknown unit that resembles no known unit may be new.
        if len(unit) > 3 and unit not in UNITS and get_close_matches(unit[:200].lower(), UNITS, n=1):
            near = _intended(unit)
            more = f'; did you mean {near!r}?' if near else ''
            hint = '' if near else "use a unit of Datadog's list, such as byte or second, or leave the column empty"
            yield f'{column} of {metric.name}: {unit!r} is not a known unit{more}', hint


def _intended(unit: str) -> str | None:
    singular = f'{unit[:-3]}y' if unit.endswith('ies') else unit.removesuffix('s')
    return singular if singular in UNITS else closest(unit, UNITS)


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
