"""No event stands twice under different ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import has, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_EVENT = {
    "referrals": ("contract_id", "subcontractor_id", "client_ref", "referred_on"),
    "payments": (
        "contract_id",
        "subcontractor_id",
        "client_ref",
        "payment_type",
        "earned_on",
        "subcontractor_amount",
    ),
}


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    columns = _EVENT.get(table.id)
    if columns is None:
        return NotApplicable(f"Rows of {table.id} are not events.")
    if not has(sheet, *columns):
        return NotApplicable("The file lacks a column that tells events apart.")
    given = " AND ".join(f"{typed(column)} IS NOT NULL" for column in columns)
    parts = [
        f"upper({typed(column)})" if column == "client_ref" else typed(column) for column in columns
    ]
    return [
        Subject(
            column="client_ref",
            value="row_count",
            expected=between(None, 1),
            source="(SELECT cells.*, count(*) OVER (PARTITION BY "
            f"{', '.join(parts)}) AS row_count FROM cells WHERE {given}) AS cells",
            place="client_ref",
        )
    ]


CHECK = Check(
    id="same_event_twice",
    family="unique",
    promise="No event stands twice under different ids.",
    why_it_matters="An event entered twice looks like two clients, or is paid twice.",
    severity="warn",
    message="The same event should stand once; {where}.",
    remedy="Check whether these rows are one event; if so, delete all but one.",
    version=1,
    subjects=_subjects,
)
