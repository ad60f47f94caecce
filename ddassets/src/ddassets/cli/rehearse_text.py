"""Print a rehearsal for people: a table of states per monitor, the inbox, verdicts, and the assumptions relied on."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from zoneinfo import ZoneInfo

import numpy as np

from ddassets import duration
from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.engine.raw_values import SKETCH_ERROR
from ddassets.engine.slo import SloMonitor
from ddassets.engine.state import State
from ddassets.nearest import listed
from ddassets.output.terminal import Screen, count, printable, shorten, shown_path, table
from ddassets.rehearsal import doubts
from ddassets.rehearsal.changes import Change
from ddassets.rehearsal.coverage import percentage
from ddassets.rehearsal.inbox import DowntimeMail, Mail, fate, inbox
from ddassets.rehearsal.judgement import Judgement
from ddassets.rehearsal.outcome import Run
from ddassets.rehearsal.result import GroupResult, MonitorResult, Rehearsal
from ddassets.rehearsal.times import shown_time
from ddassets.rehearsal.verdict import Verdict

# Maximum of listed groups of one monitor; those with most notifications come first.
MAX_GROUPS = 40
# Maximum of listed changes by another choice.
MAX_CHANGES = 1
# Maximum of listed notifications that only other parameters of an approximation have.
MAX_OTHERS = 5
# Maximum of listed recipients of a muted message.
MAX_UNHEARD = 2
# Maximum of listed evaluations that are decided within a sketch's error.
MAX_UNCERTAIN = 3
_INDENT = 4
_COLOURS = {State.OK: '32', State.WARN: '33', State.ALERT: '31', State.NO_DATA: '2'}


def text(judgement: Judgement, limit: int = 30, screen: Screen | None = None, assumptions: bool = False) -> str:
    """Return all about one rehearsal: of the inbox the first `limit` messages, of assumptions the ids or all."""
    rehearsal, screen = judgement.rehearsal, screen or Screen()
    lines = [screen.paint('1', line) for line in screen.wrapped(_title(rehearsal), 0)]
    for paragraph in rehearsal.description.splitlines():
        lines += screen.wrapped(paragraph, 2, hanging=0)
    for monitor in rehearsal.monitors:
        lines += ['', *_table(rehearsal, monitor, screen)]
    lines += [
        '',
        *_inbox(rehearsal, limit, screen),
        '',
        *_verdicts(judgement.verdicts, screen),
        *(_all_assumptions(rehearsal, screen) if assumptions else _short_assumptions(rehearsal, screen)),
        *_what_if(judgement, screen),
        *_warnings(rehearsal, screen),
    ]
    return '\n'.join(lines) + '\n'


def summary_lines(run: Run) -> list[str]:
    """Return the coverage of each integration, and a line of figures."""
    lines = []
    for folder, monitors in run.coverage.items():
        lines.append(f'Coverage of {shown_path(folder)}: {percentage(monitors):.4g} %')
        for name, items in monitors.items():
            missing = [item for item, done in items if not done]
            gaps = f'; not reached: {", ".join(missing)}' if missing else ''
            lines.append(f'  {name}: {len(items) - len(missing)} of {len(items)}{gaps}')
        if folder in run.coverage_verdicts and not run.coverage_verdicts[folder].holds:
            lines.append(f'  FAILED: {run.coverage_verdicts[folder].name}')
    if run.unrehearsed:
        names = listed([one.name for one in run.unrehearsed])
        failed_word = 'FAILED: ' if run.every_monitor else ''
        total = count(len(run.monitors), 'monitor')
        lines.append(f'{failed_word}No scenario rehearses {len(run.unrehearsed)} of {total}: {names}')
    unusable = sum(outcome.error is not None for outcome in run.outcomes)
    failed = sum(outcome.failed for outcome in run.outcomes)
    counted = {'passed': len(run.outcomes) - unusable - failed, 'failed': failed, 'unusable': unusable}
    figures = ', '.join(f'{number} {word}' for word, number in counted.items() if number)
    return [*map(printable, lines), f'{len(run.outcomes)} rehearsed: {figures}']


def summary(run: Run, screen: Screen) -> str:
    """Return the same as a text, wrapped and coloured."""
    *context, figures = summary_lines(run)
    lines: list[str] = []
    for line in context:
        indent = len(line) - len(line.lstrip())
        lines += screen.wrapped(line.strip(), indent, hanging=4)
    colour = '31' if run.code else '32'
    return '\n'.join([*lines, screen.paint(colour, figures)]) + '\n'


def _title(rehearsal: Rehearsal) -> str:
    start, end = (shown_time(instant, rehearsal.zone) for instant in (rehearsal.start, rehearsal.end))
    length = duration.write(rehearsal.end - rehearsal.start)
    return f'{shown_path(rehearsal.scenario.path)}: {start} to {end} ({rehearsal.zone.key}), {length}'


def _table(rehearsal: Rehearsal, monitor: MonitorResult, screen: Screen) -> Iterator[str]:
    states = [*monitor.monitor.states]
    visited = frozenset().union(*(group.visited for group in monitor.results.values()))
    states += [state for state in (State.NO_DATA,) if state in visited and state not in states]
    yield f'  {printable(monitor.name)}'
    if monitor.monitor.legend:
        yield from screen.wrapped(monitor.monitor.legend, _INDENT)
    if not monitor.results:
        yield from screen.wrapped(f'no group: {monitor.evaluator.absence}', _INDENT)
        return
    if monitor.monitor.scheduled:
        number = count(monitor.evaluator.ticks.size, 'evaluation')
        yield from screen.wrapped(f'{number} by its custom schedule', _INDENT)
    groups = sorted(monitor.results.values(), key=lambda group: -group.sent)[:MAX_GROUPS]
    doubtful = ['doubtful'] if monitor.approximation else []
    rows = [['', *map(str, states), 'sent', 'muted', *doubtful]]
    for group in sorted(groups, key=lambda group: group.group):
        lengths = [_share(monitor, group, state) for state in states]
        doubt = [duration.write(group.agreement.doubtful_seconds)] if group.agreement else []
        rows.append([printable(group.name), *lengths, str(group.sent), str(group.muted), *doubt])
    for row in table(rows, screen.width - _INDENT):
        cells = [row[0]]
        for state, cell in zip(states, row[1:], strict=False):
            # A state that was never entered is not coloured.
            cells.append(screen.paint('2' if cell.strip() in ('0s', '0') else _COLOURS.get(state, '0'), cell))
        yield (' ' * _INDENT + '  '.join([*cells, *row[1 + len(states) :]])).rstrip()
    if len(monitor.results) > MAX_GROUPS:
        left = count(len(monitor.results) - MAX_GROUPS, 'more group')
        yield f'    … and {left}, which sent no more than these'
    yield from _uncertain(rehearsal, monitor, screen)
    if monitor.approximation:
        yield from _approximation(rehearsal, monitor, screen)


def _share(monitor: MonitorResult, group: GroupResult, state: State) -> str:
    """Return how long a group was in a state; with a custom schedule, in how many evaluations."""
    if monitor.monitor.scheduled:
        return str(group.evaluations_in(state, monitor.evaluator.ticks))
    return duration.write(group.seconds_in(state))


def _uncertain(rehearsal: Rehearsal, monitor: MonitorResult, screen: Screen) -> Iterator[str]:
    """Say which evaluations of percentiles a stored sketch might decide otherwise (rule 17.20)."""
    marked = [one.uncertain for one in monitor.results.values() if one.uncertain is not None and one.uncertain.size]
    if marked:
        instants = np.unique(np.concatenate(marked)).tolist()
        shown = ', '.join(shown_time(instant, rehearsal.zone) for instant in instants[:MAX_UNCERTAIN])
        more = ', …' if len(instants) > MAX_UNCERTAIN else ''
        number = count(sum(one.size for one in marked), 'evaluation')
        words = f"{number} decided within the sketch's error of {SKETCH_ERROR:.2%}: {shown}{more}"
        for line in screen.wrapped(words, _INDENT):
            yield screen.paint('33', line)


def _approximation(rehearsal: Rehearsal, monitor: MonitorResult, screen: Screen) -> Iterator[str]:
    """Say how sure the result of an approximated monitor is, and what only other parameters would send."""
    yield from screen.wrapped(doubts.summary(monitor), _INDENT)
    found = [*doubts.others(monitor)]
    for result, event, doubt in found[:MAX_OTHERS]:
        words = doubts.other_words(result, event, doubt, monitor, rehearsal.zone)
        yield from screen.wrapped(printable(words), _INDENT + 2)
    if len(found) > MAX_OTHERS:
        yield f'      … and {len(found) - MAX_OTHERS} more'


def _inbox(rehearsal: Rehearsal, limit: int, screen: Screen) -> Iterator[str]:
    """Yield all messages if there are at most `limit`, else the first sent ones."""
    groups = [group for monitor in rehearsal.monitors for group in monitor.results.values()]
    own = sum(len(downtime.messages) for downtime in rehearsal.downtimes)
    sent, muted = sum(group.sent for group in groups), sum(group.muted for group in groups)
    total = sent + muted + own
    about = f', {own:,} about downtimes' if own else ''
    yield f'  Inbox: {sent:,} sent, {muted:,} muted{about}'
    mails = list(islice(inbox(rehearsal, sent_only=total > limit), limit))
    yield from _mail_lines(rehearsal, mails, screen)
    if total > limit:
        left = [f'{sent + own - len(mails):,} more'] if sent + own > len(mails) else []
        left += [f'{muted:,} that were muted'] if muted else []
        yield f'    … and {" and ".join(left)} (--inbox {total} shows all)'
    if rehearsal.inactive:
        yield from screen.wrapped(f'Downtimes not active in this time: {printable(listed(rehearsal.inactive))}', 2)


def _mail_lines(rehearsal: Rehearsal, mails: Sequence[Mail | DowntimeMail], screen: Screen) -> Iterator[str]:
    """A line per message in columns; where they do not fit, two: time and title, then value and recipients."""
    rows = [tuple(map(printable, _mail(rehearsal, mail))) for mail in mails]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    room = screen.width - _INDENT - widths[0] - 2
    in_columns = sum(widths[1:]) + 4 <= room
    for mail, (moment, title, value, heard) in zip(mails, rows, strict=True):
        colour = _COLOURS.get(mail.notification.target, '0') if isinstance(mail, Mail) else '36'
        colour = '2' if mail.muted_by else colour
        if in_columns:
            shown = screen.paint(colour, f'{title:<{widths[1]}}')
            yield f'    {moment}  {shown}  {value:>{widths[2]}}  {heard}'
        else:
            yield f'    {moment}  {screen.paint(colour, shorten(title, room))}'
            rest = f'{value}  {heard}' if value else heard
            yield from screen.wrapped(rest, _INDENT + widths[0] + 2)


def _mail(rehearsal: Rehearsal, mail: Mail | DowntimeMail) -> tuple[str, str, str, str]:
    """Return instant, title, value with its condition, and who gets it or what mutes it."""
    heard = fate(rehearsal, mail, MAX_UNHEARD)
    if isinstance(mail, Mail) and mail.notification.reason == 'downtime end':
        heard += ', at the end of a downtime'
    if isinstance(mail, Mail) and mail.doubt and mail.monitor.approximation:
        heard += f' ({doubts.doubt_words(mail.doubt, mail.monitor.approximation, rehearsal.zone)})'
    value = mail.notification.value if isinstance(mail, Mail) else math.nan
    shown = '' if math.isnan(value) else f'{value:.6g}'
    if shown and isinstance(mail, Mail):
        if mail.burn_rates:
            shown = 'burn rates ' + ', '.join(f'{rate:.6g}' for rate in mail.burn_rates.values())
        elif isinstance(mail.monitor.monitor, SloMonitor):
            shown += ' % consumed'
        shown = f'{shown} {mail.message.delivery.trigger.brief}'
        if mail.group.is_uncertain(mail.notification.instant):
            shown += " within the sketch's error"
    return shown_time(mail.instant, rehearsal.zone), _mail_title(rehearsal, mail), shown, heard


def _mail_title(rehearsal: Rehearsal, mail: Mail | DowntimeMail) -> str:
    if isinstance(mail, Mail):
        return mail.title
    return f'Downtime {mail.what}: {rehearsal.downtime_labels[mail.downtime.name]}'


def _verdicts(verdicts: Sequence[Verdict], screen: Screen) -> Iterator[str]:
    failed = [verdict for verdict in verdicts if not verdict.holds]
    if not verdicts:
        yield from screen.wrapped('Nothing is expected: add `expect` or `properties`, or let --write add them', 2)
    elif failed:
        yield '  ' + screen.paint('31', f'FAILED: {len(failed)} of {count(len(verdicts), "expectation")}')
        for verdict in failed:
            yield from _failure(verdict, screen)
    else:
        yield '  ' + screen.paint('32', f'Passed: {count(len(verdicts), "expectation")}')


def _failure(verdict: Verdict, screen: Screen) -> Iterator[str]:
    yield from screen.wrapped(f'line {verdict.line}: {verdict.name}' if verdict.line else verdict.name, 4)
    for detail in verdict.details:
        yield from screen.wrapped(detail, 6)


def _short_assumptions(rehearsal: Rehearsal, screen: Screen) -> Iterator[str]:
    """One line for those with their default choice, and one for each that the scenario chose."""
    assumed = rehearsal.assumptions
    chosen = rehearsal.scenario.assumptions or {}
    if assumed:
        yield ''
        usual = [name for name in assumed if name not in chosen]
        if usual:
            yield from screen.wrapped(f'Assumed (--assumptions explains them): {", ".join(usual)}', 2)
        for name in assumed:
            if name in chosen:
                yield from screen.wrapped(f'Chosen: {name} {ASSUMPTIONS[name].question}: {assumed[name]}', 2)


def _all_assumptions(rehearsal: Rehearsal, screen: Screen) -> Iterator[str]:
    assumed = rehearsal.assumptions
    if assumed:
        yield ''
        yield '  Assumed, where the documentation is silent:'
    for name, choice in assumed.items():
        yield from screen.wrapped(f'{name:<4} {ASSUMPTIONS[name].question}: {choice}', _INDENT, hanging=5)


def _what_if(judgement: Judgement, screen: Screen) -> Iterator[str]:
    """Which assumptions would change the result, and how; none where none was switched."""
    found, zone = judgement.what_if, judgement.rehearsal.zone
    tried = {effect.assumption for effect in found.effects}
    if tried:
        matter = found.sensitive
        yield ''
        yield from screen.wrapped(
            f'{len(matter)} of {count(len(tried), "switched assumption")} would change this'
            f'{": " + ", ".join(matter) if matter else ""}',
            2,
        )
    for name in found.sensitive:
        # The choice that changes least is the one to compare with.
        effects = [effect for effect in found.effects if effect.assumption == name and effect.matters]
        least = min(effects, key=lambda effect: (bool(effect.refused), len(effect.changes)))
        what = least.refused or _changes(least.changes, zone)
        others = f' (and {count(len(effects) - 1, "other choice")})' if len(effects) > 1 else ''
        yield from screen.wrapped(f'{name} {least.choice}: {what}{others}', _INDENT, hanging=5)
    if found.untried:
        names = Counter(name for name, _ in found.untried)
        listed = ', '.join(f'{name} ({count(number, "choice")})' for name, number in names.items())
        yield from screen.wrapped(f'Not switched (--what-if all does): {listed}', 2)


def _changes(changes: Sequence[Change], zone: ZoneInfo) -> str:
    """Return the first changes as a sentence, and the number of others."""
    words = [
        f'{change.event} of {change.group} at {shown_time(change.at, zone)} {change.kind}'
        f'{"" if change.to is None else f" to {shown_time(change.to, zone)}"}'
        for change in changes[:MAX_CHANGES]
    ]
    more = len(changes) - len(words)
    return '; '.join([*words, *([f'and {more} more'] if more > 0 else [])])


def _warnings(rehearsal: Rehearsal, screen: Screen) -> Iterator[str]:
    warnings = rehearsal.warnings
    if warnings:
        yield ''
    for warning in warnings:
        for line in screen.wrapped(f'Warning: {warning}', 2):
            yield screen.paint('33', line)
