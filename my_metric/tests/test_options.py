# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Options of an instance: every example of the file is valid, and no configuration ends in a traceback."""

import copy
import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from datadog_checks.base import ConfigurationError
from datadog_checks.my_metric import series
from datadog_checks.my_metric.config_models import defaults
from datadog_checks.my_metric.signal import SHAPES

EXAMPLE = Path(__file__).parents[1] / 'datadog_checks' / 'my_metric' / 'data' / 'conf.yaml.example'
START = '2027-01-11T10:00:00+01:00'
FULL: dict[str, Any] = {
    'signal': 'sine',
    'minimum': 0,
    'maximum': 400,
    'decimals': 2,
    'period': 3600,
    'phase': 900.5,
    'seed': 1,
    'min_collection_interval': 45,
    'tags': ['a:1', 'bare'],
    'drill': {
        'start': START,
        'phases': [{'minutes': 1, 'value': 7}, {'minutes': 1440, 'silent': True}, {'minutes': 2, 'value': -(2**53)}],
    },
}


def drill(*phases: Any, start: Any = START) -> dict[str, Any]:
    return {'drill': {'start': start, 'phases': list(phases)}}


def phase(**options: Any) -> dict[str, Any]:
    """Return a drill with two valid phases and this third phase."""
    return drill({'minutes': 1, 'value': 1}, {'minutes': 1, 'silent': True}, options)


@pytest.mark.parametrize(
    'options, message',
    [
        pytest.param(
            {'signal': 'sinus'}, "signal\n.*found 'sinus', allowed is uniform, .*; did you mean sine", id='shape'
        ),
        pytest.param({'signal': None}, 'signal\n.*found None, allowed is uniform, constant', id='no shape'),
        pytest.param({'signal': ['sine']}, r"signal\n.*found \['sine'\], allowed is", id='shape in a list'),
        pytest.param({'period': 0}, 'period\n.*found 0, allowed is a number of seconds from 1', id='zero period'),
        pytest.param({'period': -3600}, 'period\n.*found -3600, allowed', id='negative period'),
        pytest.param({'period': 0.999}, 'period\n.*found 0.999, allowed', id='period below a second'),
        pytest.param({'period': float('nan')}, 'period\n.*found nan, allowed', id='period nan'),
        pytest.param({'period': float('inf')}, 'period\n.*found inf, allowed', id='endless period'),
        pytest.param({'period': 10**400}, 'period\n.*found 10+.*, allowed', id='huge period'),
        pytest.param({'period': '1h'}, "period\n.*found '1h', allowed", id='period a text'),
        pytest.param({'period': True}, 'period\n.*found True, allowed', id='period a boolean'),
        pytest.param({'phase': -1}, 'phase\n.*found -1, allowed', id='negative phase'),
        pytest.param({'phase': 3600}, 'phase: found 3600.*less than period, which is 3600', id='phase of a period'),
        pytest.param({'phase': 60, 'period': 60}, 'phase: found 60.*period, which is 60', id='phase of a short period'),
        pytest.param({'seed': 1.5}, 'seed\n.*found 1.5, allowed is a whole number', id='seed a fraction'),
        pytest.param({'seed': 'x'}, "seed\n.*found 'x', allowed is a whole number", id='seed a text'),
        pytest.param({'seed': 2**53 + 1}, 'seed\n.*found 9007199254740993, allowed', id='huge seed'),
        pytest.param({'decimals': 7}, 'decimals\n.*found 7, allowed is a whole number from 0 to 6', id='decimals'),
        pytest.param({'decimals': -1}, 'decimals\n.*found -1, allowed', id='negative decimals'),
        pytest.param({'maximum': 10**5000}, 'maximum\n.*found a number of thousands of digits, allowed', id='digits'),
        pytest.param({'tags': ['a', ['b']]}, r"tags\[1\]: found \['b'\], allowed is a string", id='tag a list'),
        pytest.param({'drill': None}, 'drill: found None, allowed is a mapping with start, phases', id='no drill'),
        pytest.param({'drill': [START]}, r"drill: found \['2027.*'\], allowed is a mapping", id='drill a list'),
        pytest.param({'drill': {'start': START}}, 'drill.phases: found nothing', id='no phases'),
        pytest.param({'drill': {'phases': []}}, 'drill.start: found nothing', id='no start'),
        pytest.param(
            {'drill': {'begin': 1, 'start': START, 'phases': []}}, "drill: found 'begin', allowed", id='unknown key'
        ),
        pytest.param(drill(), r'drill.phases: found \[\], allowed is at least one phase', id='empty phases'),
        pytest.param(
            {'drill': {'start': START, 'phases': 5}}, 'drill.phases: found 5, allowed is a list', id='phases 5'
        ),
        pytest.param(
            {'drill': {'start': START, 'phases': {'value': 1}}},
            "drill.phases: found {'value': 1}, allowed",
            id='mapping',
        ),
        *(
            pytest.param(
                drill({'minutes': 1, 'value': 1}, start=start), r'drill.start: found .*, allowed.*UTC', id=name
            )
            for start, name in [
                ('2027-01-11T10:00:00', 'start without offset'),
                ('2027-01-11', 'start a date'),
                ('10:00+01:00', 'start a time'),
                ('tomorrow', 'start a word'),
                ('', 'start empty'),
                (None, 'start nothing'),
                (1799658000, 'start a number'),
                (datetime(2027, 1, 11, 10), 'start of YAML without offset'),
                (date(2027, 1, 11), 'start a date of YAML'),
                ('2027-02-30T10:00:00+01:00', 'start that does not exist'),
                ('2027-01-11T10:00:00+24:00', 'offset of a day'),
                ('9' * 10_000, 'start of many digits'),
            ]
        ),
        pytest.param(phase(value=1), r'drill.phases\[2\].minutes: found nothing', id='no minutes'),
        pytest.param(phase(minutes=0, value=1), r'drill.phases\[2\].minutes: found 0, allowed', id='empty phase'),
        pytest.param(phase(minutes=-5, value=1), r'drill.phases\[2\].minutes: found -5, allowed', id='backwards'),
        pytest.param(
            phase(minutes=1441, value=1), r'drill.phases\[2\].minutes: found 1441, .* 24 hours', id='over 24 h'
        ),
        pytest.param(phase(minutes=1.5, value=1), r'drill.phases\[2\].minutes: found 1.5, allowed', id='half a minute'),
        pytest.param(phase(minutes='5', value=1), r"drill.phases\[2\].minutes: found '5', allowed", id='minutes text'),
        pytest.param(
            phase(minutes=True, value=1), r'drill.phases\[2\].minutes: found True, allowed', id='minutes true'
        ),
        pytest.param(phase(minutes=10**30, value=1), r'drill.phases\[2\].minutes: found 10+, allowed', id='ages'),
        pytest.param(
            phase(minutes=5, value=2.5), r'drill.phases\[2\].value: found 2.5, allowed is a whole', id='value'
        ),
        pytest.param(phase(minutes=5, value=None), r'drill.phases\[2\].value: found None, allowed', id='value nothing'),
        pytest.param(phase(minutes=5, value=10**30), r'drill.phases\[2\].value: found 10+, allowed', id='huge value'),
        pytest.param(
            phase(minutes=5, value=float('nan')),
            r'drill.phases\[2\].value: found nan, allowed is a whole',
            id='value nan',
        ),
        pytest.param(phase(minutes=5), r'drill.phases\[2\]: found .*, allowed is either a value or', id='neither'),
        pytest.param(
            phase(minutes=5, value=1, silent=True),
            r'drill.phases\[2\]: found .*, allowed is either a value or',
            id='both',
        ),
        pytest.param(
            phase(minutes=5, silent=False),
            r'drill.phases\[2\]: found .*, allowed is either a value or',
            id='not silent',
        ),
        pytest.param(
            phase(minutes=5, silent='yes'), r"drill.phases\[2\].silent: found 'yes', allowed", id='silent text'
        ),
        pytest.param(
            phase(minuets=5, value=1),
            r"drill.phases\[2\]: found 'minuets', .*; did you mean minutes",
            id='misspelt key',
        ),
        pytest.param(phase(minutes=5, value=1, **{'': 1}), r"drill.phases\[2\]: found '', allowed", id='empty key'),
        pytest.param(drill({'minutes': 5, 'value': 1}, 900), r'drill.phases\[1\]: found 900, allowed', id='bare phase'),
        pytest.param(
            drill(*[{'minutes': 1440, 'value': 1}] * 7, {'minutes': 1, 'value': 1}),
            'drill.phases: found 10081, allowed is at most 10080 minutes in total, which is 7 days',
            id='over 7 days',
        ),
    ],
)
def test_refused_with_path_value_and_allowed_values(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f'(?s){message}'):
        series(options, [0])


@pytest.mark.parametrize(
    'options',
    [
        pytest.param({}, id='nothing'),
        pytest.param(FULL, id='everything'),
        *(pytest.param({'signal': shape}, id=shape) for shape in SHAPES),
        pytest.param({'period': 1, 'phase': 0.999}, id='shortest period'),
        pytest.param({'period': 2**53, 'phase': 2**53 - 1}, id='longest period'),
        pytest.param(drill(*[{'minutes': 1440, 'value': 1}] * 7), id='longest drill'),
        pytest.param(phase(minutes=5, value=1, silent=False), id='a value is not silent'),
        pytest.param(drill({'minutes': 1, 'value': 0}, start='2027-01-11T09:00:00Z'), id='Zulu'),
        pytest.param(drill({'minutes': 1, 'value': 0}, start='0001-01-01T00:00:00+14:00'), id='first instant'),
        pytest.param(drill({'minutes': 1, 'value': 0}, start='9999-12-31T23:59:59-12:00'), id='last instant'),
    ],
)
def test_accepted(options: dict[str, Any]) -> None:
    before = copy.deepcopy(options)
    assert len(series(options, [-1e9, 0, 1_799_658_000, 1e11])) == 4
    assert options == before


@pytest.mark.parametrize('text', [START, f"'{START}'", '2027-01-11 10:00:00+01:00', '2027-01-11T09:00:00Z'])
def test_quoted_and_unquoted_instants_are_equal(text: str) -> None:
    [found] = [yaml.safe_load(f'start: {text}')['start']]
    options = drill({'minutes': 1, 'value': 7}, start=found) | {'maximum': 0}
    begin = datetime.fromisoformat(START).timestamp()
    assert series(options, [begin - 0.001, begin, begin + 59.999, begin + 60]) == [0, 7, 7, 0]


# Values that no key accepts, at any depth.
WRONG = st.sampled_from(
    [
        float('nan'),
        float('-inf'),
        -(10**400),
        10**4000,
        b'bytes',
        'neither',
        '\ud800',
        {'a': 1},
        {1: {2: [3]}},
        [[[]]],
        [None],
        object(),
        date(2027, 1, 11),
        datetime(2027, 1, 11, 10),
        1e308,
        -0.5,
    ]
)
ANYTHING = st.recursive(
    st.one_of(
        WRONG,
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(0, 2000),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from([*SHAPES, START, 'a:1']),
        st.binary(max_size=4),
        st.datetimes(),
        st.datetimes(timezones=st.just(UTC)),
        st.dates(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(['start', 'phases', 'minutes', 'value', 'silent']), st.text(), st.integers()),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in parts for place in places(part, (*path, key)))]


PLACES = places(FULL)[1:]


# Values near the bounds of a key, so that a good part of the configurations is accepted.
FITTING = {
    'signal': st.sampled_from(SHAPES),
    'minimum': st.integers(-(2**53), 400),
    'maximum': st.integers(0, 2**53),
    'decimals': st.integers(0, 6),
    'period': st.floats(901, 2**53),
    'phase': st.floats(0, 3599),
    'seed': st.integers(-(2**53), 2**53),
    'min_collection_interval': st.integers(1, 2**53),
    'tags': st.lists(st.text()),
    'start': st.datetimes(timezones=st.just(UTC)),
    'minutes': st.integers(1, 1440),
    'value': st.integers(-(2**53), 2**53),
}


@st.composite
def changes(draw: st.DrawFn) -> tuple[tuple[Any, ...], Any]:
    place = draw(st.sampled_from(PLACES))
    fits = draw(st.booleans())
    return place, draw(FITTING.get(place[-1], ANYTHING) if fits else ANYTHING)


def replaced(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    options = copy.deepcopy(FULL)
    target: Any = options
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    return options


def named(place: tuple[Any, ...]) -> str:
    return re.sub(r'^\.', '', ''.join(f'[{key}]' if isinstance(key, int) else f'.{key}' for key in place))


def test_any_configuration_is_accepted_or_refused_as_configuration() -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=2500, deadline=None, derandomize=True, database=None)
    @given(st.lists(changes(), min_size=1, max_size=3))
    def try_one(changed: list[tuple[tuple[Any, ...], Any]]) -> None:
        options = copy.deepcopy(FULL)
        for place, value in changed:
            try:
                target: Any = options
                for key in place[:-1]:
                    target = target[key]
                target[place[-1]] = value
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change removed this place
        try:
            values = series(options, [-1e9, 0.5, 1_799_658_000, 1e11])
        except ConfigurationError as error:
            outcomes['refused'] += 1
            assert re.search('found .*, (allowed is|and it has no default)', str(error), re.DOTALL), str(error)
            assert max(map(len, str(error).splitlines())) < 400
        else:
            outcomes['accepted'] += 1
            assert len(values) == 4

    try_one()
    assert outcomes.total() >= 2000
    assert min(outcomes['accepted'], outcomes['refused']) > 100


@settings(max_examples=1000, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(PLACES), WRONG)
def test_a_wrong_value_anywhere_is_refused_by_its_path(place: tuple[Any, ...], value: Any) -> None:
    if place[0] == 'tags' and len(place) == 2 and isinstance(value, str):
        return
    with pytest.raises(ConfigurationError) as refused:
        series(replaced(place, value), [0])
    path = named(place)
    lines = str(refused.value).splitlines()
    assert any(line == path or re.search(rf'(^|[ ,]){re.escape(path)}(:|\[|\.)', line) for line in lines), lines


@pytest.mark.parametrize('place', [place for place in PLACES if place[0] == 'drill'], ids=named)
@pytest.mark.parametrize('value', [None, 0, -1, 10**30, 1.5, float('nan'), True, 'text', [], {}], ids=repr)
def test_no_traceback_for_a_wrong_value_in_a_drill(place: tuple[Any, ...], value: Any) -> None:
    try:
        series(replaced(place, value), [0])
    except ConfigurationError as refused:
        assert named(place[:3]) in str(refused)


def commented_out(name: str) -> Any:
    """Return the example of an option without its comment signs."""
    lines = EXAMPLE.read_text(encoding='utf-8').splitlines()
    begin = next(index for index, line in enumerate(lines) if line.startswith(f'    # {name}:'))
    block = [lines[begin]]
    for line in lines[begin + 1 :]:
        if not line.startswith('    # '):
            break
        block.append(line)
    return yaml.safe_load('\n'.join(line.removeprefix('    # ') for line in block))[name]


OPTIONS = re.findall(r'^    # (\w+):', EXAMPLE.read_text(encoding='utf-8').split('instances:')[1], re.MULTILINE)


def test_the_example_documents_each_option() -> None:
    assert set(FULL) - {'min_collection_interval'} <= set(OPTIONS)


def test_the_readme_lists_the_options_of_the_signal_with_their_defaults() -> None:
    readme = (Path(__file__).parents[1] / 'README.md').read_text(encoding='utf-8')
    listed = dict(re.findall(r'^   \| `(\w+)` \| `?(\w+)', readme, re.MULTILINE))
    assert set(listed) == set(FULL)
    assert listed.pop('min_collection_interval') == str(
        yaml.safe_load(EXAMPLE.read_text())['instances'][0].popitem()[1]
    )
    assert listed == {name: str(getattr(defaults, f'instance_{name}', lambda: 'none')()) for name in listed}


@pytest.mark.parametrize('name', OPTIONS)
def test_each_example_is_accepted_and_differs_from_the_default(name: str) -> None:
    value = commented_out(name)
    assert len(series({name: value}, [0])) == 1 or name == 'phase'
    assert '<' not in str(value)
    if name not in ('minimum', 'empty_default_hostname'):
        assert value != getattr(defaults, f'instance_{name}', lambda: None)()


def test_the_examples_work_together() -> None:
    together = {name: commented_out(name) for name in OPTIONS}
    assert None not in series(together, range(0, 10**6, 1000))
