"""Run all rules on each integration and drop ignored findings."""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ddassets import assets as bundles
from ddassets import boundary
from ddassets.assets import Bundle
from ddassets.diagnostic import Diagnostic, UnusableInputError
from ddassets.lint import configuration
from ddassets.lint.baseline import Known
from ddassets.lint.catalog import Catalog
from ddassets.lint.configuration import Configuration, ConfigurationUse, Ignore
from ddassets.lint.emission import Emission
from ddassets.lint.rule import Rule
from ddassets.lint.rules import all_rules
from ddassets.lint.subject import Subject
from ddassets.nearest import did_you_mean

# The groups of rules that judge one part of a bundle, by its attribute; '' where the decoder judges.
_PARTS = {
    'dashboard': 'dashboards',
    'downtime': 'downtimes',
    'manifest': 'manifest',
    'notification-rule': '',
    'source': '',
    'variable': 'dashboards',
    'widget': 'dashboards',
}
# Findings of one rule in one file.
MAX_FINDINGS = 500


@dataclass
class Report:
    """The result of a run. `not_covered` counts the skipped queries of other products, by product."""

    findings: list[Diagnostic] = field(default_factory=list)
    integrations: int = 0
    sources: int = 0
    queries: int = 0
    not_covered: Counter[str] = field(default_factory=Counter)
    ignored: int = 0
    # The folders and files that were linted.
    linted: list[Path] = field(default_factory=list)
    # With a baseline: the number of known findings, and the recorded findings that no longer occur.
    known: int = 0
    gone: list[Known] = field(default_factory=list)


def lint(bundle: Bundle, emission: Emission | None = None, strict: bool = False) -> tuple[Diagnostic, ...]:
    """Return the findings of one integration that its configuration does not ignore, sorted by file and position.

    `emission` is what the check submitted; without it, the rules that need it do not run. `strict` also runs the rules
    that are opinions. Raises UnusableInputError for a configuration that cannot be read.
    """
    run = _Run((bundle.folder,), {bundle.name: emission} if emission else {}, strict)
    run.lint(bundle)
    return tuple(run.finish().findings)


def lint_paths(
    paths: Sequence[Path],
    emissions: Mapping[str, Emission] | None = None,
    strict: bool = False,
    changed: Collection[Path] | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Report:
    """Lint each integration at `paths`: folders of integrations, or checkouts. `emissions` are keyed by integration.

    `strict` also runs the rules that are opinions. `changed` are absolute paths: only integrations that contain one of
    them are linted, and of a folder of other assets the changed files. `progress` is called with a text before each
    integration.
    Raises UnusableInputError for a path or a configuration that cannot be read, and for an emission of an integration
    that is not linted.
    """
    folders: dict[Path, None] = {}
    checkouts = []
    others: list[Bundle] = []
    for path in paths:
        # `.` and `..` hide the name and the folder above.
        path = path if path.name not in ('', '..') else path.resolve()
        found = _integrations(path)
        if not found and (other := _other(path)):
            others.append(other)
            continue
        # Nothing found: report the folder itself.
        folders.update(dict.fromkeys(found or [path]))
        if found != [path]:
            checkouts.append(path)
    if changed is not None:
        touched = {parent for path in changed for parent in path.parents}
        folders = {folder: None for folder in folders if folder.resolve() in touched}
        others = [each for each in others if each.source and each.source.resolve() in touched | set(changed)]
    only = None if changed is None else frozenset(changed)
    names = [folder.name for folder in folders]
    for name in emissions or {}:
        if name not in names:
            raise UnusableInputError(
                f'the emission is for {name!r}, which is not linted here{did_you_mean(name, names)}'
            )
    run = _Run(tuple(folders), emissions or {}, strict)
    for number, folder in enumerate(folders, 1):
        progress(f'lint {folder.name} ({number} of {len(folders)})')
        run.lint(bundles.read(folder))
    for bundle in others:
        run.lint(bundle, only)
    # An entry of the shared configuration may apply to an integration that is not linted.
    return run.finish(checkouts if changed is None else ())


def _integrations(path: Path) -> list[Path]:
    """Return the folders of integrations at a path; empty for a file. Raises UnusableInputError."""
    if path == boundary.STANDARD_INPUT or os.path.isfile(path):
        return []
    try:
        return bundles.integrations(path)
    except OSError as error:
        raise UnusableInputError(f'{path}: {error.strerror or error}{_hint(path)}') from error


def _other(path: Path) -> Bundle | None:
    """Read a path that is not an integration: a single asset, with its integration as context, or a source.

    Returns None for a folder without a source. Raises UnusableInputError for a file that is not a source.
    """
    from ddassets import sources  # imports a YAML parser, which an integration does not need

    if folder := sources.integration_around(path):
        return replace(bundles.read(folder), source=path)
    inventory = sources.read(path)
    if not inventory.form and os.path.isdir(path):
        return None
    if not inventory.form and not inventory.problems:
        raise UnusableInputError(f'{path}: expected a monitor, dashboard or downtime in a supported form{_hint(path)}')
    return sources.as_bundle(inventory)


class _Run:
    def __init__(self, folders: tuple[Path, ...], emissions: Mapping[str, Emission], strict: bool) -> None:
        self.report = Report()
        self._emissions = emissions
        self._strict = strict
        self._catalog = Catalog(folders)
        self._shared: dict[Path, Configuration | None] = {}
        self._used: set[Ignore] = set()

    @property
    def _silent(self) -> set[str]:
        """The rules that cannot run: their ignores are not reported as unused."""
        return {
            rule.id
            for rule in all_rules().values()
            if (rule.emission and not self._emissions) or (rule.opinion and not self._strict)
        }

    def lint(self, bundle: Bundle, only: Collection[Path] | None = None) -> None:
        """Lint a bundle. `only`: report the findings in these files, the others are context."""
        own = self._configurations(bundle.folder)
        shared = self._shared_configuration(bundle.folder)
        configurations = [*own, *([shared] if shared else [])]
        subject = Subject(
            bundle,
            self._catalog,
            companions=tuple(pattern for found in configurations for pattern in found.companions),
            emission=self._emissions.get(bundle.name),
        )
        findings = _findings(self._rules_for(subject), subject)
        if bundle.source and not bundle.form:
            # Only one asset of an integration is linted.
            findings, own = (finding for finding in findings if finding.path == bundle.source), []
        wanted = sorted(self._wanted(findings, configurations), key=_order)
        linted = [bundle.source or bundle.folder]
        if only is not None and os.path.isdir(linted[0]):
            wanted = [finding for finding in wanted if finding.path.resolve() in only]
            linted = [path for path in sorted(only) if linted[0].resolve() in path.parents]
        self.report.findings += wanted
        self._judge(own, configurations)
        if bundle.source is None:
            self.report.integrations += bundle.manifest is not None or bool(bundle.assets)
        else:
            self.report.sources += 1
        self.report.linted += linted
        self.report.queries += subject.covered
        self.report.not_covered.update(subject.not_covered)

    def _rules_for(self, subject: Subject) -> list[Rule[Any]]:
        """Return the rules that may find something; the modules of the others are not imported."""
        reported = {code.partition('/')[0] for code in subject.reported}
        absent = {group for group, part in _PARTS.items() if not (part and getattr(subject.bundle, part))}
        rules = all_rules(frozenset({'config', *absent} - reported)).values()
        return [rule for rule in rules if rule.group != 'config' and (self._strict or not rule.opinion)]

    def finish(self, checkouts: Iterable[Path] = ()) -> Report:
        """Create the report. Also checks the configurations of `checkouts`, which were linted as a whole."""
        for folder in checkouts:
            if shared := self._shared.get(folder):
                self._judge([shared], [shared])
                self.report.linted.append(shared.path)
        return self.report

    def _configurations(self, folder: Path) -> list[Configuration]:
        own = configuration.read(folder / configuration.FILE_NAME, all_rules)
        return [*([own] if own else []), *configuration.read_beside(folder, all_rules)]

    def _shared_configuration(self, folder: Path) -> Configuration | None:
        parent = folder.parent
        if parent not in self._shared:
            boundary.admit(parent / configuration.FILE_NAME)
            self._shared[parent] = configuration.read(parent / configuration.FILE_NAME, all_rules)
        return self._shared[parent]

    def _judge(self, judged: Iterable[Configuration], effective: Sequence[Configuration]) -> None:
        for found in judged:
            subject = ConfigurationUse(found, frozenset(self._used), self._silent)
            rules = [rule for rule in all_rules().values() if rule.group == 'config']
            self.report.findings += self._wanted(_findings(rules, subject), effective)

    def _wanted(self, findings: Iterable[Diagnostic], configurations: Sequence[Configuration]) -> Iterator[Diagnostic]:
        for finding in findings:
            matching = [
                ignore for found in configurations for ignore in found.ignores if ignore.matches(finding, found.folder)
            ]
            self._used.update(matching)
            if matching:
                self.report.ignored += 1
            else:
                yield finding


def _hint(path: Path) -> str:
    """Return a hint for a path that cannot be listed."""
    if os.path.isfile(path):
        folder = next((parent for parent in path.parents if parent.name and bundles.is_integration(parent)), None)
        return f'; pass the folder of the integration, {folder}' if folder else ''
    try:
        beside = [child.name for child in path.parent.iterdir() if child.is_dir()]
    except OSError:
        return ''
    return did_you_mean(path.name, beside)


def _findings(rules: Iterable[Rule[Any]], subject: Any) -> Iterator[Diagnostic]:
    """Yield the findings of the rules: at most MAX_FINDINGS per rule and file, and the number of further findings."""
    found: Mapping[str, Sequence[Diagnostic]] = getattr(subject, 'reported', {})
    for rule in rules:
        counts: Counter[Path] = Counter()
        for finding in chain(
            found.get(rule.id, ()), (fault.finding(rule) for fault in rule.check(subject) if not fault.is_withheld)
        ):
            counts[finding.path] += 1
            if counts[finding.path] <= MAX_FINDINGS:
                yield finding
        for path, number in counts.items():
            if number > MAX_FINDINGS:
                text = f'{number - MAX_FINDINGS:,} more findings of this rule in this file'
                yield Diagnostic(rule.id, rule.severity, path, text)


def _order(finding: Diagnostic) -> tuple[Any, ...]:
    position = finding.position
    return (finding.path, position.line if position else 0, position.column if position else 0, finding.code)
