"""Find the monitors that a composite names: by id, name, file or address (rule 13.1)."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ddassets.assets.monitor import Monitor
from ddassets.assets.monitor_type import COMPOSITE
from ddassets.diagnostic import Excerpt, UnusableInputError
from ddassets.language.composite import Member
from ddassets.nearest import did_you_mean, listed


def find_member(composite: Monitor, member: Member, monitors: Sequence[Monitor]) -> Monitor:
    """Return the monitor that a composite's query names.

    Raises UnusableInputError for one that is not there, that is named by several, or that is a composite itself.
    """
    found = named(member, monitors)
    if not found:
        raise _fault(composite, member, f'no monitor {member.text!r}{_hint(member, monitors)}')
    if len(found) > 1:
        places = ', '.join(sorted({one.address or str(one.path) for one in found}))
        raise _fault(composite, member, f'several monitors are named {member.text!r}: {places}; write an id or a file')
    if found[0].type in COMPOSITE:
        raise _fault(composite, member, f'{member.text!r} is a composite, which cannot be a member (rule 13.3)')
    return found[0]


def named(member: Member, monitors: Sequence[Monitor]) -> list[Monitor]:
    """Return the monitors that a member may mean. A name comes before a file or an address that is spelled alike."""
    counts = Counter(one.path for one in monitors)
    found = [one for one in monitors if _named(one, member, alone=counts[one.path] == 1)]
    return [one for one in found if one.name == member.text] or found


def _named(monitor: Monitor, member: Member, alone: bool) -> bool:
    """Whether a composite names the monitor: by its id, name, the file that holds it alone, or its address."""
    if member.id is not None:
        return monitor.fields.id == member.id
    names = [monitor.name, monitor.address]
    return member.text.removesuffix('.id') in (names + [monitor.path.stem, monitor.path.name] if alone else names)


def _hint(member: Member, monitors: Iterable[Monitor]) -> str:
    if member.id is not None:
        ids = [str(one.fields.id) for one in monitors if one.fields.id is not None]
        return (
            f' (an id); ids here: {listed(ids)}; give its monitor, or its states with `monitor: {member.text!r}` and '
            '`states` under `series`'
        )
    names = {one.name for one in monitors if one.type not in COMPOSITE}
    return f'{did_you_mean(member.text, names)}; there are: {listed(names)}'


def _fault(composite: Monitor, member: Member, message: str) -> UnusableInputError:
    caret = Excerpt(composite.query, member.span.start, member.span.end).caret()
    return UnusableInputError(f'query: column {member.span.start + 1}: {message}', '\n'.join(caret))
