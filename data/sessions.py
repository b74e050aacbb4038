"""Sessions: a browser that is signed in, until it signs out, falls idle or is sent out.

The cookie holds a random token that says nothing; what is stored is its hash. Whether a session
holds is asked of the database at every action, so an end takes effect at once and everywhere.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data import audit
from data.accounts import DEVICE_KNOWN_FOR, Account, account_of
from data.database import ACCOUNTS, DEVICES, SESSIONS
from data.errors import NotOnRecord, SignInRefused
from data.passwords import new_token, token_hash

if TYPE_CHECKING:
    from data.database import Database

IDLE_AFTER = dt.timedelta(hours=1)
ENDS_AFTER = dt.timedelta(hours=12)
_SEEN_EVERY = dt.timedelta(minutes=1)
_KEPT_FOR = dt.timedelta(days=90)


@dataclass(frozen=True)
class Session:
    """One browser's session; `address` and `browser` are as they were at its beginning."""

    session_id: str
    account: Account
    address: str
    browser: str
    created_at: dt.datetime
    seen_at: dt.datetime
    ends_at: dt.datetime
    ended_at: dt.datetime | None


def begin(
    database: Database,
    account: Account,
    *,
    address: str,
    browser: str,
    now: dt.datetime | None = None,
) -> tuple[Session, str]:
    """A new session and the token for its cookie.

    SignInRefused if the account was disabled, or its sign-in reset, since it was looked at.
    """
    now = now or _now()
    token = new_token()
    session_id = uuid.uuid4().hex
    with database.writing() as connection:
        query = sa.select(ACCOUNTS).where(ACCOUNTS.c.account_id == account.account_id)
        current = account_of(connection.execute(query.with_for_update(key_share=True)).one())
        if current.disabled_at or current.signs_in_by != account.signs_in_by:
            raise SignInRefused("This account was changed a moment ago. Sign in again.")
        connection.execute(SESSIONS.delete().where(SESSIONS.c.ends_at < now - _KEPT_FOR))
        connection.execute(
            SESSIONS.insert().values(
                session_id=session_id,
                token_hash=token_hash(token),
                account_id=account.account_id,
                address=_printable(address),
                browser=_printable(browser),
                created_at=now,
                seen_at=now,
                ends_at=now + ENDS_AFTER,
            )
        )
        audit.note(
            connection,
            "sign_in.succeeded",
            actor=current.email,
            organisation_id=current.organisation_id,
            subject=current.email,
            details={"session_id": session_id, "address": _printable(address)},
        )
        query = _sessions().where(SESSIONS.c.session_id == session_id)
        return _session(connection.execute(query).one()), token


def found(database: Database, token: str, *, now: dt.datetime | None = None) -> Session | None:
    """The session of a cookie, or None when it does not hold: one small question per click.

    It does not hold when it is unknown, was ended, is past its end or idle too long, or when its
    account is disabled.
    """
    now = now or _now()
    with database.reading() as connection:
        row = connection.execute(
            _holding(now).where(SESSIONS.c.token_hash == token_hash(token))
        ).one_or_none()
    if row is None:
        return None
    if now - row.seen_at >= _SEEN_EVERY:
        with database.writing() as connection:
            connection.execute(
                SESSIONS.update().where(SESSIONS.c.session_id == row.session_id).values(seen_at=now)
            )
    return _session(row)


def end(
    database: Database,
    session_id: str,
    *,
    actor: str,
    actor_organisation_id: str | None,
    account_id: str | None = None,
    now: dt.datetime | None = None,
) -> None:
    """End a session; ending it twice changes nothing.

    With `account_id` only a session of that account: NotOnRecord for any other.
    """
    with database.writing() as connection:
        query = _sessions().where(SESSIONS.c.session_id == session_id)
        row = connection.execute(query).one_or_none()
        if row is None or account_id not in (None, row.account_id):
            raise NotOnRecord("There is no such session. Load the list of sessions anew.")
        if _ended(connection, SESSIONS.c.session_id == session_id, now or _now()):
            audit.note(
                connection,
                "sign_in.ended",
                actor=actor,
                organisation_id=actor_organisation_id,
                subject=row.email,
                details={"session_id": session_id},
            )


def end_all(
    database: Database,
    account_id: str,
    *,
    actor: str,
    actor_organisation_id: str | None,
    except_session_id: str | None = None,
    now: dt.datetime | None = None,
) -> int:
    """End all sessions of an account, but for one if it is named; how many that were."""
    now = now or _now()
    with database.writing() as connection:
        ended_count = _ended(
            connection,
            (SESSIONS.c.account_id == account_id)
            & (SESSIONS.c.ends_at > now)
            & (SESSIONS.c.session_id != (except_session_id or "")),
            now,
        )
        if ended_count:
            email = sa.select(ACCOUNTS.c.email).where(ACCOUNTS.c.account_id == account_id)
            audit.note(
                connection,
                "sign_in.ended",
                actor=actor,
                organisation_id=actor_organisation_id,
                subject=connection.execute(email).scalar_one(),
                details={"sessions_ended_count": ended_count},
            )
    return ended_count


def sessions_of(
    database: Database, account_id: str, *, now: dt.datetime | None = None
) -> tuple[Session, ...]:
    """The sessions of an account that hold, the newest first."""
    query = _holding(now or _now()).where(SESSIONS.c.account_id == account_id)
    with database.reading() as connection:
        found = connection.execute(query.order_by(SESSIONS.c.created_at.desc()))
        return tuple(_session(row) for row in found)


def begin_device(database: Database, account: Account, *, now: dt.datetime | None = None) -> str:
    """The token of a cookie that makes a browser known to the account for a year.

    It lets nobody in: it only keeps others' failed attempts from delaying this browser's.
    """
    now = now or _now()
    token = new_token()
    with database.writing() as connection:
        connection.execute(DEVICES.delete().where(DEVICES.c.created_at <= now - DEVICE_KNOWN_FOR))
        connection.execute(
            DEVICES.insert().values(
                token_hash=token_hash(token), account_id=account.account_id, created_at=now
            )
        )
    return token


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:200]


def _sessions() -> sa.Select[Any]:
    columns = [column for column in SESSIONS.c if column.name not in ("account_id", "created_at")]
    begun_at = SESSIONS.c.created_at.label("begun_at")
    return sa.select(ACCOUNTS, begun_at, *columns).select_from(SESSIONS.join(ACCOUNTS))


def _holding(now: dt.datetime) -> sa.Select[Any]:
    return _sessions().where(
        SESSIONS.c.ended_at.is_(None),
        SESSIONS.c.ends_at > now,
        SESSIONS.c.seen_at > now - IDLE_AFTER,
        ACCOUNTS.c.disabled_at.is_(None),
    )


def _session(row: Any) -> Session:
    return Session(
        session_id=row.session_id,
        account=account_of(row),
        address=row.address,
        browser=row.browser,
        created_at=row.begun_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
    )


def _ended(connection: sa.Connection, which: sa.ColumnElement[bool], now: dt.datetime) -> int:
    open_ones = SESSIONS.update().where(which, SESSIONS.c.ended_at.is_(None))
    return connection.execute(open_ones.values(ended_at=now)).rowcount
