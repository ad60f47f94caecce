"""The rules that code and tests cite by number, and the page that lists the tests of each rule.

`python ddassets/tests/semantics.py` writes docs/semantics.md.
"""

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import conformance
import constructs

from ddassets.engine.assumptions import ASSUMPTIONS

TESTS = Path(__file__).parent
PAGE = TESTS.parent / 'docs' / 'semantics.md'

# What becomes of a rule. The first two have to be earned by a test that cites the number.
IMPLEMENTED, REFUSED, NO_PART = 'implemented', 'refused', 'no part'

RULES: dict[str, tuple[str, str]] = {
    '1.1': (IMPLEMENTED, 'the threshold form of a query'),
    '1.2': (IMPLEMENTED, 'percentiles of distributions'),
    '1.3': (IMPLEMENTED, 'windows, told when longer than a month'),
    '1.4': (IMPLEMENTED, 'cumulative windows; of logs and events they are refused'),
    '1.5': (IMPLEMENTED, 'boolean scopes'),
    '1.6': (IMPLEMENTED, 'wildcards in the values of tags'),
    '1.7': (IMPLEMENTED, 'groups by keys; a series without a key is in none'),
    '1.8': (IMPLEMENTED, 'the change form, in both spellings of its shift'),
    '1.9': (IMPLEMENTED, 'a change is taken point by point, under as_count of whole windows'),
    '1.10': (IMPLEMENTED, 'modifiers, functions and arithmetic; those outside the subset are refused by name'),
    '1.11': (IMPLEMENTED, 'formula monitors; dynamic thresholds'),
    '1.12': (IMPLEMENTED, 'both names of the type'),
    '1.14': (IMPLEMENTED, 'a query without a space aggregator'),
    '1.15': (IMPLEMENTED, 'renotify_occurrences 0 sends none, with a warning'),
    '2.1': (IMPLEMENTED, 'how often is evaluated, by the window'),
    '2.2': (IMPLEMENTED, 'at which second of the minute'),
    '2.3': (IMPLEMENTED, 'where the window lies, with the delay'),
    '2.4': (IMPLEMENTED, 'the order of work'),
    '2.5': (IMPLEMENTED, 'the mean is that of buckets'),
    '2.6': (IMPLEMENTED, 'max and min'),
    '2.7': (IMPLEMENTED, 'comparison to the letter'),
    '2.8': (IMPLEMENTED, 'full windows'),
    '2.9': (IMPLEMENTED, 'a window need not be full unless said'),
    '2.10': (IMPLEMENTED, 'one point is enough then'),
    '2.11': (IMPLEMENTED, 'arithmetic on counts: sums first'),
    '2.12': (REFUSED, 'another time aggregator than sum with as_count'),
    '2.13': (IMPLEMENTED, 'what is missing, and n/0'),
    '2.14': (IMPLEMENTED, 'as_count and as_rate'),
    '2.15': (IMPLEMENTED, 'kind and interval of a series'),
    '2.16': (IMPLEMENTED, 'interpolation where sources are combined, held for 300 s, and fill'),
    '2.17': (IMPLEMENTED, 'default_zero: the interpolated value, or 0'),
    '2.18': (IMPLEMENTED, 'which ends belong to the window'),
    '2.19': (IMPLEMENTED, 'each group by itself'),
    '2.20': (IMPLEMENTED, 'a notification per group; notify_by folds groups (I6)'),
    '2.21': (IMPLEMENTED, 'new groups wait'),
    '2.22': (REFUSED, 'custom schedules'),
    '2.23': (IMPLEMENTED, 'drafts are silent'),
    '3.1': (IMPLEMENTED, 'the critical threshold stands twice'),
    '3.2': (IMPLEMENTED, 'on which side the warning is'),
    '3.3': (IMPLEMENTED, 'what a value is'),
    '3.4': (IMPLEMENTED, 'what holds for a recovery'),
    '3.5': (IMPLEMENTED, 'recovery without a threshold'),
    '3.6': (IMPLEMENTED, 'recovery with thresholds'),
    '3.7': (IMPLEMENTED, 'the states, and the one at the beginning'),
    '3.8': (IMPLEMENTED, 'transitions notify'),
    '3.9': (IMPLEMENTED, 'missing data keep the state'),
    '3.10': (IMPLEMENTED, 'notify_no_data'),
    '3.11': (IMPLEMENTED, 'no_data_timeframe'),
    '3.12': (IMPLEMENTED, 'when its timer starts'),
    '3.13': (IMPLEMENTED, 'on_missing_data of a metric monitor'),
    '3.14': (IMPLEMENTED, 'it acts at once, and excludes the older pair'),
    '3.15': (IMPLEMENTED, 'its four values'),
    '3.16': (IMPLEMENTED, 'which query evaluates missing data as 0'),
    '3.17': (IMPLEMENTED, 'resolve and timeout_h exclude each other'),
    '3.18': (IMPLEMENTED, 'recovery from a silent No Data'),
    '3.19': (IMPLEMENTED, 'timeout_h'),
    '3.20': (IMPLEMENTED, 'groups are forgotten, silently'),
    '3.21': (IMPLEMENTED, 'renotification'),
    '3.22': (IMPLEMENTED, 'the count of renotifications'),
    '3.23': (IMPLEMENTED, 'escalation_message'),
    '3.24': (IMPLEMENTED, 'the title: priority, transition and the tags of the group'),
    '3.25': (IMPLEMENTED, 'notify_audit changes nothing'),
    '3.26': (IMPLEMENTED, 'a preset hides parts of a message, and no recipient'),
    '3.27': (IMPLEMENTED, 'the notification rules of a fixture add recipients; dynamic routing has no part'),
    '3.28': (IMPLEMENTED, 'the condition, the last trigger and the links below the message'),
    '4.1': (IMPLEMENTED, 'the template language'),
    '4.2': (IMPLEMENTED, 'conditionals'),
    '4.3': (IMPLEMENTED, 'which hold at which transition'),
    '4.3b': (IMPLEMENTED, 'handles in is_alert_recovery from Alert to Warn'),
    '4.4': (IMPLEMENTED, 'text and handles outside of them'),
    '4.5': (IMPLEMENTED, 'is_match and is_exact_match'),
    '4.6': (IMPLEMENTED, 'values'),
    '4.7': (IMPLEMENTED, 'when it began'),
    '4.8': (IMPLEMENTED, 'tags of the group and of the filter'),
    '4.9': (IMPLEMENTED, 'what is known of a host, service, namespace, pod or device'),
    '4.10': (IMPLEMENTED, 'eval and the other functions'),
    '4.11': (IMPLEMENTED, 'forms of handles'),
    '4.12': (IMPLEMENTED, 'handles are looked for in the rendered text'),
    '5.1': (IMPLEMENTED, 'the body of a downtime'),
    '5.2': (IMPLEMENTED, 'which monitors it covers'),
    '5.3': (IMPLEMENTED, 'one-time and endless ones'),
    '5.4': (IMPLEMENTED, 'recurring ones'),
    '5.5': (IMPLEMENTED, 'which parts of a rule there are'),
    '5.6': (IMPLEMENTED, 'local time'),
    '5.7': (IMPLEMENTED, 'overlapping windows are one, touching ones stay apart'),
    '5.8': (IMPLEMENTED, 'the first occurrence'),
    '5.9': (IMPLEMENTED, 'numbered weekdays with FREQ=DAILY, read in both ways; with WEEKLY they are refused'),
    '5.10': (IMPLEMENTED, 'starts that are past and duplicates are told'),
    '5.11': (IMPLEMENTED, 'the end is not in it'),
    '5.12': (IMPLEMENTED, 'when the clocks change'),
    '5.13': (IMPLEMENTED, 'dates from 2038 on are told'),
    '5.14': (IMPLEMENTED, 'the scope'),
    '5.15': (IMPLEMENTED, 'which tags it is matched with'),
    '5.16': (IMPLEMENTED, 'what is muted'),
    '5.17': (IMPLEMENTED, 'the first recovery is not'),
    '5.18': (IMPLEMENTED, 'what the end tells'),
    '5.19': (IMPLEMENTED, 'a recovery after it'),
    '5.20': (IMPLEMENTED, 'how a recurrence ends'),
    '5.21': (IMPLEMENTED, 'downtimes that overlap'),
    '5.22': (IMPLEMENTED, 'the message of a downtime'),
    '5.23': (IMPLEMENTED, 'nights and weekends'),
    '6.1': (IMPLEMENTED, 'anomalies() where a stub series is given'),
    '6.2': (IMPLEMENTED, 'the share of points beyond the bounds'),
    '6.3': (IMPLEMENTED, 'its windows'),
    '6.4': (NO_PART, 'interval and history of the real function: a stub has none'),
    '6.5': (REFUSED, 'anomalies() without a stub'),
    '6.6': (REFUSED, 'its algorithms are not published'),
    '6.7': (REFUSED, 'forecast() and what cannot be nested'),
    '7.1': (IMPLEMENTED, 'buckets align to the clock'),
    '7.2': (IMPLEMENTED, 'and count by their start'),
    '7.3': (IMPLEMENTED, 'with all that they hold'),
    '7.4': (IMPLEMENTED, 'methods'),
    '7.5': (IMPLEMENTED, 'a bucket as long as the window, or longer'),
    '7.6': (IMPLEMENTED, 'what is missed at the edge'),
    '8.1': (NO_PART, 'snapshots'),
    '8.2': (NO_PART, 'when a snapshot is there'),
    '8.3': (NO_PART, 'events'),
    '8.4': (NO_PART, 'handles in events'),
    '9.1': (NO_PART, 'a monitor as an asset: read as it is'),
    '9.2': (NO_PART, 'its texts: for lint'),
    '9.3': (NO_PART, 'their lengths: for lint'),
    '9.4': (NO_PART, 'what other integrations do'),
    '9.5': (NO_PART, 'the manifest: for lint'),
    '9.6': (NO_PART, 'dashboards: for lint'),
    '9.7': (NO_PART, 'data flows: for lint'),
    '13.1': (IMPLEMENTED, 'composites: members by id or name, with operators and parentheses'),
    '13.2': (IMPLEMENTED, 'composites: ! before && before ||, printed where they are mixed'),
    '13.3': (IMPLEMENTED, 'composites: at most ten members of any type, none of them a composite'),
    '13.4': (IMPLEMENTED, 'composites: the letters of members'),
    '13.5': (IMPLEMENTED, 'composites: the order of severity'),
    '13.6': (IMPLEMENTED, 'composites: the algebra'),
    '13.7': (IMPLEMENTED, 'composites: every row of the table'),
    '13.8': (IMPLEMENTED, 'composites: No Data that is not notified keeps the last status'),
    '13.9': (IMPLEMENTED, 'composites: No Data || Warn'),
    '13.10': (IMPLEMENTED, 'composites: members have to notify on missing data too'),
    '13.11': (IMPLEMENTED, 'composites: a member counts by its own state'),
    '13.12': (IMPLEMENTED, 'composites: the status at the evaluation, or the most severe of five minutes'),
    '13.13': (IMPLEMENTED, 'composites: every minute, after the members'),
    '13.14': (IMPLEMENTED, 'composites: simple members are repeated in each group'),
    '13.15': (IMPLEMENTED, 'composites: common groups, by the values of tags'),
    '13.16': (IMPLEMENTED, 'composites: groups by several keys'),
    '13.17': (IMPLEMENTED, 'composites: a group that is no longer common'),
    '13.18': (IMPLEMENTED, 'composites: a member in Unknown'),
    '13.19': (IMPLEMENTED, 'composites: transitions and renotification'),
    '13.20': (IMPLEMENTED, 'composites: downtimes of a member and of the composite'),
    '13.21': (IMPLEMENTED, 'composites: value, status and log of a member in a message'),
    '13.22': (IMPLEMENTED, 'composites: created after their members, deleted before them'),
    '14.1': (IMPLEMENTED, 'service checks: the query'),
    '14.2': (IMPLEMENTED, 'service checks: without over'),
    '14.3': (IMPLEMENTED, 'service checks: over and exclude'),
    '14.4': (IMPLEMENTED, 'service checks: groups'),
    '14.5': (IMPLEMENTED, 'service checks: the last runs'),
    '14.6': (IMPLEMENTED, 'service checks: thresholds are runs'),
    '14.7': (IMPLEMENTED, 'service checks: consecutive runs'),
    '14.8': (IMPLEMENTED, 'service checks: in a row, or among the last n'),
    '14.9': (IMPLEMENTED, 'service checks: what reaches no threshold changes nothing'),
    '14.10': (IMPLEMENTED, 'service checks: Unknown'),
    '14.11': (IMPLEMENTED, 'service checks: when they are evaluated'),
    '14.12': (IMPLEMENTED, 'service checks: missing data'),
    '14.13': (IMPLEMENTED, 'service checks: after No Data the count begins anew'),
    '14.14': (IMPLEMENTED, 'service checks: variables'),
    '14.15': (IMPLEMENTED, 'cluster alerts of service checks'),
    '14.16': (IMPLEMENTED, 'cluster alerts: more than the percentage'),
    '14.17': (IMPLEMENTED, 'cluster alerts: silent combinations'),
    '14.18': (IMPLEMENTED, 'host monitors'),
    '14.19': (IMPLEMENTED, 'cluster alerts of hosts'),
    '14.20': (IMPLEMENTED, 'host monitors that can never trigger'),
    '15.1': (IMPLEMENTED, 'monitors of logs, events, traces and the like, given the events'),
    '15.2': (IMPLEMENTED, 'rollups of events'),
    '15.3': (IMPLEMENTED, 'windows of events'),
    '15.4': (IMPLEMENTED, 'one number for each group and window'),
    '15.5': (IMPLEMENTED, 'the ends of a window of events'),
    '15.6': (IMPLEMENTED, 'up to four group keys; a warning where more groups would be dropped'),
    '15.7': (IMPLEMENTED, 'counted events: none in the window'),
    '15.8': (IMPLEMENTED, 'counted events: silent groups'),
    '15.9': (IMPLEMENTED, 'counted events: all groups are silent'),
    '15.10': (IMPLEMENTED, 'group retention'),
    '15.11': (IMPLEMENTED, 'variables of events'),
    '15.12': (IMPLEMENTED, 'which event fills them'),
    '15.13': (IMPLEMENTED, 'variables of event monitors'),
    '15.14': (IMPLEMENTED, 'samples below a message: said to be left out'),
    '15.15': (IMPLEMENTED, 'error tracking'),
    '15.16': (IMPLEMENTED, 'the other products; processes, synthetics and cost are refused by name'),
    '15.17': (IMPLEMENTED, 'the search is shown; of formulas, simple ones are run'),
    '15.18': (IMPLEMENTED, 'one alert for a grouped log monitor'),
    '16.1': (IMPLEMENTED, 'cumulative windows: the latest boundary'),
    '16.2': (IMPLEMENTED, 'evaluation_window: where a window begins'),
    '16.3': (IMPLEMENTED, 'day_starts alone is no finding'),
    '16.4': (IMPLEMENTED, 'local time of a boundary, UTC without a time zone'),
    '16.5': (IMPLEMENTED, 'the current hour and month'),
    '16.6': (IMPLEMENTED, 'an evaluation at a boundary; the instant of the boundary is in the new window'),
    '16.7': (IMPLEMENTED, 'a delay moves both ends'),
    '16.8': (IMPLEMENTED, 'how often a cumulative window is evaluated'),
    '16.9': (IMPLEMENTED, 'evaluation_window and the period of the query have to agree'),
    '16.10': (IMPLEMENTED, 'an empty window after a boundary'),
    '16.11': (IMPLEMENTED, 'a shipped example'),
    '16.12': (REFUSED, 'custom schedules'),
    '16.15': (REFUSED, 'custom schedules: each run by itself'),
    '17.1': (IMPLEMENTED, 'formulas: the query and its variables'),
    '17.2': (IMPLEMENTED, 'formulas: variables of metrics'),
    '17.3': (IMPLEMENTED, 'formulas: variables of events'),
    '17.4': (REFUSED, 'formulas: other data sources'),
    '17.5': (IMPLEMENTED, 'formulas: names, numbers, operators and functions'),
    '17.6': (IMPLEMENTED, 'formulas over metrics: with a rollup per point, without one each variable first (A60)'),
    '17.7': (IMPLEMENTED, 'formulas over events: one number for each window; a rollup is refused'),
    '17.8': (IMPLEMENTED, 'formulas over counts: sums first'),
    '17.9': (IMPLEMENTED, 'formulas: groups are joined by their values'),
    '17.10': (IMPLEMENTED, 'formulas: a missing operand'),
    '17.11': (IMPLEMENTED, 'formulas over events: x/0 keeps the state (A61)'),
    '17.12': (IMPLEMENTED, 'formulas over events: limits of groups'),
    '17.13': (IMPLEMENTED, 'formulas over events: the variables of a message'),
    '17.14': (IMPLEMENTED, 'dynamic thresholds'),
    '17.15': (IMPLEMENTED, 'dynamic thresholds: at the same instant, group by group (A62)'),
    '17.16': (IMPLEMENTED, 'dynamic thresholds: their history, or given values'),
    '17.17': (IMPLEMENTED, 'percentile(last_5m):p95:m{*}; two different percentiles are refused'),
    '17.18': (IMPLEMENTED, 'the percentile of all raw values of window and group'),
    '17.19': (IMPLEMENTED, 'distributions: raw values, or bins of them'),
    '17.20': (IMPLEMENTED, "percentiles of raw values: rank q * (n - 1), the lower value, and the sketch's error"),
    '17.21': (IMPLEMENTED, 'the mean of the percentiles of buckets'),
    '17.22': (IMPLEMENTED, 'distributions: count, sum, avg, min and max; no snapshot of a percentile'),
    '18.1': (IMPLEMENTED, 'SLO alerts: the query'),
    '18.2': (IMPLEMENTED, 'SLOs: a target for each timeframe; the primary one repeats one of them'),
    '18.3': (IMPLEMENTED, 'SLO alerts: the error budget'),
    '18.4': (IMPLEMENTED, 'SLO alerts: the consumed per cent of the budget'),
    '18.5': (IMPLEMENTED, 'SLO alerts: the burn rate'),
    '18.6': (IMPLEMENTED, 'SLO alerts: both windows of a burn rate'),
    '18.7': (IMPLEMENTED, 'SLO alerts: the windows and the largest burn rate'),
    '18.8': (IMPLEMENTED, 'SLO alerts: decimals'),
    '18.9': (IMPLEMENTED, 'SLO alerts: burn rates of a consumption'),
    '18.10': (IMPLEMENTED, 'metric SLOs: sums of good and total events'),
    '18.11': (IMPLEMENTED, 'monitor-based SLOs'),
    '18.12': (IMPLEMENTED, 'monitor-based SLOs: missing data'),
    '18.13': (IMPLEMENTED, 'time slice SLOs'),
    '18.14': (IMPLEMENTED, 'time slice SLOs: aligned to Unix time, unfinished ones do not count'),
    '18.15': (IMPLEMENTED, 'corrections of SLOs'),
    '18.16': (IMPLEMENTED, 'SLO alerts by group; of monitors only for all groups together'),
    '18.17': (IMPLEMENTED, 'SLO alerts: variables'),
    '18.18': (IMPLEMENTED, 'SLO alerts: evaluation_delay of burn rates; no missing data, no recovery threshold'),
    '18.19': (IMPLEMENTED, 'SLO alerts: every minute'),
    '18.20': (IMPLEMENTED, 'SLO alerts: windows, and what was counted before the data'),
    '19.1': (IMPLEMENTED, 'outliers(): its arguments, where it is approximated'),
    '19.2': (IMPLEMENTED, 'fewer than three members have no outlier'),
    '19.3': (IMPLEMENTED, 'each group has the value 1 or 0'),
    '19.4': (IMPLEMENTED, 'outliers() by DBSCAN, approximated on request'),
    '19.5': (IMPLEMENTED, 'each plausible constant is evaluated; where they differ, the result is doubtful'),
    '19.6': (IMPLEMENTED, 'clusters are connected components'),
    '19.7': (IMPLEMENTED, 'outliers() by MAD, approximated on request'),
    '19.8': (REFUSED, 'the scaled algorithms'),
    '19.9': (IMPLEMENTED, 'missing points of members'),
    '19.10': (IMPLEMENTED, 'what is sure, what is doubtful, and the tolerance that would change it'),
    '19.11': (IMPLEMENTED, "anomalies(…, 'basic', …): what is published"),
    '19.12': (IMPLEMENTED, "anomalies(…, 'basic', …), approximated on request"),
    '19.13': (REFUSED, 'the seasonal algorithms of anomalies()'),
    '19.14': (IMPLEMENTED, 'share, direction, thresholds and recovery of an approximated band'),
    '19.15': (IMPLEMENTED, "forecast(…, 'linear', …): what is published"),
    '19.16': (IMPLEMENTED, 'the edge of the bounds within the horizon'),
    '19.17': (IMPLEMENTED, "forecast(…, 'linear', …) with model='simple' and a history, approximated on request"),
    '19.18': (REFUSED, 'seasonal forecasts, unless a stub is given'),
    '19.19': (REFUSED, 'what forecast() cannot contain'),
    '20.1': (IMPLEMENTED, 'exclude_null()'),
    '20.2': (IMPLEMENTED, 'count_nonzero(), count_nonzero_finite() and count_not_null()'),
    '20.3': (IMPLEMENTED, 'a count of groups where none has a value'),
    '20.4': (IMPLEMENTED, 'cutoff_min() and cutoff_max()'),
    '20.5': (IMPLEMENTED, 'clamp_min() and clamp_max() of a point without a value'),
    '20.6': (IMPLEMENTED, 'logarithms'),
    '20.7': (IMPLEMENTED, 'default(q, n)'),
    '20.8': (IMPLEMENTED, 'diff() before the space aggregation'),
    '20.9': (IMPLEMENTED, 'monotonic_diff()'),
    '20.10': (IMPLEMENTED, 'rates, and dt() as one series'),
    '20.11': (IMPLEMENTED, 'throughput()'),
    '20.12': (IMPLEMENTED, 'moving_rollup()'),
    '20.13': (IMPLEMENTED, 'medians'),
    '20.14': (IMPLEMENTED, 'ewma'),
    '20.15': (IMPLEMENTED, 'cumsum() and integral(), refused unless A81 is switched'),
    '20.16': (IMPLEMENTED, 'top() and similar functions around the whole query'),
    '20.17': (IMPLEMENTED, 'ranking by area and l2norm'),
    '20.18': (IMPLEMENTED, 'calendar_shift() and the shifts it replaces'),
    '20.19': (IMPLEMENTED, 'rollups by calendar units; months from another day than the first are refused'),
    '20.20': (REFUSED, 'nested rollups'),
    '20.21': (REFUSED, 'autosmooth()'),
    '20.22': (IMPLEMENTED, 'count: of a distribution; of other types it is refused'),
    '20.23': (IMPLEMENTED, 'weighted()'),
    '20.24': (REFUSED, 'equiv_to()'),
    '20.25': (IMPLEMENTED, 'trend_line(); robust_trend() and piecewise_constant() are refused'),
    '20.26': (REFUSED, 'rollingavg_n()'),
    '20.27': (IMPLEMENTED, 'fill()'),
    '20.28': (IMPLEMENTED, 'points before the window'),
    'C1.1': (IMPLEMENTED, 'notification rules: the body'),
    'C1.2': (NO_PART, 'notification rules: bundling, threads and the number of rules'),
    'C1.3': (NO_PART, 'notification rules: what the server adds, for apply'),
    'C2.1': (IMPLEMENTED, 'notification rules: the tags of the monitor and of the group, not those of the filter'),
    'C2.2': (IMPLEMENTED, 'notification rules: the grammar of a scope'),
    'C2.3': (IMPLEMENTED, 'notification rules: NOT, group by group'),
    'C2.4': (NO_PART, 'notification rules: the views of what could match'),
    'C2.5': (IMPLEMENTED, 'notification rules: all that match, each recipient once'),
    'C2.6': (NO_PART, 'notification rules: monitors that are older than a rule'),
    'C2.7': (IMPLEMENTED, 'notification rules: every transition, and the text of the message'),
    'C3.1': (IMPLEMENTED, 'notification rules: a condition is one term'),
    'C3.2': (IMPLEMENTED, 'notification rules: all conditions that hold, else the fallback'),
    'C3.3': (NO_PART, 'notification rules: dynamic routing'),
    'C4.1': (IMPLEMENTED, 'a space stands before a handle'),
    'C4.2': (NO_PART, 'threads of a chat'),
    'C4.3': (NO_PART, 'notify_audit: see 3.25'),
    'C4.4': (IMPLEMENTED, 'notify_by: one notification for all groups, or for each value of its keys'),
}
VECTORS = {
    'V1': 'a quotient of rates and one of counts',
    'V2': 'full windows',
    'V3': 'a delayed window',
    'V4': 'a rollup that does not align with the window',
    'V5': 'a mean',
    'V6': 'a sum of quotients',
    'V7': 'a change in percent',
    'V8': 'a recovery threshold',
    'V9': 'when trouble began',
    'V10': 'a nightly downtime',
    'V11': 'nights and a weekend, merged',
    'V12': 'an hour that the clocks skip',
    'V13': 'an UNTIL in local time',
    'V14': 'numbers compared by value',
    'V56': 'a handle in is_alert_recovery, from Alert to Warn',
    'V57': 'dec, round, substring and strip',
    'V58': 'titles',
    'V15': 'composites: the table',
    'V16': 'composites: common groups',
    'V17': 'composites: status of five minutes',
    'V18': 'composites: not',
    'V19': 'composites: simple and grouped members',
    'V20': 'composites: a downtime on a member',
    'V21': 'checks: in a row or counted',
    'V22': 'checks: critical 1, ok 4',
    'V23': 'checks: critical 2',
    'V24': 'checks: a cluster',
    'V25': 'a host that is silent',
    'V26': 'logs below 1',
    'V27': 'the current hour',
    'V28': 'the current month',
    'V29': 'schedules',
    'V30': 'runs of a schedule',
    'V31': 'burn rates',
    'V32': 'a burn rate of exactly 14.4',
    'V33': 'the largest burn rate',
    'V34': 'an error budget',
    'V35': 'time slices',
    'V36': 'uptime of monitors',
    'V37': 'a correction',
    'V38': 'exclude_null',
    'V39': 'weighted',
    'V40': 'cutoff_min',
    'V41': 'median_3',
    'V42': 'ewma_3',
    'V43': 'trend_line',
    'V44': 'a maximum of differences',
    'V45': 'calendar_shift',
    'V46': 'dbscan',
    'V47': 'a percentile',
    'V48': 'default_zero of one point',
    'V49': 'a change of counts',
    'V50': 'the four aggregators',
    'V51': 'fill of two sparse series',
    'V52': 'two series that are not aligned',
    'V53': 'a series that stops',
    'V54': 'a recurrence without start',
    'V55': 'a weekend in Berlin',
    'V59': 'moving_rollup of a count',
}

HEAD = """\
# Which rule holds, and which test says so

Written by `make semantics` from the tests, which cite a rule with `@pytest.mark.rule('2.8')`: do not edit this page.

The code and the messages of `ddassets` cite by number the rules of how Datadog evaluates and notifies. **Implemented**
is what a rehearsal does, **refused** what it names and does not guess, **no part** what it has nothing to do with. The
first two need a test that cites the number.
"""


def citations(folder: Path = TESTS) -> dict[str, dict[str, list[str]]]:
    """Return by rule, vector or assumption the files and the tests that cite it with `rule(...)`, in order.

    The examples of the conformance corpus and the monitors of constructs.yaml cite rules too.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted(folder.rglob('test_*.py')):
        for test in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(test, ast.FunctionDef) and test.name.startswith('test_'):
                for number in dict.fromkeys(_cited(test)):
                    found.setdefault(number, {}).setdefault(path.name, []).append(test.name)
    for example in conformance.examples() if folder == TESTS else ():
        for number in example.rules:
            found.setdefault(number, {}).setdefault('conformance', []).append(example.id)
    for construct in chain(*constructs.constructs().values()) if folder == TESTS else ():
        for number in construct.rules:
            found.setdefault(number, {}).setdefault('constructs', []).append(_plain(construct.name))
    return found


def _cited(test: ast.FunctionDef) -> Iterator[str]:
    for decorator in test.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.Call) and 'rule' in (getattr(node.func, 'attr', ''), getattr(node.func, 'id', '')):
                values = (argument.value for argument in node.args if isinstance(argument, ast.Constant))
                yield from (value for value in values if isinstance(value, str))


def page() -> str:
    """The text of docs/semantics.md."""
    tests = citations()
    return '\n'.join(
        (
            HEAD,
            _table(('Rule', 'Is', 'About'), [(number, *rule) for number, rule in RULES.items()], tests),
            '## What is assumed\n',
            'Where nothing is published, a rehearsal chooses the first, and prints it where it relied upon it.\n',
            _table(
                ('Id', 'Question', 'Choices'),
                [
                    (one.id, _plain(one.question), _plain(', '.join((f'**{one.default}**', *one.alternatives))))
                    for one in ASSUMPTIONS.values()
                ],
                tests,
            ),
            '## Worked examples\n',
            _table(('Id', 'About'), list(VECTORS.items()), tests),
        )
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], tests: dict[str, dict[str, list[str]]]) -> str:
    lines = [(*head, 'Tests'), ('---',) * (len(head) + 1)]
    for row in rows:
        cited = tests.get(row[0], {})
        lines.append((*row, '; '.join(f'{path}: {", ".join(names)}' for path, names in cited.items())))
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines) + '\n'


def _plain(text: str) -> str:
    """Return a text with all Markdown escaped."""
    return text.replace('|', '\\|').replace('_', '\\_').replace('<', '&lt;')


if __name__ == '__main__':
    PAGE.write_text(page(), encoding='utf-8')
