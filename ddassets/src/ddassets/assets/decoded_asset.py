"""Assets that a table decodes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from ddassets.assets.asset import Asset, text, value_at
from ddassets.assets.option import Report, decode, shown
from ddassets.assets.source import Place, Source
from ddassets.diagnostic import Diagnostic, Severity


@dataclass(frozen=True)
class DecodedAsset[Fields](Asset):
    """An asset whose body is decoded by `table` on first use."""

    table: ClassVar[type[Any]]

    @cached_property
    def _decoded(self) -> tuple[Fields, Report]:
        report = Report(self, self.table)
        fields: Fields = decode(self.table, self.body, (), report)
        self._check(fields, report)
        return fields, report

    def _check(self, fields: Fields, report: Report) -> None:
        """Report the faults that the table does not describe."""

    @property
    def fields(self) -> Fields:
        return self._decoded[0]

    @property
    def fixes(self) -> Mapping[Place, Any]:
        return self._decoded[1].fixes


@dataclass(frozen=True)
class RequestedAsset[Fields](DecodedAsset[Fields]):
    """An asset of JSON:API; `body` is its attributes. `outer` is the request around them, or None.

    `api_type` is the type that a request names, `invalid` the rule for another type, and `needed` are the keys without
    which it is not known what the asset does.
    """

    api_type: ClassVar[str]
    invalid: ClassVar[str]
    needed: ClassVar[tuple[str, ...]]
    outer: Asset | None = None

    @classmethod
    def read(cls, source: Source, body: Mapping[str, Any], place: Place) -> Self:
        """Return the asset of a request, an element of an answer, or the attributes alone. Faults do not raise."""
        envelope: Place = ('data',) if 'data' in body else ()
        if not envelope and 'attributes' not in body:
            return cls(source, place, body)
        inner = value_at(body, (*envelope, 'attributes'))
        attributes = inner if isinstance(inner, Mapping) else {}
        return cls(source, (*place, *envelope, 'attributes'), attributes, outer=Asset(source, place, body))

    @property
    def id(self) -> str:
        """The id that Datadog gave to the object; empty if the source contains none."""
        envelope = self.place[len(self.outer.place) : -1] if self.outer else ()
        data = value_at(self.outer.body, envelope) if self.outer else None
        return text(data.get('id')) if isinstance(data, Mapping) else ''

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        found = tuple(self._of_the_request(self.outer)) if self.outer else ()
        return found if any(one.code == 'file/shape' for one in found) else (*found, *self._decoded[1].diagnostics)

    def _of_the_request(self, outer: Asset) -> Iterator[Diagnostic]:
        envelope = self.place[len(outer.place) : -1]
        data = value_at(outer.body, envelope)
        if not isinstance(data, Mapping):
            yield self._wrong(outer, 'file/shape', envelope, 'an object', data)
            return
        if data.get('type') != self.api_type:
            yield self._wrong(outer, self.invalid, (*envelope, 'type'), f"'{self.api_type}'", data.get('type'))
        if not isinstance(data.get('attributes'), Mapping):
            yield self._wrong(outer, 'file/shape', (*envelope, 'attributes'), 'an object', data.get('attributes'))

    def _wrong(self, outer: Asset, code: str, place: Place, expected: str, found: Any) -> Diagnostic:
        message = f'{".".join(map(str, place))}: expected {expected}, found {shown(found)}'
        return outer.diagnostic(code, Severity.ERROR, place, message, label=self.label)

    @property
    def unknown(self) -> list[str]:
        """The needed keys whose values, or parts of them, the source withholds."""
        return self.withheld_among(self.needed)
