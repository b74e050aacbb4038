"""Every month is written as a month."""

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
        for column in present(sheet, table, "month")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="months",
    family="format",
    promise="Every month is written as a month.",
    why_it_matters="A forecast belongs to a month; without it there is nothing to compare.",
    severity="refuse",
    message="{column} must be a month such as 2011-09; {where}.",
    remedy="Write {column} as year and month, such as 2011-09.",
    version=1,
    subjects=_subjects,
)
