"""What plan, apply and destroy share: read, compare, ask, carry out, print."""

import json
import sys
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddassets import assets as bundle
from ddassets.cli.exit_code import FAILED
from ddassets.cli.option import narrowing_tags
from ddassets.cli.plan_output import outcome_documents, outcome_text, plan_document, plan_text, sent_text
from ddassets.diagnostic import UnusableInputError
from ddassets.org.account import require_keys
from ddassets.org.applying import Outcome, carry_out, invalid
from ddassets.org.client import ApiError
from ddassets.org.connection import Connection
from ddassets.org.kind import Wanted
from ddassets.org.kinds import KINDS
from ddassets.org.marker import Marker, fingerprint
from ddassets.org.organisation import Organisation
from ddassets.org.plan import Do, Plan, make_plan
from ddassets.org.wanted import Changes, Selection, check_handles, integration_name, names, read_assets, read_wanted
from ddassets.output.terminal import Paint, log, write


@dataclass(frozen=True)
class PlanOptions:
    """`yes`: do not ask. `dry_run`: no network."""

    path: Path
    connection: Connection
    selection: Selection
    changes: Changes
    overwrite: bool
    as_json: bool
    dry_run: bool
    yes: bool


def connection(options: Namespace) -> Connection:
    """The connection that `option.add_connection` describes."""
    return Connection(options.site, options.api_url, options.keys_from, options.timeout, options.verbose)


def plan_options(options: Namespace) -> PlanOptions:
    """The options of plan, apply and destroy; destroy has no changes, plan asks nothing."""
    notify, redirect = getattr(options, 'notify', ()), getattr(options, 'redirect', None)
    return PlanOptions(
        path=options.path,
        connection=connection(options),
        selection=Selection(options.only),
        changes=Changes(notify, redirect, narrowing_tags(options) if hasattr(options, 'tag') else ()),
        overwrite=options.overwrite,
        as_json=options.json,
        dry_run=options.dry_run,
        yes=getattr(options, 'yes', False),
    )


def organisation_of(options: PlanOptions, integration: str) -> Organisation:
    account = options.connection.account()
    require_keys(account)
    return Organisation(options.connection.client(account), integration)


def _read(options: PlanOptions) -> tuple[bundle.Bundle, list[Wanted]]:
    check_handles(options.changes)
    assets = read_assets(options.path)
    return assets, read_wanted(assets, options.selection, options.changes)


def planned(options: PlanOptions) -> tuple[Organisation, Plan]:
    """The plan, valid from end to end. Raises UnusableInputError."""
    assets, wanted = _read(options)
    integration = integration_name(assets)
    organisation = organisation_of(options, integration)
    try:
        found = organisation.find(options.selection.kinds())
        options.selection.check([*names(assets), *((one.kind, one.marker.name) for one in found.stored)])
        stored = [one for one in found.stored if options.selection.covers(one.kind, one.marker.name)]
        made = make_plan(integration, wanted, stored, found.foreign, now=time.time(), overwrite=options.overwrite)
        refused = invalid(organisation, made.steps)
    except ApiError as error:
        raise UnusableInputError(str(error)) from None
    if refused:
        lines = []
        for step, reason in refused:
            assert step.wanted
            place = step.wanted.asset.position('query')
            lines.append(f'{step.wanted.asset.path}:{place.line}:{place.column}: {reason}')
        raise UnusableInputError(f'{options.path}: Datadog would refuse it; nothing was changed', '\n'.join(lines))
    return organisation, made


def check_answerable(options: PlanOptions) -> None:
    if options.yes:
        return
    if options.as_json:
        raise UnusableInputError('--json asks no question: add --yes, or --dry-run')
    if not sys.stdin.isatty():
        raise UnusableInputError('there is nobody to ask, for standard input is no terminal: add --yes')


def carry_out_plan(options: PlanOptions, organisation: Organisation, found: Plan, question: str) -> int:
    if not options.as_json:
        show(options, organisation, found)
    left_alone = bool(found.of(Do.REFUSE))
    outcomes: list[Outcome] = []
    if found.changes:
        if not options.yes and not _agreed(question):
            log('nothing was changed')
            return FAILED
        width = max(len(step.name) for step in found.changes)
        for outcome in carry_out(organisation, found):
            outcomes.append(outcome)
            if not options.as_json:
                write(outcome_text(outcome, width, Paint.of_output()) + '\n')
    failed = [one for one in outcomes if one.error]
    if options.as_json:
        document = plan_document(found, organisation.client.account.site, _links(organisation, found))
        write(json.dumps({**document, 'outcomes': outcome_documents(outcomes)}, indent=2, ensure_ascii=False) + '\n')
    if failed:
        log(f'{len(failed)} of {len(outcomes)} failed; run the command again, and it goes on from here')
    return FAILED if failed or left_alone else 0


def _agreed(question: str) -> bool:
    write(f'\n{question} [y/N] ')
    return sys.stdin.readline().strip().lower() in ('y', 'yes')


def show(options: PlanOptions, organisation: Organisation, found: Plan) -> None:
    site, links = organisation.client.account.site, _links(organisation, found)
    if options.as_json:
        write(json.dumps(plan_document(found, site, links), indent=2, ensure_ascii=False) + '\n')
    else:
        write(plan_text(found, site, Paint.of_output(), links))


def _links(organisation: Organisation, found: Plan) -> dict[str, str]:
    return {s.stored.id: organisation.link(s.kind, s.stored.id) for s in found.steps if s.stored}


def dry_run(options: PlanOptions) -> int:
    """What would be sent if nothing were there yet; valid as far as it can be told offline."""
    assets, wanted = _read(options)
    integration = integration_name(assets)
    options.selection.check(names(assets))
    bodies: list[tuple[str, str, Any]] = []
    now = time.time()
    for one in [one for one in wanted if one.is_over(now)]:
        log(f'{one.asset.path}: it is over, and would not be sent')
        wanted.remove(one)
    for one in wanted:
        body = one.kind.outgoing(one.body, now)
        marker = Marker(integration, one.name, fingerprint(one.kind.canonical(body)))
        bodies.append(('POST', one.kind.path, one.kind.request(one.kind.mark(body, marker))))
    if options.as_json:
        requests = [{'method': method, 'path': path, 'body': body} for method, path, body in bodies]
        write(json.dumps({'integration': integration, 'dry_run': True, 'requests': requests}, indent=2) + '\n')
    else:
        write(sent_text(bodies))
        counts = [(kind, sum(one.kind is kind for one in wanted)) for kind in KINDS]
        counted = ', '.join(f'{n} {kind.name if n == 1 else kind.plural}' for kind, n in counts if n)
        log(f'dry run: {counted or "nothing"}, valid as far as it can be told without asking Datadog; nothing was sent')
    return 0
