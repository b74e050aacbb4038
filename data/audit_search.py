"""What somebody may see of the audit: the network all of it, an organisation what its own did."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from data.audit import Event
from data.database import AUDIT, AUDIT_END
from data.errors import NotAllowed
from data.scope import NOT_SHOWN

if TYPE_CHECKING:
    from collections.abc import Collection

    from data.database import Database
    from data.scope import Scope


@dataclass(frozen=True)
class Found:
    """The newest events that fit, the newest first, and how many fit in all."""

    events: tuple[Event, ...]
    count: int


@dataclass(frozen=True)
class Extent:
    """Which months (first days, the newest first) and actions there are to choose from."""

    months: tuple[dt.date, ...]
    actions: tuple[str, ...]


def search(
    database: Database,
    scope: Scope,
    *,
    actions: Collection[str] = (),
    month: dt.date | None = None,
    newest: int | None = None,
) -> Found:
    """The events within a scope, of some actions and of a month if these are given.

    NotAllowed for the public.
    """
    where = [_within(scope)]
    if actions:
        where.append(AUDIT.c.action.in_(actions))
    if month is not None:
        where += [AUDIT.c.at >= _start(month), AUDIT.c.at < _start(_next(month))]
    query = sa.select(AUDIT).where(*where).order_by(AUDIT.c.sequence.desc()).limit(newest)
    with database.reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(AUDIT).where(*where))
        found = connection.execute(query).mappings()
        events = tuple(Event(**row) for row in found)
        return Found(_numbered(events, scope), count.scalar_one())


def _numbered(events: tuple[Event, ...], scope: Scope) -> tuple[Event, ...]:
    """The events, for a member with numbers of its own: gaps would tell how much others do."""
    if scope.sees_everything:
        return events
    return tuple(
        replace(event, sequence=len(events) - place, previous_hash="")
        for place, event in enumerate(events)
    )


def extent(database: Database, scope: Scope) -> Extent:
    """What there is to search by within a scope."""
    within = _within(scope)
    ends = sa.select(sa.func.min(AUDIT.c.at), sa.func.max(AUDIT.c.at)).where(within)
    kinds = sa.select(AUDIT.c.action).where(within).distinct().order_by(AUDIT.c.action)
    with database.reading() as connection:
        first, last = connection.execute(ends).one()
        actions = tuple(connection.execute(kinds).scalars())
    months: list[dt.date] = []
    if first is not None:
        month = first.date().replace(day=1)
        while month <= last.date():
            months.append(month)
            month = _next(month)
    return Extent(tuple(reversed(months)), actions)


def last_hash(database: Database) -> str:
    """The hash in which the audit ends, empty before the first event."""
    with database.reading() as connection:
        return str(connection.execute(sa.select(AUDIT_END.c.entry_hash)).scalar_one_or_none() or "")


def _within(scope: Scope) -> sa.ColumnElement[bool]:
    if scope.sees_everything:
        return sa.true()
    if scope.role == "public" or scope.organisation_id is None:
        raise NotAllowed(NOT_SHOWN)
    return AUDIT.c.organisation_id == scope.organisation_id


def _start(month: dt.date) -> dt.datetime:
    return dt.datetime(month.year, month.month, 1, tzinfo=dt.UTC)


def _next(month: dt.date) -> dt.date:
    return (month.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
