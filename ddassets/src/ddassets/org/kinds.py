"""The kinds of object that are applied, in the order in which they are shown."""

from ddassets.org.dashboards import Dashboards
from ddassets.org.downtimes import Downtimes
from ddassets.org.kind import Kind
from ddassets.org.monitors import Monitors
from ddassets.org.notification_rules import NotificationRules
from ddassets.org.slos import Slos

DASHBOARDS = Dashboards()
MONITORS = Monitors()
DOWNTIMES = Downtimes()
NOTIFICATION_RULES = NotificationRules()
SLOS = Slos()
KINDS: tuple[Kind, ...] = (DASHBOARDS, MONITORS, DOWNTIMES, NOTIFICATION_RULES, SLOS)
