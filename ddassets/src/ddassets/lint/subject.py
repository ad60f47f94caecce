"""An integration in the form that rules use: its files, its parsed queries, and its known metrics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeGuard

from ddassets.assets import Bundle, Dashboard, Downtime, MetricMetadata, Monitor, Query, Widget
from ddassets.assets.document import read_text
from ddassets.assets.source import Place
from ddassets.assets.variable_table import MetricVariable, OtherVariable
from ddassets.diagnostic import Diagnostic, Edit, Position
from ddassets.language.counted import is_counted
from ddassets.language.query.products import recognise
from ddassets.language.query.syntax import QuerySyntaxError
from ddassets.language.query.tree import Metric
from ddassets.lint.catalog import Catalog
from ddassets.lint.emission import Emission
from ddassets.lint.evidence import Evidence, Mention
from ddassets.lint.known_metrics import DERIVED_SUFFIXES, KNOWN_PREFIXES
from ddassets.lint.metadata_table import MetadataTable
from ddassets.lint.queries import (
    CountedReading,
    FormulaReading,
    MonitorReading,
    Reading,
    keys_of_searches,
    keys_used,
    read_counted,
    read_formula,
    read_query,
)
from ddassets.lint.rule import Fault, Spot
from ddassets.regex import regex

if TYPE_CHECKING:
    from ddassets.lint.downtimes import DowntimeReading
    from ddassets.lint.messages import MessageReading
    from ddassets.lint.slos import SloAlert


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
        others = (asset for asset in self.bundle.assets if not isinstance(asset, Downtime))
        own = (one for asset in others for one in asset.judged)
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
                self.not_covered[monitor.product or monitor.type] += 1
                continue
            self.covered += 1
            query, error = (None, monitor.tree) if isinstance(monitor.tree, QuerySyntaxError) else (monitor.tree, None)
            expressions = (query.expression,) if query else ()
            found.append(
                MonitorReading(monitor, ('query',), monitor.query, expressions, error, monitor=monitor, query=query)
            )
        return tuple(found)

    @cached_property
    def counted(self) -> tuple[CountedReading, ...]:
        """The monitors of counted events: logs, events, RUM and the like (rule 15.1). Their searches are not judged."""
        return tuple(read_counted(monitor) for monitor in self.bundle.monitors if is_counted(monitor.query))

    @cached_property
    def slo_alerts(self) -> 'tuple[SloAlert, ...]':
        """The SLO alerts whose query can be parsed, each with its SLO."""
        if not any(monitor.slo for monitor in self.bundle.monitors):
            return ()
        from ddassets.lint.slos import slo_alerts

        return tuple(slo_alerts(self.bundle))

    @property
    def single_queries(self) -> 'tuple[MonitorReading | CountedReading, ...]':
        """The metric monitors and those of counted events."""
        return (*self.monitors, *self.counted)

    @cached_property
    def formula_monitor_queries(self) -> tuple[Reading, ...]:
        """The queries in `options.variables` that a monitor's formula uses. Rule 1.11."""
        found = []
        for reading in self.monitors:
            for variable in reading.monitor.options.variables:
                place: Place = ('options', 'variables', variable.index)
                body: Any = None
                match variable:
                    case MetricVariable(data_source='metrics', query=text) if text:
                        found.append(read_query(reading.monitor, (*place, 'query'), text))
                    case OtherVariable():
                        # A reference table filters or extends the groups of the query.
                        body = variable.body.get('base_query')
                if (
                    isinstance(body, dict)
                    and body.get('data_source') == 'metrics'
                    and isinstance(body.get('query'), str)
                ):
                    found.append(read_query(reading.monitor, (*place, 'base_query', 'query'), body['query']))
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
                    yield read_query(widget, query.place[len(widget.place) :], query.text)

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
                        found.append(read_formula(widget, query.place[len(widget.place) :], query.text, names))
        return tuple(found)

    @cached_property
    def messages(self) -> 'tuple[MessageReading, ...]':
        """The messages of all monitors, including monitors of other products."""
        from ddassets.lint.messages import read_message

        readings = {id(reading.monitor): reading for reading in self.monitors}
        counted = {id(reading.monitor): reading for reading in self.counted}
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
            if one := counted.get(id(monitor)):
                keys, group_keys = one.keys, frozenset(one.group_keys)
            elif searched := keys_of_searches(monitor):
                keys, group_keys = searched
            found.append(read_message(monitor, keys, group_keys))
        return tuple(found)

    @cached_property
    def downtimes(self) -> 'tuple[DowntimeReading, ...]':
        if not self.bundle.downtimes:
            return ()
        from ddassets.lint.downtimes import read_downtime

        return tuple(map(read_downtime, self.bundle.downtimes))

    @cached_property
    def downtimes_together(self) -> 'tuple[tuple[tuple[DowntimeReading, ...], float, float], ...]':
        """The recurring downtimes for the same monitors, with the period (Unix seconds) in which to check them."""
        if not self.downtimes:
            return ()
        from ddassets.lint.downtimes import group_downtimes

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
        """Return the change that adds a row to metadata.csv; None where there is no table to add it to."""
        return self._metadata_table.added_row(metric, type_) if self._metadata_table else None

    @cached_property
    def _metadata_table(self) -> MetadataTable | None:
        return MetadataTable.read(read_text(self.bundle.metadata_path, []) or '')

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


_VARIABLE = regex(r'\$([\w-]+)')


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
