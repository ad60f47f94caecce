# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datadog_checks.base import ConfigurationError
from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.base.types import InstanceType
from datadog_checks.dev.utils import get_metadata_metrics
from datadog_checks.my_metric import MyMetricCheck

Build = Callable[..., MyMetricCheck]
Run = Callable[..., None]


def values(aggregator: AggregatorStub) -> list[Any]:
    return [sample.value for sample in aggregator.metrics('my_metric')]


def test_submits_the_gauge_as_metadata_declares_it(
    dd_run_check: Run, aggregator: AggregatorStub, build: Build, instance: InstanceType
) -> None:
    dd_run_check(build(instance))

    aggregator.assert_metric('my_metric', count=1, metric_type=aggregator.GAUGE, tags=['role:testing', 'home:desktop'])
    aggregator.assert_all_metrics_covered()
    aggregator.assert_metrics_using_metadata(get_metadata_metrics(), check_symmetric_inclusion=True)
    assert not aggregator.events
    assert not aggregator.service_check_names


def test_values_are_integers_over_the_whole_range(
    dd_run_check: Run, aggregator: AggregatorStub, build: Build, instance: InstanceType
) -> None:
    random.seed(20261124)
    check = build(instance)
    for _ in range(20_000):
        dd_run_check(check)

    seen = Counter(values(aggregator))
    # 20,000 draws miss one of 1,001 values with probability 2e-6, and the seed fixes the draws.
    assert set(seen) == set(range(0, 1001))
    # The stub stores doubles; a fractional value would be visible here.
    assert all(float(value).is_integer() for value in seen)


def test_submits_a_python_integer(monkeypatch: pytest.MonkeyPatch, dd_run_check: Run, build: Build) -> None:
    # The aggregator converts every value to a double, so the test checks the type at the call.
    submitted: list[Any] = []
    check = build({})
    monkeypatch.setattr(check, 'gauge', lambda name, value, tags=None: submitted.append((name, value, tags)))
    dd_run_check(check)

    [(name, value, _)] = submitted
    assert name == 'my_metric'
    assert type(value) is int


@pytest.mark.parametrize(
    'options, allowed',
    [
        pytest.param({}, range(0, 1001), id='defaults'),
        pytest.param({'minimum': 3, 'maximum': 5}, range(3, 6), id='narrow'),
        pytest.param({'minimum': -2, 'maximum': -1}, range(-2, 0), id='negative'),
        pytest.param({'minimum': 7, 'maximum': 7}, range(7, 8), id='one value'),
        pytest.param({'minimum': 1000}, range(1000, 1001), id='minimum alone'),
        pytest.param({'maximum': 0}, range(0, 1), id='maximum alone'),
    ],
)
def test_range_is_inclusive(
    dd_run_check: Run, aggregator: AggregatorStub, build: Build, options: dict[str, int], allowed: range
) -> None:
    check = build(options)
    for _ in range(200):
        dd_run_check(check)

    assert set(values(aggregator)) <= set(allowed)
    if len(allowed) < 10:
        assert set(values(aggregator)) == set(allowed)


@pytest.mark.parametrize(
    'tags', [pytest.param(None, id='none'), pytest.param([], id='empty'), pytest.param(['a:1', 'bare'], id='two')]
)
def test_tags_are_the_instances_and_do_not_grow(
    dd_run_check: Run, aggregator: AggregatorStub, build: Build, tags: list[str] | None
) -> None:
    instance = {} if tags is None else {'tags': tags}
    check = build(instance)
    for _ in range(3):
        dd_run_check(check)

    assert [sample.tags for sample in aggregator.metrics('my_metric')] == [sorted(tags or [])] * 3
    assert instance == ({} if tags is None else {'tags': tags})


@pytest.mark.parametrize(
    'options, message',
    [
        pytest.param({'minimum': 9, 'maximum': 3}, 'minimum: found 9, .*larger than maximum, which is 3', id='above'),
        pytest.param({'minimum': 1001}, 'minimum: found 1001, .*maximum, which is 1000', id='above the default'),
        pytest.param({'maximum': -1}, 'minimum: found 0, .*maximum, which is -1', id='below the default'),
        pytest.param({'minimum': '5'}, r"minimum\n.*found '5', allowed is a whole number", id='text'),
        pytest.param({'minimum': 0.5}, r'minimum\n.*found 0.5, allowed is a whole number', id='fraction'),
        pytest.param({'maximum': 5.0}, r'maximum\n.*found 5.0, allowed is a whole number', id='float'),
        pytest.param({'maximum': True}, r'maximum\n.*found True, allowed is a whole number', id='boolean'),
        pytest.param({'maximum': float('nan')}, r'maximum\n.*found nan, allowed is a whole number', id='nan'),
        pytest.param({'maximum': float('inf')}, r'maximum\n.*found inf, allowed is a whole number', id='infinity'),
        pytest.param({'minimum': float('-inf')}, r'minimum\n.*found -inf, allowed is a whole', id='minus infinity'),
        pytest.param({'maximum': 10**30}, r'maximum\n.*found 10+, allowed is a whole number from', id='too large'),
        pytest.param({'maximum': [5]}, r'maximum\n.*found \[5\], allowed is a whole number', id='list'),
        pytest.param({'maximum': {'a': 1}}, r"maximum\n.*found {'a': 1}, allowed is a whole", id='mapping'),
        pytest.param({'tags': 'a:1'}, r"tags\n.*found 'a:1', allowed is a list of strings", id='tags a text'),
        pytest.param({'tags': {'a': 1}}, r"tags\n.*found {'a': 1}, allowed is a list", id='tags a mapping'),
        pytest.param({'tags': ['a:1', 2]}, r'tags\[1\]: found 2, allowed is a string', id='tag a number'),
        pytest.param(
            {'min_collection_interval': 0}, r'min_collection_interval\n.*found 0, allowed .* seconds', id='no interval'
        ),
        pytest.param(
            {'min_collection_interval': 'often'},
            r"min_collection_interval\n.*found 'often', allowed",
            id='text interval',
        ),
    ],
)
def test_bad_configuration_is_refused_and_submits_nothing(
    dd_run_check: Run, aggregator: AggregatorStub, build: Build, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(Exception, match=r'(?s)Detected 1 error while loading configuration model.*' + message):
        dd_run_check(build(options), extract_message=True)
    with pytest.raises(ConfigurationError):
        build(options).load_configuration_models()
    assert not aggregator.metric_names

    dd_run_check(build({}))
    aggregator.assert_metric('my_metric', count=1)


def test_a_tags_key_with_nothing_under_it_means_no_tags(
    dd_run_check: Run, aggregator: AggregatorStub, build: Build
) -> None:
    dd_run_check(build({'tags': None}))
    aggregator.assert_metric('my_metric', count=1, tags=[])


def test_example_collects_every_45_seconds(
    dd_run_check: Run, aggregator: AggregatorStub, build: Build, example: dict[str, Any]
) -> None:
    [instance] = example['instances']
    assert instance['min_collection_interval'] == 45
    check = build(instance, example['init_config'])
    dd_run_check(check)
    aggregator.assert_metric('my_metric', count=1, tags=[])


def test_example_documents_the_default_interval() -> None:
    path = Path(__file__).parent.parent / 'datadog_checks' / 'my_metric' / 'data' / 'conf.yaml.example'
    assert 'If it is missing, the interval is 15 seconds' in ' '.join(
        path.read_text(encoding='utf-8').replace('##', '').split()
    )


@pytest.mark.parametrize('interval', [1, 15, 45, 3600])
def test_interval_comes_only_from_the_configuration(
    dd_run_check: Run, aggregator: AggregatorStub, build: Build, interval: int
) -> None:
    check = build({'min_collection_interval': interval})
    dd_run_check(check)
    assert check.config.min_collection_interval == interval
    aggregator.assert_metric('my_metric', count=1)
    # Only the text of the example and the spec may contain the number.
    package = Path(__file__).parent.parent / 'datadog_checks' / 'my_metric'
    sources = [package / 'check.py', package / 'config_models' / 'validators.py', package / '__init__.py']
    assert not [source.name for source in sources if '45' in source.read_text(encoding='utf-8')]
