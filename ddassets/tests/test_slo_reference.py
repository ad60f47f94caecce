"""The SLO that an alert names, and the monitors that an SLO is made of. Rules 18.2 and 18.11."""

from pathlib import Path
from typing import Any

import pytest

from ddassets.assets import Monitor, Slo, read_monitor, read_slo
from ddassets.assets.slo_reference import find_slo, monitors_of
from ddassets.assets.source import Unplaced
from ddassets.assets.source_document import SourceDocument
from ddassets.diagnostic import UnusableInputError
from ddassets.language.slo import SloQuery
from ddassets.lint.example import slo


def placed(body: dict[str, Any], address: str = '', path: str = 'a.json') -> Any:
    source: Any = Unplaced(Path(path))
    return SourceDocument(Path(path), body, base=source, places={(): ()}, address=address) if address else source


def an_slo(name: str, address: str = '', path: str = 'all.json', **more: Any) -> Slo:
    body = slo({'timeframe': '7d', 'target': 99.9}, name=name, **more)
    return read_slo(placed(body, address, path), body)


def alert(reference: str, address: str = '') -> Monitor:
    body = {'type': 'slo alert', 'query': f'error_budget("{reference}").over("7d") > 50', 'message': '', 'name': 'a'}
    return read_monitor(placed(body, address), body)


SLOS = [
    an_slo('Pay', id='abc123'),
    an_slo('Sign in', 'datadog_service_level_objective.sign'),
    an_slo('Sign out', 'module.eu.datadog_service_level_objective.sign'),
    an_slo('Kennel', 'shop:pay'),
    an_slo('File', path='requests.json'),
    an_slo('Twice', id='x1'),
    an_slo('Twice', id='x2'),
]
FOUND = {
    'id': ('abc123', '', 'Pay'),
    'name': ('Sign in', '', 'Sign in'),
    'file': ('requests', '', 'File'),
    'file-with-suffix': ('requests.json', '', 'File'),
    'reference': ('${datadog_service_level_objective.sign.id}', 'datadog_monitor.m', 'Sign in'),
    'reference-in-a-module': ('${datadog_service_level_objective.sign.id}', 'module.eu.datadog_monitor.m', 'Sign out'),
    'kennel': ('%{shop:pay}', 'shop:alert', 'Kennel'),
}


@pytest.mark.rule('18.2')
@pytest.mark.parametrize('reference, address, expected', FOUND.values(), ids=FOUND)
def test_the_slo_of_an_alert(reference, address, expected):
    monitor = alert(reference, address)
    assert isinstance(monitor.slo, SloQuery)
    assert find_slo(monitor, monitor.slo, SLOS).name == expected


@pytest.mark.parametrize(
    'reference, message',
    [('abc12', "no SLO 'abc12'; did you mean abc123?; there are: "), ('Twice', "several SLOs are named 'Twice': ")],
)
def test_an_slo_that_is_not_found(reference, message):
    monitor = alert(reference)
    assert isinstance(monitor.slo, SloQuery)
    with pytest.raises(UnusableInputError) as caught:
        find_slo(monitor, monitor.slo, SLOS)
    assert str(caught.value).startswith(f'query: column 15: {message}')


def monitor(name: str, address: str = '', **more: Any) -> Monitor:
    body = {'type': 'query alert', 'query': 'avg(last_5m):avg:a{*} > 1', 'message': '', 'name': name, **more}
    return read_monitor(placed(body, address), body)


MONITORS = [
    monitor('Long', id=7),
    monitor('Here', 'datadog_monitor.m'),
    monitor('There', 'module.eu.datadog_monitor.m'),
]


@pytest.mark.rule('18.11')
@pytest.mark.parametrize(
    'ids, address, expected',
    [
        ([7, 'Here'], '', ['Long', 'Here']),
        (['${datadog_monitor.m.id}', 7], 'datadog_service_level_objective.s', ['Here', 'Long']),
        (['${datadog_monitor.m.id}'], 'module.eu.datadog_service_level_objective.s', ['There']),
    ],
    ids=['id-and-name', 'reference', 'reference-in-a-module'],
)
def test_the_monitors_of_an_slo(ids, address, expected):
    found = an_slo('of monitors', address, type='monitor', query=None, monitor_ids=ids)
    assert found.diagnostics == ()
    assert [one.name for one in monitors_of(found, MONITORS)] == expected


def test_a_monitor_of_an_slo_that_is_not_found():
    with pytest.raises(UnusableInputError) as caught:
        monitors_of(an_slo('of monitors', type='monitor', query=None, monitor_ids=[8]), MONITORS)
    assert str(caught.value) == "all.json: no monitor '8'"


@pytest.mark.parametrize('id, code', [('7', 'file/number-as-text'), (True, 'file/shape'), (-7, 'file/value')])
def test_a_monitor_id_of_another_type(id, code):
    found = an_slo('of monitors', type='monitor', query=None, monitor_ids=[id])
    assert [(one.code, one.key) for one in found.diagnostics] == [(code, 'monitor_ids[0]')]
