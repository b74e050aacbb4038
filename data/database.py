"""The database of people and proceedings: accounts, arrangements, replies, audit.

SQLite in the store unless `FAIRTIER_DATABASE` names another, such as
`postgresql+psycopg://fairtier@/fairtier`. The figures themselves stay in the ledger.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from data.errors import StoreError
from data.settings import DATABASE_FILE, database_named

if TYPE_CHECKING:
    from collections.abc import Iterator

_READING = {"reading_only": True}
_KINDS = ("postgresql+psycopg", "sqlite")
_PATIENCE_SECONDS = 10  # with a server that takes a connection and says nothing


class Moment(sa.TypeDecorator[dt.datetime]):
    """A moment in UTC, whatever the database keeps of time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        """The moment as it is stored."""
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> dt.datetime | None:  # noqa: ARG002
        """The moment as it was given."""
        if value is None:
            return None
        moment: dt.datetime = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return moment.astimezone(dt.UTC)


SCHEMA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _account() -> sa.ForeignKey:
    return sa.ForeignKey("accounts.account_id")


ACCOUNTS = sa.Table(
    "accounts",
    SCHEMA,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Text, nullable=False, index=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("issuer", sa.Text),
    sa.Column("subject", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("disabled_at", Moment),
    sa.UniqueConstraint("issuer", "subject", name="uq_accounts_issuer_subject"),
)
INVITATIONS = sa.Table(
    "invitations",
    SCHEMA,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("account_id", _account(), nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
)
SESSIONS = sa.Table(
    "sessions",
    SCHEMA,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("account_id", _account(), nullable=False, index=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("browser", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
)
DEVICES = sa.Table(
    "devices",
    SCHEMA,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("account_id", _account(), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
)
ATTEMPTS = sa.Table(
    "attempts",
    SCHEMA,
    sa.Column("who", sa.Text, primary_key=True),
    sa.Column("failure_count", sa.Integer, nullable=False),
    sa.Column("refused_count", sa.Integer, nullable=False),
    sa.Column("last_failed_at", Moment, nullable=False),
)
SIGN_INS = sa.Table(
    "sign_ins",
    SCHEMA,
    sa.Column("state_hash", sa.Text, primary_key=True),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("invitation_hash", sa.Text),
    sa.Column("ends_at", Moment, nullable=False),
)
API_TOKENS = sa.Table(
    "api_tokens",
    SCHEMA,
    sa.Column("token_id", sa.Text, primary_key=True),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("organisation_id", sa.Text, nullable=False, index=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("permissions", sa.JSON, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("used_at", Moment),
)
ARRANGEMENTS = sa.Table(
    "arrangements",
    SCHEMA,
    sa.Column("arrangement_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("ended_by", sa.Text),
    sa.Column("ended_at", Moment),
    sa.Index("ix_arrangements_kind_subject", "kind", "subject_id"),
)
CASES = sa.Table(
    "cases",
    SCHEMA,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("flag", sa.Text, nullable=False),
    sa.Column("contract_id", sa.Text, nullable=False, index=True),
    sa.Column("prime_id", sa.Text),
    sa.Column("subcontractor_id", sa.Text),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
)
STEPS = sa.Table(
    "steps",
    SCHEMA,
    sa.Column("step_id", sa.Text, primary_key=True),
    sa.Column("case_id", sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("due_on", sa.Date),
    sa.UniqueConstraint("case_id", "number", name="uq_steps_case_number"),
)
NOTICES = sa.Table(
    "notices",
    SCHEMA,
    sa.Column("notice_id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False, index=True),
    sa.Column("case_id", sa.ForeignKey("cases.case_id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("read_at", Moment),
)
MAILINGS = sa.Table(
    "mailings",
    SCHEMA,
    sa.Column("notice_id", sa.ForeignKey("notices.notice_id"), primary_key=True),
    sa.Column("account_id", _account(), primary_key=True),
    sa.Column("mailed_at", Moment, nullable=False),
)
RELEASES = sa.Table(
    "releases",
    SCHEMA,
    sa.Column("release_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)
AUDIT = sa.Table(
    "audit",
    SCHEMA,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Text, index=True),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("entry_hash", sa.Text, nullable=False),
)
AUDIT_END = sa.Table(
    "audit_end",
    SCHEMA,
    sa.Column("audit_end_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("entry_hash", sa.Text, nullable=False),
)


def database_url(store: Path) -> sa.URL:
    """Where the database of a store is: `FAIRTIER_DATABASE`, else SQLite beside the ledger."""
    named = database_named()
    if not named:
        return sa.URL.create("sqlite", database=str(store / DATABASE_FILE))
    try:
        url = sa.make_url(named)
        if url.drivername in _KINDS:
            return url
    except (ArgumentError, ValueError):
        pass
    raise StoreError(
        "FAIRTIER_DATABASE is not an address of a database. Write it like "
        "postgresql+psycopg://USER:PASSWORD@HOST/NAME, or leave it unset to use SQLite."
    )


class Database:
    """The database of one store, brought up to date when it is opened. Safe in threads."""

    def __init__(self, store: Path, url: sa.URL | None = None):
        self.store = store
        self.url = url or database_url(store)
        with self._errors():
            self.engine = self._connected()
            try:
                self._upgrade()
            except BaseException:
                self.close()
                raise

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file in the store."""
        return self.url.get_backend_name() == "sqlite"

    def _connected(self) -> sa.Engine:
        if not self.is_sqlite:
            patient = self.url.query.get("connect_timeout", str(_PATIENCE_SECONDS))
            url = self.url.update_query_dict({"connect_timeout": patient})
            return sa.create_engine(url, pool_pre_ping=True)
        if self.url.database:
            self.store.mkdir(parents=True, exist_ok=True)
            # Nobody else on the machine need read who may sign in. Only a new file is opened
            # here: to close one that is in use would undo the locks that SQLite holds on it.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.url.database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        engine = sa.create_engine(self.url, connect_args={"timeout": 30})
        sa.event.listen(engine, "connect", _set_up_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _upgrade(self) -> None:
        from data.migrations.upgrade import upgrade  # noqa: PLC0415 - Alembic takes a while to load

        upgrade(self.engine)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in a transaction: all of it happens, or nothing."""
        with self._errors(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read from."""
        with self._errors(), self.engine.connect() as connection:
            yield connection.execution_options(**_READING)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, DBAPIError, NoSuchModuleError) as error:
            if isinstance(error, sa.exc.IntegrityError):
                raise
            what = self.url.render_as_string(hide_password=True)
            reason = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
            told = str(reason).strip().splitlines()[0].rstrip(".")
            raise StoreError(
                f'The database "{what}" cannot be used: {told}. {self._remedy(told)}'
            ) from error

    def _remedy(self, reason: str) -> str:
        if not self.is_sqlite:
            return "Check that it is running and that FAIRTIER_DATABASE names the right one."
        if "locked" in reason:
            return "Another program holds it: try again when that has ended."
        if "not a database" in reason or "malformed" in reason:
            return "The file is damaged: restore a back-up into an empty folder."
        folder = Path(self.url.database or "").parent
        return (
            f'It is a file: see that you may write to the folder "{folder}" and to what is in it, '
            "and that its disk has room, or name another folder with --store."
        )


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    # Who will write takes the lock at once: a lock taken halfway cannot be waited for.
    reading = connection.get_execution_options().get("reading_only")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
