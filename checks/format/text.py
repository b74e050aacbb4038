"""Every text is at most 1,000 characters that can be printed."""

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
        for column in present(sheet, table, "text")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="text",
    family="format",
    promise="Every text is at most 1,000 characters that can be printed.",
    why_it_matters="Hidden characters make two equal names look different to a computer.",
    severity="refuse",
    message="{column} must be text of at most 1,000 printable characters; {where}.",
    remedy="Type {column} anew, without hidden characters.",
    version=1,
    subjects=_subjects,
)
