"""No column holds a National Insurance number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, Subject, never_matches
from checks.privacy.columns import every_column
from checks.privacy.patterns import NATIONAL_INSURANCE
from data.parse import literal

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_FORM = literal(NATIONAL_INSURANCE)


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    return [
        Subject(
            column=column.header,
            place=column.place,
            value=f"nullif(translate(upper(regexp_extract({column.shape}, {_FORM}, 1)), "
            "' \u00a0', ''), '')",
            expected=never_matches("[A-Z]{2}0{6}[A-D]"),
            masked=True,
            untyped_only=column.typed,
        )
        for column in every_column(sheet, table)
    ]


CHECK = Check(
    id="national_insurance",
    family="privacy",
    promise="No column holds a National Insurance number.",
    why_it_matters="The ledger is about organisations: with marks of persons in it, it could not "
    "be shared with anybody.",
    severity="refuse",
    message="The column {column} holds what looks like a National Insurance number; {where}.",
    remedy="Remove the column {column}, or put your own mark for the client in its place, before "
    "you send the file.",
    version=1,
    subjects=_subjects,
)
