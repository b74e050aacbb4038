"""Every count is a whole number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import folded, present
from checks.definition import Check, NotApplicable, Subject, matches
from data.parse import PATTERNS

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
            value=folded(column.id),
            expected=matches(PATTERNS[column.kind]),
        )
        for column in present(sheet, table, "count")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="counts",
    family="format",
    promise="Every count is a whole number.",
    why_it_matters="Clients and days are counted in ones.",
    severity="refuse",
    message="{column} must be a whole number such as 40; {where}.",
    remedy="Write {column} as a whole number; where a count was withheld, leave the row out.",
    version=1,
    subjects=_subjects,
)
