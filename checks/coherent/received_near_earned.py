"""The commissioner's money comes within reason of the day it was earned."""

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
    if table.id != "payments" or not has(sheet, "earned_on", "received_on"):
        return NotApplicable("The file does not have both days.")
    return [
        Subject(
            column="received_on",
            place="received_on",
            value=f"{typed('received_on')} - {typed('earned_on')}",
            expected=between(-31, 731),
            hint=f"'earned_on is ' || {cell('earned_on')} || ' there.'",
        )
    ]


CHECK = Check(
    id="received_near_earned",
    family="coherent",
    promise="The commissioner's money comes within reason of the day it was earned.",
    why_it_matters="Money received long before or after the event most often belongs to another "
    "event.",
    severity="warn",
    message="received_on should lie between 31 days before and two years after earned_on; "
    "{where}.{hint}",
    remedy="Check earned_on and received_on; if both are right, the row may stand as it is.",
    version=1,
    subjects=_subjects,
)
