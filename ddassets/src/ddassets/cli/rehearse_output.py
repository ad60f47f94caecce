"""Rehearsals for machines: JSON, and JUnit's XML."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ddassets.engine.assumptions import ASSUMPTIONS
from ddassets.engine.state import State
from ddassets.rehearsal.coverage import percentage, possible_states
from ddassets.rehearsal.inbox import DowntimeMail, Mail, inbox
from ddassets.rehearsal.judgement import Judgement
from ddassets.rehearsal.outcome import Outcome, Run
from ddassets.rehearsal.result import GroupResult, MonitorResult
from ddassets.rehearsal.verdict import Verdict


def as_json(run: Run) -> str:
    """One document. Instants are ISO 8601 with the offset of the scenario's zone, lengths are seconds."""
    document = {
        'ok': run.code == 0,
        'rehearsals': [_outcome(outcome) for outcome in run.outcomes],
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
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + '\n'


def _outcome(outcome: Outcome) -> dict[str, Any]:
    if outcome.judgement is None:
        assert outcome.error
        return {
            'scenario': str(outcome.path),
            'ok': False,
            'error': str(outcome.error),
            'details': outcome.error.details,
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
    }


def _instant(instant: float, zone: ZoneInfo) -> str | None:
    return None if math.isinf(instant) else datetime.fromtimestamp(int(instant), zone).isoformat()


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _monitor(monitor: MonitorResult, judgement: Judgement) -> dict[str, Any]:
    return {
        'name': monitor.name,
        'query': monitor.asset.query,
        'groups': [_group(monitor, group, judgement.rehearsal.zone) for group in monitor.results.values()],
        'coverage': dict(judgement.coverage[monitor.name]),
    }


def _group(monitor: MonitorResult, group: GroupResult, zone: ZoneInfo) -> dict[str, Any]:
    states = [*possible_states(monitor.monitor), State.NO_DATA]
    return {
        'name': group.name,
        'seconds': {str(state): group.seconds_in(state) for state in states},
        'sent': group.sent,
        'muted': group.muted,
        'transitions': [
            {
                'at': _instant(change.instant, zone),
                'from': str(change.source),
                'to': str(change.target),
                'value': _number(change.value),
                'cause': change.cause,
            }
            for change in group.transitions
        ],
    }


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
            'host': mail.message.host,
            'ip': mail.message.ip,
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


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {'name': verdict.name, 'holds': verdict.holds, 'details': list(verdict.details), 'line': verdict.line}


def junit(run: Run) -> str:
    """JUnit's XML: a suite for each file, a case for each expectation and property."""
    from xml.etree import ElementTree as xml

    top = xml.Element('testsuites', name='ddassets rehearse')
    for outcome in run.outcomes:
        _suite(top, str(outcome.path), _verdicts(outcome), outcome)
    for folder, verdict in run.coverage_verdicts.items():
        _suite(top, str(folder), [verdict])
    xml.indent(top)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{xml.tostring(top, encoding="unicode")}\n'


def _verdicts(outcome: Outcome) -> Sequence[Verdict]:
    if outcome.judgement is None:
        return ()
    # A scenario without expectations says at least that it ran.
    return outcome.judgement.verdicts or (Verdict('runs', True),)


def _suite(top: Any, name: str, verdicts: Sequence[Verdict], outcome: Outcome | None = None) -> None:
    from xml.etree import ElementTree as xml

    error = outcome.error if outcome else None
    failures = sum(not verdict.holds for verdict in verdicts)
    suite = xml.SubElement(
        top,
        'testsuite',
        name=_printable(name),
        tests=str(len(verdicts) or 1),
        failures=str(failures),
        errors=str(int(error is not None)),
    )
    if error is not None:
        case = xml.SubElement(suite, 'testcase', classname=_printable(name), name='can be used')
        problem = xml.SubElement(case, 'error', message=_printable(str(error)))
        problem.text = _printable(error.details)
    for verdict in verdicts:
        case = xml.SubElement(suite, 'testcase', classname=_printable(name), name=_printable(verdict.name))
        if verdict.line is not None:
            case.set('line', str(verdict.line))
        if not verdict.holds:
            failure = xml.SubElement(case, 'failure', message=_printable('; '.join(verdict.details[:1])))
            failure.text = _printable('\n'.join(verdict.details))


def _printable(text: str) -> str:
    """What XML can hold."""
    return ''.join(character if character.isprintable() or character == '\n' else '\ufffd' for character in text)
