"""pytest plugin: the scenarios in an integration's `rehearsals` folder as tests, and a fixture for tests in Python.

It collects the scenarios in `rehearsals/*.yaml` beside a manifest.json or assets/monitors, and no other YAML. Running
the whole `tests` folder of an integration, as `ddev test` does, also runs its rehearsals. It is loaded if ddassets is
installed, or by `-p ddassets.pytest_plugin`; only pytest is imported until there is something to rehearse.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ddassets.diagnostic import UnusableInputError

if TYPE_CHECKING:
    from ddassets.engine.series import Series
    from ddassets.rehearsal import Rehearsal, Scenario
    from ddassets.rehearsal.inbox import Mail

FOLDER = 'rehearsals'
_SUFFIXES = ('.yaml', '.yml')


class RehearsalFailed(AssertionError):
    """An expectation or property does not hold. The text lists the failures, one per line."""


def pytest_configure(config: pytest.Config) -> None:
    """Add the rehearsals beside each `tests` folder that runs as a whole."""
    here = config.invocation_params.dir
    for argument in list(config.args):
        tests = here / argument
        folder = tests.parent / FOLDER
        if tests.name == 'tests' and tests.is_dir() and folder.is_dir() and _is_integration(tests.parent):
            beside = str(Path(argument).parent / FOLDER)
            if beside not in config.args:
                config.args.append(beside)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> 'ScenarioFile | None':
    if file_path.suffix in _SUFFIXES and file_path.parent.name == FOLDER and _is_integration(file_path.parent.parent):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def _shown(path: Path, config: pytest.Config) -> Path:
    """Return a path in the form for messages."""
    here = config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path


def _is_integration(folder: Path) -> bool:
    return (folder / 'manifest.json').is_file() or (folder / 'assets' / 'monitors').is_dir()


def _sentences(error: UnusableInputError) -> str:
    """Return an error with its details."""
    return '\n'.join([str(error), *error.details.splitlines()])


class ScenarioFile(pytest.File):
    """A scenario file. Collection reads only whether it holds assets instead; a broken file fails only its own test."""

    def collect(self) -> Iterator['ScenarioItem']:
        if not _contains_assets(self.path):
            yield ScenarioItem.from_parent(self, name='rehearsal')


def _contains_assets(path: Path) -> bool:
    """Whether a file contains monitors or other assets, which the scenarios beside it may name."""
    try:
        from ddassets.rehearsal.discovery import source_at

        return source_at(path) is not None
    except (ModuleNotFoundError, UnusableInputError):
        # The test of the file reports it.
        return False


class ScenarioItem(pytest.Item):
    """The test of one scenario."""

    def runtest(self) -> None:
        from ddassets.rehearsal import read

        judged(read(_shown(self.path, self.config)), self.path)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        match excinfo.value:
            case UnusableInputError() as error:
                return _sentences(error)
            case RehearsalFailed() as error:
                return str(error)
            case ModuleNotFoundError(name='numpy' | 'yaml' | 'dateutil' | 'time_machine') as missing:
                from ddassets.extras import missing_extra

                extra = missing_extra(missing, 'this rehearsal')
                return str(extra or f'a rehearsal needs {missing.name}, which is not installed; install ddassets')
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f'{self.path.name}: {self.name}'


def judged(scenario: 'Scenario', path: Path, series: Iterable['Series'] = ()) -> 'Rehearsal':
    """Rehearse a scenario with the assets of the integration around `path`, and judge it.

    Raises RehearsalFailed, and UnusableInputError for a scenario that cannot be rehearsed.
    """
    __tracebackhide__ = True
    from ddassets.agent.scenario_check import simulate
    from ddassets.rehearsal import Judgement, rehearse
    from ddassets.rehearsal.discovery import assets_in, integration_of

    rehearsal = rehearse(scenario, assets_in(integration_of(path)), simulate, given=series)
    failures = Judgement(rehearsal).failures
    if failures:
        lines = []
        for verdict in failures:
            place = f'{scenario.path}:{verdict.line}' if verdict.line else str(scenario.path)
            lines += [f'{place}: {verdict.name}', *(f'    {detail}' for detail in verdict.details)]
        raise RehearsalFailed('\n'.join(lines))
    return rehearsal


@dataclass(frozen=True)
class Rehearsed:
    """The result of a rehearsal for assertions. `rehearsal` is the complete result."""

    rehearsal: 'Rehearsal'

    @cached_property
    def timeline(self) -> list[tuple[str, str, str, str, str]]:
        """The events in order: wall time, group, state before, state after, and sent, muted or none.

        A repeated notification, and a notification at the end of a downtime, have the same state twice.
        """
        from ddassets.rehearsal.expectation import events
        from ddassets.rehearsal.times import write_instant

        return [
            (
                write_instant(event.at, self.rehearsal.zone),
                event.group.name,
                str(event.source),
                str(event.target),
                event.fate,
            )
            for event in sorted(events(self.rehearsal), key=lambda event: event.at)
        ]

    @cached_property
    def sent(self) -> list['Mail']:
        """The sent notifications of the monitors, in order: `title`, `text`, `recipients`, `instant`…"""
        return [mail for mail in self._notifications if not mail.muted_by]

    @cached_property
    def muted(self) -> list['Mail']:
        """The muted notifications; `muted_by` are the downtimes."""
        return [mail for mail in self._notifications if mail.muted_by]

    @cached_property
    def _notifications(self) -> list['Mail']:
        from ddassets.rehearsal.inbox import Mail, inbox

        return [mail for mail in inbox(self.rehearsal) if isinstance(mail, Mail)]


@pytest.fixture
def rehearse(request: pytest.FixtureRequest) -> Callable[..., Rehearsed]:
    """Rehearse a scenario: a file, relative to the test file, or its content.

    The assets are those of the integration that contains the test. `series` are additional series from the test. The
    scenario's expectations are checked immediately; the test can assert more.
    """

    def run(scenario: 'Path | str | Mapping[str, Any]', series: Iterable['Series'] = ()) -> Rehearsed:
        __tracebackhide__ = True
        try:
            return rehearsed(scenario, series)
        except UnusableInputError as error:
            # Raise it again here: pytest shows the line of the test instead of our code, and the query with its caret.
            text = _sentences(error)
        raise UnusableInputError(text)

    def rehearsed(scenario: 'Path | str | Mapping[str, Any]', series: Iterable['Series']) -> Rehearsed:
        __tracebackhide__ = True
        from ddassets.rehearsal import of_data, read

        shown = _shown(request.path, request.config)
        if isinstance(scenario, Mapping):
            # Named after the test, because there is no file with lines.
            found = of_data({'series': [], **scenario}, shown.with_name(f'{shown.name}::{request.node.name}'))
        else:
            found = read(shown.parent / scenario)
        return Rehearsed(judged(found, request.path, series))

    return run
