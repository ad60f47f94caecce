"""The recorded exchanges with the real API that use our operations."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from loopback import source
from loopback.specification import OPERATIONS

MEMBERS = r'tests/v[12]/cassettes/test_scenarios/.*\.(yaml|frozen)'
# Other operations, whose paths look like those of an object.
OTHERS = r'(?!/api/v1/slo/(?:search|correction)$)'


@dataclass(frozen=True)
class Recording:
    cassette: str
    frozen: datetime
    method: str
    path: str
    query: Mapping[str, list[str]]
    body: bytes = field(repr=False)
    status: int
    content_type: str
    answer: bytes = field(repr=False)


def load(name: str = 'recordings', operations: Mapping[str, Sequence[str]] = OPERATIONS) -> dict[str, list[Recording]]:
    """Return the exchanges by cassette, in order; raises `source.Unreachable`."""
    cassettes: dict[str, list[Recording]] = {}
    for row in source.derived(name, Path(__file__), partial(_extract, operations), MEMBERS):
        url = urlsplit(row.pop('uri'))
        recording = Recording(
            cassette=row['cassette'],
            frozen=datetime.fromisoformat(row['frozen']),
            method=row['method'],
            path=url.path,
            query=parse_qs(url.query, keep_blank_values=True),
            body=(row['body'] or '').encode(),
            status=row['status'],
            content_type=row['content_type'],
            answer=row['answer'].encode(),
        )
        cassettes.setdefault(recording.cassette, []).append(recording)
    return cassettes


def _extract(operations: Mapping[str, Sequence[str]], files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    rows = []
    patterns = [re.sub(r'\{\w+\}', '[^/]+', path) for paths in operations.values() for path in paths]
    expression = re.compile(f'{OTHERS}(?:{"|".join(patterns)})')
    # Reading all of the 1.9 thousand exchanges as YAML takes a minute.
    starts = re.compile('|'.join(pattern.partition('[')[0] for pattern in patterns).encode())
    for name, text in sorted(files.items()):
        if not name.endswith('.yaml') or not starts.search(text):
            continue
        for exchange in source.load_yaml(text)['interactions']:
            request, response = exchange['request'], exchange['response']
            if expression.fullmatch(urlsplit(request['uri']).path):
                rows.append(
                    {
                        'cassette': name.removeprefix('tests/').replace('cassettes/test_scenarios/', ''),
                        'frozen': files[name.removesuffix('yaml') + 'frozen'].decode().strip(),
                        'method': request['method'],
                        'uri': request['uri'],
                        'body': request['body'],
                        'status': response['status']['code'],
                        'content_type': response['headers'].get('content-type', [''])[0],
                        'answer': response['body'].get('string') or '',
                    }
                )
    return rows


def parsed(content: bytes) -> Any:
    return json.loads(content) if content.strip() else None
