"""How the command line reaches an organisation."""

import os
from dataclasses import dataclass
from pathlib import Path

from ddassets.org.account import Account, read_account
from ddassets.org.client import Client
from ddassets.output.terminal import log


@dataclass(frozen=True)
class Connection:
    """Site, address and keys as the command line gives them. `timeout` is in seconds, for one request."""

    site: str | None = None
    api_url: str | None = None
    keys_from: Path | None = None
    timeout: float = 30
    verbose: bool = False

    def account(self) -> Account:
        """Raises UnusableInputError for a site, an address, a file or a key that cannot be used."""
        return read_account(os.environ, self.site, self.api_url, self.keys_from)

    def client(self, account: Account) -> Client:
        return Client(account, self.timeout, say=log, log=log if self.verbose else lambda _: None)
