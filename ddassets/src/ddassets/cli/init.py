"""`ddassets init`: write first scenarios, a configuration, JSON Schemas and a workflow; nothing is overwritten."""

import os
import shlex
from argparse import ArgumentParser, Namespace
from collections import Counter
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ddassets import boundary
from ddassets.cli import option
from ddassets.cli.exit_code import FINE
from ddassets.diagnostic import Severity, UnusableInputError
from ddassets.output.terminal import count, log, printable, shown_path, write

if TYPE_CHECKING:
    from ddassets.assets import Bundle

HELP = 'write a first scenario for each monitor, a configuration, JSON Schemas for editors and a workflow for GitHub'
DESCRIPTION = (
    'Generate a signal from the query of each monitor, rehearse it, and write a commented scenario with what happens. '
    'Write .ddassets.yaml, JSON Schemas for editors, and a workflow for GitHub. Existing files are not changed.'
)
EPILOG = 'exit codes: 0 written, or the files exist; 2 unusable input, or no scenario can be made for any monitor'
FOLDER = '.ddassets'
SCENARIO_SCHEMA, CONFIGURATION_SCHEMA = 'scenario.schema.json', 'configuration.schema.json'
CONFIGURATION = f"""\
# yaml-language-server: $schema={FOLDER}/{CONFIGURATION_SCHEMA}
# The configuration of `ddassets lint`. `ddassets rules` lists the rules.

# Metrics of other integrations, by name or pattern:
# companions: ['system.*']

# Findings to ignore, each with its reason:
# ignore:
#   - {{rule: monitor/window, object: Queue is long, reason: the queue is filled once an hour}}
"""
WORKFLOW = """\
# A workflow for GitHub: copy it to .github/workflows/ddassets.yml.
name: ddassets
on: [pull_request]
permissions: {{contents: read}}
jobs:
  ddassets:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with: {{persist-credentials: false}}
      # Replace `main` by a tag or a commit to choose when ddassets changes.
      - uses: my-metric-maintainers/my_metric@main
        with:
          paths: {path}
          rehearse: {path}
          # To fail only for new findings, record those of today, commit the file, and name it here:
          #   ddassets lint --write-baseline .ddassets-baseline.json {path}
          # baseline: .ddassets-baseline.json
"""


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        'path',
        type=option.path,
        nargs='?',
        default=Path(),
        metavar='PATH',
        help='an integration, or a file or folder of assets in another form; the current folder by default',
    )
    option.add_limits(parser, max_cpu=600, max_memory=4000, verbose=True)


def run(options: Namespace) -> int:
    """Return 0. Raises UnusableInputError if there is no scenario."""
    from ddassets.rehearsal import starting
    from ddassets.rehearsal.one_line import scalar

    bundle = _read(options.path)
    root = bundle.folder
    writer = _Writer()
    folder = starting.scenario_folder(bundle)
    # A path out of the checkout is refused before anything is written.
    writer.make(folder)
    taken: set[str] = set()
    sizes = Counter(monitor.path for monitor in bundle.monitors)
    scenarios = 0
    for monitor in bundle.monitors:
        # A scenario is named after the file of a monitor that is alone in it, else after the monitor.
        alone = bundle.source is None and sizes[monitor.path] == 1
        path = folder / starting.file_name(monitor.path.stem if alone else monitor.name, taken)
        if os.path.lexists(path):
            writer.kept.append(path)
            scenarios += 1
            continue
        made = starting.start(monitor, bundle, path, starting.schema_path(path, root, SCENARIO_SCHEMA))
        if made.text:
            writer.write(path, made.text)
            scenarios += 1
        else:
            log(f'{printable(monitor.name)}: no scenario: {printable(made.reason)}')
    if not scenarios:
        writer.unmake(folder)
        raise UnusableInputError(f'{options.path}: no scenario could be made')
    for name in (SCENARIO_SCHEMA, CONFIGURATION_SCHEMA):
        writer.write(root / FOLDER / name, resources.files('ddassets').joinpath('schemas', name).read_text())
    writer.write(root / '.ddassets.yaml', CONFIGURATION)
    named = _path_in_repository(options.path)
    if named.split() == [named]:
        writer.write(root / FOLDER / 'github-workflow.yml', WORKFLOW.format(path=scalar(named)))
    else:
        log(f'{named}: no workflow for GitHub: the action separates paths by spaces; rename the folder')
    writer.report()
    write(f'next: ddassets rehearse {shlex.quote(shown_path(options.path))}\n')
    _write_baseline_hint(options.path)
    return FINE


def _write_baseline_hint(path: Path) -> None:
    """Write how to record the findings of lint, if it finds something that makes the workflow fail."""
    from ddassets.lint.run import lint_paths

    # What cannot be linted was not read either.
    with suppress(UnusableInputError):
        found = sum(finding.severity >= Severity.WARNING for finding in lint_paths([path]).findings)
        if found:
            command = f'ddassets lint --write-baseline .ddassets-baseline.json {shlex.quote(shown_path(path))}'
            write(f'lint has {count(found, "finding")}; to fail only for new ones: {command}\n')


def _read(path: Path) -> 'Bundle':
    """Read the monitors. Raises UnusableInputError for a path without any."""
    from ddassets import assets, sources
    from ddassets.rehearsal.choice import checked

    if assets.is_integration(path):
        bundle = assets.read(path)
        errors = [one for one in bundle.problems if one.severity is Severity.ERROR]
        for error in errors:
            log(f'{printable(str(error.path))}: {printable(error.message)}')
    else:
        bundle = checked(sources.read_bundle(path))
    if not bundle.monitors:
        raise UnusableInputError(f'{path}: contains no monitor')
    return bundle


def _path_in_repository(path: Path) -> str:
    """Return the path relative to the Git work tree; outside of one, the path as it is given."""
    given = Path(os.path.abspath(path))
    above = [each for each in (given, *given.parents) if os.path.lexists(each / '.git')]
    return given.relative_to(above[0]).as_posix() if above else path.as_posix()


class _Writer:
    """Writes files that do not exist yet, and records which."""

    def __init__(self) -> None:
        self.written: list[Path] = []
        self.kept: list[Path] = []

    def make(self, folder: Path) -> None:
        """Create a folder. Raises UnusableInputError if that fails."""
        try:
            boundary.check(folder)
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableInputError(f'{folder}: cannot be created: {error.strerror}') from None

    def unmake(self, folder: Path) -> None:
        """Remove an empty folder."""
        with suppress(OSError):
            folder.rmdir()

    def write(self, path: Path, text: str) -> None:
        """Write a new file. Raises UnusableInputError if that fails."""
        self.make(path.parent)
        try:
            with open(path, 'x', encoding='utf-8', newline='') as file:
                file.write(text)
        except FileExistsError:
            self.kept.append(path)
        except OSError as error:
            raise UnusableInputError(f'{path}: cannot be written: {error.strerror}') from None
        else:
            self.written.append(path)

    def report(self) -> None:
        for path in self.written:
            write(f'wrote {shown_path(path)}\n')
        if self.kept:
            write(f'left alone, as they exist: {", ".join(map(shown_path, self.kept))}\n')
        write(f'{count(len(self.written), "file")} written\n')
