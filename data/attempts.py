"""How often a sign-in may be tried: delays that grow with failures, and nobody is locked out.

Failures are counted for an account from one address, and for an address over all accounts. After a
few free ones each further failure doubles the delay, up to a limit; an attempt during the delay is
refused without looking at the password and does not lengthen it. An hour without failure and all is
forgotten. A browser that signed in to the account before is counted on its own: what others do
cannot keep its owner out. (OWASP calls this device cookies.)

An attempt is counted as failed before the password is looked at, and taken back when it was right,
so that a thousand at the same moment are a thousand failures and not one.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from data.database import ATTEMPTS
from data.passwords import token_hash

FORGOTTEN_AFTER = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Counter:
    """A count of failures: whose (hashed), how many are free, and the longest delay after them."""

    who: str
    free_count: int
    longest_seconds: int

    def delay_seconds(self, failure_count: int) -> int:
        """The delay after so many failures: 0 while they are free, then 1, 2, 4 and so on."""
        beyond = failure_count - self.free_count
        if beyond <= 0:
            return 0
        return min(self.longest_seconds, 1 << min(beyond - 1, 30))


def counters(email: str, address: str, device: str | None = None) -> tuple[Counter, ...]:
    """What an attempt counts under, the broadest first.

    `device` is the stored hash of a device token known to belong to the account.
    """
    if device is not None:
        return (Counter(token_hash(f"device\n{device}"), 5, 300),)
    place = _network(address)
    return (
        Counter(token_hash(f"address\n{place}"), 30, 60),
        Counter(token_hash(f"account\n{place}\n{email}"), 5, 300),
    )


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    # One subscriber has 2^64 addresses of version 6 to try from.
    return str(ipaddress.ip_network((found.packed[:8] + bytes(8), 64)))


@dataclass(frozen=True)
class Attempt:
    """An attempt that was counted, and what it takes to count it back.

    `wait_seconds` above 0: it was refused and counts as that and as nothing else.
    """

    counted: tuple[Counter, ...]
    at: dt.datetime
    wait_seconds: int = 0
    former: tuple[dt.datetime, ...] = ()


def begin(connection: sa.Connection, counted: tuple[Counter, ...], now: dt.datetime) -> Attempt:
    """Count an attempt as failed until it is known to be right, unless it must wait."""
    rows = []
    for one in counted:
        row = _row(connection, one, now)
        wait = _wait(one, row, now)
        if wait:
            _refused(connection, one)
            return Attempt(counted, now, wait)
        rows.append(row)
    for one, row in zip(counted, rows, strict=True):
        stale = now - row.last_failed_at >= FORGOTTEN_AFTER
        connection.execute(
            ATTEMPTS.update()
            .where(ATTEMPTS.c.who == one.who)
            .values(failure_count=1 if stale else row.failure_count + 1, last_failed_at=now)
        )
    return Attempt(counted, now, former=tuple(row.last_failed_at for row in rows))


def withdraw(connection: sa.Connection, attempt: Attempt) -> None:
    """Count an attempt that nobody had time for as refused and not as failed."""
    _take_back(connection, attempt)
    _refused(connection, attempt.counted[-1])


def succeeded(connection: sa.Connection, attempt: Attempt) -> None:
    """Take an attempt back that was right, and forget the failures of the account there.

    Those of the address over all accounts stay: who has one account must not be free to guess at
    the others. Attempts refused unlooked at stay until the audit has them.
    """
    _take_back(connection, attempt)
    narrowest = ATTEMPTS.c.who == attempt.counted[-1].who
    connection.execute(ATTEMPTS.update().where(narrowest).values(failure_count=0))


def refused_count(connection: sa.Connection, attempt: Attempt) -> int:
    """How many attempts were refused unlooked at since this was last asked, for the audit."""
    count: int = 0
    for one in attempt.counted:  # in the order of `begin`: two that want the same rows never block
        mine = ATTEMPTS.c.who == one.who
        waiting = sa.select(ATTEMPTS.c.refused_count).where(mine).with_for_update()
        count += sum(connection.execute(waiting).scalars())
        connection.execute(ATTEMPTS.update().where(mine).values(refused_count=0))
    return count


def forget(connection: sa.Connection, now: dt.datetime) -> int:
    """Remove what is an hour old; how many refused attempts among it the audit does not have."""
    old = (
        sa.select(ATTEMPTS.c.who, ATTEMPTS.c.refused_count)
        .where(ATTEMPTS.c.last_failed_at <= now - FORGOTTEN_AFTER)
        .limit(1000)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(old).all()
    if rows:
        connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.who.in_([row.who for row in rows])))
    return sum(row.refused_count for row in rows)


def _wait(counter: Counter, row: sa.Row[Any], now: dt.datetime) -> int:
    since: float = (now - row.last_failed_at).total_seconds()
    if since >= FORGOTTEN_AFTER.total_seconds():
        return 0
    return max(0, math.ceil(counter.delay_seconds(row.failure_count) - since))


def _row(connection: sa.Connection, counter: Counter, now: dt.datetime) -> sa.Row[Any]:
    # Found or made in one statement, and locked: two first attempts at once make one row.
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    made = insert(ATTEMPTS).values(
        who=counter.who, failure_count=0, refused_count=0, last_failed_at=now
    )
    return connection.execute(
        made.on_conflict_do_update(
            index_elements=[ATTEMPTS.c.who], set_={"who": made.excluded.who}
        ).returning(ATTEMPTS.c.failure_count, ATTEMPTS.c.last_failed_at)
    ).one()


def _take_back(connection: sa.Connection, attempt: Attempt) -> None:
    for one, former in zip(attempt.counted, attempt.former, strict=True):
        count, last = ATTEMPTS.c.failure_count, ATTEMPTS.c.last_failed_at
        connection.execute(
            ATTEMPTS.update()
            .where(ATTEMPTS.c.who == one.who, count > 0)  # it may be forgotten meanwhile
            .values(
                failure_count=count - 1,
                last_failed_at=sa.case((last == attempt.at, former), else_=last),
            )
        )


def _refused(connection: sa.Connection, counter: Counter) -> None:
    connection.execute(
        ATTEMPTS.update()
        .where(ATTEMPTS.c.who == counter.who)
        .values(refused_count=ATTEMPTS.c.refused_count + 1)
    )
