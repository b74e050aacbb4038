"""Every yes-or-no cell says yes or no."""

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
        for column in present(sheet, table, "yes_no")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="yes_no",
    family="format",
    promise="Every yes-or-no cell says yes or no.",
    why_it_matters="Whether a subcontractor was named in a bid decides what may be said "
    "about its referrals.",
    severity="refuse",
    message="{column} must be yes or no; {where}.",
    remedy="Write yes or no in {column}.",
    version=1,
    subjects=_subjects,
)
