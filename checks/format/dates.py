"""Every date is written as a day."""

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
        for column in present(sheet, table, "date")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="dates",
    family="format",
    promise="Every date is written as a day.",
    why_it_matters="A month that cannot be told leaves the row out of every count.",
    severity="refuse",
    message="{column} must be a day such as 2012-03-31 or 31/03/2012; {where}.",
    remedy="Write {column} as year, month and day, such as 2012-03-31.",
    version=1,
    subjects=_subjects,
)
