"""Every amount is 0 or more, but for adjustments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import present, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    return [
        Subject(
            column=column.id,
            place=column.id,
            value=f"CASE WHEN {typed('payment_type')} IS DISTINCT FROM 'adjustment' "
            f"THEN CAST(sign({typed(column.id)}) AS INTEGER) END",
            expected=between(0, None),
        )
        for column in present(sheet, table, "money")
    ] or NotApplicable("The file has no amounts.")


CHECK = Check(
    id="amounts_not_negative",
    family="range",
    promise="Every amount is 0 or more, but for adjustments.",
    why_it_matters="A correction hidden in an ordinary row changes the fee of the month it "
    "stands in.",
    severity="refuse",
    message="{column} must be 0 or more; {where}.",
    remedy='Enter corrections as a separate row of type "adjustment".',
    version=1,
    subjects=_subjects,
)
