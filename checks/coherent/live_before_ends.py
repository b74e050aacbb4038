"""Every agreement is live before it ends."""

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
    if table.id != "agreements" or not has(sheet, "live_on", "ends_on"):
        return NotApplicable("The file does not have both days.")
    return [
        Subject(
            column="ends_on",
            place="ends_on",
            value=f"CAST(sign({typed('ends_on')} - {typed('live_on')}) AS INTEGER)",
            expected=between(0, None),
            hint=f"'live_on is ' || {cell('live_on')} || ' there.'",
        )
    ]


CHECK = Check(
    id="live_before_ends",
    family="coherent",
    promise="Every agreement is live before it ends.",
    why_it_matters="An agreement that ends before it is live has no months to look at.",
    severity="refuse",
    message="ends_on must not lie before live_on; {where}.{hint}",
    remedy="Correct live_on or ends_on; leave ends_on empty if it ends with the contract.",
    version=1,
    subjects=_subjects,
)
