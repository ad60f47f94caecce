"""The types of rules and faults."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ddassets.assets import Asset
from ddassets.assets.source import Place
from ddassets.diagnostic import Diagnostic, Edit, Position, Severity, Span


@dataclass(frozen=True)
class Spot:
    """A place in a file that is not an asset, such as a line of metadata.csv."""

    path: Path
    position: Position | None = None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A result of a rule. `place` is relative to the body of the asset; `span` is a part of the string there.

    `severity` overrides the severity of the rule; `object` overrides the name of the asset.
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
        """Whether the fault is about a value that the source does not contain."""
        return isinstance(self.where, Asset) and self.where.is_withheld(self.place)

    def finding(self, rule: 'Rule[Any]') -> Diagnostic:
        """Return the finding. Looks up the position, which walks through the file."""
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


# An example: for each file its whole content, or a JSON merge patch (RFC 7396) of the example integration.
type Files = Mapping[str, Mapping[str, Any] | str | bytes | None]


def reported(subject: Any) -> Iterable[Fault]:
    """Return the check of a rule whose diagnostics the decoder of the assets reports under the rule's id."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Rule[Subject]:
    """A rule. The id is `group/name`; `reason` is one line, `explanation` is Markdown.

    `bad` yields findings of this rule and no other, `good` yields none. `emission` is what the example's check submits,
    for rules that need it.
    """

    id: str
    severity: Severity
    reason: str
    explanation: str
    bad: Files
    good: Files
    check: Callable[[Subject], Iterable[Fault]]
    emission: Mapping[str, Any] | None = None
    # Rules that are opinions run only with the profile `strict`.
    opinion: bool = False
    # For rules about sources: the file of the examples that is linted separately.
    file: str = ''
    # Numbers of the rules of the semantics on which it is based.
    semantics: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        return self.id.partition('/')[0]

    @property
    def anchor(self) -> str:
        """The anchor of the rule's heading in docs/rules.md: GitHub keeps letters, digits and hyphens."""
        return self.id.replace('/', '')
