"""Every invoice comes before its payment."""

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
    if table.id != "payments" or not has(sheet, "invoiced_on", "paid_on"):
        return NotApplicable("The file does not have both days.")
    return [
        Subject(
            column="paid_on",
            place="paid_on",
            value=f"CAST(sign({typed('paid_on')} - {typed('invoiced_on')}) AS INTEGER)",
            expected=between(0, None),
            hint=f"'invoiced_on is ' || {cell('invoiced_on')} || ' there.'",
        )
    ]


CHECK = Check(
    id="invoiced_before_paid",
    family="coherent",
    promise="Every invoice comes before its payment.",
    why_it_matters="Payment time is counted from the invoice; a negative time would flatter the "
    "average.",
    severity="refuse",
    message="paid_on must not lie before invoiced_on; {where}.{hint}",
    remedy="Correct invoiced_on or paid_on; leave paid_on empty if it is not paid yet.",
    version=1,
    subjects=_subjects,
)
