"""Every day lies between 1990 and 2100."""

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
            value=f"year({typed(column.id)})",
            expected=between(1990, 2100),
        )
        for column in present(sheet, table, "date", "month")
    ] or NotApplicable("The file has no days.")


CHECK = Check(
    id="plausible_years",
    family="range",
    promise="Every day lies between 1990 and 2100.",
    why_it_matters="The year 0212 reads as a date and is a slip of the finger.",
    severity="refuse",
    message="{column} must lie between 1990 and 2100; {where}.",
    remedy="Check the year in {column}.",
    version=1,
    subjects=_subjects,
)
