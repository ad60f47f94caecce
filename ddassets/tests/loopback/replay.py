"""Recorded exchanges, said again to the organisation in memory."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loopback.organisation import API_KEY, APP_KEY, Organisation
from loopback.recordings import Recording, parsed
from loopback.specification import Specification

# Who wrote it, when and under which number: these are not compared. A difference at them is no difference.
OWN = re.compile(
    r'(.*\.)?(id|id_str|url|org_id|creator|author_handle|author_name|created|created_at|modified|modified_at|canceled'
    r'|deleted_at|relationships|included|date_happened|schedule\.start)(\..*)?'
)


@dataclass(frozen=True)
class Difference:
    """`path` has no indices. One of the two values is `...` where the key is missing there."""

    path: str
    recorded: Any
    fake: Any


@dataclass(frozen=True)
class Replayed:
    recording: Recording
    operation: str
    differences: tuple[Difference, ...]


def replay(specification: Specification, cassette: Sequence[Recording]) -> Iterator[Replayed]:
    """The exchanges of one cassette that lie on our operations, in order, each with what differs."""
    organisation = Organisation(clock=lambda: now)
    ids: dict[str, str] = {}
    for recording in cassette:
        now: datetime = recording.frozen
        operation = specification.operation(recording.method, recording.path)
        if operation is None:
            continue
        path, raw = recording.path, recording.body.decode()
        for recorded_id, own_id in ids.items():
            path, raw = path.replace(recorded_id, own_id), raw.replace(recorded_id, own_id)
        match = operation.expression.fullmatch(path)
        assert match, path
        body = parsed(raw.encode())
        faults = operation.request_faults(recording.query, raw.encode())
        recorded = parsed(recording.answer)
        if faults:
            status, content = 400, {'errors': [fault.message for fault in faults]}
        else:
            # The keys are scrubbed from the recordings; this one was made without.
            key = '' if recording.status == 403 else API_KEY
            answer = organisation.answer(
                operation.name, recording.query, body, match.groupdict().get('id', ''), key, APP_KEY
            )
            status, content = answer.status, answer.body
            assert answer.content_type == recording.content_type or status == 204, recording.cassette
        if content is not None:
            text = json.dumps(content)
            for recorded_id, own_id in ids.items():
                text = text.replace(own_id, recorded_id)
            content = json.loads(text)
        found = [] if status == recording.status else [Difference('status', recording.status, status)]
        found += compare(recorded, content)
        if recording.method == 'POST' and status == recording.status == 200:
            for old, new in zip(_ids(recorded), _ids(content), strict=True):
                ids[old] = new
        yield Replayed(recording, operation.name, tuple(found))


def _ids(answer: Any) -> list[str]:
    body = answer.get('data', answer) if isinstance(answer, Mapping) else {}
    return [str(body['id'])] if 'id' in body else []


def compare(recorded: Any, fake: Any, path: str = '') -> Iterator[Difference]:
    """Lists of texts are compared without order: the server returns `notify_end_states` in any."""
    if isinstance(recorded, dict) and isinstance(fake, dict):
        for key in sorted(recorded.keys() | fake.keys()):
            inner = f'{path}.{key}'.lstrip('.')
            if key not in recorded or key not in fake:
                yield Difference(inner, recorded.get(key, ...), fake.get(key, ...))
            elif not OWN.fullmatch(inner):
                yield from compare(recorded[key], fake[key], inner)
    elif isinstance(recorded, list) and isinstance(fake, list) and len(recorded) == len(fake):
        if all(isinstance(item, str) for item in recorded + fake):
            recorded, fake = sorted(recorded), sorted(fake)
        for one, other in zip(recorded, fake, strict=True):
            yield from compare(one, other, path)
    elif recorded != fake or type(recorded) is not type(fake):
        yield Difference(path, recorded, fake)
