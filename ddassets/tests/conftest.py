import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

import pytest
import scale
from hypothesis import settings
from installing import build
from loopback import recordings
from loopback.server import FakeDatadog
from loopback.source import Unreachable
from loopback.specification import Specification
from missing import unavailable
from tiny_probe import write_integration

# Hypothesis tries the same cases each time in `make test`. With more cases or another seed it tries others, and prints
# how to repeat a failure. No case has a deadline: on a busy machine it fails tests of correct code.
settings.register_profile('usual', derandomize=True, database=None, deadline=None)
settings.register_profile('other', derandomize=False, database=None, deadline=None, print_blob=True)
settings.load_profile('other' if scale.MANY or scale.SEED else 'usual')

# Which test files a marker means: those that are done in a second or so, those of the semantic core, and those with
# random cases.
MARKERS = {
    'quick': (
        *('argument', 'arrivals', 'bundle', 'decimals', 'lint_rules', 'notification', 'query_syntax'),
        *('query_scope', 'rehearsal_scenario', 'rehearse_command', 'series', 'states', 'structure'),
        *('usability', 'wheel', 'message', 'evaluator', 'formats'),
    ),
    'core': (
        *(
            'approximation',
            'approximation_peers',
            'arrivals',
            'assets',
            'bundle',
            'composite',
            'conformance',
            'counted',
            'cumulative',
            'decimals',
            'downtime',
        ),
        *('downtime_recurrence', 'downtime_scope', 'engine_examples', 'evaluation_rules', 'evaluator', 'folding'),
        *('grammar', 'lint_judgement', 'lint_rules', 'lint_wild', 'message', 'message_cases', 'message_delivery'),
        *(
            'message_handles',
            'nearest',
            'notification',
            'notification_muting',
            'oracle',
            'oracle_counted',
            'oracle_estate',
            'oracle_formula',
            'oracle_percentiles',
            'oracle_routing',
            'oracle_schedule',
            'resuming',
            'oracle_slo',
            'percentiles',
            'query_column',
        ),
        *('query_functions', 'query_fuzz', 'query_scope', 'query_syntax', 'rehearsal', 'rehearsal_scenario', 'routing'),
        *('schedule', 'series', 'settings', 'sources', 'state_machine', 'states'),
    ),
    'long': (
        *('approximation', 'approximation_peers'),
        *('discovered_files', 'downtime_recurrence', 'grammar', 'hostile', 'lint_evidence', 'lint_fix'),
        *(
            'message_handles',
            'oracle',
            'oracle_counted',
            'oracle_estate',
            'oracle_formula',
            'oracle_percentiles',
            'oracle_routing',
            'oracle_schedule',
            'resuming',
            'oracle_slo',
            'org_exactly_once',
            'org_faults',
            'org_fuzzed_answers',
        ),
        *('query_fuzz', 'rehearsal_fuzz', 'sandbox_kill', 'what_if'),
    ),
}


def pytest_collection_modifyitems(items):
    for item in items:
        name = item.path.stem.removeprefix('test_')
        for marker, names in MARKERS.items():
            if name in names:
                item.add_marker(marker)


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture(scope='session')
def ddassets(tmp_path_factory):
    """Run the command in a separate process; it must leave no temporary file."""
    temporary = tmp_path_factory.mktemp('temporary')

    def run(*arguments: object) -> Outcome:
        done = subprocess.run(
            [sys.executable, '-m', 'ddassets', *map(str, arguments)],
            env={**os.environ, 'TMPDIR': str(temporary)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert [entry.name for entry in temporary.iterdir() if entry.name.startswith('ddassets-')] == []
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope='session')
def integration(tmp_path_factory):
    return write_integration(tmp_path_factory.mktemp('integrations') / 'tiny_probe')


@pytest.fixture(scope='session')
def refused_integration(tmp_path_factory):
    return write_integration(tmp_path_factory.mktemp('refused') / 'tiny_probe', base='requests', floor='2.0')


@pytest.fixture(scope='session')
def wheel(tmp_path_factory):
    """The wheel of ddassets."""
    return build('wheel', tmp_path_factory.mktemp('dist'))


def fetched(load):
    """Return the result of `load`; skip the test if it cannot be fetched, in CI fail."""
    try:
        return load()
    except Unreachable as error:
        unavailable(f'no source distribution of Datadog\'s client: {error}')


@pytest.fixture(scope='session')
def specification():
    """The official OpenAPI documents of the Datadog API."""
    return fetched(Specification.load)


@pytest.fixture(scope='session')
def cassettes():
    """Recorded exchanges with the real Datadog API, by cassette."""
    return fetched(recordings.load)


CASES = pytest.StashKey[Counter[str]]()


@pytest.fixture(scope='session')
def cases(pytestconfig):
    """Count the passed cases of each kind: a test of many cases is shown in the summary."""
    return pytestconfig.stash.setdefault(CASES, Counter())


def pytest_terminal_summary(terminalreporter, config):
    if counted := config.stash.get(CASES, None):
        terminalreporter.section('cases that passed')
        for sort, count in counted.items():
            terminalreporter.line(f'{count:6} {sort}')


@pytest.fixture
def datadog(specification):
    """An empty Datadog API on loopback; the test fails if a request or a response violates the OpenAPI documents."""
    with FakeDatadog(specification) as fake:
        yield fake
    assert fake.violations == []
    assert fake.organisation.foreign_changes() == []
