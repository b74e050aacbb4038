"""One organisation has one sector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import has, typed
from checks.consistent.names import folded_name
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    if table.id != "organisations" or not has(sheet, "organisation_id", "name", "sector"):
        return NotApplicable("The file does not name sectors.")
    own_id = typed("organisation_id")
    labels = (
        f"SELECT {typed('name')} AS name, {typed('sector')} AS sector FROM cells UNION ALL "
        "SELECT name, sector FROM known_organisations WHERE organisation_id NOT IN "
        f"(SELECT {own_id} FROM cells WHERE {own_id} IS NOT NULL)"
    )
    return [
        Subject(
            column="sector",
            place="sector",
            value="labels.sector_count",
            expected=between(None, 1),
            source=f"cells JOIN (SELECT {folded_name('name')} AS folded, "
            "count(DISTINCT sector) AS sector_count, "
            "string_agg(DISTINCT sector, ' and ' ORDER BY sector) AS sectors "
            f"FROM ({labels}) WHERE name IS NOT NULL GROUP BY folded) AS labels "
            f"ON labels.folded = {folded_name(typed('name'))}",
            hint="'The name has the sectors ' || labels.sectors || '.'",
        )
    ]


CHECK = Check(
    id="sector_agrees",
    family="consistent",
    promise="One organisation has one sector.",
    why_it_matters="Conflicting sector labels make the share of voluntary organisations a matter "
    "of spelling.",
    severity="warn",
    message="sector should be the same wherever the organisation is named; {where}.{hint}",
    remedy="Give the organisation the same sector on every row.",
    version=1,
    subjects=_subjects,
)
