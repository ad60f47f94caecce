"""The organisation's site and keys. Keys are never shown: not by `repr`, not in an error."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ddassets.diagnostic import UnusableInputError
from ddassets.nearest import did_you_mean

# Sites and the address of their web app.
SITES: Mapping[str, str] = {
    'datadoghq.com': 'https://app.datadoghq.com',
    'us3.datadoghq.com': 'https://us3.datadoghq.com',
    'us5.datadoghq.com': 'https://us5.datadoghq.com',
    'datadoghq.eu': 'https://app.datadoghq.eu',
    'ap1.datadoghq.com': 'https://ap1.datadoghq.com',
    'ap2.datadoghq.com': 'https://ap2.datadoghq.com',
    'uk1.datadoghq.com': 'https://uk1.datadoghq.com',
    'ddog-gov.com': 'https://app.ddog-gov.com',
    'us2.ddog-gov.com': 'https://us2.ddog-gov.com',
}
DEFAULT_SITE = 'datadoghq.com'
API_KEY, APP_KEY, SITE, API_URL = 'DD_API_KEY', 'DD_APP_KEY', 'DD_SITE', 'DDASSETS_API_URL'
MIN_KEY = 16
WHERE = {
    API_KEY: 'Organization Settings > API Keys',
    APP_KEY: 'Organization Settings > Application Keys',
}


@dataclass(frozen=True)
class Account:
    """`api_url` and `app_url` have no trailing slash. A missing key is empty."""

    site: str
    api_url: str
    app_url: str
    api_key: str = field(repr=False)
    app_key: str = field(repr=False)

    def redact(self, text: str) -> str:
        """Replace the keys in `text`. A value too short for a key is left: it would garble ordinary words."""
        for key in (self.api_key, self.app_key):
            if len(key) >= MIN_KEY:
                text = text.replace(key, '[key]')
        return text


def read_account(
    environment: Mapping[str, str], site: str | None, api_url: str | None, keys_from: Path | None
) -> Account:
    """Resolve site and keys: command line, then `keys_from`, then environment. A missing key stays empty.

    Raises UnusableInputError for an invalid site, address, file or key.
    """
    found = {**environment, **(_read_file(keys_from) if keys_from else {})}
    where = str(keys_from) if keys_from else 'the environment'
    keys = [_key(name, found.get(name, ''), where) for name in (API_KEY, APP_KEY)]
    if url := api_url or found.get(API_URL, ''):
        url = _checked_url(url, '--api-url' if api_url else API_URL)
        return Account(urlsplit(url).netloc, url, url, *keys)
    name = site or found.get(SITE, '').strip() or DEFAULT_SITE
    if name not in SITES:
        source = '--site' if site else SITE
        known = ', '.join(SITES)
        raise UnusableInputError(f'{source}: unknown site {name!r}{did_you_mean(name, SITES)}; allowed: {known}')
    return Account(name, api_url_of(name), SITES[name], *keys)


def api_url_of(site: str) -> str:
    return f'https://api.{site}'


def require_keys(account: Account) -> None:
    """Raises UnusableInputError for a missing key; the text says where to create one."""
    missing = [name for name, key in ((API_KEY, account.api_key), (APP_KEY, account.app_key)) if not key]
    if missing:
        hints = [f'{name}: create one in {WHERE[name]} of {account.app_url}' for name in missing]
        raise UnusableInputError(
            f'no {" and no ".join(missing)}: set the environment variable, or pass --keys-from FILE',
            '\n'.join((*hints, '--dry-run shows the requests and needs neither keys nor a network')),
        )


def _key(name: str, value: str, where: str) -> str:
    value = value.strip()
    if value and not re.fullmatch(r'[!-~]+', value):
        # The value is not shown; as a header it would end up in the text of an exception.
        raise UnusableInputError(f'{name} in {where} contains a space, a line break or a character that no key has')
    return value


def _read_file(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines as a shell would."""
    try:
        with path.open('rb') as file:
            status = os.fstat(file.fileno())
            # A shell makes a pipe of <(…).
            if not stat.S_ISREG(status.st_mode) and not stat.S_ISFIFO(status.st_mode):
                raise UnusableInputError(f'--keys-from: {path} is not a regular file')
            if os.name == 'posix' and status.st_mode & 0o077:
                mode = stat.S_IMODE(status.st_mode)
                raise UnusableInputError(
                    f'--keys-from: {path} has mode {mode:04o}, which lets other users read it; expected 0600: '
                    f'chmod 600 {path}'
                )
            content = file.read(65536)
    except OSError as error:
        raise UnusableInputError(f'--keys-from: {path}: {error.strerror}') from None
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        raise UnusableInputError(f'--keys-from: {path} is not valid UTF-8') from None
    found = {}
    for number, line in enumerate(lines, 1):
        line = line.strip().removeprefix('export ').strip()
        if not line or line.startswith('#'):
            continue
        name, equals, value = line.partition('=')
        if not equals or name.strip() not in (API_KEY, APP_KEY, SITE):
            allowed = f'{API_KEY}=, {APP_KEY}= and {SITE}='
            raise UnusableInputError(f'--keys-from: {path}, line {number}: expected lines such as {allowed}')
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in '"\'':
            value = value[1:-1]
        found[name.strip()] = value
    return found


def _checked_url(url: str, source: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.username or parts.scheme not in ('http', 'https') or parts.query or parts.fragment:
        raise UnusableInputError(f'{source}: expected an address such as https://gateway.example.com')
    if parts.scheme == 'http' and not is_loopback(host):
        raise UnusableInputError(
            f'{source}: keys are sent over https only; http is for this machine (127.0.0.1, localhost)'
        )
    return url.rstrip('/')


def is_loopback(host: str) -> bool:
    return host in ('localhost', '::1') or re.fullmatch(r'127(\.\d{1,3}){3}', host) is not None
