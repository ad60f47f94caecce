"""Reads and runs the conformance corpus, and writes the page about it.

`ddassets/conformance/README.md` says how an example is written. `python ddassets/tests/conformance.py` writes
docs/conformance.md.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ddassets.assets import read as read_bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.engine import downtime as downtimes
from ddassets.engine.state import State
from ddassets.rehearsal import Rehearsal, parse, rehearse
from ddassets.rehearsal.inbox import Mail, inbox

FOLDER = Path(__file__).parent.parent / 'conformance'
PAGE = FOLDER.parent / 'docs' / 'conformance.md'
EQUAL, CONFLICT, OUTSIDE = VERDICTS = ('equal', 'conflict', 'outside')
KEYS = {'id', 'rules', 'source', 'says', 'numbers', 'verdict', 'expect', 'other', 'construct'}

# The signal of an example that names only states: a value for each, five minutes long (one evaluation a minute).
QUERY = 'avg(last_1m):avg:acme.cpu{*} by {host} > 60'
LEVELS = {'OK': '1', 'Warn': '55', 'Alert': '63', 'No Data': '_'}
HOLD = 5

type Case = Mapping[str, Any]


@dataclass(frozen=True)
class Example:
    """A worked example or a recorded transition. `case` is the input, `expect` the documented result."""

    id: str
    topic: str
    rules: tuple[str, ...]
    sources: tuple[str, ...]
    says: str
    # Whether the numbers are ours, as the source states the rule alone.
    own_numbers: bool
    verdict: str
    case: Case
    expect: Case
    # Of a conflict: the other source's result, which is the one that comes out, and its sources.
    other: Case
    # Of an example outside of the subset: a regular expression for how the refusal names the construct.
    construct: str


def examples() -> list[Example]:
    """Read all files of the corpus, in the order of their names. Raises ValueError for a fault of one."""
    found = [example for path in sorted(FOLDER.glob('*.yaml')) if path.stem != 'sources' for example in _read(path)]
    twice = [name for name, count in Counter(example.id for example in found).items() if count > 1]
    if twice:
        raise ValueError(f'examples with the same id: {", ".join(twice)}')
    return found


def _read(path: Path) -> Iterator[Example]:
    document = yaml.safe_load(path.read_text(encoding='utf-8'))
    for entry in document['examples']:
        example = Example(
            id=entry['id'],
            topic=document['topic'],
            rules=tuple(map(str, entry.get('rules', ()))),
            sources=_listed(entry['source']),
            says=entry['says'],
            own_numbers=entry.get('numbers') == 'own',
            verdict=entry['verdict'],
            case={key: value for key, value in entry.items() if key not in KEYS},
            expect=entry['expect'],
            other=entry.get('other', {}),
            construct=entry.get('construct', ''),
        )
        _check(example, path)
        yield example


def _check(example: Example, path: Path) -> None:
    unknown = [key for key in (*example.sources, *_listed(example.other.get('source', ()))) if key not in sources()]
    needed = {EQUAL: True, CONFLICT: bool(example.other), OUTSIDE: bool(example.construct)}
    if unknown or not needed[example.verdict]:
        fault = f'unknown source {unknown[0]}' if unknown else f'{example.verdict} needs `other` or `construct`'
        raise ValueError(f'{path.name}: {example.id}: {fault}')


def _listed(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@cache
def sources() -> dict[str, dict[str, str]]:
    """The sources by key: `at` (path at commit, address, or when it was pasted) and `about`."""
    found: dict[str, dict[str, str]] = yaml.safe_load((FOLDER / 'sources.yaml').read_text(encoding='utf-8'))
    return found


# Running


def failure(example: Example) -> str | None:
    """Return why an example's verdict is wrong; None if it is right."""
    try:
        outcome = observe(example.case, example.expect)
        refusal = None
    except UnusableInputError as error:
        outcome, refusal = {}, f'{error}\n{error.details or ""}'
    expected = {key: value for key, value in example.expect.items() if key != 'group'}
    if 'refused' in expected:
        equal = refusal is not None and re.search(expected['refused'], refusal) is not None
    else:
        equal = refusal is None and same(outcome, expected)
    result = refusal or outcome
    match example.verdict:
        case 'equal':
            return None if equal else f'documented: {expected}\nresult: {result}'
        case 'outside':
            if refusal and re.search(example.construct, refusal):
                return None
            return f'not refused by name ({example.construct}): change the verdict\nresult: {result}'
    instead = {key: value for key, value in example.other.items() if key not in ('source', 'says')}
    if equal:
        return f'no conflict, the documented result comes out: change the verdict\nresult: {result}'
    if same(outcome, instead):
        return None
    return f'neither source is followed\ndocumented: {expected}\nother: {instead}\nresult: {result}'


def same(result: Any, expected: Any) -> bool:
    """Whether a result is the expected one. A text `/…/` is a regular expression; a mapping may leave keys out."""
    if isinstance(expected, Mapping):
        return isinstance(result, Mapping) and all(
            key in result and same(result[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(result, list) and len(result) == len(expected) and all(map(same, result, expected))
    if isinstance(expected, float | int) and not isinstance(expected, bool):
        return isinstance(result, float | int) and math.isclose(result, expected, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(expected, str) and isinstance(result, str) and re.fullmatch(r'/.*/', expected, re.S):
        return re.search(expected[1:-1], result) is not None
    return bool(result == expected)


def observe(case: Case, expect: Case) -> dict[str, Any]:
    """Return the results of ddassets for an example, under the keys of `expect`. Raises UnusableInputError."""
    if 'scope' in case:
        return {'muted': _muted(case)}
    result = _Result(run(case), expect)
    return {key: getattr(result, key) for key in expect if key not in ('group', 'refused')}


def _muted(case: Case) -> bool:
    """Whether a downtime's scope covers a group with these tags."""
    body = {'monitor_identifier': {'monitor_tags': ['*']}, 'scope': case['scope']}
    return downtimes.parse(body, 'scope').matches_group(case['tags'])


class _Result:
    """The result of an example's rehearsal, by key. `group` of the expectation selects one of several."""

    def __init__(self, rehearsal: Rehearsal, expect: Case) -> None:
        self.rehearsal = rehearsal
        self.expect = expect
        self.monitor = rehearsal.monitors[0]

    @property
    def _line(self) -> Any:
        groups = {','.join(group) or '*': line for group, line in self.monitor.timeline.groups.items()}
        return groups[self.expect['group']] if 'group' in self.expect else next(iter(groups.values()))

    def _time(self, instant: float) -> str:
        """The time of day, with its date if that is not the first one."""
        first, at = (datetime.fromtimestamp(second, self.rehearsal.zone) for second in (self.rehearsal.start, instant))
        date = '' if at.date() == first.date() else '%m-%dT'
        return at.strftime(date + ('%H:%M:%S' if at.second else '%H:%M'))

    @property
    def groups(self) -> list[str]:
        return sorted(','.join(group) or '*' for group in self.monitor.results)

    @property
    def values(self) -> dict[str, float | None]:
        """Return the compared value of each evaluation, by time; None without a value."""
        line = self._line
        numbers = (None if math.isnan(value) else float(value) for value in line.values)
        return dict(zip(map(self._time, line.ticks), numbers, strict=True))

    @property
    def value(self) -> float | None:
        return list(self.values.values())[-1]

    @property
    def states(self) -> dict[str, str]:
        line = self._line
        return {self._time(tick): str(State(state)) for tick, state in zip(line.ticks, line.states, strict=True)}

    @property
    def state(self) -> str:
        return list(self.states.values())[-1]

    @property
    def evaluations(self) -> list[str]:
        return list(self.states)

    @property
    def changes(self) -> list[str]:
        """Return every change of state, `10:05 OK to Alert`, after its group if there are several."""
        several = len(self.monitor.results) > 1
        found = [
            (change.instant, f'{",".join(group)} ' if several else '', change)
            for group, result in self.monitor.results.items()
            for change in result.transitions
        ]
        found.sort(key=lambda row: row[:2])
        return [f'{name}{self._time(at)} {change.source} to {change.target}' for at, name, change in found]

    @property
    def _mails(self) -> list[Mail]:
        return [mail for mail in inbox(self.rehearsal) if isinstance(mail, Mail) and mail.monitor is self.monitor]

    @property
    def muted_beside(self) -> int:
        """Return the number of muted notifications of the other monitor."""
        return sum(group.muted for group in self.rehearsal.monitors[1].results.values())

    @property
    def inbox(self) -> list[str]:
        """Return every notification, `10:05 OK to Alert (sent)`, with the word for a renotification or an end of a
        downtime.
        """
        found = []
        for mail in self._mails:
            due = mail.notification
            what = f'{due.source} to {due.target}' if due.reason == 'transition' else f'{due.reason} {due.target}'
            found.append(f'{self._time(mail.instant)} {what} ({"muted" if mail.muted_by else "sent"})')
        return found

    @property
    def _last(self) -> Mail:
        return self._mails[-1]

    @property
    def notifications(self) -> int:
        return len(self._mails)

    @property
    def title(self) -> str:
        return self._last.title

    @property
    def text(self) -> str:
        return self._last.text

    @property
    def recipients(self) -> list[str]:
        return sorted(self._last.recipients)

    @property
    def condition(self) -> str:
        """The sentence about the condition, or the query, below the last message."""
        return self._last.message.delivery.condition

    @property
    def last_triggered(self) -> str:
        return self._last.message.delivery.last_triggered

    @property
    def links(self) -> list[str]:
        return [link.label for link in self._last.message.delivery.links]

    @property
    def status_link(self) -> str:
        return self._last.message.delivery.status_address

    @property
    def variables(self) -> dict[str, str | None]:
        """The variables of a webhook for the last message."""
        return self._last.message.delivery.webhook()

    @property
    def windows(self) -> list[list[str]]:
        """The active intervals of the downtime, in UTC."""
        (downtime,) = self.rehearsal.downtimes
        return [[_utc(start), _utc(end)] for start, end in downtime.windows]


def _utc(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime('%Y-%m-%dT%H:%M:%SZ')


# From an example to a scenario


@cache
def _bundle() -> Any:
    return read_bundle(FOLDER)


def run(case: Case) -> Rehearsal:
    """Rehearse an example."""
    text = yaml.safe_dump(scenario(case), allow_unicode=True, sort_keys=False)
    return rehearse(parse(text, FOLDER / 'example.yaml'), _bundle(), keep=True)


def scenario(case: Case) -> dict[str, Any]:
    """Return the scenario of an example, with defaults for what the corpus omits."""
    found_events = [*_events(case)]
    told = 'series' in case or 'runs' in case or case.get('events') is not None
    states = list(case.get('states', ('OK', 'Alert')))
    own = [*_members(case), *_runs(case), *_given(case)]
    found: dict[str, Any] = {
        'start': case.get('start', '2027-01-04T09:59:00' if 'runs' in case else '2027-01-04T10:00:00'),
        'timezone': case.get('timezone', 'UTC'),
        'length': case.get('length') or (f'{_length(case)}m' if own else '10m' if told else f'{HOLD * len(states)}m'),
        'tick_second': case.get('tick_second', 0 if told or own else 30),
        'series': found_events or _points(case, states, own),
        'monitors': [_monitor(case, states), *(_monitor(one, states) for one in _beside(case))],
        'downtimes': [_downtime(case['downtime'])] if 'downtime' in case else [],
    }
    if 'slo' in case:
        found['slos'] = [_slo(case['slo'])]
    for key in ('hosts', 'assumptions', 'corrections'):
        if key in case:
            found[key] = case[key]
    return found


def _points(case: Case, states: Sequence[str], own: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if 'series' in case or case.get('events') is not None or own:
        return [*(_series(name, values) for name, values in case.get('series', {}).items()), *own]
    return _signal(case, states)


def _beside(case: Case) -> Iterator[Case]:
    """Return another monitor of the example, with its own series."""
    if 'beside' in case:
        yield {'series': (), 'monitor_tags': case['beside'].get('tags', ()), **case['beside']}


def _events(case: Case) -> Iterator[dict[str, Any]]:
    """Return the results of a monitor's search, by tags: the number of events in each minute."""
    for tags, counts in (case.get('events') or {}).items():
        yield {'events': _product(case), 'tags': tags.split(','), 'counts': str(counts)}


def _product(case: Case) -> str:
    """Return the product of the monitor's search, or of the first variable of its formula."""
    variables = case.get('options', {}).get('variables')
    product = variables[0]['data_source'].replace('_', '-') if variables else case['query'].partition('(')[0]
    return str(product)


def _members(case: Case) -> Iterator[dict[str, Any]]:
    """The states of the members of a composite: A is the monitor 1, B is 2."""
    hold = case.get('hold', HOLD)
    for letter, groups in case.get('members', {}).items():
        for tag, states in (groups if isinstance(groups, dict) else {'': groups}).items():
            words = ' '.join(f'{state.replace(" ", "")}x{hold}' for state in _listed(states))
            last = f'{_listed(states)[-1].replace(" ", "")}x{100 * hold}'
            yield {'monitor': str('ABC'.index(letter) + 1), 'states': f'{words} {last}', 'tags': [tag] if tag else []}


def _runs(case: Case) -> Iterator[dict[str, Any]]:
    """Return the runs of a check, one a minute, after ten OK runs."""
    words = {'O': 'OK', 'W': 'WARNING', 'C': 'CRITICAL', 'U': 'UNKNOWN', '_': '_'}
    runs = case.get('runs', {})
    for tag, letters in (runs if isinstance(runs, dict) else {'host:h': runs}).items():
        yield {
            'service_check': case['query'].split('"')[1],
            'statuses': ' '.join(['OKx10', *(words[letter] for letter in letters.split())]),
            'tags': tag.split(','),
            'from': '2027-01-04T09:50:00',
        }


def _given(case: Case) -> Iterator[dict[str, Any]]:
    """Return the states of the monitors of an SLO, by id: one a minute, from a week before on."""
    for id, words in case.get('given', {}).items():
        yield {'monitor': str(id), 'states': words, 'from': '2026-12-28T10:00:00'}


def _slo(case: Case) -> dict[str, Any]:
    """Return the SLO `a`: of good and total requests with the targets by timeframe, or with these keys."""
    if 'type' in case:
        return {'id': 'a', 'name': 'Acme', **case}
    return {
        'id': 'a',
        'name': 'Acme',
        'type': 'metric',
        'thresholds': [{'timeframe': timeframe, 'target': target} for timeframe, target in case.items()],
        'query': {'numerator': 'sum:acme.good{*}.as_count()', 'denominator': 'sum:acme.total{*}.as_count()'},
    }


def _length(case: Case) -> int:
    """Return the minutes of an example whose members' states or runs are given."""
    if 'runs' in case:
        runs = case['runs']
        return 1 + max(len(each.split()) for each in (runs.values() if isinstance(runs, dict) else [runs]))
    hold = case.get('hold', HOLD)
    every = [each for one in case['members'].values() for each in (one.values() if isinstance(one, dict) else [one])]
    return hold * max(len(_listed(each)) for each in every) if 'series' not in case else 10


_NAME = re.compile(r'([\w.]+)(?:\{(.*)\})?(?: (gauge|count|rate|distribution))?(?: (\d\w+))?(?: from (\S+))?')


def _series(name: str, values: object) -> dict[str, Any]:
    """Return a series from `metric{tags} type interval from INSTANT`; only the metric is required."""
    match = _NAME.fullmatch(name)
    if not match:
        raise ValueError(f'series {name!r}: expected metric{{tags}} type interval from INSTANT')
    metric, tags, kind, interval, start = match.groups()
    entry: dict[str, Any] = {
        'tags': [tag for tag in (tags or '').split(',') if tag],
        'interval': interval or '60s',
        'values': values,
    }
    entry |= {'stub': 'anomalies'} if metric == 'anomalies' else {'metric': metric, 'type': kind or 'gauge'}
    return entry | ({'from': start} if start else {})


def _signal(case: Case, states: Sequence[str]) -> list[dict[str, Any]]:
    """Return a series that moves the default monitor from state to state, five minutes each."""
    levels = [LEVELS[states[at - 1 if state == 'renotify' else at]] for at, state in enumerate(states)]
    if 'value' in case:
        levels[-1] = str(case['value'])
    values = ' '.join(f'{level}x{HOLD}' for level in levels)
    metric = re.search(r'([\w.]+)\{', case.get('query', QUERY))
    return [
        {
            'metric': metric[1] if metric else 'acme.cpu',
            'tags': list(case.get('tags', ['host:h'])),
            'type': 'gauge',
            'interval': '60s',
        }
        | {'values': values}
    ]


def _monitor(case: Case, states: Sequence[str]) -> dict[str, Any]:
    query = case.get('query', QUERY)
    body: dict[str, Any] = {
        'name': case.get('name', 'Acme'),
        'type': case.get('type', 'query alert'),
        'query': query,
        'message': case.get('message', 'It is {{value}}. @ops@example.com'),
        'tags': list(case.get('monitor_tags', ())),
        'options': dict(case.get('options', {})),
    }
    for key in ('priority', 'draft_status'):
        if key in case:
            body[key] = case[key]
    options = body['options']
    limit = re.search(r'[<>=!]=?\s*(-?[\d.]+(?:e\d+)?)\s*$', query)
    if limit and body['type'] == 'query alert':
        options.setdefault('thresholds', {})
        options['thresholds'] = {'critical': float(limit[1])} | options['thresholds']
    if 'series' not in case and body['type'] not in ('composite', 'service check', 'slo alert'):
        if 'Warn' in states:
            options['thresholds'].setdefault('warning', 50)
        if 'No Data' in states:
            options.setdefault('on_missing_data', 'show_and_notify_no_data')
        if 'renotify' in states:
            options.setdefault('renotify_interval', HOLD)
            options.setdefault('renotify_statuses', ['alert', 'warn', 'no data'])
    return body


def _downtime(given: Case) -> dict[str, Any]:
    """Return a downtime for every monitor and group, with the schedule and other keys of the example."""
    return {'monitor_identifier': {'monitor_tags': ['*']}, 'scope': '*', **given}


# The page

HEAD = """\
# Conformance

Written by `make conformance` from the files in [`conformance/`](../conformance/README.md): do not edit this page.

Worked examples that Datadog publishes, transitions and answers that were recorded, and notifications that people
pasted publicly, with what comes out here. **equal**: the documented result comes out. **conflict**: two sources
disagree, both are named, and the other one's result comes out. **outside**: a rehearsal refuses the construct by name.
All of them run as tests.
"""


def page() -> str:
    """The text of docs/conformance.md."""
    found = examples()
    counts = Counter(example.verdict for example in found)
    lines = [HEAD, f'{len(found)} examples: ' + ', '.join(f'{counts[verdict]} {verdict}' for verdict in VERDICTS) + '.']
    for topic in dict.fromkeys(example.topic for example in found):
        lines += ['', f'## {topic}', '', '| Example | Documented | Verdict | Rules | Source |', '|---|---|---|---|---|']
        lines += [_row(example) for example in found if example.topic == topic]
    about = '`D:` and `H:` are `content/en/` and `hugo/content/en/` of github.com/DataDog/documentation.'
    lines += ['', '## Sources', '', about, '', '| Key | Where | About |', '|---|---|---|']
    used = {key for example in found for key in (*example.sources, *_listed(example.other.get('source', ())))}
    lines += [
        f'| {key} | {_plain(source["at"])} | {_plain(source["about"])} |'
        for key, source in sources().items()
        if key in used
    ]
    return '\n'.join(lines) + '\n'


def _row(example: Example) -> str:
    verdict = example.verdict
    if verdict == CONFLICT:
        verdict += f': {_plain(example.other["says"])} ({", ".join(_listed(example.other["source"]))})'
    if verdict == OUTSIDE:
        verdict += f': {_plain(example.construct)}'
    says = _plain(example.says) + (' (numbers ours)' if example.own_numbers else '')
    cells = (example.id, says, verdict, ', '.join(example.rules), ', '.join(example.sources))
    return f'| {" | ".join(cells)} |'


def _plain(text: str) -> str:
    """Return a text with all Markdown escaped."""
    return re.sub(r'([|_*`<\[\]])', r'\\\1', ' '.join(text.split()))


if __name__ == '__main__':
    PAGE.write_text(page(), encoding='utf-8')
