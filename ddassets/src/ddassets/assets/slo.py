"""A service level objective (SLO), decoded by its table. Section 18 of the semantics."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ddassets.assets.asset import Asset, mapping, text
from ddassets.assets.decoded_asset import DecodedAsset
from ddassets.assets.option import Report, shown
from ddassets.assets.slo_table import (
    INTERVALS,
    INVALID,
    CountSpecification,
    SloFields,
    SloFormula,
    SloMetricQuery,
    SloThreshold,
    TimeSlice,
)
from ddassets.assets.source import Place, Source, dotted
from ddassets.diagnostic import Diagnostic, Severity, Span
from ddassets.language.query.syntax import QuerySyntaxError, parse_formula, parse_query
from ddassets.language.query.tree import Reference, walk
from ddassets.language.slo import TIMEFRAMES
from ddassets.nearest import did_you_mean, joined

_TIME_SLICE: Place = ('sli_specification', 'time_slice')
_COUNT: Place = ('sli_specification', 'count')
# What each type is made of, by the place of its key.
_MADE_OF: Mapping[str, Sequence[Place]] = {
    'metric': (('query',), _COUNT),
    'monitor': (('monitor_ids',),),
    'time_slice': (_TIME_SLICE,),
}


@dataclass(frozen=True)
class Slo(DecodedAsset[SloFields]):
    """An SLO. `outer` is the answer around it, whose key `data` has the object."""

    table = SloFields
    outer: Asset | None = None

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        if self.outer and not isinstance(found := self.outer.body['data'], Mapping):
            message = f'data: expected an object, found {shown(found)}'
            return (self.outer.diagnostic('file/shape', Severity.ERROR, ('data',), message),)
        return tuple(self._decoded[1].diagnostics)

    def _check(self, fields: SloFields, report: Report) -> None:
        _check_thresholds(fields, report)
        _check_primary(fields, report)
        _check_parts(fields, self.body, report)
        _check_queries(fields, report)

    @property
    def label(self) -> str:
        # Not from the fields, because their diagnostics use it.
        return text(self.body.get('name'))

    @property
    def name(self) -> str:
        return self.fields.name

    @property
    def id(self) -> str:
        """The id that Datadog gave to the SLO, by which alerts name it; empty if the source contains none."""
        return self.fields.id

    @property
    def type(self) -> str:
        return self.fields.type

    @property
    def time_slice(self) -> TimeSlice | None:
        return self.fields.sli_specification.time_slice if self.fields.sli_specification else None

    @property
    def count(self) -> CountSpecification | None:
        return self.fields.sli_specification.count if self.fields.sli_specification else None

    @property
    def timeframes(self) -> Mapping[str, SloThreshold]:
        """The usable thresholds by timeframe; of a duplicate, the first. An alert names one of them (rule 18.2)."""
        found: dict[str, SloThreshold] = {}
        for threshold in self.fields.thresholds:
            if threshold.timeframe in TIMEFRAMES and threshold.target is not None:
                found.setdefault(threshold.timeframe, threshold)
        return found

    @property
    def metric_queries(self) -> Sequence[tuple[Place, str]]:
        """The place and the text of each metric query; formulas are not among them."""
        return [(place, text) for place, text in _metric_queries(self.fields) if text.strip()]


def _check_thresholds(fields: SloFields, report: Report) -> None:
    seen: set[str] = set()
    for index, threshold in enumerate(fields.thresholds):
        place: Place = ('thresholds', index)
        if threshold.timeframe in seen:
            message = f'{threshold.timeframe} has two thresholds; each timeframe has one'
            _add(report, (*place, 'timeframe'), message)
        seen.add(threshold.timeframe)
        _check_timeframe(threshold.timeframe, (*place, 'timeframe'), report)
        _check_target(threshold.target, (*place, 'target'), report)
        _check_warning(threshold.warning, threshold.target, (*place, 'warning'), report)


def _check_timeframe(timeframe: str | None, place: Place, report: Report) -> None:
    if timeframe == 'custom':
        message = f"expected {joined(TIMEFRAMES, 'or')}, found 'custom', which only requests of the history take"
        _add(report, place, message)


def _check_target(target: float | None, place: Place, report: Report) -> None:
    """Check that a target leaves an error budget. Rule 18.3."""
    if target is None:
        return
    if not 0 < target < 100:
        hint = 'a target of 100 leaves no error budget' if target == 100 else ''
        _add(report, place, f'expected a percentage above 0 and below 100, found {target:g}', hint=hint)
    elif target < 1:
        message = f'a target is a percentage: {target:g} is less than 1 per cent; did you mean {target * 100:g}?'
        _add(report, place, message, Severity.WARNING)


def _check_warning(warning: float | None, target: float | None, place: Place, report: Report) -> None:
    if warning is None:
        return
    if not 0 < warning < 100:
        _add(report, place, f'expected a percentage above 0 and below 100, found {warning:g}')
    elif target is not None and warning <= target:
        _add(report, place, f'the warning must be above the target {target:g}, found {warning:g}')


def _check_primary(fields: SloFields, report: Report) -> None:
    """Check the primary timeframe, which repeats one of the thresholds."""
    primary = fields.timeframe
    _check_timeframe(primary, ('timeframe',), report)
    usable = all(each.timeframe and each.target is not None for each in fields.thresholds)
    if primary not in TIMEFRAMES or not usable or report.asset.is_withheld(('thresholds',)):
        return
    found = {threshold.timeframe: threshold for threshold in reversed(fields.thresholds)}
    if primary not in found:
        if found:
            names = joined(one for one in TIMEFRAMES if one in found)
            _add(report, ('timeframe',), f'the thresholds have {names}, but not the primary {primary}')
        return
    repeated = (('target_threshold', found[primary].target), ('warning_threshold', found[primary].warning))
    for key, value in repeated:
        own = getattr(fields, key)
        if own is not None and own != value:
            other = f'{value:g}' if value is not None else 'none'
            _add(report, (key,), f'the threshold of the primary {primary} has {other}, found {own:g}')


def _check_parts(fields: SloFields, body: Mapping[str, Any], report: Report) -> None:
    """Check that an SLO has the parts of its type, and those of no other type."""
    if fields.type not in _MADE_OF:
        return
    for type, places in _MADE_OF.items():
        for place in places if type != fields.type else ():
            if _written(body, place) not in (None, [], (), {}, ''):
                _add(report, place, f'an SLO of type {fields.type} has no such key; it belongs to type {type}')
    needed = _MADE_OF[fields.type]
    if not any(_written(body, place) for place in needed) and not any(map(report.asset.is_withheld, needed)):
        names = joined([dotted(place) for place in needed], 'or')
        report.add(INVALID, needed[-1][:1], f'an SLO of type {fields.type} needs {names}')
    if fields.groups and fields.type != 'monitor':
        # Recorded: the API stores them nevertheless.
        _add(report, ('groups',), f'has no effect on an SLO of type {fields.type}', Severity.WARNING)
    if fields.groups and len(fields.monitor_ids) > 1:
        _add(report, ('groups',), f'only an SLO of one monitor has groups, found {len(fields.monitor_ids)} monitors')
    slice = fields.sli_specification.time_slice if fields.sli_specification else None
    if slice and slice.query_interval_seconds not in INTERVALS:
        place = (*_TIME_SLICE, 'query_interval_seconds')
        _add(report, place, f'expected 60 or 300 seconds, found {slice.query_interval_seconds}')
    _check_count(fields, body, report)


def _check_count(fields: SloFields, body: Mapping[str, Any], report: Report) -> None:
    if not fields.sli_specification or not fields.sli_specification.count:
        return
    written = [key for key in ('bad_events_formula', 'total_events_formula') if _written(body, (*_COUNT, key))]
    if len(written) != 1:
        found = 'both' if written else 'neither'
        _add(report, _COUNT, f'expected bad_events_formula or total_events_formula, found {found}')


def _written(body: Mapping[str, Any], place: Place) -> Any:
    """Return the value of the body: a key with an unusable value is not missing."""
    found: Any = body
    for step in place:
        found = mapping(found).get(str(step))
    return found


def _check_queries(fields: SloFields, report: Report) -> None:
    for place, query in _metric_queries(fields):
        _check_syntax(query, place, report)
    for place, formulas, queries in _formulas(fields):
        names = [query.name for query in queries]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            _add(report, (*place, 'queries'), f'two queries have the name {name}')
        for inner, formula in formulas:
            _check_formula(formula.formula, (*place, *inner, 'formula'), names, report)


def _check_syntax(query: str, place: Place, report: Report) -> None:
    # What a Terraform expression stands for is not known.
    if not query.strip() or '${' in query:
        return
    try:
        parse_query(query)
    except QuerySyntaxError as error:
        report.add('query/syntax', place, error.message, span=Span(error.column - 1, error.column))


def _check_formula(formula: str, place: Place, names: Sequence[str], report: Report) -> None:
    if not formula.strip() or '${' in formula:
        return
    try:
        expression = parse_formula(formula)
    except QuerySyntaxError as error:
        report.add('query/syntax', place, error.message, span=Span(error.column - 1, error.column))
        return
    for node in walk(expression):
        if isinstance(node, Reference) and node.name not in names:
            message = f'no query has the name {node.name}{did_you_mean(node.name, names)}'
            report.add(INVALID, place, f'{dotted(place)}: {message}', span=node.span)


def _metric_queries(fields: SloFields) -> Iterator[tuple[Place, str]]:
    if fields.query:
        yield ('query', 'numerator'), fields.query.numerator
        yield ('query', 'denominator'), fields.query.denominator
    for place, _, queries in _formulas(fields):
        for index, query in enumerate(queries):
            if query.data_source == 'metrics':
                yield (*place, 'queries', index, 'query'), query.query


def _formulas(
    fields: SloFields,
) -> Iterator[tuple[Place, Sequence[tuple[Place, SloFormula]], Sequence[SloMetricQuery]]]:
    """Yield the place of a specification, its formulas with their places in it, and its queries."""
    specification = fields.sli_specification
    if specification and specification.time_slice:
        query = specification.time_slice.query
        yield (*_TIME_SLICE, 'query'), [(('formulas', i), one) for i, one in enumerate(query.formulas)], query.queries
    if specification and specification.count:
        count = specification.count
        keys = ('good_events_formula', 'bad_events_formula', 'total_events_formula')
        yield _COUNT, [((key,), one) for key in keys if (one := getattr(count, key))], count.queries


def _add(report: Report, place: Place, message: str, severity: Severity = Severity.ERROR, hint: str = '') -> None:
    report.add(INVALID, place, f'{dotted(place)}: {message}', severity, hint)


def read_slo(source: Source, body: Mapping[str, Any], place: Place = ()) -> Slo:
    """Return an SLO of the API's form, or of an answer that has it under `data`. Faults do not raise."""
    if 'data' not in body or 'thresholds' in body:
        return Slo(source, place, body)
    inner = body['data'] if isinstance(body['data'], Mapping) else {}
    return Slo(source, (*place, 'data'), inner, outer=Asset(source, place, body))
