"""The base of assets: a part of a source, with its faults."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ddassets.assets.source import REMOVED, EditableSource, Place, Source, dotted
from ddassets.assets.source_document import SourceDocument
from ddassets.diagnostic import Diagnostic, Edit, Excerpt, Position, Severity, Span


@dataclass(frozen=True)
class Asset:
    """An asset; `place` is the place of its body in the source."""

    source: Source
    place: Place
    body: Mapping[str, Any] = field(repr=False)

    @property
    def path(self) -> Path:
        return self.source.path

    @property
    def label(self) -> str:
        """The name of the asset in diagnostics."""
        return ''

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All faults of the body and of its parts."""
        return ()

    @property
    def judged(self) -> tuple[Diagnostic, ...]:
        """The diagnostics, without those about withheld values."""
        if not isinstance(self.source, SourceDocument) or not self.source.withheld:
            return self.diagnostics
        depth = len(self.place)
        withheld = [dotted(place[depth:]) for place in self.source.withheld if place[:depth] == self.place]
        return tuple(one for one in self.diagnostics if not any(_overlap(one.key, key) for key in withheld))

    def is_withheld(self, place: Place) -> bool:
        """Whether the source withholds the value at `place`, relative to the body."""
        return isinstance(self.source, SourceDocument) and self.source.is_withheld(self.place + place)

    def withheld_among(self, keys: Iterable[str]) -> list[str]:
        """Return the keys of the body whose values, or parts of them, the source withholds."""
        return [key for key in keys if self.is_withheld((key,))]

    @property
    def address(self) -> str:
        """The address of the resource of the asset, such as `datadog_monitor.lag["eu"]`, or an empty text."""
        return self.source.address if isinstance(self.source, SourceDocument) else ''

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(one for one in self.judged if one.severity is Severity.ERROR)

    @property
    def fixes(self) -> Mapping[Place, Any]:
        """The `Report.fixes` of the body."""
        return {}

    def cleaned(self) -> dict[str, Any]:
        """Return the body without keys that the API ignores, and with numbers instead of texts."""
        return _cleaned(self.body, (), self.fixes)  # type: ignore[no-any-return]

    def where(self, *place: str | int) -> str:
        """Return the place of a value as `file:line:column`."""
        position = self.position(*place)
        return f'{self.path}:{position.line}:{position.column}' if position else str(self.path)

    def position(self, *place: str | int) -> Position | None:
        """Return where the value at `place`, relative to the body, starts in the source."""
        return self.source.position(self.place + place)

    def edit(self, value: Any, *place: str | int) -> Edit | None:
        """Return the edit that replaces a value in the file; REMOVED deletes an element from its list.

        None if the source is not a JSON file that people write.
        """
        return self.source.edit(self.place + place, value) if isinstance(self.source, EditableSource) else None

    def diagnostic(
        self,
        code: str,
        severity: Severity,
        place: Place,
        message: str,
        *,
        hint: str = '',
        span: Span | None = None,
        label: str = '',
    ) -> Diagnostic:
        """Return a diagnostic about the value at `place`, relative to the body.

        `span` marks a part of the text there. Looking up the position walks through the source.
        """
        excerpt, column = None, None
        text = value_at(self.body, place) if span else None
        if span and isinstance(text, str):
            excerpt = Excerpt(text, span.start, max(span.end, span.start + 1))
            column = span.start
        return Diagnostic(
            code=code,
            severity=severity,
            path=self.path,
            position=self.source.position(self.place + place, column),
            message=message,
            hint=hint,
            object=_addressed(self.address, label or self.label),
            key=dotted(place),
            excerpt=excerpt,
        )


def _overlap(key: str, other: str) -> bool:
    """Whether one of two places contains the other."""
    if not key:
        return False
    short, long = sorted((key, other), key=len)
    return long == short or long.startswith((f'{short}.', f'{short}['))


def _addressed(address: str, label: str) -> str:
    return f'{address} "{label}"' if address and label not in ('', address) else address or label


def _cleaned(value: Any, place: Place, fixes: Mapping[Place, Any]) -> Any:
    match value:
        case Mapping():
            return {
                key: _cleaned(fixes.get((*place, key), inner), (*place, key), fixes)
                for key, inner in value.items()
                if fixes.get((*place, key)) is not REMOVED
            }
        case list() | tuple():
            return [_cleaned(inner, (*place, index), fixes) for index, inner in enumerate(value)]
    return value


def value_at(body: Any, place: Place) -> Any:
    """Return the value at a place, None if it is missing."""
    for step in place:
        try:
            body = body[step]
        except (LookupError, TypeError):
            return None
    return body


def text(value: Any) -> str:
    """Return the value if it is a text, else an empty text."""
    return value if isinstance(value, str) else ''


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def one_or_more(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) and value else texts(value)


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
