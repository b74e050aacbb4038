"""Every row lies in the months that the return covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import has, typed
from checks.definition import Check, NotApplicable, Subject, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(
    sheet: Sheet, table: Table, circumstances: Circumstances
) -> Sequence[Subject] | NotApplicable:
    if table.month_of is None:
        return NotApplicable("A register is replaced as a whole.")
    if circumstances.months is None:
        return NotApplicable("No months were named for the return.")
    if not has(sheet, table.month_of):
        return NotApplicable(f"The file has no column {table.month_of}.")
    months = [month.strftime("%Y-%m") for month in sorted(circumstances.months)]
    return [
        Subject(
            column=table.month_of,
            place=table.month_of,
            value=f"strftime({typed(table.month_of)}, '%Y-%m')",
            expected=one_of(months),
            facts={"months": months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"},
        )
    ]


CHECK = Check(
    id="months_covered",
    family="range",
    promise="Every row lies in the months that the return covers.",
    why_it_matters="A return replaces the months it covers; a row outside them would stand "
    "beside another return's.",
    severity="refuse",
    message="{column} must lie in the months the return covers, {months}; {where}.",
    remedy="Cover these months too, or leave the rows to the return of their own month.",
    version=1,
    subjects=_subjects,
)
