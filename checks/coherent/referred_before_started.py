"""Every client is referred before it starts."""

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
    if table.id != "referrals" or not has(sheet, "referred_on", "started_on"):
        return NotApplicable("The file does not have both days.")
    return [
        Subject(
            column="started_on",
            place="started_on",
            value=f"CAST(sign({typed('started_on')} - {typed('referred_on')}) AS INTEGER)",
            expected=between(0, None),
            hint=f"'referred_on is ' || {cell('referred_on')} || ' there.'",
        )
    ]


CHECK = Check(
    id="referred_before_started",
    family="coherent",
    promise="Every client is referred before it starts.",
    why_it_matters="A start before the referral means that one of the two days is mistyped, or "
    "the rows are mixed up.",
    severity="refuse",
    message="started_on must not lie before referred_on; {where}.{hint}",
    remedy="Correct referred_on or started_on; leave started_on empty if the client has not "
    "started.",
    version=1,
    subjects=_subjects,
)
