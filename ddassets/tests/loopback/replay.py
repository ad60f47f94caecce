"""Replay recorded exchanges against the organisation in memory."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loopback.keys import API_KEY, APP_KEY
from loopback.organisation import Organisation
from loopback.recordings import Recording, parsed
from loopback.specification import Specification

# Who wrote it, when and under which number: the keys are compared, what they hold is not.
OWN = re.compile(
    r'(.*\.)?(id|id_str|url|org_id|assets\.monitor_id|creator|author_handle|author_name|created|created_at|modified|modified_at|canceled'
    r'|deleted_at|relationships|included|date_happened|schedule\.start)(\..*)?'
)


@dataclass(frozen=True)
class Difference:
    """A difference. `path` has no indices; a value is `...` if the key is missing."""

    path: str
    recorded: Any
    fake: Any

    @property
    def change(self) -> str:
        """The path; `+` before it where the fake alone has the key, `-` where the recording alone has it."""
        return ('+' if self.recorded is ... else '-' if self.fake is ... else '') + self.path


@dataclass(frozen=True)
class Replayed:
    recording: Recording
    operation: str
    differences: tuple[Difference, ...]


def replay(specification: Specification, cassette: Sequence[Recording]) -> Iterator[Replayed]:
    """Replay the exchanges of a cassette that use our operations, in order, each with its differences."""
    organisation = Organisation(clock=lambda: now)
    _admit(organisation, specification, cassette)
    ids: dict[str, str] = {}
    for recording in cassette:
        now: datetime = recording.frozen
        operation = specification.operation(recording.method, recording.path)
        if operation is None:
            continue
        path, raw, query = recording.path, recording.body.decode(), json.dumps(recording.query)
        for recorded_id, own_id in ids.items():
            path, raw, query = (text.replace(recorded_id, own_id) for text in (path, raw, query))
        match = operation.expression.fullmatch(path)
        assert match, path
        body = parsed(raw.encode())
        faults = operation.request_faults(json.loads(query), raw.encode())
        recorded = parsed(recording.answer)
        if faults:
            status, content, content_type = 400, {'errors': [fault.message for fault in faults]}, 'application/json'
        else:
            # The keys are scrubbed from the recordings; this one was made without.
            key = '' if recording.status == 403 else API_KEY
            answer = organisation.answer(
                operation.name, json.loads(query), body, match.groupdict().get('id', ''), key, APP_KEY
            )
            status, content, content_type = answer.status, answer.body, answer.content_type
        if content is not None:
            text = json.dumps(content)
            for recorded_id, own_id in ids.items():
                text = text.replace(own_id, recorded_id)
            content = json.loads(text)
        found = [] if status == recording.status else [Difference('status', recording.status, status)]
        if content_type != recording.content_type and status != 204:
            found.append(Difference('content-type', recording.content_type, content_type))
        found += compare(recorded, content)
        if recording.method == 'POST' and status == recording.status == 200:
            # An id that is missing differs already.
            ids.update(zip(_ids(recorded), _ids(content), strict=False))
        yield Replayed(recording, operation.name, tuple(found))


def _admit(organisation: Organisation, specification: Specification, cassette: Sequence[Recording]) -> None:
    """Add objects of the listings to the organisation that the cassette did not create."""
    answers = [
        (operation.name, recording, parsed(recording.answer))
        for recording in cassette
        if recording.status == 200 and (operation := specification.operation(recording.method, recording.path))
    ]
    made = {id for _, recording, answer in answers if recording.method == 'POST' for id in _ids(answer)}
    for name, recording, answer in answers:
        match name:
            case 'ListDashboards' if 'true' not in recording.query.get('filter[deleted]', []):
                found = {one['id']: one for one in answer['dashboards'] if one['id'] not in made}
                organisation.dashboards |= found
            case 'ListMonitors':
                organisation.monitors |= {one['id']: one for one in answer}
            case 'SearchMonitors':
                organisation.monitors |= {m['id']: m | {'overall_state': m['status']} for m in answer['monitors']}
            case 'ListDowntimes':
                organisation.downtimes |= {one['id']: one | {'asked': None} for one in answer['data']}
            case 'ListSLOs':
                organisation.slos |= {one['id']: one for one in answer['data'] if one['id'] not in made}
            case 'QueryMetrics':
                for one in answer['series']:
                    organisation.series[one['metric']] = [(ms / 1000, value) for ms, value in one['pointlist']]


def _ids(answer: Any) -> list[str]:
    body = answer.get('data', answer) if isinstance(answer, Mapping) else {}
    # An SLO that was created.
    body = body[0] if isinstance(body, list) and len(body) == 1 else body
    return [str(body['id'])] if 'id' in body else []


def compare(recorded: Any, fake: Any, path: str = '') -> Iterator[Difference]:
    """Compare two bodies; lists of texts without order, because the server returns `notify_end_states` in any order."""
    if isinstance(recorded, dict) and isinstance(fake, dict):
        for key in sorted(recorded.keys() | fake.keys()):
            inner = f'{path}.{key}'.lstrip('.')
            if key not in recorded or key not in fake:
                yield Difference(inner, recorded.get(key, ...), fake.get(key, ...))
            else:
                yield from compare(recorded[key], fake[key], inner)
    elif isinstance(recorded, list) and isinstance(fake, list) and len(recorded) == len(fake):
        if all(isinstance(item, str) for item in recorded + fake):
            recorded, fake = sorted(recorded), sorted(fake)
        for one, other in zip(recorded, fake, strict=True):
            yield from compare(one, other, path)
    elif (recorded != fake or type(recorded) is not type(fake)) and not OWN.fullmatch(path):
        yield Difference(path, recorded, fake)
