"""No column holds NHS numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, distinct
from checks.definition import Check, Subject, between
from checks.privacy.columns import every_column
from checks.privacy.patterns import TEN_DIGITS
from data.parse import literal

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_FORM = literal(TEN_DIGITS)


def _fits(ten_digits: str) -> str:
    """Whether the tenth digit checks the nine before it (weights 10 to 1, modulo 11)."""
    weights = list(range(10, 0, -1))
    digits = f"CAST(string_split({ten_digits}, '') AS DOUBLE[])"
    return f"(list_dot_product({digits}, {weights}::DOUBLE[]) % 11 = 0)"


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    subjects = []
    for column in every_column(sheet, table):
        found = (
            f"CASE WHEN length({cell(column.place)}) >= 10 THEN nullif(regexp_replace("
            f"regexp_extract({cell(column.place)}, {_FORM}, 1), '[ -]', '', 'g'), '') END"
        )
        share = (
            f"SELECT avg(CAST({_fits('ten_digits')} AS INTEGER)) FROM (SELECT DISTINCT {found} "
            f"AS ten_digits FROM {distinct(column.place)}) WHERE ten_digits IS NOT NULL"
        )
        subjects.append(
            Subject(
                column=column.header,
                place=column.place,
                value=f"CAST({_fits(found)} AND ({share}) > 0.5 AS INTEGER)",
                expected=between(None, 0),
                masked=True,
            )
        )
    return subjects


CHECK = Check(
    id="nhs_number",
    family="privacy",
    promise="No column holds NHS numbers.",
    why_it_matters="The ledger is about organisations: with marks of persons in it, it could not "
    "be shared with anybody.",
    severity="refuse",
    message="The column {column} holds what looks like NHS numbers, by their check digit; {where}.",
    remedy="Remove the column {column}, or put your own mark for the client in its place, before "
    "you send the file.",
    version=1,
    subjects=_subjects,
)
