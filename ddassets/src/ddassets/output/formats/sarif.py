"""SARIF 2.1.0, which code scanning and editors read."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from ddassets.diagnostic import Diagnostic, Severity
from ddassets.output.report import HOME, Report, Rule
from ddassets.output.terminal import Paint, printable, shown_path

_LEVELS = {Severity.ERROR: 'error', Severity.WARNING: 'warning', Severity.NOTE: 'note'}


def write(report: Report, paint: Paint) -> str:
    rules = _rules(report)
    indices = {rule.code: index for index, rule in enumerate(rules)}
    fingerprints = _fingerprints(report.diagnostics)
    driver = {
        'name': 'ddassets',
        'version': version('ddassets'),
        'informationUri': HOME,
        'rules': [
            {
                'id': rule.code,
                'shortDescription': {'text': rule.summary},
                'fullDescription': {'text': rule.explanation or rule.summary},
                'helpUri': rule.help_uri,
                'defaultConfiguration': {'level': _LEVELS[rule.severity]},
            }
            for rule in rules
        ],
    }
    results = [
        _result(diagnostic, indices[diagnostic.code], fingerprint)
        for diagnostic, fingerprint in zip(report.diagnostics, fingerprints, strict=True)
    ]
    document = {
        '$schema': 'https://json.schemastore.org/sarif-2.1.0.json',
        'version': '2.1.0',
        'runs': [{'tool': {'driver': driver}, 'columnKind': 'unicodeCodePoints', 'results': results}],
    }
    return json.dumps(document, indent=2) + '\n'


def _rules(report: Report) -> Sequence[Rule]:
    """Return the report's rules, and a rule for each code without one."""
    rules = {rule.code: rule for rule in report.rules()}
    for diagnostic in report.diagnostics:
        rules.setdefault(diagnostic.code, Rule(diagnostic.code, diagnostic.severity, diagnostic.code))
    return list(rules.values())


def _result(diagnostic: Diagnostic, index: int, fingerprint: str) -> dict[str, Any]:
    location: dict[str, Any] = {'artifactLocation': {'uri': quote(printable(shown_path(diagnostic.path)))}}
    if diagnostic.position:
        location['region'] = {'startLine': diagnostic.position.line, 'startColumn': diagnostic.position.column}
    return {
        'ruleId': diagnostic.code,
        'ruleIndex': index,
        'level': _LEVELS[diagnostic.severity],
        'message': {'text': printable(diagnostic.sentence)},
        'locations': [{'physicalLocation': location}],
        'partialFingerprints': {'ddassets/v1': fingerprint},
    }


def _fingerprints(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """Return a digest for each finding, without its line, so that it stays the same when lines move.

    Equal findings are numbered in order.
    """
    seen: dict[tuple[str, ...], int] = {}
    digests = []
    for diagnostic in diagnostics:
        text = diagnostic.excerpt.text[diagnostic.excerpt.start : diagnostic.excerpt.end] if diagnostic.excerpt else ''
        file, subject = shown_path(diagnostic.path), diagnostic.object
        parts = (diagnostic.code, file, subject, diagnostic.key, text, diagnostic.message)
        number = seen[parts] = seen.get(parts, 0) + 1
        digests.append(hashlib.sha256('\0'.join([*parts, str(number)]).encode('utf-8', 'replace')).hexdigest()[:32])
    return digests
