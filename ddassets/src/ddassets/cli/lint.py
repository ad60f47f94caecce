"""`ddassets lint`: find what cannot work in the assets of integrations."""

from argparse import ArgumentParser, Namespace

from ddassets.cli import option
from ddassets.cli.exit_code import FAILED, FINE

HELP = 'find what cannot work in dashboards, monitors, downtimes and metadata'
DESCRIPTION = 'Read the assets of an integration, or of each in a checkout, and report what cannot work.'
EPILOG = 'exit codes: 0 fine; 1 there are errors or warnings (see --fail-on); 2 unusable input'
SEVERITIES = ('note', 'warning', 'error')


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        'paths', type=option.path, nargs='+', metavar='PATH', help='an integration, or a checkout of many'
    )
    option.add_format(parser)
    option.add_choice(parser, '--severity', SEVERITIES, 'note', 'show findings of this severity and worse')
    option.add_choice(parser, '--fail-on', (*SEVERITIES, 'never'), 'warning', 'exit with 1 for this severity and worse')
    parser.add_argument(
        '--emission',
        type=option.path,
        action='append',
        default=[],
        metavar='FILE',
        help='what `ddassets check --json` printed; may be repeated',
    )


def run(options: Namespace) -> int:
    """Return 1 where there is a finding of `--fail-on` or worse, shown or not.

    Raises UnusableInputError for a path, a configuration or an emission that cannot be read.
    """
    from dataclasses import replace

    from ddassets.cli.lint_output import report
    from ddassets.diagnostic import Severity
    from ddassets.lint.emission import read_emission
    from ddassets.lint.run import lint_paths
    from ddassets.output.formats import render
    from ddassets.output.terminal import Paint, write

    severity = Severity[options.severity.upper()]
    fail_on = None if options.fail_on == 'never' else Severity[options.fail_on.upper()]
    findings = lint_paths(options.paths, dict(map(read_emission, options.emission)))
    failed = fail_on is not None and any(finding.severity >= fail_on for finding in findings.findings)
    shown = replace(findings, findings=[finding for finding in findings.findings if finding.severity >= severity])
    write(render(options.format, report(shown), Paint.of_output()))
    return FAILED if failed else FINE
