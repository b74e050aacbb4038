"""No amount is a hundred times larger or smaller than is usual for its payment type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import has, present, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_FEWEST_ROWS = 5


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    if not has(sheet, "payment_type"):
        return NotApplicable("The file has no payment types.")
    kind = typed("payment_type")
    return [
        Subject(
            column=column.id,
            place=column.id,
            value=f"CASE WHEN {typed(column.id)} > 100 * usual.amount THEN 1 "
            f"WHEN {typed(column.id)} * 100 < usual.amount THEN -1 ELSE 0 END",
            expected=between(0, 0),
            source=f"(SELECT * FROM cells WHERE {typed(column.id)} > 0) AS cells JOIN "
            f"(SELECT {kind} AS kind, median({typed(column.id)}) AS amount FROM cells "
            f"WHERE {typed(column.id)} > 0 GROUP BY kind HAVING count(*) >= {_FEWEST_ROWS}) "
            f"AS usual ON usual.kind = {kind}",
            hint="'Half of the amounts of that type are below ' || "
            "format('{:.2f}', usual.amount / 100) || '.'",
        )
        for column in present(sheet, table, "money")
    ]


CHECK = Check(
    id="hundredfold_outliers",
    family="consistent",
    promise="No amount is a hundred times larger or smaller than is usual for its payment type.",
    why_it_matters="A lost or added decimal point moves the whole fee.",
    severity="warn",
    message="{column} should be of the size usual for its payment_type; {where}.{hint}",
    remedy="Check the decimal point; if the amount is right, the row may stand as it is.",
    version=1,
    subjects=_subjects,
)
