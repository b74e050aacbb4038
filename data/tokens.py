"""Tokens with which an organisation's own programs submit returns and read what is theirs."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

import sqlalchemy as sa

from data import audit
from data.accounts import AccountRole, require_keeper
from data.database import API_TOKENS
from data.errors import BadOption, NotAllowed, NotOnRecord, SignInRefused
from data.passwords import new_token, token_hash

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from data.database import Database

PREFIX = "ft_"
PERMISSIONS: Mapping[str, str] = {
    "submit": "submit returns",
    "read": "read its own returns, findings and flags",
}
LONGEST_DAYS = 730
_SEEN_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class ApiToken:
    """What is known of a token; its secret is shown once, when it is made."""

    token_id: str
    organisation_id: str
    role: AccountRole
    name: str
    permissions: frozenset[str]
    created_by: str
    created_at: dt.datetime
    ends_at: dt.datetime
    ended_at: dt.datetime | None
    used_at: dt.datetime | None


def make(
    database: Database,
    *,
    organisation_id: str,
    role: AccountRole,
    name: str,
    permissions: Collection[str],
    days: int = 365,
    actor: str,
    actor_organisation_id: str | None,
    now: dt.datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is not shown again; BadOption says what to give."""
    now = now or _now()
    organisation_id, name = organisation_id.strip(), name.strip()
    unknown = sorted(set(permissions) - set(PERMISSIONS))
    if unknown or not permissions:
        named = ", ".join(f'"{one}"' for one in unknown) or "none"
        raise BadOption(f"Permissions are {' and '.join(PERMISSIONS)}; given: {named}.")
    if role not in get_args(AccountRole):
        raise BadOption(f'There is no role "{role}". Choose one of: network, member.')
    if not 1 <= days <= LONGEST_DAYS:
        raise BadOption(f"A token lasts 1 to {LONGEST_DAYS} days; given: {days}.")
    for what, text in (("organisation", organisation_id), ("name of the program", name)):
        if not text or len(text) > 200 or not text.isprintable():
            raise BadOption(f"Give the {what} in 1 to 200 ordinary characters.")
    require_keeper(database, organisation_id, role)
    secret = PREFIX + new_token()
    token_id = secrets.token_hex(6)
    with database.writing() as connection:
        connection.execute(
            API_TOKENS.insert().values(
                token_id=token_id,
                token_hash=token_hash(secret),
                organisation_id=organisation_id,
                role=role,
                name=name,
                permissions=sorted(permissions),
                created_by=actor,
                created_at=now,
                ends_at=now + dt.timedelta(days=days),
            )
        )
        audit.note(
            connection,
            "token.made",
            actor=actor,
            organisation_id=actor_organisation_id,
            subject=name,
            details={
                "token_id": token_id,
                "organisation_id": organisation_id,
                "role": role,
                "permissions": sorted(permissions),
                "days": days,
            },
        )
        return _token(connection.execute(_by_id(token_id)).one()), secret


def permitted(
    database: Database, secret: str, permission: str, *, now: dt.datetime | None = None
) -> ApiToken:
    """The token of a secret, if it holds (else SignInRefused) and may do that (else NotAllowed)."""
    now = now or _now()
    with database.reading() as connection:
        row = connection.execute(
            sa.select(API_TOKENS).where(
                API_TOKENS.c.token_hash == token_hash(secret),
                API_TOKENS.c.ended_at.is_(None),
                API_TOKENS.c.ends_at > now,
            )
        ).one_or_none()
    if row is None:
        raise SignInRefused(
            "This token is not known, was ended or is past its end. Make a new one "
            "(`fairtier tokens add`), or ask your network for one."
        )
    token = _token(row)
    if permission not in token.permissions:
        raise NotAllowed(
            f'The token "{token.name}" may not {PERMISSIONS[permission]}. Use one that was made '
            f'with the permission "{permission}".'
        )
    if token.used_at is None or now - token.used_at >= _SEEN_EVERY:
        with database.writing() as connection:
            connection.execute(
                API_TOKENS.update()
                .where(API_TOKENS.c.token_id == token.token_id)
                .values(used_at=now)
            )
    return token


def end_token(
    database: Database,
    token_id: str,
    *,
    actor: str,
    actor_organisation_id: str | None,
    organisation_id: str | None = None,
    now: dt.datetime | None = None,
) -> ApiToken:
    """End a token at once; ending it twice changes nothing.

    With `organisation_id` only a token of that organisation: NotOnRecord for any other.
    """
    with database.writing() as connection:
        row = connection.execute(_by_id(token_id)).one_or_none()
        if row is None or organisation_id not in (None, row.organisation_id):
            raise NotOnRecord(
                f'There is no token "{token_id}". `fairtier tokens list` shows those there are.'
            )
        ended = connection.execute(
            API_TOKENS.update()
            .where(API_TOKENS.c.token_id == token_id, API_TOKENS.c.ended_at.is_(None))
            .values(ended_at=now or _now())
        )
        if ended.rowcount:
            audit.note(
                connection,
                "token.ended",
                actor=actor,
                organisation_id=actor_organisation_id,
                subject=row.name,
                details={"token_id": token_id, "organisation_id": row.organisation_id},
            )
        return _token(connection.execute(_by_id(token_id)).one())


def tokens_of(database: Database, organisation_id: str | None = None) -> tuple[ApiToken, ...]:
    """The tokens of an organisation, or all: those ended too, the newest first."""
    query = sa.select(API_TOKENS).order_by(API_TOKENS.c.created_at.desc(), API_TOKENS.c.token_id)
    if organisation_id is not None:
        query = query.where(API_TOKENS.c.organisation_id == organisation_id)
    with database.reading() as connection:
        return tuple(_token(row) for row in connection.execute(query))


def working_tokens(
    database: Database, organisation_id: str, *, now: dt.datetime | None = None
) -> tuple[ApiToken, ...]:
    """The tokens of an organisation that still work, whoever made them, the newest first."""
    now = now or _now()
    return tuple(
        one
        for one in tokens_of(database, organisation_id)
        if one.ended_at is None and one.ends_at > now
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _by_id(token_id: str) -> sa.Select[Any]:
    return sa.select(API_TOKENS).where(API_TOKENS.c.token_id == token_id)


def _token(row: Any) -> ApiToken:
    return ApiToken(
        token_id=row.token_id,
        organisation_id=row.organisation_id,
        role=cast("AccountRole", row.role),
        name=row.name,
        permissions=frozenset(row.permissions),
        created_by=row.created_by,
        created_at=row.created_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        used_at=row.used_at,
    )
