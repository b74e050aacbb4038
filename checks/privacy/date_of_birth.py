"""No column is headed as a date of birth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, Subject
from checks.privacy.columns import every_column, headed

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    return [
        headed(
            column, "dob|d o b|.*(date|day|year) of birth.*|.*birth ?(date|day|year).*|born( on)?"
        )
        for column in every_column(sheet, table)
        if column.extra
    ]


CHECK = Check(
    id="date_of_birth",
    family="privacy",
    promise="No column is headed as a date of birth.",
    why_it_matters="The ledger is about organisations: with marks of persons in it, it could not "
    "be shared with anybody.",
    severity="refuse",
    message="The column {column} is headed as a date of birth; {where}.",
    remedy="Remove the column {column} before you send the file.",
    version=1,
    subjects=_subjects,
)
