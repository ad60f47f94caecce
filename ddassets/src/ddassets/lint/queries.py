"""The metric queries of an integration in the form that rules use."""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ddassets.assets import Monitor, Widget
from ddassets.assets.formula_checks import formula_keys
from ddassets.assets.source import Place
from ddassets.assets.variable_table import EventVariable
from ddassets.diagnostic import Severity, Span
from ddassets.language.counted import About, CountedQuery, CountedSyntaxError, parse_counted
from ddassets.language.query.syntax import QuerySyntaxError, parse_formula, parse_queries
from ddassets.language.query.tree import (
    Call,
    Expression,
    GroupKey,
    Metric,
    Modifier,
    MonitorQuery,
    Number,
    TagFilter,
    TagIn,
    TemplateVariable,
    Text,
    Word,
    metrics,
    walk,
)
from ddassets.lint.rule import Fault
from ddassets.regex import regex

# Most days, weeks and months are so long (rule 20.19).
CALENDAR_SECONDS: Mapping[str, float] = {'daily': 86400, 'weekly': 7 * 86400, 'monthly': 30 * 86400}

# The keys that a search asks for: `service:web`, `@http.status_code:500`, and not `-service:web`.
_SEARCHED = regex(r'(?<![\w@.-])(@?\w[\w.-]*):')


@dataclass(frozen=True)
class Reading:
    """A metric query and its syntax tree. `place` is relative to the body of the asset."""

    asset: Monitor | Widget
    place: Place
    text: str
    expressions: tuple[Expression, ...] = ()
    error: QuerySyntaxError | None = None

    def fault(self, message: str, span: Span | None = None, hint: str = '', severity: Severity | None = None) -> Fault:
        """Return a fault at a part of the query."""
        return Fault(where=self.asset, place=self.place, message=message, span=span, hint=hint, severity=severity)

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(metric for expression in self.expressions for metric in metrics(expression))


@dataclass(frozen=True)
class MonitorReading(Reading):
    """The query of a monitor; `query` is None if it could not be parsed."""

    monitor: Monitor = field(kw_only=True)
    query: MonitorQuery | None = None

    def option_fault(self, key: str, message: str, hint: str = '', severity: Severity | None = None) -> Fault:
        """Return a fault at an option of the monitor, or at its options if the key is missing."""
        return option_fault(self.monitor, key, message, hint, severity)

    @cached_property
    def group_keys(self) -> tuple[str, ...]:
        """The distinct keys of every `by {}`, in order."""
        return tuple(dict.fromkeys(key.name for metric in self.metrics for key in metric.by))


@dataclass(frozen=True)
class CountedReading(Reading):
    """The query of a monitor of counted events; `query` is None if it could not be parsed."""

    monitor: Monitor = field(kw_only=True)
    query: CountedQuery | None = None

    @cached_property
    def group_keys(self) -> tuple[str, ...]:
        return self.query.by if self.query else ()

    @property
    def keys(self) -> frozenset[str] | None:
        """Return the keys that the query groups by and those in its search; None if it could not be parsed."""
        return frozenset({*self.query.by, *_SEARCHED.findall(self.query.search)}) if self.query else None

    def faults(self, *about: About) -> Iterator[Fault]:
        """Yield the fault of the query if it is about one of these."""
        # What a Terraform expression stands for is not known.
        error = self.error
        if isinstance(error, CountedSyntaxError) and error.about in about and '${' not in self.text:
            yield self.fault(error.message, Span(error.column - 1, error.column))


@dataclass(frozen=True)
class FormulaReading(Reading):
    """A formula over the queries of its request; `names` are their names."""

    names: frozenset[str] = frozenset()


def keys_of_searches(monitor: Monitor) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return the keys that a formula over events groups by or searches for, and those of its groups.

    None for other monitors.
    """
    variables = monitor.options.variables
    searches = [one.search.query for one in variables if isinstance(one, EventVariable)]
    if not searches or not isinstance(monitor.formula, MonitorQuery):
        return None
    groups = frozenset(formula_keys(monitor.formula, variables))
    return groups.union(*(_SEARCHED.findall(search) for search in searches)), groups


def option_fault(monitor: Monitor, key: str, message: str, hint: str = '', severity: Severity | None = None) -> Fault:
    """Return a fault at an option of a monitor, or at its options if the key is missing."""
    return Fault(where=monitor, place=('options', key), message=message, hint=hint, severity=severity)


def read_query(asset: Monitor | Widget, place: Place, text: str) -> Reading:
    """Parse the queries in a text; a syntax error becomes a part of the reading."""
    expressions, error = _parsed(parse_queries, text)
    return Reading(asset, place, text, expressions or (), error)


def read_counted(monitor: Monitor) -> CountedReading:
    """Parse the query of a monitor of counted events; a syntax error becomes a part of the reading."""
    query, error = _parsed(parse_counted, monitor.query)
    return CountedReading(monitor, ('query',), monitor.query, (), error, monitor=monitor, query=query)


def read_formula(asset: Widget, place: Place, text: str, names: frozenset[str]) -> FormulaReading:
    """Parse a formula; a syntax error becomes a part of the reading."""
    expression, error = _parsed(parse_formula, text)
    return FormulaReading(asset, place, text, (expression,) if expression else (), error, names)


@functools.lru_cache(4096)
def _parsed[T](parse: Callable[[str], T], text: str) -> tuple[T | None, QuerySyntaxError | None]:
    try:
        return parse(text), None
    except QuerySyntaxError as error:
        return None, error


def keys_used(metric: Metric, variables: Mapping[str, str]) -> Iterator[tuple[str, Span]]:
    """Return the tag keys that a query filters and groups by; `variables` maps template variables to tag keys."""
    for node in walk(metric):
        match node:
            case TagFilter(key=str(key)) | TagIn(key=key):
                yield key, node.span
            case TemplateVariable(name=name) if name in variables:
                yield variables[name], node.span
            case GroupKey(name=name):
                key = variables.get(name[1:].removesuffix('.key'), '') if name.startswith('$') else name
                if key:
                    yield key, node.span


def rollups(expression: Expression) -> Iterator[tuple[Span, float]]:
    """Yield each `.rollup(…)` and `rollup(…)` with explicit seconds, or the usual seconds of its calendar unit."""
    for node in walk(expression):
        if isinstance(node, Modifier | Call) and node.name == 'rollup':
            for argument in node.arguments:
                if isinstance(argument, Number):
                    yield node.span, argument.value
                elif isinstance(argument, Word | Text) and argument.value in CALENDAR_SECONDS:
                    yield node.span, CALENDAR_SECONDS[argument.value]
