"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddassets.assets import Asset, Dashboard, DashboardVariable, Downtime, Monitor, Widget
from ddassets.assets.document import Place
from ddassets.assets.source_document import SourceDocument
from ddassets.diagnostic import Diagnostic, Excerpt, Position, Severity, Span


@dataclass(frozen=True)
class Spot:
    """A place in a file that is no asset, such as a line of metadata.csv."""

    path: Path
    position: Position | None = None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What a rule's check yields. `place` counts from the body of the asset; `span` is a part of the string there.

    `severity` replaces the rule's own where this one is more or less sure; `object` what the asset is called.
    """

    where: Asset | Spot
    message: str
    place: Place = ()
    span: Span | None = None
    hint: str = ''
    severity: Severity | None = None
    object: str = ''

    def finding(self, rule: 'Rule[Any]') -> Diagnostic:
        """Look up the position, which costs a walk through the file."""
        excerpt = None
        if isinstance(self.where, Spot):
            position = self.where.position
        else:
            column = None
            text = self._text()
            if text is not None and self.span:
                excerpt = Excerpt(text, self.span.start, max(self.span.end, self.span.start + 1))
                column = self.span.start
            position = self.where.document.position(self.where.place + self.place, column)
        return Diagnostic(
            code=rule.id,
            severity=self.severity or rule.severity,
            path=self.where.path,
            position=position,
            message=self.message,
            hint=self.hint,
            object=self.object or _label(self.where),
            excerpt=excerpt,
        )

    @property
    def is_withheld(self) -> bool:
        """Whether it judges a value that the source does not give."""
        if isinstance(self.where, Spot) or not isinstance(self.where.document, SourceDocument):
            return False
        return self.where.document.is_withheld(self.where.place + self.place)

    def _text(self) -> str | None:
        value: Any = self.where.body if isinstance(self.where, Asset) else None
        for step in self.place:
            try:
                value = value[step]
            except (LookupError, TypeError):
                return None
        return value if isinstance(value, str) else None


def _label(where: Asset | Spot) -> str:
    """The name of the asset, after the address of its resource where it has one."""
    name = _name(where)
    address = where.document.address if isinstance(where, Asset) and isinstance(where.document, SourceDocument) else ''
    return f'{address} "{name}"' if address and name not in ('', address) else address or name


def _name(where: Asset | Spot) -> str:
    match where:
        case Monitor():
            return where.name
        case Widget():
            return where.title or where.type
        case Dashboard():
            return where.title
        case DashboardVariable():
            return f'${where.name}'
        case Downtime():
            return where.path.stem
        case _:
            return ''


# What an example holds: for each file a JSON merge patch (RFC 7396) over the example integration, or its whole content.
type Files = Mapping[str, Mapping[str, Any] | str | bytes | None]


@dataclass(frozen=True, kw_only=True)
class Rule[Subject]:
    """One thing to look for. The id is `group/name`; `reason` is one line, `explanation` is Markdown.

    `bad` yields this rule's finding and no other, `good` yields none. `emission` is what the example's check submits,
    for the rules that judge by it alone.
    """

    id: str
    severity: Severity
    reason: str
    explanation: str
    bad: Files
    good: Files
    check: Callable[[Subject], Iterable[Fault]]
    emission: Mapping[str, Any] | None = None
    # An opinion is judged by the profile `strict` alone.
    opinion: bool = False
    # The file of the examples that is linted by itself, for the rules about sources.
    file: str = ''
    # The numbers of the rules of the semantics that it rests upon.
    semantics: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        return self.id.partition('/')[0]

    @property
    def anchor(self) -> str:
        """The anchor of its heading on the page of rules: GitHub keeps letters, digits and hyphens."""
        return self.id.replace('/', '')
