"""Every row has as many cells as the header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, _: Table, __: Circumstances) -> Sequence[Subject] | NotApplicable:
    if not sheet.ragged:
        return []
    rows = ", ".join(
        f"({row.row_number}, {row.expected_count}, {row.actual_count})" for row in sheet.ragged
    )
    return [
        Subject(
            column=None,
            value="abs(actual_count - expected_count)",
            expected=between(None, 0),
            source=f"(VALUES {rows}) AS ragged(row_number, expected_count, actual_count)",
            shown="actual_count || CASE actual_count WHEN 1 THEN ' cell' ELSE ' cells' END "
            "|| ' instead of ' || expected_count",
        )
    ]


CHECK = Check(
    id="ragged_rows",
    family="coverage",
    promise="Every row has as many cells as the header.",
    why_it_matters="In a row with a cell too many or too few, values stand under wrong headers.",
    severity="refuse",
    message="Every row must have as many cells as the header; {where}.",
    remedy="Look for a missing or extra separator, or a quotation mark that is not closed, in "
    "these rows.",
    version=1,
    subjects=_subjects,
)
