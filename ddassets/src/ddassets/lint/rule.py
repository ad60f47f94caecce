"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ddassets.assets import Asset
from ddassets.assets.source import Place
from ddassets.diagnostic import Diagnostic, Edit, Position, Severity, Span


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
    # Where only one change of the file is right.
    fix: Edit | None = None

    @property
    def is_withheld(self) -> bool:
        """Whether it judges a value that the source does not give."""
        return isinstance(self.where, Asset) and self.where.is_withheld(self.place)

    def finding(self, rule: 'Rule[Any]') -> Diagnostic:
        """Look up the position, which costs a walk through the file."""
        if isinstance(self.where, Spot):
            return Diagnostic(
                code=rule.id,
                severity=self.severity or rule.severity,
                path=self.where.path,
                position=self.where.position,
                message=self.message,
                hint=self.hint,
                object=self.object,
                fix=self.fix,
            )
        found = self.where.diagnostic(
            rule.id,
            self.severity or rule.severity,
            self.place,
            self.message,
            hint=self.hint,
            span=self.span,
            label=self.object,
        )
        return replace(found, fix=self.fix)


# What an example holds: for each file a JSON merge patch (RFC 7396) over the example integration, or its whole content.
type Files = Mapping[str, Mapping[str, Any] | str | bytes | None]


def reported(subject: Any) -> Iterable[Fault]:
    """The check of a rule whose diagnostics come from reading the assets, under the id of the rule."""
    return ()


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
