"""The API key and the application key: made at the first start, shown then, and stored as digests only."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from ddassets.sandbox.store import Store


@dataclass(frozen=True)
class Keys:
    """Digests of the accepted keys."""

    api: frozenset[str] = field(repr=False)
    app: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, api: Iterable[str], app: Iterable[str]) -> 'Keys':
        return cls(frozenset(map(_digest, api)), frozenset(map(_digest, app)))

    def allow_api(self, key: str) -> bool:
        return _digest(key) in self.api

    def allow_app(self, key: str) -> bool:
        return _digest(key) in self.app


@dataclass(frozen=True)
class NewKeys:
    """Keys as they are shown once."""

    api_key: str = field(repr=False)
    app_key: str = field(repr=False)


def open_keys(store: Store, renew: bool = False) -> tuple[Keys, NewKeys | None]:
    """Return the accepted keys, and new ones if there were none or if they are to be replaced."""
    stored = store.fact('keys')
    if stored and not renew:
        return Keys(frozenset(stored['api']), frozenset(stored['app'])), None
    new = NewKeys(secrets.token_hex(16), secrets.token_hex(20))
    keys = Keys.of([new.api_key], [new.app_key])
    store.write(lambda change: change.put_fact('keys', {'api': sorted(keys.api), 'app': sorted(keys.app)}))
    return keys, new


def _digest(key: str) -> str:
    # A key has 128 random bits or more, so a plain digest cannot be guessed, and comparing it reveals nothing of it.
    return hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()
