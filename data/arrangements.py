"""What was arranged about a contract or an organisation, until it is ended.

| kind | about | made by | while it is in force |
|---|---|---|---|
| `confidential` | a contract | the network or its commissioner | out of comparisons and the open |
| `prices_shown` | a contract | the network | the commissioner sees subcontractors' prices |
| `agent` | an organisation | the organisation | the network acts for it |
| `ask_first` | a subcontractor | itself, or its agent | it is asked before others see a flag |

The operator may make any of them. Each making and ending stands in the audit chain.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
import uuid
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import sqlalchemy as sa

from data import audit
from data.database import ARRANGEMENTS, AUDIT_END, CASES, STEPS, Database
from data.errors import BadOption, NotAllowed
from data.scope import NOT_SHOWN, OPERATOR, PUBLIC, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.scope import Reach, Role

Kind = Literal["confidential", "prices_shown", "agent", "ask_first"]

KINDS: Mapping[Kind, str] = {
    "confidential": "The contract is under embargo, which is to say confidential: it is left out "
    "of comparisons between contracts, of open data and of other organisations' counts.",
    "prices_shown": "The commissioner of the contract is shown what its subcontractors are paid.",
    "agent": "The network acts for the organisation: it sees its files as received and replies "
    "in its name.",
    "ask_first": "The subcontractor is asked before a flag raised from its data is shown to the "
    "prime.",
}
MOST_REASON_CHARACTERS = 1_000
_CONTROLS = ("Cc", "Cs")  # what databases refuse
# What makes other text read in another order than it is written: LRM, RLM, ALM, embeddings,
# overrides and isolates.
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Arrangement:
    """One arrangement about a contract or organisation (`subject_id`); in force until ended."""

    arrangement_id: str
    kind: Kind
    subject_id: str
    reason: str
    made_by: str
    made_at: dt.datetime
    ended_by: str | None = None
    ended_at: dt.datetime | None = None


def may_arrange(scope: Scope, reach: Reach, kind: Kind, subject_id: str) -> bool:
    """Whether the asker may make or end an arrangement about that contract or organisation."""
    if scope.role == "operator":
        return True
    if scope.role == "public":
        return False
    network, itself = scope.role == "network", scope.organisation_id == subject_id
    if kind == "confidential":
        return network or subject_id in reach.as_commissioner
    if kind == "prices_shown":
        return network
    if kind == "agent":
        return itself and not network
    return itself or (network and subject_id in scope.agent_for)


def make(
    database: Database,
    scope: Scope,
    reach: Reach,
    kind: str,
    subject_id: str,
    *,
    reason: str = "",
    actor: str,
) -> Arrangement:
    """Put an arrangement in force; one that is stays as it is. NotAllowed if not the asker's."""
    chosen = _allowed(scope, reach, kind, subject_id)
    with database.writing() as connection:
        return made(connection, scope, chosen, subject_id, reason=reason, actor=actor)


def end(
    database: Database,
    scope: Scope,
    reach: Reach,
    kind: str,
    subject_id: str,
    *,
    reason: str = "",
    actor: str,
) -> Arrangement:
    """End an arrangement; BadOption if none is in force, NotAllowed if it is not the asker's."""
    chosen = _allowed(scope, reach, kind, subject_id)
    with database.writing() as connection:
        return ended(connection, scope, chosen, subject_id, reason=reason, actor=actor)


def made(
    connection: sa.Connection,
    scope: Scope,
    kind: Kind,
    subject_id: str,
    *,
    reason: str = "",
    actor: str,
) -> Arrangement:
    """Put an arrangement in force as part of an act whose leave was asked before."""
    take_turn(connection)
    found = _found(connection, kind, subject_id)
    if found is not None:
        return found
    arrangement = Arrangement(
        uuid.uuid4().hex,
        kind,
        subject_id,
        plain_text(reason, MOST_REASON_CHARACTERS),
        actor,
        dt.datetime.now(dt.UTC),
    )
    connection.execute(ARRANGEMENTS.insert().values(**asdict(arrangement)))
    _note(connection, "arrangement.made", scope, arrangement, arrangement.reason, actor)
    return arrangement


def ended(
    connection: sa.Connection,
    scope: Scope,
    kind: Kind,
    subject_id: str,
    *,
    reason: str = "",
    actor: str,
) -> Arrangement:
    """End an arrangement as part of an act whose leave was asked before."""
    take_turn(connection)
    found = _found(connection, kind, subject_id)
    if found is None:
        raise BadOption(f"No such arrangement is in force for {subject_id}, so none was ended.")
    arrangement = replace(found, ended_by=actor, ended_at=dt.datetime.now(dt.UTC))
    connection.execute(
        ARRANGEMENTS.update()
        .where(ARRANGEMENTS.c.arrangement_id == arrangement.arrangement_id)
        .values(ended_by=arrangement.ended_by, ended_at=arrangement.ended_at)
    )
    _note(
        connection,
        "arrangement.ended",
        scope,
        arrangement,
        plain_text(reason, MOST_REASON_CHARACTERS),
        actor,
    )
    return arrangement


def take_turn(connection: sa.Connection) -> None:
    """Wait until no other act is under way: what is read from here on cannot change before ours."""
    connection.execute(sa.select(AUDIT_END).with_for_update()).all()


def in_force(source: Database | sa.Connection, kind: Kind) -> frozenset[str]:
    """The contracts or organisations for which an arrangement of that kind is in force."""
    if isinstance(source, Database):
        with source.reading() as connection:
            return in_force(connection, kind)
    subjects = sa.select(ARRANGEMENTS.c.subject_id).where(
        ARRANGEMENTS.c.kind == kind, ARRANGEMENTS.c.ended_at.is_(None)
    )
    return frozenset(source.execute(subjects).scalars())


def arrangements(
    database: Database, kind: Kind | None = None, *, ended_too: bool = False
) -> tuple[Arrangement, ...]:
    """The arrangements in force, or all there ever were, in the order in which they were made."""
    query = sa.select(ARRANGEMENTS).order_by(ARRANGEMENTS.c.made_at, ARRANGEMENTS.c.arrangement_id)
    if kind is not None:
        query = query.where(ARRANGEMENTS.c.kind == kind)
    if not ended_too:
        query = query.where(ARRANGEMENTS.c.ended_at.is_(None))
    with database.reading() as connection:
        return tuple(Arrangement(**row) for row in connection.execute(query).mappings())


def scope_of(database: Database, role: Role, organisation_id: str | None) -> Scope:
    """Who asks, with what is arranged about it and what subcontractors have released."""
    if role == "operator":
        return OPERATOR
    if role == "public" or organisation_id is None:
        return PUBLIC
    with database.reading() as connection:
        if role == "network":
            return Scope(role, organisation_id, agent_for=in_force(connection, "agent"))
        return Scope(
            role,
            organisation_id,
            prices_shown=in_force(connection, "prices_shown"),
            ask_first=in_force(connection, "ask_first"),
            released=_released(connection),
        )


def _released(connection: sa.Connection) -> frozenset[tuple[str, str, str | None]]:
    """The flags, contracts and subcontractors whose case was put to the prime and still stands."""
    of_case = sa.select(STEPS.c.case_id).where(STEPS.c.case_id == CASES.c.case_id)
    query = sa.select(CASES.c.flag, CASES.c.contract_id, CASES.c.subcontractor_id).where(
        of_case.where(STEPS.c.due_on.is_not(None)).exists(),
        ~of_case.where(STEPS.c.kind == "no_longer_raised").exists(),
    )
    return frozenset((flag, contract, who) for flag, contract, who in connection.execute(query))


def faults(connection: sa.Connection) -> list[str]:
    """Arrangements that are not as the audit chain has them, a sentence each."""
    noted: dict[str, str] = {}
    for event in audit.events(connection):
        if event.action in ("arrangement.made", "arrangement.ended"):
            noted[str(event.details.get("arrangement_id"))] = str(event.details.get("sha256"))
    stored = {
        row["arrangement_id"]: _sha256(Arrangement(**row))
        for row in connection.execute(sa.select(ARRANGEMENTS)).mappings()
    }
    return [
        *(
            f"The arrangement {one} was altered, or is not in the audit."
            for one, sha256 in stored.items()
            if noted.get(one) != sha256
        ),
        *(
            f"The arrangement {one} stands in the audit and was removed."
            for one in noted
            if one not in stored
        ),
    ]


def _allowed(scope: Scope, reach: Reach, kind: str, subject_id: str) -> Kind:
    for known in get_args(Kind):
        if kind == known:
            chosen: Kind = known
            if not may_arrange(scope, reach, chosen, subject_id):
                raise NotAllowed(NOT_SHOWN)
            return chosen
    raise BadOption(f'There is no arrangement "{kind}". Choose one of {", ".join(KINDS)}.')


def plain_text(written: str, most_characters: int) -> str:
    """What somebody wrote, without control characters; BadOption if it is too long."""
    lines = written.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        c
        for c in lines
        if c in "\n\t" or (unicodedata.category(c) not in _CONTROLS and c not in _TURNING)
    )
    if len(kept.strip()) > most_characters:
        raise BadOption(
            f"The text has {len(kept.strip()):,} characters. Write at most {most_characters:,}."
        )
    return kept.strip()


def _found(connection: sa.Connection, kind: Kind, subject_id: str) -> Arrangement | None:
    row = connection.execute(
        sa.select(ARRANGEMENTS).where(
            ARRANGEMENTS.c.kind == kind,
            ARRANGEMENTS.c.subject_id == subject_id,
            ARRANGEMENTS.c.ended_at.is_(None),
        )
    ).mappings()
    found = row.one_or_none()
    return None if found is None else Arrangement(**found)


def _note(
    connection: sa.Connection,
    action: str,
    scope: Scope,
    arrangement: Arrangement,
    reason: str,
    actor: str,
) -> None:
    audit.note(
        connection,
        action,
        actor=actor,
        organisation_id=scope.organisation_id,
        subject=f"{arrangement.kind} {arrangement.subject_id}",
        details={
            "arrangement_id": arrangement.arrangement_id,
            "reason": reason,
            "sha256": _sha256(arrangement),
        },
    )


def _sha256(arrangement: Arrangement) -> str:
    return content_sha256(asdict(arrangement))


def content_sha256(content: Mapping[Any, Any]) -> str:
    """SHA-256 of what stands in a row, the same whichever database it was read from."""
    said = {name: _as_text(value) for name, value in content.items()}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _as_text(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value.isoformat() if isinstance(value, dt.date) else value
