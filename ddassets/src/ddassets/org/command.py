"""`ddassets plan`, `apply` and `destroy`: read, compare, ask, carry out, tell."""

import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ddassets import assets as bundle
from ddassets.diagnostic import UnusableInputError
from ddassets.org.account import Account, read_account, require_keys
from ddassets.org.applying import Outcome, carry_out, invalid
from ddassets.org.client import ApiError, Client
from ddassets.org.kind import Wanted
from ddassets.org.kinds import KINDS
from ddassets.org.marker import Marker, fingerprint
from ddassets.org.organisation import Organisation
from ddassets.org.plan import Do, Plan, make_plan, make_removal
from ddassets.org.printing import (
    outcome_documents,
    outcome_text,
    plan_document,
    plan_text,
    sent_text,
)
from ddassets.org.wanted import Changes, Selection, check_handles, integration_name, names, read_assets, read_wanted
from ddassets.output.terminal import Paint, write

CHANGES = FAILED = 1


@dataclass(frozen=True)
class Connection:
    """How to reach the organisation. `timeout` is in seconds, for one request."""

    site: str | None = None
    api_url: str | None = None
    keys_from: Path | None = None
    timeout: float = 30
    verbose: bool = False

    def account(self) -> Account:
        return read_account(os.environ, self.site, self.api_url, self.keys_from)

    def client(self, account: Account) -> Client:
        return Client(account, self.timeout, say=say, log=say if self.verbose else lambda _: None)


@dataclass(frozen=True)
class PlanOptions:
    """`yes`: do not ask. `dry_run`: no network."""

    path: Path
    connection: Connection = field(default_factory=Connection)
    selection: Selection = field(default_factory=Selection)
    changes: Changes = field(default_factory=Changes)
    overwrite: bool = False
    as_json: bool = False
    dry_run: bool = False
    yes: bool = False


def plan(options: PlanOptions) -> int:
    """Run the command. Returns 1 where there is something to do. Raises UnusableInputError."""
    if options.dry_run:
        return _dry_run(options)
    organisation, found = _planned(options)
    _show(options, organisation, found)
    return CHANGES if found.changes or found.of(Do.REFUSE) else 0


def apply(options: PlanOptions) -> int:
    """Run the command. Returns 1 where something failed, was left alone or was not agreed to.

    Raises UnusableInputError, and has changed nothing then.
    """
    if options.dry_run:
        return _dry_run(options)
    _check_answerable(options)
    organisation, found = _planned(options)
    return _carry_out(options, organisation, found, 'Apply this?')


def destroy(options: PlanOptions) -> int:
    """Run the command: the same as `apply`, for nothing at all being wanted."""
    integration = integration_name(read_assets(options.path))
    if options.dry_run:
        kinds = ', '.join(kind.plural for kind in options.selection.kinds())
        text = f'destroy would look for {kinds} that bear the marker of {integration}, show them and ask.\n'
        write(json.dumps({'integration': integration, 'dry_run': True}, indent=2) + '\n' if options.as_json else text)
        return 0
    _check_answerable(options)
    organisation = _organisation(options, integration)
    try:
        stored = organisation.find(options.selection.kinds()).stored
    except ApiError as error:
        raise UnusableInputError(str(error)) from None
    options.selection.check([(one.kind, one.marker.name) for one in stored])
    chosen = [one for one in stored if options.selection.covers(one.kind, one.marker.name)]
    found = make_removal(integration, chosen, overwrite=options.overwrite)
    return _carry_out(options, organisation, found, 'Delete this?')


def _organisation(options: PlanOptions, integration: str) -> Organisation:
    account = options.connection.account()
    require_keys(account)
    return Organisation(options.connection.client(account), integration)


def _read(options: PlanOptions) -> tuple[bundle.Bundle, list[Wanted]]:
    check_handles(options.changes)
    assets = read_assets(options.path)
    return assets, read_wanted(assets, options.selection, options.changes)


def _planned(options: PlanOptions) -> tuple[Organisation, Plan]:
    """The plan, valid from end to end. Raises UnusableInputError."""
    assets, wanted = _read(options)
    integration = integration_name(assets)
    organisation = _organisation(options, integration)
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


def _check_answerable(options: PlanOptions) -> None:
    if options.yes:
        return
    if options.as_json:
        raise UnusableInputError('--json asks no question: add --yes, or --dry-run')
    if not sys.stdin.isatty():
        raise UnusableInputError('there is nobody to ask, for standard input is no terminal: add --yes')


def _carry_out(options: PlanOptions, organisation: Organisation, found: Plan, question: str) -> int:
    if not options.as_json:
        _show(options, organisation, found)
    left_alone = bool(found.of(Do.REFUSE))
    outcomes: list[Outcome] = []
    if found.changes:
        if not options.yes and not _agreed(question):
            say('nothing was changed')
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
        say(f'{len(failed)} of {len(outcomes)} failed; run the command again, and it goes on from here')
    return FAILED if failed or left_alone else 0


def _agreed(question: str) -> bool:
    write(f'\n{question} [y/N] ')
    return sys.stdin.readline().strip().lower() in ('y', 'yes')


def _show(options: PlanOptions, organisation: Organisation, found: Plan) -> None:
    site, links = organisation.client.account.site, _links(organisation, found)
    if options.as_json:
        write(json.dumps(plan_document(found, site, links), indent=2, ensure_ascii=False) + '\n')
    else:
        write(plan_text(found, site, Paint.of_output(), links))


def _links(organisation: Organisation, found: Plan) -> dict[str, str]:
    return {s.stored.id: organisation.link(s.kind, s.stored.id) for s in found.steps if s.stored}


def _dry_run(options: PlanOptions) -> int:
    """What would be sent if nothing were there yet; valid as far as it can be told offline."""
    assets, wanted = _read(options)
    integration = integration_name(assets)
    options.selection.check(names(assets))
    bodies: list[tuple[str, str, Any]] = []
    now = time.time()
    for one in [one for one in wanted if one.is_over(now)]:
        say(f'{one.asset.path}: it is over, and would not be sent')
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
        say(f'dry run: {counted or "nothing"}, valid as far as it can be told without asking Datadog; nothing was sent')
    return 0


def say(text: str) -> None:
    # In one piece, for several requests may be told of at once.
    sys.stderr.write(f'ddassets: {text}\n')
    sys.stderr.flush()
