"""GitHub workflow commands: annotations beside the changed lines of a pull request."""

from ddassets.diagnostic import Severity
from ddassets.output.report import Report
from ddassets.output.terminal import Paint, printable, shown_path

_COMMANDS = {Severity.ERROR: 'error', Severity.WARNING: 'warning', Severity.NOTE: 'notice'}


def write(report: Report, paint: Paint) -> str:
    lines = []
    for diagnostic in report.diagnostics:
        properties = {'file': shown_path(diagnostic.path)}
        if diagnostic.position:
            properties |= {'line': str(diagnostic.position.line), 'col': str(diagnostic.position.column)}
        properties['title'] = diagnostic.code
        listed = ','.join(f'{key}={_escaped(value, ":,")}' for key, value in properties.items())
        lines.append(f'::{_COMMANDS[diagnostic.severity]} {listed}::{_escaped(diagnostic.sentence)}')
    return '\n'.join([*lines, report.summary]) + '\n'


def _escaped(words: str, more: str = '') -> str:
    # The percent sign first: the other escapes contain it.
    for character in f'%\r\n{more}':
        words = words.replace(character, f'%{ord(character):02X}')
    return printable(words)
