"""Accounts: who may sign in, for which organisation, and how.

Nobody makes an account for themselves: the network or the operator invites a person, who sets up a
sign-in with a link that works once. What an account may see follows from its role and organisation
alone (`data.scope`).
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import sqlalchemy as sa

from data import attempts, audit
from data.database import ACCOUNTS, DEVICES, INVITATIONS, SESSIONS
from data.errors import BadOption, NotOnRecord, SignInRefused
from data.ledger import Ledger
from data.passwords import hashed, is_outdated, matches, new_token, require_fit, token_hash, turn

if TYPE_CHECKING:
    from data.database import Database

AccountRole = Literal["network", "member"]
Way = Literal["password", "provider"]

INVITED_FOR = dt.timedelta(days=7)
DEVICE_KNOWN_FOR = dt.timedelta(days=365)

_DEAD_LINK = (
    "This link does not hold any more: it was used or replaced, or is over "
    f"{INVITED_FOR.days} days old. Ask whoever sent it to you for a new one."
)
_WRONG = (
    "The e-mail address or the password is not right. Check both, or ask your network for a new "
    "link to set up your sign-in."
)
_WRONG_PROVIDER = (
    "No account here is bound to that sign-in. Open the link of your invitation first, or ask your "
    "network for one."
)


@dataclass(frozen=True)
class Account:
    """One person's account.

    `joined` is false until a sign-in is set up; `signs_in_by` says which kind it then is.
    """

    account_id: str
    email: str
    name: str
    organisation_id: str
    role: AccountRole
    joined: bool
    signs_in_by: Way | None
    created_at: dt.datetime
    disabled_at: dt.datetime | None


def normal_email(email: str) -> str:
    """An e-mail address as it is stored and compared: trimmed and case-folded; else BadOption."""
    folded = email.strip().casefold()
    local, _, domain = folded.rpartition("@")
    fit = folded.isprintable() and not re.search(r"[\s<>,;:\"()\[\]\\]", folded)
    if not (fit and local and domain and "@" not in local and len(folded) <= 254):
        raise BadOption("This is not an e-mail address. Write it like name@example.org.")
    return folded


def account_of(row: Any) -> Account:
    """The account in a row that holds the columns of ACCOUNTS."""
    way: Way | None = "password" if row.password_hash else "provider" if row.issuer else None
    return Account(
        account_id=row.account_id,
        email=row.email,
        name=row.name,
        organisation_id=row.organisation_id,
        role=cast("AccountRole", row.role),
        joined=way is not None,
        signs_in_by=way,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def accounts(database: Database, organisation_id: str | None = None) -> tuple[Account, ...]:
    """All accounts, or those of one organisation, disabled ones too."""
    query = sa.select(ACCOUNTS).order_by(ACCOUNTS.c.organisation_id, ACCOUNTS.c.email)
    if organisation_id is not None:
        query = query.where(ACCOUNTS.c.organisation_id == organisation_id)
    with database.reading() as connection:
        return tuple(account_of(row) for row in connection.execute(query))


def network_exists(database: Database) -> bool:
    """Whether anyone was invited who may sign in for the network."""
    query = sa.select(
        sa.exists().where(ACCOUNTS.c.role == "network", ACCOUNTS.c.disabled_at.is_(None))
    )
    with database.reading() as connection:
        return bool(connection.execute(query).scalar())


def require_keeper(database: Database, organisation_id: str, role: AccountRole) -> None:
    """BadOption unless the organisation may be the network, where that is the role asked for.

    Once the ledger has registers, whoever recorded them first is the network, and nobody else.
    """
    keepers = Ledger(database.store).keepers() if role == "network" else frozenset()
    if keepers and organisation_id not in keepers:
        raise BadOption(
            f"The network here is {', '.join(sorted(keepers))}, which recorded the registers, and "
            f"it sees all returns. {organisation_id} is not the network: let it see its own alone."
        )


def add(
    database: Database,
    email: str,
    name: str,
    organisation_id: str,
    role: AccountRole,
    *,
    actor: str,
    actor_organisation_id: str | None,
    now: dt.datetime | None = None,
) -> tuple[Account, str]:
    """Invite a person; the account and the token of the link, which works once, for a week.

    An account that was disabled and has no sign-in set up is made anew, as for another
    organisation. BadOption where somebody else than the keeper of the registers would act for the
    network.
    """
    now = now or _now()
    email = normal_email(email)
    organisation_id = _short("organisation", organisation_id.strip())
    row = {
        "email": email,
        "name": _short("name", name.strip() or email),
        "organisation_id": organisation_id,
        "role": role,
        "created_at": now,
    }
    if role not in get_args(AccountRole):
        raise BadOption(f'There is no role "{role}". Choose one of: network, member.')
    require_keeper(database, organisation_id, role)
    try:
        with database.writing() as connection:
            account_id = _never_used(connection, email)
            if account_id is None:
                account_id = uuid.uuid4().hex
                connection.execute(ACCOUNTS.insert().values(account_id=account_id, **row))
            else:
                mistaken = ACCOUNTS.update().where(ACCOUNTS.c.account_id == account_id)
                connection.execute(mistaken.values(disabled_at=None, **row))
            account = _locked(connection, account_id)
            token = _invite(connection, account, "join", now)
            audit.note(
                connection,
                "account.invited",
                actor=actor,
                organisation_id=actor_organisation_id,
                subject=email,
                details={"organisation_id": account.organisation_id, "role": role},
            )
    except sa.exc.IntegrityError as error:
        raise BadOption(
            f"There is an account for {email} already. To let that person set up the sign-in anew, "
            "make a new link for it (`fairtier accounts reset`)."
        ) from error
    return account_of(account), token


def _never_used(connection: sa.Connection, email: str) -> str | None:
    """The disabled account of that address that nobody could sign in with, if there is one."""
    query = sa.select(ACCOUNTS.c.account_id).where(
        ACCOUNTS.c.email == email,
        ACCOUNTS.c.disabled_at.is_not(None),
        ACCOUNTS.c.password_hash.is_(None),
        ACCOUNTS.c.issuer.is_(None),
    )
    found: str | None = connection.execute(query.with_for_update(key_share=True)).scalar()
    return found


def reset(
    database: Database,
    email: str,
    *,
    actor: str,
    actor_organisation_id: str | None,
    now: dt.datetime | None = None,
) -> str:
    """The token of a link to set up the sign-in anew, which works once, for a week.

    At once the earlier password or provider, link, sessions and known browsers count for nothing.
    An account that was disabled is let in again this way.
    """
    now = now or _now()
    with database.writing() as connection:
        account = _locked_by_email(connection, email)
        connection.execute(
            ACCOUNTS.update()
            .where(ACCOUNTS.c.account_id == account.account_id)
            .values(password_hash=None, issuer=None, subject=None, disabled_at=None)
        )
        ended_count = _end_everything(connection, account.account_id, now)
        token = _invite(connection, account, "reset", now)
        audit.note(
            connection,
            "account.reset",
            actor=actor,
            organisation_id=actor_organisation_id,
            subject=account.email,
            details={
                "sessions_ended_count": ended_count,
                "was_disabled": account.disabled_at is not None,
            },
        )
    return token


def disable(
    database: Database,
    email: str,
    *,
    actor: str,
    actor_organisation_id: str | None,
    now: dt.datetime | None = None,
) -> Account:
    """Keep a person out from now on: sessions, known browsers and links end with it.

    Disabling twice changes nothing. `reset` lets the person in again.
    """
    now = now or _now()
    with database.writing() as connection:
        account = _locked_by_email(connection, email)
        if account.disabled_at is None:
            connection.execute(
                ACCOUNTS.update()
                .where(ACCOUNTS.c.account_id == account.account_id)
                .values(disabled_at=now)
            )
            ended_count = _end_everything(connection, account.account_id, now)
            audit.note(
                connection,
                "account.disabled",
                actor=actor,
                organisation_id=actor_organisation_id,
                subject=account.email,
                details={"sessions_ended_count": ended_count},
            )
        return account_of(_locked(connection, account.account_id))


def invited(database: Database, token: str, *, now: dt.datetime | None = None) -> Account:
    """Whose link it is; SignInRefused if it is unknown, used, replaced or over."""
    with database.reading() as connection:
        return account_of(_invitation(connection, token, now or _now()))


def join_with_password(
    database: Database, token: str, password: str, *, now: dt.datetime | None = None
) -> Account:
    """Set up the sign-in of a link's account with a password, and use the link up.

    Slow on purpose: call it in a thread.
    """
    account = invited(database, token, now=now)
    require_fit(password, account.email)
    with turn(known=True):
        made = hashed(password)
    return _join(database, token, "password", {"password_hash": made}, now or _now())


def join_with_provider(
    database: Database, token: str, issuer: str, subject: str, *, now: dt.datetime | None = None
) -> Account:
    """Bind a link's account to a person at an OpenID provider, and use the link up."""
    try:
        values = {"issuer": issuer, "subject": subject}
        return _join(database, token, "provider", values, now or _now())
    except sa.exc.IntegrityError as error:
        raise SignInRefused(
            "That sign-in belongs to another account already. Sign in at the provider as the "
            "person who was invited, or choose a password instead."
        ) from error


def sign_in_with_password(
    database: Database,
    email: str,
    password: str,
    *,
    address: str,
    device_token: str | None = None,
    now: dt.datetime | None = None,
) -> Account:
    """The account, if the password is right; else SignInRefused, the same whatever was wrong.

    Slow on purpose: call it in a thread. `device_token` is the cookie that `begin_device` gave to
    a browser at an earlier sign-in.
    """
    now = now or _now()
    with database.writing() as connection:
        typed, found = _typed(connection, email)
        device = _known_device(connection, found, device_token, now)
        counted = attempts.counters(typed, address, device)
        attempt = attempts.begin(connection, counted, now)
    wait = attempt.wait_seconds
    if wait:
        raise SignInRefused(
            f"Too many attempts failed. Wait {_duration(wait)} and try again, or ask your network "
            "for a new link to set up your sign-in.",
            wait_seconds=wait,
        )
    stored: str | None = found.password_hash if found else None
    try:
        with turn(known=device is not None):
            right = matches(stored, password)
            renewed = hashed(password) if stored and right and is_outdated(stored) else stored
    except SignInRefused:
        with database.writing() as connection:
            attempts.withdraw(connection, attempt)
        raise
    with database.writing() as connection:
        _forget_attempts(connection, now)
        wrong = _why_wrong(_locked(connection, found.account_id) if found else None, right, stored)
        if wrong is None:
            attempts.succeeded(connection, attempt)
            connection.execute(
                ACCOUNTS.update()
                .where(ACCOUNTS.c.account_id == found.account_id)
                .values(password_hash=renewed)
            )
            return account_of(found)
        details: dict[str, Any] = {"address": address, "reason": wrong}
        refused_count = attempts.refused_count(connection, attempt)
        if refused_count:
            details["refused_before_count"] = refused_count
        _note_failure(connection, found, details)
    raise SignInRefused(_WRONG)


def sign_in_with_provider(
    database: Database,
    issuer: str,
    subject: str,
    *,
    address: str = "",
) -> Account:
    """The account bound to a person at an OpenID provider; else SignInRefused."""
    bound = sa.select(ACCOUNTS).where(ACCOUNTS.c.issuer == issuer, ACCOUNTS.c.subject == subject)
    with database.writing() as connection:
        found = connection.execute(bound).one_or_none()
        if found is not None and found.disabled_at is None:
            return account_of(found)
        reason = "unknown at the provider" if found is None else "disabled"
        _note_failure(connection, found, {"address": address, "reason": reason})
    raise SignInRefused(_WRONG_PROVIDER)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _short(what: str, text: str) -> str:
    if not text or len(text) > 200 or not text.isprintable():
        raise BadOption(f"Give the {what} in 1 to 200 ordinary characters.")
    return text


def _duration(seconds: int) -> str:
    count, unit = (seconds, "second") if seconds < 120 else (-(-seconds // 60), "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _locked(connection: sa.Connection, account_id: str) -> sa.Row[Any]:
    # Every act takes the account first: two acts on one account follow each other.
    query = sa.select(ACCOUNTS).where(ACCOUNTS.c.account_id == account_id)
    return connection.execute(query.with_for_update(key_share=True)).one()


def _locked_by_email(connection: sa.Connection, email: str) -> sa.Row[Any]:
    query = sa.select(ACCOUNTS).where(ACCOUNTS.c.email == normal_email(email))
    found = connection.execute(query.with_for_update(key_share=True)).one_or_none()
    if found is None:
        raise NotOnRecord(
            f"There is no account for {normal_email(email)}. `fairtier accounts list` shows those "
            "there are."
        )
    return found


def _invite(connection: sa.Connection, account: sa.Row[Any], purpose: str, now: dt.datetime) -> str:
    token = new_token()
    connection.execute(
        INVITATIONS.insert().values(
            token_hash=token_hash(token),
            account_id=account.account_id,
            purpose=purpose,
            created_at=now,
            ends_at=now + INVITED_FOR,
        )
    )
    return token


def _invitation(connection: sa.Connection, token: str, now: dt.datetime) -> sa.Row[Any]:
    found = connection.execute(
        sa.select(ACCOUNTS, INVITATIONS.c.purpose)
        .join(INVITATIONS)
        .where(
            INVITATIONS.c.token_hash == token_hash(token),
            INVITATIONS.c.used_at.is_(None),
            INVITATIONS.c.ends_at > now,
            ACCOUNTS.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        raise SignInRefused(_DEAD_LINK)
    return found


def _join(
    database: Database, token: str, way: Way, values: dict[str, str], now: dt.datetime
) -> Account:
    with database.writing() as connection:
        account_id = _invitation(connection, token, now).account_id
        _locked(connection, account_id)
        purpose = _invitation(connection, token, now).purpose  # nobody used it meanwhile
        connection.execute(
            INVITATIONS.update()
            .where(INVITATIONS.c.token_hash == token_hash(token))
            .values(used_at=now)
        )
        connection.execute(
            ACCOUNTS.update().where(ACCOUNTS.c.account_id == account_id).values(**values)
        )
        account = account_of(_locked(connection, account_id))
        audit.note(
            connection,
            "account.joined",
            actor=account.email,
            organisation_id=account.organisation_id,
            subject=account.email,
            details={"by": way, "link": purpose},
        )
    return account


def _end_everything(connection: sa.Connection, account_id: str, now: dt.datetime) -> int:
    connection.execute(
        INVITATIONS.update()
        .where(
            INVITATIONS.c.account_id == account_id,
            INVITATIONS.c.used_at.is_(None),
            INVITATIONS.c.ends_at > now,
        )
        .values(ends_at=now)
    )
    connection.execute(DEVICES.delete().where(DEVICES.c.account_id == account_id))
    ended = connection.execute(
        SESSIONS.update()
        .where(
            SESSIONS.c.account_id == account_id,
            SESSIONS.c.ended_at.is_(None),
            SESSIONS.c.ends_at > now,
        )
        .values(ended_at=now)
    )
    return ended.rowcount


def _typed(connection: sa.Connection, email: str) -> tuple[str, Any]:
    try:
        normal = normal_email(email)
    except BadOption:
        return email.strip().casefold(), None
    query = sa.select(ACCOUNTS).where(ACCOUNTS.c.email == normal)
    return normal, connection.execute(query).one_or_none()


def _known_device(
    connection: sa.Connection, found: Any, device_token: str | None, now: dt.datetime
) -> str | None:
    if found is None or device_token is None:
        return None
    query = sa.select(DEVICES.c.token_hash).where(
        DEVICES.c.token_hash == token_hash(device_token),
        DEVICES.c.account_id == found.account_id,
        DEVICES.c.created_at > now - DEVICE_KNOWN_FOR,
    )
    return connection.execute(query).scalar()


def _why_wrong(account: Any, right: bool, stored: str | None) -> str | None:
    if account is None:
        return "unknown e-mail address"
    if account.disabled_at is not None:
        return "disabled"
    if account.password_hash is None:
        return "no password set up"
    return None if right and account.password_hash == stored else "wrong password"


def _note_failure(connection: sa.Connection, found: Any, details: dict[str, Any]) -> None:
    # What was typed for an unknown address is not kept: it may be a password.
    audit.note(
        connection,
        "sign_in.failed",
        actor="nobody",
        organisation_id=found.organisation_id if found else None,
        subject=found.email if found else "",
        details=details,
    )


def _forget_attempts(connection: sa.Connection, now: dt.datetime) -> None:
    refused_count = attempts.forget(connection, now)
    if refused_count:
        _note_failure(connection, None, {"refused_before_count": refused_count})
