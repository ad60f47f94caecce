"""Read MessagePack, in which the trace-agent sends its stats. Written from the public specification of the format."""

import struct
from typing import Any

_MAX_DEPTH = 50
# By first byte: the format of a number of fixed length.
_NUMBERS = {
    **{0xCA: '>f', 0xCB: '>d', 0xCC: '>B', 0xCD: '>H', 0xCE: '>I', 0xCF: '>Q'},
    **{0xD0: '>b', 0xD1: '>h', 0xD2: '>i', 0xD3: '>q'},
}
# The format of the length that follows.
_BYTES = {0xC4: '>B', 0xC5: '>H', 0xC6: '>I'}
_TEXTS = {0xD9: '>B', 0xDA: '>H', 0xDB: '>I'}
_LISTS = {0xDC: '>H', 0xDD: '>I'}
_MAPS = {0xDE: '>H', 0xDF: '>I'}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def read(content: bytes) -> Any:
    """Return the value of a whole message. Raises ValueError for anything else, extensions among it."""
    reader = _Reader(content)
    value = reader.value(0)
    if reader.position != len(content):
        raise ValueError(f'{len(content) - reader.position} bytes follow the value')
    return value


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.position = 0

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self.content):
            raise ValueError(f'it ends at byte {len(self.content)}, within a value')
        taken, self.position = self.content[self.position : end], end
        return taken

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError('it is nested too deeply')
        first = self._take(1)[0]
        if first <= 0x7F:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first in _CONSTANTS:
            return _CONSTANTS[first]
        if first in _NUMBERS:
            return self._number(_NUMBERS[first])
        return self._sized(first, depth)

    def _sized(self, first: int, depth: int) -> Any:
        if first <= 0x8F:
            return self._map(first & 0x0F, depth)
        if first <= 0x9F:
            return self._list(first & 0x0F, depth)
        if first <= 0xBF:
            return self._text(first & 0x1F)
        if first in _TEXTS:
            return self._text(self._number(_TEXTS[first]))
        if first in _BYTES:
            return self._take(self._number(_BYTES[first]))
        if first in _LISTS:
            return self._list(self._number(_LISTS[first]), depth)
        if first in _MAPS:
            return self._map(self._number(_MAPS[first]), depth)
        raise ValueError(f'byte {self.position - 1} begins an extension')

    def _text(self, size: int) -> str:
        return self._take(size).decode(errors='replace')

    def _list(self, size: int, depth: int) -> list[Any]:
        self._check(size)
        return [self.value(depth + 1) for _ in range(size)]

    def _map(self, size: int, depth: int) -> dict[str, Any]:
        self._check(size)
        return {str(self.value(depth + 1)): self.value(depth + 1) for _ in range(size)}

    def _check(self, size: int) -> None:
        # Each value has a byte at least, so a length beyond the end is false before anything is made.
        if size > len(self.content) - self.position:
            raise ValueError(f'it ends at byte {len(self.content)}, within a list')
