"""People who can sign in, put into a database as they are after they have joined."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from data.database import ACCOUNTS

if TYPE_CHECKING:
    from data.database import Database

JOINED = "@joined.invalid"


def let_in(database: Database, *organisation_ids: str) -> None:
    """Somebody of each organisation can sign in, once however often it is said."""
    with database.writing() as connection:
        there = set(connection.execute(sa.select(ACCOUNTS.c.account_id)).scalars())
        for organisation_id in organisation_ids:
            email = f"{organisation_id.lower()}{JOINED}"
            if email not in there:
                connection.execute(
                    ACCOUNTS.insert().values(
                        account_id=email,
                        email=email,
                        name="A Person",
                        organisation_id=organisation_id,
                        role="member",
                        created_at=dt.datetime.now(dt.UTC),
                        issuer="https://provider.invalid",
                        subject=organisation_id,
                    )
                )
