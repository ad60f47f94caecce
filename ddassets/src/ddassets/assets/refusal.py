"""Refuse an asset because of its errors, with the same messages and places for every command."""

from collections.abc import Iterable
from typing import NoReturn

from ddassets.diagnostic import Diagnostic, Severity, UnusableInputError


def line(diagnostic: Diagnostic) -> str:
    """Return a diagnostic as `file:line:column: object: message (hint) [rule]`."""
    position, excerpt = diagnostic.position, diagnostic.excerpt
    where = f'{diagnostic.path}:{position.line}:{position.column}' if position else str(diagnostic.path)
    # A downtime is named after its file.
    unnamed = diagnostic.object in ('', diagnostic.path.stem, str(diagnostic.path))
    subject = '' if unnamed else f'{diagnostic.object}: '
    column = f'column {excerpt.start + 1}: ' if excerpt else ''
    return f'{where}: {subject}{column}{diagnostic.sentence} [{diagnostic.code}]'


def refuse(diagnostics: Iterable[Diagnostic], way_out: str = '') -> NoReturn:
    """Raise UnusableInputError with every error among the diagnostics; `way_out` is an alternative for the user."""
    errors = tuple(one for one in diagnostics if one.severity is Severity.ERROR)
    lines = [text for one in errors for text in (line(one), *(one.excerpt.caret() if one.excerpt else ()))]
    raise UnusableInputError(lines[0], '\n'.join([*lines[1:], *filter(None, [way_out])]), errors)
