"""`ddassets lint`: find what cannot work in the assets of integrations."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ddassets.cli import option
from ddassets.cli.exit_code import FAILED, FINE
from ddassets.diagnostic import Severity, UnusableInputError

if TYPE_CHECKING:
    from ddassets.lint.run import Report

HELP = 'find what cannot work in dashboards, monitors, downtimes and metadata'
DESCRIPTION = 'Read the assets of integrations, exports, Terraform plans and more, and report what cannot work.'
EPILOG = 'exit codes: 0 fine; 1 there are errors or warnings (see --fail-on); 2 unusable input'
PATHS = (
    'an integration, a checkout of many, or a file or folder of assets in another form: an export, a Terraform plan or '
    'state, Kubernetes resources; - for standard input'
)
# Maximum of rounds of fixing and linting again.
_ROUNDS = 10
SEVERITIES = ('note', 'warning', 'error')


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        'paths',
        type=option.path,
        nargs='+',
        metavar='PATH',
        help=PATHS,
    )
    option.add_format(parser)
    option.add_limits(parser, verbose=True)
    option.add_choice(parser, '--severity', SEVERITIES, 'note', 'show findings of this severity and worse')
    option.add_choice(parser, '--fail-on', (*SEVERITIES, 'never'), 'warning', 'exit with 1 for this severity and worse')
    option.add_choice(parser, '--profile', ('default', 'strict'), 'default', 'strict adds the rules that are opinions')
    parser.add_argument(
        '--since',
        metavar='REV',
        help='lint only the integrations with a file that differs from the Git revision REV; elsewhere the files',
    )
    parser.add_argument('--summary', action='store_true', help='show the number of findings by rule and by integration')
    parser.add_argument(
        '--fix', action='store_true', help='apply fixes that are unambiguous, and report the remaining findings'
    )
    baseline = parser.add_mutually_exclusive_group()
    baseline.add_argument(
        '--baseline', type=option.path, metavar='FILE', help='report only findings that are not in FILE'
    )
    baseline.add_argument(
        '--write-baseline', type=option.path, metavar='FILE', help='write all findings to FILE and report none'
    )
    parser.add_argument(
        '--emission',
        type=option.path,
        action='append',
        default=[],
        metavar='FILE',
        help='output of `ddassets check --json`; may be repeated',
    )


def run(options: Namespace) -> int:
    """Return 1 if there is a finding of `--fail-on` or worse, shown or not.

    Raises UnusableInputError for a path, a configuration or an emission that cannot be read.
    """
    from dataclasses import replace
    from functools import partial

    from ddassets.cli.lint_output import report
    from ddassets.lint import baseline
    from ddassets.lint.emission import read_emission
    from ddassets.lint.fixing import fix
    from ddassets.lint.run import lint_paths
    from ddassets.output.formats import render
    from ddassets.output.terminal import Paint, Progress, write

    severity = Severity[options.severity.upper()]
    fail_on = None if options.fail_on == 'never' else Severity[options.fail_on.upper()]
    changed = None
    if options.since:
        from ddassets.cli.git import changed_since

        changed = changed_since(options.since, options.paths)
    progress = Progress()
    find = partial(
        lint_paths,
        options.paths,
        dict(map(read_emission, options.emission)),
        strict=options.profile == 'strict',
        changed=changed,
        progress=progress,
    )
    findings = find()
    # A change may overlap another, or show what it hid.
    for _ in range(_ROUNDS if options.fix else 0):
        if not fix(findings.findings):
            break
        findings = find()
    progress.clear()
    if options.write_baseline:
        return _write_baseline(findings, options.write_baseline)
    if options.baseline:
        compared = baseline.compare(findings.findings, options.baseline, findings.linted)
        findings = replace(findings, findings=compared.new, known=compared.known, gone=compared.gone)
    failed = fail_on is not None and any(finding.severity >= fail_on for finding in findings.findings)
    shown = replace(findings, findings=[finding for finding in findings.findings if finding.severity >= severity])
    write(render(options.format, report(shown, options.summary), Paint.of_output()))
    return FAILED if failed else FINE


def _write_baseline(findings: 'Report', path: Path) -> int:
    from ddassets.lint import baseline
    from ddassets.output.terminal import count, shown_path, write

    try:
        path.write_text(baseline.text(findings.findings, path), encoding='utf-8')
    except OSError as error:
        raise UnusableInputError(f'{path}: cannot be written: {error.strerror or error}') from error
    write(f'{shown_path(path)}: wrote {count(len(findings.findings), "finding")}\n')
    return FINE
