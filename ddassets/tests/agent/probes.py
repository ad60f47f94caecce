"""The measured probes, and the submissions of the base package's AgentCheck for their calls."""

import math
from pathlib import Path
from typing import Any

import time_machine
import yaml

from ddassets.agent.collector import Recorder
from ddassets.agent.sampler import AGENT_VERSION, Settings

DOCUMENT = yaml.load(Path(__file__).with_name('probes.yaml').read_text('utf-8'), yaml.CSafeLoader)
PROBES = DOCUMENT['probes']
HOST = 'desktop'
# Seconds since the epoch of the probes' zero.
ZERO = 1_795_906_000
SETTINGS = {
    'default': Settings(),
    'aggregates': Settings(
        aggregates=('max', 'median', 'avg', 'min', 'sum', 'count'), percentiles=(95, 50, 99), stateful_expiry=11
    ),
}
VERSION = f'agent-{AGENT_VERSION}'

# All probes of one configuration were runs of one check, so a run ended for all of them after its last call.
ENDS: dict[tuple[str, int], float] = {}
for _probe in PROBES:
    for _run in _probe['runs']:
        _key = _probe['agent_config'], _run['run']
        ENDS[_key] = max([ENDS.get(_key, 0), ZERO + _run['at'], *(ZERO + call['at'] for call in _run['calls'])])


KINDS = dict(enumerate(['gauge', 'rate', 'count', 'monotonic_count', 'counter', 'histogram', 'historate']))
_NUMBERS = {kind: number for number, kind in KINDS.items()} | dict.fromkeys(('increment', 'decrement'), 4)


def submit(recorder: Recorder, call: dict[str, Any]) -> None:
    """Make one call of a probe at its instant, like AgentCheck: a value is converted to a float, None is ignored."""
    if call['value'] is None:
        return
    with time_machine.travel(ZERO + call['at'], tick=False):
        recorder.metric(
            None,
            '',
            _NUMBERS[call['method']],
            call['name'],
            float(call['value']),
            call.get('tags'),
            call.get('hostname'),
            call.get('flush_first_value', False),
        )


type Sent = dict[tuple[str, str, int, frozenset[str], str, str | None], list[list[float | None]]]


def expected(probe: dict[str, Any]) -> Sent:
    """What the Agent sent: [run, second, value] by metric, type, interval, tags, host and device."""
    return {key(series): series['points'] for series in probe['agent']}


def key(series: dict[str, Any]) -> tuple[str, str, int, frozenset[str], str, str | None]:
    tags = frozenset(series['tags'])
    return series['metric'], series['type'], series['interval'], tags, series['host'], series.get('device')


def same(first: Sent, second: Sent, rates: bool) -> bool:
    """Whether two values are equal; rates to 0.2 per cent, because the Agent measures time microseconds later."""
    if first.keys() != second.keys():
        return False
    tolerance = 0.002 if rates else 0
    pairs = [(first[series], second[series]) for series in first]
    return all(
        len(left) == len(right) and all(_same_point(a, b, tolerance) for a, b in zip(left, right, strict=True))
        for left, right in pairs
    )


def _same_point(first: list[float | None], second: list[float | None], tolerance: float) -> bool:
    *place, value = first
    *other_place, other = second
    if value is None or other is None:
        return place == other_place and value is other
    return place == other_place and math.isclose(value, other, rel_tol=tolerance, abs_tol=0)


def has_rates(probe: dict[str, Any]) -> bool:
    return any('rate' in call['method'] for run in probe['runs'] for call in run['calls'])
