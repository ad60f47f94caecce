"""A report as people read it, and as machines do: JSON, GitHub's annotations, SARIF 2.1.0, JUnit."""

import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from ddassets.diagnostic import Diagnostic, Excerpt, Severity
from ddassets.lint.rules import all_rules
from ddassets.lint.run import Report
from ddassets.output.terminal import PLAIN, Paint, printable, shown_path

# How much of a query is shown around the fault.
_WIDTH = 110
_COLOURS = {Severity.ERROR: '31', Severity.WARNING: '33', Severity.NOTE: '36'}


def text(report: Report, paint: Paint = PLAIN) -> str:
    """Findings grouped by file, a caret under each query, and a line of figures."""
    lines: list[str] = []
    file = None
    for finding in report.findings:
        if finding.path != file:
            file = finding.path
            lines += ['', paint('1', printable(shown_path(file)))]
        where = f'{finding.position.line}:{finding.position.column}' if finding.position else '-'
        severity = paint(_COLOURS[finding.severity], f'{finding.severity!s:<7}')
        subject = f' ({printable(finding.object)})' if finding.object else ''
        lines.append(f'  {where:>7}  {severity}  {printable(finding.message)}  {paint("2", finding.code)}{subject}')
        if finding.excerpt:
            shown, caret = _with_caret(finding.excerpt)
            lines += [' ' * 20 + shown, ' ' * 20 + paint(_COLOURS[finding.severity], caret)]
        if finding.hint:
            lines.append(' ' * 20 + printable(finding.hint))
    return '\n'.join([*lines, '', summary(report)]).lstrip('\n') + '\n'


def summary(report: Report) -> str:
    """One line: what was read, what was found, and what no rule reads."""
    counts = [(severity, sum(f.severity == severity for f in report.findings)) for severity in reversed(Severity)]
    found = ', '.join(_number(count, str(severity)) for severity, count in counts if count) or 'nothing found'
    parts = [f'{_number(report.integrations, "integration")}, {_number(report.queries, "query", "queries")}: {found}']
    if report.ignored:
        parts.append(f'{report.ignored} ignored')
    if report.not_covered:
        listed = ', '.join(f'{printable(product)} {count}' for product, count in report.not_covered.most_common())
        parts.append(f'not covered: queries of other products ({listed})')
    return '; '.join(parts)


def _number(count: int, noun: str, plural: str = '') -> str:
    return f'{count} {noun if count == 1 else plural or noun + "s"}'


def _with_caret(excerpt: Excerpt) -> tuple[str, str]:
    """The line of the text that is at fault, cut to a width, and the carets to print below."""
    start = min(excerpt.start, len(excerpt.text))
    first = excerpt.text.rfind('\n', 0, start) + 1
    last = excerpt.text.find('\n', start)
    last = len(excerpt.text) if last < 0 else last
    left = first if last - first <= _WIDTH else max(first, start - _WIDTH // 2)
    right = min(last, left + _WIDTH)
    before, after = '…' * (left > first), '…' * (right < last)
    shown = ''.join(c if c.isprintable() else '\ufffd' for c in excerpt.text[left:right])
    carets = max(1, min(excerpt.end, right) - start)
    return f'{before}{shown}{after}', ' ' * (len(before) + start - left) + '^' * carets


def as_json(report: Report) -> str:
    """One document; lines and columns count from 1, `span` from 0 within `text`."""
    document = {
        'integrations': report.integrations,
        'queries': report.queries,
        'not_covered': dict(sorted(report.not_covered.items())),
        'ignored': report.ignored,
        'findings': [_finding_document(finding) for finding in report.findings],
    }
    return json.dumps(document, indent=2) + '\n'


def _finding_document(finding: Diagnostic) -> dict[str, Any]:
    document: dict[str, Any] = {
        'rule': finding.code,
        'severity': str(finding.severity),
        'file': shown_path(finding.path),
        'line': finding.position.line if finding.position else None,
        'column': finding.position.column if finding.position else None,
        'object': finding.object,
        'message': finding.message,
        'hint': finding.hint,
    }
    if finding.excerpt:
        document['text'] = finding.excerpt.text
        document['span'] = [finding.excerpt.start, finding.excerpt.end]
    return document


def github(report: Report) -> str:
    """Workflow commands: GitHub shows them beside the changed lines of a pull request."""
    commands = {Severity.ERROR: 'error', Severity.WARNING: 'warning', Severity.NOTE: 'notice'}
    lines = []
    for finding in report.findings:
        properties = {'file': shown_path(finding.path)}
        if finding.position:
            properties |= {'line': str(finding.position.line), 'col': str(finding.position.column)}
        properties['title'] = finding.code
        listed = ','.join(f'{key}={_escaped(value, ":,")}' for key, value in properties.items())
        lines.append(f'::{commands[finding.severity]} {listed}::{_escaped(_sentence(finding))}')
    return '\n'.join([*lines, summary(report)]) + '\n'


def _escaped(words: str, more: str = '') -> str:
    # The percent sign first: the other escapes hold it.
    for character in f'%\r\n{more}':
        words = words.replace(character, f'%{ord(character):02X}')
    return printable(words)


def _sentence(finding: Diagnostic) -> str:
    return f'{finding.message} ({finding.hint})' if finding.hint else finding.message


def sarif(report: Report) -> str:
    """SARIF 2.1.0, which code scanners and editors read."""
    levels = {Severity.ERROR: 'error', Severity.WARNING: 'warning', Severity.NOTE: 'note'}
    rules = all_rules()
    indices = {rule: index for index, rule in enumerate(rules)}
    results = []
    for finding in report.findings:
        location: dict[str, Any] = {'artifactLocation': {'uri': quote(printable(shown_path(finding.path)))}}
        if finding.position:
            location['region'] = {'startLine': finding.position.line, 'startColumn': finding.position.column}
        results.append(
            {
                'ruleId': finding.code,
                'ruleIndex': indices[finding.code],
                'level': levels[finding.severity],
                'message': {'text': printable(_sentence(finding))},
                'locations': [{'physicalLocation': location}],
            }
        )
    driver = {
        'name': 'ddassets',
        'version': version('ddassets'),
        'rules': [
            {
                'id': rule.id,
                'shortDescription': {'text': rule.reason},
                'fullDescription': {'text': rule.explanation},
                'defaultConfiguration': {'level': levels[rule.severity]},
            }
            for rule in rules.values()
        ],
    }
    document = {
        '$schema': 'https://json.schemastore.org/sarif-2.1.0.json',
        'version': '2.1.0',
        'runs': [{'tool': {'driver': driver}, 'columnKind': 'unicodeCodePoints', 'results': results}],
    }
    return json.dumps(document, indent=2) + '\n'


def junit(report: Report) -> str:
    """JUnit's XML: a suite for each file with findings, a case for each finding. A note does not fail."""
    from xml.etree import ElementTree as xml

    by_file: dict[str, list[Diagnostic]] = {}
    for finding in report.findings:
        by_file.setdefault(shown_path(finding.path), []).append(finding)
    top = xml.Element('testsuites', name='ddassets lint')
    for file, findings in by_file.items():
        failures = sum(finding.severity > Severity.NOTE for finding in findings)
        suite = xml.SubElement(
            top, 'testsuite', name=printable(file), tests=str(len(findings)), failures=str(failures), errors='0'
        )
        for finding in findings:
            where = f'{file}:{finding.position.line}:{finding.position.column}' if finding.position else file
            name = f'{finding.code} {finding.object}'.strip()
            case = xml.SubElement(suite, 'testcase', classname=printable(file), name=printable(name))
            if finding.severity > Severity.NOTE:
                failure = xml.SubElement(
                    case, 'failure', type=str(finding.severity), message=printable(_sentence(finding))
                )
                failure.text = printable(where)
            else:
                xml.SubElement(case, 'system-out').text = printable(f'{where}: {_sentence(finding)}')
    if not by_file:
        suite = xml.SubElement(top, 'testsuite', name='ddassets lint', tests='1', failures='0', errors='0')
        xml.SubElement(suite, 'testcase', classname='ddassets lint', name=summary(report))
    xml.indent(top)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{xml.tostring(top, encoding="unicode")}\n'


FORMATS: Mapping[str, Callable[[Report], str]] = {
    'text': text,
    'json': as_json,
    'github': github,
    'sarif': sarif,
    'junit': junit,
}
