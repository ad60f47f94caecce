"""The import rules: no cycles, no integration, and no side effects in the pure packages."""

import ast
import re
import sys
import time
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from conftest import MARKERS
from hypothesis import given, settings
from hypothesis import strategies as st

SOURCE = Path(__file__).parents[1] / 'src'
NAMES = {
    '.'.join(path.relative_to(SOURCE).with_suffix('').parts).removesuffix('.__init__'): path
    for path in SOURCE.rglob('*.py')
}
PURE = ('diagnostic', 'duration', 'language', 'engine')
# What a module would need to read a clock, a file or a network, or to start something.
ACTING = {'asyncio', 'http', 'multiprocessing', 'os', 'shutil', 'socket', 'subprocess', 'tempfile', 'time'}


def imported(text: str) -> set[str]:
    """Return the modules that a text imports, anywhere in it; of `from package import name` the name if it is a
    module.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f'{node.module}.{alias.name}' for alias in node.names}
            found |= inner & NAMES.keys()
            if not inner <= NAMES.keys():
                found.add(node.module)
    return found


GRAPH = {name: imported(path.read_text()) for name, path in NAMES.items()}


def circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_modules_import_one_another():
    assert circle(GRAPH) == []
    # An import within a function counts, too.
    text = 'def judge():\n    from ddassets.rehearsal import judgement\n'
    assert circle({**GRAPH, 'ddassets.rehearsal.result': imported(text)})


@pytest.mark.parametrize('name', [pytest.param(name, id=name) for name in PURE])
def test_pure_packages_have_no_side_effects(name):
    parts = {one for one in NAMES if one == f'ddassets.{name}' or one.startswith(f'ddassets.{name}.')}
    assert parts
    pending, seen = [*parts], set(parts)
    while pending:
        found = GRAPH.get(pending.pop(), set()) - seen
        seen |= found
        pending += found
    assert {one.partition('.')[0] for one in seen} & ACTING == set()


@pytest.mark.parametrize(
    ('modules', 'owners'),
    [
        pytest.param({'subprocess', 'multiprocessing'}, ('ddassets.agent.', 'ddassets.cli.git'), id='processes'),
        pytest.param({'urllib3', 'datadog_api_client', 'ssl'}, ('ddassets.org.',), id='requests'),
        # The sandbox answers requests, and sends none but those of a webhook on loopback.
        pytest.param({'http'}, ('ddassets.org.', 'ddassets.sandbox.server', 'ddassets.sandbox.webhook'), id='http'),
        # A pair of them is how the process of a check is spoken to.
        pytest.param(
            {'socket'},
            ('ddassets.org.', 'ddassets.agent.collection', 'ddassets.sandbox.server'),
            id='sockets',
        ),
    ],
)
def test_side_effects_are_limited_to_one_package(modules, owners):
    users = {name for name, found in GRAPH.items() if {one.partition('.')[0] for one in found} & modules}
    assert users
    assert {name for name in users if not name.startswith(owners)} == set()


def test_the_sandbox_sends_requests_to_a_webhook_alone():
    parts = {name: modules for name, modules in GRAPH.items() if name.startswith('ddassets.sandbox')}
    assert 'http.client' in parts.pop('ddassets.sandbox.webhook')
    found = {module for modules in parts.values() for module in modules}
    assert found & {'http', 'http.client', 'urllib.request', 'smtplib', 'ftplib'} == set()
    assert 'http.server' in found


def test_no_integration_is_imported():
    tops = {one.partition('.')[0] for found in GRAPH.values() for one in found} - sys.stdlib_module_names
    assert 'my_metric' not in tops
    # The base package is there in the scratch environment, where these two are started.
    users = {name for name, found in GRAPH.items() if any(one.startswith('datadog_checks') for one in found)}
    assert users <= {'ddassets.agent.collector', 'ddassets.agent.simulator', 'ddassets.agent.recording'}


# Who may import whom: each package its own modules and those of the rows before it.
LAYERS = (
    ('regex',),
    ('boundary', 'budget', 'diagnostic', 'duration', 'keys', 'nearest', 'zones'),
    ('extras', 'language', 'output'),
    ('assets',),
    ('engine', 'sources'),
    ('rehearsal',),
    ('agent', 'lint', 'org', 'report'),
    ('backtest', 'sandbox'),
    ('cli', 'pytest_plugin'),
    ('__main__',),
)
RANKS = {package: rank for rank, packages in enumerate(LAYERS) for package in packages}


def upward(graph: dict[str, set[str]]) -> set[str]:
    """Return the imports of a higher or equal layer, as `importer -> imported`."""
    bad = set()
    for name, found in graph.items():
        for target in found:
            if not (name.startswith('ddassets.') and target.startswith('ddassets.')):
                continue
            here, there = name.split('.')[1], target.split('.')[1]
            if here != there and RANKS[there] >= RANKS[here]:
                bad.add(f'{name} -> {target}')
    return bad


def test_packages_import_downwards_only():
    assert upward(GRAPH) == set()
    assert upward({'ddassets.engine.plan': {'ddassets.lint.run'}}) == {'ddassets.engine.plan -> ddassets.lint.run'}


def test_the_markers_name_test_files_and_all_that_scale():
    folder = Path(__file__).parent
    texts = {path.stem.removeprefix('test_'): path.read_text() for path in folder.rglob('test_*.py')}
    assert {name for names in MARKERS.values() for name in names} <= texts.keys()
    scaled = {name for name, text in texts.items() if re.search(r'^(import|from) scale\b', text, re.M)}
    assert scaled and scaled == set(MARKERS['long'])


MAKEFILE = Path(__file__).parents[2] / 'Makefile'


@pytest.mark.skipif(not MAKEFILE.exists(), reason='a source distribution has no Makefile')
def test_the_parts_of_make_test_toolkit_are_all_tests():
    text = MAKEFILE.read_text()
    parts = re.findall(r"^(test-\w+): \$\(UV\)\n\t\$\(RUN\) pytest -m '?([\w ]+?)'? ddassets$", text, re.M)
    assert [expression for _, expression in parts] == ['long', 'not long']
    assert f'\ntest-toolkit: {" ".join(name for name, _ in parts)} ##' in text


@settings(max_examples=1)
@given(st.just(0.25))
def test_a_slow_case_is_no_failure(seconds):
    """Without the profile, Hypothesis fails a case that takes 0.2 s."""
    time.sleep(seconds)
