#!/opt/datadog-agent/embedded/bin/python3
"""Resolve ENC[handle] in the Agent's files: the value is the content of the file of that name in the secrets folder.

Implements the protocol of `secret_backend_command`: handles as JSON on stdin, values or errors as JSON on stdout.
Exit codes: 0 answered, 2 invalid request.
"""

import json
import os
import re
import sys
from pathlib import Path

SECRETS = Path(os.environ.get('DATADOG_SECRETS', '/etc/datadog-agent/secrets'))


def resolve(handle: object) -> dict[str, str | None]:
    """Return the value of a handle, or an error."""
    if not isinstance(handle, str) or not re.fullmatch(r'\w+', handle, re.ASCII):
        return {'value': None, 'error': 'a handle consists of letters, digits and underscores'}
    try:
        value = (SECRETS / handle).read_text(encoding='utf-8').rstrip('\r\n')
    except (OSError, UnicodeDecodeError) as error:
        return {'value': None, 'error': f'{SECRETS / handle}: {getattr(error, "strerror", None) or "not UTF-8"}'}
    return {'value': value, 'error': None} if value else {'value': None, 'error': f'{SECRETS / handle} is empty'}


def main() -> int:
    """Answer one request."""
    try:
        handles = json.load(sys.stdin)['secrets']
        answer = {handle: resolve(handle) for handle in handles}
    except (ValueError, KeyError, TypeError):
        print('error: stdin must contain {"version": "1.0", "secrets": [handle, ...]}', file=sys.stderr)
        return 2
    json.dump(answer, sys.stdout)
    return 0


if __name__ == '__main__':
    sys.exit(main())
