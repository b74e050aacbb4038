"""Every rate is a number or a percentage."""

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
        for column in present(sheet, table, "rate")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="rates",
    family="format",
    promise="Every rate is a number or a percentage.",
    why_it_matters="Shares decide what was promised.",
    severity="refuse",
    message="{column} must be a rate such as 0.15 or 15%; {where}.",
    remedy="Write {column} as a number from 0 to 1 or as a percentage, such as 0.15 or 15%.",
    version=1,
    subjects=_subjects,
)
