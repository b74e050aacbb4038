"""Every organisation that is named stands in the organisations register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, has, refers
from checks.definition import Check, NotApplicable, Subject, between
from checks.reference.near import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

# Of organisations that are not the asker's to know only the id is there, to be judged by.
NAMED = "(FROM known_organisations WHERE name IS NOT NULL) AS named"
_NAMED = {"contracts": ("commissioner_id", "prime_id"), "agreements": ("subcontractor_id",)}


def _subjects(
    sheet: Sheet, table: Table, circumstances: Circumstances
) -> Sequence[Subject] | NotApplicable:
    columns = [column for column in _NAMED.get(table.id, ()) if has(sheet, column)]
    if not columns:
        return NotApplicable(f"The organisations in {table.id} are looked up elsewhere.")
    if not refers(circumstances, "organisations"):
        return NotApplicable("The ledger has no organisations register yet.")
    return [
        Subject(
            column=column,
            place=column,
            value=f"CAST({cell(column)} IN (SELECT organisation_id FROM known_organisations) "
            "AS INTEGER)",
            expected=between(1, None),
            hint=nearest(cell(column), "organisation_id", NAMED),
        )
        for column in columns
    ]


CHECK = Check(
    id="organisation_known",
    family="reference",
    promise="Every organisation that is named stands in the organisations register.",
    why_it_matters="An id that nobody registered has no name, no sector and no right of reply.",
    severity="refuse",
    message="{column} must be an id in the organisations register; {where}.{hint}",
    remedy="Correct the id, or have the organisation added to the organisations register first.",
    version=1,
    subjects=_subjects,
)
