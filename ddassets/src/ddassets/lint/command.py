"""`ddassets lint`, `ddassets rules` and `ddassets explain`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ddassets.diagnostic import Severity, UnusableInputError
from ddassets.lint.emission import read_emission
from ddassets.lint.formats import FORMATS, rules_table, text
from ddassets.lint.pages import explain, page
from ddassets.lint.rules import all_rules
from ddassets.lint.run import lint_paths
from ddassets.nearest import did_you_mean
from ddassets.output.terminal import Paint, printable, write

FINDINGS = 1


@dataclass(frozen=True)
class LintOptions:
    """What to lint and how to tell. `fail_on` is None for never."""

    paths: Sequence[Path]
    emissions: Sequence[Path] = ()
    format: str = 'text'
    severity: Severity = Severity.NOTE
    fail_on: Severity | None = Severity.WARNING


def lint(options: LintOptions) -> int:
    """Run the command. Returns 1 when there is a finding of `fail_on` or worse, shown or not.

    Raises UnusableInputError for a path, a configuration or an emission that cannot be read.
    """
    emissions = dict(map(read_emission, options.emissions))
    report = lint_paths(options.paths, emissions)
    failed = options.fail_on is not None and any(f.severity >= options.fail_on for f in report.findings)
    shown = replace(report, findings=[f for f in report.findings if f.severity >= options.severity])
    if options.format == 'text':
        write(text(shown, Paint.of_output()))
    else:
        write(FORMATS[options.format](shown))
    return FINDINGS if failed else 0


def show_rules() -> int:
    write(rules_table())
    return 0


def show_explanation(name: str | None) -> int:
    """Print one rule, or the page of all rules for None."""
    rules = all_rules()
    if name is None:
        write(page())
    elif name in rules:
        write(explain(rules[name]))
    else:
        raise UnusableInputError(f'there is no rule {printable(name)!r}{did_you_mean(name, rules)}')
    return 0
