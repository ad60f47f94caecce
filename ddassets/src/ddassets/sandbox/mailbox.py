"""The mailbox: every message that a monitor or a downtime sent, as a row of the store and as an `.eml` file.

Nothing leaves the machine. A webhook is called only on loopback, and only if the user named one.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from ddassets.sandbox.store import Change, Store
from ddassets.sandbox.webhook import Webhook

_SENDER = 'Datadog sandbox <sandbox@localhost>'
# What a header of an e-mail takes as the name of a recipient.
_ADDRESS = re.compile(r'[\w.+-]{1,64}@[\w.-]{1,255}', re.ASCII)

# Messages that are read at a time.
_AT_ONCE = 200


@dataclass(frozen=True)
class Mail:
    """A message. `monitor` is 0 for a downtime's own; `muted_by` is empty if it was sent.

    `kind` and `reason` are those of a notification; `group` is `*` for a simple alert. `webhook` has the variables of a
    webhook's payload.
    """

    instant: int
    title: str
    text: str
    recipients: tuple[str, ...]
    monitor: int = 0
    name: str = ''
    group: str = ''
    kind: str = ''
    reason: str = ''
    source: str = ''
    target: str = ''
    value: float | None = None
    muted_by: tuple[str, ...] = ()
    webhook: dict[str, str | None] | None = None
    id: int = 0


class Mailbox:
    """`folder` has a file for each sent message; None: no files."""

    def __init__(self, store: Store, folder: Path | None = None, webhook: Webhook | None = None) -> None:
        self._store = store
        self._folder = folder
        self._webhook = webhook
        # The number of the last message whose file is written.
        self._filed = 0
        self.problem = ''

    def add(self, change: Change, mail: Mail) -> None:
        """Store a message with the change that causes it; `deliver` does the rest after the commit."""
        number = change.next_number()
        change.connection.execute(
            'INSERT INTO mails VALUES (?, ?, ?, ?, 0)',
            (number, mail.instant, mail.monitor, json.dumps({**asdict(mail), 'id': number})),
        )

    def mails(self, monitor: int | None = None, newest: int = 10_000) -> list[Mail]:
        """Return the newest messages in order of time."""
        where, parameters = ('', ()) if monitor is None else (' WHERE monitor = ?', (monitor,))
        rows = self._store.rows(
            f'SELECT body FROM mails{where} ORDER BY instant DESC, id DESC LIMIT ?', (*parameters, newest)
        )
        return [_mail(body) for (body,) in reversed(rows)]

    def mail(self, id: int) -> Mail | None:
        rows = self._store.rows('SELECT body FROM mails WHERE id = ?', (id,))
        return _mail(rows[0][0]) if rows else None

    def deliver(self) -> None:
        """Write the files of new messages, then call the webhook. What fails is tried again with the next ones."""
        try:
            while mails := self._waiting(after=self._filed):
                for mail in mails:
                    self._file(mail)
                    self._filed = mail.id
            while mails := self._waiting():
                self._call(mails)
        except OSError as error:
            self.problem = f'a message was not delivered, and will be tried again: {error}'
        else:
            self.problem = ''

    def _waiting(self, after: int = 0) -> list[Mail]:
        """Return the first messages that wait, not all: there may be many while nothing answers."""
        rows = self._store.rows(
            'SELECT body FROM mails WHERE delivered = 0 AND id > ? ORDER BY id LIMIT ?', (after, _AT_ONCE)
        )
        return [_mail(body) for (body,) in rows]

    def _file(self, mail: Mail) -> None:
        if self._folder is not None and not mail.muted_by:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._folder / f'{datetime.fromtimestamp(mail.instant, UTC):%Y%m%dT%H%M%SZ}-{mail.id:06}.eml'
            path.write_bytes(eml(mail))

    def _call(self, mails: Sequence[Mail]) -> None:
        """Call the webhook for each message. Raises OSError, and notes those before."""
        done = []
        try:
            for mail in mails:
                if self._webhook and mail.webhook and not mail.muted_by:
                    self._webhook.call({'title': mail.title, 'text': mail.text, 'variables': mail.webhook})
                done.append((mail.id,))
        finally:
            if done:
                self._store.write(
                    lambda change: change.connection.executemany('UPDATE mails SET delivered = 1 WHERE id = ?', done)
                )


def eml(mail: Mail) -> bytes:
    """Return a message as an e-mail. A handle that is no address is the recipient's name in `X-Datadog-Recipient`."""
    message = EmailMessage()
    message['From'] = _SENDER
    addresses = [one for handle in mail.recipients if _ADDRESS.fullmatch(one := handle.removeprefix('@'))]
    message['To'] = ', '.join(addresses) or 'undisclosed-recipients:;'
    for handle in mail.recipients:
        if handle.removeprefix('@') not in addresses:
            message['X-Datadog-Recipient'] = _one_line(handle)
    message['Subject'] = _one_line(mail.title)
    message['Date'] = datetime.fromtimestamp(mail.instant, UTC)
    message['Message-ID'] = f'<{mail.id}@sandbox.localhost>'
    if mail.monitor:
        message['X-Datadog-Monitor'] = str(mail.monitor)
        message['X-Datadog-Group'] = _one_line(mail.group)
    # Half a character, which JSON may contain, has no bytes.
    message.set_content(mail.text.encode('utf-8', 'replace').decode())
    return message.as_bytes()


def _one_line(text: str) -> str:
    return ' '.join(''.join(one if one.isprintable() else ' ' for one in text).split())


def _mail(body: str) -> Mail:
    found: dict[str, Any] = json.loads(body)
    return Mail(**{**found, 'recipients': tuple(found['recipients']), 'muted_by': tuple(found['muted_by'])})
