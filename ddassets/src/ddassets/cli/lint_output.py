"""The result of lint as a report."""

from collections import Counter
from pathlib import Path

from ddassets.assets import is_integration
from ddassets.diagnostic import Diagnostic, Severity
from ddassets.lint.rules import all_rules
from ddassets.lint.run import Report as Findings
from ddassets.output.report import Case, Report, Rule, diagnostic_document
from ddassets.output.terminal import Paint, count, printable, shown_path


def report(findings: Findings, by_rule: bool = False) -> Report:
    """Return what lint found, for every output format; `by_rule` shows people tables instead of each finding."""
    line = summary(findings)
    cases = [_case(diagnostic) for diagnostic in findings.findings]
    return Report(
        command='lint',
        summary=line,
        document={
            'integrations': findings.integrations,
            'sources': findings.sources,
            'queries': findings.queries,
            'not_covered': dict(sorted(findings.not_covered.items())),
            'ignored': findings.ignored,
            'known': findings.known,
            'gone': [known._asdict() for known in findings.gone],
            'findings': [diagnostic_document(diagnostic) for diagnostic in findings.findings],
        },
        diagnostics=findings.findings,
        cases=cases or [Case('ddassets lint', line)],
        rules=_rules,
        text=(lambda paint: _tables(findings, paint)) if by_rule else None,
    )


def _rules() -> list[Rule]:
    return [
        Rule(rule.id, rule.severity, rule.reason, rule.explanation, f'ddassets/docs/rules.md#{rule.anchor}')
        for rule in all_rules().values()
    ]


def _tables(findings: Findings, paint: Paint) -> str:
    """Return tables of the number of findings by rule and by integration, the largest first."""
    rules = Counter((finding.code, finding.severity) for finding in findings.findings)
    folders = Counter(shown_path(_folder(finding.path)) for finding in findings.findings)
    lines = [f'{number:>6}  {severity!s:<7}  {code}' for (code, severity), number in rules.most_common()]
    lines += ['', *(f'{number:>6}  {printable(folder)}' for folder, number in folders.most_common())]
    return '\n'.join([*lines, '', summary(findings)]).lstrip('\n') + '\n'


def _folder(path: Path) -> Path:
    """Return the folder of the integration of a file."""
    return next((parent for parent in path.parents if is_integration(parent)), path.parent)


def summary(findings: Findings) -> str:
    """Return one line: what was read, the number of findings, and what no rule reads."""
    counts = [(severity, sum(f.severity == severity for f in findings.findings)) for severity in reversed(Severity)]
    listed = ', '.join(count(number, str(severity)) for severity, number in counts if number) or 'nothing found'
    read = [count(findings.integrations, 'integration')] if findings.integrations or not findings.sources else []
    read += [count(findings.sources, 'source')] if findings.sources else []
    parts = [f'{", ".join(read)}, {count(findings.queries, "query", "queries")}: {listed}']
    if findings.known:
        parts.append(f'{findings.known} known')
    if findings.gone:
        parts.append(f'{count(len(findings.gone), "finding")} of the baseline no longer found')
    if findings.ignored:
        parts.append(f'{findings.ignored} ignored')
    if findings.not_covered:
        products = ', '.join(f'{printable(name)} {number}' for name, number in findings.not_covered.most_common())
        parts.append(f'not covered: queries of other products ({products})')
    gone = [f'no longer found: {one.file}: {one.message}  {one.rule}' for one in findings.gone]
    return '\n'.join([*map(printable, gone), '; '.join(parts)])


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
