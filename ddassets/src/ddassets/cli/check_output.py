"""The result of a check as text and as a report."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ddassets.agent.collection import Collector, Failure, Instance, Run
from ddassets.agent.conf_files import ConfFile
from ddassets.agent.sampler import AGENT_VERSION, NOT_IMITATED, Series
from ddassets.agent.wheel import SAME_VERSION, Verdict, Wheel
from ddassets.diagnostic import Diagnostic, Severity
from ddassets.output.formats.json import dump
from ddassets.output.report import Case, Report, Rule
from ddassets.output.terminal import count, printable

_DEVICE = 'device:'


def series_documents(series: Iterable[Series]) -> list[dict[str, Any]]:
    """Return the series as the Agent prints them, with the points of one series together in the order of time.

    A tag `device:` becomes the field `device`, as in the Agent's payload. A value that overflowed is null.
    """
    documents: dict[tuple[str, tuple[str, ...], str, str], dict[str, Any]] = {}
    for item in series:
        key = (item.metric, tuple(sorted(item.tags)), item.host, item.type)
        document = documents.setdefault(key, _document(item))
        document['points'].append([item.timestamp, _number(item.value)])
    return list(documents.values())


def _document(item: Series) -> dict[str, Any]:
    devices = [tag.removeprefix(_DEVICE) for tag in item.tags if tag.startswith(_DEVICE)]
    return {
        'metric': item.metric,
        'points': [],
        'tags': [tag for tag in item.tags if not tag.startswith(_DEVICE)],
        'host': item.host,
        'type': item.type,
        # The check sampler sets no interval.
        'interval': 0,
        **({'device': devices[-1]} if devices else {}),
    }


def _number(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    # Whole numbers are printed without a fraction, as Go does.
    return int(value) if float(value).is_integer() else value


def runs_text(runs: list[Run], times: int) -> str:
    """Return the payload of the runs of one instant."""
    note = ''
    if times > 1:
        numbers = sorted({run.number for run in runs})
        note = f' (run {", ".join(map(str, numbers))} of {times})'
    sections = [
        ('Series', series_documents(series for run in runs for series in run.series), True),
        ('Events', _event_documents(runs), False),
        ('Service Checks', [item for run in runs for item in run.service_checks], False),
    ]
    return '\n'.join(
        f'=== {title} ==={note}\n{dump(documents)}' for title, documents, always in sections if always or documents
    )


def _event_documents(runs: Sequence[Run]) -> list[Any]:
    """Return the events. A check may put any number into them; what JSON cannot represent is null."""
    return [_finite(event) for run in runs for event in run.events]


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {_finite(key): _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
    return value


_RULES = (Rule('check/failed', Severity.ERROR, 'the check could not be loaded, or a run of it failed'),)


@dataclass(frozen=True)
class Installation:
    """What `integration install` does with the wheel and its configuration files."""

    wheel: Wheel
    files: Sequence[ConfFile]


def report(collector: Collector, installation: Installation, path: Path, verbose: bool) -> Report:
    """Return the results of the runs, for every output format. `path` is the integration or the wheel."""
    failures = [_failures(instance) for instance in collector.instances]
    failed = sum(map(bool, failures))
    return Report(
        command='check',
        summary=f'{collector.name}: {count(len(failures), "instance")}, {failed} failed',
        document=summary_document(collector, installation),
        diagnostics=[_diagnostic(failure, path) for several in failures for failure in several],
        cases=[_case(collector.name, f'instance {index}', several) for index, several in enumerate(failures, 1)],
        rules=lambda: _RULES,
        text=lambda paint: summary_text(collector, installation, verbose),
    )


def load_report(integration: str, failure: Failure, path: Path) -> Report:
    """Return the report of a check that could not be loaded."""
    return Report(
        command='check',
        summary=f'{integration}: the check failed',
        document={'integration': integration, 'ok': False, 'error': failure.message},
        diagnostics=[_diagnostic(failure, path)],
        cases=[_case(integration, 'loads', [failure])],
        rules=lambda: _RULES,
    )


def _diagnostic(failure: Failure, path: Path) -> Diagnostic:
    return Diagnostic('check/failed', Severity.ERROR, path, failure.message)


def _case(suite: str, name: str, failures: Sequence[Failure]) -> Case:
    if not failures:
        return Case(suite, name)
    return Case(suite, name, 'failed', failures[0].message, '\n'.join(failure.message for failure in failures))


def summary_text(collector: Collector, installation: Installation, verbose: bool) -> str:
    """Return runs, samples, errors and times of each instance, all measured, and when the Agent would run it again."""
    lines = [f'=== {collector.name} ({collector.version or "unversioned"}) ===', f'  Class: {collector.class_name}']
    for instance in collector.instances:
        lines += ['', *_instance_lines(instance, verbose)]
    lines += ['', '=== Install ===', *_installation_lines(installation)]
    lines += ['', f'  Imitates the check sampler of Agent {AGENT_VERSION}. Not imitated:']
    lines += [f'    - {sentence}' for sentence in NOT_IMITATED]
    # Names, versions and texts come from the wheel.
    return '\n'.join(map(printable, lines)) + '\n'


def _instance_lines(instance: Instance, verbose: bool) -> list[str]:
    title = f'  Instance {instance.index + 1}'
    if instance.load_failure:
        return [
            f'{title} [ERROR]',
            '    The check could not be loaded:',
            *failure_lines(instance.load_failure, verbose),
        ]
    last = instance.runs[-1]
    seconds = [run.seconds for run in instance.runs]
    failures = [failure for run in instance.runs for failure in run.errors]
    average = f' (average {_milliseconds(sum(seconds) / len(seconds))})' if len(seconds) > 1 else ''
    lines = [
        f'{title} [{"ERROR" if failures else "OK"}]',
        f'    Total Runs: {len(instance.runs)}',
        f'    Metric Samples: Last Run: {last.samples}, Total: {sum(run.samples for run in instance.runs)}',
        f'    Events: Last Run: {len(last.events)}, Total: {sum(len(run.events) for run in instance.runs)}',
        f'    Service Checks: Last Run: {len(last.service_checks)}, '
        f'Total: {sum(len(run.service_checks) for run in instance.runs)}',
        f'    Errors: {len(failures)}',
        f'    Execution Time: {_milliseconds(last.seconds)}{average}',
        f'    Next Run: after {instance.schedule.interval} s ({instance.schedule.reason})',
    ]
    for warning in dict.fromkeys(warning for run in instance.runs for warning in run.warnings):
        lines.append(f'    Warning: {warning}')
    for failure in dict.fromkeys(failures):
        lines += ['    Error:', *failure_lines(failure, verbose)]
    return lines


def failure_lines(failure: Failure, verbose: bool) -> list[str]:
    """The check's own error text, indented; with its traceback if `verbose`."""
    text = failure.traceback if verbose and failure.traceback else failure.message
    return [f'      {line}'.rstrip() for line in text.rstrip().splitlines()]


_ACTIONS = {
    'bring': 'new',
    'overwrite': 'overwritten',
    'leave': 'stays',
    'skip': 'not copied',
    'create': 'folder',
    'error': 'fails',
}


def _installation_lines(installation: Installation) -> list[str]:
    wheel = installation.wheel
    verdicts = [
        (f'install -w {wheel.path.name}', Verdict(True)),
        (f'install -t {wheel.distribution}=={wheel.version}', wheel.named),
    ]
    lines = [
        f'  {command}: {"accepted" if verdict.accepted else f"refused: {verdict.reason}"}'
        for command, verdict in verdicts
    ]
    for file in installation.files:
        # The mode of a new file is less the umask.
        mode = f' ({file.mode:04o})' if file.mode is not None else ''
        note = f': {file.note}' if file.note else ''
        lines.append(f'  conf.d/{wheel.integration}.d/{file.path}: {_ACTIONS[file.action]}{mode}{note}')
    return [*lines, f'  Note: {SAME_VERSION.format(distribution=wheel.distribution)}']


def _installation_document(installation: Installation) -> dict[str, Any]:
    wheel = installation.wheel
    return {
        'wheel': Verdict(True)._asdict(),
        'named': wheel.named._asdict(),
        'same_version': SAME_VERSION.format(distribution=wheel.distribution),
        'files': [
            {
                'path': file.path,
                'action': file.action,
                'mode': None if file.mode is None else f'{file.mode:04o}',
                'note': file.note,
            }
            for file in installation.files
        ],
    }


def _milliseconds(seconds: float) -> str:
    return f'{seconds * 1000:.3g} ms' if seconds < 1 else f'{seconds:.2f} s'


def summary_document(collector: Collector, installation: Installation) -> dict[str, Any]:
    """Return the same content as the text. Times are in seconds."""
    runs = sorted((run for instance in collector.instances for run in instance.runs), key=lambda run: run.number)
    return {
        'integration': collector.name,
        'version': collector.version,
        'class': collector.class_name,
        'ok': succeeded(collector),
        'install': _installation_document(installation),
        'agent': {'version': AGENT_VERSION, 'not_imitated': list(NOT_IMITATED)},
        'series': series_documents(series for run in runs for series in run.series),
        'events': _event_documents(runs),
        'service_checks': [item for run in runs for item in run.service_checks],
        'instances': [
            {
                'instance': instance.index + 1,
                'total_runs': len(instance.runs),
                'metric_samples': {
                    'last': instance.runs[-1].samples if instance.runs else 0,
                    'total': sum(run.samples for run in instance.runs),
                },
                'execution_seconds': [run.seconds for run in instance.runs],
                'next_run': {'after_seconds': instance.schedule.interval, 'reason': instance.schedule.reason},
                'warnings': [warning for run in instance.runs for warning in run.warnings],
                'errors': [asdict(failure) for failure in _failures(instance)],
            }
            for instance in collector.instances
        ],
    }


def _failures(instance: Instance) -> list[Failure]:
    loading = [instance.load_failure] if instance.load_failure else []
    return loading + [failure for run in instance.runs for failure in run.errors]


def succeeded(collector: Collector) -> bool:
    """Whether every instance could be loaded, and no run reported an error."""
    return not any(_failures(instance) for instance in collector.instances)
