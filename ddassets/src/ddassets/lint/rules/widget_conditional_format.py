"""A conditional format that never applies."""

from collections.abc import Iterator, Mapping
from typing import Any

from ddassets.diagnostic import Severity
from ddassets.lint.example import DASHBOARD, widget
from ddassets.lint.rule import Fault, Rule
from ddassets.lint.subject import Subject, is_number

_KEY = 'conditional_formats'


def check(subject: Subject) -> Iterator[Fault]:
    for dashboard in subject.bundle.dashboards:
        for found in dashboard.widgets:
            for place, formats in _formats(found.body):
                for index, covering in _covered(formats):
                    shown = _shown(formats[index])
                    message = f'the conditional format {shown} never applies: {_shown(formats[covering])} comes first'
                    yield Fault(where=found, place=(*place, index), message=message)


def _formats(body: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], list[Any]]]:
    """Yield every list of conditional formats of a widget: of its requests and of their formulas."""
    requests = body.get('requests')
    for number, request in enumerate(requests if isinstance(requests, list) else ()):
        if not isinstance(request, dict):
            continue
        if isinstance(request.get(_KEY), list):
            yield ('requests', number, _KEY), request[_KEY]
        formulas = request.get('formulas')
        for position, formula in enumerate(formulas if isinstance(formulas, list) else ()):
            if isinstance(formula, dict) and isinstance(formula.get(_KEY), list):
                yield ('requests', number, 'formulas', position, _KEY), formula[_KEY]


def _covered(formats: list[Any]) -> Iterator[tuple[int, int]]:
    """Yield the index of each format that an earlier format covers, and the index of the earlier format."""
    for index, later in enumerate(formats):
        for before, earlier in enumerate(formats[:index]):
            if _covers(earlier, later):
                yield index, before
                break


def _covers(earlier: Any, later: Any) -> bool:
    """Whether every value that matches `later` also matches `earlier`; each may be for one metric and time frame."""
    if not all(isinstance(found, dict) and is_number(found.get('value')) for found in (earlier, later)):
        return False
    if any(earlier.get(key) != later.get(key) for key in ('metric', 'timeframe')):
        return False
    first, second = earlier.get('comparator'), later.get('comparator')
    limit, value = earlier['value'], later['value']
    if not isinstance(first, str) or not isinstance(second, str) or first[:1] != second[:1]:
        return False
    if first[:1] == '=':
        return bool(limit == value)
    wider = limit > value if first.startswith('<') else limit < value
    return bool(wider or (limit == value and (first == second or first.endswith('='))))


def _shown(found: Mapping[str, Any]) -> str:
    return f'{found["comparator"]} {found["value"]}'


def _dashboard(*formats: Mapping[str, Any]) -> dict[str, Any]:
    """The example's dashboard with a query value that has these formats, in this order."""
    query = {'data_source': 'metrics', 'name': 'query1', 'query': 'avg:acme.workers{$host}', 'aggregator': 'avg'}
    request = {
        'queries': [query],
        'formulas': [{'formula': 'query1'}],
        'response_format': 'scalar',
        'conditional_formats': formats,
    }
    workers = widget('avg:acme.workers{$host}', title='Workers', type='query_value', requests=[request])
    return {'widgets': [widget('avg:acme.queue.length{$host}'), workers]}


_GREEN = {'comparator': '<=', 'value': 270, 'palette': 'white_on_green'}
_RED = {'comparator': '<=', 'value': 90, 'palette': 'white_on_red'}
RULE = Rule(
    id='widget/conditional-format',
    severity=Severity.WARNING,
    reason='A conditional format never applies, because an earlier format covers it.',
    explanation=(
        'The first conditional format that matches is used. Put a narrower condition before a wider one: `<= 90` '
        'before `<= 270`.'
    ),
    bad={DASHBOARD: _dashboard(_GREEN, _RED)},
    good={DASHBOARD: _dashboard(_RED, _GREEN)},
    check=check,
)
