"""No subcontractor is due more than the commissioner paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, has, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    amounts = ("commissioner_amount", "subcontractor_amount")
    if table.id != "payments" or not has(sheet, *amounts):
        return NotApplicable("The file does not have both amounts.")
    received, due = (typed(column) for column in amounts)
    return [
        Subject(
            column="subcontractor_amount",
            place="subcontractor_amount",
            value=f"CASE WHEN {typed('payment_type')} IS DISTINCT FROM 'adjustment' "
            f"THEN CAST(sign({received} - {due}) AS INTEGER) END",
            expected=between(0, None),
            hint=f"'commissioner_amount is ' || {cell('commissioner_amount')} || ' there.'",
        )
    ]


CHECK = Check(
    id="more_than_received",
    family="consistent",
    promise="No subcontractor is due more than the commissioner paid.",
    why_it_matters="It can be true, when a prime carries a hard case; more often two amounts are "
    "swapped.",
    severity="warn",
    message="subcontractor_amount should not be more than commissioner_amount; {where}.{hint}",
    remedy="Check the two amounts; if the prime does add money of its own, the row may stand as "
    "it is.",
    version=1,
    subjects=_subjects,
)
