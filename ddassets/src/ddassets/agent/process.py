"""Start every process of ddassets with a minimal environment, and announce code of a checkout before it runs."""

import contextlib
import os
import signal
import subprocess
from contextvars import ContextVar
from typing import Any

from ddassets.diagnostic import UnusableInputError
from ddassets.output.terminal import log
from ddassets.regex import regex

# Seconds. A build or an installation that takes longer is considered hung.
_TIME_LIMIT = 600
# The environment variables that a child process inherits. No DD_*, no tokens.
_PLAIN = {
    *('PATH', 'HOME', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR', 'TMP', 'TEMP'),
    *('SYSTEMROOT', 'WINDIR', 'SYSTEMDRIVE', 'COMSPEC', 'PATHEXT', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA'),
    *('PROGRAMDATA', 'PROGRAMFILES', 'NUMBER_OF_PROCESSORS', 'PROCESSOR_ARCHITECTURE'),
}
# For downloads of packages. A URL with a password is not passed on.
_NETWORK = {
    *('UV_CACHE_DIR', 'UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'UV_OFFLINE', 'UV_PYTHON_INSTALL_DIR', 'UV_NATIVE_TLS'),
    *(
        'UV_SYSTEM_CERTS',
        'UV_FIND_LINKS',
        'UV_INDEX',
        'UV_EXTRA_INDEX_URL',
        'PIP_EXTRA_INDEX_URL',
        'PIP_FIND_LINKS',
        'CURL_CA_BUNDLE',
        'UV_NO_CACHE',
        'UV_PYTHON_DOWNLOADS',
        'UV_PYTHON_INSTALL_MIRROR',
    ),
    *('PIP_INDEX_URL', 'PIP_CERT', 'PIP_CONFIG_FILE', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE'),
    *('HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'),
    'SOURCE_DATE_EPOCH',
}
_CREDENTIALS = regex(r'://[^/@]*@')

_refusal: ContextVar[str] = ContextVar('refusal', default='')
_announced: set[str] = set()


def refuse_code(option: str) -> None:
    """From now on, refuse to run code of a checkout; `option` is the reason, such as `--no-code`."""
    _refusal.set(option)


def permit_code(code: str) -> None:
    """Announce on standard error, once, that code of a checkout will run. All such code passes here.

    `code` names it, such as `the check of ./probe`. Raises UnusableInputError after `refuse_code`.
    """
    if option := _refusal.get():
        raise UnusableInputError(f'{option}: this would run {code}')
    if code not in _announced:
        _announced.add(code)
        log(f'running code from the checkout: {code}')


def variables(network: bool = False) -> dict[str, str]:
    """Return the environment of a child process; `network` adds the variables for downloads of packages."""
    allowed = _PLAIN | (_NETWORK if network else set())
    return {
        name: value
        for name, value in os.environ.items()
        if (name.upper() in allowed or name.startswith('LC_')) and not _CREDENTIALS.search(value)
    }


def start(command: list[str], code: str | None, network: bool = False, **options: Any) -> subprocess.Popen[bytes]:
    """Start a program as the leader of a session, so that it gets no interrupt and can be ended with its children.

    `code` names the code of a checkout that it runs, or is None. Raises UnusableInputError as `permit_code`.
    """
    if code is not None:
        permit_code(code)
    return subprocess.Popen(command, env=variables(network), start_new_session=True, **options)


def run(command: list[str], failure: str, code: str | None = None) -> str:
    """Run a program with access to the network to its end, and return its output.

    Raises UnusableInputError with `failure` and the program's output.
    """
    streams = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
    with start(command, code, network=True, **streams) as process:
        try:
            output, errors = process.communicate(timeout=_TIME_LIMIT)
        except subprocess.TimeoutExpired:
            end_group(process)
            raise UnusableInputError(f'{failure}: not finished within {_TIME_LIMIT} s') from None
        except BaseException:
            end_group(process)
            raise
    if process.returncode:
        raise UnusableInputError(failure, (output + errors).decode('utf-8', 'replace'))
    return output.decode('utf-8', 'replace')


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a session leader and all its children, by their process group, and wait for it."""
    if os.name == 'nt':
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
