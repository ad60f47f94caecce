"""From the bytes of a request to JSON: decompressed within limits, and checked field by field with its place."""

import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import zstandard

from ddassets.nearest import did_you_mean
from ddassets.sandbox.request import Refusal

#: How to let an Agent send JSON (measured with Agent 7.82.1).
AGENT_SETTINGS = (
    'the sandbox reads JSON; in the environment of the Agent set DD_USE_V2_API_SERIES=false and '
    'DD_USE_V2_API_EVENTS=false, or use_v2_api.series: false and use_v2_api.events: false in datadog.yaml'
)
ENCODINGS = ('identity', 'gzip', 'deflate', 'zstd')
#: What a refused type of content is called. The Agent repeats a request after most errors, but not after 400.
_BINARY = ('application/x-protobuf', 'application/protobuf', 'application/msgpack', 'application/x-msgpack')

_SURROGATE = re.compile(rb'\\u[dD][89a-fA-F]')


def unpacked(raw: bytes, encoding: str, limit: int) -> bytes:
    """Decompress a body to at most `limit` bytes. Raises Refusal."""
    name = encoding.strip().lower() or 'identity'
    try:
        match name:
            case 'identity':
                content = raw
            case 'gzip' | 'x-gzip':
                content = _inflated(raw, zlib.MAX_WBITS | 16, limit)
            case 'deflate':
                # By the standard with zlib's header, which some senders leave out.
                content = _inflated(raw, zlib.MAX_WBITS if raw[:1] == b'\x78' else -zlib.MAX_WBITS, limit)
            case 'zstd':
                with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as reader:
                    content = reader.read(limit + 1)
            case _:
                allowed = ', '.join(ENCODINGS)
                hint = did_you_mean(name, ENCODINGS)
                raise Refusal(400, f'Content-Encoding: found {name[:40]!r}{hint}; allowed are {allowed}')
    except (zlib.error, zstandard.ZstdError) as error:
        raise Refusal(400, f'the body is not valid {name}: {error}') from None
    if len(content) > limit:
        raise Refusal(413, f'the body has more than {limit:,} bytes, decompressed')
    return content


def _inflated(raw: bytes, wbits: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(wbits)
    content = inflater.decompress(raw, limit + 1)
    if len(content) <= limit and not inflater.eof:
        raise zlib.error('it is cut short')
    return content


def parsed(content: bytes, content_type: str) -> Any:
    """Parse a JSON body; None for an empty one. Raises Refusal."""
    if not content:
        return None
    kind = content_type.partition(';')[0].strip().lower()
    if kind in _BINARY:
        raise Refusal(400, f'Content-Type {kind}: {AGENT_SETTINGS}')
    try:
        found = json.loads(content, parse_constant=_refuse_constant)
        if _SURROGATE.search(content):
            # Half a character has no bytes, so no store, page or e-mail could contain it.
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except UnicodeEncodeError:
        raise Refusal(
            400, 'the body is not JSON of Unicode text: it has half a character (\\ud800 to \\udfff)'
        ) from None
    except RecursionError:
        raise Refusal(400, 'the body is nested too deeply') from None
    except ValueError as error:
        binary = any(byte < 32 and byte not in b'\t\r\n' for byte in content[:100])
        hint = f'; {AGENT_SETTINGS}' if binary else ''
        raise Refusal(400, f'the body is not JSON: {error}{hint}') from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f'{name} is no number of JSON')


class Place:
    """A part of a body and where it is, such as `series[3].points`. Reading another type raises Refusal."""

    def __init__(self, value: Any, path: str = '') -> None:
        self.value = value
        self.path = path

    def refuse(self, expected: str) -> Refusal:
        where = f'{self.path}: ' if self.path else ''
        return Refusal(400, f'{where}found {_shown(self.value)}, expected {expected}')

    def entries(self) -> Mapping[str, Any]:
        if not isinstance(self.value, dict):
            raise self.refuse('an object')
        return self.value

    def items(self) -> 'Iterator[Place]':
        if not isinstance(self.value, list):
            raise self.refuse('a list')
        return (Place(item, f'{self.path}[{index}]') for index, item in enumerate(self.value))

    def __getitem__(self, key: str) -> 'Place':
        """Return the value of a key; None where it is missing."""
        return Place(self.entries().get(key), f'{self.path}.{key}' if self.path else key)

    def text(self, default: str | None = None) -> str:
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str):
            raise self.refuse('a text')
        return self.value

    def number(self) -> float:
        value = self.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(_float(value)):
            raise self.refuse('a number')
        return float(value)

    def whole(self, default: int | None = None) -> int:
        if self.value is None and default is not None:
            return default
        number = self.number()
        if number != int(number):
            raise self.refuse('a whole number')
        return int(number)

    def texts(self) -> list[str]:
        """Return a list of texts; null counts as an empty one."""
        return [] if self.value is None else [item.text() for item in self.items()]


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shown(value: Any) -> str:
    if value is None:
        return 'nothing'
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:60] + '…'
