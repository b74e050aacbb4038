"""No amount is a date written without separators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, present
from checks.definition import Check, NotApplicable, Subject, never_matches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_YEAR, _MONTH, _DAY = "(19[9][0-9]|20[0-9]{2})", "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"
_DATE = f"{_YEAR}{_MONTH}{_DAY}|{_DAY}{_MONTH}{_YEAR}"


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    return [
        Subject(
            column=column.id,
            place=column.id,
            value=f"CASE WHEN regexp_full_match({cell(column.id)}, '[0-9]{{8}}') "
            f"THEN {cell(column.id)} END",
            expected=never_matches(_DATE),
        )
        for column in present(sheet, table, "money")
    ] or NotApplicable("The file has no amounts.")


CHECK = Check(
    id="amount_is_a_date",
    family="consistent",
    promise="No amount is a date written without separators.",
    why_it_matters="Read as pounds, 20120331 would drown every other amount.",
    severity="warn",
    message="{column} should be an amount, and reads like a date; {where}.",
    remedy="Put the amount in {column}; if it is right as it stands, write it with its pence.",
    version=1,
    subjects=_subjects,
)
