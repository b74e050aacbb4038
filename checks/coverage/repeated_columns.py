"""No column of the table stands twice in the header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, Subject, between

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    return [
        Subject(
            column=column,
            value=str(2 if column in sheet.repeated else 1),
            expected=between(None, 1),
            source="nothing",
        )
        for column in table.column_ids
        if column in sheet.headers or column in sheet.repeated
    ]


CHECK = Check(
    id="repeated_columns",
    family="coverage",
    promise="No column of the table stands twice in the header.",
    why_it_matters="Of two columns with one name nobody can tell which is meant.",
    severity="refuse",
    message="The header names {column} more than once.",
    remedy="Keep the {column} column that is meant and delete or rename the others.",
    version=1,
    subjects=_subjects,
)
