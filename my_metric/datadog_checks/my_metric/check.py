# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import time
from collections.abc import Iterable
from functools import cached_property

from datadog_checks.base import AgentCheck
from datadog_checks.base.types import InstanceType

from .config_models import ConfigMixin
from .signal import Drill, Signal


class MyMetricCheck(AgentCheck, ConfigMixin):
    """Submits the current value of the signal. Only `check` reads the clock, with one `time.time()` per run."""

    # No __NAMESPACE__: the gauge is named exactly my_metric, without a prefix.

    logged_position = -1
    sent_event: str | None = None

    @cached_property
    def signal(self) -> Signal:
        return Signal(self.config)

    def check(self, _: InstanceType) -> None:
        now = time.time()
        if self.signal.drill is not None:
            self.report_drill(self.signal.drill, now)
        value = self.signal.value(now)
        if value is not None:
            self.gauge('my_metric', value, tags=self.config.tags)

    def report_drill(self, drill: Drill, now: float) -> None:
        """Log each phase once; send one event at the first run during the drill and one at the first run after it."""
        position = drill.position(now)
        if position == self.logged_position:
            return
        self.logged_position = position
        if drill.is_active(position):
            self.log.info('Drill, %s', drill.describe(position))
        # The Agent keeps the cache across restarts while the configuration of the instance is the same.
        key = f'drill {self.config.drill.start}'
        if self.sent_event is None:
            self.sent_event = self.read_persistent_cache(key)
        if drill.is_active(position) and not self.sent_event:
            self.sent_event = 'started'
        elif position == len(drill.phases) and self.sent_event == 'started':
            self.sent_event = 'ended'
        else:
            return
        self.write_persistent_cache(key, self.sent_event)
        self.event(
            {
                'event_type': 'my_metric.drill',
                'timestamp': int(now),
                'msg_title': f'The drill of my_metric {self.sent_event}',
                'msg_text': f'It starts at {self.config.drill.start}:\n{drill}',
                'aggregation_key': key,
                'source_type_name': 'my_metric',
                'alert_type': 'info',
                'tags': list(self.config.tags or ()),
            }
        )


def series(instance: InstanceType, instants: Iterable[float]) -> list[int | float | None]:
    """Return the value that the check submits at each instant, None if it submits nothing.

    For tests and rehearsals: uses the check's own code, without an Agent or a clock. `instance` is an instance of
    conf.yaml; `instants` are seconds since 1970 UTC. An invalid instance raises ConfigurationError.
    """
    check = MyMetricCheck('my_metric', {}, [instance])
    check.load_configuration_models()
    return [check.signal.value(instant) for instant in instants]
