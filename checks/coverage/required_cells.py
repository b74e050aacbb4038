"""Every required column is filled in on every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, present
from checks.definition import Check, Subject, between

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    return [
        Subject(
            column=column.id,
            place=column.id,
            value=f"CAST({cell(column.id)} IS NOT NULL AS INTEGER)",
            expected=between(1, None),
        )
        for column in present(sheet, table)
        if column.required
    ]


CHECK = Check(
    id="required_cells",
    family="coverage",
    promise="Every required column is filled in on every row.",
    why_it_matters="A row without them cannot be counted for anybody.",
    severity="refuse",
    message="{column} must be filled in; {where}.",
    remedy="Fill in {column}, or delete the row if it is not meant.",
    version=1,
    subjects=_subjects,
)
