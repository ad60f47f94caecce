"""Read the assets of an integration and change them by the options: recipients, restricting tags, time zone."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from ddassets import assets as bundle
from ddassets.assets.refusal import line
from ddassets.assets.source import dotted
from ddassets.diagnostic import Diagnostic, Severity, UnusableInputError
from ddassets.engine import downtime, message
from ddassets.language.downtime_scope import Combination, ScopeFault, parse_scope
from ddassets.language.query.errors import QuerySyntaxError
from ddassets.language.query.printing import render
from ddassets.language.query.products import recognise
from ddassets.language.query.scope import narrow
from ddassets.language.query.syntax import parse_monitor, parse_queries, parse_query
from ddassets.nearest import did_you_mean
from ddassets.org import marker
from ddassets.org.kind import Body, Desired, Kind
from ddassets.org.kinds import DASHBOARDS, DOWNTIMES, KINDS, MONITORS, NOTIFICATION_RULES
from ddassets.org.notification_rules import MAX_NAME
from ddassets.output.terminal import count


@dataclass(frozen=True)
class Changes:
    """What the options change in the assets.

    `notify` are handles to add, `redirect` replaces all handles, `tags` (`key:value`) restrict queries and scopes, and
    `timezone` is that of every downtime.
    """

    notify: Sequence[str] = ()
    redirect: str | None = None
    tags: Sequence[str] = ()
    timezone: str | None = None


@dataclass(frozen=True)
class Selection:
    """What `--only` selects: kinds (`monitors`), names or both (`monitors/spool_*`); everything without a pattern."""

    patterns: Sequence[str] = ()

    def covers(self, kind: Kind, name: str) -> bool:
        return not self.patterns or any(_fits(pattern, kind, name) for pattern in self.patterns)

    def kinds(self) -> list[Kind]:
        """Return the kinds that selected assets may have; those of a plain name may have any."""
        if not all(map(_kinds_of, self.patterns)):
            return list(KINDS)
        named = [kind for pattern in self.patterns for kind in _kinds_of(pattern)]
        return [kind for kind in KINDS if not self.patterns or kind in named]

    def check(self, present: Sequence[tuple[Kind, str]]) -> None:
        """Raise UnusableInputError for a pattern that matches none of the assets and objects `present`."""
        for pattern in self.patterns:
            if any(_fits(pattern, kind, name) for kind, name in present):
                continue
            known = sorted({f'{kind.plural}/{name}' for kind, name in present})
            hint = did_you_mean(pattern, {*known, *(kind.plural for kind in KINDS), *(name for _, name in present)})
            available = ', '.join(known) or 'none'
            raise UnusableInputError(f'--only: {pattern!r} matches nothing{hint}; available: {available}')


def _fits(pattern: str, kind: Kind, name: str) -> bool:
    kinds = (kind.plural, kind.name)
    return any(fnmatchcase(text, pattern) for text in (name, *kinds, *(f'{one}/{name}' for one in kinds)))


def _kinds_of(pattern: str) -> list[Kind]:
    """Return the kinds that a pattern names: `monitors`, `monitors/x`, `*s/x`; none for a plain name."""
    head, slash, _ = pattern.partition('/')
    kinds = [kind for kind in KINDS if fnmatchcase(kind.plural, head) or fnmatchcase(kind.name, head)]
    return kinds if slash or head in {name for kind in kinds for name in (kind.name, kind.plural)} else []


def integration_name(assets: bundle.Bundle) -> str:
    """Return the name in markers: the manifest's `app_id`, else the folder's name.

    Raises UnusableInputError if the manifest cannot be read: under the folder's name no object would be found.
    """
    manifest = assets.manifest
    for problem in assets.problems if manifest is None else ():
        if problem.path == assets.folder / 'manifest.json' and problem.code != 'manifest/missing':
            raise UnusableInputError(line(problem))
    return marker.tag_value(manifest.app_id if manifest and manifest.app_id else assets.folder.resolve().name)


def read_assets(folder: Path) -> bundle.Bundle:
    """Read an integration. Raises UnusableInputError if `folder` is not an integration."""
    try:
        found = bundle.integrations(folder)
    except OSError as error:
        raise UnusableInputError(f'{folder}: {error.strerror}') from None
    if found != [folder]:
        hint = f'; name one of those in it: {", ".join(one.name for one in found[:5])}' if found else ''
        raise UnusableInputError(f'{folder}: no manifest.json and no assets: not an integration{hint}')
    return bundle.read(folder)


def names(assets: bundle.Bundle) -> list[tuple[Kind, str]]:
    """Return the kind and the name of each asset."""
    return [(kind, marker.tag_value(asset.path.stem)) for kind, found in _by_kind(assets) for asset in found]


def _by_kind(assets: bundle.Bundle) -> list[tuple[Kind, Sequence[bundle.Asset]]]:
    return [
        (DASHBOARDS, assets.dashboards),
        (MONITORS, assets.monitors),
        (DOWNTIMES, assets.downtimes),
        (NOTIFICATION_RULES, assets.rules),
    ]


def read_desired(assets: bundle.Bundle, selection: Selection, changes: Changes) -> list[Desired]:
    """Return the selected assets with the changes, all valid as far as that can be checked offline.

    Raises UnusableInputError with all faults, each with its file and place.
    """
    diagnostics = [one for one in assets.problems if one.path.suffix == '.json' and one.code in _FATAL]
    faults: list[str] = []
    desired: list[Desired] = []
    integration = integration_name(assets)
    for kind, found in _by_kind(assets):
        taken: dict[str, Path] = {}
        for asset in found:
            name = marker.tag_value(asset.path.stem)
            if name in taken:
                other = taken[name].name
                faults.append(
                    f'{asset.path}: its name in the marker, {name!r}, is also that of {other}: rename one file'
                )
            taken[name] = asset.path
            if not selection.covers(kind, name):
                continue
            body = kind.body(asset)
            if fault := _marker_fault(kind, asset, body, marker.Marker(integration, name, '0' * 12)):
                faults.append(fault)
                continue
            errors, refused = _errors(asset), list(_faults(kind, asset, body))
            diagnostics += errors
            # A fault that a diagnostic reports is not repeated in the words of the API's model.
            faults += (text for place, text in refused if not any(_covers(error, place) for error in errors))
            if errors or refused:
                # A body in a wrong form cannot be changed.
                continue
            try:
                body = _changed(asset, dict(body), changes)
            except _ChangeError as error:
                faults.append(error.text)
                continue
            desired.append(Desired(kind, name, kind.title(body), body, asset))
    faults = [*map(line, diagnostics), *faults]
    # Bodies with faults cannot be compared.
    faults += () if faults else _duplicates(desired)
    if faults:
        raise UnusableInputError(
            f'{assets.folder}: {count(len(faults), "fault")}; nothing was sent', '\n'.join(faults), diagnostics
        )
    return desired


def _marker_fault(kind: Kind, asset: bundle.Asset, body: Body, mark: marker.Marker) -> str:
    """Return why the marker does not fit, or an empty text: Datadog would cut or refuse what is longer."""
    if kind is MONITORS and (excess := max(map(len, mark.tags())) - marker.MAX_TAG) > 0:
        too_long = f'{count(excess, "character")} too long for the tags of the marker'
        return f'{asset.path}: the name of the file or of the integration is {too_long}: shorten it'
    if kind is NOTIFICATION_RULES:
        marked = marker.name_with_marker(str(body.get('name') or ''), mark)
        if (excess := len(marked) - MAX_NAME) > 0:
            too_long = f'{count(excess, "character")} too long, because ddassets appends its marker'
            return f'{asset.where("name")}: {too_long}: shorten the name'
    return ''


# Faults after which the content of a file is not known, unlike a byte order mark or a duplicate key.
_FATAL = frozenset(('manifest/no-integration', 'file/unreadable', 'file/encoding', 'file/syntax', 'file/shape'))


class _ChangeError(Exception):
    """An asset to which the options cannot be applied."""

    def __init__(self, asset: bundle.Asset, place: Sequence[str | int], reason: str) -> None:
        self.text = f'{asset.where(*place)}: {reason}'
        super().__init__(self.text)


def _errors(asset: bundle.Asset) -> list[Diagnostic]:
    """Return the errors of an asset, as lint and rehearse report them."""
    found = downtime.read(asset)[1] if isinstance(asset, bundle.Downtime) else asset.diagnostics
    return [one for one in found if one.severity is Severity.ERROR]


def _covers(error: Diagnostic, place: str) -> bool:
    """Whether a diagnostic is about this place, a part of it, or an object or a list that contains it."""
    return f'{place}.'.startswith(f'{error.key}.') or f'{error.key}.'.startswith(f'{place}.')


def _faults(kind: Kind, asset: bundle.Asset, body: Body) -> Iterator[tuple[str, str]]:
    """Yield what the model of the API refuses, with the dotted place; not for keys that a diagnostic names."""
    known = {one.key for one in asset.diagnostics}
    found = False
    for fault in kind.faults(body):
        place = dotted(fault.path)
        if place not in known:
            found = True
            yield place, f'{asset.where(*fault.path)}: {fault}'
    if not found:
        try:
            json.dumps(body, allow_nan=False)
        except ValueError:
            yield '', f'{asset.path}: contains a number that is too large for JSON, such as 1e999'


def _duplicates(desired: Sequence[Desired]) -> Iterator[str]:
    """Yield the assets with the same effect as another one; Datadog refuses such downtimes (rule 5.10)."""
    seen: list[Desired] = []
    for one in desired:
        same = (other for other in seen if other.kind is one.kind)
        for other in same:
            if one.kind.conflicts(one.body, other.body, 0):
                yield f'{one.asset.path}: covers the same as {other.asset.path.name}; Datadog accepts no duplicate'
        seen.append(one)


def _changed(asset: bundle.Asset, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
    match asset:
        case bundle.Dashboard():
            return _dashboard(asset, body, changes)
        case bundle.Monitor():
            return _monitor(asset, body, changes)
        case bundle.Downtime():
            return _downtime(asset, body, changes)
        case bundle.NotificationRule():
            return _notification_rule(body, changes)
    raise AssertionError(asset)


def _dashboard(asset: bundle.Dashboard, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
    if changes.redirect and body.get('notify_list'):
        # It contains accounts, not handles, so they are removed instead of replaced.
        body['notify_list'] = []
    if not changes.tags:
        return body
    fixed = {key: value for key, _, value in (tag.partition(':') for tag in changes.tags)}
    variables = {variable.prefix for variable in asset.variables}
    for variable in body.get('template_variables') or ():
        if variable.get('prefix') in fixed:
            variable.pop('default', None)
            variable['defaults'] = [fixed[variable['prefix']]]
    # The variables restrict their queries already.
    tags = [tag for tag in changes.tags if tag.partition(':')[0] not in variables]
    depth = len(asset.place)
    for widget in asset.widgets if tags else ():
        for query in widget.queries:
            if query.role == 'query' and query.text and recognise(query.source, query.text) is None:
                place = query.place[depth:]
                _put(body, place, _narrowed(asset, place, query.text, tags))
    return body


def _monitor(asset: bundle.Monitor, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
    body['message'] = _addressed(asset, ('message',), body.get('message') or '', changes)
    options = body.get('options') or {}
    if changes.redirect and options.get('escalation_message'):
        place = ('options', 'escalation_message')
        # Added recipients are in the message, which a renotification contains too.
        escalation = _addressed(asset, place, options['escalation_message'], replace(changes, notify=()))
        body['options'] = {**options, 'escalation_message': escalation}
    if changes.tags:
        if product := recognise(asset.type, asset.query):
            tags = ', '.join(changes.tags)
            raise _ChangeError(asset, ('query',), f'a query of {product} cannot be restricted to {tags}')
        body['query'] = _narrowed(asset, ('query',), asset.query, changes.tags, monitor=True)
    return body


def _downtime(asset: bundle.Downtime, body: dict[str, Any], changes: Changes) -> dict[str, Any]:
    body['message'] = _addressed(asset, ('message',), body.get('message') or '', changes)
    if changes.tags:
        body['scope'] = _narrowed_scope(asset, changes.tags)
    if changes.timezone:
        # The API refuses different time zones (rule 5.4).
        body['display_timezone'] = changes.timezone
        if (body.get('schedule') or {}).get('recurrences'):
            body['schedule'] = {**body['schedule'], 'timezone': changes.timezone}
    return body


def _notification_rule(body: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """Replace the recipients for `--redirect`.

    Tags do not apply: a rule matches tags of monitors and groups, not of queries. Recipients are not added, because a
    rule also routes other monitors; those of the integration get the recipients in their messages.
    """
    if not changes.redirect:
        return body
    only = [changes.redirect.removeprefix('@')]
    if body.get('recipients'):
        body['recipients'] = only
    if conditional := body.get('conditional_recipients'):
        for condition in conditional['conditions']:
            condition['recipients'] = only
        if conditional.get('fallback_recipients'):
            conditional['fallback_recipients'] = only
    return body


def _addressed(asset: bundle.Asset, place: Sequence[str | int], text: str, changes: Changes) -> str:
    try:
        if changes.redirect:
            text = message.redirect(text, changes.redirect)
        for handle in changes.notify:
            text = message.notify(text, handle)
    except message.MessageSyntaxError as error:
        raise _ChangeError(asset, place, str(error)) from None
    return text


def _narrowed(
    asset: bundle.Asset, place: Sequence[str | int], query: str, tags: Sequence[str], monitor: bool = False
) -> str:
    try:
        if monitor:
            return render(narrow(parse_monitor(query), tags))
        return ', '.join(render(narrow(expression, tags)) for expression in parse_queries(query))
    except QuerySyntaxError as error:
        raise _ChangeError(asset, place, f'column {error.column}: {error.message}') from None


def _narrowed_scope(asset: bundle.Downtime, tags: Sequence[str]) -> str:
    try:
        scope = parse_scope(asset.scope)
        parts = list(tags)
        if scope.root is not None:
            several = isinstance(scope.root, Combination) and not scope.root.every
            parts.insert(0, f'({scope.text.strip()})' if several else scope.text.strip())
        text = ' AND '.join(parts)
        parse_scope(text)
    except ScopeFault as fault:
        raise _ChangeError(asset, ('scope',), str(fault)) from None
    return text


def _put(body: Any, place: Sequence[str | int], value: str) -> None:
    for step in place[:-1]:
        body = body[step]
    body[place[-1]] = value


def check_handles(changes: Changes) -> None:
    """Raise UnusableInputError for an invalid handle, tag or time zone."""
    for handle in (*changes.notify, *filter(None, [changes.redirect])):
        message.notify('', handle)
    for tag in changes.tags:
        try:
            narrow(parse_query('avg:metric{*}'), [tag])
        except ValueError as error:
            raise UnusableInputError(f'--tag: {error}') from None
    if changes.timezone is not None and changes.timezone not in (zones := available_timezones()):
        raise UnusableInputError(
            f'--timezone: expected a time zone such as Europe/Berlin, found {changes.timezone!r}'
            f'{did_you_mean(changes.timezone, sorted(zones))}'
        )
