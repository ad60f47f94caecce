"""The page of a rehearsal: what Datadog's pages would show, and the messages that would be sent."""

from collections.abc import Callable, Iterable
from pathlib import Path

from ddassets.assets import Bundle
from ddassets.rehearsal import Judgement
from ddassets.rehearsal.auto.estate import Estate
from ddassets.report import surveyed
from ddassets.report.page import write as _write
from ddassets.report.rehearsed import page as _page


def write(
    bundle: Bundle, judgements: Iterable[Judgement], folder: Path, progress: Callable[[str], None] = lambda text: None
) -> Path:
    """Write the page of these rehearsals into the folder, which is created if necessary, and return its path.

    `progress` is called with a short text about each step. Raises UnusableInputError if the page cannot be written.
    """
    page = _page(bundle, judgements, progress)
    progress('the page')
    return _write(page, folder)


def write_surveys(estate: Estate, name: str, folder: Path) -> Path:
    """Write the page of `rehearse --auto` into the folder, like `write`. `name` is the name of the surveyed path."""
    return _write(surveyed.page(estate, name), folder)
