"""No column holds a telephone number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, typed
from checks.definition import Check, Subject, never_matches
from checks.privacy.columns import every_column
from checks.privacy.patterns import TELEPHONE
from data.parse import literal

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_FORM = literal(TELEPHONE)


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    subjects = []
    for column in every_column(sheet, table):
        found = f"regexp_extract({cell(column.place)}, {_FORM}, 1)"
        digits = f"regexp_replace(regexp_replace({found}, '[^0-9]', '', 'g'), '^(00)?440?', '0')"
        # A run of digits that counts rows can start with 0: in ids only what is surely a number.
        sure = (
            f"regexp_matches({found}, '[^0-9]|^07[0-9]{{9}}$') AND " if column.kind == "id" else ""
        )
        if column.kind == "money":  # an amount may be as long as a number
            sure = f"{typed(column.place)} IS NULL AND "
        subjects.append(
            Subject(
                column=column.header,
                place=column.place,
                value=f"CASE WHEN length({cell(column.place)}) >= 10 AND {sure}{found} <> '' "
                f"THEN translate({digits}, '123456789', '000000000') END",
                expected=never_matches("0{10,11}"),
                masked=True,
            )
        )
    return subjects


CHECK = Check(
    id="telephone",
    family="privacy",
    promise="No column holds a telephone number.",
    why_it_matters="The ledger is about organisations: with marks of persons in it, it could not "
    "be shared with anybody.",
    severity="refuse",
    message="The column {column} holds what looks like a telephone number; {where}.",
    remedy="Remove the column {column}, or put your own mark for the client in its place, before "
    "you send the file.",
    version=1,
    subjects=_subjects,
)
