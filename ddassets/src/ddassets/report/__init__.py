"""The page: what Datadog's pages would show for a rehearsed signal, and what would have landed in the inbox."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ddassets.bundle import Bundle
from ddassets.report.page import write as _write
from ddassets.report.rehearsed import Result
from ddassets.report.rehearsed import page as _page


def write(
    bundle: Bundle, results: Sequence[Result], folder: Path, progress: Callable[[str], None] = lambda text: None
) -> Path:
    """Write the page of these rehearsals into the folder, which is made where it is missing, and return its path.

    `progress` is told, in a few words, what is being done. Raises UnusableInputError where the page cannot be written.
    """
    page = _page(bundle, results, progress)
    progress('the page')
    return _write(page, folder)
