"""Text for people: diagnostics grouped by file, each with its excerpt, caret and hint, then the summary."""

from collections.abc import Iterable

from ddassets.diagnostic import Diagnostic, Severity
from ddassets.output.report import Report
from ddassets.output.terminal import Paint, bounded, printable, shorten, shown_path

COLOURS = {Severity.ERROR: '31', Severity.WARNING: '33', Severity.NOTE: '36'}


def write(report: Report, paint: Paint) -> str:
    if report.text:
        return bounded(report.text(paint))
    return '\n'.join([*diagnostic_lines(report.diagnostics, paint), '', report.summary]).lstrip('\n') + '\n'


def diagnostic_lines(diagnostics: Iterable[Diagnostic], paint: Paint) -> list[str]:
    """Return the lines, with an empty line and the path before each file's first diagnostic."""
    lines: list[str] = []
    file = None
    for diagnostic in diagnostics:
        if diagnostic.path != file:
            file = diagnostic.path
            lines += ['', paint('1', shorten(printable(shown_path(file))))]
        place = f'{diagnostic.position.line}:{diagnostic.position.column}' if diagnostic.position else '-'
        colour = COLOURS[diagnostic.severity]
        severity = paint(colour, f'{diagnostic.severity!s:<7}')
        subject = f' ({shorten(printable(diagnostic.object), 100)})' if diagnostic.object else ''
        code = paint('2', diagnostic.code)
        lines.append(f'  {place:>7}  {severity}  {shorten(printable(diagnostic.message))}  {code}{subject}')
        if diagnostic.excerpt:
            shown, carets = diagnostic.excerpt.caret()
            lines += [' ' * 20 + shown, ' ' * 20 + paint(colour, carets)]
        if diagnostic.hint:
            lines.append(' ' * 20 + shorten(printable(diagnostic.hint)))
    return lines
