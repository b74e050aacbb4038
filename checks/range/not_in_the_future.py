"""No event lies after the day the return is received."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import present, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_EVENTS = (
    "referred_on",
    "started_on",
    "earned_on",
    "received_on",
    "invoiced_on",
    "paid_on",
    "issued_on",
    "consented_on",
)


def _subjects(
    sheet: Sheet, table: Table, circumstances: Circumstances
) -> Sequence[Subject] | NotApplicable:
    received_on = circumstances.received_on.isoformat()
    return [
        Subject(
            column=column.id,
            place=column.id,
            value=f"CAST(sign(DATE '{received_on}' - {typed(column.id)}) AS INTEGER)",
            expected=between(0, None),
            facts={"received_on": received_on},
        )
        for column in present(sheet, table, "date")
        if column.id in _EVENTS
    ] or NotApplicable("The file has no days of past events.")


CHECK = Check(
    id="not_in_the_future",
    family="range",
    promise="No event lies after the day the return is received.",
    why_it_matters="What has not happened cannot be reported; a day in the future is most often "
    "a mistyped year.",
    severity="refuse",
    message="{column} must not lie after {received_on}, the day the return is received; {where}.",
    remedy="Correct {column}, or leave the row out until it has happened.",
    version=1,
    subjects=_subjects,
)
