"""What was released for everybody to see, kept so that later releases give nothing away.

A release never changes. What it rests on stays here: it leaves no scope.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from data import audit
from data.database import AUDIT, RELEASES
from data.errors import NotAllowed

if TYPE_CHECKING:
    from data.database import Database
    from data.scope import Scope

NETWORK_ONLY = "Only the network releases figures for everybody to see."
_ACTION = "release.made"


@dataclass(frozen=True)
class Release:
    """One release, numbered from 1; `content` is its figures and what they rest on, as JSON."""

    release_id: str
    number: int
    made_at: dt.datetime
    made_by: str
    as_of: dt.date
    content: str


def releases(database: Database) -> tuple[Release, ...]:
    """Every release, the first first."""
    with database.reading() as connection:
        return _read(connection)


def latest(database: Database) -> Release | None:
    """The last release; None before the first."""
    newest = sa.select(RELEASES).order_by(RELEASES.c.number.desc()).limit(1)
    with database.reading() as connection:
        row = connection.execute(newest).one_or_none()
    return None if row is None else Release(**row._mapping)


def keep(
    database: Database,
    scope: Scope,
    *,
    number: int,
    as_of: dt.date,
    content: str,
    actor: str,
) -> Release:
    """Keep a release as the next one, and note it in the audit.

    NotAllowed for anybody but the network, or where a release of that number was made meanwhile:
    what was worked out does not know of it.
    """
    if not scope.sees_everything:
        raise NotAllowed(NETWORK_ONLY)
    made = Release(
        release_id=uuid.uuid4().hex,
        number=number,
        made_at=dt.datetime.now(dt.UTC),
        made_by=actor,
        as_of=as_of,
        content=content,
    )
    with database.writing() as connection:
        last = connection.execute(sa.select(sa.func.max(RELEASES.c.number))).scalar()
        if (last or 0) + 1 != number:
            raise NotAllowed(
                "Another release was made at the same moment, and nothing was kept of this one. "
                "Make it again: it then takes account of the other."
            )
        connection.execute(sa.insert(RELEASES).values(**vars(made)))
        audit.note(
            connection,
            _ACTION,
            actor=actor,
            organisation_id=scope.organisation_id,
            subject=made.release_id,
            details={"number": number, "as_of": as_of.isoformat(), "sha256": _hash(content)},
        )
    return made


def faults(connection: sa.Connection) -> list[str]:
    """Releases that are not as the audit has them, each in a sentence."""
    noted = {
        row.subject: row.details["sha256"]
        for row in connection.execute(
            sa.select(AUDIT.c.subject, AUDIT.c.details).where(AUDIT.c.action == _ACTION)
        )
    }
    kept = {one.release_id: one for one in _read(connection)}
    found = [
        f"The release {release_id} stands in the audit and is missing from the database."
        for release_id in noted
        if release_id not in kept
    ]
    for release_id, one in kept.items():
        if release_id not in noted:
            found.append(f"The release {release_id} does not stand in the audit.")
        elif noted[release_id] != _hash(one.content):
            found.append(f"The release {release_id} was altered after it was made.")
    return found


def _read(connection: sa.Connection) -> tuple[Release, ...]:
    rows = connection.execute(sa.select(RELEASES).order_by(RELEASES.c.number))
    return tuple(Release(**row._mapping) for row in rows)


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
