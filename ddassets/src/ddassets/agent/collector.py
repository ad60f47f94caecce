"""Runs inside the scratch environment, started by `collection.py`: loads the check class and runs instances.

Standard library and the base package only; nothing of ddassets is importable here. Arguments: the integration's name,
the path of conf.yaml, this machine's name. Standard input takes a JSON line `{"instance": 0}` per run. Standard output
gives one JSON line about the load, then one per run. What the check itself prints goes to standard error.
"""

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any, TextIO


def take_standard_streams() -> tuple[TextIO, TextIO]:
    """Reserve standard input and output for requests and answers: the check has no input and prints to stderr."""
    requests = os.fdopen(os.dup(0), encoding='utf-8')
    answers = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


class Recorder:
    """Records what a check submits, instead of the base package's stub of the aggregator."""

    def __init__(self, kinds: dict[int, str]) -> None:
        self.kinds = kinds
        self.clear()

    def clear(self) -> None:
        self.samples: list[dict[str, Any]] = []
        self.events: list[Any] = []
        self.service_checks: list[dict[str, Any]] = []
        self.histogram_buckets = 0

    def methods(self) -> dict[str, Any]:
        """Return the replacements of the stub's methods, by name.

        The stub's methods refuse generic tags, which the Agent accepts.
        """
        return {
            'submit_metric': self.metric,
            'submit_service_check': self.service_check,
            'submit_event': self.event,
            'submit_histogram_bucket': self.histogram_bucket,
            'submit_histogram_bucket_multi': self.histogram_bucket,
        }

    def metric(
        self,
        check: object,
        check_id: str,
        kind: int,
        name: str,
        value: float,
        tags: list[str] | None,
        host: str | None,
        flush_first_value: bool = False,
    ) -> None:
        self.samples.append(
            {
                'name': name,
                'kind': self.kinds[kind],
                'value': value,
                'tags': list(tags or []),
                'host': host or '',
                'timestamp': time.time(),
                'flush_first_value': bool(flush_first_value),
            }
        )

    def service_check(
        self,
        check: object,
        check_id: str,
        name: str,
        status: int,
        tags: list[str] | None,
        host: str | None,
        message: str | None,
    ) -> None:
        self.service_checks.append(
            {
                'check': name,
                'status': int(status),
                'tags': list(tags or []),
                'host': host or '',
                'message': message or '',
            }
        )

    def event(self, check: object, check_id: str, event: Any) -> None:
        self.events.append(event)

    def histogram_bucket(self, *arguments: object, **named: object) -> None:
        self.histogram_buckets += 1


def describe(error: BaseException) -> dict[str, str]:
    return {
        'message': f'{type(error).__name__}: {error}' if str(error) else type(error).__name__,
        'traceback': ''.join(traceback.format_exception(error)),
    }


def find_module(name: str) -> Any:
    """Import as the Agent does: `datadog_checks.<name>`, then `<name>`. Raises the error of the first."""
    try:
        return importlib.import_module(f'datadog_checks.{name}')
    except Exception as first:
        try:
            return importlib.import_module(name)
        except Exception:
            raise first from None


def find_class(module: Any, base: type) -> type:
    """Return the check class as the Agent does: the module's first subclass of AgentCheck without subclasses."""
    for attribute in dir(module):
        candidate = getattr(module, attribute)
        if not isinstance(candidate, type) or candidate is base or not issubclass(candidate, base):
            continue
        if not candidate.__subclasses__():
            return candidate
    raise LookupError(f'{module.__name__} exports no subclass of AgentCheck; import the class in its __init__.py')


def build(found: type, name: str, document: dict[str, Any], index: int) -> Any:
    """Build the check object of one instance, as the Agent does; `document` is the content of conf.yaml."""
    instance = document['instances'][index] or {}
    check: Any = found(name=name, init_config=document.get('init_config') or {}, instances=[instance])
    check.check_id = f'{name}:{index + 1}'
    return check


def load(name: str, path: str) -> tuple[dict[str, Any], list[Any]]:
    import yaml  # of the scratch environment, as the Agent's Python side uses it

    module = find_module(name)
    found = find_class(module, importlib.import_module('datadog_checks.base').AgentCheck)
    with open(path, encoding='utf-8') as file:
        document = yaml.safe_load(file)
    checks: list[Any] = []
    errors: list[dict[str, str] | None] = []
    for index in range(len(document['instances'])):
        try:
            check = build(found, name, document, index)
        except Exception as error:
            checks.append(None)
            errors.append(describe(error))
        else:
            checks.append(check)
            errors.append(None)
    version = getattr(module, '__version__', '')
    return {'class': found.__name__, 'version': str(version), 'instances': errors}, checks


def run(check: Any, recorder: Recorder) -> dict[str, Any]:
    recorder.clear()
    started = time.perf_counter()
    try:
        report = check.run()
    except Exception as error:
        errors = [describe(error)]
    else:
        errors = json.loads(report) if report else []
    return {
        'seconds': time.perf_counter() - started,
        # The Agent commits a run at its end.
        'timestamp': time.time(),
        'errors': errors,
        'warnings': [str(warning) for warning in check.get_warnings()],
        'samples': recorder.samples,
        'events': recorder.events,
        'service_checks': recorder.service_checks,
        'histogram_buckets': recorder.histogram_buckets,
    }


def main() -> None:
    requests, answers = take_standard_streams()

    def answer(document: dict[str, Any]) -> None:
        answers.write(json.dumps(document, default=str) + '\n')
        answers.flush()

    name, path, host = sys.argv[1:]
    try:
        stubs = importlib.import_module('datadog_checks.base.stubs')
        stubs.datadog_agent.set_hostname(host)
        recorder = Recorder({number: kind for kind, number in stubs.aggregator.METRIC_ENUM_MAP.items()})
        for method, replacement in recorder.methods().items():
            setattr(stubs.aggregator, method, replacement)
        loaded, checks = load(name, path)
    except Exception as error:
        answer({'error': describe(error)})
        return
    answer(loaded)
    for line in requests:
        answer(run(checks[json.loads(line)['instance']], recorder))


if __name__ == '__main__':
    main()
