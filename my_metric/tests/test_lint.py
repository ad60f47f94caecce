# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""`ddassets lint` on the integration's own assets, checked against what the check submits."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from datadog_checks.base.stubs.aggregator import AggregatorStub
from datadog_checks.base.types import InstanceType
from datadog_checks.my_metric import MyMetricCheck
from ddassets import assets as bundle
from ddassets.lint import Emission, lint

PACKAGE = Path(__file__).parents[1]


@pytest.fixture
def emission(
    dd_run_check: Callable[..., None],
    aggregator: AggregatorStub,
    build: Callable[..., MyMetricCheck],
    instance: InstanceType,
) -> Emission:
    dd_run_check(build(instance))
    return Emission.of_aggregator(aggregator)


def test_the_assets_query_what_the_check_submits(emission: Emission) -> None:
    assert lint(bundle.read(PACKAGE), emission) == ()


@pytest.mark.parametrize(
    'file, text, other, rule',
    [
        pytest.param('metadata.csv', 'my_metric,gauge', 'my_metric,count', 'metadata/type-differs', id='type'),
        pytest.param('metadata.csv', 'my_metric,gauge', 'my_metrics,gauge', 'metadata/undocumented', id='name'),
        pytest.param(
            'assets/monitors/my_metric_high.json',
            ':my_metric{*} by {host}',
            ':my_metric{*} by {hom}',
            'tag/unknown',
            id='tag',
        ),
    ],
)
def test_canary_a_planted_fault_is_reported(
    tmp_path: Path, emission: Emission, file: str, text: str, other: str, rule: str
) -> None:
    copied = tmp_path / PACKAGE.name
    shutil.copytree(PACKAGE / 'assets', copied / 'assets')
    for name in ('manifest.json', 'metadata.csv'):
        shutil.copy(PACKAGE / name, copied / name)
    before = (copied / file).read_text(encoding='utf-8')
    assert text in before
    (copied / file).write_text(before.replace(text, other), encoding='utf-8')
    assert rule in {finding.code for finding in lint(bundle.read(copied), emission)}
