"""Every rate lies between 0 and 1, that is 0% and 100%."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, present, typed
from checks.definition import Check, NotApplicable, Subject, between

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
            value=typed(column.id),
            expected=between(0, 1),
            hint=f"CASE WHEN {typed(column.id)} BETWEEN 1 AND 100 "
            f"AND NOT contains({cell(column.id)}, '%') "
            f"THEN 'If ' || {cell(column.id)} || ' per cent is meant, write ' || "
            f"{cell(column.id)} || '% or ' || round({typed(column.id)} / 100, 6) || '.' END",
        )
        for column in present(sheet, table, "rate")
    ] or NotApplicable("The file has no rates.")


CHECK = Check(
    id="rates_zero_to_one",
    family="range",
    promise="Every rate lies between 0 and 1, that is 0% and 100%.",
    why_it_matters="A share of 15 would promise a subcontractor fifteen times all the clients "
    "there are.",
    severity="refuse",
    message="{column} must lie between 0 and 1; {where}.{hint}",
    remedy="Write {column} as a percentage with its sign, such as 15%, or as a number from 0 to "
    "1, such as 0.15.",
    version=1,
    subjects=_subjects,
)
