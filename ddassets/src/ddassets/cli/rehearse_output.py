"""The result of rehearsals as a report."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ddassets.cli import rehearse_text
from ddassets.diagnostic import Diagnostic, Position, Severity
from ddassets.engine.approximation import MARK, Doubt
from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.engine.message import Delivery
from ddassets.engine.state import State
from ddassets.output.report import Case, Report, Rule, diagnostic_document, refusal_diagnostics
from ddassets.output.terminal import count
from ddassets.rehearsal.coverage import percentage
from ddassets.rehearsal.inbox import DowntimeMail, Mail, inbox
from ddassets.rehearsal.judgement import Judgement
from ddassets.rehearsal.outcome import Outcome, Run
from ddassets.rehearsal.result import GroupResult, MonitorResult
from ddassets.rehearsal.verdict import Verdict
from ddassets.rehearsal.what_if import WhatIf

# Maximum of listed lines of expectations that fail alike.
_MAX_LINES = 10
_RULES = (
    Rule('rehearsal/expectation', Severity.ERROR, 'an expectation or a property of a scenario does not hold'),
    Rule('rehearsal/coverage', Severity.ERROR, 'the scenarios cover too little of the monitors'),
    Rule('rehearsal/unrehearsed', Severity.ERROR, 'with --every-monitor: no scenario rehearses a monitor'),
    Rule('rehearsal/unusable', Severity.ERROR, 'a scenario, or an asset that it names, cannot be used'),
)


def report(run: Run) -> Report:
    """Return what several files gave, for every output format but text, which is printed scenario by scenario."""
    judged = [*_judged(run)]
    summary = '\n'.join(rehearse_text.summary_lines(run))
    return Report(
        command='rehearse',
        summary=summary,
        document=_document(run),
        diagnostics=[diagnostic for _, diagnostics in judged for diagnostic in diagnostics],
        cases=[case for case, _ in judged],
        rules=lambda: _RULES,
    )


def _judged(run: Run) -> Iterator[tuple[Case, Sequence[Diagnostic]]]:
    for outcome in run.outcomes:
        if outcome.error:
            faults = refusal_diagnostics(outcome.error, 'rehearsal/unusable', outcome.path)
            case = Case(str(outcome.path), 'can be used', 'error', str(outcome.error), outcome.error.details)
            yield case, faults
        elif outcome.judgement:
            # A scenario without expectations has run, at least.
            verdicts = outcome.judgement.verdicts or (Verdict('runs', True),)
            alike = _alike(verdicts)
            for verdict in verdicts:
                others = alike.get(id(verdict), ())
                yield (
                    _case(outcome.path, verdict),
                    _diagnostics('rehearsal/expectation', outcome.path, verdict, others),
                )
    for asset in run.unrehearsed if run.every_monitor else ():
        name = f'{asset.name} is rehearsed'
        case = Case(str(asset.path), name, 'failed', 'no scenario rehearses it', position=asset.position())
        yield case, [asset.diagnostic('rehearsal/unrehearsed', Severity.ERROR, (), 'no scenario rehearses it')]
    for folder, verdict in run.coverage_verdicts.items():
        yield _case(folder, verdict), _diagnostics('rehearsal/coverage', folder, verdict)


def _case(path: Path, verdict: Verdict) -> Case:
    position = Position(verdict.line, 1) if verdict.line else None
    if verdict.holds:
        return Case(str(path), verdict.name, position=position)
    first = verdict.details[0] if verdict.details else ''
    return Case(str(path), verdict.name, 'failed', first, '\n'.join(verdict.details), position)


def _alike(verdicts: Sequence[Verdict]) -> Mapping[int, Sequence[Verdict] | None]:
    """Return, by id(), the other failures of the same monitor and cause for the first of them, and None for those."""
    first: dict[tuple[str, str], list[Verdict]] = {}
    found: dict[int, Sequence[Verdict] | None] = {}
    for verdict in verdicts:
        if not verdict.holds and verdict.cause and verdict.moment:
            others = first.get((verdict.moment.monitor, verdict.cause))
            if others is None:
                found[id(verdict)] = first[verdict.moment.monitor, verdict.cause] = []
            else:
                others.append(verdict)
                found[id(verdict)] = None
    return found


def _diagnostics(code: str, path: Path, verdict: Verdict, alike: Sequence[Verdict] | None = ()) -> Sequence[Diagnostic]:
    """Return the diagnostic of a failure, which counts those `alike`; none if it is counted by another (None)."""
    if verdict.holds or alike is None:
        return ()
    position = Position(verdict.line, 1) if verdict.line else None
    message = f'{verdict.name}: {"; ".join(verdict.details)}' if verdict.details else verdict.name
    if alike:
        lines = ', '.join(str(one.line) for one in alike[:_MAX_LINES]) + (', …' if len(alike) > _MAX_LINES else '')
        place = 'line' if len(alike) == 1 else 'lines'
        message += f'; and {count(len(alike), "more expectation")} with the same result: {place} {lines}'
    return (Diagnostic(code, Severity.ERROR, path, message, position),)


def _document(run: Run) -> dict[str, Any]:
    """Instants are ISO 8601 with the offset of the scenario's zone, lengths are seconds."""
    return {
        'ok': run.code == 0,
        'rehearsals': [_outcome(outcome) for outcome in run.outcomes],
        'unrehearsed': [one.name for one in run.unrehearsed],
        'coverage': [
            {
                'integration': str(folder),
                'percentage': round(percentage(monitors), 2),
                'enough': run.coverage_verdicts[folder].holds if folder in run.coverage_verdicts else None,
                'monitors': {name: dict(items) for name, items in monitors.items()},
            }
            for folder, monitors in run.coverage.items()
        ],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    if outcome.judgement is None:
        assert outcome.error
        return {
            'scenario': str(outcome.path),
            'ok': False,
            'error': str(outcome.error),
            'details': outcome.error.details,
            'diagnostics': [
                diagnostic_document(one)
                for one in refusal_diagnostics(outcome.error, 'rehearsal/unusable', outcome.path)
            ],
        }
    rehearsal = outcome.judgement.rehearsal
    messages = [_mail(mail, rehearsal.zone) for mail in inbox(rehearsal)]
    return {
        'scenario': str(outcome.path),
        'ok': not outcome.failed,
        'description': rehearsal.description,
        'integration': str(rehearsal.bundle.folder),
        'start': _instant(rehearsal.start, rehearsal.zone),
        'end': _instant(rehearsal.end, rehearsal.zone),
        'timezone': rehearsal.zone.key,
        'monitors': [_monitor(monitor, outcome.judgement) for monitor in rehearsal.monitors],
        'downtimes': [
            {
                'name': downtime.name,
                'subject': downtime.subject or None,
                'id': downtime.downtime.id or None,
                'scope': downtime.scope,
                'active': [[_instant(bound, rehearsal.zone) for bound in window] for window in downtime.windows],
            }
            for downtime in rehearsal.downtimes
        ],
        'inbox': messages,
        'verdicts': [_verdict(verdict) for verdict in outcome.judgement.verdicts],
        'assumptions': [
            {'id': name, 'question': ASSUMPTIONS[name].question, 'choice': choice}
            for name, choice in rehearsal.assumptions.items()
        ],
        'warnings': list(rehearsal.warnings),
        'what_if': _what_if(outcome.judgement.what_if, rehearsal.zone),
    }


def _what_if(found: WhatIf, zone: ZoneInfo) -> dict[str, Any]:
    return {
        'effects': [
            {
                'assumption': effect.assumption,
                'choice': effect.choice,
                'refused': effect.refused,
                'changes': [
                    {
                        'kind': change.kind,
                        'monitor': change.monitor,
                        'group': change.group,
                        'at': _instant(change.at, zone),
                        'event': change.event,
                        'to': None if change.to is None else _instant(change.to, zone),
                    }
                    for change in effect.changes
                ],
            }
            for effect in found.effects
        ],
        'untried': [{'assumption': name, 'choice': choice} for name, choice in found.untried],
    }


def _instant(instant: float, zone: ZoneInfo) -> str | None:
    return None if math.isinf(instant) else datetime.fromtimestamp(int(instant), zone).isoformat()


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _monitor(monitor: MonitorResult, judgement: Judgement) -> dict[str, Any]:
    return {
        'name': monitor.name,
        'query': monitor.asset.query,
        **({'legend': monitor.monitor.legend} if monitor.monitor.legend else {}),
        **_approximation(monitor),
        'groups': [_group(monitor, group, judgement.rehearsal.zone) for group in monitor.results.values()],
        'coverage': dict(judgement.coverage[monitor.name]),
    }


def _group(monitor: MonitorResult, group: GroupResult, zone: ZoneInfo) -> dict[str, Any]:
    states = [*monitor.monitor.states, State.NO_DATA]
    return {
        'name': group.name,
        'seconds': {str(state): group.seconds_in(state) for state in states},
        **_scheduled(monitor, group, states),
        'sent': group.sent,
        'muted': group.muted,
        'transitions': [
            {
                'at': _instant(change.instant, zone),
                'from': str(change.source),
                'to': str(change.target),
                'value': _number(change.value),
                'cause': change.cause,
                **_uncertain(group, change.instant),
                **doubt,
            }
            for change, doubt in zip(group.transitions, _change_doubts(group, zone), strict=True)
        ],
        **(
            {'within_sketch_error': [_instant(one, zone) for one in group.uncertain.tolist()]}
            if group.uncertain is not None
            else {}
        ),
        **_agreement(group, zone),
    }


def _scheduled(monitor: MonitorResult, group: GroupResult, states: Sequence[State]) -> dict[str, Any]:
    """The number of evaluations by state, with a custom schedule."""
    if not monitor.monitor.scheduled:
        return {}
    ticks = monitor.evaluator.ticks
    return {'evaluations': {str(state): group.evaluations_in(state, ticks) for state in states}}


def _approximation(monitor: MonitorResult) -> dict[str, Any]:
    """The parameter sets of an approximated monitor; nothing for other monitors."""
    if monitor.approximation is None:
        return {}
    sets = [dict(one.choices) for one in monitor.approximation.sets]
    return {'approximation': {'note': MARK, 'parameter_sets': sets}}


def _agreement(group: GroupResult, zone: ZoneInfo) -> dict[str, Any]:
    """When not all parameter sets give the reported state, and what only other sets would send."""
    if group.agreement is None:
        return {}
    return {
        'doubtful': [
            {'from': _instant(one.start, zone), 'to': _instant(one.end, zone), 'parameters': list(one.parameters)}
            for one in group.agreement.periods
        ],
        'others': [
            {
                'at': _instant(event.instant, zone),
                'reason': event.reason,
                'from': str(event.source),
                'to': str(event.target),
                'sent': not event.muted,
                **_doubt(doubt, zone),
            }
            for event, doubt in group.agreement.others
        ],
    }


def _change_doubts(group: GroupResult, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    for row in range(len(group.transitions)):
        yield {} if group.agreement is None else _doubt(group.agreement.transitions[row], zone)


def _doubt(doubt: Doubt | None, zone: ZoneInfo) -> dict[str, Any]:
    if doubt is None:
        return {'sure': True, 'doubt': None}
    return {
        'sure': False,
        'doubt': {
            'parameters': list(doubt.parameters),
            'sets_without': doubt.without,
            'earliest': _instant(doubt.earliest, zone),
            'latest': _instant(doubt.latest, zone),
        },
    }


def _uncertain(group: GroupResult, instant: int) -> dict[str, bool]:
    """Return whether a sketch's error decides (rule 17.20); nothing for a monitor without percentiles."""
    uncertain = group.is_uncertain(instant)
    return {} if uncertain is None else {'within_sketch_error': uncertain}


def _mail(mail: Mail | DowntimeMail, zone: ZoneInfo) -> dict[str, Any]:
    about: Mapping[str, Any]
    if isinstance(mail, Mail):
        due = mail.notification
        about = {
            'monitor': mail.monitor.name,
            'group': mail.group.name,
            'reason': due.reason,
            'from': str(due.source),
            'to': str(due.target),
            'value': _number(due.value),
            **mail.burn_rates,
            **_uncertain(mail.group, due.instant),
            **(_doubt(mail.doubt, zone) if mail.group.agreement else {}),
            'host': mail.message.host,
            'ip': mail.message.ip,
            'textless': list(mail.message.textless),
            'routes': {recipient: list(rules) for recipient, rules in mail.message.routes.items()},
            **_delivery(mail.message.delivery),
        }
    else:
        about = {'downtime': mail.downtime.name, 'reason': mail.what}
    return {
        'at': _instant(mail.instant, zone),
        **about,
        'sent': not mail.muted_by,
        'muted_by': list(mail.muted_by),
        'recipients': list(mail.recipients),
        'title': mail.title,
        'text': mail.text,
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    """What Datadog adds to the message, and the variables of a webhook."""
    return {
        'condition': delivery.condition,
        'last_triggered': delivery.last_triggered,
        'links': [{'label': label, 'address': address or None} for label, address in delivery.links],
        'webhook': delivery.webhook(),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {'name': verdict.name, 'holds': verdict.holds, 'details': list(verdict.details), 'line': verdict.line}
