"""The steps of plan, apply and destroy: read, compare, ask, carry out, print."""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddassets import assets as bundle
from ddassets.assets.refusal import refuse
from ddassets.cli.exit_code import FAILED, FINE
from ddassets.cli.option import narrowing_tags
from ddassets.cli.plan_output import dry_run_report, outcome_text, report, subject_widths
from ddassets.diagnostic import Severity, UnusableInputError
from ddassets.engine.message import handles
from ddassets.engine.routing import may_route
from ddassets.org.account import require_keys
from ddassets.org.applying import Outcome, carry_out, invalid
from ddassets.org.changes import Changes, check_handles
from ddassets.org.client import ApiError
from ddassets.org.connection import Connection
from ddassets.org.desired import Selection, integration_name, names, read_assets, read_desired
from ddassets.org.kind import Desired
from ddassets.org.kinds import KINDS, MONITORS
from ddassets.org.marker import Marker, fingerprint
from ddassets.org.organisation import Organisation
from ddassets.org.plan import Action, Plan, make_plan
from ddassets.org.references import creation_rank
from ddassets.org.settling import Unsettled
from ddassets.output.formats import render
from ddassets.output.terminal import Paint, bounded, count, log, write


@dataclass(frozen=True)
class PlanOptions:
    """The options of a command. `yes`: do not ask. `dry_run`: no network."""

    command: str
    path: Path
    connection: Connection
    selection: Selection
    changes: Changes
    overwrite: bool
    format: str
    dry_run: bool
    yes: bool


def connection(options: Namespace) -> Connection:
    """Return the connection of the options that `option.add_connection` adds."""
    return Connection(options.site, options.api_url, options.keys_from, options.timeout, options.verbose)


def plan_options(command: str, options: Namespace) -> PlanOptions:
    """Return the options of plan, apply or destroy; destroy has no changes, and plan does not ask."""
    notify, redirect = getattr(options, 'notify', ()), getattr(options, 'redirect', None)
    return PlanOptions(
        command=command,
        path=options.path,
        connection=connection(options),
        selection=Selection(options.only),
        changes=Changes(
            notify,
            redirect,
            narrowing_tags(options) if hasattr(options, 'tag') else (),
            getattr(options, 'timezone', None),
        ),
        overwrite=options.overwrite,
        format=options.format,
        dry_run=options.dry_run,
        yes=getattr(options, 'yes', False),
    )


def organisation_of(options: PlanOptions, integration: str) -> Organisation:
    account = options.connection.account()
    require_keys(account)
    return Organisation(options.connection.client(account), integration)


def _read(options: PlanOptions) -> tuple[bundle.Bundle, list[Desired]]:
    check_handles(options.changes)
    assets = read_assets(options.path)
    desired = read_desired(assets, options.selection, options.changes)
    rules = [rule for rule in assets.rules if not rule.errors]
    for asset in desired:
        if asset.kind is MONITORS and not handles(str(asset.body.get('message') or '')) and not _routed(asset, rules):
            log(
                f'{asset.asset.path}: warning: the message names no recipient, so the monitor notifies nobody; add an '
                '@-handle, or pass --notify @HANDLE'
            )
    return assets, desired


def _routed(desired: Desired, rules: Sequence[bundle.NotificationRule]) -> bool:
    """Whether a notification rule of the integration may add a recipient for a group of a monitor."""
    keys = desired.asset.group_keys if isinstance(desired.asset, bundle.Monitor) else ()
    return bool(may_route(rules, desired.body.get('tags') or (), keys))


def source_of(path: Path) -> 'bundle.Bundle | None':
    """Read a source; None for an integration or a folder without a source. Raises UnusableInputError."""
    from ddassets import sources

    if bundle.is_integration(path) or not os.path.exists(path):
        return None
    found = sources.read_bundle(path)
    if not found.form and os.path.isdir(path):
        return None
    for note in found.notes:
        if note.severity is Severity.ERROR:
            raise UnusableInputError(f'{note.path}: {note.message}', note.hint)
    errors = [*found.problems, *(error for monitor in found.monitors for error in monitor.errors)]
    if any(error.severity is Severity.ERROR for error in errors):
        refuse(errors)
    if not found.form:
        raise UnusableInputError(f'{path}: expected an integration, or assets in a supported form')
    return found


def compared(options: PlanOptions, source: bundle.Bundle) -> tuple[Organisation, Plan]:
    """Return the plan of differences between the organisation and a source. Raises UnusableInputError."""
    from ddassets.org.comparison import compare

    changes = options.changes
    if options.dry_run or any(vars(changes).values()) or options.selection.patterns:
        raise UnusableInputError(f'{options.path}: a source is compared as it is, without further options')
    organisation = organisation_of(options, str(options.path))
    try:
        return organisation, compare(source, organisation.client, time.time())
    except ApiError as error:
        raise UnusableInputError(str(error)) from None


def planned(options: PlanOptions) -> tuple[Organisation, Plan]:
    """Return the plan, all of whose bodies are valid. Raises UnusableInputError."""
    assets, desired = _read(options)
    integration = integration_name(assets)
    organisation = organisation_of(options, integration)
    try:
        found = organisation.find(options.selection.kinds())
        options.selection.check([*names(assets), *((one.kind, one.marker.name) for one in found.stored)])
        stored = [one for one in found.stored if options.selection.covers(one.kind, one.marker.name)]
        made = make_plan(integration, desired, stored, found.foreign, now=time.time(), overwrite=options.overwrite)
        refused = invalid(organisation, made.steps)
    except ApiError as error:
        raise UnusableInputError(str(error)) from None
    if refused:
        lines = []
        for step, reason in refused:
            assert step.desired
            lines.append(f'{step.desired.asset.where("query")}: {reason}')
        raise UnusableInputError(
            f'{options.path}: Datadog would refuse the assets; nothing was changed', '\n'.join(lines)
        )
    return organisation, made


def check_answerable(options: PlanOptions) -> None:
    """Raise UnusableInputError if nobody can answer the question."""
    if options.yes:
        return
    if options.format != 'text':
        raise UnusableInputError(f'--format {options.format} asks no question: pass --yes or --dry-run')
    if not sys.stdin.isatty():
        raise UnusableInputError('stdin is not a terminal, cannot prompt: pass --yes')


def carry_out_plan(options: PlanOptions, organisation: Organisation, plan: Plan, question: str) -> int:
    """Show the plan, ask, carry it out and print the outcomes. Returns the exit code."""
    as_text = options.format == 'text'
    if as_text:
        show(options, organisation, plan)
    outcomes: list[Outcome] = []
    unsettled = ''
    if plan.changes:
        if not options.yes and not _agreed(question):
            log('nothing was changed')
            return FAILED
        widths = subject_widths(plan.changes)
        try:
            for outcome in carry_out(organisation, plan):
                outcomes.append(outcome)
                if as_text:
                    write(bounded(outcome_text(outcome, widths, Paint.of_output())) + '\n')
        except Unsettled as error:
            unsettled = str(error)
            log(unsettled)
    if not as_text:
        show(options, organisation, plan, outcomes, unsettled)
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        log(f'{len(failed)} of {len(outcomes)} failed; run the command again to continue')
    return FAILED if failed or unsettled or plan.of(Action.REFUSE) else FINE


def _agreed(question: str) -> bool:
    write(f'\n{question} [y/N] ')
    return sys.stdin.readline().strip().lower() in ('y', 'yes')


def show(
    options: PlanOptions,
    organisation: Organisation,
    plan: Plan,
    outcomes: Sequence[Outcome] | None = None,
    unsettled: str = '',
) -> None:
    """Print a plan in the chosen format; after an apply, with its outcomes and why it is `unsettled`, if it is."""
    links = {step.stored.id: organisation.link(step.kind, step.stored.id) for step in plan.steps if step.stored}
    site = organisation.client.account.site
    shown = report(options.command, plan, site, links, options.path, outcomes, unsettled)
    write(render(options.format, shown, Paint.of_output()))


def dry_run(options: PlanOptions) -> int:
    """Print the requests for an empty organisation, checked as far as possible offline."""
    assets, desired = _read(options)
    integration = integration_name(assets)
    options.selection.check(names(assets))
    bodies: list[tuple[str, str, Any]] = []
    now = time.time()
    for asset in [asset for asset in desired if asset.has_ended(now)]:
        log(f'{asset.asset.path}: it has ended, and would not be sent')
        desired.remove(asset)
    for asset in sorted(desired, key=lambda asset: creation_rank(asset.kind, asset.body)):
        body = asset.kind.for_creation(asset.body, now)
        marker = Marker(integration, asset.name, fingerprint(asset.kind.canonical(body)))
        bodies.append(('POST', asset.kind.path, asset.kind.request(asset.kind.mark(body, marker))))
    write(render(options.format, dry_run_report(options.command, integration, bodies)))
    if options.format == 'text':
        counts = [(kind, sum(asset.kind is kind for asset in desired)) for kind in KINDS]
        listed = ', '.join(count(number, kind.label, kind.labels) for kind, number in counts if number)
        log(f'dry run: {listed or "nothing"}, valid as far as it can be checked offline; nothing was sent')
    return FINE
