"""`ddassets init`: write first scenarios, a configuration and what an editor and a CI need; nothing is overwritten."""

import os
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

HELP = 'write a first scenario for each monitor, a configuration, and what an editor and a CI need'
DESCRIPTION = (
    'Make a signal from the query of each monitor, rehearse it, and write a commented scenario with what happens. '
    'Write .ddassets.yaml, JSON Schemas for editors, and a workflow for GitHub. Files that exist are left alone.'
)
EPILOG = 'exit codes: 0 written, or there already; 2 unusable input, or no monitor for which a scenario can be made'
FOLDER = '.ddassets'
SCENARIO_SCHEMA, CONFIGURATION_SCHEMA = 'scenario.schema.json', 'configuration.schema.json'
CONFIGURATION = f"""\
# yaml-language-server: $schema={FOLDER}/{CONFIGURATION_SCHEMA}
# What `ddassets lint` knows besides. `ddassets rules` lists the rules.

# Metrics that come from elsewhere, by name or pattern:
# companions: ['system.*']

# Findings that are meant to be, each with its reason:
# ignore:
#   - {{rule: monitor/window, object: Queue is long, reason: the queue is filled once an hour}}
"""
WORKFLOW = """\
# A workflow for GitHub: copy it to .github/workflows/ddassets.yml.
name: ddassets
on: [pull_request]
permissions: {{contents: read}}
jobs:
  monitors:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {{python-version: '3.12'}}
      - run: pip install {package}
      - run: ddassets lint --format github {path}
      - run: ddassets rehearse --format github {path}
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
    """Return 0 where something was written or was there. Raises UnusableInputError."""
    from ddassets.rehearsal import starting

    bundle = _read(options.path)
    root = bundle.folder
    writer = _Writer()
    folder = starting.scenario_folder(bundle)
    # Paths that lead out of it are tried before anything is written.
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
    writer.write(root / FOLDER / 'github-workflow.yml', _workflow(options.path, bundle))
    writer.report()
    write(f'next: ddassets rehearse {shown_path(options.path)}\n')
    return FINE


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
        raise UnusableInputError(f'{path}: there is no monitor in it')
    return bundle


def _workflow(path: Path, bundle: 'Bundle') -> str:
    extra = any(monitor.path.suffix == '.tf' for monitor in bundle.monitors)
    package = "'ddassets[terraform]'" if extra else 'ddassets'
    given = Path(os.path.abspath(path))
    above = [each for each in (given, *given.parents) if os.path.lexists(each / '.git')]
    shown = given.relative_to(above[0]).as_posix() if above else path.as_posix()
    return WORKFLOW.format(package=package, path=shown)


class _Writer:
    """Writes files that do not exist yet, and remembers which."""

    def __init__(self) -> None:
        self.written: list[Path] = []
        self.kept: list[Path] = []

    def make(self, folder: Path) -> None:
        """Make a folder. Raises UnusableInputError where it cannot be made."""
        try:
            boundary.check(folder)
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableInputError(f'{folder}: cannot be made: {error.strerror}') from None

    def unmake(self, folder: Path) -> None:
        """Remove a folder that is empty."""
        with suppress(OSError):
            folder.rmdir()

    def write(self, path: Path, text: str) -> None:
        """Raises UnusableInputError where the file cannot be written."""
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
