"""No cell holds the error of a spreadsheet formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, Subject, between

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, _: Table, __: Circumstances) -> list[Subject]:
    return [
        Subject(
            column=column,
            value="1",
            expected=between(None, 0),
            source=f"(SELECT unnest({list(rows)}) AS row_number)",
            shown="'a formula error'",
        )
        for column, rows in sheet.formula_errors.items()
        if rows
    ]


CHECK = Check(
    id="formula_errors",
    family="coverage",
    promise="No cell holds the error of a spreadsheet formula.",
    why_it_matters="A formula that failed leaves no value, and nobody notices what is missing.",
    severity="refuse",
    message="{column} must hold values; {where}.",
    remedy="Mend the formula in the spreadsheet, or type the value in its place.",
    version=1,
    subjects=_subjects,
)
