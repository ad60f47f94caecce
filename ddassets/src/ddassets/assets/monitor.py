"""A monitor, decoded by its table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ddassets.assets import monitor_type as types
from ddassets.assets.asset import Asset, text
from ddassets.assets.decoded_asset import DecodedAsset
from ddassets.assets.formula_checks import formula_keys
from ddassets.assets.monitor_checks import check
from ddassets.assets.monitor_table import MonitorFields, MonitorOptions
from ddassets.assets.option import Report, shown
from ddassets.assets.source import Place, Source
from ddassets.diagnostic import Diagnostic, Severity
from ddassets.language.composite import CompositeQuery
from ddassets.language.composite import parse as parse_composite
from ddassets.language.counted import CountedQuery, is_counted, parse_counted
from ddassets.language.formula import is_formula
from ddassets.language.query.syntax import QuerySyntaxError, parse_monitor
from ddassets.language.query.tree import MonitorQuery, metrics
from ddassets.language.service_check import CheckQuery
from ddassets.language.service_check import parse as parse_check
from ddassets.language.slo import SloQuery
from ddassets.language.slo import parse as parse_slo


@dataclass(frozen=True)
class Monitor(DecodedAsset[MonitorFields]):
    """A monitor: the API form, or the `definition` of a version-2 asset. `wrapper` is the version-2 envelope."""

    table = MonitorFields
    wrapper: Asset | None = None

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        if self.wrapper and not isinstance(found := self.wrapper.body['definition'], Mapping):
            message = f'definition: expected an object, found {shown(found)}'
            return (self.wrapper.diagnostic('file/shape', Severity.ERROR, ('definition',), message),)
        report = Report(self, diagnostics=[*self._decoded[1].diagnostics])
        check(self.fields, self.tree or self.formula or self.composite or self.service_check or self.slo, report)
        return tuple(report.diagnostics)

    @property
    def unusable(self) -> frozenset[str]:
        """The dotted keys with unusable values: they decode like absent keys."""
        return frozenset(one.key for one in self._decoded[1].diagnostics if one.severity is Severity.ERROR)

    @property
    def label(self) -> str:
        # Not from the fields, because their diagnostics use it.
        return text(self.body.get('name'))

    @property
    def name(self) -> str:
        return self.fields.name

    @property
    def type(self) -> str:
        return self.fields.type

    @property
    def query(self) -> str:
        """The text of the query; empty if it is missing."""
        return self.fields.query

    @property
    def message(self) -> str:
        return self.fields.message

    @property
    def tags(self) -> tuple[str, ...]:
        return self.fields.tags

    @property
    def options(self) -> MonitorOptions:
        return self.fields.options

    @property
    def envelope(self) -> Mapping[str, Any]:
        """The version-2 envelope (title, description, tags, …); empty for the API form."""
        body = self.wrapper.body if self.wrapper else {}
        return {key: value for key, value in body.items() if key != 'definition'}

    @property
    def outer(self) -> Asset:
        """The envelope, or the monitor itself if it has none."""
        return self.wrapper or self

    @property
    def product(self) -> str | None:
        """The product of the query, None for metrics."""
        return types.product(self.type, self.query)

    @cached_property
    def tree(self) -> MonitorQuery | QuerySyntaxError | None:
        """The parsed query of a metric monitor, or its syntax error.

        None for other products.
        """
        return _parsed(self.query, parse_monitor) if self.product is None else None

    @cached_property
    def formula(self) -> MonitorQuery | QuerySyntaxError | None:
        """The parsed query of a formula over metrics or events, or its syntax error; None for other queries.

        Products such as cost have methods of their own.
        """
        return (
            _parsed(self.query, parse_monitor)
            if self.type in types.METRIC | types.COUNTED and is_formula(self.query)
            else None
        )

    @cached_property
    def composite(self) -> CompositeQuery | QuerySyntaxError | None:
        """The parsed query of a composite monitor, or why it cannot be parsed; None for other types."""
        return _parsed(self.query, parse_composite) if self.type in types.COMPOSITE else None

    @cached_property
    def service_check(self) -> CheckQuery | QuerySyntaxError | None:
        """The parsed query of a service-check monitor, or why it cannot be parsed; None for other types."""
        return _parsed(self.query, parse_check) if self.type in types.CHECK else None

    @cached_property
    def slo(self) -> SloQuery | QuerySyntaxError | None:
        """The parsed query of an SLO alert, or why it cannot be parsed; None for other types."""
        return _parsed(self.query, parse_slo) if self.type in types.SLO else None

    @property
    def _counted(self) -> CountedQuery | QuerySyntaxError | None:
        return _parsed(self.query, parse_counted) if is_counted(self.query) else None

    @property
    def group_keys(self) -> frozenset[str]:
        """The keys that the query groups by; empty for a composite, and for a query that cannot be parsed."""
        match self.formula or self.tree or self.service_check or self._counted:
            case MonitorQuery(aggregator='formula') as query:
                return frozenset(formula_keys(query, self.options.variables))
            case MonitorQuery() as query:
                return frozenset(key.name for metric in metrics(query) for key in metric.by)
            case CheckQuery() | CountedQuery() as query:
                return frozenset(query.by)
        return frozenset()


def _parsed[T](query: str, parse: Callable[[str], T]) -> T | QuerySyntaxError | None:
    try:
        return parse(query) if query else None
    except QuerySyntaxError as error:
        return error


def read_monitor(source: Source, body: Mapping[str, Any], place: Place = ()) -> Monitor:
    """Return a monitor of the API's form, or of a version-2 asset. It is not decoded yet; faults do not raise."""
    if 'definition' not in body:
        return Monitor(source, place, body)
    inner = body['definition'] if isinstance(body['definition'], Mapping) else {}
    return Monitor(source, (*place, 'definition'), inner, wrapper=Asset(source, place, body))
