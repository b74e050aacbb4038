"""Mail that a flag awaits somebody's word: never which flag, about whom, or with what figures.

`FAIRTIER_SMTP` names the server: `smtp://user:password@host:587`, which is encrypted as soon as
the server offers it (STARTTLS), or `smtps://` where it is from the start. `FAIRTIER_MAIL_FROM` is
the sender. Without `FAIRTIER_SMTP` no mail is sent, and the inbox on the page is all there is.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
import os
import smtplib
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from data.errors import BadOption, StoreError
from data.replies import claim_letter, give_back_letter, letters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.database import Database
    from data.replies import Letter

_LOG = logging.getLogger("fairtier.mail")
_PATIENCE_SECONDS = 20
_PORTS = {"smtp": 587, "smtps": 465}
_REFUSALS = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPResponseException,
    smtplib.SMTPNotSupportedError,
    ValueError,
)
_HOW = "Write it like smtp://USER:PASSWORD@mail.example.org:587."


@dataclass(frozen=True)
class Post:
    """The server that takes mail, and the address it comes from."""

    host: str
    port: int
    encrypted: bool
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


def post_named() -> Post | None:
    """The server in the environment; None without one, BadOption if it cannot be understood."""
    named = os.environ.get("FAIRTIER_SMTP", "")
    if not named:
        return None
    sender = os.environ.get("FAIRTIER_MAIL_FROM", "")
    try:
        parts = urlsplit(named)
        port = parts.port or _PORTS[parts.scheme]
        host = parts.hostname or ""
    except (KeyError, ValueError):
        host, port = "", 0
    if not host:
        raise BadOption(f"FAIRTIER_SMTP is not the address of a mail server. {_HOW}")
    try:
        Address(addr_spec=sender)
    except (ValueError, IndexError):
        sender = ""
    if not sender:
        raise BadOption(
            "FAIRTIER_MAIL_FROM must be the e-mail address that mail is sent from, such as "
            "fairtier@example.org."
        )
    return Post(
        host,
        port,
        parts.scheme == "smtps",
        sender,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def send_waiting(
    database: Database, post: Post, sign_in_at: str, today: dt.date | None = None
) -> int:
    """Send what is to be sent, each once; how many went out. What fails is left to the next run.

    `sign_in_at` is the address of this server. Failures are logged without addresses. StoreError
    if the password could only be sent in clear.
    """
    waiting = letters(database, today or dt.date.today())
    sent = 0
    if not waiting:
        return sent
    try:
        with _connected(post) as server:
            for letter in waiting:
                if claim_letter(database, letter):
                    sent += _sent(database, server, post, letter, sign_in_at)
    except OSError as error:  # all that smtplib raises is one
        _LOG.warning(
            "Mail could not be sent (%s); %d kept for the next run.",
            type(error).__name__,
            len(waiting) - sent,
        )
    return sent


def _sent(
    database: Database, server: smtplib.SMTP, post: Post, letter: Letter, sign_in_at: str
) -> bool:
    try:
        server.send_message(_written(letter, post, sign_in_at))
    except _REFUSALS as error:
        give_back_letter(database, letter)
        _LOG.warning("One mail was refused (%s); kept for the next run.", type(error).__name__)
        return False
    except BaseException:
        give_back_letter(database, letter)
        raise
    return True


def _written(letter: Letter, post: Post, sign_in_at: str) -> EmailMessage:
    if letter.due_on is None:
        subject = "Fairtier: a flag waits for your consent"
        body = (
            "A flag was raised from your data. You asked to be asked before such a flag is shown "
            f"to the prime.\n\nSign in to see it and decide: {sign_in_at}\n"
        )
    else:
        day = f"{letter.due_on:%A} {letter.due_on.day} {letter.due_on:%B %Y}"
        subject = f"Fairtier: a flag awaits your reply by {day}"
        body = (
            "A flag about one of your contracts awaits your reply by "
            f"{day}.\n\nSign in to see it and reply: {sign_in_at}\n"
        )
    message = EmailMessage()
    message["From"] = post.sender
    message["To"] = letter.email
    message["Subject"] = subject
    message["Date"] = format_datetime(dt.datetime.now(dt.UTC))
    message["Message-ID"] = make_msgid(domain=post.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


@contextmanager
def _connected(post: Post) -> Iterator[smtplib.SMTP]:
    """A session with the server, encrypted wherever it can be; a password never goes in clear."""
    context = ssl.create_default_context()
    if post.encrypted:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            post.host, post.port, timeout=_PATIENCE_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(post.host, post.port, timeout=_PATIENCE_SECONDS)
    with server:
        server.ehlo()
        secure = post.encrypted
        if not secure and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
            secure = True
        if post.user:
            if not secure and not _on_this_machine(post.host):
                raise StoreError(
                    "The mail server in FAIRTIER_SMTP offers no encryption, so the password was "
                    "not sent to it. Name one that does, or use smtps://."
                )
            server.login(post.user, post.password)
        yield server


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
