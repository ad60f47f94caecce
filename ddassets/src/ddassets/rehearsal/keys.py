"""The keys of a scenario, for the parser and for the JSON Schema."""

from collections.abc import Mapping
from typing import Any

from ddassets.engine.approximation import APPROXIMATED
from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.engine.message import ENTITIES
from ddassets.engine.notification import REASONS
from ddassets.engine.planner import STUBBED
from ddassets.engine.state import State
from ddassets.keys import (
    ANYTHING,
    FLAG,
    INSTANT,
    LENGTH,
    NUMBER,
    TEXT,
    Key,
    Keys,
    Schema,
    choice,
    document,
    either,
    list_of,
    map_of,
    whole,
)
from ddassets.language.counted import PRODUCTS
from ddassets.rehearsal.scenario import KINDS
from ddassets.rehearsal.statuses import CHECK_WORDS

STATES: Mapping[str, State] = {str(state): state for state in State}
_STATE = choice(STATES)
_TEXTS = list_of(TEXT)
_TAGS = list_of(TEXT)
_WEEK: Schema = {'type': 'string', 'examples': ['Mon-Fri 09:00-19:00', 'Sat,Sun', '22:00-06:00']}
#: The notation of values: `500x20`, `600+10x5`, `_x5`.
_VALUES: Schema = {'type': ['string', 'number'], 'examples': ['10x20 70x10 _x5']}

_WORDS: Schema = {'type': 'string', 'examples': ['OKx10 CRITICALx3 _x5']}

HOST = Keys(
    (
        Key('ip', TEXT, 'the value of {{host.ip}}'),
        Key('tags', _TAGS, 'tags of every series with the tag host:NAME'),
        Key('metadata', map_of(TEXT), 'the values of {{host.metadata_…}}'),
    )
)
STRETCH = Keys(
    (Key('from', INSTANT, 'the first instant'), Key('to', INSTANT, 'the first instant after it')),
    required=('from', 'to'),
)
CHECK = Keys(
    (
        Key('host', TEXT, 'adds the tag host:NAME'),
        Key('config', either(TEXT, map_of(ANYTHING)), 'a conf.yaml, or its content; default: the shipped example'),
        Key('instances', list_of(map_of(ANYTHING)), 'only the instances'),
        Key('uncomment', _TEXTS, 'commented-out options of the example, to be enabled'),
        Key('jitter', LENGTH, 'the maximum delay of a run'),
        Key('seed', whole(0), 'seed for the jitter and for the use of `random` in the check'),
        Key('down', list_of(STRETCH.schema), 'when the Agent is stopped'),
        Key('cut_off', list_of(STRETCH.schema), 'when the Agent has no network; its points arrive at the end'),
        Key('late', LENGTH, 'the delay of every point'),
        Key('from', INSTANT, 'the first run; default: `start`'),
    )
)
POINTS = Keys(
    (
        Key('metric', TEXT, 'the name of the metric'),
        Key('stub', choice(STUBBED), 'the function whose results these are'),
        Key('monitor', TEXT, 'for a stub: only for this monitor'),
        Key('tags', _TAGS, 'such as [host:one, env:prod]'),
        Key(
            'values',
            _VALUES,
            'points one interval apart: 500x20, 600+10x5, _x5 for missing points; a distribution has [1 2 2], {1: 20}',
        ),
        Key('csv', TEXT, 'a file with the columns time and value, relative to the scenario'),
        Key('type', choice(KINDS), 'required if metadata.csv does not give it'),
        Key('interval', LENGTH, 'required if metadata.csv does not give it'),
        Key('from', INSTANT, 'for values: the instant of the first value; default: `start`'),
        Key('until', INSTANT, 'for csv: no points between the last row and this instant'),
    )
)
BAND = Keys(
    (
        Key('band', TEXT, 'the metric in anomalies()'),
        Key('tags', _TAGS, 'tags of the series'),
        Key('lower', _VALUES, 'the lower bound, in the notation of values'),
        Key('upper', _VALUES, 'the upper bound'),
        Key('interval', LENGTH, 'time between the values of a bound'),
        Key('from', INSTANT, 'the instant of the first value; default: `start`'),
    ),
    required=('band',),
)
LIMITS = Keys(
    (
        Key('threshold_values', _VALUES, 'the values of a dynamic threshold; each holds until the next one'),
        Key('recovery_threshold_values', _VALUES, 'the same for its recovery threshold'),
        Key('monitor', TEXT, 'only for this monitor; default: every monitor with a dynamic threshold'),
        Key('tags', _TAGS, 'tags of the group; none for all groups'),
        Key('interval', LENGTH, 'time between two values; default: 60s'),
        Key('from', INSTANT, 'the instant of the first value; default: `start`'),
    )
)
_MESSAGES: Schema = {
    'type': 'object',
    'propertyNames': {'enum': [*CHECK_WORDS]},
    'additionalProperties': either(TEXT, _TEXTS),
}
RUNS = Keys(
    (
        Key('service_check', TEXT, 'the name of the service check'),
        Key('statuses', _WORDS, 'runs one interval apart: OKx10 CRITICALx3, _x5 for missing runs'),
        Key('messages', _MESSAGES, 'the values of {{check_message}} by status; a list is used in order'),
        Key('tags', _TAGS, 'such as [host:one, env:prod]'),
        Key('interval', LENGTH, 'time between two runs; default: 60s'),
        Key('from', INSTANT, 'the first run; default: `start`'),
    ),
    required=('service_check', 'statuses'),
)
GIVEN = Keys(
    (
        Key('monitor', TEXT, 'the id or name of a member of a composite, of any type'),
        Key('states', _WORDS, 'its states one interval apart: OKx10 Alertx3 NoDatax5'),
        Key('tags', _TAGS, 'tags of the group; none for a simple alert'),
        Key('interval', LENGTH, 'time between two states; default: 60s'),
        Key('from', INSTANT, 'the first state; default: `start`'),
    ),
    required=('monitor', 'states'),
)
FOUND = Keys(
    (
        Key('events', choice(PRODUCTS), 'the product of the search'),
        Key('monitor', TEXT, 'only for this monitor; default: every monitor of the product'),
        Key('variables', list_of(TEXT, 1), 'the variables of a formula that find them; default: their searches decide'),
        Key('counts', _VALUES, 'numbers of events, one interval apart: 0x10 5 _x3'),
        Key('interval', LENGTH, 'time between two counts; default: 60s'),
        Key('from', INSTANT, 'the first count; default: `start`'),
        Key('at', either(INSTANT, list_of(INSTANT, 1)), 'the instants of single events, instead of counts'),
        Key('tags', _TAGS, 'tags of each event, such as [service:pay]'),
        Key('attributes', map_of(either(TEXT, NUMBER)), 'facets and measures by name, without the @'),
        Key(
            'fields',
            map_of(TEXT),
            'the values of {{log.message}} and similar variables: message, service, status, title, …',
        ),
    ),
    required=('events',),
)
CORRECTION = Keys(
    (
        Key('slo', TEXT, 'the id, name or address of an SLO'),
        Key('from', INSTANT, 'the first instant'),
        Key('to', INSTANT, 'the first instant after it'),
    ),
    required=('slo', 'from', 'to'),
)
SPENT = Keys(
    (
        Key('slo', TEXT, 'the id, name or address of an SLO'),
        Key('good', {**NUMBER, 'minimum': 0}, 'good events, minutes or slices'),
        Key('total', {**NUMBER, 'minimum': 0}, 'all events, minutes or slices'),
        Key('group', TEXT, 'only in this group, such as env:prod'),
    ),
    required=('slo', 'good', 'total'),
)
SIMULATED = Keys((Key('check', either(CHECK.schema, {'type': 'null'}), "the integration's check, simulated"),))
EXCEPT = Keys((Key('except', list_of(TEXT), 'all except these'),), required=('except',))
FILE = Keys(
    (
        Key('file', TEXT, 'a file of monitors, downtimes or notification rules, relative to the scenario'),
        Key('only', list_of(TEXT, 1), 'only these names; default: all'),
    ),
    required=('file',),
)
#: A monitor or downtime in the form of the API; the decoder of assets checks it.
_BODY: Schema = {'type': 'object', 'not': {'required': ['file']}}
_CHOICE = either(choice(('all',)), EXCEPT.schema, list_of(either(TEXT, FILE.schema, _BODY)))
EXPECTED = Keys(
    (
        Key('at', INSTANT, 'the instant of the evaluation'),
        Key('reason', choice(REASONS), 'the reason of the notification; default: transition'),
        Key('monitor', TEXT, 'required if there are several'),
        Key('group', TEXT, 'such as host:one,env:prod'),
        Key('from', _STATE, 'the state before'),
        Key('to', _STATE, 'the state after'),
        Key('value', NUMBER, 'the compared value'),
        Key('notification', choice(('sent', 'muted', 'none')), 'whether a notification is sent or muted'),
        Key('muted_by', _TEXTS, 'the downtimes that mute it'),
        Key('recipients', _TEXTS, 'the recipients, in any order'),
        Key('message', _TEXTS, 'texts in the title or the message'),
    ),
    required=('at',),
)
BOUNDS = Keys(
    (
        Key('exactly', whole(0), 'this number'),
        Key('at_least', whole(1), 'at least this number'),
        Key('at_most', whole(0), 'at most this number'),
    )
)
PROPERTY = Keys(
    (
        Key(
            'notifications',
            either(choice(('none',)), BOUNDS.schema),
            'the number of notifications that the other keys select',
        ),
        Key('time_in', _STATE, 'a state whose duration is limited'),
        Key('at_least', LENGTH, 'bound of time_in'),
        Key('at_most', LENGTH, 'bound of time_in'),
        Key('monitor', TEXT, 'only this monitor'),
        Key('group', TEXT, 'only this group'),
        Key('state', either(_STATE, list_of(_STATE, 1)), 'the states of the notifications; OK is a recovery'),
        Key('recipient', TEXT, 'only notifications to this handle'),
        Key('reason', choice(REASONS), 'only notifications with this reason'),
        Key('muted', FLAG, 'count muted notifications instead'),
        Key('downtime', TEXT, "this downtime's own messages"),
        Key('inside', _WEEK, 'only in these hours of the week'),
        Key('outside', _WEEK, 'only outside these hours of the week'),
    )
)
_ENTITIES = map_of(map_of(either(TEXT, map_of(TEXT))))
SCENARIO = Keys(
    (
        Key('description', TEXT, 'description of the scenario'),
        Key('start', INSTANT, 'the first instant'),
        Key('timezone', TEXT, 'time zone of all instants of the file; default: UTC'),
        Key('length', LENGTH, 'the length, 1m to 10 years'),
        Key('notify', TEXT, 'a handle added to every message'),
        Key('redirect', TEXT, 'a handle that replaces every other'),
        Key('hosts', map_of(either(HOST.schema, {'type': 'null'})), 'attributes of hosts, by name'),
        *(Key(key, _ENTITIES, f'attributes of {key}, by name') for key, _ in ENTITIES.values()),
        Key(
            'series',
            list_of(either(*(one.schema for one in (POINTS, BAND, RUNS, GIVEN, FOUND, LIMITS, SIMULATED)))),
            'the signal',
        ),
        Key('monitors', _CHOICE, 'names, files, or complete monitors; default: all of the integration or sources'),
        Key('downtimes', _CHOICE, 'the same for downtimes; [] for none'),
        Key('notification_rules', _CHOICE, 'the same for notification rules; [] for none'),
        Key('slos', _CHOICE, 'the same for SLOs; default: also those of the files of monitors'),
        Key('corrections', list_of(CORRECTION.schema), 'times that SLOs leave out, or count as uptime'),
        Key('before', list_of(SPENT.schema), 'what SLOs had counted before the series begin'),
        Key(
            'assumptions',
            {
                'type': 'object',
                'additionalProperties': False,
                'properties': {one.id: {'type': 'string', 'description': one.question} for one in ASSUMPTIONS.values()},
            },
            "other choices for questions that Datadog's documentation leaves open",
        ),
        Key(
            'approximate',
            list_of(choice(APPROXIMATED), 1),
            'functions that are approximated without a stub: Datadog does not publish their constants',
        ),
        Key('tick_second', whole(0, 59), 'the second of the minute of evaluations; default: 0'),
        Key('expect', list_of(EXPECTED.schema), 'the complete list of what happens'),
        Key('properties', list_of(PROPERTY.schema), 'properties of the whole rehearsal'),
        Key('min_coverage', {**NUMBER, 'minimum': 0, 'maximum': 100}, 'the minimum coverage in per cent'),
    ),
    required=('start', 'length', 'series'),
)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file."""
    return document('A scenario of ddassets rehearse', SCENARIO.schema)
