"""A plan and the outcome of an apply, as text and as a report."""

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ddassets.diagnostic import Diagnostic, Severity
from ddassets.org.applying import Outcome
from ddassets.org.difference import MISSING, Difference
from ddassets.org.plan import Action, Plan, Step
from ddassets.output.formats.json import dump
from ddassets.output.report import Case, Report, Rule
from ddassets.output.terminal import Paint, Screen, count, printable, shorten

_SIGNS = {
    Action.CREATE: '+',
    Action.UPDATE: '~',
    Action.REPLACE: '±',
    Action.DELETE: '-',
    Action.KEEP: '=',
    Action.REFUSE: '!',
}
_COLOURS = {'+': '32', '~': '33', '±': '33', '-': '31', '!': '35', '=': '2'}
_WORDS = {
    Action.CREATE: 'to create',
    Action.UPDATE: 'to change',
    Action.REPLACE: 'to replace',
    Action.DELETE: 'to delete',
    Action.REFUSE: 'left alone',
    Action.KEEP: 'up to date',
}
_DONE = {Action.CREATE: 'created', Action.UPDATE: 'changed', Action.REPLACE: 'replaced', Action.DELETE: 'deleted'}
_WIDEST, _MAX_CHANGED = 100, 2000
_INDENT = 8


_RULES = (
    Rule('plan/left-alone', Severity.WARNING, 'an object in Datadog that is not changed, for a reason'),
    Rule('apply/failed', Severity.ERROR, 'a request that Datadog refused or did not answer'),
    Rule('apply/unsettled', Severity.ERROR, 'whether there is one object of each name could not be established'),
)


def report(
    command: str,
    plan: Plan,
    site: str,
    links: dict[str, str],
    folder: Path,
    outcomes: Sequence[Outcome] | None = None,
    unsettled: str = '',
) -> Report:
    """Return the plan of a command for every output format; with `outcomes`, also their results.

    `links` are the addresses of stored objects, by id.
    """
    document = plan_document(plan, site, links)
    if outcomes is not None:
        document |= {'outcomes': outcome_documents(outcomes), 'unsettled': unsettled or None}
    errors = {id(outcome.step): outcome.error for outcome in outcomes or ()}
    cases, diagnostics = [], []
    if unsettled:
        cases.append(Case(plan.integration, 'one object of each name', 'error', unsettled))
        diagnostics.append(Diagnostic('apply/unsettled', Severity.ERROR, folder, unsettled))
    for step in plan.steps:
        path = step.desired.asset.path if step.desired else folder
        name = f'{step.kind.name} {step.name}'
        if error := errors.get(id(step)):
            cases.append(Case(plan.integration, name, 'error', error))
            diagnostics.append(Diagnostic('apply/failed', Severity.ERROR, path, error, object=step.title))
        elif step.action is Action.REFUSE:
            cases.append(Case(plan.integration, name, 'failed', step.reason))
            diagnostics.append(Diagnostic('plan/left-alone', Severity.WARNING, path, step.reason, object=step.title))
        else:
            cases.append(Case(plan.integration, name, details=_WORDS[step.action]))
    return Report(
        command=command,
        summary=summary(plan),
        document=document,
        diagnostics=diagnostics,
        cases=cases or [Case(plan.integration, 'nothing to do')],
        rules=lambda: _RULES,
        text=lambda paint: plan_text(plan, site, paint, links),
    )


def dry_run_report(command: str, integration: str, requests: Sequence[tuple[str, str, Any]]) -> Report:
    """Return the requests (method, path, body) of `--dry-run`."""
    return Report(
        command=command,
        summary=f'dry run: {count(len(requests), "request")}',
        document={
            'integration': integration,
            'dry_run': True,
            'requests': [{'method': method, 'path': path, 'body': body} for method, path, body in requests],
        },
        cases=[Case(integration, f'{method} {path}') for method, path, _ in requests] or [Case(integration, 'nothing')],
        text=lambda paint: sent_text(requests),
    )


def plan_text(plan: Plan, site: str, paint: Paint, links: dict[str, str]) -> str:
    """Return a plan as text. `links` are the addresses of stored objects, by id."""
    lines = [f'{plan.integration} on {site}', '']
    shown = [step for step in plan.steps if step.action is not Action.KEEP or step.reason]
    widths = subject_widths(shown)
    for step in shown:
        lines += _step_lines(step, widths, paint, links)
    if shown:
        lines.append('')
    return '\n'.join([*lines, summary(plan), ''])


def summary(plan: Plan) -> str:
    counted = [f'{len(steps)} {_WORDS[do]}' for do in _WORDS if (steps := plan.of(do))]
    if not plan.changes and not plan.of(Action.REFUSE):
        return f'Nothing to do: {", ".join(counted)}.' if counted else 'Nothing to do.'
    return f'{", ".join(counted)}.'


def subject_widths(steps: Sequence[Step]) -> tuple[int, int]:
    """Return the widths of the columns of kinds and of names, in characters."""
    kinds = max((len(step.kind.label) for step in steps), default=0)
    return max(kinds, len('dashboard')), max((len(step.name) for step in steps), default=0)


def _step_lines(step: Step, widths: tuple[int, int], paint: Paint, links: dict[str, str]) -> Iterator[str]:
    sign = _SIGNS[step.action]
    screen = Screen.of_output()
    subject = f'{step.kind.label:<{widths[0]}}  {step.name:<{widths[1]}}'
    head = f'  {sign} {subject}  {shorten(printable(step.title), 60)}'.rstrip()
    yield paint(_COLOURS[sign], shorten(head, screen.width))
    if step.action is Action.REFUSE:
        leave = f'; with --overwrite it is {_DONE[step.would]}' if step.would else ''
        yield from screen.wrapped(f'left alone: {step.reason}{leave}', _INDENT)
    elif step.reason:
        yield from screen.wrapped(step.reason, _INDENT)
    for note in step.notes:
        yield from screen.wrapped(f'note: {note}', _INDENT)
    if step.stored and step.action is not Action.KEEP and step.stored.id in links:
        yield paint('2', f'        {links[step.stored.id]}')
    for difference in step.differences:
        yield from _difference_lines(difference, paint)


def _difference_lines(difference: Difference, paint: Paint) -> Iterator[str]:
    before, after = difference.before, difference.after
    texts = isinstance(before, str) and isinstance(after, str)
    if texts and ('\n' in before + after or len(before) + len(after) > _WIDEST):
        yield f'        {printable(difference.path)}:'
        for line in _changed_lines(before, after):
            yield paint({'+': '32', '-': '31'}.get(line[0], '2'), f'          {line}'.rstrip())
    else:
        yield from Screen.of_output().wrapped(
            f'{printable(difference.path)}: {_shown(before)} → {_shown(after)}', _INDENT
        )


def _changed_lines(before: str, after: str) -> Iterator[str]:
    """Yield removed and added lines, each with one line of context."""
    found = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm='', n=1))
    # Two lines of a head, which names no file here.
    for line in found[2:]:
        if not line.startswith('@@'):
            # A changed line is shown in full, because the change may be at its end.
            yield f'{line[0]} {shorten(printable(line[1:]), _MAX_CHANGED if line[0] in "+-" else _WIDEST)}'
        elif not line.startswith(('@@ -1 ', '@@ -1,')):
            yield '…'


def _shown(value: Any) -> str:
    if value is MISSING:
        return '(missing)'
    return shorten(printable(json.dumps(value, ensure_ascii=False)), _WIDEST)


def outcome_text(outcome: Outcome, widths: tuple[int, int], paint: Paint) -> str:
    """Return a line for an outcome. `widths` are those of kinds and names: outcomes are printed one by one."""
    step = outcome.step
    subject = f'{step.kind.label:<{widths[0]}}  {step.name:<{widths[1]}}'
    if outcome.error:
        return paint('31', f'  failed    {subject}  {printable(outcome.error)}')
    link = outcome.link if step.action is not Action.DELETE else ''
    lines = [f'  {_DONE[step.action]:<8}  {subject}  {link}'.rstrip()]
    if outcome.duplicate:
        lines.append(f'        {printable(step.reason)}')
    if outcome.differences:
        lines.append('        Datadog stored another value than that of the file (stored → file):')
        lines += [line for difference in outcome.differences for line in _difference_lines(difference, paint)]
    return '\n'.join(lines)


def plan_document(plan: Plan, site: str, links: dict[str, str]) -> dict[str, Any]:
    return {
        'integration': plan.integration,
        'site': site,
        'steps': [_step_document(step, links) for step in plan.steps],
    }


def _step_document(step: Step, links: dict[str, str]) -> dict[str, Any]:
    id = step.stored.id if step.stored else None
    return {
        'do': step.action.value,
        'would': step.would.value if step.would else None,
        'kind': step.kind.name,
        'name': step.name,
        'title': step.title,
        'file': str(step.desired.asset.path) if step.desired else None,
        'id': id,
        'url': links.get(id or ''),
        'reason': step.reason,
        'changed_by_hand': step.by_hand,
        'notes': list(step.notes),
        'differences': [_difference_document(one) for one in step.differences],
    }


def _difference_document(difference: Difference) -> dict[str, Any]:
    found = {'path': difference.path}
    for key, value in (('before', difference.before), ('after', difference.after)):
        if value is not MISSING:
            found[key] = value
    return found


def outcome_documents(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    return [
        {
            'do': one.step.action.value,
            'kind': one.step.kind.name,
            'name': one.step.name,
            'id': one.id or None,
            'url': one.link or None,
            'error': one.error or None,
            'duplicate': one.duplicate,
            'stored_otherwise': [_difference_document(difference) for difference in one.differences],
        }
        for one in outcomes
    ]


def sent_text(bodies: Sequence[tuple[str, str, Any]]) -> str:
    """Return method, path and body of each request that would create an asset."""
    return '\n'.join(f'{method} {path}\n{dump(body)}' for method, path, body in bodies)
