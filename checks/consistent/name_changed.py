"""Every organisation keeps the name it has in the register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import has, knows, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(
    sheet: Sheet, table: Table, circumstances: Circumstances
) -> Sequence[Subject] | NotApplicable:
    if table.id != "organisations" or not has(sheet, "organisation_id", "name"):
        return NotApplicable("The file does not name organisations.")
    if not knows(circumstances, "organisations"):
        return NotApplicable("The ledger has no organisations register yet.")
    return [
        Subject(
            column="name",
            place="name",
            value=f"CAST(lower({typed('name')}) <> lower(known.name) AS INTEGER)",
            expected=between(None, 0),
            source="cells JOIN known_organisations AS known "
            f"ON known.organisation_id = {typed('organisation_id')}",
            hint="'It was ' || known.name || ' before.'",
        )
    ]


CHECK = Check(
    id="name_changed",
    family="consistent",
    promise="Every organisation keeps the name it has in the register.",
    why_it_matters="One id stays one organisation: a new name is welcome, a different "
    "organisation under it is not.",
    severity="warn",
    message="name should be what the register has for the same id; {where}.{hint}",
    remedy="If the organisation was renamed, the row may stand as it is: its history stays with "
    "its id. If it is another organisation, give it an id of its own.",
    version=1,
    subjects=_subjects,
)
