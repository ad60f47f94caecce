"""The variables of a formula monitor: `options.variables` (rules 17.2 to 17.4).

The keys of a variable depend on its `data_source`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ddassets.assets.option import (
    Choice,
    ListOf,
    Part,
    Report,
    Table,
    Text,
    Whole,
    decode,
    is_misspelt,
    option,
)
from ddassets.assets.source import INVALID, Place, dotted
from ddassets.diagnostic import Severity
from ddassets.language.counted import METHODS
from ddassets.language.formula import EVENTS, NAME
from ddassets.language.query.vocabulary import FORMULA_METHODS
from ddassets.nearest import did_you_mean

# Rule 17.4: what they read is in no scenario.
_METRIC_LIKE = ('metrics', 'cloud_cost', 'datadog_usage')
_EVENT_LIKE = (*EVENTS, 'database_queries', 'network', 'network_path')
_OTHERS = (
    'aggregate_augmented_query',
    'aggregate_filtered_query',
    'data_jobs',
    'data_quality_metrics',
    'reference_table',
)
_NOTHING: frozenset[str] = frozenset()
_ORDERS = ('asc', 'desc')


@dataclass(frozen=True)
class Compute:
    """What is computed of the events. `interval` is in milliseconds."""

    ignored: ClassVar = frozenset({'rollup', 'source'})
    aggregation: str = option(Choice(METHODS), absent='count', required=True)
    metric: str | None = option(Text('a measure or facet such as @duration'))
    interval: int | None = option(Whole(1, unit='milliseconds'))


@dataclass(frozen=True)
class Search:
    ignored: ClassVar = _NOTHING
    query: str = option(Text('a search'), absent='')


@dataclass(frozen=True)
class Sort:
    """How the groups are ranked."""

    ignored: ClassVar = _NOTHING
    aggregation: str = option(Choice(METHODS), absent='count')
    metric: str | None = option(Text('a measure or facet such as @duration'))
    order: str = option(Choice(_ORDERS), absent='desc')


@dataclass(frozen=True)
class GroupBy:
    """One key of the groups, and how many of its values are kept (rule 17.12)."""

    ignored: ClassVar = frozenset({'should_exclude_missing', 'source'})
    facet: str = option(Text('a tag key or facet', min_length=1), absent='', required=True)
    limit: int | None = option(Whole(1))
    sort: Sort = option(Part(Sort), absent=Sort())


@dataclass(frozen=True)
class MetricVariable:
    """A metric query. `index` is its place in the list, as for the other kinds."""

    ignored: ClassVar = _NOTHING
    data_source: str = option(Choice(_METRIC_LIKE), absent='metrics', required=True)
    name: str = option(Text('a name', min_length=1), absent='', required=True)
    query: str = option(Text('the text of a metric query', min_length=1), absent='', required=True)
    aggregator: str | None = option(Choice(FORMULA_METHODS, 'an aggregator'))
    index: int = field(default=0, compare=False)


@dataclass(frozen=True)
class EventVariable:
    """A search for events, and what is computed of them."""

    ignored: ClassVar = frozenset({'storage'})
    data_source: str = option(Choice(_EVENT_LIKE, 'a source of events'), absent='', required=True)
    name: str = option(Text('a name', min_length=1), absent='', required=True)
    compute: Compute = option(Part(Compute), absent=Compute(), required=True)
    search: Search = option(Part(Search), absent=Search())
    indexes: tuple[str, ...] = option(ListOf(Text('an index'), 'indexes'), absent=())
    group_by: tuple[GroupBy, ...] = option(ListOf(Part(GroupBy), 'keys'), absent=())
    index: int = field(default=0, compare=False)


@dataclass(frozen=True)
class OtherVariable:
    """A query that is not evaluated (rule 17.4); its own keys are in `body`."""

    ignored: ClassVar = _NOTHING
    open: ClassVar = True
    data_source: str = option(Text('a data source'), absent='')
    name: str = option(Text('a name'), absent='')
    query_dialect: Any = option(Text())
    body: Mapping[str, Any] = field(default_factory=dict, compare=False)
    index: int = field(default=0, compare=False)


type Variable = MetricVariable | EventVariable | OtherVariable


@dataclass(frozen=True)
class VariableValue(Part):
    """Decodes a variable with the table of its data source."""

    table: type[Table] = EventVariable
    expected: str = 'an object with data_source and name'

    def read(self, found: Any, place: Place, report: Report, code: str) -> Any:
        if not isinstance(found, Mapping):
            return report.wrong('file/shape', place, self.expected, found)
        source, index = found.get('data_source'), place[-1]
        assert isinstance(index, int)
        if source in _METRIC_LIKE or (source is None and isinstance(found.get('query'), str)):
            metric = decode(MetricVariable, found, place, report)
            _named(metric.name, place, report)
            return replace(metric, index=index)
        if source in _EVENT_LIKE or (source is None and 'compute' in found):
            event = decode(EventVariable, found, place, report)
            _named(event.name, place, report)
            return replace(event, index=index)
        known = (*_METRIC_LIKE, *_EVENT_LIKE, *_OTHERS)
        if isinstance(source, str) and source not in _OTHERS:
            here, near = (*place, 'data_source'), did_you_mean(source, known)
            if is_misspelt(source, known):
                report.add(code, here, f'{dotted(here)}: found {source!r}{near}; allowed: {", ".join(known)}')
                return INVALID
            report.add(code, here, f'{dotted(here)}: {source!r} is not known here{near}', Severity.NOTE)
        other = decode(OtherVariable, found, place, report)
        return replace(other, body=found, index=index)


def _named(name: str, place: Place, report: Report) -> None:
    """Check that a formula can contain the name."""
    if name and not NAME.fullmatch(name):
        here = (*place, 'name')
        report.add('file/value', here, f'{dotted(here)}: expected a name of letters, digits and _, found {name!r}')
