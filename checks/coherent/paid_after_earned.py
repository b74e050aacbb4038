"""Every payment comes after it was earned."""

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
    if table.id != "payments" or not has(sheet, "earned_on", "paid_on"):
        return NotApplicable("The file does not have both days.")
    return [
        Subject(
            column="paid_on",
            place="paid_on",
            value=f"CAST(sign({typed('paid_on')} - {typed('earned_on')}) AS INTEGER)",
            expected=between(0, None),
            hint=f"'earned_on is ' || {cell('earned_on')} || ' there.'",
        )
    ]


CHECK = Check(
    id="paid_after_earned",
    family="coherent",
    promise="Every payment comes after it was earned.",
    why_it_matters="Money paid before it was earned is an advance, which looks better than it is.",
    severity="warn",
    message="paid_on should not lie before earned_on; {where}.{hint}",
    remedy="Check earned_on and paid_on; an advance may stand as it is.",
    version=1,
    subjects=_subjects,
)
