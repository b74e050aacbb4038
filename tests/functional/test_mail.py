"""Mail that a flag awaits a reply, taken by a real SMTP server on this machine."""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
import socket
import ssl
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dashboard import mail
from dashboard.mail import Post, post_named, send_waiting
from data.arrangements import make
from data.database import ACCOUNTS, Database
from data.errors import BadOption, StoreError
from data.replies import Raised, bring_up_to_date
from data.scope import OPERATOR, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TODAY = dt.date(2026, 11, 24)
HOST, SENDER, ADDRESS = "127.0.0.1", "fairtier@example.org", "https://fairtier.example.org/"
USER, PASSWORD = "fair:tier", "a secret / of @ many signs"


class Inbox:
    """Keeps what was delivered; `refused` addresses are not taken, and none when it `closes`."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, Any]] = []
        self.refused: set[str] = set()
        self.closes = False

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.closes:
            return "421 Service not available"
        if address in self.refused:
            return "550 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.delivered.extend((address, message) for address in envelope.rcpt_tos)
        return "250 Delivered"


@pytest.fixture
def taken() -> Inbox:
    return Inbox()


@pytest.fixture
def server(taken: Inbox) -> Iterator[Controller]:
    controller = Controller(taken, hostname=HOST, port=0)
    started(controller)
    yield controller
    controller.stop()


def started(controller: Controller) -> None:
    """Start it on a port of the system's choice."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        controller.port = free.getsockname()[1]
    controller.start()


def post(
    controller: Controller, *, encrypted: bool = False, user: str = "", password: str = ""
) -> Post:
    return Post(HOST, controller.port, encrypted, SENDER, user, password)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A case is open about the prime P, with two people, and the subcontractor S, with one."""
    opened = Database(tmp_path / "store")
    now = dt.datetime.now(dt.UTC)
    people = (("p1@example.org", "P"), ("p2@example.org", "P"), ("s@example.org", "S"))
    with opened.writing() as connection:
        for email, organisation_id in people:
            connection.execute(
                ACCOUNTS.insert().values(
                    account_id=email,
                    email=email,
                    name="A Person",
                    organisation_id=organisation_id,
                    role="member",
                    created_at=now,
                    password_hash="$argon2id$",
                )
            )
    put(opened)
    yield opened
    opened.close()


def put(database: Database, flag: str = "management_fee") -> None:
    answer = {
        "sentence": "Sample Prime Ltd kept 22 % of what was paid for Exampleton Trust.",
        "names": {"P": "Sample Prime Ltd", "S": "Exampleton Trust"},
    }
    raised = [Raised(one, "CONTRACT-1", "P", "S", True, answer) for one in {"management_fee", flag}]
    bring_up_to_date(database, raised, {}, today=TODAY, reply_days=5)


def addresses(taken: Inbox) -> list[str]:
    return sorted(address for address, _ in taken.delivered)


def test_a_mail_says_by_when_and_where_and_nothing_else(
    database: Database, server: Controller, taken: Inbox
) -> None:
    assert send_waiting(database, post(server), ADDRESS, TODAY) == 3
    assert addresses(taken) == ["p1@example.org", "p2@example.org", "s@example.org"]
    for address, message in taken.delivered:
        assert message["To"] == address
        assert message["From"] == SENDER
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Subject"] == (
            "Fairtier: a flag awaits your reply by Tuesday 1 December 2026"
        )
        assert message.get_content().replace("\r\n", "\n") == (
            "A flag about one of your contracts awaits your reply by Tuesday 1 December 2026.\n\n"
            "Sign in to see it and reply: https://fairtier.example.org/\n"
        )
        for secret in ("CONTRACT-1", "22 %", "Sample Prime", "Exampleton", "management"):
            assert secret not in message.as_string()


def test_each_is_sent_once(database: Database, server: Controller, taken: Inbox) -> None:
    for sent in (3, 0):
        assert send_waiting(database, post(server), ADDRESS, TODAY) == sent
    put(database, "zero_referrals")
    assert send_waiting(database, post(server), ADDRESS, TODAY) == 3
    assert len(taken.delivered) == 6


def test_a_refused_address_keeps_nobody_else_from_their_mail_and_is_tried_again(
    database: Database, server: Controller, taken: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    taken.refused = {"p1@example.org"}
    with caplog.at_level(logging.WARNING):
        assert send_waiting(database, post(server), ADDRESS, TODAY) == 2
    assert "One mail was refused (SMTPRecipientsRefused)" in caplog.text
    assert "example.org" not in caplog.text
    taken.refused = set()
    assert send_waiting(database, post(server), ADDRESS, TODAY) == 1
    assert addresses(taken) == ["p1@example.org", "p2@example.org", "s@example.org"]


def test_a_server_that_is_down_loses_no_mail(
    database: Database, taken: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    down = Controller(taken, hostname=HOST, port=0)
    started(down)
    down.stop()
    with caplog.at_level(logging.WARNING):
        assert send_waiting(database, post(down), ADDRESS, TODAY) == 0
    assert "3 kept for the next run" in caplog.text
    up = Controller(taken, hostname=HOST, port=0)
    started(up)
    assert send_waiting(database, post(up), ADDRESS, TODAY) == 3
    up.stop()


def test_a_server_that_closes_halfway_loses_no_mail(
    database: Database, server: Controller, taken: Inbox
) -> None:
    taken.closes = True
    assert send_waiting(database, post(server), ADDRESS, TODAY) == 0
    taken.closes = False
    assert send_waiting(database, post(server), ADDRESS, TODAY) == 3
    assert len(taken.delivered) == 3


def test_a_subcontractor_asked_first_is_asked_for_its_consent(
    tmp_path: Path, database: Database, server: Controller, taken: Inbox
) -> None:
    send_waiting(database, post(server), ADDRESS, TODAY)
    taken.delivered.clear()
    make(database, OPERATOR, Reach(OPERATOR), "ask_first", "S", actor="operator")
    put(database, "zero_referrals")
    assert send_waiting(database, post(server), ADDRESS, TODAY) == 1
    ((address, message),) = taken.delivered
    assert address == "s@example.org"
    assert message["Subject"] == "Fairtier: a flag waits for your consent"
    assert "CONTRACT-1" not in message.as_string()


# The way to the server


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate of this machine, which this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address(HOST))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    place, key_place = tmp_path / "cert.pem", tmp_path / "key.pem"
    place.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_place.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(place))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(place, key_place)
    return context


def knows(
    _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword
) -> AuthResult:
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right)


def test_the_way_is_encrypted_as_soon_as_the_server_offers_it_and_the_password_goes_through(
    database: Database, taken: Inbox, certificate: ssl.SSLContext
) -> None:
    controller = Controller(
        taken,
        hostname=HOST,
        port=0,
        tls_context=certificate,
        require_starttls=True,
        authenticator=knows,
        auth_required=True,
    )
    started(controller)
    try:
        sent = send_waiting(
            database, post(controller, user=USER, password=PASSWORD), ADDRESS, TODAY
        )
        assert sent == 3
    finally:
        controller.stop()


def test_smtps_is_encrypted_from_the_start_and_a_foreign_certificate_is_refused(
    database: Database,
    taken: Inbox,
    certificate: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    controller = Controller(taken, hostname=HOST, port=0, ssl_context=certificate)
    started(controller)
    try:
        with monkeypatch.context() as patched:
            patched.delenv("SSL_CERT_FILE")
            assert send_waiting(database, post(controller, encrypted=True), ADDRESS, TODAY) == 0
        assert send_waiting(database, post(controller, encrypted=True), ADDRESS, TODAY) == 3
    finally:
        controller.stop()


def test_a_password_is_never_sent_in_clear(
    database: Database, taken: Inbox, server: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "_on_this_machine", lambda _host: False)
    with pytest.raises(StoreError, match="offers no encryption"):
        send_waiting(database, post(server, user=USER, password=PASSWORD), ADDRESS, TODAY)
    assert taken.delivered == []


@pytest.mark.parametrize(
    ("host", "mine"),
    [("127.0.0.1", True), ("localhost", True), ("192.0.2.1", False), ("mail.example.org", False)],
)
def test_only_this_machine_needs_no_encryption(host: str, mine: bool) -> None:
    assert mail._on_this_machine(host) is mine


def test_the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAIRTIER_SMTP", raising=False)
    assert post_named() is None
    monkeypatch.setenv("FAIRTIER_MAIL_FROM", SENDER)
    monkeypatch.setenv("FAIRTIER_SMTP", "smtp://fair%3Atier:a%20secret@mail.example.org")
    found = post_named()
    assert found == Post("mail.example.org", 587, False, SENDER, USER, "a secret")
    assert "a secret" not in repr(found)
    monkeypatch.setenv("FAIRTIER_SMTP", "smtps://mail.example.org:4650")
    assert post_named() == Post("mail.example.org", 4650, True, SENDER)


@pytest.mark.parametrize(
    "named", ["mail.example.org", "http://x:secret@y", "smtp://", "smtp://h:99999", "smtp://[::1"]
)
def test_an_address_that_is_none_is_told_without_its_password(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRTIER_SMTP", named)
    monkeypatch.setenv("FAIRTIER_MAIL_FROM", SENDER)
    with pytest.raises(BadOption, match="FAIRTIER_SMTP is not") as told:
        post_named()
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("sender", ["", "fairtier", "a@b\nBcc: c@d"])
def test_a_sender_is_needed(sender: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRTIER_SMTP", "smtp://mail.example.org")
    monkeypatch.setenv("FAIRTIER_MAIL_FROM", sender)
    with pytest.raises(BadOption, match="FAIRTIER_MAIL_FROM must be"):
        post_named()
