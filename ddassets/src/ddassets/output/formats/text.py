"""Text for people: diagnostics grouped by file, each with its excerpt, caret and hint, then the summary."""

from collections.abc import Iterable

from ddassets.diagnostic import Diagnostic, Severity
from ddassets.output.report import Report
from ddassets.output.terminal import Paint, Screen, bounded, printable, shorten, shown_path

INDENT = 20
COLOURS = {Severity.ERROR: '31', Severity.WARNING: '33', Severity.NOTE: '36'}


def write(report: Report, paint: Paint) -> str:
    if report.text:
        return bounded(report.text(paint))
    screen = Screen.of_output()
    summary = [part for line in report.summary.split('\n') for part in screen.wrapped(line, 0)]
    return '\n'.join([*diagnostic_lines(report.diagnostics, paint), '', *summary]).lstrip('\n') + '\n'


def diagnostic_lines(diagnostics: Iterable[Diagnostic], paint: Paint) -> list[str]:
    """Return lines that fit the screen; an empty line and the path precede the first diagnostic of a file."""
    screen = Screen(paint, Screen.of_output().width)
    lines: list[str] = []
    file = None
    for diagnostic in diagnostics:
        if diagnostic.path != file:
            file = diagnostic.path
            lines += ['', paint('1', shorten(printable(shown_path(file))))]
        place = f'{diagnostic.position.line}:{diagnostic.position.column}' if diagnostic.position else '-'
        colour = COLOURS[diagnostic.severity]
        severity = f'{diagnostic.severity!s:<7}'
        subject = f' ({shorten(printable(diagnostic.object), 100)})' if diagnostic.object else ''
        message = f'{shorten(printable(diagnostic.message))}  {diagnostic.code}{subject}'
        first, *more = screen.wrapped(f'  {place:>7}  {severity}  {message}', 0, INDENT)
        lines.append(first.replace(severity, paint(colour, severity), 1))
        lines += more
        _paint_last(lines, diagnostic.code, paint)
        if diagnostic.excerpt:
            shown, carets = diagnostic.excerpt.caret(min(110, screen.width - INDENT - 2))
            lines += [' ' * INDENT + shown, ' ' * INDENT + paint(colour, carets)]
        if diagnostic.hint:
            lines += screen.wrapped(shorten(diagnostic.hint), INDENT, 0)
    return lines


def _paint_last(lines: list[str], code: str, paint: Paint) -> None:
    """Dim the code in the last line that contains it."""
    for index in reversed(range(len(lines))):
        before, found, after = lines[index].rpartition(code)
        if found:
            lines[index] = f'{before}{paint("2", code)}{after}'
            return
