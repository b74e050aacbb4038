"""The file has at least one row below its header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, Subject, between

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, _: Table, __: Circumstances) -> list[Subject]:
    return [
        Subject(
            column=None,
            value=str(min(sheet.rows.num_rows + len(sheet.ragged), 1)),
            expected=between(1, None),
            source="nothing",
        )
    ]


CHECK = Check(
    id="no_rows",
    family="coverage",
    promise="The file has at least one row below its header.",
    why_it_matters="An empty file may be a mistake; that there was nothing must be said outright.",
    severity="refuse",
    message="The file has no rows below its header.",
    remedy="Add the rows. That there were no referrals or payments is said by a nil return.",
    version=1,
    subjects=_subjects,
)
