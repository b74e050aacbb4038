"""The audit chain of people's acts: who did what, when; none can be altered or taken out unseen.

Returns have a chain of their own in the ledger. Each event here carries the hash of the one
before it, and the table `audit_end` says where the chain ends.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.database import AUDIT, AUDIT_END
from data.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACTIONS: Mapping[str, str] = {
    "account.invited": "An account was invited",
    "account.joined": "An invited person set up their sign-in",
    "account.disabled": "An account was disabled",
    "account.reset": "A link to set up the sign-in anew was made",
    "sign_in.succeeded": "Signed in",
    "sign_in.failed": "Tried to sign in and was refused",
    "sign_in.ended": "Signed out, or a session was ended",
    "token.made": "A token for programs was made",
    "token.ended": "A token for programs was ended",
    "return.recorded": "A return was recorded",
    "return.refused": "A return was refused by the checks",
    "evidence.seen": "An evidence pack was downloaded",
    "audit.seen": "The audit was downloaded",
    "rules.changed": "The register of rules is not what it was at the last start",
    "arrangement.made": "An arrangement was made",
    "arrangement.ended": "An arrangement was ended",
    "case.opened": "A raised flag was put to those it is about",
    "case.step": "A step was taken in the right of reply",
    "release.made": "Figures were released for everybody to see",
    "backup.made": "A back-up was made",
    "backup.restored": "The store was restored from a back-up",
}


@dataclass(frozen=True)
class Event:
    """One act.

    `actor` is an account's e-mail address, `operator` for whoever runs commands on the store's own
    machine, `token NAME` for a program, `nobody` before a sign-in, or `Fairtier` itself.
    `organisation_id` is the actor's. `subject` names what it was done to; `details` are further
    facts, never rows and never secrets.
    """

    sequence: int
    at: dt.datetime
    actor: str
    organisation_id: str | None
    action: str
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)
    previous_hash: str = ""
    entry_hash: str = ""


def event_hash(event: Event) -> str:
    """SHA-256 over everything else in the event, the previous hash included."""
    content = {name: value for name, value in asdict(event).items() if name != "entry_hash"}
    content["at"] = event.at.astimezone(dt.UTC).isoformat()
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def note(
    connection: sa.Connection,
    action: str,
    *,
    actor: str,
    organisation_id: str | None,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
) -> Event:
    """Add an event to the chain, in the transaction of the act itself."""
    if action not in ACTIONS:
        raise KeyError(action)
    ends = connection.execute(sa.select(AUDIT_END).with_for_update()).all()
    if len(ends) != 1:
        raise StoreError(
            "The note of where the audit ends is missing from the database, or is there twice. "
            "Nothing was done: restore the last back-up."
        )
    end = ends[0]
    linked = Event(
        sequence=end.sequence + 1,
        at=dt.datetime.now(dt.UTC),
        actor=actor,
        organisation_id=organisation_id,
        action=action,
        subject=subject,
        details=dict(details or {}),
        previous_hash=end.entry_hash,
    )
    event = Event(**(_columns(linked) | {"entry_hash": event_hash(linked)}))
    connection.execute(AUDIT.insert().values(**_columns(event)))
    connection.execute(
        AUDIT_END.update().values(sequence=event.sequence, entry_hash=event.entry_hash)
    )
    return event


def _columns(event: Event) -> dict[str, Any]:
    return {column.name: getattr(event, column.name) for column in AUDIT.columns}


def events(
    connection: sa.Connection,
    *,
    organisation_id: str | None = None,
    newest: int | None = None,
) -> tuple[Event, ...]:
    """The events in order: all, or those whose actor is of an organisation; the newest few."""
    query = sa.select(AUDIT).order_by(AUDIT.c.sequence.desc())
    if organisation_id is not None:
        query = query.where(AUDIT.c.organisation_id == organisation_id)
    found = connection.execute(query.limit(newest)).mappings()
    return tuple(reversed([Event(**row) for row in found]))


def faults(connection: sa.Connection) -> tuple[list[str], str]:
    """What is wrong with the chain, one sentence each, and the hash that it ends in."""
    try:
        wrong, last = _chain_faults(events(connection))
    except (TypeError, ValueError):
        return ["An event of the audit was altered: it cannot be read any more."], ""
    ends = connection.execute(sa.select(AUDIT_END.c.sequence, AUDIT_END.c.entry_hash)).all()
    if [tuple(end) for end in ends] != [last]:
        noted = ", ".join(str(end.sequence) for end in ends) or "none"
        wrong.append(
            f"The end of the audit is not what was noted: {last[0]} events are there, and the "
            f"note says {noted}."
        )
    return wrong, last[1]


def _chain_faults(chain: Iterable[Event]) -> tuple[list[str], tuple[int, str]]:
    wrong: list[str] = []
    last = 0, ""
    for event in chain:
        if event.entry_hash != event_hash(event):
            wrong.append(f"Event {event.sequence} of the audit was altered.")
        if (event.sequence, event.previous_hash) != (last[0] + 1, last[1]):
            wrong.append(
                f"The audit is broken before event {event.sequence}: an event was removed, added "
                "or moved."
            )
        last = event.sequence, event.entry_hash
    return wrong, last
