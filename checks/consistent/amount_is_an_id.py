"""No amount is an identifier that slipped into the wrong column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, distinct, present
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    digits_of = "regexp_replace({}, '[^0-9]', '', 'g')".format
    subjects = []
    for column in present(sheet, table, "money"):
        amount = f"nullif(regexp_extract({cell(column.id)}, '^£?([0-9]{{6,}})$', 1), '')"
        # The few amounts are looked for among the ids, not the many ids among the amounts.
        fits = [
            f"coalesce(amount IN (SELECT {digits_of(cell(identifier.id))} FROM "
            f"{distinct(identifier.id)} WHERE {digits_of(cell(identifier.id))} IN "
            f"(SELECT {amount} FROM {distinct(column.id)} WHERE {amount} IS NOT NULL)), false)"
            for identifier in present(sheet, table, "id")
        ] + [
            f"coalesce(amount = {digits_of(cell(mark.id))}, false)"
            for mark in present(sheet, table, "client_ref")
        ]
        subjects.append(
            Subject(
                column=column.id,
                place=column.id,
                value=f"CAST({' OR '.join(fits) or 'false'} AS INTEGER)",
                expected=between(None, 0),
                source=f"(SELECT * FROM (SELECT cells.*, {amount} AS amount FROM cells) "
                "WHERE amount IS NOT NULL) AS cells",
            )
        )
    return subjects or NotApplicable("The file has no amounts.")


CHECK = Check(
    id="amount_is_an_id",
    family="consistent",
    promise="No amount is an identifier that slipped into the wrong column.",
    why_it_matters="An id pasted into an amount makes a fee of millions, or hides the real one.",
    severity="refuse",
    message="{column} must be an amount, and reads like an identifier in the file; {where}.",
    remedy="Put the amount in {column}; if it is right as it stands, write it with its pence, "
    "such as 250000.00.",
    version=1,
    subjects=_subjects,
)
