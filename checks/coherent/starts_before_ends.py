"""Every contract starts before it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, has, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    if table.id != "contracts" or not has(sheet, "starts_on", "ends_on"):
        return NotApplicable("The file does not have both days.")
    return [
        Subject(
            column="ends_on",
            place="ends_on",
            value=f"CAST(sign({typed('ends_on')} - {typed('starts_on')}) AS INTEGER)",
            expected=between(0, None),
            hint=f"'starts_on is ' || {cell('starts_on')} || ' there.'",
        )
    ]


CHECK = Check(
    id="starts_before_ends",
    family="coherent",
    promise="Every contract starts before it ends.",
    why_it_matters="A contract that ends before it starts has no months to look at.",
    severity="refuse",
    message="ends_on must not lie before starts_on; {where}.{hint}",
    remedy="Correct starts_on or ends_on; leave ends_on empty if no end is fixed.",
    version=1,
    subjects=_subjects,
)
