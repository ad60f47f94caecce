"""An integration in the form that rules use: its files, its parsed queries, and its known metrics."""

import csv
import functools
import io
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from ddassets import boundary
from ddassets.assets import Bundle, Dashboard, MetricMetadata, Monitor, Query, Widget, integrations
from ddassets.assets.document import read_text
from ddassets.assets.source import Place
from ddassets.diagnostic import Diagnostic, Edit, Position, Severity, Span
from ddassets.language.query.products import recognise
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
from ddassets.lint.emission import Emission
from ddassets.lint.evidence import Evidence, Mention
from ddassets.lint.known_metrics import DERIVED_SUFFIXES, KNOWN_PREFIXES
from ddassets.lint.rule import Fault, Spot

# Most days, weeks and months are so long (rule 20.19).
CALENDAR_SECONDS: Mapping[str, float] = {'daily': 86400, 'weekly': 7 * 86400, 'monthly': 30 * 86400}

if TYPE_CHECKING:
    from ddassets.lint.readings import DowntimeReading, MessageReading


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
        return Fault(where=self.monitor, place=('options', key), message=message, hint=hint, severity=severity)

    @cached_property
    def group_keys(self) -> tuple[str, ...]:
        """The distinct keys of every `by {}`, in order."""
        return tuple(dict.fromkeys(key.name for metric in self.metrics for key in metric.by))


@dataclass(frozen=True)
class FormulaReading(Reading):
    """A formula over the queries of its request; `names` are their names."""

    names: frozenset[str] = frozenset()


@dataclass
class Catalog:
    """The metrics of other integrations: those in the run and those beside them in the checkout.

    They are read when first needed.
    """

    folders: tuple[Path, ...] = ()

    def owner(self, metric: str, own: Path) -> str | None:
        """Return the name of another integration whose metadata.csv lists the metric."""
        return next((name for folder, name in self._owners.get(metric, ()) if folder != own), None)

    @cached_property
    def _owners(self) -> dict[str, list[tuple[Path, str]]]:
        owners: dict[str, list[tuple[Path, str]]] = {}
        for folder in self._all():
            if not folder.is_symlink():
                boundary.admit(folder / 'metadata.csv')
            text = read_text(folder / 'metadata.csv', [])
            if text:
                for name in _first_column(text):
                    owners.setdefault(name, []).append((folder, folder.name))
        return owners

    def _all(self) -> Iterable[Path]:
        found = dict.fromkeys(self.folders)
        for parent in dict.fromkeys(folder.parent for folder in self.folders):
            # The folder above is the user's own.
            boundary.admit(parent)
            try:
                found.update(dict.fromkeys(integrations(parent)))
            except OSError:
                continue
        return found


@dataclass(frozen=True)
class _Table:
    """A metadata.csv to which rows can be added: its columns, its last row, and the number of its characters."""

    columns: Sequence[str]
    last: Mapping[str, str]
    length: int
    ending: str
    # Whether the last line has an end, too.
    is_ended: bool


def _read_table(text: str) -> _Table | None:
    """Return a table with the columns that a metric needs; None for another text."""
    try:
        # Strict: a row that is added after an open quotation mark would be a part of the field.
        rows = csv.reader(io.StringIO(text, newline=''), strict=True)
        columns = next(rows, [])
        last = next(iter(deque(rows, maxlen=1)), [])
    except csv.Error:
        return None
    if not {'metric_name', 'metric_type'} <= set(columns):
        return None
    ending = _LINE_ENDING.search(text)
    return _Table(
        columns,
        dict(zip(columns, last, strict=False)),
        len(text),
        ending[0] if ending else '\n',
        text.endswith(('\r', '\n')),
    )


_LINE_ENDING = re.compile(r'\r\n?|\n')


def _first_column(text: str) -> set[str]:
    try:
        return {row[0].strip() for row in csv.reader(io.StringIO(text, newline='')) if row}
    except csv.Error:
        return set()


@dataclass
class Subject:
    """The input of a rule. `companions` are the patterns of metrics that the configuration declares."""

    bundle: Bundle
    catalog: Catalog
    companions: tuple[str, ...] = ()
    emission: Emission | None = None
    # The number of parsed queries, and the number of skipped queries of each other product.
    covered: int = 0
    not_covered: Counter[str] = field(default_factory=Counter)

    @cached_property
    def reported(self) -> Mapping[str, Sequence[Diagnostic]]:
        """The diagnostics of the decoder, by rule."""
        found: dict[str, list[Diagnostic]] = {}
        # An export of an account contains keys that the server adds.
        answered = bool(self.bundle.form)
        own = (
            one
            for asset in (*self.bundle.dashboards, *self.bundle.monitors, *self.bundle.rules)
            for one in asset.judged
        )
        of_downtimes = (one for reading in self.downtimes for one in reading.diagnostics)
        for diagnostic in (*self.bundle.problems, *self.bundle.notes, *own, *of_downtimes):
            if not (answered and diagnostic.code == 'file/server-key' and '.' not in diagnostic.key):
                found.setdefault(diagnostic.code, []).append(diagnostic)
        return found

    @cached_property
    def monitors(self) -> tuple[MonitorReading, ...]:
        """The metric monitors. Queries of other products are skipped."""
        found = []
        for monitor in self.bundle.monitors:
            if not monitor.query:
                continue
            if monitor.tree is None:
                dynamic = monitor.options.thresholds.critical_query is not None
                self.not_covered['dynamic thresholds' if dynamic else monitor.product or monitor.type] += 1
                continue
            self.covered += 1
            query, error = (None, monitor.tree) if isinstance(monitor.tree, QuerySyntaxError) else (monitor.tree, None)
            expressions = (query.expression,) if query else ()
            found.append(
                MonitorReading(monitor, ('query',), monitor.query, expressions, error, monitor=monitor, query=query)
            )
        return tuple(found)

    @cached_property
    def formula_monitor_queries(self) -> tuple[Reading, ...]:
        """The queries in `options.variables` that a monitor's formula uses. Rule 1.11."""
        found = []
        for reading in self.monitors:
            for index, variable in enumerate(reading.monitor.options.variables):
                place: Place = ('options', 'variables', index)
                if isinstance(variable, dict) and isinstance(variable.get('base_query'), dict):
                    # A reference table filters or extends the groups of the query.
                    place, variable = (*place, 'base_query'), variable['base_query']
                text = variable.get('query') if isinstance(variable, dict) else None
                if isinstance(text, str) and variable.get('data_source') == 'metrics':
                    found.append(_reading(reading.monitor, (*place, 'query'), text))
        return tuple(found)

    @cached_property
    def by_dashboard(self) -> tuple[tuple[Dashboard, tuple[Reading, ...]], ...]:
        """The metric queries of each dashboard, without formulas."""
        return tuple((dashboard, tuple(self._widget_queries(dashboard))) for dashboard in self.bundle.dashboards)

    def _widget_queries(self, dashboard: Dashboard) -> Iterator[Reading]:
        for widget in dashboard.widgets:
            for query in widget.queries:
                if query.role != 'query':
                    continue
                product = recognise(query.source, query.text)
                if product is None and query.source != 'metrics':
                    product = query.source
                if product:
                    self.not_covered[product] += 1
                elif query.text.strip():
                    self.covered += 1
                    yield _reading(widget, query.place[len(widget.place) :], query.text)

    @cached_property
    def widget_queries(self) -> tuple[Reading, ...]:
        """The metric queries of all dashboards, without formulas."""
        return tuple(reading for _, readings in self.by_dashboard for reading in readings)

    @cached_property
    def queries(self) -> tuple[Reading, ...]:
        """All metric queries."""
        return (*self.monitors, *self.formula_monitor_queries, *self.widget_queries)

    @cached_property
    def with_variables(self) -> tuple[tuple[Reading, Mapping[str, str]], ...]:
        """All metric queries, with the tag keys of the template variables that they may use."""
        found: list[tuple[Reading, Mapping[str, str]]] = []
        for dashboard, readings in self.by_dashboard:
            keys = {variable.name: variable.prefix for variable in dashboard.variables if variable.prefix}
            found += ((reading, keys) for reading in readings)
        found += ((reading, {}) for reading in (*self.monitors, *self.formula_monitor_queries))
        return tuple(found)

    @cached_property
    def formulas(self) -> tuple[FormulaReading, ...]:
        """The formulas of all dashboards."""
        found = []
        for dashboard in self.bundle.dashboards:
            for widget, queries in requests(dashboard):
                names = frozenset(query.name for query in queries if query.role == 'query' and query.name)
                for query in queries:
                    if query.role == 'formula':
                        expression, error = _parsed(parse_formula, query.text)
                        place = query.place[len(widget.place) :]
                        expressions = (expression,) if expression else ()
                        found.append(FormulaReading(widget, place, query.text, expressions, error, names))
        return tuple(found)

    @cached_property
    def messages(self) -> 'tuple[MessageReading, ...]':
        """The messages of all monitors, including monitors of other products."""
        from ddassets.lint.readings import read_message

        readings = {id(reading.monitor): reading for reading in self.monitors}
        variables: dict[int, list[Reading]] = {}
        for query in self.formula_monitor_queries:
            variables.setdefault(id(query.asset), []).append(query)
        found = []
        for monitor in self.bundle.monitors:
            if not monitor.message:
                continue
            reading = readings.get(id(monitor))
            read: list[Metric] = []
            for query in [*([reading] if reading else []), *variables.get(id(monitor), ())]:
                read += query.metrics
            keys = frozenset(key for metric in read for key, _ in keys_used(metric, {})) if read else None
            group_keys = frozenset(key.name for metric in read for key in metric.by)
            found.append(read_message(monitor, keys, group_keys))
        return tuple(found)

    @cached_property
    def downtimes(self) -> 'tuple[DowntimeReading, ...]':
        if not self.bundle.downtimes:
            return ()
        from ddassets.lint.readings import read_downtime

        return tuple(map(read_downtime, self.bundle.downtimes))

    @cached_property
    def downtimes_together(self) -> 'tuple[tuple[tuple[DowntimeReading, ...], float, float], ...]':
        """The recurring downtimes for the same monitors, with the period (Unix seconds) in which to check them."""
        if not self.downtimes:
            return ()
        from ddassets.lint.readings import group_downtimes

        return tuple(group_downtimes(self.downtimes))

    @cached_property
    def own_prefixes(self) -> frozenset[str]:
        """The metric prefixes of this integration, without the dot.

        These are the prefixes of the manifest, and the first parts of other listed names unless they are known to
        belong to another integration.
        """
        manifest = self.bundle.manifest
        declared = {prefix.strip('.') for prefix in manifest.metric_prefixes} - {''} if manifest else set()
        found = {name.partition('.')[0] for name in self.bundle.metrics if not _begins_with_any(name, declared)}
        own = found - KNOWN_PREFIXES
        return frozenset(own | declared or found)

    def is_own(self, metric: str) -> bool:
        """Whether the metric has a prefix of the integration."""
        return _begins_with_any(metric, self.own_prefixes)

    def knows(self, metric: str) -> bool:
        """Whether the metric is listed, derived from a listed metric, emitted, declared, or filled in by Datadog."""
        if metric in self.bundle.metrics or (self.emission and metric in self.emission.metrics):
            return True
        if '$' in metric or '*' in metric:
            return True
        return metric in self._derived or any(fnmatchcase(metric, pattern) for pattern in self.companions)

    @cached_property
    def _derived(self) -> frozenset[str]:
        """Return the other metrics of a histogram or distribution; metadata.csv often lists only one or two."""
        bases = set()
        for name, metric in self.bundle.metrics.items():
            base, _, suffix = name.rpartition('.')
            if suffix in DERIVED_SUFFIXES:
                bases.add(base)
            if metric.type not in ('count', 'counter', 'gauge', 'rate'):
                bases.add(name)
        return frozenset(f'{base}.{suffix}' for base in bases for suffix in DERIVED_SUFFIXES)

    def metadata_row(self, metric: str, type_: str) -> Edit | None:
        """The change that adds a row to metadata.csv, with what is known; None where there is no table to add it to."""
        table = self._metadata_table
        if table is None:
            return None
        known = {
            'metric_name': metric,
            'metric_type': type_,
            'orientation': '0',
            'integration': table.last.get('integration', ''),
        }
        row = io.StringIO()
        csv.writer(row, lineterminator='').writerow([known.get(column, '') for column in table.columns])
        text = f'{row.getvalue()}{table.ending}' if table.is_ended else f'{table.ending}{row.getvalue()}'
        return Edit(table.length, table.length, text)

    @cached_property
    def _metadata_table(self) -> _Table | None:
        return _read_table(read_text(self.bundle.metadata_path, []) or '')

    def row_fault(self, metric: MetricMetadata, message: str, hint: str = '') -> Fault:
        """Return a fault at the row of a metric in metadata.csv."""
        where = Spot(self.bundle.metadata_path, Position(metric.line, 1))
        return Fault(where=where, message=message, hint=hint, object=metric.name)

    def mention(self, metric: str) -> Mention | None:
        """Return where the integration's own files contain a metric that metadata.csv lacks; None if they do not.

        Metrics of the Agent or of a well-known integration need no row.
        """
        return self.evidence.of(metric) if self._needs_row(metric) else None

    def _needs_row(self, metric: str) -> bool:
        return self.is_own(metric) or metric.partition('.')[0] not in KNOWN_PREFIXES

    @cached_property
    def evidence(self) -> Evidence:
        names = dict.fromkeys(metric.name for reading in self.queries for metric in reading.metrics)
        doubted = frozenset(name for name in names if not self.knows(name) and self._needs_row(name))
        return Evidence(self.bundle.folder, doubted, self.own_prefixes)

    def listed_forms(self, metric: str) -> list[str]:
        """Return the listed names that differ from a metric only in form, sorted.

        They have another case, other separators, an additional prefix (`zone.cpu` for `acme.zone.cpu`), or the suffix
        of a counter or histogram.
        """
        lost = f'.{metric}'
        plain = _plain(metric)
        return sorted(
            name
            for name in self.bundle.metrics
            if ('.' in metric and name.endswith(lost))
            or _plain(name) == plain
            or (name.startswith(f'{metric}.') and name[len(metric) + 1 :] in DERIVED_SUFFIXES)
        )

    def is_histogram(self, metric: str) -> bool:
        """Whether metadata.csv lists the parts of an OpenMetrics histogram of this name: buckets, or sum and count."""
        parts = [f'{metric}.{suffix}' in self.bundle.metrics for suffix in ('bucket', 'sum', 'count')]
        return parts[0] or all(parts[1:])

    def type_of(self, metric: str) -> str:
        """Return gauge, rate, count or distribution; empty if unknown."""
        emitted = self.emission.metrics.get(metric) if self.emission else None
        listed = self.bundle.metrics.get(metric)
        return emitted.type if emitted else listed.type if listed else ''


def _plain(metric: str) -> str:
    return metric.lower().replace('_', '.')


def _begins_with_any(metric: str, prefixes: Iterable[str]) -> bool:
    return any(metric == prefix or metric.startswith(f'{prefix}.') for prefix in prefixes)


def _reading(asset: Monitor | Widget, place: Place, text: str) -> Reading:
    expressions, error = _parsed(parse_queries, text)
    return Reading(asset, place, text, expressions or (), error)


def requests(dashboard: Dashboard) -> Iterator[tuple[Widget, list[Query]]]:
    """The queries and formulas of each request."""
    for widget in dashboard.widgets:
        together: dict[Place, list[Query]] = {}
        for query in widget.queries:
            together.setdefault(query.request, []).append(query)
        for queries in together.values():
            yield widget, queries


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number; integers in JSON may have any size."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def notifies_no_data(monitor: Monitor) -> bool:
    options = monitor.options
    return options.notify_no_data or options.on_missing_data == 'show_and_notify_no_data'


_VARIABLE = re.compile(r'\$([\w-]+)')


def variables_in(text: str) -> list[tuple[str, int]]:
    """Return the names after `$` in a text, with the offset of each `$`."""
    return [(match[1], match.start()) for match in _VARIABLE.finditer(text)]


def is_variable_at(text: str, offset: int, name: str) -> bool:
    """Whether the `$` at the offset starts this variable; its name may contain blanks and dots."""
    end = offset + 1 + len(name)
    following = text[end : end + 1]
    return text.startswith(name, offset + 1) and not (following.isalnum() or following == '_')


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, at any depth, without keys."""
    pending = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, Mapping):
            pending.extend(found.values())
        elif isinstance(found, list):
            pending.extend(found)


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


@functools.lru_cache(4096)
def _parsed[T](parse: Callable[[str], T], text: str) -> tuple[T | None, QuerySyntaxError | None]:
    try:
        return parse(text), None
    except QuerySyntaxError as error:
        return None, error
