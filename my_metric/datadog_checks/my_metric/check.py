# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import random

from datadog_checks.base import AgentCheck
from datadog_checks.base.types import InstanceType

from .config_models import ConfigMixin


class MyMetricCheck(AgentCheck, ConfigMixin):
    # No __NAMESPACE__: the gauge is named exactly my_metric, without a prefix.

    def check(self, _: InstanceType) -> None:
        config = self.config
        self.gauge('my_metric', random.randint(config.minimum, config.maximum), tags=config.tags)
