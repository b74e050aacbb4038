"""What the audit says of returns that came in and of evidence that went out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data.audit import note

if TYPE_CHECKING:
    from data.database import Database
    from data.ledger import Receipt


def note_recorded(
    database: Database, receipt: Receipt, *, actor: str, organisation_id: str | None
) -> None:
    """Note that a return was recorded; one that was there already changed nothing."""
    if receipt.already:
        return
    entry = receipt.entry
    details = {
        "table": entry.table,
        "by": entry.reporter_id,
        "covers": entry.covers,
        "row_count": entry.row_count,
        "received_on": entry.received_on.isoformat(),
        "entry_hash": entry.entry_hash,
    }
    with database.writing() as connection:
        note(
            connection,
            "return.recorded",
            actor=actor,
            organisation_id=organisation_id,
            subject=entry.return_id,
            details=details,
        )


def note_refused(
    database: Database,
    table: str,
    by: str,
    refusal_count: int,
    *,
    actor: str,
    organisation_id: str | None,
) -> None:
    """Note that the checks refused a return; a file that could not be read has no findings."""
    with database.writing() as connection:
        note(
            connection,
            "return.refused",
            actor=actor,
            organisation_id=organisation_id,
            subject=table,
            details={"by": by, "refusal_count": refusal_count},
        )


def note_seen(
    database: Database,
    what: str,
    *,
    actor: str,
    organisation_id: str | None,
    contract_id: str | None = None,
    subcontractor_id: str | None = None,
    row_count: int,
    **more: Any,
) -> None:
    """Note that evidence was taken away: what kind, about which agreement, how many rows."""
    about = {"contract_id": contract_id, "subcontractor_id": subcontractor_id, **more}
    known = {name: value for name, value in about.items() if value not in (None, (), "")}
    named = (what, contract_id, subcontractor_id)
    with database.writing() as connection:
        note(
            connection,
            "evidence.seen",
            actor=actor,
            organisation_id=organisation_id,
            subject=" ".join(one for one in named if one),
            details={**known, "row_count": row_count},
        )
