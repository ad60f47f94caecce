"""Write a text in the place of a file, which is never half written."""

import contextlib
import os
import tempfile
from pathlib import Path

from ddassets import boundary
from ddassets.diagnostic import UnusableInputError


def replace_text(path: Path, text: str) -> None:
    """Write the text as UTF-8 in the place of a file, with its mode. Raises UnusableInputError."""
    temporary = ''
    try:
        boundary.check(path)
        # A link may lead to another folder, perhaps of another file system, into which no file can be moved.
        target = Path(os.path.realpath(path))
        mode = target.stat().st_mode & 0o777
        descriptor, temporary = tempfile.mkstemp(prefix=f'.{target.name}.', dir=target.parent)
        with os.fdopen(descriptor, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise UnusableInputError(f'{path}: cannot be written: {error.strerror}') from None
