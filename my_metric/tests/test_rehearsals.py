# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""The scenarios in rehearsals/ are tests themselves; these tests show what makes them fail, and add further cases."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from datadog_checks.my_metric import series
from ddassets.diagnostic import UnusableInputError
from ddassets.engine.series import Series
from ddassets.pytest_plugin import RehearsalFailed

from .test_options import commented_out

REHEARSALS = Path(__file__).parent.parent / 'rehearsals'


def scenario(name: str, **changes: Any) -> dict[str, Any]:
    """Return a scenario as a mapping with some keys changed; None removes a key. Times stay text."""
    text = (REHEARSALS / f'{name}.yaml').read_text(encoding='utf-8')
    found = yaml.load(text, yaml.BaseLoader) | changes
    return {key: value for key, value in found.items() if value is not None}


@pytest.mark.parametrize(
    'changes, broken',
    [
        pytest.param(
            {'downtimes': ['weekends']}, 'notifications none; outside Mon-Fri 09:00-19:00', id='nights are not muted'
        ),
        pytest.param(
            {'downtimes': ['weeknights']},
            'notifications none; outside Mon-Fri 09:00-19:00',
            id='weekends are not muted',
        ),
        pytest.param(
            {'timezone': 'Europe/London'},
            'notifications none; muted true; inside Mon-Fri 09:00-19:00',
            id='office hours of another time zone',
        ),
        pytest.param(
            {'series': [{'check': {'host': 'alpha', 'instances': [{'signal': 'constant', 'maximum': 400}]}}]},
            'notifications at least 1000; muted true; outside Mon-Fri 09:00-19:00',
            id='nothing happens',
        ),
        pytest.param(
            {'series': [{'check': {'host': 'alpha', 'instances': [{'min_collection_interval': 15}]}}]},
            'notifications exactly 632; inside Mon-Fri 09:00-19:00',
            id='another interval',
        ),
    ],
)
def test_canary_a_wrong_working_week_fails(rehearse: Callable[..., Any], changes: dict[str, Any], broken: str) -> None:
    # Without the properties that name a downtime: it may be missing here.
    properties = [item for item in scenario('working_week')['properties'] if 'downtime' not in item]
    with pytest.raises(RehearsalFailed) as caught:
        rehearse(scenario('working_week', properties=properties, **changes))
    assert f'{broken}\n' in str(caught.value)


def test_canary_a_monitor_without_a_handle_notifies_nobody(rehearse: Callable[..., Any]) -> None:
    with pytest.raises(UnusableInputError, match="never notifies '@oncall@example.com'"):
        rehearse(scenario('working_week', notify=None))


@pytest.mark.parametrize('interval', [15, 45, 60])
def test_the_example_drill_at_any_interval(rehearse: Callable[..., Any], interval: int) -> None:
    """The changes are the same, at most a minute and a collection later or earlier than at 45 seconds."""
    begin = datetime.fromisoformat('2027-01-11T09:30:00+01:00').timestamp()
    instants = [begin + interval * count for count in range(150 * 60 // interval)]
    instance = {
        'min_collection_interval': interval,
        **{name: commented_out(name) for name in ('maximum', 'seed', 'drill')},
    }
    points = [
        (instant, value)
        for instant, value in zip(instants, series(instance, instants), strict=True)
        if value is not None
    ]
    times, values = zip(*points, strict=True)
    computed = Series('my_metric', frozenset({'host:alpha'}), times, values, 'gauge', interval)
    timeline = rehearse(scenario('example_drill', series=[], expect=None), [computed]).timeline
    expected = rehearse('../rehearsals/example_drill.yaml').timeline
    assert [row[1:] for row in timeline] == [row[1:] for row in expected]
    for found, usual in zip(timeline, expected, strict=True):
        late = datetime.fromisoformat(found[0]) - datetime.fromisoformat(usual[0])
        assert abs(late.total_seconds()) <= 60 + 60
