"""The keys of a scenario: the parser refuses others, and editors complete these."""

from collections.abc import Mapping
from typing import Any

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
        Key('ip', TEXT, 'what {{host.ip}} prints'),
        Key('tags', _TAGS, 'on every series with the tag host:NAME'),
        Key('metadata', map_of(TEXT), 'what {{host.metadata_…}} prints'),
    )
)
STRETCH = Keys(
    (Key('from', INSTANT, 'the first instant'), Key('to', INSTANT, 'the first instant after it')),
    required=('from', 'to'),
)
CHECK = Keys(
    (
        Key('host', TEXT, 'becomes the tag host:NAME'),
        Key('config', either(TEXT, map_of(ANYTHING)), 'a conf.yaml, or its content; the shipped example if left out'),
        Key('instances', list_of(map_of(ANYTHING)), 'the instances alone'),
        Key('uncomment', _TEXTS, 'options that the example shows in comments, taken as set'),
        Key('jitter', LENGTH, 'runs are up to so late'),
        Key('seed', whole(0), 'for the jitter, and for what the check draws from `random`'),
        Key('down', list_of(STRETCH.schema), 'when the Agent is off'),
        Key('cut_off', list_of(STRETCH.schema), 'when the Agent runs, and its points arrive at the end'),
        Key('late', LENGTH, 'every point arrives so much later'),
        Key('from', INSTANT, 'the first run; `start` if left out'),
    )
)
POINTS = Keys(
    (
        Key('metric', TEXT, 'the name of the metric'),
        Key('stub', choice(STUBBED), 'a function whose results these are'),
        Key('monitor', TEXT, 'of a stub: for which monitor'),
        Key('tags', _TAGS, 'such as [host:one, env:prod]'),
        Key('values', _VALUES, 'points one interval apart: 500x20, 600+10x5, _x5 for none'),
        Key('csv', TEXT, 'a file with the columns time and value, relative to this one'),
        Key('type', choice(KINDS), 'needed where metadata.csv does not say'),
        Key('interval', LENGTH, 'needed where metadata.csv does not say'),
        Key('from', INSTANT, 'of values: the instant of the first; `start` if left out'),
        Key('until', INSTANT, 'of csv: no point comes after the last row, until then'),
    )
)
BAND = Keys(
    (
        Key('band', TEXT, 'the metric that anomalies() watches'),
        Key('tags', _TAGS, 'of the series'),
        Key('lower', _VALUES, 'the lower bound, in the notation of values'),
        Key('upper', _VALUES, 'the upper bound'),
        Key('interval', LENGTH, 'between the values of a bound'),
        Key('from', INSTANT, 'the instant of the first value; `start` if left out'),
    ),
    required=('band',),
)
_MESSAGES: Schema = {
    'type': 'object',
    'propertyNames': {'enum': [*CHECK_WORDS]},
    'additionalProperties': either(TEXT, _TEXTS),
}
RUNS = Keys(
    (
        Key('service_check', TEXT, 'the name of the service check'),
        Key('statuses', _WORDS, 'runs one interval apart: OKx10 CRITICALx3, _x5 for none'),
        Key('messages', _MESSAGES, 'what {{check_message}} prints, by status; of a list, one after the other'),
        Key('tags', _TAGS, 'such as [host:one, env:prod]'),
        Key('interval', LENGTH, 'between two runs; 60s if left out'),
        Key('from', INSTANT, 'the first run; `start` if left out'),
    ),
    required=('service_check', 'statuses'),
)
GIVEN = Keys(
    (
        Key('monitor', TEXT, 'the id or name of a member of a composite, of any type'),
        Key('states', _WORDS, 'its states one interval apart: OKx10 Alertx3 NoDatax5'),
        Key('tags', _TAGS, 'the group; none for a simple alert'),
        Key('interval', LENGTH, 'between two states; 60s if left out'),
        Key('from', INSTANT, 'the first state; `start` if left out'),
    ),
    required=('monitor', 'states'),
)
FOUND = Keys(
    (
        Key('events', choice(PRODUCTS), 'the product whose search finds them'),
        Key('monitor', TEXT, 'the only monitor whose search finds them; every one of the product if left out'),
        Key('counts', _VALUES, 'how many, one interval apart: 0x10 5 _x3'),
        Key('interval', LENGTH, 'between two counts; 60s if left out'),
        Key('from', INSTANT, 'the first count; `start` if left out'),
        Key('at', either(INSTANT, list_of(INSTANT, 1)), 'the instants of single events, instead of counts'),
        Key('tags', _TAGS, 'of each event, such as [service:pay]'),
        Key('attributes', map_of(either(TEXT, NUMBER)), 'facets and measures by name, without the @'),
        Key('fields', map_of(TEXT), 'what {{log.message}} and the like print: message, service, status, title, …'),
    ),
    required=('events',),
)
SIMULATED = Keys((Key('check', either(CHECK.schema, {'type': 'null'}), "the integration's check, simulated"),))
EXCEPT = Keys((Key('except', list_of(TEXT), 'all but these'),), required=('except',))
FILE = Keys(
    (
        Key('file', TEXT, 'a file of monitors, downtimes or notification rules, relative to this one'),
        Key('only', list_of(TEXT, 1), 'the names to take of it; all if left out'),
    ),
    required=('file',),
)
#: A monitor or downtime as the API takes it, which lint and the reader of bodies judge.
_BODY: Schema = {'type': 'object', 'not': {'required': ['file']}}
_CHOICE = either(choice(('all',)), EXCEPT.schema, list_of(either(TEXT, FILE.schema, _BODY)))
EXPECTED = Keys(
    (
        Key('at', INSTANT, 'the instant of the evaluation'),
        Key('reason', choice(REASONS), 'what is notified; a transition if left out'),
        Key('monitor', TEXT, 'needed where there are several'),
        Key('group', TEXT, 'such as host:one,env:prod'),
        Key('from', _STATE, 'the state before'),
        Key('to', _STATE, 'the state after'),
        Key('value', NUMBER, 'the value compared'),
        Key('notification', choice(('sent', 'muted', 'none')), 'whether a notification goes out'),
        Key('muted_by', _TEXTS, 'the downtimes that hold it back'),
        Key('recipients', _TEXTS, 'who is notified, in any order'),
        Key('message', _TEXTS, 'texts in the title or the message'),
    ),
    required=('at',),
)
BOUNDS = Keys(
    (
        Key('exactly', whole(0), 'so many'),
        Key('at_least', whole(1), 'so many or more'),
        Key('at_most', whole(0), 'so many or fewer'),
    )
)
PROPERTY = Keys(
    (
        Key('notifications', either(choice(('none',)), BOUNDS.schema), 'how many the other keys choose'),
        Key('time_in', _STATE, 'a state, whose time is bounded'),
        Key('at_least', LENGTH, 'of time_in'),
        Key('at_most', LENGTH, 'of time_in'),
        Key('monitor', TEXT, 'only of this monitor'),
        Key('group', TEXT, 'only of this group'),
        Key('state', either(_STATE, list_of(_STATE, 1)), 'what the notifications are about; OK is a recovery'),
        Key('recipient', TEXT, 'only those to this handle'),
        Key('reason', choice(REASONS), 'only those of this kind'),
        Key('muted', FLAG, 'count those that were held back instead'),
        Key('downtime', TEXT, 'the messages of this downtime itself'),
        Key('inside', _WEEK, 'only in these hours of the week'),
        Key('outside', _WEEK, 'only outside of these hours'),
    )
)
_ENTITIES = map_of(map_of(either(TEXT, map_of(TEXT))))
SCENARIO = Keys(
    (
        Key('description', TEXT, 'what the scenario is about'),
        Key('start', INSTANT, 'the first instant'),
        Key('timezone', TEXT, 'of all instants of the file; UTC if left out'),
        Key('length', LENGTH, 'how long it lasts, 1m to 10 years'),
        Key('notify', TEXT, 'a handle added to every message'),
        Key('redirect', TEXT, 'a handle in the place of every other'),
        Key('hosts', map_of(either(HOST.schema, {'type': 'null'})), 'what is known of hosts, by name'),
        *(Key(key, _ENTITIES, f'attributes of {key}, by name') for key, _ in ENTITIES.values()),
        Key(
            'series',
            list_of(either(POINTS.schema, BAND.schema, RUNS.schema, GIVEN.schema, FOUND.schema, SIMULATED.schema)),
            'the signal',
        ),
        Key('monitors', _CHOICE, 'all of the integration if left out; names, files, or whole monitors'),
        Key('downtimes', _CHOICE, 'likewise; [] for none'),
        Key('notification_rules', _CHOICE, 'likewise: who else is notified, by tags; [] for none'),
        Key(
            'assumptions',
            {
                'type': 'object',
                'additionalProperties': False,
                'properties': {one.id: {'type': 'string', 'description': one.question} for one in ASSUMPTIONS.values()},
            },
            'other choices where the documentation is silent',
        ),
        Key('tick_second', whole(0, 59), 'the second of the minute of evaluations; 0 if left out'),
        Key('expect', list_of(EXPECTED.schema), 'all that happens, and nothing else may'),
        Key('properties', list_of(PROPERTY.schema), 'what holds for the whole'),
        Key('min_coverage', {**NUMBER, 'minimum': 0, 'maximum': 100}, 'how many per cent the file has to reach'),
    ),
    required=('start', 'length', 'series'),
)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file."""
    return document('A scenario of ddassets rehearse', SCENARIO.schema)
