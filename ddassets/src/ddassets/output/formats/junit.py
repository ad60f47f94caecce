"""JUnit XML: a suite for each file, a case for each checked item. Names are unique within a suite."""

from xml.etree import ElementTree as xml

from ddassets.output.report import Case, Report, unique_names
from ddassets.output.terminal import Paint, printable


def write(report: Report, paint: Paint) -> str:
    top = xml.Element('testsuites', name=f'ddassets {report.command}')
    suites: dict[str, list[tuple[str, Case]]] = {}
    for name, case in zip(unique_names(report.cases), report.cases, strict=True):
        suites.setdefault(case.suite, []).append((name, case))
    for suite, cases in suites.items():
        counts = {status: sum(case.status == status for _, case in cases) for status in ('failed', 'error')}
        element = xml.SubElement(
            top,
            'testsuite',
            name=printable(suite),
            tests=str(len(cases)),
            failures=str(counts['failed']),
            errors=str(counts['error']),
        )
        for name, case in cases:
            _add_case(element, name, case)
    xml.indent(top)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{xml.tostring(top, encoding="unicode")}\n'


def _add_case(suite: xml.Element, name: str, case: Case) -> None:
    element = xml.SubElement(suite, 'testcase', classname=printable(case.suite), name=printable(name))
    if case.position:
        element.set('line', str(case.position.line))
    if case.status == 'passed':
        if case.details:
            xml.SubElement(element, 'system-out').text = _lines(case.details)
        return
    problem = xml.SubElement(element, 'failure' if case.status == 'failed' else 'error')
    if case.kind:
        problem.set('type', case.kind)
    problem.set('message', printable(case.message))
    problem.text = _lines(case.details)


def _lines(text: str) -> str:
    """Return the text with characters that XML does not allow escaped; line breaks are kept."""
    return '\n'.join(map(printable, text.split('\n')))
