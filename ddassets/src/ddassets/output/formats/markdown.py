"""Markdown for the summary of a CI job: the result, a row per file, and a row per diagnostic."""

import re
from collections.abc import Iterable, Iterator, Sequence

from ddassets.diagnostic import Severity
from ddassets.output.report import Case, Report
from ddassets.output.terminal import Paint, printable, shown_path

_SIGNS = {Severity.ERROR: '❌', Severity.WARNING: '⚠️', Severity.NOTE: 'ℹ️'}
#: A job summary may have 1 MiB.
MAX_ROWS = 500


def write(report: Report, paint: Paint) -> str:
    *context, result = report.summary.splitlines()
    lines = [f'## ddassets {report.command}', '', f'**{_escaped(result)}**', '']
    if report.diagnostics:
        rows = [
            (
                f'{_SIGNS[diagnostic.severity]} {diagnostic.severity}',
                f'`{_place(shown_path(diagnostic.path), diagnostic.position.line if diagnostic.position else None)}`',
                f'{_escaped(diagnostic.sentence)} `{diagnostic.code}`',
            )
            for diagnostic in report.diagnostics
        ]
        lines += [*_table(('Severity', 'Place', 'Message'), rows), '']
    if any(case.status == 'passed' for case in report.cases) and len({case.suite for case in report.cases}) > 1:
        lines += [*_table(('File', 'Passed', 'Failed'), _counts(report.cases)), '']
    lines += [f'- {_escaped(line.strip())}' for line in context]
    return '\n'.join(lines).rstrip('\n') + '\n'


def _counts(cases: Iterable[Case]) -> Iterator[Sequence[str]]:
    suites: dict[str, list[bool]] = {}
    for case in cases:
        suites.setdefault(case.suite, []).append(case.status == 'passed')
    for suite, results in suites.items():
        yield f'`{_place(suite, None)}`', str(sum(results)), str(len(results) - sum(results))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    listed = list(rows)
    yield f'| {" | ".join(head)} |'
    yield f'|{"---|" * len(head)}'
    yield from (f'| {" | ".join(row)} |' for row in listed[:MAX_ROWS])
    if len(listed) > MAX_ROWS:
        yield f'\n… and {len(listed) - MAX_ROWS} more'


def _place(path: str, line: int | None) -> str:
    return printable(path).replace('`', "'").replace('|', r'\|') + (f':{line}' if line else '')


def _escaped(text: str) -> str:
    """Return the text with Markdown and HTML markup escaped."""
    return re.sub(r'([\\`*_{}\[\]<>|#~@])', r'\\\1', printable(' '.join(text.split())))
