"""Every count lies where it can: at least one referral a row, tier 1 to 9, terms up to a year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import present, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_LIMITS = {
    ("referrals", "referrals"): (1, None),
    ("forecasts", "referrals"): (0, None),
    ("agreements", "tier"): (1, 9),
    ("agreements", "payment_terms_days"): (0, 365),
}


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    return [
        Subject(
            column=column.id,
            place=column.id,
            value=typed(column.id),
            expected=between(low, high),
            facts={"limits": f"{low} or more" if high is None else f"from {low} to {high}"},
        )
        for column in present(sheet, table, "count")
        for low, high in [_LIMITS.get((table.id, column.id), (0, None))]
    ] or NotApplicable("The file has no counts.")


CHECK = Check(
    id="counts_in_range",
    family="range",
    promise="Every count lies where it can: at least one referral a row, tier 1 to 9, terms up "
    "to a year.",
    why_it_matters="A referral row without a referral, or a negative one, would cancel real "
    "clients.",
    severity="refuse",
    message="{column} must be {limits}; {where}.",
    remedy="Mend {column}, or leave it empty where that is allowed; a month without referrals "
    "needs no row.",
    version=1,
    subjects=_subjects,
)
