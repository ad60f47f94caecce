"""One integration as the rules see it: what was read, every query parsed once, and what is known of its metrics."""

import csv
import functools
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from ddassets.bundle import Bundle, Dashboard, Monitor, Place, Query, Widget, integrations, read_text
from ddassets.lint.emission import Emission
from ddassets.lint.known_metrics import known_prefix
from ddassets.lint.rule import Fault, Severity, Spot
from ddassets.query.syntax import QuerySyntaxError, parse_monitor, parse_queries
from ddassets.query.tree import Expression, Metric, MonitorQuery, Span, metrics

METRIC_MONITORS = ('query alert', 'metric alert')


@dataclass(frozen=True)
class Reading:
    """The text of one metric query and what it means. `place` counts from the body of the asset."""

    asset: Monitor | Widget
    place: Place
    text: str
    expressions: tuple[Expression, ...] = ()
    error: QuerySyntaxError | None = None

    def fault(self, message: str, span: Span | None = None, hint: str = '', severity: Severity | None = None) -> Fault:
        """A fault at a part of the query."""
        return Fault(where=self.asset, place=self.place, message=message, span=span, hint=hint, severity=severity)

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(metric for expression in self.expressions for metric in metrics(expression))


@dataclass(frozen=True)
class MonitorReading(Reading):
    """A monitor's query; `query` is None where it could not be parsed."""

    monitor: Monitor = field(kw_only=True)
    query: MonitorQuery | None = None

    @property
    def thresholds(self) -> Mapping[str, float]:
        """The numbers among `options.thresholds`, by name."""
        found = self.monitor.options.get('thresholds')
        return {k: v for k, v in found.items() if is_number(v)} if isinstance(found, dict) else {}

    def option_fault(self, key: str, message: str, hint: str = '', severity: Severity | None = None) -> Fault:
        """A fault at an option of the monitor, or at its options where the key is missing."""
        return Fault(where=self.monitor, place=('options', key), message=message, hint=hint, severity=severity)

    def threshold_fault(self, key: str, message: str, hint: str = '') -> Fault:
        return Fault(where=self.monitor, place=('options', 'thresholds', key), message=message, hint=hint)

    @cached_property
    def group_keys(self) -> tuple[str, ...]:
        """The keys of every `by {}`, in order, each once."""
        return tuple(dict.fromkeys(key.name for metric in self.metrics for key in metric.by))


@dataclass
class Catalog:
    """The metrics of other integrations: those in the run and those that lie beside them in the checkout.

    Nothing is read before the first question.
    """

    folders: tuple[Path, ...] = ()

    def owner(self, metric: str, own: Path) -> str | None:
        """The name of another integration whose metadata.csv lists the metric."""
        return next((name for folder, name in self._owners.get(metric, ()) if folder != own), None)

    @cached_property
    def _owners(self) -> dict[str, list[tuple[Path, str]]]:
        owners: dict[str, list[tuple[Path, str]]] = {}
        for folder in self._all():
            text = read_text(folder / 'metadata.csv', [])
            if text:
                for name in _first_column(text):
                    owners.setdefault(name, []).append((folder, folder.name))
        return owners

    def _all(self) -> Iterable[Path]:
        found = dict.fromkeys(self.folders)
        for parent in dict.fromkeys(folder.parent for folder in self.folders):
            try:
                found.update(dict.fromkeys(integrations(parent)))
            except OSError:
                continue
        return found


def _first_column(text: str) -> set[str]:
    try:
        return {row[0].strip() for row in csv.reader(io.StringIO(text, newline='')) if row}
    except csv.Error:
        return set()


@dataclass
class Subject:
    """What a rule is asked about. `companions` are the patterns of metrics that the configuration declares."""

    bundle: Bundle
    catalog: Catalog
    companions: tuple[str, ...] = ()
    emission: Emission | None = None
    # How many queries were parsed, and how many of each other product were not.
    covered: int = 0
    not_covered: Counter[str] = field(default_factory=Counter)

    @cached_property
    def monitors(self) -> tuple[MonitorReading, ...]:
        """The metric monitors. What another product's monitor asks is not read."""
        found = []
        for monitor in self.bundle.monitors:
            if monitor.type not in METRIC_MONITORS or not monitor.query:
                if monitor.query:
                    self.not_covered[monitor.type or 'monitor without a type'] += 1
                continue
            self.covered += 1
            query, error = _parsed(parse_monitor, monitor.query)
            expressions = (query.expression,) if query else ()
            found.append(
                MonitorReading(monitor, ('query',), monitor.query, expressions, error, monitor=monitor, query=query)
            )
        return tuple(found)

    @cached_property
    def widget_queries(self) -> tuple[Reading, ...]:
        """The metric queries of all dashboards, formulas left out."""
        found = []
        for dashboard in self.bundle.dashboards:
            for widget in dashboard.widgets:
                for query in widget.queries:
                    if query.role != 'query':
                        continue
                    if query.source != 'metrics':
                        self.not_covered[query.source] += 1
                    elif query.text.strip():
                        self.covered += 1
                        expressions, error = _parsed(parse_queries, query.text)
                        place = query.place[len(widget.place) :]
                        found.append(Reading(widget, place, query.text, expressions or (), error))
        return tuple(found)

    @cached_property
    def queries(self) -> tuple[Reading, ...]:
        return (*self.monitors, *self.widget_queries)

    @cached_property
    def own_prefixes(self) -> frozenset[str]:
        """The first parts of names that belong to this integration alone.

        That of the manifest counts always; one that metadata.csv adds does not where it is known to be another's.
        """
        manifest = self.bundle.manifest
        declared = manifest.metric_prefix.strip('.').partition('.')[0] if manifest else ''
        found = {name.partition('.')[0] for name in self.bundle.metrics}
        return frozenset({prefix for prefix in found if not known_prefix(prefix)} | ({declared} if declared else set()))

    def is_companion(self, metric: str) -> bool:
        return any(fnmatchcase(metric, pattern) for pattern in self.companions)


def problems(kind: str) -> Callable[[Subject], Iterator[Fault]]:
    """A check that reports what reading the integration stumbled over."""

    def check(subject: Subject) -> Iterator[Fault]:
        for problem in subject.bundle.problems:
            if problem.kind == kind:
                yield Fault(where=Spot(problem.path, problem.position), message=problem.message)

    return check


def requests(dashboard: Dashboard) -> Iterator[tuple[Widget, list[Query]]]:
    """The queries and formulas that stand in one request together."""
    for widget in dashboard.widgets:
        together: dict[Place, list[Query]] = {}
        for query in widget.queries:
            together.setdefault(query.request, []).append(query)
        for queries in together.values():
            yield widget, queries


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_VARIABLE = re.compile(r'\$([\w-]+)')


def variables_in(text: str) -> list[tuple[str, int]]:
    """The names after `$` in a text, and the offset of each `$`."""
    return [(match[1], match.start()) for match in _VARIABLE.finditer(text)]


@functools.lru_cache(4096)
def _parsed[T](parse: Callable[[str], T], text: str) -> tuple[T | None, QuerySyntaxError | None]:
    try:
        return parse(text), None
    except QuerySyntaxError as error:
        return None, error
