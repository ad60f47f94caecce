"""The result of lint as a report."""

from ddassets.diagnostic import Diagnostic, Severity
from ddassets.lint.rules import all_rules
from ddassets.lint.run import Report as Findings
from ddassets.output.report import Case, Report, Rule, diagnostic_document
from ddassets.output.terminal import count, printable, shown_path


def report(findings: Findings) -> Report:
    """Return what lint found, for every output format."""
    line = summary(findings)
    cases = [_case(diagnostic) for diagnostic in findings.findings]
    return Report(
        command='lint',
        summary=line,
        document={
            'integrations': findings.integrations,
            'queries': findings.queries,
            'not_covered': dict(sorted(findings.not_covered.items())),
            'ignored': findings.ignored,
            'findings': [diagnostic_document(diagnostic) for diagnostic in findings.findings],
        },
        diagnostics=findings.findings,
        cases=cases or [Case('ddassets lint', line)],
        rules=[
            Rule(rule.id, rule.severity, rule.reason, rule.explanation, f'ddassets/docs/rules.md#{rule.anchor}')
            for rule in all_rules().values()
        ],
    )


def summary(findings: Findings) -> str:
    """Return one line: what was read, the number of findings, and what no rule reads."""
    counts = [(severity, sum(f.severity == severity for f in findings.findings)) for severity in reversed(Severity)]
    listed = ', '.join(count(number, str(severity)) for severity, number in counts if number) or 'nothing found'
    parts = [f'{count(findings.integrations, "integration")}, {count(findings.queries, "query", "queries")}: {listed}']
    if findings.ignored:
        parts.append(f'{findings.ignored} ignored')
    if findings.not_covered:
        products = ', '.join(f'{printable(name)} {number}' for name, number in findings.not_covered.most_common())
        parts.append(f'not covered: queries of other products ({products})')
    return '; '.join(parts)


def _case(diagnostic: Diagnostic) -> Case:
    """A note does not fail."""
    file, position = shown_path(diagnostic.path), diagnostic.position
    place = f'{file}:{position.line}:{position.column}' if position else file
    fails = diagnostic.severity > Severity.NOTE
    return Case(
        suite=file,
        name=f'{diagnostic.code} {diagnostic.object}'.strip(),
        status='failed' if fails else 'passed',
        message=diagnostic.sentence,
        details=place if fails else f'{place}: {diagnostic.sentence}',
        position=position,
        kind=str(diagnostic.severity),
    )
