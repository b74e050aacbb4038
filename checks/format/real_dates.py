"""Every date that is written as a day stands in the calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, folded, present, typed
from checks.definition import Check, NotApplicable, Subject, between
from data.parse import PATTERNS, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    form = literal(PATTERNS["date"])
    return [
        Subject(
            column=column.id,
            place=column.id,
            value=f"CASE WHEN {typed(column.id)} IS NOT NULL THEN 1 WHEN {cell(column.id)} IS NOT "
            f"NULL AND regexp_full_match({folded(column.id)}, {form}) THEN 0 END",
            expected=between(1, None),
        )
        for column in present(sheet, table, "date")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="real_dates",
    family="format",
    promise="Every date that is written as a day stands in the calendar.",
    why_it_matters="A day that does not exist hides the one that was meant.",
    severity="refuse",
    message="{column} must be a day that exists, such as 2012-02-29; {where}.",
    remedy="Look up which day was meant, and write it as year, month and day, such as 2012-03-31.",
    version=1,
    subjects=_subjects,
)
