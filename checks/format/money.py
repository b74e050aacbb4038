"""Every amount is in pounds with at most two decimals."""

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
        for column in present(sheet, table, "money")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="money",
    family="format",
    promise="Every amount is in pounds with at most two decimals.",
    why_it_matters="Fees are worked out in whole pence; a guess at what was meant would "
    "be a guess at the fee.",
    severity="refuse",
    message="{column} must be an amount in pounds with at most two decimals, such as "
    "1200.00; {where}.",
    remedy="Write {column} as a number in pounds, without words and with at most two decimals.",
    version=1,
    subjects=_subjects,
)
