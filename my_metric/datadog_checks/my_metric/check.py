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
    """Submits the signal's value of now. The clock is read in one place, as `time.time()` in `check`, once a run."""

    # No __NAMESPACE__: the gauge is named exactly my_metric, without a prefix.

    told_position = -1
    told_event: str | None = None

    @cached_property
    def signal(self) -> Signal:
        return Signal(self.config)

    def check(self, _: InstanceType) -> None:
        now = time.time()
        if self.signal.drill is not None:
            self.tell(self.signal.drill, now)
        value = self.signal.value(now)
        if value is not None:
            self.gauge('my_metric', value, tags=self.config.tags)

    def tell(self, drill: Drill, now: float) -> None:
        """Log each phase once; send one event at the first run inside the drill and one at the first run after it."""
        position = drill.position(now)
        if position == self.told_position:
            return
        self.told_position = position
        if drill.runs(position):
            self.log.info('Drill, %s', drill.describe(position))
        # The Agent keeps the cache over restarts, for as long as the instance's configuration is the same.
        key = f'drill {self.config.drill.start}'
        if self.told_event is None:
            self.told_event = self.read_persistent_cache(key)
        if drill.runs(position) and not self.told_event:
            self.told_event = 'started'
        elif position == len(drill.phases) and self.told_event == 'started':
            self.told_event = 'ended'
        else:
            return
        self.write_persistent_cache(key, self.told_event)
        self.event(
            {
                'event_type': 'my_metric.drill',
                'timestamp': int(now),
                'msg_title': f'The drill of my_metric {self.told_event}',
                'msg_text': f'It goes from {self.config.drill.start} on through\n{drill}',
                'aggregation_key': key,
                'source_type_name': 'my_metric',
                'alert_type': 'info',
                'tags': list(self.config.tags or ()),
            }
        )


def series(instance: InstanceType, instants: Iterable[float]) -> list[int | float | None]:
    """What the check submits with `instance` at `instants` (seconds since 1970 UTC), None where it submits nothing.

    For tests and rehearsals: no Agent, no clock, and the code is the check's own. `instance` is one of conf.yaml's; one
    that the check refuses raises ConfigurationError.
    """
    check = MyMetricCheck('my_metric', {}, [instance])
    check.load_configuration_models()
    return [check.signal.value(instant) for instant in instants]
