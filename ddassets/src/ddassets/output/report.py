"""The result of a command, in the form that every output format writes."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ddassets.diagnostic import Diagnostic, Position, Severity, UnusableInputError
from ddassets.output.terminal import Paint, shown_path

#: The address of the project, used in SARIF; the pages of the rules are below it.
HOME = 'https://github.com/my-metric-maintainers/my_metric'


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of a diagnostic's code. `page` is a path below HOME, or empty."""

    code: str
    severity: Severity
    summary: str
    explanation: str = ''
    page: str = ''

    @property
    def help_uri(self) -> str:
        return f'{HOME}/blob/main/{self.page or "ddassets/README.md"}'


@dataclass(frozen=True, slots=True)
class Case:
    """A checked item, a JUnit test case: a finding, an expectation, an instance of a check, a step of a plan.

    `suite` groups cases, usually by file. `details` is a text of several lines; for a passed case it is a remark.
    `kind` is the type of the failure.
    """

    suite: str
    name: str
    status: Literal['passed', 'failed', 'error'] = 'passed'
    message: str = ''
    details: str = ''
    position: Position | None = None
    kind: str = ''


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a command. `summary` has one or a few lines; `text` writes the text output, if not the diagnostics.

    `document` is the JSON output. `cases` has at least one item.
    """

    command: str
    summary: str
    document: Mapping[str, Any]
    diagnostics: Sequence[Diagnostic] = ()
    cases: Sequence[Case] = ()
    rules: Callable[[], Sequence[Rule]] = tuple
    text: Callable[[Paint], str] | None = None


def unique_names(cases: Sequence[Case]) -> list[str]:
    """Return a name for each case that is unique in its suite: with its place, then with a number."""
    counts = Counter((case.suite, case.name) for case in cases)
    used: set[tuple[str, str]] = set()
    numbers: Counter[tuple[str, str]] = Counter()
    names = []
    for case in cases:
        name = case.name
        if counts[case.suite, name] > 1 and case.position:
            name = f'{name} ({case.position.line}:{case.position.column})'
        unique = name
        while (case.suite, unique) in used:
            numbers[case.suite, name] += 1
            unique = f'{name} #{numbers[case.suite, name] + 1}'
        used.add((case.suite, unique))
        names.append(unique)
    return names


def diagnostic_document(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return a diagnostic as data: lines and columns count from 1, `span` from 0 within `text`."""
    position, excerpt = diagnostic.position, diagnostic.excerpt
    document: dict[str, Any] = {
        'rule': diagnostic.code,
        'severity': str(diagnostic.severity),
        'file': shown_path(diagnostic.path),
        'line': position.line if position else None,
        'column': position.column if position else None,
        'object': diagnostic.object,
        'key': diagnostic.key,
        'message': diagnostic.message,
        'hint': diagnostic.hint,
    }
    if excerpt:
        document |= {'text': excerpt.text, 'span': [excerpt.start, excerpt.end]}
    return document


# The first part of the codes of a command, if it is not the command.
_PREFIXES = {'rehearse': 'rehearsal'}


def refusal_diagnostics(error: UnusableInputError, code: str, path: Path) -> list[Diagnostic]:
    """Return the faults of an error, or the error as a single diagnostic about `path`."""
    return list(error.diagnostics) or [Diagnostic(code, Severity.ERROR, path, str(error))]


def refusal(error: UnusableInputError, command: str, path: Path) -> Report:
    """Return the report of a command whose input could not be used."""
    diagnostics = refusal_diagnostics(error, f'{_PREFIXES.get(command, command)}/unusable', path)
    return Report(
        command=command,
        summary='the input cannot be used',
        document={
            'ok': False,
            'error': str(error),
            'details': error.details,
            'diagnostics': [diagnostic_document(diagnostic) for diagnostic in diagnostics],
        },
        diagnostics=diagnostics,
        cases=[Case(str(path), 'can be used', 'error', str(error), error.details)],
    )
